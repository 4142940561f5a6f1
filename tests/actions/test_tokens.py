"""The tokens of a connected account: expiry in mid-job, two jobs at once, revoked by the user, answers that get lost.

Whatever happens, no account is lost: it is renewed, or it is tried again, or somebody is told to connect it again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from connected import Connected, Fault, connectable
from factories import manager_of

from socialgov.actions import access, connections
from socialgov.actions.access import OwnAccess
from socialgov.actions.adapters import adapter_of, capabilities_of
from socialgov.actions.findings import current_findings
from socialgov.actions.notices import open_notices
from socialgov.actions.observing import check_account
from socialgov.actions.today import needs_today
from socialgov.errors import StoreError
from socialgov.home import Home
from socialgov.models import AccountState, Fact
from socialgov.platforms import LoginRefused, PlatformError
from socialgov.platforms.x import XPlatform
from socialgov.store import connections as store
from socialgov.store.connect import write
from socialgov.store.connections import connection_of
from socialgov.store.events import events_of_account
from socialgov.store.observations import newest_observation

TOKEN_PATH = "/2/oauth2/token"
ME = "/2/users/me"


@pytest.fixture
def one(home: Home, tmp_path: Path) -> Iterator[Connected]:
    """Connected, with nothing asked yet."""
    with connectable(home, tmp_path) as found:
        found.connect()
        found.line.asked.clear()
        yield found


def own(one: Connected) -> OwnAccess:
    connection = connection_of(one.home.db, one.account.id)
    assert connection is not None
    return OwnAccess(one.home, one.again(), connection.id, one.now)


def works(one: Connected) -> bool:
    connection = connection_of(one.home.db, one.account.id)
    return connection is not None and connection.works


def only(path: str, fault: Fault) -> Fault:
    return lambda request, answer: fault(request, answer) if request.url.path == path else answer()


def tags(one: Connected) -> list[str]:
    return [event.tag for event in events_of_account(one.home.db, one.account.id)]


def a_clear_task(one: Connected) -> bool:
    """Owner, deputy and network manager each have a notice and a line on Today; the rule says what is to be done."""
    finding = {found.rule_id: found for found in current_findings(one.home, one.again(), one.now)}["OVS801"]
    assert (finding.answer, "connect it again" in finding.because) == (False, True)
    for staff in (one.owner, manager_of(one.home)):
        assert [need.title for need in needs_today(one.home, staff, one.now) if need.key == "connect"] == [
            "Connect it with X again"
        ]
    told = {one.account.owner_id, one.account.deputy_id, manager_of(one.home).id}
    return all(any("with X again" in notice.text for notice in open_notices(one.home.db, who)) for who in told)


def answers_lost(one: Connected, times: int = 99) -> Fault:
    """X does as it was asked, and we do not hear of it so many times."""

    def lost(request: httpx.Request, answer: Callable[[], httpx.Response]) -> httpx.Response:
        response = answer()
        if one.line.count(TOKEN_PATH) > times:
            return response
        raise httpx.ReadTimeout("", request=request)

    return only(TOKEN_PATH, lost)


# --------------------------------------------------------------------------------------------------- expiry


def test_a_token_that_is_over_is_renewed_before_the_job_and_the_next_job_has_the_new_one(one: Connected) -> None:
    first = own(one).token()
    one.later(hours=2)
    second = own(one).token()
    assert second != first
    assert own(one).token() == second
    assert one.line.count(TOKEN_PATH) == 1


def test_a_token_that_runs_out_within_minutes_is_renewed_first(one: Connected) -> None:
    one.later(hours=1, minutes=54)
    own(one).token()
    assert one.line.count(TOKEN_PATH) == 0
    one.later(minutes=2)
    own(one).token()
    assert one.line.count(TOKEN_PATH) == 1


def test_expiry_in_the_middle_of_a_job_costs_one_renewal_and_no_fact(one: Connected) -> None:
    spent: list[str] = []

    def expire(request: httpx.Request, answer: Callable[[], httpx.Response]) -> httpx.Response:
        response = answer()
        if request.url.path == ME and not spent:  # from the next call on
            one.x.doors.expire(one.there.id)
            spent.append("expired")
        return response

    one.line.fault = expire
    check_account(one.home, one.account.id, now=one.now)
    assert spent == ["expired"]
    assert one.line.count(TOKEN_PATH) == 1
    for fact in (Fact.PRIVATE, Fact.FOLLOWERS, Fact.FOLLOWS, Fact.LIKES, Fact.OUTSIDE_POSTS):
        seen = newest_observation(one.home.db, one.account.id, fact)
        assert seen is not None and seen.observed_at == one.now, fact
    assert works(one)


def test_a_renewal_that_fails_for_now_leaves_the_old_token_to_its_end(one: Connected) -> None:
    first = own(one).token()
    one.line.fault = only(TOKEN_PATH, lambda request, answer: httpx.Response(503))
    one.later(hours=1, minutes=57)
    assert own(one).token() == first
    one.later(minutes=4)
    with pytest.raises(PlatformError) as failed:
        own(one).token()
    assert not failed.value.permanent
    one.line.fault = None
    assert works(one) and own(one).token() != first


def test_a_token_that_is_new_and_refused_all_the_same_is_the_end_of_it(one: Connected) -> None:
    one.line.fault = lambda request, answer: answer() if request.url.path == TOKEN_PATH else httpx.Response(401)
    check_account(one.home, one.account.id, now=one.now)
    assert one.line.count(TOKEN_PATH) == 1
    assert not works(one)
    assert a_clear_task(one)


# --------------------------------------------------------------------------------------------------- two jobs


def test_two_jobs_that_renew_at_once_make_one_renewal_and_both_go_on(
    one: Connected, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first is kept waiting by X until the second has found that it must wait."""
    first_asks, second_waits = threading.Event(), threading.Event()
    refused, claim = own(one).token(), store.claim

    def slowly(request: httpx.Request, answer: Callable[[], httpx.Response]) -> httpx.Response:
        first_asks.set()
        assert second_waits.wait(10)
        return answer()

    def seen(*args: object, **named: object) -> bool:
        ours = claim(*args, **named)  # type: ignore[arg-type]
        if not ours:
            second_waits.set()
        return ours

    monkeypatch.setattr(store, "claim", seen)
    one.line.fault = only(TOKEN_PATH, slowly)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(own(one).renew, refused)
        assert first_asks.wait(10)
        second = pool.submit(own(one).renew, refused)
        assert first.result(20) == second.result(20) != refused
    assert one.line.count(TOKEN_PATH) == 1
    assert works(one)


