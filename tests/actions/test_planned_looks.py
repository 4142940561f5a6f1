"""Looks that cost money: the counts first, lists when they changed, a slower sweep, and honest words for the rest."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import walk
from factories import NOW
from priced_platform import PricedShown, priced_home, with_budget

from socialgov.actions.observing import attest, check_account, look_before_gate
from socialgov.actions.planning import plan_reads
from socialgov.errors import InvalidInput
from socialgov.home import Home
from socialgov.jobs import run_once
from socialgov.models import Account, AccountState, Capability, Fact, Presence, Source
from socialgov.platforms import Counts, PaymentNeeded, PlatformError, RemoteFollower, RemotePost
from socialgov.store import spending
from socialgov.store.accounts import account_by_id
from socialgov.store.connect import guarded_update, insert, write
from socialgov.store.findings import findings_of
from socialgov.store.observations import newest_observation
from socialgov.store.plans import lists_of, not_checked, plan_of

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
C = Capability
WHO = RemoteFollower("f1", "granny", "Granny")


@pytest.fixture
def watched(home: Home, cast: walk.Cast, monkeypatch: pytest.MonkeyPatch) -> tuple[Home, Account, PricedShown]:
    """A live trip's account whose every look costs a cent, with a follower; ten dollars a month, all read once."""
    account = walk.live(home, cast)
    school, shown = priced_home(home, monkeypatch, 1_000)
    shown.followers = [WHO]
    look(school, account, NOW)
    shown.asked.clear()
    return school, account, shown


def look(school: Home, account: Account, now: datetime, **more: Any) -> None:
    check_account(school, account.id, now=now, **more)


def seen(school: Home, account: Account, fact: Fact) -> Any:
    return newest_observation(school.db, account.id, fact)


def spent(school: Home, now: datetime) -> int:
    """Cents of that day."""
    day = school.today(now)
    return spending.spent(school.db, "instagram", day, day).micros // 10_000


def left_out(school: Home, account: Account) -> dict[Capability, datetime | None]:
    return {one.capability: one.since for one in not_checked(school.db, account.id)}


def test_while_the_counts_stand_a_day_costs_one_profile_and_nothing_goes_unknown(
    watched: tuple[Home, Account, PricedShown],
) -> None:
    school, account, shown = watched
    for days in range(1, 13):
        look(school, account, NOW + days * DAY)
        assert spent(school, NOW + days * DAY) == 1
    assert shown.asked == ["profile"] * 12
    followers = seen(school, account, Fact.FOLLOWERS)
    assert followers.value == 1 and followers.observed_at == NOW + 12 * DAY
    assert (
        followers.note == "Not read again: Instagram tells the same number as at the full reading on 23 November 2026."
    )
    assert seen(school, account, Fact.PRESENCE).observed_at == NOW + 12 * DAY
    assert left_out(school, account) == {}


def test_a_changed_count_has_its_list_read_at_once_and_no_other(watched: tuple[Home, Account, PricedShown]) -> None:
    school, account, shown = watched
    shown.followers = [WHO, RemoteFollower("f2", "stranger", "Somebody")]
    look(school, account, NOW + DAY)
    assert shown.asked == ["profile", "followers"]
    assert seen(school, account, Fact.FOLLOWERS).value == 2
    assert {one.rule_id: one.answer for one in findings_of(school.db, account.id)}["AUD301"] is not True


def test_a_share_is_found_by_the_number_of_posts_and_paid_for_with_them(
    watched: tuple[Home, Account, PricedShown],
) -> None:
    school, account, shown = watched
    shown.shares = ["p7"]
    look(school, account, NOW + DAY)
    assert (shown.asked, spent(school, NOW + DAY)) == (["profile", "posts", "conversations", "shares"], 2)
    assert seen(school, account, Fact.SHARES).value == 1


