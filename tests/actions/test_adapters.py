"""Which adapter an action gets: what X was found not to offer, and looks at an account after our access to it ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from connected import ADDRESS, Connected, connectable, with_app_token
from factories import account_at, manager_of

from socialgov.actions import connections
from socialgov.actions.adapters import adapter_of, ask_again, capabilities_of, note_refusal
from socialgov.actions.closing import advance, start_closing
from socialgov.actions.observing import look_before_gate
from socialgov.home import Home
from socialgov.models import AccountState, Capability, Presence, StepDoer, StepName, StepState
from socialgov.platforms import LoginRefused, NotOffered, PlatformError
from socialgov.platforms.x import XPlatform
from socialgov.store.accounts import account_by_id
from socialgov.store.closings import steps_of
from socialgov.store.connect import write
from socialgov.store.connections import capabilities_off, connection_of, insert_app
from socialgov.store.events import Event, events_of_account, events_page
from socialgov.store.plans import watched_rows

C = Capability


@pytest.fixture
def one(home: Home, tmp_path: Path) -> Iterator[Connected]:
    with connectable(home, tmp_path) as found:
        found.connect()
        yield found


def tags(one: Connected) -> list[str]:
    return [event.tag for event in events_of_account(one.home.db, one.account.id)]


def of_tag(one: Connected, tag: str) -> list[Event]:
    return events_page(one.home.db, before=None, tag=tag, actor=None, limit=9)


# --------------------------------------------------------------------------------------------------- not offered


def no_likes(request: httpx.Request, answer: Callable[[], httpx.Response]) -> httpx.Response:
    if request.url.path.endswith("/liked_tweets"):
        return httpx.Response(403, json={"errors": [{"code": 453, "message": "a subset of endpoints"}]})
    return answer()


def test_what_x_does_not_offer_is_remembered_and_a_persons_from_then_on(one: Connected) -> None:
    one.line.fault = no_likes
    with pytest.raises(NotOffered):
        look_before_gate(one.home, one.account.id, now=one.now)
    assert capabilities_off(one.home.db, "x") == {C.READ_LIKES}
    assert capabilities_of(one.home, one.again()) == XPlatform.capabilities - {C.READ_LIKES}
    assert not adapter_of(one.home, one.again(), now=one.now).can(C.READ_LIKES)
    asked = sum("liked" in request.url.path for request in one.line.asked)
    look_before_gate(one.home, one.account.id, now=one.later(hours=6))
    assert sum("liked" in request.url.path for request in one.line.asked) == asked
    assert tags(one).count("connection:capability:lost") == 1


def test_after_a_month_it_is_tried_again(one: Connected) -> None:
    note_refusal(one.home, one.account.id, NotOffered("X", C.READ_LIKES), now=one.now)
    assert ask_again(one.home, one.now + timedelta(days=29)) == 0
    assert ask_again(one.home, one.now + timedelta(days=30)) == 1
    assert capabilities_of(one.home, one.again()) == XPlatform.capabilities
    assert [event.data["capability"] for event in of_tag(one, "connection:capability:found")] == ["read_likes"]


def test_what_one_account_found_out_is_known_of_every_account_of_the_same_client(one: Connected) -> None:
    other = account_by_id(one.home.db, lend(one))
    note_refusal(one.home, one.account.id, NotOffered("X", C.READ_LIKES), now=one.now)
    note_refusal(one.home, other.id, NotOffered("X", C.READ_LIKES), now=one.now)
    assert capabilities_of(one.home, other) == XPlatform.capabilities - {C.READ_LIKES}
    assert {row.off for row in watched_rows(one.home.db)} == {("read_likes",)}
    told = of_tag(one, "connection:capability:lost")
    assert [(event.account_id, event.data) for event in told] == [
        (one.account.id, {"platform": "x", "capability": "read_likes"})
    ]


def test_on_a_network_of_servers_it_is_known_of_that_server_alone(one: Connected) -> None:
    """Each Mastodon server gave us a client of its own, and may be of another age."""
    other = account_by_id(one.home.db, lend(one))
    app = insert_app_there(one)
    one.home.db.execute("update connection set app_id = ? where account_id = ?", [app, one.account.id])
    note_refusal(one.home, one.account.id, NotOffered("X", C.READ_LIKES), now=one.now)
    assert capabilities_of(one.home, one.again()) == XPlatform.capabilities - {C.READ_LIKES}
    assert capabilities_of(one.home, other) == XPlatform.capabilities
    off = {row.id: row.off for row in watched_rows(one.home.db)}
    assert off == {one.account.id: ("read_likes",), other.id: ()}


def insert_app_there(one: Connected) -> int:
    with write(one.home.db) as db:
        return insert_app(
            db, platform="x", server=ADDRESS, client_id="c", redirect_uri="https://school.example/back", scopes=(),
            now=one.now,
        )  # fmt: skip


def test_any_other_failure_takes_nothing_away(one: Connected) -> None:
    note_refusal(one.home, one.account.id, PlatformError("X is tired.", permanent=True), now=one.now)
    assert capabilities_of(one.home, one.again()) == XPlatform.capabilities


# --------------------------------------------------------------------------------------------------- afterwards


def closing_after_revocation(one: Connected) -> None:
    """The closing has ended our access: as far as the machine gets by itself."""
    begun = start_closing(one.home, manager_of(one.home), one.account.id, "The trip is over.", now=one.now)
    one.home.db.execute("update closing_step set state = 'done' where name in ('take_content_down', 'change_password')")
    steps = {step.name: step for step in steps_of(one.home.db, begun.id)}
    assert steps[StepName.REVOKE_ACCESS].doer is StepDoer.MACHINE
    one.home.db.execute(
        "update closing_step set state = 'waiting', not_before_at = closing_step.not_before_at where id = ?",
        [steps[StepName.REVOKE_ACCESS].id],
    )
    advance(one.home, begun.id, now=one.now)
    after = {step.name: step for step in steps_of(one.home.db, begun.id)}
    assert after[StepName.REVOKE_ACCESS].state is StepState.DONE


def look(home: Home, one: Connected) -> Presence:
    return adapter_of(home, one.again(), now=one.now).presence()


def test_the_closing_ends_our_access_on_x_and_here_without_the_vault(one: Connected) -> None:
    closing_after_revocation(one)
    assert [grant.ended for grant in one.x.doors.grants] == [True]
    assert connection_of(one.home.db, one.account.id) is None
    assert tags(one).count("connection:account:ended") == 1
    ours = [event for event in events_of_account(one.home.db, one.account.id) if event.data.get("fact") == "our_access"]
    assert ours[0].data["value"] is False


def test_a_closing_goes_on_by_hand_where_x_lets_us_in_no_more(one: Connected) -> None:
    """A key that was lent for looking takes nothing down, and access that X ended needs no ending by us."""
    lend(one)
    begun = start_closing(one.home, manager_of(one.home), one.account.id, "The trip is over.", now=one.now)
    one.x.doors.revoke_by_user(one.there.id)
    for _ in range(2):
        advance(one.home, begun.id, now=one.later(minutes=30))
    steps = {step.name: step for step in steps_of(one.home.db, begun.id)}
    taken_down = steps[StepName.TAKE_CONTENT_DOWN]
    assert (taken_down.state, taken_down.doer) == (StepState.TASK, StepDoer.PERSON)
    assert "Connect the account again" in (taken_down.last_error or "")
    assert "vault" not in taken_down.detail
    one.home.db.execute("update closing_step set state = 'done' where name in ('take_content_down', 'change_password')")
    one.home.db.execute(
        "update closing_step set state = 'waiting', attempts = 0 where id = ?", [steps[StepName.REVOKE_ACCESS].id]
    )
    advance(one.home, begun.id, now=one.now)
    after = {step.name: step for step in steps_of(one.home.db, begun.id)}
    assert after[StepName.REVOKE_ACCESS].state is StepState.DONE
    assert connection_of(one.home.db, one.account.id) is None
    assert [grant.ended for grant in one.x.doors.grants] == [True, False]


def test_afterwards_the_schools_own_token_looks_by_the_lasting_id(one: Connected, tmp_path: Path) -> None:
    closing_after_revocation(one)
    assert capabilities_of(one.home, one.again()) == frozenset()
    school = with_app_token(one, tmp_path)
    assert capabilities_of(school, one.again()) == {C.SEE_PRESENCE}
    assert look(school, one) is Presence.LIVE
    one.x.world.deactivate(one.there)
    assert look(school, one) is Presence.GONE
    assert one.there.id in str(one.line.asked[-1].url)
    assert one.there.username not in str(one.line.asked[-1].url)


def test_afterwards_another_connected_account_lends_its_eyes_and_nothing_more(one: Connected) -> None:
    closing_after_revocation(one)
    lend(one)
    assert capabilities_of(one.home, one.again()) == {C.SEE_PRESENCE}
    adapter = adapter_of(one.home, one.again(), now=one.now)
    assert adapter.presence() is Presence.LIVE
    with pytest.raises(PlatformError):
        adapter.revoke_access()
    assert one.x.doors.grants[-1].ended is False


def test_an_account_that_lends_and_is_refused_is_told_to_its_own_people(one: Connected) -> None:
    closing_after_revocation(one)
    lender = lend(one)
    one.x.doors.revoke_by_user(one.x.doors.grants[-1].user_id)
    with pytest.raises(PlatformError) as failed:
        look(one.home, one)
    assert not failed.value.permanent
    found = connection_of(one.home.db, lender)
    assert found is not None
    assert found.lost_at is not None
    assert capabilities_of(one.home, one.again()) == frozenset()


def test_a_school_token_that_x_refuses_is_the_network_managers_to_mend(one: Connected, tmp_path: Path) -> None:
    closing_after_revocation(one)
    school = with_app_token(one, tmp_path)
    one.x.doors.app_tokens.clear()
    with pytest.raises(PlatformError, match="app_token_file"):
        look(school, one)
    (tmp_path / "x-app-token").unlink()
    assert capabilities_of(school, one.again()) == frozenset()


def test_an_account_in_use_is_never_looked_at_with_another_ones_key(one: Connected) -> None:
    lend(one)
    connections.disconnect(one.home, one.owner, one.account.id, now=one.now)
    assert capabilities_of(one.home, one.again()) == frozenset()
    assert adapter_of(one.home, one.again(), now=one.now).access is None


def lend(one: Connected) -> int:
    """Another account of the school, connected too."""
    other = account_at(one.home, AccountState.LIVE, platform="x", handle="drama_club")
    there = one.x.world.join("drama_club", protected=True)
    manager = manager_of(one.home)
    start = connections.begin(one.home, manager, other.id, now=one.now)
    connections.finish(one.home, manager, start.token, one.confirm(start, there), now=one.now)
    assert account_by_id(one.home.db, other.id).remote_id == there.id
    return other.id


# --------------------------------------------------------------------------------------------------- less than granted


def test_a_platform_that_lets_us_do_less_than_was_granted_is_connected_again(one: Connected) -> None:
    less = LoginRefused("X was told to let us do less than this.", of_token=True)
    note_refusal(one.home, one.account.id, less, now=one.now)
    found = connection_of(one.home.db, one.account.id)
    assert found is not None
    assert found.lost_at == one.now
    note_refusal(one.home, one.account.id, less, now=one.now)  # told once
    assert tags(one).count("connection:account:lost") == 1


def test_a_token_that_was_renewed_meanwhile_is_not_lost_for_the_one_before_it(one: Connected) -> None:
    access = adapter_of(one.home, one.again(), now=one.now).access
    assert access is not None
    access.renew(access.token())
    note_refusal(one.home, one.account.id, LoginRefused("Refused.", of_token=True), now=one.now)
    note_refusal(one.home, one.account.id, LoginRefused("The password is wrong."), now=one.later(hours=1))
    found = connection_of(one.home.db, one.account.id)
    assert found is not None
    assert found.works
