"""Deny by default: every route for every role, read from the URL map. A new route without a line here fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from stage import Stage, set_stage
from werkzeug.routing import Rule

from socialgov.home import Home
from socialgov.models import Role, Staff
from socialgov.web.access import PUBLIC_ENDPOINTS, access_of

TEACHER, MANAGER, HEAD = Role.TEACHER, Role.NETWORK_MANAGER, Role.HEAD
LEAD, DATA, GOVERNOR = Role.SAFEGUARDING_LEAD, Role.DATA_MANAGER, Role.GOVERNOR
ALL = frozenset(Role)
STAFF = ALL - {GOVERNOR}
OVERSIGHT = ALL - {TEACHER}
KEEPER = "keeper"  # owner or deputy of the account, whatever their role
Who = frozenset[Role | str]


def who(*some: Role | str) -> Who:
    return frozenset(some)


# Who may open what. The teacher of this table has nothing to do with the account; KEEPER owns it.
MATRIX: dict[str, Who] = {
    "confirm.page": ALL | {KEEPER},
    "confirm.passkey_options": ALL | {KEEPER},
    "confirm.passkey": ALL | {KEEPER},
    "confirm.carry_on": ALL | {KEEPER},
    "openid.confirm": ALL | {KEEPER},
    "openid.unlink": who(MANAGER),
    "signing_in.page": ALL | {KEEPER},
    "signing_in.ask": ALL | {KEEPER},
    "signing_in.later": ALL | {KEEPER},
    "signing_in.add_passkey": ALL | {KEEPER},
    "signing_in.passkey_options": ALL | {KEEPER},
    "signing_in.remove_passkey": ALL | {KEEPER},
    "signing_in.add_authenticator": ALL | {KEEPER},
    "signing_in.confirm_authenticator": ALL | {KEEPER},
    "signing_in.remove_authenticator": ALL | {KEEPER},
    "signing_in.remove_identity": ALL | {KEEPER},
    "signing_in.end_one": ALL | {KEEPER},
    "signing_in.end_others": ALL | {KEEPER},
    "signing_in_people.page": who(MANAGER, HEAD),
    "signing_in_people.person": who(MANAGER, HEAD),
    "signing_in_people.end_sessions": who(MANAGER, HEAD),
    "signing_in_people.remove": who(MANAGER, HEAD),
    "start.page": ALL | {KEEPER},
    "start.read": ALL | {KEEPER},
    "demonstration.clock": ALL | {KEEPER},
    "requests.begin": STAFF | {KEEPER},
    "requests.start_afresh": STAFF | {KEEPER},
    "requests.ask": STAFF | {KEEPER},
    "requests.check": STAFF | {KEEPER},
    "requests.begin_found": STAFF | {KEEPER},
    "requests.ask_found": STAFF | {KEEPER},
    "requests.check_found": STAFF | {KEEPER},
    "requests.ask_amended": who(KEEPER),
    "requests.check_amended": who(KEEPER),
    "requests.take_back": who(KEEPER),
    "public_accounts.show": who(HEAD),
    "public_accounts.allow": who(HEAD),
    "public_accounts.end": who(HEAD),
    "accounts.register": ALL | {KEEPER},
    "accounts.page": OVERSIGHT | {KEEPER},
    "accounts.check": OVERSIGHT | {KEEPER},
    "decisions.decide": who(MANAGER, HEAD),
    "setup.record": who(MANAGER, KEEPER),
    "setup.facts": who(MANAGER, KEEPER),
    "setup.say": who(MANAGER, KEEPER),
    "setup.say_logo": who(MANAGER, KEEPER),
    "putting_right.page": who(MANAGER, KEEPER),
    "putting_right.picture": who(MANAGER, KEEPER),
    "putting_right.private": who(MANAGER, KEEPER),
    "putting_right.back": who(MANAGER, KEEPER),
    "setup.evidence": OVERSIGHT | {KEEPER},
    "setup.logo": ALL | {KEEPER},
    "setup.gate": who(MANAGER, KEEPER),
    "exports.hand_in": who(MANAGER, KEEPER),
    "sign_ins.say": who(MANAGER, KEEPER),
    "deposits.hand_in": who(MANAGER, KEEPER),
    "deposits.parts": who(MANAGER, KEEPER),
    "deposits.codes": who(MANAGER, KEEPER),
    "deposits.use_code": who(MANAGER, KEEPER),
    "deposits.second_factor": who(MANAGER, KEEPER),
    "deposits.notes": who(MANAGER, KEEPER),
    "deposits.gone": who(MANAGER, KEEPER),
    "contacts.recovery": who(MANAGER, KEEPER),
    "contacts.contact_gone": who(MANAGER, KEEPER),
    "contacts.delegates": who(MANAGER, KEEPER),
    "contacts.delegate_gone": who(MANAGER, KEEPER),
    "connections.show": who(MANAGER, KEEPER),
    "connections.connect": who(MANAGER, KEEPER),
    "connections.callback": ALL | {KEEPER},
    "connections.end": who(MANAGER, KEEPER),
    "vault.show": who(MANAGER, HEAD),
    "vault.unlock": who(MANAGER),
    "vault.shut": who(MANAGER, HEAD),
    "vault.join": who(MANAGER),
    "vault.change": who(MANAGER),
    "vault.invite": who(MANAGER),
    "vault.remove": who(MANAGER),
    "glass.show": who(MANAGER, HEAD, LEAD, GOVERNOR),
    "glass.ask": who(HEAD),
    "glass.agree": who(HEAD, LEAD, GOVERNOR),
    "glass.stop": who(MANAGER, HEAD),
    "glass.unlock": who(HEAD),
    "glass.name": frozenset(),  # a head in whose session the sheets opened the vault (test_break_glass_pages.py)
    "credentials.show": who(MANAGER),
    "credentials.copied": who(MANAGER),
    "credentials.looks": who(MANAGER, HEAD, KEEPER),
    "credentials.try_it": who(MANAGER),
    "credentials.make_key": who(MANAGER),
    "credentials.test": who(MANAGER),
    "rotations.show": who(MANAGER, KEEPER),
    "rotations.start": who(MANAGER, KEEPER),
    "rotations.compromised": who(MANAGER, KEEPER),
    "lifetime.stop": who(MANAGER, HEAD, LEAD, KEEPER),
    "lifetime.go_on": who(MANAGER, HEAD, LEAD),
    "lifetime.hand_over": who(MANAGER, HEAD, KEEPER),
    "lifetime.confirm": who(KEEPER),
    "lifetime.review": who(MANAGER, HEAD),
    "lifetime.extend": who(KEEPER),
    "lifetime.answer_extension": who(MANAGER, HEAD),
    "lifetime.waive": who(HEAD),
    "lifetime.end_exception": who(HEAD),
    "lifetime.close": who(MANAGER, HEAD, KEEPER),
    "closing.progress": OVERSIGHT | {KEEPER},
    "closing.task": who(MANAGER, KEEPER),
    "closing.new_code": who(MANAGER, KEEPER),
    "closing.machine": who(MANAGER, KEEPER),
    "closing.with_vault": who(MANAGER),
    "closing.certificate": OVERSIGHT | {KEEPER},
    "closing.certificate_file": OVERSIGHT | {KEEPER},
    "audit.page": who(MANAGER, HEAD, GOVERNOR),
    "audit.file": who(MANAGER, HEAD),
    "platforms.page": who(MANAGER, HEAD, LEAD, GOVERNOR),
    "platforms.resume": who(MANAGER),
    "log.page": who(MANAGER, HEAD, LEAD, GOVERNOR),
    "log.verify": who(MANAGER, HEAD, LEAD, GOVERNOR),
    "staff.page": who(MANAGER),
    "staff.add": who(MANAGER),
    "staff.person": who(MANAGER),
    "staff.roles": who(MANAGER),
    "staff.link": who(MANAGER),
    "staff.leaves": who(MANAGER),
    "leavers.everybody": who(MANAGER, HEAD),
    "leavers.report": who(MANAGER, HEAD),
    "leavers.file": who(MANAGER, HEAD),
    "leavers.secure": who(MANAGER),
    "people.page": who(MANAGER, DATA, LEAD),
    "people.person": who(MANAGER, DATA, LEAD),
    "people.permission": who(DATA),
    "people.withdraw": who(DATA),
    "people.import_file": who(MANAGER, DATA),
    "people.report": who(MANAGER, DATA),
    "people.discard": who(MANAGER, DATA),
    "audience.page": who(MANAGER, DATA, KEEPER),
    "audience.choose": who(MANAGER, DATA, KEEPER),
    "audience.add": who(MANAGER, DATA, KEEPER),
    "audience.remove": who(MANAGER, DATA, KEEPER),
    "followers.page": who(MANAGER, KEEPER),
    "followers.add": who(MANAGER, KEEPER),
    "followers.check": who(MANAGER, KEEPER),
    "followers.accept": who(MANAGER, KEEPER),
    "followers.refuse": who(MANAGER, KEEPER),
    "followers.removed": who(MANAGER, KEEPER),
    "posts.page": who(MANAGER, HEAD, LEAD, KEEPER),
    "posts.write": who(KEEPER),
    "posts.edit": who(KEEPER),
    "posts.photo": who(KEEPER),
    "posts.remove_photo": who(KEEPER),
    "posts.confirm": who(KEEPER),
    "posts.publish": who(KEEPER),
    "posts.submit": who(KEEPER),
    "posts.discard": who(KEEPER),
    "depictions.who": who(KEEPER),
    "handing_over.page": who(KEEPER),
    "handing_over.give_up": who(KEEPER),
    "handing_over.remove": who(MANAGER, KEEPER),
    "handing_over.removed": who(MANAGER, KEEPER),
    # a second checker is anybody but the author, so these ask when they know the post (here: none, so not found)
    "posts.post": ALL | {KEEPER},
    "posts.media": ALL | {KEEPER},
    "handing_over.second_look": ALL | {KEEPER},
}
PUBLIC = {
    "signin.page",
    "signin.link",
    "signin.use",
    "signin.leave",
    "signin.passkey_options",
    "signin.passkey",
    "signin.second",
    "signin.second_options",
    "signin.second_passkey",
    "openid.begin",
    "openid.callback",
}


@pytest.fixture
def stage(home: Home) -> Stage:
    return set_stage(home)


def routes(app: Flask) -> Iterator[tuple[Rule, str]]:
    for rule in app.url_map.iter_rules():
        if rule.endpoint not in PUBLIC_ENDPOINTS:
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield rule, method


def address(app: Flask, rule: Rule, account_id: int) -> str:
    """The route's address for one account; parts that do not exist are answered after the gate, so any will do."""
    values = dict.fromkeys(rule.arguments, 999999)
    values |= {"account_id": account_id, "step": "platform", "fact": "private", "token": "x", "kind": "people"}
    adapter = app.url_map.bind("localhost")
    return adapter.build(rule.endpoint, {name: values[name] for name in rule.arguments}, method=None)


