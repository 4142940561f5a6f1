"""Two people at once, on a real file: one wins, the other reads that they were too late, and the log holds together."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier

from factories import NOW, vault_of
from walk import Cast, approved, deposited, form_of, live, ready, requested, set_up, tags

from socialgov.actions import accounts
from socialgov.actions.credentials import deposit, reveal
from socialgov.actions.extensions import ask_extension, decide_extension
from socialgov.errors import Conflict, InvalidInput
from socialgov.home import Home
from socialgov.models import AccountState, CredentialKind
from socialgov.store.accounts import account_by_id
from socialgov.store.credentials import credentials_of
from socialgov.store.events import verify_chain
from socialgov.store.waivers import extensions_of

S = AccountState
ROUNDS = 8


def at_once(*verbs: Callable[[], object]) -> list[object]:
    """What each verb gave, or the error it raised; all are let go at the same moment, each in its own thread."""
    start = Barrier(len(verbs))

    def run(verb: Callable[[], object]) -> object:
        start.wait()
        try:
            return verb()
        except (Conflict, InvalidInput) as error:
            return error

    with ThreadPoolExecutor(len(verbs)) as pool:
        return list(pool.map(run, verbs))


def conflicts(outcomes: list[object]) -> int:
    return sum(isinstance(outcome, Conflict) for outcome in outcomes)


def test_of_two_approvers_one_wins(home: Home, cast: Cast) -> None:
    for number in range(ROUNDS):
        account = requested(home, cast, form=form_of(cast, handle_wished=f"trip{number}"))
        outcomes = at_once(
            lambda: accounts.approve(home, cast.manager, account.id, now=NOW),  # noqa: B023
            lambda: accounts.decline(home, cast.head, account.id, "Not this term.", now=NOW),  # noqa: B023
        )
        assert conflicts(outcomes) == 1
        decisions = [tag for tag in tags(home, account) if tag.startswith("account:state:")]
        assert decisions == [f"account:state:{account_by_id(home.db, account.id).state}"]
    assert verify_chain(home.db).whole


def test_an_amended_request_is_not_approved_unread(home: Home, cast: Cast) -> None:
    for number in range(ROUNDS):
        account = requested(home, cast, form=form_of(cast, handle_wished=f"trip{number}"))
        form = form_of(cast, handle_wished=f"trip{number}", purpose="Something quite different")
        outcomes = at_once(
            lambda: accounts.approve(home, cast.head, account.id, now=NOW, seen_version=account.version),  # noqa: B023
            lambda: accounts.amend_request(home, cast.owner, account.id, form, now=NOW),  # noqa: B023
        )
        assert conflicts(outcomes) == 1
        after = account_by_id(home.db, account.id)
        assert (after.state is S.APPROVED) == (after.purpose == account.purpose)


def test_an_account_that_is_suspended_while_it_goes_live_ends_up_as_the_log_says(home: Home, cast: Cast) -> None:
    account = live(home, cast)
    at_once(
        lambda: accounts.suspend(home, cast.manager, account.id, "Odd.", now=NOW),
        lambda: accounts.suspend(home, cast.owner, account.id, "Odd.", now=NOW),
        lambda: accounts.suspend(home, cast.head, account.id, "Odd.", now=NOW),
    )
    assert tags(home, account).count("account:state:suspended") == 1


def test_the_gate_opens_once(home: Home, cast: Cast) -> None:
    account = ready(home, cast)
    go = lambda: accounts.go_live(home, cast.owner, account.id, now=NOW)  # noqa: E731
    assert conflicts(at_once(go, go, go)) == 2
    assert tags(home, account).count("account:state:live") == 1


def test_two_handles_cannot_be_asked_for_at_once(home: Home, cast: Cast) -> None:
    ask = lambda: accounts.request_account(home, cast.owner, form_of(cast), now=NOW)  # noqa: E731
    outcomes = at_once(ask, ask, ask, ask)
    assert sum(isinstance(outcome, InvalidInput) for outcome in outcomes) == 3


def test_one_longer_life_is_asked_for_and_decided_once(home: Home, cast: Cast) -> None:
    account, until = live(home, cast), date(2026, 12, 20)
    ask = lambda: ask_extension(home, cast.owner, account.id, until, "Longer.", now=NOW)  # noqa: E731
    assert conflicts(at_once(ask, ask)) == 1
    (asked,) = extensions_of(home.db, account.id)
    outcomes = at_once(
        lambda: decide_extension(home, cast.manager, asked.id, True, "", now=NOW),
        lambda: decide_extension(home, cast.head, asked.id, False, "No.", now=NOW),
    )
    assert conflicts(outcomes) == 1
    granted = extensions_of(home.db, account.id)[0].approved
    assert (account_by_id(home.db, account.id).ends_on == until) == granted


def test_of_many_deposits_one_is_in_force_and_all_are_on_record(home: Home, cast: Cast) -> None:
    account = set_up(home, cast, approved(home, cast))
    secrets = [f"Ueb{n}!perky-Lantern{n}{n}x{n}-Quartz" for n in range(4)]
    put = [lambda s=s: deposited(home, cast, account, secret=s) for s in secrets]  # type: ignore[misc]
    assert at_once(*put) == [None] * 4
    kept = [c for c in credentials_of(home.db, account.id) if c.kind is CredentialKind.PASSWORD]
    assert len(kept) == 4
    assert sum(c.superseded_at is None for c in kept) == 1
    assert reveal(home, cast.manager, vault_of(home), account.id, "To compare each of them.", now=NOW) in secrets


def test_the_same_password_is_not_taken_for_two_accounts_at_once(home: Home, cast: Cast) -> None:
    one = set_up(home, cast, approved(home, cast))
    two = set_up(home, cast, approved(home, cast, form=form_of(cast, handle_wished="history.trip")))
    outcomes = at_once(*[
        lambda a=a: deposit(  # type: ignore[misc]
            home, cast.owner, a.id, username=a.name, secret="Ueb9!perky-Lantern-07", email="t@school.example", now=NOW
        )
        for a in (one, two)
    ])  # fmt: skip
    assert sum(isinstance(outcome, InvalidInput) for outcome in outcomes) == 1


def _decide(home: Home, cast: Cast, ids: list[int], approver: str, queue) -> None:  # type: ignore[no-untyped-def]
    mine = Home(home.path, home.settings, home.escrow, home.clock)  # this process's own connection
    found: Counter[str] = Counter()
    for account_id in ids:
        try:
            accounts.approve(mine, getattr(cast, approver), account_id, now=NOW)
            found["won"] += 1
        except Conflict:
            found["lost"] += 1
    queue.put(found)


def test_processes_too_decide_each_request_once(home: Home, cast: Cast) -> None:
    ids = [requested(home, cast, form=form_of(cast, handle_wished=f"trip{n}")).id for n in range(12)]
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    workers = [context.Process(target=_decide, args=(home, cast, ids, who, queue)) for who in ("manager", "head") * 2]
    for worker in workers:
        worker.start()
    total = sum((queue.get(timeout=60) for _ in workers), Counter())
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    assert total == {"won": 12, "lost": 36}
    assert {account_by_id(home.db, one).state for one in ids} == {S.APPROVED}
    assert verify_chain(home.db).whole
