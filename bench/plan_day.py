"""A month of 10,000 accounts on a simulated network of all platforms, with the shipped prices and limits.

Planned and looked at day by day by the product's own planner (socialgov/planning.py): the network keeps the true
counts, a look brings what the platform would tell, and every item answered is paid. Demand is larger than the budget.
On live accounts there are planted, each on its own day: accounts made public, strangers who follow, likes, and
strangers who come while somebody goes, so that the number stands. Reported are:

  plan_day_seconds   the slowest day's plan of all accounts (limit 2 s): as the product makes it, out of and into a
                     real database (bench/plan_school.py), or here in this month, whichever takes longer
  plan_day_memory    the largest resident memory of the two processes, everything included (limit 150 MB)
  plan_day_budget    how far the month's money spent is below the budget, in percent (limit 2 %); more fails at once
  plan_day_breach    the longest time to a planted breach of a public switch, a stranger or a like on a live account, as
                     a share of the promised time: one interval of checks on a live trip, two on another live account
                     (limit 1); one whose number stands: the sweep time on a live trip
  plan_day_limits    the fullest window of requests that the whole school shares, as a share of its limit (limit 1)

Run: python -m bench.plan_day [--profile]
"""

from __future__ import annotations

import random
import resource
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from bench.lines import tell
from socialgov import platforms
from socialgov.config import package_folder
from socialgov.models import Capability, PlatformInfo, ReadPlan
from socialgov.planning import Purse, after_counts, next_slot, plan_day
from socialgov.platforms.file import read_platforms
from socialgov.prices import COUNT_OF, LISTS, PROFILE, READS, ListKnown, Watched, daily_price
from socialgov.tomlfile import read_toml

ACCOUNTS, DAYS, SEED = 10_000, 30, 4
BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
EVERY, SWEEP, DAY = timedelta(hours=24), timedelta(days=14), timedelta(days=1)
BUDGET = 1_250_000_000  # $1,250 a month: on X all profiles, all changes, the sweeps of live trips, and not all others
CHANGES = 1 / 14  # of each list a day
KINDS = ("public", "stranger", "like", "swap")
PLANTED = 60  # of each kind
PROMISED = {"trip": EVERY, "other": 2 * EVERY}


@dataclass
class Truth:
    """What is so on the platform: true sizes, and what was planted when and found when."""

    platform: str
    live: bool
    trip: bool
    sizes: dict[Capability, int]
    can: frozenset[Capability]
    lists: dict[Capability, ListKnown] = field(default_factory=dict)
    due: datetime = BEGIN
    timeline_at: datetime | None = None  # when its posts, and the shares among them, were answered last
    planted: dict[str, datetime] = field(default_factory=dict)
    found: dict[str, datetime] = field(default_factory=dict)


# what finds each kind
FINDS = {
    "public": PROFILE,
    "stranger": Capability.READ_FOLLOWERS,
    "like": Capability.READ_LIKES,
    "swap": Capability.READ_FOLLOWERS,
}


