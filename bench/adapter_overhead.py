"""What each adapter costs, its library, its bounds and its meter included, against a bare HTTP client.

Both read an account's followers from one web server that keeps to each platform's page sizes (bench/follower_pages.py):
3,000 on X, where the profile's counts come first as in every job, and 1,000 elsewhere. On X each request is written
down in a school's own database before it leaves and settled after it came, in a month that was busy before.

The bare side is an httpx client that sends the very same requests and makes the very same list of what is answered: it
checks nothing, follows no mark and knows beforehand what to ask for. That both sent the same and found the same is
asserted. Where ours keeps books, the bare side makes the same two entries a request in a bare SQLite file, each as
durable as ours; what ours costs beside a client that keeps none is told on the other channel.

Each side does so for several accounts with a new adapter or client for each, as in a job; reading the machine's
certificates is paid by neither. The processor time of each is compared, that of the system for it included: what
waiting there is for network and disk depends on both, and on who else uses them. The median of five pairs counts.

Run: python -m bench.adapter_overhead [NAME] [--profile]
"""

from __future__ import annotations

import cProfile
import gc
import sqlite3
import ssl
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from bench.follower_pages import DID, FOLLOWERS, OWNER, X_FOLLOWERS, served
from bench.lines import NOW, empty_school, median_ratio, tell
from socialgov import platforms
from socialgov.actions.spending import costs_money, meter_of
from socialgov.home import Home
from socialgov.models import ApiClient, PlatformInfo
from socialgov.platforms import Platform, RemoteFollower
from socialgov.store.connect import write
from socialgov.store.spending import reserve, settle

LIMIT = 1.5
TOKEN = "bench"
BUDGET = 10**12  # micros: it reaches for every run
OTHERS, DAYS = 14, 21  # accounts that were looked at on this many days of the month before


class Given:
    """A token that is always good."""

    def token(self) -> str:
        return TOKEN

    def renew(self, refused: str) -> str:
        return TOKEN

    def revoke(self) -> None:
        """Nothing to end."""


@dataclass(frozen=True)
class Case:
    """One adapter. `names`: under which each entry of a page tells its lasting id, its handle and its name."""

    key: str
    followers: int
    listed: str  # under which name a page lists them; "": it is the list
    names: tuple[str, str, str]
    remote_id: str = OWNER
    handle: str = "trip"
    counts_first: bool = False
    accounts: int = 5


CASES = (
    Case("x", X_FOLLOWERS, "data", ("id", "username", "name"), counts_first=True),
    Case("mastodon", FOLLOWERS, "", ("id", "acct", "display_name"), handle="trip@social.example"),
    Case("bluesky", FOLLOWERS, "followers", ("did", "handle", "displayName"), remote_id=DID),
    Case("sandbox", FOLLOWERS, "items", ("id", "name", "display_name")),
)
Found = list[list[RemoteFollower]]


class BareBooks:
    """A request's two entries and nothing else, as durable as those of a school."""

    def __init__(self, file: Path) -> None:
        self._conn = sqlite3.connect(file, isolation_level=None)
        self._conn.execute("pragma journal_mode=wal")
        self._conn.execute("create table spending (account integer primary key, micros integer, reserved integer)")

    def before(self, account: int) -> None:
        self._write(
            "full",
            "insert into spending values (?, 1, 1)"
            " on conflict (account) do update set micros = micros + 1, reserved = 1",
            account,
        )

    def after(self, account: int) -> None:
        self._write("normal", "update spending set reserved = 0 where account = ?", account)

    def _write(self, durable: str, sql: str, account: int) -> None:
        self._conn.execute(f"pragma synchronous={durable}")
        self._conn.execute("begin immediate")
        self._conn.execute(sql, (account,))
        self._conn.execute("commit")