def test_where_the_posts_are_too_dear_or_fail_the_shares_in_them_are_not_paid_for_alone(
    watched: tuple[Home, Account, PricedShown],
) -> None:
    school, account, shown = watched
    shown.counts = Counts(followers=1, follows=0, likes=0, posts=5_000)
    look(school, account, NOW + DAY)
    assert shown.asked == ["profile"]
    assert left_out(school, account) == {C.READ_POSTS: NOW, C.READ_SHARES: NOW}
    shown.counts, shown.shares = None, ["p7"]
    shown.failing["posts"] = PlatformError("Down.", permanent=False)
    look(school, account, NOW + 2 * DAY)
    assert shown.asked == ["profile", "profile", "posts"]
    assert left_out(school, account) == {C.READ_POSTS: NOW, C.READ_SHARES: NOW}


def test_what_was_not_read_a_second_time_is_not_dated_anew(watched: tuple[Home, Account, PricedShown]) -> None:
    school, account, shown = watched
    look(school, account, NOW + DAY)
    looked = account_by_id(school.db, account.id).checked_at
    look(school, account, NOW + DAY + timedelta(minutes=5), asked=True)
    assert shown.asked == ["profile"]
    assert account_by_id(school.db, account.id).checked_at == looked == NOW + DAY
    assert seen(school, account, Fact.FOLLOWERS).observed_at == NOW + DAY


def test_a_look_that_nothing_was_read_at_is_no_check(watched: tuple[Home, Account, PricedShown]) -> None:
    school, account, _ = watched
    look(with_budget(school, 1), account, NOW + DAY)
    assert account_by_id(school.db, account.id).checked_at == NOW


def test_a_like_is_found_by_its_count(watched: tuple[Home, Account, PricedShown]) -> None:
    school, account, shown = watched
    shown.likes = ["p9"]
    look(school, account, NOW + DAY)
    assert seen(school, account, Fact.LIKES).value == 1
    assert {one.rule_id: one.answer for one in findings_of(school.db, account.id)}["INT402"] is False


def test_where_none_are_told_none_are_asked_for_and_the_note_says_so(
    watched: tuple[Home, Account, PricedShown],
) -> None:
    school, account, shown = watched
    shown.likes = ["p9"]
    look(school, account, NOW + DAY)
    shown.likes, shown.asked = [], []
    look(school, account, NOW + 2 * DAY)
    assert shown.asked == ["profile"]
    likes = seen(school, account, Fact.LIKES)
    assert (likes.value, likes.note) == (0, "Not asked for: Instagram tells that there are none.")


def test_the_sweep_finds_who_came_while_somebody_went(watched: tuple[Home, Account, PricedShown]) -> None:
    school, account, shown = watched
    shown.followers = [RemoteFollower("f2", "stranger", "Somebody")]
    found = None
    for days in range(1, 16):
        look(school, account, NOW + days * DAY)
        if "followers" in shown.asked:
            found = days
            break
    assert found == school.settings.policy.list_sweep_days == 14


def test_our_own_post_is_no_change(watched: tuple[Home, Account, PricedShown], cast: walk.Cast) -> None:
    school, account, shown = watched
    columns = {"account_id": account.id, "author_id": cast.owner.id, "state": "published", "text": "x"}
    with write(school.db) as db:
        insert(db, "post", {**columns, "created_at": NOW, "published_at": NOW + HOUR, "remote_id": "r9"})
    shown.posts = [RemotePost("r9", "x", NOW)]
    look(school, account, NOW + DAY)
    look(school, account, NOW + 2 * DAY)
    assert shown.asked == ["profile", "profile"]
    shown.posts = [*shown.posts, RemotePost("r10", "elsewhere", NOW)]
    look(school, account, NOW + 3 * DAY)
    assert "posts" in shown.asked and seen(school, account, Fact.OUTSIDE_POSTS).value == 1


