"""The log is proven whole, or its first fault is named: changed, cut off, written anew (OVS802, OVS803)."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import sqlite3
import textwrap
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from factories import DOMAIN, NOW, SCHOOL_ID, make_home, staff
from hypothesis import given, settings
from hypothesis import strategies as st

from socialgov.actions.key_rotation import Change, take_over_all
from socialgov.actions.log import audit_log, checkpoint_text, read_checkpoint, sign_checkpoint, verify_log
from socialgov.errors import InvalidInput, NotPermitted
from socialgov.escrow import Escrow
from socialgov.home import Home
from socialgov.models import Role, Staff
from socialgov.store.checkpoints import Checkpoint
from socialgov.store.events import GENESIS, event_hash, events_page
from socialgov.store.rows import dicts


def as_intruder(home: Home, *statements: str) -> None:
    """What somebody with the file can do: drop the triggers and change what they like."""
    with sqlite3.connect(home.path / "school.db") as db:
        for table in ("event", "checkpoint"):
            db.execute(f"drop trigger {table}_no_update")
            db.execute(f"drop trigger {table}_no_delete")
        for statement in statements:
            db.execute(statement)


def rewrite_chain(home: Home, from_seq: int) -> None:
    """Make every hash from `from_seq` on fit again, as a careful forger would."""
    with sqlite3.connect(home.path / "school.db") as db:
        before = db.execute("select hash from event where seq < ? order by seq desc", (from_seq,)).fetchone()
        prev = before[0] if before else GENESIS
        for row in db.execute("select * from event where seq >= ? order by seq", (from_seq,)).fetchall():
            digest = event_hash(prev, *row[:8])
            db.execute("update event set prev_hash = ?, hash = ? where seq = ?", (prev, digest, row[0]))
            prev = digest


def test_a_new_school_has_a_whole_log(home: Home) -> None:
    report = verify_log(home)
    assert report.whole
    assert (report.count, report.checkpoints, report.newest_at) == (5, 0, None)


def test_a_checkpoint_is_signed_compared_and_mailed(home: Home, head: Staff) -> None:
    checkpoint = sign_checkpoint(home, now=NOW)
    assert checkpoint is not None
    report = verify_log(home)
    assert report.whole
    assert (report.checkpoints, report.newest_at) == (1, checkpoint.at)
    (mail,) = dicts(home.db, "select to_address, body from outbox")
    assert mail["to_address"] == head.email
    assert read_checkpoint(mail["body"]) == checkpoint


def test_nothing_is_signed_twice_when_nothing_happened(home: Home) -> None:
    assert sign_checkpoint(home, now=NOW) is not None
    assert sign_checkpoint(home, now=NOW) is None
    staff(home)
    assert sign_checkpoint(home, now=NOW) is not None


def test_without_a_head_the_checkpoint_goes_to_the_schools_contact(home: Home) -> None:
    sign_checkpoint(home, now=NOW)
    assert [mail["to_address"] for mail in dicts(home.db, "select to_address from outbox")] == [f"office@{DOMAIN}"]


def test_a_configured_address_gets_the_checkpoint_instead_of_the_heads(home: Home, head: Staff) -> None:
    choices = dataclasses.replace(home.settings, checkpoint_to="clerk@governors.example")
    other = Home(home.path, choices, home.escrow, clock=home.clock)
    sign_checkpoint(other, now=NOW)
    assert [mail["to_address"] for mail in dicts(home.db, "select to_address from outbox")] == [choices.checkpoint_to]


def test_a_changed_event_is_named(home: Home) -> None:
    as_intruder(home, "update event set actor = 'staff:9' where seq = 2")
    assert verify_log(home).fault == "event 2 was changed"


def test_a_missing_event_is_named(home: Home) -> None:
    as_intruder(home, "delete from event where seq = 2")
    assert verify_log(home).fault == "event 2 is missing"


def test_a_tail_that_was_cut_off_is_seen_by_the_checkpoint(home: Home) -> None:
    staff(home)
    sign_checkpoint(home, now=NOW)
    as_intruder(home, "delete from event where seq >= 4")
    fault = verify_log(home).fault
    assert fault is not None
    assert "cut off" in fault


def test_a_tail_that_was_written_anew_is_seen_by_the_checkpoint(home: Home) -> None:
    staff(home)
    sign_checkpoint(home, now=NOW)
    as_intruder(home, "update event set actor = 'staff:9' where seq = 2")
    rewrite_chain(home, 2)
    fault = verify_log(home).fault
    assert fault is not None
    assert "written anew" in fault


def test_only_the_mailed_checkpoint_sees_a_cut_that_took_the_checkpoints_too(home: Home) -> None:
    """The honest limit: whoever removes tail and checkpoints fools the database, and not the one who kept the mail."""
    staff(home)
    checkpoint = sign_checkpoint(home, now=NOW)
    assert checkpoint is not None
    mailed = checkpoint_text(home, checkpoint)
    as_intruder(home, "delete from event where seq >= 4", "delete from checkpoint")
    assert verify_log(home).whole
    fault = verify_log(home, mailed).fault
    assert fault is not None
    assert "cut off" in fault


def test_a_forged_checkpoint_is_not_this_schools(home: Home) -> None:
    sign_checkpoint(home, now=NOW)
    as_intruder(home, f"update checkpoint set head = '{'a' * 64}'")
    assert "not signed by this school" in (verify_log(home).fault or "")


@pytest.mark.parametrize(
    ("deed", "fault"),
    [
        ("update event set actor = 'staff:9' where seq = 3", "events up to 6 were written anew"),
        ("delete from event where seq > 3", "written anew"),
    ],
    ids=["changed", "cut off and written on"],
)
def test_whoever_has_the_schools_key_too_is_betrayed_by_the_mailed_checkpoint_alone(
    home: Home, deed: str, fault: str
) -> None:
    """The hosting firm can sign: the log in its hands is whole. What was mailed before is in other hands."""
    staff(home)
    checkpoint = sign_checkpoint(home, now=NOW)
    assert checkpoint is not None
    mailed = checkpoint_text(home, checkpoint)
    as_intruder(home, deed, "delete from checkpoint", "delete from outbox")
    rewrite_chain(home, 3)
    while sum(1 for _ in home.db.execute("select 1 from event")) < checkpoint.seq:
        staff(home)
    assert sign_checkpoint(home, now=NOW) is not None
    report = verify_log(home)
    assert (report.whole, report.checkpoints) == (True, 1)
    assert fault in (verify_log(home, mailed).fault or "")


def test_checkpoints_from_before_the_schools_key_was_changed_still_prove_the_log(home: Home) -> None:
    """Those that earlier versions signed too: they name the key of their time."""
    escrow, checkpoint = home.escrow, sign_checkpoint(home, now=NOW)
    assert checkpoint is not None
    older = dataclasses.replace(checkpoint, key_id=escrow.key_id)
    said = ["socialgov checkpoint", SCHOOL_ID, older.seq, older.head, older.at, older.key_id]
    older = dataclasses.replace(older, signature=escrow.sign(json.dumps(said).encode()))
    kept = [checkpoint_text(home, one) for one in (checkpoint, older)]
    staff(home)
    take_over_all(home, escrow.with_next_key(bytes([7]) * 32), Change(), now=NOW)
    after = Home(home.path, home.settings, escrow.with_next_key(bytes([7]) * 32), clock=home.clock)
    assert sign_checkpoint(after, now=NOW) is not None
    for mailed in kept:
        assert verify_log(after, mailed).fault is None
    as_intruder(home, "delete from event where seq >= 3", "delete from checkpoint")
    for mailed in kept:
        assert "cut off" in (verify_log(after, mailed).fault or "")


def test_a_checkpoint_of_another_key_is_told_apart(home: Home) -> None:
    checkpoint = sign_checkpoint(home, now=NOW)
    assert checkpoint is not None
    other = Home(home.path, home.settings, Escrow.from_key(bytes(32), SCHOOL_ID), clock=home.clock)
    assert "another key" in (verify_log(other, checkpoint_text(home, checkpoint)).fault or "")


@pytest.mark.parametrize("columns", [40, 78, 1000])
@pytest.mark.parametrize("quoted", ["", "> ", ">> "])
def test_a_mailed_checkpoint_is_read_as_people_save_it(home: Home, quoted: str, columns: int) -> None:
    checkpoint = sign_checkpoint(home, now=NOW)
    assert checkpoint is not None
    text = checkpoint_text(home, checkpoint)
    wrapped = "\n".join(
        quoted + part
        for line in text.splitlines()
        for part in (textwrap.wrap(line, columns, break_long_words=False, break_on_hyphens=False) or [""])
    )
    assert read_checkpoint(wrapped) == checkpoint
    assert read_checkpoint(wrapped.replace("\n", "\r\n")) == checkpoint


@pytest.mark.parametrize("encoding", ["quoted-printable", "base64", "8bit"])
def test_a_mailed_checkpoint_is_read_from_a_whole_saved_mail(home: Home, encoding: str) -> None:
    checkpoint = sign_checkpoint(home, now=NOW)
    assert checkpoint is not None
    message = EmailMessage()
    message["Subject"] = "The log"
    message["From"] = "socialgov@school.example"
    message.set_content(checkpoint_text(home, checkpoint) + "é", cte=encoding)
    assert read_checkpoint(message.as_bytes(policy=SMTP).decode("utf-8")) == checkpoint


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "socialgov-checkpoint",
        "socialgov-checkpoint {}",
        "socialgov-checkpoint {not json}",
        "socialgov-checkpoint " + json.dumps({"seq": "1", "head": "", "at": "", "key_id": "", "signature": ""}),
        "socialgov-checkpoint " + json.dumps({"seq": 2**70, "head": "", "at": "", "key_id": "", "signature": ""}),
        "socialgov-checkpoint " + json.dumps({"seq": 1, "head": 5, "at": "", "key_id": "", "signature": ""}),
        "socialgov-checkpoint " + json.dumps({"seq": 1, "extra": 1}),
    ],
)
def test_a_file_without_a_checkpoint_is_refused_with_a_mend(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_checkpoint(text)
    assert "Save the whole message" in caught.value.mend


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200), st.recursive(st.none() | st.integers() | st.text(), st.lists, max_leaves=5))
def test_any_text_is_read_or_refused(text: str, value: object) -> None:
    for content in (text, f"socialgov-checkpoint {{{text}}}", f"socialgov-checkpoint {json.dumps({'seq': value})}"):
        with contextlib.suppress(InvalidInput):
            assert isinstance(read_checkpoint(content), Checkpoint)


def test_whoever_verifies_the_log_is_logged_too(home: Home, head: Staff, teacher: Staff) -> None:
    assert audit_log(home, head, now=NOW).whole
    newest = events_page(home.db, before=None, tag=None, actor=None, limit=1)[0]
    assert (newest.tag, newest.actor, newest.data["whole"]) == ("log:chain:verified", f"staff:{head.id}", True)
    with pytest.raises(NotPermitted):
        audit_log(home, teacher, now=NOW)
    assert audit_log(home, staff(home, Role.GOVERNOR), now=NOW).whole


def test_a_broken_log_can_still_be_verified_and_says_so_in_itself(home: Home, head: Staff) -> None:
    as_intruder(home, "update event set at = '2020-01-01T00:00:00.000000Z' where seq = 1")
    report = audit_log(home, head, now=NOW)
    assert report.fault == "event 1 was changed"
    assert events_page(home.db, before=None, tag=None, actor=None, limit=1)[0].data["whole"] is False


def test_another_schools_checkpoint_proves_nothing_here(home: Home, tmp_path_factory: pytest.TempPathFactory) -> None:
    other_escrow = Escrow.from_key(bytes(range(1, 33)), "ab" * 16)
    other = make_home(tmp_path_factory.mktemp("other"), escrow=other_escrow)
    checkpoint = sign_checkpoint(other, now=NOW)
    assert checkpoint is not None
    assert verify_log(home, checkpoint_text(other, checkpoint)).fault is not None
