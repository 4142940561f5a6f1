"""Decide on a request: approve it, send it back, or decline it. Never one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, flash, g, redirect, url_for
from flask_wtf import FlaskForm
from wtforms import HiddenField, RadioField, TextAreaField
from wtforms.validators import InputRequired

from socialgov.actions.request_checks import request_notes
from socialgov.actions.requests import approve, decline, return_request, why_not_approvable
from socialgov.errors import InvalidInput
from socialgov.permissions import check_can_decide
from socialgov.store.staff import staff_names
from socialgov.web.access import may_account
from socialgov.web.account_view import request_rows
from socialgov.web.forms import REASON_LENGTH, options, page, saved, shorter, strip

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

bp = Blueprint("decisions", __name__, url_prefix="/accounts")

DONE = {
    "approve": "The request is approved. Owner and deputy are told to set the account up.",
    "return": "The request was sent back with your reason.",
    "decline": "The request is declined. Who asked is told.",
}


class DecideForm(FlaskForm):
    decision = RadioField(
        "Your decision",
        choices=options(
            (("approve", "Approve it"), ("return", "Send it back to be changed"), ("decline", "Decline it"))
        ),
        validators=[InputRequired("Choose what you decide.")],
    )
    reason = TextAreaField(
        "Reason",
        description="Needed to send it back or to decline it. Who asked for the account reads it.",
        filters=[strip],
        validators=[shorter("Reason", REASON_LENGTH)],
    )
    seen_version = HiddenField()


@bp.route("/<int:account_id>/decide", methods=["GET", "POST"])
@may_account(check_can_decide, policy=True)
def decide(account_id: int) -> ResponseReturnValue:
    form = DecideForm()
    if saved(form, lambda: _decide(form, account_id)):
        flash(DONE[form.decision.data], "success")
        return redirect(url_for("accounts.page", account_id=account_id))
    form.seen_version.data = form.seen_version.data or str(g.account.version)
    return page(
        "decisions/decide.html",
        form,
        account=g.account,
        about=request_rows(g.account, staff_names(g.home.db)),
        notes=request_notes(g.home.settings, g.account.platform),
        hindrances=why_not_approvable(g.home, g.account, now=g.now),
    )


def _decide(form: DecideForm, account_id: int) -> None:
    reason = form.reason.data or ""
    if form.decision.data == "approve":
        seen = int(form.seen_version.data) if (form.seen_version.data or "").isdecimal() else None
        approve(g.home, g.staff, account_id, now=g.now, reason=reason, seen_version=seen)
        return
    if not reason:
        raise InvalidInput("A reason is needed.", {"reason": "Give the reason."})
    verb = return_request if form.decision.data == "return" else decline
    verb(g.home, g.staff, account_id, reason, now=g.now)
