"""What happens by itself: JOBS, one pass over them, and the scheduler that makes passes.

A pass is a plain function of a home and a moment, so that it is tested and run by hand (`socialgov run-jobs`) without
the scheduler. Two schedulers running by mistake are harmless: each job is leased in job_run, and each change is
guarded by the state it starts from.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from socialgov.actions import (
    break_glass,
    closing,
    giving_up_keys,
    holding_back,
    observing,
    planning,
    posts,
    rechecking,
    recovery,
    reminders,
    retention,
    rotations,
    stretching,
)
from socialgov.actions.leases import give_back_job, take_job
from socialgov.actions.log import audit_log, sign_checkpoint
from socialgov.actions.mail import send_due_mail
from socialgov.actions.vault import shut_expired
from socialgov.errors import Conflict, SocialgovError, StoreError
from socialgov.lifecycle import due_transition
from socialgov.store.closings import accounts_whose_time_may_be_over, due_closings
from socialgov.store.jobs import accounts_to_check, job_run, watched_accounts
from socialgov.traces import without_words

if TYPE_CHECKING:
    from datetime import datetime

    from socialgov.home import Home
    from socialgov.models import Account

LOG = logging.getLogger(__name__)
T = TypeVar("T")
TICK = timedelta(minutes=1)
FEWEST_CHECKS = 50  # a pass, so that a small school's checks are never late


@dataclass
class Tally:
    """What one job did in one pass. `trouble` holds one line for each thing that failed, for people to read."""

    done: int = 0
    trouble: list[str] = field(default_factory=list)

    def each(self, pass_: Pass, things: Iterable[T], do: Callable[[T], object], name: Callable[[T], str]) -> None:
        """`do` each thing. A bad one is logged and never stops the rest; a change by somebody else is no trouble."""
        for thing in things:
            if pass_.stopping:
                return
            try:
                do(thing)
                self.done += 1
            except Conflict:
                LOG.info("%s was changed by somebody else meanwhile", name(thing))
            except SocialgovError as error:
                self._note(f"{name(thing)}: {error}")
            except Exception as error:
                # the text of an unexpected error may quote what was in hand, so only its kind is told
                self._note(f"{name(thing)}: something unexpected happened ({type(error).__name__})")
                LOG.debug("%s: %s", name(thing), without_words(error))

    def _note(self, line: str) -> None:
        LOG.error("%s", line)
        self.trouble.append(line)


@dataclass(frozen=True)
class Pass:
    """One pass: the home, its one moment, and whether it was asked to end early."""

    home: Home
    now: datetime
    stop: threading.Event | None = None

    @property
    def stopping(self) -> bool:
        return self.stop is not None and self.stop.is_set()


@dataclass(frozen=True, slots=True)
class JobReport:
    """How one job went: `done`, `held` by another scheduler, `not due`, `stopped`, or `failed` as a whole."""

    name: str
    outcome: str
    done: int = 0
    trouble: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PassReport:
    jobs: tuple[JobReport, ...]

    @property
    def whole(self) -> bool:
        """True where nothing failed."""
        return not any(job.trouble or job.outcome == "failed" for job in self.jobs)


@dataclass(frozen=True, slots=True)
class Job:
    name: str
    every: timedelta
    run: Callable[[Pass, Tally], None]


# --------------------------------------------------------------------------------------------------- the jobs


def close_due(pass_: Pass, tally: Tally) -> None:
    """Accounts whose time is over begin to close (LIF602, LIF604). lifecycle.due_transition decides."""
    home, now = pass_.home, pass_.now
    policy, zone = home.settings.policy, home.settings.zone
    confirmed_before = now - timedelta(days=policy.confirmation_days)
    found = accounts_whose_time_may_be_over(home.db, home.today(now), confirmed_before)
    due = [account for account in found if due_transition(account, now, zone, policy) is not None]

    def close(account: Account) -> None:
        reason = "Its end date is over." if account.ends_on else "Nobody confirmed that it is still needed."
        closing.start_closing(home, None, account.id, reason, now=now, account=account)

    tally.each(pass_, due, close, lambda account: f"account {account.id}")


def advance_closings(pass_: Pass, tally: Tally) -> None:
    """The machine's steps of running closings."""
    home, now = pass_.home, pass_.now
    due = due_closings(home.db, now)
    tally.each(pass_, due, lambda one: closing.advance(home, one, now=now), lambda one: f"closing {one}")


