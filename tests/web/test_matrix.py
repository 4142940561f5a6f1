"""Role × route × state: who gets in never depends on an account's state, what can be done always does.

test_access.py says who may open which route (MATRIX). Here each of its routes is asked in every state an account can be
in, by each role, by keepers, by a teacher who has nothing to do with it, and by those whose session is no session; and
DEEDS says in which states each deed changes anything at all.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import walk
from conftest import make_strong
from factories import DOMAIN, NOW, account_at, make_home, staff, vault_of
from flask import Flask
from flask.testing import FlaskClient
from killing import not_waiting_for_the_disk
from stage import Stage, set_stage
from test_access import KEEPER, MATRIX, address, routes

import socialgov
from socialgov.actions import accounts, closing
from socialgov.actions.credentials import reveal
from socialgov.actions.signin import make_signin_link
from socialgov.actions.staff import staff_leaves
from socialgov.actions.vault import keep_open
from socialgov.home import Home
from socialgov.models import Account, AccountState, CredentialKind, Role, Staff
from socialgov.store.accounts import account_by_id
from socialgov.store.credentials import current_credential
from socialgov.store.events import EventTag, verify_chain
from socialgov.web import build_app
from socialgov.web.access import SESSION_KEY, access_of
from socialgov.web.in_hand import VAULT_KEY

S = AccountState
EVERY = frozenset(S)


@dataclass(frozen=True)
class School:
    """One school for the whole file: an account in each state, and everybody's browser."""

    home: Home
    app: Flask
    stage: Stage
    accounts: dict[AccountState, Account]
    visitors: dict[str, FlaskClient]

    def browser_of(self, person: Staff) -> FlaskClient:
        self.app.config["WTF_CSRF_ENABLED"] = False
        client = self.app.test_client()
        assert client.post(make_signin_link(self.home, person.id, actor="cli", now=NOW)).status_code == 302
        return client


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> School:
    home = not_waiting_for_the_disk(make_home(tmp_path_factory.mktemp("matrix")))
    stage = set_stage(home)
    app = build_app(home)
    app.config.update(PROPAGATE_EXCEPTIONS=False)
    there = {
        S.REQUESTED: stage.requested,
        S.APPROVED: stage.approved,
        S.DECLINED: stage.declined,
        S.WITHDRAWN: withdrawn(home, stage),
        S.LIVE: stage.live,
        S.SUSPENDED: stage.suspended,
        S.CLOSING: stage.closing,
        S.CLOSED: stage.closed,
    }
    assert {state: account.state for state, account in there.items()} == {state: state for state in S}
    made = School(home, app, stage, there, {})
    people: dict[str, Staff] = {str(role): person for role, person in stage.people.items()}
    people |= {Role.TEACHER: stage.outsider, "owner": stage.cast.owner, "deputy": stage.cast.deputy}
    made.visitors.update({who: made.browser_of(person) for who, person in people.items()})
    return made


def withdrawn(home: Home, stage: Stage) -> Account:
    account = walk.requested(home, stage.cast, form=walk.form_of(stage.cast, handle_wished="river.walk"))
    accounts.withdraw(home, stage.cast.owner, account.id, now=NOW)
    return account_by_id(home.db, account.id)


def of_accounts(app: Flask) -> Iterator[tuple[Any, str]]:
    for rule, method in routes(app):
        if "account_id" in rule.arguments:
            yield rule, method


def is_public(app: Flask, endpoint: str) -> bool:
    access = access_of(app.view_functions[endpoint])
    return access is not None and access.public


def fingerprint(home: Home) -> str:
    """Of all that the school keeps, but for the log, who was here last, and how often somebody guessed."""
    moving = ("event", "session", "signin_failure", "sqlite_sequence")
    names = [row[0] for row in home.db.execute("select name from sqlite_master where type = 'table' order by name")]
    rows = (tuple(row) for name in names if name not in moving for row in home.db.execute(f"select * from [{name}]"))
    return hashlib.sha256("\n".join(map(repr, rows)).encode()).hexdigest()


# --------------------------------------------------------------------------------------------------- who gets in


