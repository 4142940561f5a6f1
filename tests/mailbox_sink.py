"""A mailbox for tests: an SMTP server on this machine that keeps every message and delivers none."""

from __future__ import annotations

import email
import email.policy
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.controller import Controller

MAIL_SECONDS = 20


@dataclass(frozen=True)
class Message:
    to: tuple[str, ...]
    subject: str
    body: str


@dataclass
class Mailbox:
    """Every message that any server of the test sent, whoever it was for."""

    messages: list[Message] = field(default_factory=list)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        body = message.get_body(("plain", "html"))
        text = body.get_content() if body else ""
        self.messages.append(Message(tuple(envelope.rcpt_tos), str(message["subject"]), text))
        return "250 OK"

    def for_address(self, address: str) -> list[Message]:
        return [message for message in self.messages if address in message.to]

    def has_code(self, address: str, subject: str) -> bool:
        return bool(self._codes(address, subject))

    def code(self, address: str, subject: str) -> str:
        """The newest code mailed to `address` under such a subject; waits for it."""
        until = time.monotonic() + MAIL_SECONDS
        while time.monotonic() < until:
            if codes := self._codes(address, subject):
                return codes[-1]
            time.sleep(0.05)
        raise AssertionError(f"no code came for {address}; there are {[m.subject for m in self.messages]}")

    def _codes(self, address: str, subject: str) -> list[str]:
        mailed = [message.body for message in self.for_address(address) if subject in message.subject]
        return [found[0] for body in mailed if (found := re.search(r"\b[A-Z2-7]{5}-[A-Z2-7]{5}\b", body))]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@contextmanager
def mailbox_on(port: int) -> Iterator[Mailbox]:
    mailbox = Mailbox()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()