def test_who_comes_with_an_old_token_is_given_the_new_one_without_asking(one: Connected) -> None:
    old = own(one).token()
    new = own(one).renew(old)
    assert own(one).renew(old) == new
    assert one.line.count(TOKEN_PATH) == 1


def test_a_job_that_was_killed_while_it_renewed_holds_nobody_up_for_long(
    one: Connected, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "WAIT_SECONDS", 0.0)
    connection = connection_of(one.home.db, one.account.id)
    assert connection is not None
    with write(one.home.db) as db:
        assert store.claim(db, connection.id, until=one.now + access.CLAIM, now=one.now)
    old = own(one).token()
    with pytest.raises(PlatformError, match="Another job") as waiting:
        own(one).renew(old)
    assert not waiting.value.permanent
    one.later(minutes=2)
    assert own(one).renew(old) != old


def test_a_connection_that_was_made_anew_meanwhile_is_not_overwritten(one: Connected) -> None:
    job = own(one)
    old = job.token()

    def meanwhile(request: httpx.Request, answer: Callable[[], httpx.Response]) -> httpx.Response:
        response = answer()
        one.line.fault = None
        one.connect()
        return response

    one.line.fault = only(TOKEN_PATH, meanwhile)
    with pytest.raises(LoginRefused):
        job.renew(old)
    assert works(one)
    assert own(one).token() == one.x.doors.grants[-1].access


