"""The home page: what needs you today."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, render_template

from socialgov.web.access import signed_in

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

bp = Blueprint("start", __name__)


@bp.get("/")
@signed_in
def page() -> ResponseReturnValue:
    return render_template("start/page.html")