def settle_publishing(pass_: Pass, tally: Tally) -> None:
    """Posts whose fate a crash or a lost answer left open are settled by reading the account; those that waited for
    their pictures are tried once more.
    """
    posts.settle_publishing(pass_.home, pass_.now)
    holding_back.publish_held_back(pass_.home, pass_.now)


def plan_reads(pass_: Pass, tally: Tally) -> None:
    """Once a day, what is read of each account: where looks cost money, as far as the money reaches."""
    tally.done += planning.plan_reads(pass_.home, now=pass_.now)


def check_accounts(pass_: Pass, tally: Tally) -> None:
    """Look at the accounts whose check is due, a share of them a pass so that they spread over the day."""
    home, now = pass_.home, pass_.now
    passes = timedelta(hours=home.settings.policy.check_every_hours) / TICK
    share = max(FEWEST_CHECKS, round(2 * watched_accounts(home.db) / passes))
    due = accounts_to_check(home.db, now, share)
    tally.each(
        pass_, due, lambda account: observing.check_account(home, account, now=now), lambda one: f"account {one}"
    )


def begin_rotations(pass_: Pass, tally: Tally) -> None:
    """Passwords that are about to be too old are to be changed (SEC204)."""
    home, now = pass_.home, pass_.now
    due = rotations.passwords_to_rotate(home, now)
    tally.each(pass_, due, lambda one: rotations.begin_scheduled(home, one, now=now), lambda one: f"account {one}")


def end_keys(pass_: Pass, tally: Tally) -> None:
    """Keys of compromised accounts that their platform could not be asked to end at once (SEC204)."""
    home, now = pass_.home, pass_.now
    left = giving_up_keys.keys_to_end(home)
    tally.each(
        pass_, left, lambda one: giving_up_keys.end_given_up_key(home, one, now=now), lambda one: f"key of {one}"
    )


def remind(pass_: Pass, tally: Tally) -> None:
    """Before the end, before a standing account must be confirmed, of passwords to change and of the recovery drill."""
    home, now = pass_.home, pass_.now
    due = reminders.due_reminders(home, now)
    tally.each(pass_, due, lambda one: reminders.remind(home, one, now=now), lambda one: f"reminder {one.key}")
    drill = ["the drill"] if recovery.drill_is_due(home, now) else []
    tally.each(pass_, drill, lambda _: recovery.remind_to_drill(home, now=now), lambda one: f"reminder of {one}")


def recheck_deposits(pass_: Pass, tally: Tally) -> None:
    """After a change of the policy, what is deposited is measured by it (SEC202)."""
    counts = rechecking.recheck_deposits(pass_.home, pass_.now)
    tally.done += counts.total() if counts else 0


def stretch_fingerprints(pass_: Pass, tally: Tally) -> None:
    """What an earlier version kept to find a password that is used twice is made hard to guess from (SEC203)."""
    home = pass_.home
    old = stretching.to_stretch(home)
    tally.each(pass_, old, lambda one: stretching.stretch(home, one), lambda _: "a fingerprint")


def retain(pass_: Pass, tally: Tally) -> None:
    """What is no longer needed goes (DAT001)."""
    home, now = pass_.home, pass_.now
    drafts = retention.old_drafts(home, now)
    tally.each(pass_, drafts, lambda post: retention.empty_draft(home, post, now=now), lambda post: f"post {post[0]}")
    tally.each(pass_, retention.RETENTION, lambda one: retention.RETENTION[one](home, now), lambda one: f"old {one}")


def checkpoint(pass_: Pass, tally: Tally) -> None:
    """Check that the log is whole; if so, sign where it stands and mail that out of the house (OVS802)."""
    tally.each(pass_, ["log"], lambda _: _check_and_sign(pass_), lambda one: one)


def _check_and_sign(pass_: Pass) -> None:
    report = audit_log(pass_.home, None, now=pass_.now, by="job:checkpoint")
    if not report.whole:
        raise StoreError(f"The log is not whole: {report.fault}.", "Keep the file as evidence and tell the head.")
    sign_checkpoint(pass_.home, now=pass_.now)


