"""LIF606: what was held about people for an account's sake goes with it. The log stays: it holds ids only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from socialgov.actions.blobs import erase_blob
from socialgov.actions.closing_steps import JOB, Work, finish_step
from socialgov.actions.credentials import destroy_credentials
from socialgov.errors import StoreError
from socialgov.store.connect import write
from socialgov.store.erasing import blobs_to_erase, forget_people, people_still_held, truncate_wal
from socialgov.store.events import EventTag, record_event

if TYPE_CHECKING:
    from sqlite_utils import Database


def erase_people(work: Work) -> None:
    """Followers, audience, depictions, photos, texts, screenshots and every credential of the account.

    Files first, then the secrets, then the rows in the transaction that finishes the step: a crash on the way leaves
    the step open, and all of it is done again, which changes nothing that is gone already. The screenshots that prove
    the end are kept: they show that nothing is there, and the certificate names their hashes.
    """
    home, account, now = work.home, work.account, work.now
    blobs = blobs_to_erase(home.db, account.id)
    for blob_id in blobs:
        erase_blob(home, blob_id, now)
    destroy_credentials(home, account.id, now=now, actor=JOB)
    with write(home.db) as db:
        counts = {**forget_people(db, account.id), "files": len(blobs)}
        _assert_gone(db, account.id)
        record_event(
            db,
            EventTag.PEOPLE_ERASED,
            actor=JOB,
            now=now,
            subject="account",
            subject_id=account.id,
            account_id=account.id,
            data=counts,
        )
        finish_step(work, db, None, data={"erased": counts})
    truncate_wal(home.db)


def _assert_gone(db: Database, account_id: int) -> None:
    """A fresh look before the step counts as done, as every step has one."""
    left = people_still_held(db, account_id)
    if left:
        raise StoreError(f"{left} records about people are still held for this account.", "It is tried again.")
