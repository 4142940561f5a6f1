"""What somebody tried who wanted more than is theirs, over HTTP: each of these once worked."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import walk
from conftest import make_strong
from factories import DOMAIN, NOW, make_home, staff
from flask.testing import FlaskClient
from networks import Clock, served
from people_school import permit, photo, pupil
from stage import picture

from socialgov.actions.keepers import hand_over
from socialgov.actions.notices import open_notices
from socialgov.actions.people import plan_import
from socialgov.actions.signin import make_signin_link
from socialgov.home import Home
from socialgov.models import AccountState, PostState, Role, Staff
from socialgov.sandbox import create_sandbox
from socialgov.store.accounts import account_by_id
from socialgov.store.findings import findings_of
from socialgov.store.posts import post_by_id
from socialgov.web import build_app

Browse = Callable[[Staff], FlaskClient]
WORDS = {"permanence": "y", "school_equipment": "y", "own_work": "y"}
HANDLE, PASSWORD = "tripwales", "Boats-and-7-trains!"


def shot() -> tuple[object, str]:
    return io.BytesIO(picture()), "shot.png"


# --------------------------------------------------------------------------------------------------- the gate


@pytest.fixture
def open_account(tmp_path: Path) -> Iterator[tuple[Home, walk.Cast, int]]:
    """On a platform that tells the machine all: an account open to everybody, with everything deposited."""
    network = create_sandbox(tmp_path / "network.db", Clock(NOW))
    network.extensions["network"].create_account(HANDLE, PASSWORD, private=False)
    with served(network) as url:
        home = make_home(tmp_path, servers={"sandbox": f"{url}/api"})
        (home.path / "logo.png").write_bytes(picture())
        cast = walk.cast_of(home)
        account = walk.approved(home, cast, form=walk.form_of(cast, platform="sandbox", handle_wished=HANDLE))
        walk.set_up(home, cast, account)
        walk.deposited(home, cast, account, secret=PASSWORD)
        yield home, cast, account.id


def client_of(home: Home, person: Staff) -> FlaskClient:
    app = build_app(home)
    app.config.update(WTF_CSRF_ENABLED=False)
    client = app.test_client()
    client.post(make_signin_link(home, person.id, actor="cli", now=NOW))
    return client


ALL_IS_WELL = {
    "private": "yes",
    "profile_text": f"Official account of Test School. Contact office@{DOMAIN}.",
    "setup_email": f"trips@{DOMAIN}",
    "recovery_with_school": "yes",
    "followers": "0",
    "follows": "0",
    "likes": "0",
    "shares": "0",
    "conversations": "0",
    "outside_posts": "0",
    "presence": "live",
}


@pytest.mark.parametrize("looked_before", [True, False])
def test_nobody_talks_an_open_account_through_the_gate_where_the_machine_can_look(
    open_account: tuple[Home, walk.Cast, int], looked_before: bool
) -> None:
    home, cast, account_id = open_account
    owner, at = client_of(home, cast.owner), f"/accounts/{account_id}"
    client_of(home, cast.manager).post(f"{at}/login-test", data={"works": "yes"})
    if looked_before:
        owner.post(f"{at}/check")
    for fact, value in ALL_IS_WELL.items():
        owner.post(f"{at}/facts/{fact}", data={"value": value, "screenshot": shot()})
    owner.post(f"{at}/facts/logo", data={"avatar": shot()})
    assert owner.post(f"{at}/gate").status_code == 409
    assert account_by_id(home.db, account_id).state is AccountState.APPROVED
    answers = {one.rule_id: one.answer for one in findings_of(home.db, account_id)}
    assert answers["ACC103"] is False and answers["ACC102"] is False


def test_a_persons_word_does_not_cover_what_the_platform_has_just_told(
    open_account: tuple[Home, walk.Cast, int],
) -> None:
    home, cast, account_id = open_account
    owner = client_of(home, cast.owner)
    owner.post(f"/accounts/{account_id}/check")
    answer = owner.post(f"/accounts/{account_id}/facts/private", data={"value": "yes", "screenshot": shot()})
    assert answer.status_code == 422 and "itself says otherwise" in answer.text


def test_the_gate_stays_shut_while_a_platform_that_can_be_read_does_not_answer(
    open_account: tuple[Home, walk.Cast, int],
) -> None:
    home, cast, account_id = open_account
    info = replace(home.settings.platforms["sandbox"], api_base="http://127.0.0.1:9/api")
    away = replace(home, settings=replace(home.settings, platforms={**home.settings.platforms, "sandbox": info}))
    walk.observed(away, account_by_id(home.db, account_id))
    assert client_of(away, cast.owner).post(f"/accounts/{account_id}/gate").status_code == 502
    assert account_by_id(home.db, account_id).state is AccountState.APPROVED


# --------------------------------------------------------------------------------------------------- own cause


def test_whoever_rewrote_a_post_is_not_its_second_checker(home: Home, browse: Browse, cast: walk.Cast) -> None:
    account, child = walk.live(home, cast), pupil(home, "Ann", "Lee")
    permit(home, child)
    owner, deputy = browse(cast.owner), browse(cast.deputy)
    begun = deputy.post(f"/accounts/{account.id}/posts/new", data={"text": "stub"})
    post = begun.location.removesuffix("/photo")
    owner.post(f"{post}/text", data={"text": "All of it is the owner's."})
    owner.post(f"{post}/photo", data={"photo": (io.BytesIO(photo()), "a.png"), "alt": "A hill"})
    owner.post(f"{post}/who", data={"shown": str(child.id), "people_in_picture": "1"})
    owner.post(f"{post}/confirm", data=WORDS)
    assert owner.post(f"{post}/submit").status_code == 302
    assert owner.post(f"{post}/second-look", data={"verdict": "yes"}).status_code == 403
    assert deputy.post(f"{post}/second-look", data={"verdict": "yes"}).status_code == 403
    assert "second checker" not in owner.get("/").text
    waiting = post_by_id(home.db, int(post.rsplit("/", 1)[-1]))
    assert waiting.state is PostState.WAITING and waiting.checked_by is None
    assert browse(cast.head).post(f"{post}/second-look", data={"verdict": "yes"}).status_code == 302


def amended(client: FlaskClient, account_id: int, **steps: dict[str, str]) -> None:
    at = f"/accounts/{account_id}/amend/"
    for step, answers in steps.items():
        assert client.post(at + step, data=answers).status_code == 302
    seen = re.search(r'name="seen"[^>]*value="([^"]+)"', client.get(at).text)
    assert seen is not None and client.post(at, data={"seen": seen[1]}).status_code == 302


def test_whoever_rewrote_a_request_does_not_approve_it(home: Home, browse: Browse, cast: walk.Cast) -> None:
    account = walk.requested(home, cast, form=walk.form_of(cast, deputy_id=cast.head.id))
    head = browse(cast.head)
    amended(head, account.id, purpose={"purpose": "What the head likes", "audience": "Whom the head likes"})
    assert head.post(f"/accounts/{account.id}/decide", data={"decision": "approve"}).status_code == 403
    assert account_by_id(home.db, account.id).state is AccountState.REQUESTED
    assert browse(cast.manager).post(f"/accounts/{account.id}/decide", data={"decision": "approve"}).status_code == 302


def test_an_owner_does_not_approve_by_naming_another_owner_first(home: Home, browse: Browse, cast: walk.Cast) -> None:
    account = walk.requested(home, cast, form=walk.form_of(cast, owner_id=cast.manager.id))
    manager = browse(cast.manager)
    amended(manager, account.id, keepers={"owner_id": str(staff(home).id), "deputy_id": str(cast.manager.id)})
    assert manager.post(f"/accounts/{account.id}/decide", data={"decision": "approve"}).status_code == 403


def test_an_owner_does_not_review_by_handing_the_account_over_for_a_moment(
    home: Home, browse: Browse, cast: walk.Cast
) -> None:
    account = walk.live(home, cast, form=walk.standing_form(cast))
    hand_over(home, cast.owner, account.id, owner_id=cast.head.id, deputy_id=cast.deputy.id, now=NOW)
    head, at = browse(cast.head), f"/accounts/{account.id}"
    swapped = {"owner_id": str(cast.deputy.id), "deputy_id": str(cast.head.id)}
    assert head.post(f"{at}/hand-over", data=swapped).status_code == 302
    later = {"review_on-day": "1", "review_on-month": "8", "review_on-year": "2027", "reason": "I like it"}
    assert head.post(f"{at}/review", data=later).status_code == 403
    assert account_by_id(home.db, account.id).review_on == account.review_on
    assert browse(cast.manager).post(f"{at}/review", data=later).status_code == 302


def test_a_login_put_in_while_the_manager_tries_the_one_before_does_not_pass_untried(
    home: Home, browse: Browse, cast: walk.Cast, open_vault_as: Callable[[FlaskClient, Staff], FlaskClient]
) -> None:
    account = walk.set_up(home, cast, walk.approved(home, cast))
    owner, manager, at = browse(cast.owner), browse(cast.manager), f"/accounts/{account.id}"
    open_vault_as(manager, cast.manager)
    walk.deposited(home, cast, account)
    manager.post(f"{at}/password", data={"reason": "To try the first login"})
    other = {"username": "other", "email": f"trips@{DOMAIN}", "secret": "zW3!bbN8-Somewhere-77"}
    assert owner.post(f"{at}/deposit", data=other).status_code == 302
    assert manager.post(f"{at}/login-test", data={"works": "yes"}).status_code == 409
    assert {one.rule_id: one.answer for one in findings_of(home.db, account.id)}["SEC205"] is None
    manager.post(f"{at}/password", data={"reason": "To try the new login"})
    assert manager.post(f"{at}/login-test", data={"works": "yes"}).status_code == 302


def test_nobody_becomes_a_head_without_the_head_being_told(home: Home, browse: Browse, cast: walk.Cast) -> None:
    manager = make_strong(home, browse(cast.manager))
    both = {"roles": ["network_manager", "head"]}
    assert manager.post(f"/staff/{cast.manager.id}/roles", data=both).status_code == 302
    assert "Somebody was given the role of head" in browse(cast.head).get("/").text
    more = {"name": "New Head", "email": f"new@{DOMAIN}", "roles": ["head"]}
    assert manager.post("/staff/add", data=more).status_code == 302
    assert len([one for one in open_notices(home.db, cast.head.id) if one.kind == "head_named"]) == 2


def test_guessing_from_the_schools_own_address_shuts_nobody_out(home: Home, client: FlaskClient) -> None:
    assert {client.get(f"/signin/guess{number}").status_code for number in range(30)} == {410, 429}
    path = make_signin_link(home, staff(home).id, actor="cli", now=NOW)
    assert client.get(path).status_code == 200
    assert client.post(path).status_code == 302
    assert client.post(path).status_code == 429, "used up, it is a guess like others"


# --------------------------------------------------------------------------------------------------- looking


@pytest.mark.asvs("8.2.2")
def test_a_screenshot_of_a_post_is_only_for_those_who_may_see_the_posts(
    home: Home, browse: Browse, cast: walk.Cast
) -> None:
    account = walk.live(home, cast)
    owner = browse(cast.owner)
    post = owner.post(f"/accounts/{account.id}/posts/new", data={"text": "We are there."}).location
    post = post.removesuffix("/photo")
    owner.post(f"{post}/confirm", data=WORDS)
    owner.post(f"{post}/submit")
    browse(cast.head).post(f"{post}/second-look", data={"verdict": "yes"})
    owner.post(f"{post}/publish")
    assert owner.post(f"{post}/hand-over", data={"screenshot": shot()}).status_code == 302
    evidence = post_by_id(home.db, int(post.rsplit("/", 1)[-1])).evidence_id
    for role, status in ((Role.GOVERNOR, 403), (Role.DATA_MANAGER, 403), (Role.SAFEGUARDING_LEAD, 200)):
        assert browse(staff(home, role)).get(f"/accounts/{account.id}/evidence/{evidence}").status_code == status


def test_nobody_finds_an_account_on_the_simulated_network_in_a_real_school(tmp_path: Path) -> None:
    home = make_home(tmp_path, approved=("instagram",))
    head, someone = staff(home, Role.HEAD), staff(home)
    client = client_of(home, head)
    assert 'value="sandbox"' not in client.get("/found/platform").text
    assert client.post("/found/platform", data={"platform": "sandbox"}).status_code == 422
    rows = f"Platform,Handle,Kind,Purpose,Audience,Owner,Deputy,Starts on,Ends on\nsandbox,pets,trip,p,a,{head.email},"
    plan = plan_import(home, "accounts", f"{rows}{someone.email},2026-11-23,2026-12-05\n".encode(), now=NOW)
    assert [problem.column for problem in plan.problems] == ["Platform"]


def test_an_absurd_page_number_is_no_fault_of_ours(browse: Browse, cast: walk.Cast) -> None:
    assert browse(cast.owner).get(f"/accounts/?page={10**30}").status_code == 200
