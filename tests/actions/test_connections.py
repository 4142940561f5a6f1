"""Connecting an account with X: begun in one browser, finished by it once, and kept only for this very account."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from connected import ADDRESS, Connected, connectable
from factories import account_at, manager_of, staff
from walk import put_on_record

from socialgov.actions import connections
from socialgov.actions.adapters import capabilities_of
from socialgov.actions.ceremonies import CeremonyOver
from socialgov.actions.connections import NotConnected
from socialgov.actions.observing import check_account
from socialgov.errors import NotPermitted, SocialgovError, Throttled
from socialgov.home import Home
from socialgov.lifecycle import WrongState
from socialgov.models import AccountState, Capability, Fact, Source
from socialgov.platforms.x import XPlatform
from socialgov.store.accounts import account_by_id
from socialgov.store.connections import connection_of, sealed_tokens
from socialgov.store.events import events_of_account
from socialgov.store.observations import newest_observation
from socialgov.store.outbox import notices_of

TOKEN_PATH = "/2/oauth2/token"


@pytest.fixture
def one(home: Home, tmp_path: Path) -> Iterator[Connected]:
    with connectable(home, tmp_path) as found:
        yield found


def tags(one: Connected) -> list[str]:
    return [event.tag for event in reversed(events_of_account(one.home.db, one.account.id))]


def begun(one: Connected) -> connections.Begun:
    return connections.begin(one.home, one.owner, one.account.id, now=one.now)


def finish(one: Connected, start: connections.Begun, answer: dict[str, str]) -> None:
    connections.finish(one.home, one.owner, start.token, answer, now=one.now)


def alive(one: Connected) -> list[str]:
    """Whose grants still open something on X."""
    return [grant.user_id for grant in one.x.doors.grants if not grant.ended]


# --------------------------------------------------------------------------------------------------- connecting


@pytest.mark.asvs("10.2.3")
def test_what_x_is_asked_for_is_the_least_and_proves_who_began(one: Connected) -> None:
    start = begun(one)
    address = urlsplit(start.url)
    asked = {name: found[0] for name, found in parse_qs(address.query).items()}
    assert f"{address.scheme}://{address.netloc}" == ADDRESS
    assert XPlatform.oauth is not None
    assert set(asked["scope"].split()) == set(XPlatform.oauth.scopes)
    assert asked["code_challenge_method"] == "S256"
    assert start.token not in start.url
    assert "code_verifier" not in start.url


def test_a_connected_account_is_known_by_its_lasting_id_and_read_at_once(one: Connected) -> None:
    assert capabilities_of(one.home, one.account) == frozenset()
    account = one.connect()
    assert account.remote_id == one.there.id
    assert account.check_due_at == one.now
    assert capabilities_of(one.home, account) == XPlatform.capabilities
    check_account(one.home, account.id, now=one.now)
    seen = newest_observation(one.home.db, account.id, Fact.PRIVATE)
    assert seen is not None
    assert (seen.value, seen.source) == (True, Source.API)
    ours = newest_observation(one.home.db, account.id, Fact.OUR_ACCESS)
    assert ours is not None
    assert ours.value is True
    assert {"connection:account:begun", "connection:account:made"} <= set(tags(one))


def test_the_tokens_lie_sealed_and_in_no_event(one: Connected) -> None:
    one.connect()
    grant = one.x.doors.grants[0]
    found = sealed_tokens(one.home.db, one.account.id)
    assert found is not None
    assert grant.access.encode() not in found[1]
    dump = "\n".join(one.home.db.conn.iterdump())
    for secret in (grant.access, grant.refresh, one.secret):
        assert secret not in dump
        assert secret.encode().hex() not in dump.lower()


def test_another_account_than_this_one_is_not_connected_and_its_tokens_end(one: Connected) -> None:
    start, own = begun(one), one.x.world.join("tess_at_home")
    with pytest.raises(NotConnected, match="You confirmed as tess_at_home") as refused:
        finish(one, start, one.confirm(start, own))
    assert refused.value.account_id == one.account.id
    assert connection_of(one.home.db, one.account.id) is None
    assert alive(one) == []
    assert tags(one)[-1] == "connection:account:refused"


def test_a_name_that_somebody_else_took_does_not_pass_for_the_account_once_its_id_is_known(one: Connected) -> None:
    one.connect()
    one.there.username = "trip_wales_old"
    squatter = one.x.world.join("trip_wales")
    start = begun(one)
    with pytest.raises(NotConnected, match="You confirmed as"):
        finish(one, start, one.confirm(start, squatter))
    connection = connection_of(one.home.db, one.account.id)
    assert connection is not None
    assert connection.works


def test_one_account_there_is_connected_with_one_account_here(one: Connected) -> None:
    one.connect()
    other = account_at(one.home, AccountState.LIVE, platform="x", handle="trip_wales2")
    one.home.db.execute("update account set handle = 'trip_wales' where id = ?", [other.id])
    start = connections.begin(one.home, manager_of(one.home), other.id, now=one.now)
    with pytest.raises(NotConnected, match="is this one on X already"):
        connections.finish(one.home, manager_of(one.home), start.token, one.confirm(start), now=one.now)


@pytest.mark.asvs("10.2.1")
def test_an_attempt_counts_once_for_its_person_and_its_browser_and_for_ten_minutes(one: Connected) -> None:
    start = begun(one)
    answer = one.confirm(start)
    other = begun(one)
    for token, actor, changed in (
        (None, one.owner, {}),
        (other.token, one.owner, {}),
        (start.token, manager_of(one.home), {}),
        (start.token, one.owner, {"state": "forged"}),
        (start.token, one.owner, {"state": ""}),
    ):
        with pytest.raises(CeremonyOver):
            connections.finish(one.home, actor, token, {**answer, **changed}, now=one.now)
    finish(one, start, answer)  # none of those has used it up
    with pytest.raises(CeremonyOver):
        finish(one, start, answer)
    late = begun(one)
    with pytest.raises(CeremonyOver):
        connections.finish(one.home, one.owner, late.token, one.confirm(late), now=one.now + timedelta(minutes=10))


@pytest.mark.parametrize("answer", [{"error": "access_denied"}, {"code": ""}])
def test_a_person_who_says_no_connects_nothing(one: Connected, answer: dict[str, str]) -> None:
    start = begun(one)
    with pytest.raises(NotConnected, match="was not told that socialgov may do this"):
        finish(one, start, {**one.confirm(start), **answer})
    assert one.line.count(TOKEN_PATH) == 0


def test_a_code_that_x_does_not_take_says_try_again(one: Connected) -> None:
    start = begun(one)
    with pytest.raises(NotConnected, match="Try again"):
        finish(one, start, one.confirm(start, code="stolen"))


def test_a_grant_with_a_scope_too_few_is_refused_by_name(one: Connected) -> None:
    def fewer(request: httpx.Request, answer: object) -> httpx.Response:
        response: httpx.Response = answer()  # type: ignore[operator]
        if request.url.path != TOKEN_PATH:
            return response
        body = response.json()
        return httpx.Response(200, json={**body, "scope": body["scope"].replace("follows.read", "")})

    one.line.fault = fewer
    start = begun(one)
    with pytest.raises(NotConnected, match=r"follows\.read is missing"):
        finish(one, start, one.confirm(start))


def test_a_wrong_client_is_told_to_the_network_manager_and_not_its_file(one: Connected, tmp_path: Path) -> None:
    start = begun(one)
    (tmp_path / "x-secret").write_text("another\n")
    with pytest.raises(NotConnected, match="network manager checks client_id") as wrong:
        finish(one, start, one.confirm(start))
    (tmp_path / "x-secret").unlink()
    with pytest.raises(NotConnected) as missing:
        begun(one)
    for told in (str(wrong.value), str(missing.value)):
        assert str(tmp_path) not in told
        assert "another" not in told


@pytest.mark.parametrize(
    "broken",
    [
        lambda: httpx.Response(200, text="<html>Welcome</html>"),
        lambda: httpx.Response(200, json=[1]),
        lambda: httpx.Response(200, json={"access_token": "", "token_type": "bearer"}),
        lambda: httpx.Response(200, json={"access_token": "a b\n", "token_type": "bearer"}),
        lambda: httpx.Response(200, json={"access_token": "t", "token_type": "mac"}),
        lambda: httpx.Response(200, content=b""),
        lambda: httpx.Response(302, headers={"location": "https://elsewhere.example"}),
        lambda: httpx.Response(403, text="<html>Blocked</html>"),
        lambda: httpx.Response(500, text="oh"),
        lambda: httpx.Response(429),
    ],
)
def test_an_answer_that_is_no_token_connects_nothing(one: Connected, broken: object) -> None:
    one.line.fault = lambda request, answer: broken() if request.url.path == TOKEN_PATH else answer()  # type: ignore[operator]
    start = begun(one)
    with pytest.raises(NotConnected):
        finish(one, start, one.confirm(start))
    assert connection_of(one.home.db, one.account.id) is None


def test_an_account_that_changed_meanwhile_is_not_connected(one: Connected) -> None:
    start = begun(one)
    one.home.db.execute("update account set state = 'closed', closed_at = '2026-11-23' where id = ?", [one.account.id])
    with pytest.raises(NotConnected):
        finish(one, start, one.confirm(start))
    assert alive(one) == []


# --------------------------------------------------------------------------------------------------- who and when


def test_only_its_keepers_and_the_network_manager_connect_an_account(one: Connected) -> None:
    for actor in (staff(one.home), one.owner):
        if actor.id == one.owner.id:
            connections.begin(one.home, actor, one.account.id, now=one.now)
            continue
        with pytest.raises(NotPermitted):
            connections.begin(one.home, actor, one.account.id, now=one.now)
        with pytest.raises(NotPermitted):
            connections.disconnect(one.home, actor, one.account.id, now=one.now)
    connections.begin(one.home, manager_of(one.home), one.account.id, now=one.now)


def test_an_account_that_is_not_set_up_or_cannot_be_connected_says_why(one: Connected) -> None:
    manager = manager_of(one.home)
    for platform, state, why in (
        ("x", AccountState.APPROVED, "does not exist on X yet"),
        ("instagram", AccountState.LIVE, "nothing to connect"),
        ("x", AccountState.CLOSED, "Record its set-up first|not connected any more"),
    ):
        account = account_at(one.home, state, platform=platform)
        with pytest.raises(WrongState, match=why):
            connections.begin(one.home, manager, account.id, now=one.now)
    with pytest.raises(WrongState):
        connections.disconnect(one.home, manager, one.account.id, now=one.now)


def test_a_script_that_presses_the_button_does_not_fill_the_disk(
    one: Connected, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "MOST_WAITING", 2)
    begun(one), begun(one)
    with pytest.raises(Throttled):
        begun(one)


# --------------------------------------------------------------------------------------------------- ending


def test_disconnecting_ends_the_access_on_x_and_erases_the_tokens(one: Connected) -> None:
    one.connect()
    assert connections.disconnect(one.home, one.owner, one.account.id, now=one.now)
    assert alive(one) == []
    assert connection_of(one.home.db, one.account.id) is None
    row = one.home.db.execute("select sealed, ended_at from connection").fetchone()
    assert row[0] is None
    assert row[1] is not None
    assert tags(one).count("connection:account:ended") == 1
    assert capabilities_of(one.home, one.again()) == frozenset()


def test_who_else_keeps_the_account_and_the_network_manager_hear_that_it_was_disconnected(one: Connected) -> None:
    one.connect()
    connections.disconnect(one.home, one.owner, one.account.id, now=one.now)
    for staff_id in (one.account.deputy_id, manager_of(one.home).id):
        (told,) = (n for n in notices_of(one.home.db, staff_id) if n.kind == "connection_ended")
        assert f"was disconnected from X by {one.owner.name}" in told.text
    assert "connection_ended" not in [n.kind for n in notices_of(one.home.db, one.owner.id)]


def test_what_cannot_be_ended_on_x_is_erased_here_and_said(one: Connected) -> None:
    one.connect()
    one.line.fault = lambda request, answer: httpx.Response(503)
    assert not connections.disconnect(one.home, one.owner, one.account.id, now=one.now)
    assert connection_of(one.home.db, one.account.id) is None
    assert sealed_tokens(one.home.db, one.account.id) is None


def test_what_people_said_stays_before_while_and_after_it_is_connected(one: Connected) -> None:
    put_on_record(one.home, one.account, Fact.LIKES, 3, now=one.now - timedelta(days=2))
    before = one.home.db.execute("select count(*) from observation").fetchone()[0]
    one.connect()
    assert connections.disconnect(one.home, one.owner, one.account.id, now=one.now)
    after = one.home.db.execute("select count(*) from observation").fetchone()[0]
    assert after >= before
    seen = newest_observation(one.home.db, one.account.id, Fact.LIKES)
    assert seen is not None
    assert one.again().state is AccountState.LIVE
    assert account_by_id(one.home.db, one.account.id).handle == "trip_wales"


def test_without_the_schools_client_people_do_everything(one: Connected) -> None:
    info = replace(one.home.settings.platforms["x"], client=None)
    settings = replace(one.home.settings, platforms={**one.home.settings.platforms, "x": info})
    school = Home(one.home.path, settings, one.home.escrow, one.clock)
    assert connections.oauth_for(school, one.account) is None
    assert Capability.READ_PROFILE not in capabilities_of(school, one.account)
    with pytest.raises(SocialgovError, match="nothing to connect"):
        connections.begin(school, one.owner, one.account.id, now=one.now)