@pytest.mark.asvs("8.2.1")
def test_every_route_says_who_may_open_it(app: Flask) -> None:
    assert [rule.endpoint for rule, _ in routes(app) if access_of(app.view_functions[rule.endpoint]) is None] == []


@pytest.mark.asvs("8.2.1")
def test_every_route_stands_in_the_matrix(app: Flask) -> None:
    assert {rule.endpoint for rule, _ in routes(app)} == set(MATRIX) | PUBLIC


def test_only_signing_in_is_public(app: Flask) -> None:
    public = {
        rule.endpoint
        for rule, _ in routes(app)
        if (access := access_of(app.view_functions[rule.endpoint])) and access.public
    }
    assert public == PUBLIC


@pytest.mark.asvs("8.2.1")
def test_a_visitor_is_sent_to_sign_in_everywhere(app: Flask, client: FlaskClient, stage: Stage) -> None:
    for rule, method in routes(app):
        if rule.endpoint not in PUBLIC:
            answer = client.open(address(app, rule, stage.live.id), method=method)
            assert (answer.status_code, answer.location) == (302, "/signin"), rule.rule


@pytest.mark.asvs("8.2.1", "8.2.2")
def test_each_role_gets_exactly_what_the_matrix_says(
    app: Flask, browse: Callable[[Staff], FlaskClient], stage: Stage
) -> None:
    visitors: dict[Role | str, FlaskClient] = {role: browse(person) for role, person in stage.people.items()}
    visitors[TEACHER], visitors[KEEPER] = browse(stage.outsider), browse(stage.cast.owner)
    wrong = []
    for rule, method in routes(app):
        if rule.endpoint in PUBLIC:
            continue
        for role, visitor in visitors.items():
            # an account that is closing: what is pressed here by chance changes nothing that the next role needs
            answer = visitor.open(address(app, rule, stage.closing.id), method=method)
            assert answer.status_code < 500, f"{method} {rule.rule} as {role}"
            if (answer.status_code == 403) is (role in MATRIX[rule.endpoint]):
                wrong.append(f"{method} {rule.rule} as {role}: {answer.status_code}")
    assert wrong == []