def test_a_look_that_failed_halfway_pays_again_only_for_what_is_missing(
    watched: tuple[Home, Account, PricedShown],
) -> None:
    school, account, shown = watched
    shown.followers, shown.likes = [WHO, RemoteFollower("f2", "grandad", "Grandad")], ["p1"]
    shown.failing["likes"] = PlatformError("Down.", permanent=False)
    look(school, account, NOW + DAY)
    assert left_out(school, account) == {C.READ_LIKES: NOW}
    shown.failing.clear()
    shown.asked.clear()
    look(school, account, NOW + DAY + HOUR)
    assert shown.asked == ["likes"]
    assert left_out(school, account) == {}


def test_when_the_money_is_gone_nothing_is_asked_nothing_is_confirmed_and_the_rules_say_that_they_cannot_tell(
    watched: tuple[Home, Account, PricedShown],
) -> None:
    school, account, shown = watched
    poor = with_budget(school, spent(school, NOW))
    for days in range(1, 6):
        look(poor, account, NOW + days * DAY)
    assert shown.asked == []
    assert seen(poor, account, Fact.PRIVATE).observed_at == NOW
    assert C.READ_PROFILE in left_out(poor, account) and left_out(poor, account)[C.READ_PROFILE] == NOW
    assert {one.rule_id: one.answer for one in findings_of(poor.db, account.id)}["ACC103"] is None


def test_a_list_too_dear_for_today_is_said_to_be_left_out_and_is_read_when_there_is_money(
    watched: tuple[Home, Account, PricedShown],
) -> None:
    school, account, shown = watched
    shown.counts = Counts(followers=5_000, follows=0, likes=0, posts=0)
    look(school, account, NOW + DAY)
    assert shown.asked == ["profile"] and left_out(school, account) == {C.READ_FOLLOWERS: NOW}
    assert seen(school, account, Fact.FOLLOWERS).observed_at == NOW  # not confirmed: the number is another one
    rich = with_budget(school, 100_000)
    look(rich, account, NOW + 2 * DAY)
    assert "followers" in shown.asked and left_out(rich, account) == {}


def test_a_person_may_ask_for_a_fresh_look_and_not_too_often(watched: tuple[Home, Account, PricedShown]) -> None:
    school, account, shown = watched
    later = NOW + DAY
    look(school, account, later)
    look(school, account, later + HOUR)
    assert shown.asked == ["profile"]
    look(school, account, later + HOUR, asked=True)
    look(school, account, later + HOUR + timedelta(minutes=1), asked=True)
    assert shown.asked == ["profile", "profile"]


def test_an_account_that_is_gone_is_told_by_its_presence_alone(watched: tuple[Home, Account, PricedShown]) -> None:
    school, account, shown = watched
    shown.failing["profile"] = PlatformError("No such account.", permanent=True)
    shown.presence = Presence.GONE
    look(school, account, NOW + DAY)
    assert shown.asked == ["profile", "presence"]
    assert seen(school, account, Fact.PRESENCE).value == Presence.GONE
    assert seen(school, account, Fact.FOLLOWERS).observed_at == NOW


def test_a_call_for_payment_pauses_the_platform_for_every_account(watched: tuple[Home, Account, PricedShown]) -> None:
    school, account, shown = watched
    shown.failing["profile"] = PaymentNeeded("Instagram")
    look(school, account, NOW + DAY)
    assert spending.pause_of(school.db, "instagram", NOW + DAY) is not None
    shown.asked.clear()
    look(school, account, NOW + 2 * DAY)
    assert shown.asked == [] and C.READ_PROFILE in left_out(school, account)