def ours(case: Case, home: Home, info: PlatformInfo) -> Found:
    """Each account's followers, as a job reads them."""
    made = partial(platforms.adapter_class(info), info, handle=case.handle, remote_id=case.remote_id, access=Given())
    found = []
    for number in range(1, case.accounts + 1):
        adapter: Platform = made(meter=meter_of(home, info, number, now=NOW))
        if case.counts_first:
            adapter.profile()
        found.append(adapter.followers())
    return found


def bare(case: Case, base: str, targets: list[str], tls: ssl.SSLContext, books: BareBooks | None = None) -> Found:
    """The same; `targets` are one account's requests."""
    remote_id, handle, name = case.names
    found: Found = []
    for number in range(case.accounts):
        followers: list[RemoteFollower] = []
        headers = {"Authorization": f"Bearer {TOKEN}"}
        with httpx.Client(base_url=base, headers=headers, verify=tls, trust_env=False) as client:
            for target in targets:
                if books:
                    books.before(number)
                page = _listed(client.get(target).json(), case.listed)
                if books:
                    books.after(number)
                followers += [RemoteFollower(one[remote_id], one[handle], one[name]) for one in page]
        found.append(followers)
    return found


def _listed(page: Any, name: str) -> list[dict[str, Any]]:
    items = page.get(name) if name else page
    return items if isinstance(items, list) else []


def seconds(work: Callable[[], Found]) -> float:
    """Of processor time. What was left behind before is collected first, and is not looked through again."""
    gc.collect()
    gc.freeze()
    begun = time.process_time()
    work()
    return time.process_time() - begun


def asked(base: str) -> list[str]:
    """What the server was asked for since the last time."""
    told: list[str] = httpx.get(f"{base}/asked", trust_env=False).json()
    return told


def ratio(case: Case, home: Home, base: str, tls: ssl.SSLContext) -> float:
    """Ours by bare. Raises AssertionError where they did not ask, or did not find, the same."""
    shipped = home.settings.platforms[case.key]
    client = ApiClient(TOKEN, None)
    info = replace(shipped, api_base=base, index_base=base, directory_base=None, monthly_budget=BUDGET, client=client)
    asked(base)
    by_us, sent = ours(case, home, info), asked(base)
    targets = sent[: len(sent) // case.accounts]
    assert bare(case, base, targets, tls) == by_us
    assert asked(base) == sent
    assert len(by_us[0]) == case.followers
    print(f"  {case.key}: {len(targets)} requests for {case.followers:,} followers", file=sys.stderr)
    if "--profile" in sys.argv:
        cProfile.runctx("ours(case, home, info)", globals(), locals(), sort="tottime")

    def against(books: BareBooks | None) -> float:
        return median_ratio(
            lambda: seconds(lambda: ours(case, home, info)),
            lambda: seconds(lambda: bare(case, base, targets, tls, books)),
        )

    if not costs_money(info):
        return against(None)
    print(f"  {case.key}: {against(None):.3g} times a client that keeps no books", file=sys.stderr)
    return against(BareBooks(home.path / "bare.db"))


def busy_month(home: Home) -> None:
    """What was paid for other accounts until now."""
    with write(home.db) as db:
        for day in (home.today(NOW) - timedelta(days=days) for days in range(DAYS)):
            for account_id in range(100, 100 + OTHERS):
                for call in ("me", "followers", "following", "liked", "posts"):
                    reserve(db, "x", day, account_id, call, 10_000)
                    settle(db, "x", day, account_id, call, reserved=10_000, micros=10_000, items=1)


def main() -> int:
    chosen = [case for case in CASES if case.key in sys.argv] or CASES
    with served() as base, TemporaryDirectory() as folder:
        home = empty_school(Path(folder) / "home", 1)
        busy_month(home)
        tls = httpx.create_ssl_context()
        short = [tell(f"adapter_overhead_{case.key}", ratio(case, home, base, tls), "x", LIMIT) for case in chosen]
    return 1 if any(short) else 0


if __name__ == "__main__":
    sys.exit(main())
