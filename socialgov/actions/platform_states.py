"""How each platform stands: what a machine does there, what it costs and has cost, and what was not checked."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from socialgov import platforms
from socialgov.actions.planning import forecast_of, forecast_of_one
from socialgov.actions.reading import FACTS_OF
from socialgov.actions.spending import Money, money_of, month_of, profile_price
from socialgov.models import Capability, Source
from socialgov.store import connections, plans, spending
from socialgov.store.observations import newest_observations

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from socialgov.home import Home
    from socialgov.models import Account, Pause, PlatformInfo
    from socialgov.prices import Forecast
    from socialgov.store.plans import LeftOut, NotChecked
    from socialgov.store.spending import CallSpent

SIGNS: Mapping[str, str] = {"USD": "$", "GBP": "£", "EUR": "€"}
NEEDS: Mapping[Capability, str] = {
    Capability.SEE_PRESENCE: "whether it is there",
    Capability.READ_PROFILE: "the profile and whether it is private",
    Capability.READ_POSTS: "posts and conversations",
    Capability.READ_FOLLOWERS: "followers",
    Capability.READ_FOLLOWS: "whom it follows",
    Capability.READ_LIKES: "likes",
    Capability.READ_SHARES: "shares",
    Capability.CHECK_LOGIN: "the login",
}


@dataclass(frozen=True, slots=True)
class PlatformState:
    """One platform of the school. `money`, `forecast` and `by_call` are None or empty where it costs nothing."""

    info: PlatformInfo
    approved: bool
    by_machine: str
    accounts: int
    connected: int
    money: Money | None
    forecast: Forecast | None
    pause: Pause | None
    by_call: tuple[CallSpent, ...] = ()
    one_account: Forecast | None = None  # what one account of usual size would cost
    off: tuple[tuple[str, Capability], ...] = ()  # found not to be offered: by which server ("": at all), what

    @property
    def can(self) -> frozenset[Capability]:
        """What a machine can do there, by what is known: less what the school's client was found not to be offered."""
        return platforms.capabilities(self.info) - {capability for server, capability in self.off if not server}

    @property
    def used_up(self) -> bool:
        """The month's budget does not pay for one more profile."""
        return self.money is not None and self.money.budget is not None and self.money.left < profile_price(self.info)

    @property
    def switched_on(self) -> bool:
        return self.money is None or self.money.budget is not None


def platform_states(home: Home, *, now: datetime) -> list[PlatformState]:
    """Every platform that the school has approved or has accounts on, those that cost money first."""
    rows = plans.watched_rows(home.db)
    accounts, connected = Counter(row.platform for row in rows), Counter(row.platform for row in rows if row.connected)
    pauses, month = spending.pauses(home.db, now), month_of(home.today(now))
    off = connections.all_capabilities_off(home.db)
    states = []
    for key, info in home.settings.platforms.items():
        approved = key in home.settings.approved_platforms
        if not (approved or accounts[key]):
            continue
        priced = info.tariff is not None and info.tariff.costs_money
        states.append(
            PlatformState(
                info=info,
                approved=approved,
                by_machine=_by_machine(info),
                accounts=accounts[key],
                connected=connected[key],
                money=money_of(home, info, now) if priced else None,
                forecast=forecast_of(home, info, rows) if priced else None,
                pause=pauses.get(key),
                by_call=tuple(spending.spent_by_call(home.db, key, *month)) if priced else (),
                one_account=forecast_of_one(home, info) if priced else None,
                off=tuple((server, capability) for platform, server, capability in off if platform == key),
            )
        )
    return sorted(states, key=lambda state: (state.money is None, state.info.name))


def _by_machine(info: PlatformInfo) -> str:
    """Who looks there, in words."""
    if not platforms.declared_capabilities(info):
        return "People look, and show what they see with a screenshot."
    if not platforms.capabilities(info):
        return (
            "People look. A machine could, once the school has registered socialgov there (client_id in school.toml)."
        )
    if platforms.needs_connection(info):
        return "A machine looks at each account that was connected; people look at the others."
    return "A machine looks."


