"""The log in plain words, with filters, and the button that checks that it is whole (OVS802, OVS803)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, g, render_template, request, url_for

from socialgov.actions.log import audit_log
from socialgov.permissions import check_can_view_log
from socialgov.store.accounts import account_names
from socialgov.store.events import actor_of, events_page
from socialgov.store.staff import staff_names
from socialgov.web.access import may
from socialgov.web.event_words import SUBJECTS, sentence

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

bp = Blueprint("log", __name__, url_prefix="/log")

PAGE_SIZE = 50


@bp.get("/")
@may(check_can_view_log)
def page() -> ResponseReturnValue:
    """Newest first; older pages by the number of the last event shown, so that new events shift nothing."""
    tag = request.args.get("tag") if request.args.get("tag") in SUBJECTS else None
    staff_id = request.args.get("staff", type=int)
    events = events_page(
        g.home.db,
        before=request.args.get("before", type=int),
        tag=f"{tag}:" if tag else None,
        actor=actor_of(staff_id) if staff_id else None,
        limit=PAGE_SIZE + 1,
    )
    shown, more = events[:PAGE_SIZE], len(events) > PAGE_SIZE
    kept = {"tag": tag, "staff": staff_id}
    return render_template(
        "log/page.html",
        events=shown,
        names=staff_names(g.home.db),
        handles=account_names(g.home.db, {event.account_id for event in shown if event.account_id}),
        subjects=SUBJECTS,
        tag=tag,
        staff_id=staff_id,
        sentence=sentence,
        older=url_for("log.page", before=shown[-1].seq, **kept) if more else None,
        newest=url_for("log.page", **kept) if request.args.get("before") else None,
    )


@bp.post("/verify")
@may(check_can_view_log)
def verify() -> ResponseReturnValue:
    """Recompute the chain and compare it with the signed checkpoints. That somebody looked is an event itself."""
    return render_template("log/verified.html", report=audit_log(g.home, g.staff, now=g.now))