@pytest.mark.asvs("8.2.1", "8.2.2")
@pytest.mark.parametrize("state", S)
def test_in_every_state_each_role_gets_exactly_what_the_matrix_says(school: School, state: AccountState) -> None:
    """Buttons are pressed without the token of a form: whoever may press them is told so and nothing happens."""
    school.app.config["WTF_CSRF_ENABLED"] = True
    account, wrong = school.accounts[state], []
    for rule, method in of_accounts(school.app):
        url = address(school.app, rule, account.id)
        for who, visitor in school.visitors.items():
            allowed = (KEEPER if who in ("owner", "deputy") else who) in MATRIX[rule.endpoint]
            status = visitor.open(url, method=method).status_code
            if status >= 500 or (status == 403) is allowed or (method == "POST" and allowed and status != 400):
                wrong.append(f"{method} {rule.rule} as {who} when {state}: {status}")
    assert wrong == []
    assert account_by_id(school.home.db, account.id).state is state


@pytest.mark.asvs("8.2.1", "2.3.3", "16.3.2")
def test_whoever_is_refused_changes_nothing_and_is_in_the_log(school: School) -> None:
    """With forms that would be taken: it is the person who is refused, not the token."""
    school.app.config["WTF_CSRF_ENABLED"] = False
    before, refusals = fingerprint(school.home), count_of(school.home, EventTag.ACCESS_REFUSED)
    pressed = 0
    for rule, method in of_accounts(school.app):
        if method == "POST":
            for who in (Role.TEACHER, Role.GOVERNOR, Role.DATA_MANAGER):
                if who not in MATRIX[rule.endpoint]:
                    url = address(school.app, rule, school.stage.live.id)
                    answer = school.visitors[who].post(url, data={"reason": "I want to.", "text": "Hello."})
                    assert answer.status_code == 403, f"{rule.rule} as {who}"
                    pressed += 1
    assert pressed > 80
    assert fingerprint(school.home) == before
    assert count_of(school.home, EventTag.ACCESS_REFUSED) == refusals + pressed


def count_of(home: Home, tag: EventTag) -> int:
    return int(home.db.execute("select count(*) from event where tag = ?", (tag.value,)).fetchone()[0])


# --------------------------------------------------------------------------------------------------- wrong sessions


def no_session(school: School) -> FlaskClient:
    return school.app.test_client()


def made_up(school: School) -> FlaskClient:
    client = school.app.test_client()
    with client.session_transaction() as cookie:
        cookie["session"] = "A" * 43
    return client


def forged(school: School) -> FlaskClient:
    """Signed with another key, as somebody would who has read the source."""
    from flask.sessions import SecureCookieSessionInterface

    stranger = Flask("socialgov")
    stranger.secret_key = b"guessed"
    signer = SecureCookieSessionInterface().get_signing_serializer(stranger)
    assert signer is not None
    client = school.app.test_client()
    client.set_cookie("socialgov", str(signer.dumps({"session": "A" * 43})))
    return client


def signed_out(school: School) -> FlaskClient:
    client = school.browser_of(school.stage.cast.head)
    with client.session_transaction() as cookie:
        kept = dict(cookie)
    client.post("/signout")
    with client.session_transaction() as cookie:
        cookie.update(kept)
    return client


def leaver(school: School) -> FlaskClient:
    person = staff(school.home, Role.NETWORK_MANAGER, Role.HEAD)
    client = school.browser_of(person)
    staff_leaves(school.home, None, person.id, now=NOW)
    return client


def of_another_school(school: School) -> FlaskClient:
    """A session that is good, in a cookie that this school signed, but of a school next door."""
    folder = school.home.path.parent / "next door"
    other = make_home(folder, name="Other School")
    app = build_app(other)
    app.config["WTF_CSRF_ENABLED"] = False
    there = app.test_client()
    there.post(make_signin_link(other, 1, actor="cli", now=NOW))
    with there.session_transaction() as cookie:
        token = cookie["session"]
    client = school.app.test_client()
    with client.session_transaction() as cookie:
        cookie["session"] = token
    return client


@pytest.mark.asvs("7.4.1", "7.4.2", "8.2.1")
@pytest.mark.parametrize("begin", [no_session, made_up, forged, signed_out, leaver, of_another_school])
def test_whoever_has_no_session_of_this_school_is_sent_to_sign_in(
    school: School, begin: Callable[[School], FlaskClient]
) -> None:
    client = begin(school)
    with client.session_transaction() as cookie:
        kept = dict(cookie)
    school.app.config["WTF_CSRF_ENABLED"] = False
    before = fingerprint(school.home)
    for rule, method in routes(school.app):
        if not is_public(school.app, rule.endpoint):
            for account in school.accounts.values():
                answer = client.open(address(school.app, rule, account.id), method=method)
                assert (answer.status_code, answer.location) == (302, "/signin"), f"{method} {rule.rule}"
                if "account_id" not in rule.arguments:
                    break
            with client.session_transaction() as cookie:  # the guard has thrown it away: bring it again
                cookie.update(kept)
    assert fingerprint(school.home) == before