def test_the_gate_rests_on_peoples_word_where_only_the_money_is_missing(
    home: Home, cast: walk.Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = walk.set_up(home, cast, walk.approved(home, cast))
    school, shown = priced_home(home, monkeypatch, 0)
    look_before_gate(school, account.id, now=NOW)
    assert shown.asked == [], "shares are not free: they are told by the posts"
    shown.failing["profile"] = PlatformError("Down.", permanent=False)
    with pytest.raises(PlatformError):
        look_before_gate(with_budget(school, 1_000), account.id, now=NOW)


def test_the_gate_reads_everything_whatever_was_read_today(watched: tuple[Home, Account, PricedShown]) -> None:
    school, account, shown = watched
    look_before_gate(school, account.id, now=NOW + HOUR)
    assert {"presence", "profile", "followers", "follows", "likes", "posts"} <= set(shown.asked)


def test_a_persons_word_against_the_platforms_counts_only_once_the_platform_cannot_be_asked(
    watched: tuple[Home, Account, PricedShown], cast: walk.Cast
) -> None:
    school, account, shown = watched
    shown.profile = replace(shown.profile, private=False)
    look(school, account, NOW + DAY)
    picture = _png()
    with pytest.raises(InvalidInput, match="itself says otherwise"):
        attest(school, cast.owner, account.id, Fact.PRIVATE, True, now=NOW + DAY + HOUR, screenshot=picture)
    poor = with_budget(school, 1)
    said = attest(poor, cast.owner, account.id, Fact.PRIVATE, True, now=NOW + DAY + HOUR, screenshot=picture)
    assert said.source is Source.ATTESTED


def _png() -> bytes:
    import io

    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (40, 40), "navy").save(out, "PNG")
    return out.getvalue()


# ---------------------------------------------------------------------------------------------------- the day's plan


def test_the_job_plans_every_account_once_a_day_and_the_check_follows(
    watched: tuple[Home, Account, PricedShown],
) -> None:
    school, account, shown = watched
    later = NOW + DAY
    assert plan_reads(school, now=later) == 1
    assert plan_reads(school, now=later + HOUR) == 0
    plan = plan_of(school.db, account.id)
    assert plan is not None and plan.day == school.today(later)
    assert plan.reads == {C.READ_PROFILE, C.SEE_PRESENCE} and plan.micros == 10_000
    report = {job.name: job for job in run_once(school, later + 2 * DAY).jobs}
    assert report["plan reads"].done == 1 and report["check accounts"].done == 1
    assert shown.asked[:1] == ["profile"]


def test_the_next_look_is_at_the_accounts_own_time_within_a_day(watched: tuple[Home, Account, PricedShown]) -> None:
    school, account, _ = watched
    due = account_by_id(school.db, account.id).check_due_at
    assert due is not None and NOW < due <= NOW + DAY
    look(school, account, due)
    assert account_by_id(school.db, account.id).check_due_at == due + DAY


def test_what_was_read_under_another_name_counts_as_never_read(watched: tuple[Home, Account, PricedShown]) -> None:
    school, account, shown = watched
    assert lists_of(school.db, account.id)[C.READ_FOLLOWERS].read_at == NOW
    with write(school.db) as db:
        guarded_update(db, "account", account.id, {"set_up_at": NOW + HOUR})
    assert lists_of(school.db, account.id) == {}
    look(school, account, NOW + 2 * HOUR)
    assert {"profile", "followers", "posts"} <= set(shown.asked)


def test_a_suspended_account_waits_where_the_money_reaches_for_one(
    watched: tuple[Home, Account, PricedShown], cast: walk.Cast
) -> None:
    school, account, shown = watched
    shown.followers = []
    second = walk.live(school, cast, form=walk.form_of(cast, handle_wished="second_one"))
    with write(school.db) as db:
        guarded_update(db, "account", account.id, {"state": AccountState.SUSPENDED})
    days_left = 30 - school.today(NOW + DAY).day + 1
    scarce = with_budget(school, spent(school, NOW) + days_left)  # a cent a day
    scarce = replace(
        scarce, settings=replace(scarce.settings, policy=replace(scarce.settings.policy, budget_kept_percent=0))
    )
    plan_reads(scarce, now=NOW + DAY)
    plans = {number: plan_of(scarce.db, number) for number in (account.id, second.id)}
    assert C.READ_PROFILE in plans[second.id].reads  # type: ignore[union-attr]
    assert plans[account.id].reads == frozenset()  # type: ignore[union-attr]
    assert {one.account_id for one in not_checked(scarce.db)} >= {account.id}
