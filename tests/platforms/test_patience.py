"""Who waits too long for the head of an answer is cut off, and nobody else (platforms/patience.py)."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from socialgov.platforms.patience import Patience

HEAD = "http11.receive_response_headers."


class Line:
    """What httpx hands over when a connection is opened."""

    def __init__(self, end: socket.socket) -> None:
        self.end = end

    def get_extra_info(self, _: str) -> socket.socket:
        return self.end


@contextmanager
def waiting(seconds: float) -> Iterator[tuple[Patience, socket.socket]]:
    """Somebody who waits for a head, and the line that they wait at."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(5)
        patience = Patience(seconds)
        patience("connection.connect_tcp.complete", {"return_value": Line(ours)})
        patience(f"{HEAD}started", {})
        yield patience, ours
        patience(f"{HEAD}failed", {})


def test_who_came_later_and_waits_for_less_is_cut_first_and_the_other_goes_on() -> None:
    with waiting(60) as (_, long), waiting(0.01) as (_, short):
        assert short.recv(1) == b""  # its line is dead
        assert long.send(b"x") == 1


def test_whoever_had_an_answer_in_time_keeps_the_line() -> None:
    with waiting(0.01) as (served, kept), waiting(0.05) as (_, cut):
        served(f"{HEAD}complete", {})
        assert cut.recv(1) == b""
        assert kept.send(b"x") == 1


def test_a_forked_process_watches_for_itself() -> None:
    with waiting(60):
        child = os.fork()
        if child == 0:
            with waiting(0.01) as (_, line):
                os._exit(0 if line.recv(1) == b"" else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