def test_a_session_whose_time_is_over_is_sent_to_sign_in_everywhere(school: School) -> None:
    client = school.browser_of(school.stage.cast.head)
    with client.session_transaction() as cookie:
        kept = dict(cookie)
    later = NOW + timedelta(hours=school.home.settings.policy.session_absolute_hours)
    clock = school.home.clock
    object.__setattr__(school.home, "clock", lambda: later)
    try:
        for rule, method in of_accounts(school.app):
            answer = client.open(address(school.app, rule, school.stage.live.id), method=method)
            assert (answer.status_code, answer.location) == (302, "/signin"), rule.rule
            with client.session_transaction() as cookie:
                cookie.update(kept)
    finally:
        object.__setattr__(school.home, "clock", clock)


# --------------------------------------------------------------------------------------------------- what can be done


@dataclass(frozen=True)
class Deed:
    """A form that is filled in rightly, by somebody who may: `states` are those in which it does anything."""

    path: str
    who: str
    data: dict[str, str]
    states: frozenset[AccountState]


def on(field: str, day: date) -> dict[str, str]:
    """A day as its three boxes send it."""
    return {f"{field}-day": str(day.day), f"{field}-month": str(day.month), f"{field}-year": str(day.year)}


LIVING = frozenset({S.APPROVED, S.LIVE, S.SUSPENDED})
THERE = LIVING | {S.CLOSING}  # where there may be an account on a platform, with a login
HELD = THERE - {S.APPROVED}  # where the stage has deposited a login
DEEDS = [
    Deed("decide", Role.NETWORK_MANAGER, {"decision": "approve"}, frozenset({S.REQUESTED})),
    Deed("decide", Role.HEAD, {"decision": "decline", "reason": "Not now."}, frozenset({S.REQUESTED})),
    Deed("withdraw", "owner", {}, frozenset({S.REQUESTED})),
    Deed("setup", "owner", {"school_email": f"trips@{DOMAIN}"}, frozenset({S.APPROVED, S.SUSPENDED})),
    Deed("posts/new", "owner", {"text": "We are there."}, frozenset({S.LIVE})),
    Deed("deposit", "owner", {"username": "trips", "email": f"trips@{DOMAIN}"}, THERE),
    Deed("deposit/codes", "owner", {"codes": "1111-aaaa\n2222-bbbb"}, THERE),
    Deed("deposit/second-factor", "owner", {"seed": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"}, THERE),
    Deed("deposit/notes", "deputy", {"notes": "The key lies in the office."}, THERE),
    Deed("recovery", "owner", {"kind": "phone", "value": "+44 20 7946 0018", "whose": "school"}, THERE),
    Deed("delegates", "deputy", {"name": "Coach", "rights": "may post", "staff_id": "stranger"}, THERE),
    Deed("password", Role.NETWORK_MANAGER, {"reason": "The owner is ill today."}, HELD),
    Deed("login-test", Role.NETWORK_MANAGER, {"works": "yes"}, HELD),
    Deed("rotation/start", "deputy", {"reason": "It was read out in the staff room."}, THERE),
    Deed("compromised", "owner", {"reason": "A pupil was seen with it."}, THERE),
    Deed("suspend", "deputy", {"reason": "Something looks wrong there."}, frozenset({S.LIVE})),
    Deed("resume", Role.HEAD, {"reason": "It was looked into."}, frozenset({S.SUSPENDED})),
    Deed("hand-over", Role.HEAD, {}, THERE),
    Deed("extend", "owner", {**on("until_on", date(2026, 12, 15)), "reason": "The coach comes later."}, LIVING),
    Deed("close", Role.NETWORK_MANAGER, {"reason": "It is over."}, LIVING),
]  # fmt: skip


@pytest.mark.asvs("2.3.3")
@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: f"{deed.path} as {deed.who}")
def test_each_deed_does_something_in_its_states_only(tmp_path: Path, deed: Deed) -> None:
    home = not_waiting_for_the_disk(make_home(tmp_path))
    app = build_app(home)
    app.config.update(WTF_CSRF_ENABLED=False, PROPAGATE_EXCEPTIONS=False)
    done = set()
    for state in sorted(S):
        account = account_at(home, state)
        person = person_for(home, deed, account)
        client = app.test_client()
        client.post(make_signin_link(home, person.id, actor="cli", now=NOW))
        if deed.path == "password":
            open_vault(home, client, person)
        data = {**deed.data, **of_this_account(home, deed, account)}
        before = fingerprint(home)
        answer = client.post(f"/accounts/{account.id}/{deed.path}", data=data)
        assert answer.status_code in (200, 302, 404, 409, 422), f"{deed.path} when {state}: {answer.status_code}"
        assert (walk.SECRET in answer.text) is (deed.path == "password" and state in deed.states)
        if answer.status_code in (200, 302) and fingerprint(home) != before:
            done.add(state)
        else:
            assert account_by_id(home.db, account.id) == account
    assert done == deed.states


def of_this_account(home: Home, deed: Deed, account: Account) -> dict[str, str]:
    """What is another thing to fill in for each account."""
    if deed.path == "hand-over":
        return {"owner_id": str(staff(home).id), "deputy_id": str(account.deputy_id)}
    if deed.path == "setup":
        return {"handle": account.handle_wished}
    if deed.path == "deposit":
        return {"secret": f"Qz7!lantern{account.id}-mosaic-{account.handle_wished[::-1]}"}
    if deed.path == "password":
        held = current_credential(home.db, account.id, CredentialKind.PASSWORD)
        return {"what": f"password-{held.id if held else 1}"}
    return {}


def open_vault(home: Home, client: FlaskClient, manager: Staff) -> None:
    """The step-up, and the vault open in this session."""
    make_strong(home, client)
    with client.session_transaction() as cookie:
        cookie[VAULT_KEY] = keep_open(home, manager, cookie[SESSION_KEY], vault_of(home), now=home.now())


def person_for(home: Home, deed: Deed, account: Account) -> Staff:
    from socialgov.store.staff import staff_by_id

    if deed.who == "owner":
        return staff_by_id(home.db, account.owner_id)
    if deed.who == "deputy":
        return staff_by_id(home.db, account.deputy_id)
    return staff(home, Role(deed.who))


# --------------------------------------------------------------------------------------------------- who looks is seen


def test_the_log_has_no_route_that_changes_it(app: Flask) -> None:
    found = {(rule.rule, method) for rule, method in routes(app) if rule.rule.startswith("/log")}
    assert {method for path, method in found if method != "GET"} <= {"POST"}
    assert {path for path, method in found if method == "POST"} == {"/log/verify"}


@pytest.mark.asvs("16.3.2")
def test_a_network_manager_cannot_take_their_own_looks_out_of_the_log(home: Home, manager: Staff) -> None:
    """The look is an event and a reason; the database refuses to change or to lose either."""
    account = account_at(home, S.LIVE)
    reveal(home, manager, vault_of(home), account.id, "The owner is ill today.", now=NOW)
    assert EventTag.CREDENTIAL_REVEALED.value in walk.tags(home, account)
    for table, change in (("event", "actor = 'staff:2'"), ("reveal", "reason = 'Nothing to see'")):
        for statement in (f"delete from {table}", f"update {table} set {change}"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                home.db.execute(statement)
    assert verify_chain(home.db).whole


def test_nothing_in_the_product_removes_an_event() -> None:
    wrong = [
        path.name
        for path in Path(socialgov.__file__).parent.rglob("*.py")
        for found in re.findall(r"(?:delete from|update)\s+\[?(?:event|reveal)\b.*", path.read_text(encoding="utf-8"))
        if "raise" not in found
    ]
    assert wrong == []


def test_closing_an_account_leaves_the_looks_at_its_secret_in_the_log(home: Home) -> None:
    account = account_at(home, S.LIVE)
    events = count_of(home, EventTag.CREDENTIAL_DEPOSITED)
    begun = closing.start_closing(home, staff(home, Role.HEAD), account.id, "The trip is over.", now=NOW)
    closing.advance(home, begun.id, now=NOW)
    assert count_of(home, EventTag.CREDENTIAL_DEPOSITED) == events
    assert verify_chain(home.db).whole