def amount(micros: int, currency: str = "USD") -> str:
    """`$3.20`; less than a cent is said with as many digits as it takes, and never rounded to nothing."""
    sign = SIGNS.get(currency, f"{currency} ")
    digits = f"{micros / 1_000_000:,.2f}"
    if micros and abs(micros) % 10_000 and abs(micros) < 1_000_000:
        digits = f"{micros / 1_000_000:.6f}".rstrip("0")
    return f"{sign}{digits}"


def about(micros: int, currency: str = "USD") -> str:
    """A sum in whole cents, rounded up: `$3.20`."""
    return amount(-(-micros // 10_000) * 10_000, currency)


def why_not(home: Home, info: PlatformInfo, now: datetime) -> str:
    """Why something on this platform was not checked, as far as one reason holds for all its accounts."""
    if (pause := spending.pause_of(home.db, info.key, now)) is not None:
        return f"{pause.why} It is asked nothing until the network manager has looked."
    if info.tariff is None or not info.tariff.costs_money:
        return f"{info.name} did not answer, or was asked as often as the school may."
    if info.monthly_budget is None:
        return f"{info.name} costs money, and the school has set no budget for it."
    if money_of(home, info, now).left < profile_price(info):
        return f"The month's budget for {info.name} is used up."
    return f"The day's money for {info.name} went to what was more urgent, or it did not answer."


def reasons(home: Home, missing: Iterable[NotChecked], now: datetime) -> list[str]:
    """Why all of this was not checked: one sentence a platform, and one for those that it has shut us out of."""
    by_platform: dict[str, dict[int, NotChecked]] = {}
    for one in missing:
        by_platform.setdefault(one.platform, {})[one.account_id] = one
    found = []
    for key, accounts in sorted(by_platform.items()):
        info = home.settings.platforms[key]
        shut_out = {one.handle: one.shut_out_at for one in accounts.values() if one.shut_out_at is not None}
        if shut_out:
            which, mend = next(iter(shut_out)), "Connect it again."
            if len(shut_out) > 1:
                which, mend = f"{len(shut_out)} accounts", "Connect each of them again."
            since = _on(home, min(shut_out.values()))
            found.append(f"{info.name} has not let socialgov into {which} since {since}. {mend}")
        if len(shut_out) < len(accounts):
            found.append(why_not(home, info, now))
    return found


def _on(home: Home, at: datetime) -> str:
    day = home.today(at)
    return f"{day.day} {day:%B %Y}"


@dataclass(frozen=True, slots=True)
class Unchecked:
    """What of an account a machine could have read and did not: each need in words with when it was last read."""

    needs: tuple[tuple[str, datetime | None], ...]
    why: str

    @property
    def by_time(self) -> list[tuple[datetime | None, list[str]]]:
        """The needs that were read last at the same time together."""
        found: dict[datetime | None, list[str]] = {}
        for need, since in self.needs:
            found.setdefault(since, []).append(need)
        return list(found.items())


def confirmed(home: Home, account: Account) -> list[tuple[str, str]]:
    """What of a list is known without having been read again: (which list, why it stands), as the look noted it."""
    seen = newest_observations(home.db, account.id, account.set_up_at)
    return [
        (NEEDS[capability], note)
        for capability, facts in FACTS_OF.items()
        if (one := seen.get(facts[0])) is not None and one.source is Source.API and (note := one.note)
    ]


def unchecked(home: Home, account: Account, *, now: datetime) -> Unchecked | None:
    """What was not checked of this account, and why; None where nothing was left out."""
    missing = plans.not_checked(home.db, account.id)
    if not missing:
        return None
    return Unchecked(tuple((need_of(one), one.since) for one in missing), " ".join(reasons(home, missing, now)))


def need_of(one: NotChecked) -> str:
    """What was not checked, in words."""
    return NEEDS.get(one.capability, one.capability.value.replace("_", " "))


def left_out_words(home: Home, out: LeftOut) -> str:
    """Of how many accounts not all was checked, and since when, to stand after "not all was checked"."""
    which, known = "of one account" if out.accounts == 1 else f"of {out.accounts} accounts", out.accounts - out.never
    if out.since is None:
        return f"{which}: never until now"
    local = out.since.astimezone(home.settings.zone)
    since = f"since {local.day} {local:%B %Y, %H:%M}{' or later' if known > 1 else ''}"
    return f"{which}: {known} {since}, {out.never} never" if out.never else f"{which} {since}"