class Network:
    """All accounts, and the money and requests that looking at them takes."""

    def __init__(self, infos: dict[str, PlatformInfo]) -> None:
        self.infos, self.chance = infos, random.Random(SEED)
        keys = sorted(infos)
        self.accounts = {number: self._account(keys[number % len(keys)]) for number in range(1, ACCOUNTS + 1)}
        self.spent, self.today, self.promised = 0, 0, 0
        self.left_out = 0
        self.requests: dict[str, Counter[datetime]] = {}
        self._plant()

    def _account(self, key: str) -> Truth:
        sizes = {
            Capability.READ_FOLLOWERS: self.chance.randrange(5, 60),
            Capability.READ_FOLLOWS: 0,
            Capability.READ_LIKES: 0,
            Capability.READ_POSTS: self.chance.randrange(0, 30),
        }
        sizes[Capability.READ_SHARES] = sizes[Capability.READ_POSTS]
        can = platforms.declared_capabilities(self.infos[key]) & READS
        one = Truth(key, self.chance.random() < 0.9, self.chance.random() < 0.5, sizes, can)
        for capability in sorted(can):  # read at the gate, some days ago
            read_at = BEGIN - timedelta(minutes=self.chance.randrange(1, 14 * 1440))
            told = sizes.get(capability)
            one.lists[capability] = ListKnown(read_at, told, told)
        return one

    def _plant(self) -> None:
        """On live accounts that a machine looks at, in the first half of the month, so that a sweep can still come."""
        live = [number for number, one in self.accounts.items() if one.live and one.can >= set(FINDS.values())]
        for kind in KINDS:
            for number in self.chance.sample(live, PLANTED):
                at = BEGIN + timedelta(minutes=self.chance.randrange(0, 14 * 1440))
                self.accounts[number].planted[kind] = at

    def watched(self) -> list[Watched]:
        return [
            Watched(number, one.platform, one.can, one.live, one.trip, 30, one.lists)
            for number, one in self.accounts.items()
        ]

    def happen(self, one: Truth, now: datetime) -> None:
        """What was planted until now shows in the counts; a swap does not. Each list changes now and then by itself."""
        for kind, capability in (("stranger", Capability.READ_FOLLOWERS), ("like", Capability.READ_LIKES)):
            at = one.planted.get(kind)
            if at is not None and at <= now and f"{kind}-counted" not in one.planted:
                one.planted[f"{kind}-counted"] = at
                one.sizes[capability] += 1
        if self.chance.random() < CHANGES:
            one.sizes[Capability.READ_FOLLOWERS] += 1
        if self.chance.random() < CHANGES:
            one.sizes[Capability.READ_POSTS] += 1
            one.sizes[Capability.READ_SHARES] += 1

    def pay(self, one: Truth, capability: Capability, items: int, now: datetime) -> bool:
        """Make the requests, unless the money does not reach for them: that is the meter's part.

        Shares are among the posts, where a platform has no call of its own for them: whichever of the two is asked for
        first in a look, the whole timeline is paid.
        """
        tariff = self.infos[one.platform].tariff
        calls = [call for call in tariff.calls.values() if call.serves is capability] if tariff else []
        if not calls and tariff and capability is Capability.READ_SHARES and one.timeline_at != now:
            calls = [call for call in tariff.calls.values() if call.serves is Capability.READ_POSTS]
        if sum(call.price(items, -(-items // call.page) or 1) for call in calls) > BUDGET - self.spent:
            return False
        for call in calls:
            if call.serves is Capability.READ_POSTS:
                one.timeline_at = now
            pages = -(-items // call.page) or 1
            self.spent += call.price(items, pages)
            self.today += call.price(items, pages)
            if call.shared:
                start = now - (now - BEGIN) % timedelta(minutes=call.window_minutes)
                self.requests.setdefault(f"{one.platform} {call.name}", Counter())[start] += pages
        return True

    def look(self, number: int, plan: ReadPlan, now: datetime, purse: Purse) -> None:
        """One check, as socialgov/actions/planned_looks.py makes it."""
        one = self.accounts[number]
        self.happen(one, now)
        tariff = self.infos[one.platform].tariff
        priced = tariff is not None and tariff.costs_money
        self.promised -= plan.micros
        if not plan.reads:
            return
        for capability in sorted(plan.reads - LISTS):
            if not (priced and capability is Capability.SEE_PRESENCE):
                self.read(one, capability, now)
        if not priced:
            for capability in sorted(plan.reads & LISTS):
                self.read(one, capability, now)
            return
        for capability in COUNT_OF:
            if capability in one.can:
                known = one.lists.get(capability, ListKnown())
                one.lists[capability] = replace(known, told=one.sizes[capability])
        seen = Watched(number, one.platform, one.can, one.live, one.trip, 30, one.lists)
        money = replace(purse, spent_today=self.today, promised=self.promised)
        after = after_counts(seen, tariff, planned=plan.reads, pot=money.for_changes, now=now, sweep=SWEEP)
        for capability in sorted(after.read):
            self.read(one, capability, now)

    def read(self, one: Truth, capability: Capability, now: datetime) -> None:
        told = one.sizes.get(capability)
        if not self.pay(one, capability, 1 if told is None else told, now):
            return
        one.lists[capability] = ListKnown(now, told, told)
        for kind, finds in FINDS.items():
            at = one.planted.get(kind)
            if finds is capability and at is not None and at <= now:
                one.found.setdefault(kind, now)


def run() -> tuple[Network, float]:
    """The month, day by day; the network as it is then, and the slowest plan in seconds."""
    file = read_toml(package_folder("config") / "platforms.toml")
    infos = dict(read_platforms(package_folder("config") / "platforms.toml", file.table("none"), Path("/")))
    network, slowest = Network(infos), 0.0
    for day in range(DAYS):
        begins, today = BEGIN + day * DAY, date(2026, 11, 1 + day)
        watched = network.watched()
        before, network.today = network.spent, 0
        daily = daily_price(infos["x"].tariff, [one for one in watched if one.platform == "x"], EVERY)
        purse = Purse(BUDGET, before, 0, day + 1, DAYS, 10, daily)
        started = time.perf_counter()
        plans = plan_day(
            watched, infos, {"x": purse}, day=today, begins=begins, now=begins, sweep=SWEEP, every=EVERY
        )  # fmt: skip
        slowest = max(slowest, time.perf_counter() - started)
        network.promised = sum(plan.micros for plan in plans)
        network.left_out = sum(bool(plan.left_out) for plan in plans)
        due = sorted((next_slot(plan.account_id, begins - EVERY, EVERY), plan.account_id, plan) for plan in plans)
        for at, number, plan in due:
            network.look(number, plan, at, purse)
    return network, slowest


def breaches(network: Network) -> float:
    """The longest time to a breach, as a share of what is promised. One that was never found is infinitely late."""
    worst, times = 0.0, {}
    for one in network.accounts.values():
        for kind in KINDS:
            if kind not in one.planted:
                continue
            promise = SWEEP + EVERY if kind == "swap" else PROMISED["trip" if one.trip else "other"]
            if kind == "swap" and not one.trip and network.infos[one.platform].key == "x":
                continue  # sweeps of other accounts are what the money does not reach for: their page says so
            found = one.found.get(kind)
            took = (found - one.planted[kind]) / promise if found else float("inf")
            times.setdefault(kind, []).append(took)
            worst = max(worst, took)
    for kind, some in times.items():
        print(f"  {kind}: {len(some)} planted, worst {max(some):.2f} of the promised time", file=sys.stderr)
    return worst


def limits(network: Network) -> float:
    """The fullest window of any call that the whole school shares."""
    shares = [0.0]
    for name, windows in network.requests.items():
        platform, call = name.split(" ")
        tariff = network.infos[platform].tariff
        assert tariff is not None
        shares.append(max(windows.values()) / tariff.calls[call].limit)
    return max(shares)


def of_a_school() -> tuple[float, float]:
    """Seconds and megabytes of the product's own day's plan, in a process of its own."""
    command = [sys.executable, "-m", "bench.plan_school"]
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    seconds, megabytes = told.split()
    return float(seconds), float(megabytes)


def main() -> int:
    made, held = of_a_school()
    network, slowest = run()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  plan_reads {made:.2f} s {held:.0f} MB, plan_day alone {slowest:.2f} s {peak:.0f} MB", file=sys.stderr)
    print(f"  spent ${network.spent / 1e6:,.2f} of ${BUDGET / 1e6:,.2f}", file=sys.stderr)
    assert network.spent <= BUDGET, "more than the budget was spent"
    assert network.left_out, "the budget reached for everything, so it was not put to the test"
    short = [
        tell("plan_day_seconds", max(made, slowest), "s", 2.0),
        tell("plan_day_memory", max(held, peak), "MB", 150.0),
        tell("plan_day_budget", 100 * (1 - network.spent / BUDGET), "%", 2.0),
        tell("plan_day_breach", breaches(network), "x", 1.0),
        tell("plan_day_limits", limits(network), "x", 1.0),
    ]
    return 1 if any(short) else 0


if __name__ == "__main__":
    if "--profile" in sys.argv:
        import cProfile

        cProfile.run("main()", sort="cumulative")
    else:
        sys.exit(main())
