"""What is no longer needed goes by itself (DAT001), and nothing else does."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from closing_school import live_account, people_around
from factories import NOW, make_home, staff

from socialgov.actions.ceremonies import begin
from socialgov.actions.mail import queue_mail
from socialgov.actions.retention import RETENTION
from socialgov.actions.signin import make_signin_link, use_signin_link
from socialgov.actions.uploads import keep_upload, read_upload
from socialgov.errors import NotFound
from socialgov.home import Home
from socialgov.jobs import run_once
from socialgov.models import Role, Staff
from socialgov.store.connect import guarded_update, write
from socialgov.store.rows import dicts, moment_text, scalar


def files(home: Home) -> list[Path]:
    return [path for path in (home.path / "blobs").glob("*/*") if path.is_file()]


@pytest.mark.parametrize("state", ["draft", "waiting", "refused"])
def test_a_post_that_nobody_went_on_with_goes_with_its_photo_and_who_it_showed(home: Home, state: str) -> None:
    account = live_account(home, ends_on=None, review_on=None)
    people_around(home, account)
    with write(home.db) as db:
        db.execute("update media set post_id = (select id from post where state = 'draft')")
        db.execute("update post set state = ? where state = 'draft'", (state,))
    young = NOW - timedelta(days=20) + timedelta(days=home.settings.policy.draft_days)
    run_once(home, young)
    assert scalar(home.db, "select count(*) from post where state = ?", (state,)) == 1
    run_once(home, young + timedelta(days=1))
    assert scalar(home.db, "select text from post where state = 'discarded'") == ""
    assert scalar(home.db, "select count(*) from media") == 0
    assert scalar(home.db, "select count(*) from depiction") == 1  # of the published post
    assert len(files(home)) == 1  # the screenshot
    assert scalar(home.db, "select text from post where state = 'published'") == "Robin at the lake"


def test_used_links_go_after_a_month_and_ended_sessions_after_ninety_days(home: Home, teacher: Staff) -> None:
    token = make_signin_link(home, teacher.id, actor="cli", now=NOW).rsplit("/", 1)[-1]
    use_signin_link(home, token, now=NOW)
    session_id = scalar(home.db, "select id from session")
    with write(home.db) as db:
        for kind in ("person", "address"):
            db.execute("insert into signin_failure (kind, key_hash, at) values (?, 'x', ?)", (kind, moment_text(NOW)))
    begin(home, "passkey.confirm", {"challenge": "00"}, now=NOW, session_id=session_id)
    run_once(home, NOW + timedelta(days=35))
    assert scalar(home.db, "select count(*) from signin_link where used_at is not null") == 0
    assert scalar(home.db, "select count(*) from session") == 1
    assert scalar(home.db, "select count(*) from signin_failure") == 0
    assert scalar(home.db, "select count(*) from ceremony") == 0
    run_once(home, NOW + timedelta(days=92))
    assert scalar(home.db, "select count(*) from session") == 0


def test_sent_mail_loses_its_text_and_old_unsent_mail_is_given_up(home: Home) -> None:
    with write(home.db) as db:
        for key in ("sent", "unsent"):
            queue_mail(db, to=f"{key}@school.example", subject="s", body="some words", dedupe_key=key, now=NOW)
        guarded_update(db, "outbox", 1, {"sent_at": NOW})
    run_once(home, NOW + timedelta(days=15))
    rows = {
        row["dedupe_key"]: row for row in dicts(home.db, "select * from outbox where dedupe_key in ('sent', 'unsent')")
    }
    assert rows["sent"]["body"] == "some words"
    assert rows["unsent"]["gave_up_at"] is not None
    run_once(home, NOW + timedelta(days=91))
    assert scalar(home.db, "select body || to_address from outbox where dedupe_key = 'sent'") == ""
    with write(home.db) as db:
        again = queue_mail(db, to="a@school.example", subject="s", body="b", dedupe_key="sent", now=NOW)
    assert again is None  # its key is remembered


def test_the_log_is_signed_once_a_day_and_the_checkpoint_is_mailed(home: Home) -> None:
    run_once(home, NOW, due_only=True)
    run_once(home, NOW + timedelta(hours=1), due_only=True)
    assert scalar(home.db, "select count(*) from checkpoint") == 1
    run_once(home, NOW + timedelta(days=1), due_only=True)
    assert scalar(home.db, "select count(*) from outbox where dedupe_key like 'checkpoint:%'") >= 1


def test_a_file_whose_import_nobody_confirmed_is_erased_after_a_day(home: Home) -> None:
    sender = staff(home, Role.DATA_MANAGER)
    number = keep_upload(home, sender, b"ref,first name,last name\n1,Ada,Moss\n", now=NOW)
    run_once(home, NOW + timedelta(hours=23))
    assert read_upload(home, sender, number)
    run_once(home, NOW + timedelta(days=2))
    with pytest.raises(NotFound):
        read_upload(home, sender, number)
    assert scalar(home.db, "select count(*) from blob where purpose = 'import' and erased_at is null") == 0


def test_an_invitation_to_the_vault_that_nobody_used_in_time_is_overwritten(tmp_path: Path) -> None:
    home = make_home(tmp_path, joined=False)
    over = NOW + timedelta(hours=home.settings.policy.vault_invitation_hours)
    assert RETENTION["invitations"](home, over - timedelta(seconds=1)) == 0
    assert RETENTION["invitations"](home, over) == 1
    left = home.db.execute("select count(*) from vault_holder where wrapped is not null or sealed_public is not null")
    assert left.fetchone()[0] == 0
