"""The closing of an account, as a durable plan of steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from socialgov.models.words import StepDoer, StepName, StepState


@dataclass(frozen=True, slots=True)
class ClosingStep:
    id: int
    closing_id: int
    position: int
    name: StepName
    doer: StepDoer
    state: StepState
    not_before_at: datetime | None
    attempts: int
    last_error: str | None
    done_at: datetime | None
    done_by: int | None
    observation_id: int | None
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Closing:
    id: int
    account_id: int
    reason: str
    started_at: datetime
    started_by: int | None
    finished_at: datetime | None
