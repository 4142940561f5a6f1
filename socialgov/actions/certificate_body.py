"""What a certificate of deletion says. Ids and hashes only: it is kept for good and handed to parents."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from socialgov.actions.closing_steps import Work
from socialgov.lifecycle import PROOFS
from socialgov.models import ClosingStep, Observation, Presence, Source, StepName
from socialgov.store.checkpoints import newest_event
from socialgov.store.closings import closing_by_id, evidence_hashes, step_observations, steps_of
from socialgov.store.events import GENESIS
from socialgov.store.rows import moment_text
from socialgov.store.staff import staff_by_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlite_utils import Database

CONTENT = b"socialgov certificate of deletion 1\n"  # what the signature is over begins with what it is

ALWAYS_UNSEEN = (
    "Copies that other people made: saved pictures, screenshots, quotes.",
    "Backups that the platform itself keeps.",
)


def canonical(body: Any) -> str:
    """One text for one content: keys sorted, no spaces, nothing escaped but what JSON must. ValueError for NaN."""
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def certificate_body(work: Work, db: Database) -> dict[str, Any]:
    """Everything the closing saw, read inside the transaction that issues the certificate."""
    home, account, closing_id = work.home, work.account, work.step.closing_id
    closing, steps = closing_by_id(db, closing_id), steps_of(db, closing_id)
    observations, hashes = step_observations(db, closing_id), evidence_hashes(db, closing_id)
    seq, head = newest_event(db) or (0, GENESIS)
    return {
        "what": "certificate of deletion",
        "version": 1,
        "school": {
            "name": home.settings.school_name,
            "contact": home.settings.contact,
            "public_key": home.escrow.public_key(),
            "key_id": home.escrow.key_id,
        },
        "account": {
            "id": account.id,
            "platform": work.platform.name,
            "handle": account.handle,
            "remote_id": account.remote_id,
            "kind": account.kind.value,
            "was_live": _when(account.live_at),
            "ends_on": account.ends_on.isoformat() if account.ends_on else None,
        },
        "closing": {
            "started_at": _when(closing.started_at),
            "started_by": _who(db, closing.started_by),
            "issued_at": _when(work.now),
        },
        "steps": [_step(db, step, observations, hashes) for step in steps if step.name is not StepName.CERTIFICATE],
        "erased": next((dict(s.detail.get("erased", {})) for s in steps if s.name is StepName.ERASE_PEOPLE), {}),
        "not_seen": list(_unseen(work, steps, observations)),
        "log": {"events": seq, "head": head},
    }


def _step(
    db: Database, step: ClosingStep, observations: Mapping[int, Observation], hashes: Mapping[int, str]
) -> dict[str, Any]:
    """One step: when it was done and by whom, and what was seen for it, where something was."""
    told: dict[str, Any] = {"step": step.name.value, "done_at": _when(step.done_at), "done_by": _who(db, step.done_by)}
    seen = observations.get(step.observation_id or 0)
    if seen is not None:
        told["seen"] = {
            "fact": seen.fact.value,
            "value": seen.value,
            "at": _when(seen.observed_at),
            "source": seen.source.value,
            "by": _who(db, seen.observed_by),
            "evidence_sha256": hashes.get(seen.id),
        }
    return told


def _who(db: Database, staff_id: int | None) -> str:
    """Role and number, no name: the register tells who it was, for as long as the school keeps it."""
    if staff_id is None:
        return "the machine"
    roles = ", ".join(sorted(role.value.replace("_", " ") for role in staff_by_id(db, staff_id).roles))
    return f"staff {staff_id} ({roles or 'no role now'})"


def _unseen(work: Work, steps: list[ClosingStep], observations: Mapping[int, Observation]) -> list[str]:
    """What this certificate cannot vouch for, in plain sentences."""
    if work.account.handle is None and work.account.remote_id is None:
        return ["No account was recorded on the platform, so there was nothing there to look at."]
    said = []
    for step in steps:
        seen = observations.get(step.observation_id or 0)
        if seen is None and step.name in PROOFS:
            said.append(f"Nobody could look whether this had its effect: {step.name.value.replace('_', ' ')}.")
        elif seen is not None and seen.source is Source.ATTESTED:
            said.append(
                f"No machine could look at this; a person's word is the evidence: {step.name.value.replace('_', ' ')}."
            )
    if not any(seen.value == Presence.GONE for seen in observations.values()):
        said.append("That the account is gone for good was not seen.")
    return [*said, *ALWAYS_UNSEEN]


def _when(moment: Any) -> str | None:
    return None if moment is None else moment_text(moment)
