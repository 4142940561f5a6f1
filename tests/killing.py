"""kill -9 at a chosen point: work runs in a forked process that is killed before a COMMIT, a BEGIN or a network's deed.

A point is crossed whenever the database is about to begin or commit a transaction and whenever the recording network
is about to do or has just done something. So points lie before, within and after everything that lasts.
"""

from __future__ import annotations

import os
import shutil
import signal
import traceback
from collections.abc import Callable
from pathlib import Path

import closing_fakes

from socialgov.home import Home

Work = Callable[[Home], object]


def killed_at(point: int, home: Home, work: Work) -> bool:
    """Do `work` in another process and kill it at its `point`-th crossing; False when it ended before that."""
    child = os.fork()
    if child == 0:
        _work_until(point, home, work)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0, "the work itself failed"
    return False


def _work_until(point: int, home: Home, work: Work) -> None:
    """In the child: never returns."""
    crossed = 0

    def cross(_: object = None) -> None:
        nonlocal crossed
        crossed += 1
        if crossed == point:
            os.kill(os.getpid(), signal.SIGKILL)

    try:
        own = Home(home.path, home.settings, home.escrow, home.clock)  # its own connection
        not_waiting_for_the_disk(own)
        own.db.conn.set_trace_callback(lambda sql: cross() if sql.startswith(("BEGIN", "COMMIT")) else None)
        closing_fakes.crossing = cross
        work(own)
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def copy_of(home: Home, place: Path) -> Home:
    """The same school in another folder. Nobody may be writing to it."""
    home.db.conn.execute("pragma wal_checkpoint(truncate)")
    shutil.copytree(home.path, place)
    return not_waiting_for_the_disk(Home(place, home.settings, home.escrow, home.clock))


def not_waiting_for_the_disk(home: Home) -> Home:
    """What a killed process wrote is with the system already: only a power cut could tell the difference."""
    home.db.conn.execute("pragma synchronous=off")
    return home