def test_what_x_gave_is_kept_though_the_database_is_busy_or_the_schools_key_is_being_changed(
    one: Connected, monkeypatch: pytest.MonkeyPatch
) -> None:
    """X's renewal tokens are good once: an answer that is not kept would be an account lost."""
    replace_tokens, failures = store.replace_tokens, [StoreError("The database is busy.")]

    def first_busy(*args: object, **named: object) -> None:
        if failures:
            raise failures.pop()
        replace_tokens(*args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "replace_tokens", first_busy)
    new = own(one).renew(own(one).token())
    assert own(one).token() == new == one.x.doors.grants[0].access


# --------------------------------------------------------------------------------------------------- revoked


def test_revoked_by_the_user_is_a_task_and_everything_else_stays(one: Connected) -> None:
    check_account(one.home, one.account.id, now=one.now)
    seen = newest_observation(one.home.db, one.account.id, Fact.PRIVATE)
    one.later(hours=1)
    one.x.doors.revoke_by_user(one.there.id)
    check_account(one.home, one.account.id, now=one.now, asked=True)
    assert not works(one)
    assert a_clear_task(one)
    assert one.again().state is AccountState.LIVE
    assert newest_observation(one.home.db, one.account.id, Fact.PRIVATE) == seen
    assert capabilities_of(one.home, one.again()) == frozenset()
    asked = len(one.line.asked)
    check_account(one.home, one.account.id, now=one.later(hours=1), asked=True)
    assert len(one.line.asked) == asked, "a platform that refused us is not asked again and again"


def test_connected_again_it_is_as_before_and_the_task_is_gone(one: Connected) -> None:
    one.x.doors.revoke_by_user(one.there.id)
    check_account(one.home, one.account.id, now=one.now)
    one.later(days=1)
    one.connect()
    check_account(one.home, one.account.id, now=one.now)
    assert works(one)
    assert capabilities_of(one.home, one.again()) == XPlatform.capabilities
    assert not [need for need in needs_today(one.home, one.owner, one.now) if need.key == "connect"]
    assert not [notice for notice in open_notices(one.home.db, one.account.owner_id) if "with X again" in notice.text]
    answers = {found.rule_id: found.answer for found in current_findings(one.home, one.again(), one.now)}
    assert answers["OVS801"] is not False


def test_it_is_told_once_however_many_jobs_find_out(one: Connected) -> None:
    jobs = [own(one) for _ in range(3)]
    old = jobs[0].token()
    one.x.doors.revoke_by_user(one.there.id)
    for job in jobs:
        with pytest.raises(LoginRefused) as refused:
            job.renew(old)
        assert refused.value.of_token
    assert tags(one).count("connection:account:lost") == 1
    assert one.line.count(TOKEN_PATH) == 1


# --------------------------------------------------------------------------------------------------- lost answers


def test_a_lost_answer_is_asked_for_again_with_the_old_token(one: Connected) -> None:
    one.x.doors.forgiving = True
    old = own(one).token()
    one.line.fault = answers_lost(one, times=1)
    assert own(one).renew(old) == one.x.doors.grants[0].access
    assert one.line.count(TOKEN_PATH) == 2
    assert works(one)


def test_an_answer_that_is_lost_each_time_is_asked_for_by_the_next_job(one: Connected) -> None:
    one.x.doors.forgiving = True
    old = own(one).token()
    one.line.fault = answers_lost(one)
    with pytest.raises(PlatformError) as lost:
        own(one).renew(old)
    assert not lost.value.permanent
    assert works(one)
    one.line.fault = None
    assert own(one).renew(old) == one.x.doors.grants[0].access


def test_a_lost_answer_that_x_gives_nobody_again_is_a_task(one: Connected) -> None:
    old = own(one).token()
    one.line.fault = answers_lost(one, times=1)
    with pytest.raises(LoginRefused):
        own(one).renew(old)
    assert not works(one)
    assert a_clear_task(one)
    one.line.fault = None
    assert one.connect().id == one.account.id and works(one)


