"""The scheduler as a process of its own: it works, ends on SIGTERM, and loses nothing to kill -9."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from closing_school import crowd_of_accounts, events, live_account
from factories import NOW

from socialgov.home import Home
from socialgov.jobs import run_once
from socialgov.store.events import verify_chain
from socialgov.store.rows import scalar

# the fixed key of the tests, and a clock that stands where the tests' does
SCHEDULER = """
import sys
sys.path.insert(0, sys.argv[2])
from pathlib import Path
from factories import ESCROW, NOW
from socialgov.config import load_settings
from socialgov.home import Home
from socialgov.jobs import run_scheduler
root = Path(sys.argv[1])
run_scheduler(Home(root, load_settings(root), ESCROW, clock=lambda: NOW))
"""


@contextmanager
def scheduler(home: Home) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", SCHEDULER, str(home.path), str(Path(__file__).parent)])
    try:
        yield process
    finally:
        process.kill()
        process.wait(timeout=10)


def wait_until(true: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def closing(home: Home) -> int:
    return int(scalar(home.db, "select count(*) from account where state = 'closing'"))


def test_the_scheduler_makes_a_pass_and_ends_on_sigterm(home: Home) -> None:
    live_account(home, platform="instagram")
    with scheduler(home) as process:
        wait_until(lambda: scalar(home.db, "select finished_at from job_run where name = 'send mail'") is not None)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
    assert closing(home) == 1
    assert scalar(home.db, "select count(*) from job_run where claimed_until is not null") == 0


def test_sigterm_in_the_middle_of_a_pass_ends_after_the_account_in_hand(home: Home) -> None:
    live_account(home, platform="instagram")
    crowd_of_accounts(home, due=1_999, others=0)
    with scheduler(home) as process:
        wait_until(lambda: closing(home) > 5)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
    assert 5 < closing(home) < 2_000
    assert scalar(home.db, "select count(*) from job_run where claimed_until is not null") == 0


@pytest.mark.parametrize("after", [1, 40, 150])
def test_kill_9_in_the_middle_of_a_pass_is_made_good_by_the_next(home: Home, after: int) -> None:
    live_account(home, platform="instagram")
    crowd_of_accounts(home, due=299, others=0)
    with scheduler(home) as process:
        wait_until(lambda: closing(home) >= after)
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=10)
    assert after <= closing(home) < 300
    run_once(home, NOW + timedelta(minutes=11))
    assert closing(home) == 300
    assert len(events(home, "account:state:closing")) == 300
    assert scalar(home.db, "select count(*) from closing") == 300
    assert scalar(home.db, "select count(*) - count(distinct dedupe_key) from notice") == 0
    assert verify_chain(home.db).whole


def test_two_schedulers_by_mistake_do_everything_once(home: Home) -> None:
    live_account(home, platform="instagram")
    crowd_of_accounts(home, due=199, others=0)
    with scheduler(home), scheduler(home):
        wait_until(lambda: closing(home) == 200)
    assert len(events(home, "account:state:closing")) == 200
    assert verify_chain(home.db).whole
