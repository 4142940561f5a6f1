"""The planner: money goes where risk is, never beyond the day's share, and what is left out is said."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from socialgov.models import CallCost, Capability, PlatformInfo, Tariff
from socialgov.planning import Purse, after_counts, next_slot, plan_day
from socialgov.prices import LISTS, PROFILE, READS, ListKnown, Watched, forecast, price_for

C = Capability
NOW = datetime(2026, 11, 22, 0, 1, tzinfo=UTC)
BEGINS = datetime(2026, 11, 22, tzinfo=UTC)
TODAY = date(2026, 11, 22)
DAY, SWEEP = timedelta(days=1), timedelta(days=14)
CENT = 10_000


def call(serves: Capability, micros: int, **more: object) -> CallCost:
    return CallCost(serves.value, "item", micros, 300, 15, **{"page": 100, "serves": serves, **more})  # type: ignore[arg-type]


PRICED = Tariff(
    "USD", "a test", TODAY,
    {
        "me": call(PROFILE, CENT),
        "users": call(C.SEE_PRESENCE, CENT),
        "followers": call(C.READ_FOLLOWERS, CENT),
        "follows": call(C.READ_FOLLOWS, CENT),
        "likes": call(C.READ_LIKES, CENT // 2),
        "posts": call(C.READ_POSTS, CENT // 2),
    },
)  # fmt: skip
FREE = Tariff(
    "USD", "a test", TODAY, {"followers": CallCost("followers", "request", 0, 1, 1440, 100, True, C.READ_FOLLOWERS)}
)


def info(key: str, tariff: Tariff | None) -> PlatformInfo:
    return PlatformInfo(key, key, "x", "https://x.example/{handle}", True, 13, "", TODAY, 30, ".*", {}, tariff=tariff)


PLATFORMS = {"x": info("x", PRICED), "free": info("free", FREE), "plain": info("plain", None)}
KNOWN = {one: ListKnown(NOW - 3 * DAY, 10, 10) for one in LISTS}


def account(number: int, *, platform: str = "x", **more: object) -> Watched:
    return Watched(number, platform, READS, **{"lists": KNOWN, **more})  # type: ignore[arg-type]


def purse(budget: int, **more: int) -> Purse:
    return Purse(**{"budget": budget, "spent_before": 0, "spent_today": 0, "day": 30, "days": 30, **more})


def plan(accounts: list[Watched], money: Purse | None = None) -> dict[int, frozenset[Capability]]:
    purses = {} if money is None else {"x": money}
    made = plan_day(accounts, PLATFORMS, purses, day=TODAY, begins=BEGINS, now=NOW, sweep=SWEEP)
    return {one.account_id: one.reads for one in made}


def test_a_profile_a_day_is_bought_and_no_list_that_did_not_change() -> None:
    assert plan([account(1)], purse(100 * CENT)) == {1: {PROFILE, C.SEE_PRESENCE}}


def test_a_list_whose_count_changed_is_bought_with_the_profile() -> None:
    lists = {**KNOWN, C.READ_FOLLOWERS: ListKnown(NOW - DAY, 10, 11)}
    assert C.READ_FOLLOWERS in plan([account(1, lists=lists)], purse(100 * CENT))[1]


def test_a_list_is_swept_when_its_time_has_come_though_its_count_stands() -> None:
    lists = {**KNOWN, C.READ_LIKES: ListKnown(NOW - SWEEP, 10, 10)}
    assert plan([account(1, lists=lists)], purse(100 * CENT))[1] == {PROFILE, C.SEE_PRESENCE, C.READ_LIKES}


def test_money_goes_to_live_trips_first_then_to_what_changed_there_and_then_to_the_others() -> None:
    changed = {**KNOWN, C.READ_FOLLOWERS: ListKnown(NOW - DAY, 1, 2)}
    those = [
        account(1, live=False, lists=changed), account(2, trip=False, lists=changed), account(3, lists=changed)
    ]  # fmt: skip
    bought = [
        {number: reads - {C.SEE_PRESENCE} for number, reads in plan(those, purse(cents * CENT)).items() if reads}
        for cents in (1, 3, 4, 6, 7, 9)
    ]
    both = {PROFILE, C.READ_FOLLOWERS}
    assert bought == [
        {3: {PROFILE}}, {3: both}, {3: both, 2: {PROFILE}}, {3: both, 2: both}, {3: both, 2: both, 1: {PROFILE}},
        {3: both, 2: both, 1: both},
    ]  # fmt: skip


def test_where_not_every_profile_can_be_bought_the_one_not_read_for_longest_is() -> None:
    fresh = account(1, lists={**KNOWN, PROFILE: ListKnown(NOW - DAY)})
    old = account(2, lists={**KNOWN, PROFILE: ListKnown(NOW - 2 * DAY)})
    assert plan([fresh, old], purse(CENT)) == {1: frozenset(), 2: {PROFILE, C.SEE_PRESENCE}}


def test_without_a_purse_nothing_that_costs_money_is_bought_and_all_of_it_is_said_to_be_left_out() -> None:
    one = plan_day([account(1)], PLATFORMS, {}, day=TODAY, begins=BEGINS, now=NOW, sweep=SWEEP)[0]
    assert (one.reads, one.left_out, one.micros) == (frozenset(), {PROFILE}, 0)


def test_what_is_free_is_read_whole_whatever_the_counts_say() -> None:
    assert plan([account(1, platform="plain")]) == {1: READS}


def test_a_limit_of_the_whole_school_goes_to_live_trips_first() -> None:
    those = [account(1, platform="free", trip=False), account(2, platform="free"), account(3, platform="free")]
    reads = plan(those)
    assert C.READ_FOLLOWERS in reads[2] and reads[3] == reads[1] == READS - {C.READ_FOLLOWERS}


def test_an_account_that_no_machine_can_read_has_an_empty_plan() -> None:
    assert plan([Watched(1, "x", frozenset())], purse(CENT)) == {1: frozenset()}


def test_what_is_kept_for_people_shrinks_to_nothing_by_the_last_day() -> None:
    kept = [purse(3_000, day=day, kept_percent=10).kept for day in (1, 16, 30)]
    assert kept == [290, 140, 0]
    assert purse(3_000, kept_percent=10).share == 3_000


def test_a_list_that_changed_may_cost_more_than_the_days_share_but_not_the_profiles_of_the_month() -> None:
    money = purse(3_000 * CENT, day=1, daily=50 * CENT)
    assert (money.share, money.for_changes) == (100 * CENT, (3_000 - 29 * 50) * CENT // 2)
    assert replace(money, daily=100 * CENT).for_changes == 100 * CENT


def test_accounts_are_spread_evenly_over_the_day_each_always_at_its_own_time() -> None:
    hours = Counter(next_slot(number, BEGINS, DAY).hour for number in range(2_400))
    assert set(hours) == set(range(24)) and max(hours.values()) <= 103 and min(hours.values()) >= 97
    for number in range(50):
        first = next_slot(number, NOW, DAY)
        assert NOW < first <= NOW + DAY and next_slot(number, first, DAY) == first + DAY


def test_after_the_counts_a_list_stands_is_empty_is_read_or_is_left_out() -> None:
    lists = {
        C.READ_FOLLOWERS: ListKnown(NOW - DAY, 10, 10),
        C.READ_FOLLOWS: ListKnown(NOW - DAY, 1, 0),
        C.READ_LIKES: ListKnown(NOW - DAY, 0, 1),
        C.READ_POSTS: ListKnown(NOW - DAY, 5, 900),
        C.READ_SHARES: ListKnown(None, None, None),
    }
    after = after_counts(account(1, lists=lists), PRICED, planned=(), pot=CENT, now=NOW, sweep=SWEEP)
    assert after.stands == {C.READ_FOLLOWERS}
    assert after.empty == {C.READ_FOLLOWS}
    assert after.read == {C.READ_LIKES}
    assert after.left_out == {C.READ_POSTS, C.READ_SHARES}, "shares are told by the posts, which are too dear"


def test_nothing_stands_beyond_the_sweep_time_or_without_a_number() -> None:
    for known in (ListKnown(NOW - SWEEP, 10, 10), ListKnown(NOW - DAY, None, None)):
        one = account(1, lists={C.READ_FOLLOWERS: known})
        after = after_counts(one, PRICED, planned=(), pot=0, now=NOW, sweep=SWEEP)
        assert C.READ_FOLLOWERS not in after.stands


def of_posts(posts: ListKnown, shares: ListKnown, **more: object) -> Watched:
    return account(1, lists={**KNOWN, C.READ_POSTS: posts, C.READ_SHARES: shares}, **more)


def test_shares_are_bought_with_the_posts_that_tell_them_at_one_price_or_not_at_all() -> None:
    changed = of_posts(*[ListKnown(NOW - DAY, 499, 500)] * 2)
    made = [
        plan_day([changed], PLATFORMS, {"x": purse(cents * CENT)}, day=TODAY, begins=BEGINS, now=NOW, sweep=SWEEP)[0]
        for cents in (250, 251)
    ]
    both = {C.READ_POSTS, C.READ_SHARES}
    assert [one.reads & both for one in made] == [set(), both]
    assert [one.left_out for one in made] == [both, set()]
    assert [one.micros for one in made] == [CENT, 251 * CENT]


def test_where_only_the_shares_are_due_the_posts_are_paid_for_and_read_with_them() -> None:
    due = of_posts(ListKnown(NOW - DAY, 500, 500), ListKnown(None, None, 500))
    told = {"planned": (), "now": NOW, "sweep": SWEEP}
    poor, rich = (after_counts(due, PRICED, pot=cents * CENT, **told) for cents in (249, 250))  # type: ignore[arg-type]
    assert (poor.read, poor.left_out) == (set(), {C.READ_SHARES}) and C.READ_POSTS in poor.stands
    assert rich.read == {C.READ_POSTS, C.READ_SHARES}


def test_shares_cost_what_the_posts_cost_where_posts_are_not_offered_to_us() -> None:
    without = replace(account(1), can=READS - {C.READ_POSTS})
    assert price_for(PRICED, without, C.READ_SHARES) == 5 * CENT
    assert price_for(PRICED, account(1), C.READ_SHARES) == 0


def test_a_list_that_one_window_of_the_limit_does_not_reach_through_is_not_begun() -> None:
    limited = replace(PRICED, calls={**PRICED.calls, "likes": call(C.READ_LIKES, 1)})
    long = account(1, lists={**KNOWN, C.READ_LIKES: ListKnown(NOW - DAY, 1, 30_001)})
    infos = {"x": info("x", limited)}
    made = plan_day([long], infos, {"x": purse(10**6)}, day=TODAY, begins=BEGINS, now=NOW, sweep=SWEEP)[0]
    assert C.READ_LIKES in made.left_out - made.reads
    after = after_counts(long, limited, planned={C.READ_LIKES}, pot=10**9, now=NOW, sweep=SWEEP)
    assert C.READ_LIKES in after.left_out - after.read


def test_an_account_that_the_platform_shut_us_out_of_has_all_of_it_left_out() -> None:
    out = Watched(1, "x", frozenset(), shut_out=READS)
    made = plan_day([out], PLATFORMS, {"x": purse(CENT)}, day=TODAY, begins=BEGINS, now=NOW, sweep=SWEEP)[0]
    assert (made.reads, made.left_out, made.micros) == (frozenset(), READS, 0)


def test_a_forecast_adds_profiles_changes_and_sweeps() -> None:
    told = forecast([account(number) for number in range(14)], PRICED, sweep=SWEEP, changes=4)
    lists = 14 * (10 + 10 + 5 + 5) * CENT  # shares come with the posts
    assert (told.profiles, told.changes, told.sweeps) == (14 * 30 * CENT, 4 * lists, lists * 30 // 14)
    assert told.micros == told.profiles + told.changes + told.sweeps
    assert forecast([account(1)], None, sweep=SWEEP, changes=4).micros == 0


numbers = st.integers(0, 60)
known = st.builds(
    ListKnown,
    st.none() | st.integers(0, 40).map(lambda days: NOW - days * DAY),
    st.none() | numbers,
    st.none() | numbers,
)
accounts = st.lists(
    st.builds(
        Watched, st.just(0), st.just("x"), st.frozensets(st.sampled_from(sorted(READS))), st.booleans(), st.booleans(),
        numbers, st.dictionaries(st.sampled_from(sorted(READS)), known),
    ),
    max_size=12,
).map(lambda found: [replace(one, account_id=number) for number, one in enumerate(found)])  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(accounts, st.integers(0, 200), st.integers(0, 200), st.integers(1, 30), st.integers(0, 50))
def test_no_plan_costs_more_than_there_is_and_nothing_that_is_due_goes_unsaid(
    those: list[Watched], budget: int, spent: int, day: int, kept: int
) -> None:
    money = purse(budget * CENT, spent_before=spent * CENT, day=day, kept_percent=kept)
    made = plan_day(those, PLATFORMS, {"x": money}, day=TODAY, begins=BEGINS, now=NOW, sweep=SWEEP)
    assert sum(one.micros for one in made) <= max(money.share, money.for_changes) <= money.left
    for one, chosen in zip(those, sorted(made, key=lambda plan: plan.account_id), strict=True):
        assert chosen.reads <= one.can and not chosen.reads & chosen.left_out
        riders = {C.READ_POSTS, C.READ_SHARES} & one.can
        assert chosen.reads & riders in (set(), riders)
        for capability in one.can & LISTS:
            if one.lists.get(capability, ListKnown()).changed:
                assert capability in chosen.reads | chosen.left_out
