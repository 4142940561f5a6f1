"""Mail through the outbox, against a real SMTP server that takes, refuses, puts off, breaks off or is not there."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes
from socket import socket
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from closing_school import events, live_account, with_mail
from factories import NOW
from killing import copy_of, killed_at

from socialgov.actions.mail import MOST_ATTEMPTS, queue_mail, send_due_mail
from socialgov.actions.notices import notify, open_notices, read_notice
from socialgov.errors import NotFound
from socialgov.home import Home
from socialgov.store.connect import write
from socialgov.store.outbox import due_mail, waiting_mail
from socialgov.store.rows import dicts, scalar


class Sink:
    """A mailbox that keeps what it takes; addresses that begin with `no`, `later` or `cut` are answered so."""

    def __init__(self) -> None:
        self.taken: list[Any] = []

    async def handle_RCPT(self, server, session, envelope, address, options) -> str:
        if address.startswith("no"):
            return "550 no such mailbox, and some private words"
        if address.startswith("later"):
            return "451 try later"
        if address.startswith("cut"):
            server.transport.close()
            return "421 bye"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope) -> str:
        self.taken.append(message_from_bytes(envelope.content))
        return "250 OK"

    @property
    def subjects(self) -> list[str]:
        return [message["Subject"] for message in self.taken]


@pytest.fixture
def sink() -> Iterator[tuple[Sink, int]]:
    handler = Sink()
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield handler, port
    finally:
        controller.stop()


def at_server(home: Home, port: int) -> Home:
    return with_mail(home, host="127.0.0.1", port=port, sender="socialgov@school.example", tls="none")


@pytest.fixture
def school(home: Home, sink: tuple[Sink, int]) -> Home:
    return at_server(home, sink[1])


def queued(home: Home, *addresses: str, path: str | None = None) -> None:
    with write(home.db) as db:
        for number, to in enumerate(addresses):
            queue_mail(db, to=to, subject=f"To {to}", body="A body.", dedupe_key=f"{to}:{number}", now=NOW, path=path)


def test_a_message_arrives_with_its_link_and_says_that_a_machine_sent_it(school: Home, sink) -> None:
    queued(school, "a@school.example", path="/accounts/7")
    assert send_due_mail(school, now=NOW).sent == 1
    (message,) = sink[0].taken
    assert message["To"] == "a@school.example"
    assert message["Auto-Submitted"] == "auto-generated"
    assert f"Open it here: {school.settings.base_url}/accounts/7" in message.get_payload()
    assert send_due_mail(school, now=NOW).sent == 0
    assert len(events(school, "mail:message:sent")) == 1


def test_the_same_key_is_queued_once(school: Home) -> None:
    with write(school.db) as db:
        assert queue_mail(db, to="a@school.example", subject="x", body="y", dedupe_key="k", now=NOW) is not None
        assert queue_mail(db, to="a@school.example", subject="x", body="y", dedupe_key="k", now=NOW) is None
    assert len(events(school, "mail:message:queued")) == 1


def test_a_subject_cannot_smuggle_in_another_header(school: Home, sink) -> None:
    with write(school.db) as db:
        queue_mail(db, to="a@school.example", subject="Hello\r\nBcc: x@y.example", body="y", dedupe_key="k", now=NOW)
    assert send_due_mail(school, now=NOW).sent == 1
    assert sink[0].taken[0]["Bcc"] is None


def test_a_refused_address_is_given_up_and_the_others_arrive(school: Home, sink) -> None:
    queued(school, "nobody@school.example", "a@school.example")
    report = send_due_mail(school, now=NOW)
    assert (report.sent, report.given_up) == (1, 1)
    assert sink[0].subjects == ["To a@school.example"]
    (row,) = dicts(school.db, "select last_error from outbox where gave_up_at is not null")
    assert row["last_error"] == "The mail server refuses this message for good (550)."
    assert len(events(school, "mail:message:failed")) == 1


def test_a_message_that_is_put_off_is_tried_again_later_and_later(school: Home) -> None:
    queued(school, "later@school.example")
    now, waits = NOW, []
    for _ in range(3):
        assert send_due_mail(school, now=now).put_back == 1
        assert due_mail(school.db, now, 10) == []
        next_at = scalar(school.db, "select next_at from outbox")
        (mail,) = due_mail(school.db, now + timedelta(days=2), 10)
        waits.append(mail.attempts)
        from socialgov.store.rows import moment

        now = moment(next_at)
    assert waits == [1, 2, 3]


def test_a_message_is_given_up_in_the_end(school: Home) -> None:
    queued(school, "later@school.example")
    now = NOW
    for _ in range(MOST_ATTEMPTS):
        send_due_mail(school, now=now)
        now += timedelta(days=1, minutes=1)
    assert waiting_mail(school.db) == 0
    assert len(events(school, "mail:message:failed")) == 1


def test_a_lost_connection_loses_no_message(school: Home, sink) -> None:
    queued(school, "cut@school.example", "a@school.example")
    report = send_due_mail(school, now=NOW)
    assert report.sent == 0
    assert report.trouble
    assert waiting_mail(school.db) == 2
    assert send_due_mail(school, now=NOW).sent == 1
    assert sink[0].subjects == ["To a@school.example"]


def test_a_server_that_is_not_there_leaves_everything_waiting(home: Home) -> None:
    school = at_server(home, 9)
    queued(school, "a@school.example")
    report = send_due_mail(school, now=NOW)
    assert report.trouble and report.sent == 0
    assert scalar(school.db, "select attempts from outbox") == 0


def test_mail_waits_rather_than_leave_unencrypted(school: Home, sink) -> None:
    for tls in ("starttls", "tls"):
        locked = with_mail(school, tls=tls)  # the sink offers neither
        queued(locked, f"a{tls}@school.example")
        assert send_due_mail(locked, now=NOW).trouble
    assert sink[0].taken == []
    assert waiting_mail(school.db) == 2


def test_without_a_server_mail_waits(home: Home) -> None:
    queued(home, "a@school.example")
    assert "No mail server" in (send_due_mail(home, now=NOW).trouble or "")
    assert waiting_mail(home.db) == 1


def test_two_senders_at_once_send_each_message_once(school: Home, sink) -> None:
    queued(school, *(f"a{number}@school.example" for number in range(30)))
    gate = threading.Barrier(3)

    def send() -> None:
        own = Home(school.path, school.settings, school.escrow, school.clock)
        gate.wait()
        send_due_mail(own, now=NOW)

    threads = [threading.Thread(target=send) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(sink[0].subjects) == sorted(f"To a{number}@school.example" for number in range(30))


def test_a_sender_killed_at_any_point_loses_nothing_and_repeats_only_under_the_same_id(
    school: Home, sink, tmp_path
) -> None:
    queued(school, "a@school.example", "b@school.example")
    point, killed = 0, True
    while killed:
        point += 1
        sink[0].taken.clear()
        copy = copy_of(school, tmp_path / f"point{point}")
        killed = killed_at(point, copy, lambda own: send_due_mail(own, now=NOW))
        send_due_mail(copy, now=NOW + timedelta(minutes=11))
        assert waiting_mail(copy.db) == 0
        ids = [message["Message-ID"] for message in sink[0].taken]
        assert len(set(ids)) == 2, f"killed at point {point}"
        assert len(ids) <= 3, f"killed at point {point}"
        copy.db.close()
    assert point > 8


def test_a_notice_is_given_and_mailed_once_and_read_by_its_owner_alone(home: Home, teacher, head) -> None:
    account = live_account(home)
    for _ in range(2):
        with write(home.db) as db:
            notify(db, staff_id=teacher.id, kind="reminder", text="It ends soon. Look.", dedupe_key="k", now=NOW,
                   account_id=account.id)  # fmt: skip
    (notice,) = open_notices(home.db, teacher.id)
    assert [row["subject"] for row in dicts(home.db, "select subject from outbox")] == ["It ends soon"]
    with pytest.raises(NotFound):
        read_notice(home, head, notice.id, now=NOW)
    read_notice(home, teacher, notice.id, now=NOW)
    assert open_notices(home.db, teacher.id) == []
