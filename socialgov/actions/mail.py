"""Mail through a durable outbox: queued in the transaction of what it tells, sent afterwards, with back-off.

A message is sent at least once. Where the server's answer is lost, or this process dies between the answer and the
note of it, the message goes out again under the same Message-ID, by which mail programs know it for the same.
"""

from __future__ import annotations

import hashlib
import logging
import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime
from typing import TYPE_CHECKING

from socialgov.errors import Conflict
from socialgov.lifecycle import back_off
from socialgov.store.connect import write
from socialgov.store.events import EventTag, record_event
from socialgov.store.outbox import Mail, claim_mail, due_mail, finish_mail, insert_mail

if TYPE_CHECKING:
    from datetime import datetime

    from sqlite_utils import Database

    from socialgov.config import MailSettings
    from socialgov.home import Home

LOG = logging.getLogger(__name__)
ACTOR = "job:mail"
TIMEOUT_SECONDS = 30
BATCH = 200
MOST_ATTEMPTS = 14  # with back_off: about six days


@dataclass(frozen=True, slots=True)
class MailReport:
    """What one pass over the outbox did. `trouble` is the mail server's state in words, None where all is well."""

    sent: int = 0
    put_back: int = 0
    given_up: int = 0
    trouble: str | None = None


def queue_mail(
    db: Database, *, to: str, subject: str, body: str, dedupe_key: str, now: datetime, path: str | None = None
) -> int | None:
    """Put one message in the outbox, inside the caller's `write()`; None when `dedupe_key` was queued before.

    `path` is the page it is about: the link is written below the body when the message is sent. Mail leaves the
    house, so neither subject nor body may hold a secret or a child's name (DAT002).
    """
    one_line = " ".join(subject.split())
    mail_id = insert_mail(db, to=to, subject=one_line, body=body, path=path, dedupe_key=dedupe_key, now=now)
    if mail_id is not None:
        _record(db, EventTag.MAIL_QUEUED, mail_id, now)
    return mail_id


def send_due_mail(home: Home, *, now: datetime) -> MailReport:
    """Send what is due over one connection to the school's SMTP server.

    Without a server the messages wait. A refused address is given up, a server that cannot be reached or that says
    "later" is tried again with back-off; one message that fails never stops the others.
    """
    if not home.settings.mail.host:
        return MailReport(trouble="No mail server is set ([mail] host in school.toml), so mail waits.")
    mails = due_mail(home.db, now, BATCH)
    if not mails:
        return MailReport()
    try:
        server = connect_smtp(home.settings.mail)
    except (OSError, smtplib.SMTPException) as error:
        return MailReport(trouble=f"The mail server cannot be used ({type(error).__name__}), so mail waits.")
    outcomes: list[str] = []
    try:
        for mail in mails:
            outcome = _send_one(home, server, mail, now)
            outcomes.append(outcome)
            if outcome == "lost":
                break  # the connection is gone: the others keep their turn for the next pass
    finally:
        with suppress(OSError, smtplib.SMTPException):
            server.quit()
    lost = "The mail server broke off, so some mail waits." if "lost" in outcomes else None
    back = outcomes.count("put back") + outcomes.count("lost")
    return MailReport(outcomes.count("sent"), back, outcomes.count("given up"), lost)


def connect_smtp(settings: MailSettings) -> smtplib.SMTP:
    """A connection to the server, encrypted as chosen and signed in where a user name is set."""
    context = ssl.create_default_context()
    if settings.tls == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(settings.host, settings.port, timeout=TIMEOUT_SECONDS, context=context)
    else:
        server = smtplib.SMTP(settings.host, settings.port, timeout=TIMEOUT_SECONDS)
    try:
        if settings.tls == "starttls":
            server.starttls(context=context)
        if settings.username:
            server.login(settings.username, settings.password())
    except BaseException:
        server.close()
        raise
    return server


def message_of(home: Home, mail: Mail) -> EmailMessage:
    """The message as it leaves: the same each time it is made, link below the body, and no reply from machines."""
    settings = home.settings
    key = hashlib.sha256(f"{settings.school_id} {mail.id} {mail.dedupe_key}".encode()).hexdigest()[:40]
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = settings.mail.sender, mail.to_address, mail.subject
    message["Date"] = format_datetime(mail.queued_at)
    message["Message-ID"] = f"<{key}@{settings.mail.sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    link = f"\n\nOpen it here: {settings.base_url}{mail.path}" if mail.path else ""
    message.set_content(f"{mail.body}{link}\n\n{settings.school_name}\n")
    return message


def _send_one(home: Home, server: smtplib.SMTP, mail: Mail, now: datetime) -> str:
    """Claim, send and note one message; what became of it in a word or two."""
    with write(home.db) as db:
        claimed = claim_mail(db, mail, now)
    if claimed is None:
        return "in other hands"
    outcome, reason = "sent", ""
    try:
        server.send_message(message_of(home, claimed))
    except smtplib.SMTPServerDisconnected:
        outcome, reason = "lost", "The mail server broke off."
    except smtplib.SMTPException as error:
        outcome, reason = _refusal(error)
    except OSError as error:
        outcome, reason = "lost", f"The mail server cannot be reached ({type(error).__name__})."
    except ValueError:
        outcome, reason = "given up", "The address or the text cannot be sent as mail."
    try:
        _note(home, claimed, outcome, reason, now)
    except Conflict:
        LOG.info("mail %d is in other hands", mail.id)
    if outcome == "put back":
        with suppress(smtplib.SMTPException, OSError):
            server.rset()
    return outcome


def _refusal(error: smtplib.SMTPException) -> tuple[str, str]:
    """5xx is for good, all else for later. The server's own words may quote anything, so only its code is kept."""
    codes = [code for code, _ in error.recipients.values()] if isinstance(error, smtplib.SMTPRecipientsRefused) else []
    if isinstance(error, smtplib.SMTPResponseException):
        codes = [error.smtp_code]
    if codes and all(500 <= code < 600 for code in codes):
        return "given up", f"The mail server refuses this message for good ({codes[0]})."
    return "put back", f"The mail server does not take it now ({codes[0] if codes else type(error).__name__})."


def _note(home: Home, mail: Mail, outcome: str, reason: str, now: datetime) -> None:
    """What became of a message, with its event, in one transaction."""
    changes: dict[str, datetime | str | None]
    tag: EventTag | None
    if outcome == "sent":
        changes, tag = {"sent_at": now, "last_error": None}, EventTag.MAIL_SENT
    elif outcome == "given up" or mail.attempts >= MOST_ATTEMPTS:
        changes, tag = {"gave_up_at": now, "last_error": reason}, EventTag.MAIL_FAILED
    else:
        changes, tag = {"next_at": now + back_off(mail.attempts), "last_error": reason}, None
    with write(home.db) as db:
        finish_mail(db, mail, changes)
        if tag is not None:
            _record(db, tag, mail.id, now)


def _record(db: Database, tag: EventTag, mail_id: int, now: datetime) -> None:
    record_event(db, tag, actor=ACTOR, now=now, subject="mail", subject_id=mail_id)
