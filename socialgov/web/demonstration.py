"""The demonstration's clock: a visitor may move it on and see expiry happen. A real school has no such page."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from flask import Blueprint, flash, g, redirect, request, url_for
from werkzeug.exceptions import BadRequest

from socialgov.actions.demonstration import move_clock
from socialgov.web.access import signed_in

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

bp = Blueprint("demonstration", __name__, url_prefix="/demonstration")


@bp.post("/clock")
@signed_in
def clock() -> ResponseReturnValue:
    """Move the school's clock on by `hours`, or back to the real time with 0."""
    hours = request.form.get("hours", type=int)
    if hours is None:
        raise BadRequest
    move_clock(g.home, g.staff, timedelta(hours=min(hours, 100_000)), now=g.now)
    flash("The school's clock was moved. What is due happens at the next jobs pass, within a minute.", "success")
    return redirect(url_for("start.page"))
