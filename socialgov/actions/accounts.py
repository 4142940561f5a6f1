"""Everything that is done with an account, by verb. Each noun has its file; this is the list of them."""

from __future__ import annotations

from socialgov.actions.gate import go_live, record_setup, resume, suspend
from socialgov.actions.keepers import confirm_needed, hand_over, review
from socialgov.actions.requests import (
    amend_request,
    approve,
    as_request,
    decline,
    register_found,
    request_account,
    return_request,
    why_not_approvable,
    withdraw,
)
from socialgov.actions.tasks import Task, task_list

__all__ = [
    "Task",
    "amend_request",
    "approve",
    "as_request",
    "confirm_needed",
    "decline",
    "go_live",
    "hand_over",
    "record_setup",
    "register_found",
    "request_account",
    "resume",
    "return_request",
    "review",
    "suspend",
    "task_list",
    "why_not_approvable",
    "withdraw",
]