@pytest.mark.asvs("8.2.1")
def test_a_view_without_a_mark_is_refused(app: Flask, browse: Callable[[Staff], FlaskClient], manager: Staff) -> None:
    app.add_url_rule("/forgotten", "forgotten", lambda: "secret")
    answer = browse(manager).get("/forgotten")
    assert answer.status_code == 403
    assert "secret" not in answer.text


def test_a_page_of_an_account_that_does_not_exist_is_not_found(
    browse: Callable[[Staff], FlaskClient], manager: Staff
) -> None:
    assert browse(manager).get("/accounts/4711").status_code == 404


@pytest.mark.asvs("8.2.2")
def test_what_belongs_to_another_account_is_not_found(stage: Stage, browse: Callable[[Staff], FlaskClient]) -> None:
    owner, head = browse(stage.cast.owner), browse(stage.cast.head)
    other = stage.approved.id
    assert owner.get(f"/accounts/{stage.live.id}/evidence/{stage.blob_id}").status_code == 200
    assert owner.get(f"/accounts/{other}/evidence/{stage.blob_id}").status_code == 404
    assert owner.get(f"/accounts/{other}/closing/{stage.step_id}").status_code == 404
    assert head.get(f"/accounts/{stage.live.id}/exception/1/end").status_code == 404