def fails(request: httpx.Request, answer: Callable[[], httpx.Response]) -> httpx.Response:
    raise httpx.ConnectError("", request=request)


@pytest.mark.parametrize(
    "fault",
    [
        fails,
        lambda request, answer: httpx.Response(429),
        lambda request, answer: httpx.Response(429, headers={"x-rate-limit-reset": "1795000000"}),
        lambda request, answer: httpx.Response(402),
        lambda request, answer: httpx.Response(500),
        lambda request, answer: httpx.Response(503, text="<html>"),
        lambda request, answer: httpx.Response(200, text="<html>Sign in to the Wi-Fi</html>"),
        lambda request, answer: httpx.Response(200, json=["a"]),
        lambda request, answer: httpx.Response(200, json={}),
        lambda request, answer: httpx.Response(200, content=b""),
        lambda request, answer: httpx.Response(200, content=b'{"access_token": "a'),
        lambda request, answer: httpx.Response(200, content=b" " * 6_000_000),
        lambda request, answer: httpx.Response(302, headers={"location": "https://elsewhere.example/token"}),
        lambda request, answer: httpx.Response(400, text="<html>Bad request</html>"),
        lambda request, answer: httpx.Response(403, content=b""),
        lambda request, answer: httpx.Response(404, json={"message": "gone"}),
        lambda request, answer: httpx.Response(401, json={"error": "unauthorized_client"}),
        lambda request, answer: httpx.Response(400, json={"error": "invalid_client"}),
        lambda request, answer: httpx.Response(400, json={"error": "temporarily_unavailable"}),
    ],
)
def test_no_fault_on_the_way_to_x_loses_a_connection(one: Connected, fault: Fault) -> None:
    """Only X's own word about this very token does; whatever else is answered, the next job goes on."""
    old = own(one).token()
    one.line.fault = only(TOKEN_PATH, fault)
    with pytest.raises(PlatformError) as failed:
        own(one).renew(old)
    assert not isinstance(failed.value, LoginRefused)
    assert works(one) and "elsewhere" not in str(failed.value)
    one.line.fault = None
    assert own(one).renew(old) == one.x.doors.grants[0].access


# --------------------------------------------------------------------------------------------------- secrecy


def test_no_token_is_in_a_log_a_repr_an_error_or_the_chain(one: Connected, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    grant = one.x.doors.grants[0]
    secrets = {grant.access, grant.refresh, one.secret}
    job = own(one)
    adapter = adapter_of(one.home, one.again(), now=one.now)
    said = [repr(job), repr(adapter.access), repr(vars(adapter).get("access"))]
    job.renew(job.token())
    check_account(one.home, one.account.id, now=one.now)
    secrets |= {grant.access, grant.refresh}
    one.x.doors.revoke_by_user(one.there.id)
    with pytest.raises(LoginRefused) as refused:
        own(one).renew(grant.access)
    said += [str(refused.value), repr(refused.value), repr(refused.value.__context__)]
    said += [str(dict(event.data)) for event in events_of_account(one.home.db, one.account.id)]
    for secret in secrets:
        assert secret not in caplog.text
        assert not any(secret in one_said for one_said in said)


def test_each_use_of_the_key_is_in_the_log(one: Connected) -> None:
    before = tags(one).count("credential:secret:used_by_machine")
    job = own(one)
    job.token(), job.token()
    assert tags(one).count("credential:secret:used_by_machine") == before + 1


def test_a_closed_down_connection_is_no_longer_of_use_to_a_job_that_runs(one: Connected) -> None:
    job = own(one)
    job.token()
    connections.disconnect(one.home, one.owner, one.account.id, now=one.now)
    with pytest.raises(LoginRefused):
        job.token()
    job.revoke()  # ended already: success
    assert tags(one).count("connection:account:ended") == 1