def shut_vault(pass_: Pass, tally: Tally) -> None:
    """What held the vault open is overwritten once its time is over, and a broken glass ends."""
    home, now = pass_.home, pass_.now
    tally.done += shut_expired(home, now=now) + break_glass.end_if_over(home, now=now)


def send_mail(pass_: Pass, tally: Tally) -> None:
    """Last, so that what the pass queued leaves with it."""
    report = send_due_mail(pass_.home, now=pass_.now)
    tally.done += report.sent
    if report.trouble and pass_.home.settings.mail.host:
        tally.trouble.append(report.trouble)


JOBS: tuple[Job, ...] = (
    Job("shut vault", TICK, shut_vault),
    Job("close due accounts", TICK, close_due),
    Job("advance closings", TICK, advance_closings),
    Job("settle publishing", TICK, settle_publishing),
    # before the checks: after a weekend without a scheduler, rules DAT001 and OVS802 would say of every account that
    # the erasure and the check of the log, which are about to run, are late
    Job("retention", timedelta(days=1), retain),
    Job("checkpoint", timedelta(days=1), checkpoint),
    Job("plan reads", TICK, plan_reads),
    Job("check accounts", TICK, check_accounts),
    Job("recheck deposits", TICK, recheck_deposits),
    Job("stretch fingerprints", TICK, stretch_fingerprints),
    Job("begin rotations", timedelta(hours=1), begin_rotations),
    Job("end keys", timedelta(hours=1), end_keys),
    Job("remind", timedelta(hours=1), remind),
    Job("send mail", TICK, send_mail),
)


# --------------------------------------------------------------------------------------------------- a pass


def run_once(home: Home, now: datetime, *, due_only: bool = False, stop: threading.Event | None = None) -> PassReport:
    """One pass over JOBS at `now`; with `due_only` those whose time has come since their last run.

    1. take each job in the order of JOBS; 2. lease it, or leave it to whoever is at it; 3. run it: each account is its
    own transaction, a bad one is logged and the next one follows; 4. note how it went and let go of the lease.
    A killed pass loses nothing: what was committed stays, the lease runs out, and the next pass goes on from there.
    """
    home.refresh()
    pass_ = Pass(home, now, stop)
    return PassReport(tuple(_run(job, pass_, due_only) for job in JOBS))


def _run(job: Job, pass_: Pass, due_only: bool) -> JobReport:
    if pass_.stopping:
        return JobReport(job.name, "stopped")
    home, now = pass_.home, pass_.now
    if due_only and not _due(job, home, now):
        return JobReport(job.name, "not due")
    lease = take_job(home, job.name, now=now)
    if lease is None:
        return JobReport(job.name, "held")
    tally, outcome = Tally(), "done"
    try:
        job.run(pass_, tally)
    except Exception as error:
        said = str(error) if isinstance(error, SocialgovError) else f"something unexpected ({type(error).__name__})"
        tally.trouble.append(said)
        LOG.error("job %s failed: %s", job.name, said)
        outcome = "failed"
    give_back_job(home, job.name, lease, now=now, result=f"{outcome}: {tally.done}", trouble=tally.trouble)
    return JobReport(job.name, outcome, tally.done, tuple(tally.trouble))


def _due(job: Job, home: Home, now: datetime) -> bool:
    """Never run, long enough ago, or run in a future that the clock was moved back from."""
    last = job_run(home.db, job.name)
    return last is None or last.started_at is None or not last.started_at <= now < last.started_at + job.every


def run_scheduler(home: Home, tick: timedelta = TICK) -> None:
    """One process that makes a pass every `tick` until SIGTERM or SIGINT; then it ends after the account in hand."""
    from apscheduler.executors.pool import ThreadPoolExecutor
    from apscheduler.schedulers.blocking import BlockingScheduler

    stop = threading.Event()
    scheduler = BlockingScheduler(executors={"default": ThreadPoolExecutor(1)}, timezone="UTC")

    def make_pass() -> None:
        try:
            run_once(home, home.now(), due_only=True, stop=stop)
        except SocialgovError as error:
            LOG.error("this pass was given up: %s", error)

    def end(signum: int, frame: object) -> None:
        stop.set()
        if scheduler.running:
            scheduler.shutdown(wait=False)

    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, end)
    scheduler.add_job(make_pass, "interval", seconds=tick.total_seconds(), max_instances=1, coalesce=True)
    make_pass()
    if not stop.is_set():
        scheduler.start()
