"""Say that somebody signed in on the platform, where it wants that from time to time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, flash, g, redirect, url_for

from socialgov.actions.sign_ins import record_sign_in, sign_in_due
from socialgov.permissions import check_can_set_up
from socialgov.web.access import may_account
from socialgov.web.account_view import guide
from socialgov.web.forms import ButtonForm, page, saved
from socialgov.web.words import day_words

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

bp = Blueprint("sign_ins", __name__, url_prefix="/accounts")


@bp.route("/<int:account_id>/signed-in", methods=["GET", "POST"])
@may_account(check_can_set_up)
def say(account_id: int) -> ResponseReturnValue:
    """Step by step, by when, and the button."""
    info, form = g.home.settings.platforms[g.account.platform], ButtonForm()
    if saved(form, lambda: record_sign_in(g.home, g.staff, account_id, now=g.now)):
        flash("Recorded, with your name and the time.", "success")
        return redirect(url_for("accounts.page", account_id=account_id))
    due = sign_in_due(g.home, g.account)
    lead = f"{info.name} does not say that it wants this."
    if due is not None:
        by = day_words(g.home.today(due))
        lead = f"{info.name} wants somebody to sign in every {info.login_every_days} days: here by {by}."
    return page(
        "setup/say.html",
        form,
        heading=f"Sign in to {info.name}",
        lead=lead,
        guide=guide(info, "keep_login"),
        back=url_for("accounts.page", account_id=account_id),
        button="I have signed in",
    )
