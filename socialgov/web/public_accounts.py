"""Public accounts: which ones the head has allowed, and allowing one before it is asked for (ACC103)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, flash, g, redirect, render_template, url_for
from flask_wtf import FlaskForm
from wtforms import RadioField, SelectField
from wtforms.validators import DataRequired, InputRequired

from socialgov.actions.public_accounts import allow_public_account, end_allowance, public_platforms
from socialgov.actions.request_checks import LONGEST_TEXT
from socialgov.permissions import check_can_allow_public
from socialgov.store.accounts import account_by_id
from socialgov.store.public_allowances import allowance_by_id, allowances, unused_allowances
from socialgov.store.staff import current_staff, staff_names
from socialgov.web.access import may
from socialgov.web.forms import ButtonForm, DayField, options, page, saved, text
from socialgov.web.request_forms import whole

if TYPE_CHECKING:
    from datetime import date

    from flask.typing import ResponseReturnValue

    from socialgov.models import PublicAllowance

bp = Blueprint("public_accounts", __name__, url_prefix="/public-accounts")


@bp.get("/")
@may(check_can_allow_public)
def show() -> ResponseReturnValue:
    unused, today = unused_allowances(g.home.db), g.home.today(g.now)
    rows = [(one, _state(one, unused, today)) for one in allowances(g.home.db)]
    used = {one.used_by_account for one, state in rows if state == "used" and one.used_by_account is not None}
    return render_template(
        "public_accounts/page.html",
        rows=rows,
        accounts={account_id: account_by_id(g.home.db, account_id) for account_id in used},
        names=staff_names(g.home.db),
        platforms=g.home.settings.platforms,
        public=public_platforms(g.home.settings),
    )


def _state(allowance: PublicAllowance, unused: frozenset[int], today: date) -> str:
    """How it stands: `open`, `used`, `over` (its day has passed) or `ended` (taken back)."""
    if allowance.ended_at is not None:
        return "ended"
    if allowance.id not in unused:
        return "used"
    return "over" if allowance.until_on is not None and allowance.until_on < today else "open"


@bp.route("/allow", methods=["GET", "POST"])
@may(check_can_allow_public)
def allow() -> ResponseReturnValue:
    """One person, one account, one platform, with the head's reason."""

    class AllowForm(FlaskForm):
        platform = RadioField(
            "Platform",
            choices=options((info.key, info.name) for info in public_platforms(g.home.settings)),
            validators=[InputRequired("Choose the platform.")],
        )
        staff_id = SelectField(
            "Who may ask for it",
            choices=options(((staff.id, staff.name) for staff in current_staff(g.home.db)), "Choose a person"),
            coerce=whole,
            validators=[DataRequired("Choose who may ask for it.")],
        )
        purpose = text("Purpose", "Enter what it is for.", longest=LONGEST_TEXT, lines=True)
        reason = text("Reason", "Give your reason.", longest=LONGEST_TEXT, lines=True)
        until_on = DayField("Until", description="Leave it empty for the account's whole life. For example, 27 3 2027")

    form = AllowForm()
    form.purpose.description = "What it is needed for, such as: news of the whole school for its neighbours."
    form.reason.description = "Why it may be open to everybody. It stands on the account's page and in its record."

    def save() -> None:
        allow_public_account(
            g.home, g.staff, platform=form.platform.data, staff_id=form.staff_id.data, purpose=form.purpose.data,
            reason=form.reason.data, until_on=form.until_on.data, now=g.now,
        )  # fmt: skip

    if saved(form, save):
        flash("The public account is allowed. Who may ask for it is told.", "success")
        return redirect(url_for("public_accounts.show"))
    return page(
        "form.html",
        form,
        heading="Allow a public account",
        lead="Everybody can see what such an account posts. It still passes every other check before it goes live.",
        button="Allow it",
        back=url_for("public_accounts.show"),
    )


@bp.route("/<int:allowance_id>/end", methods=["GET", "POST"])
@may(check_can_allow_public)
def end(allowance_id: int) -> ResponseReturnValue:
    allowance, form = allowance_by_id(g.home.db, allowance_id), ButtonForm()
    if saved(form, lambda: end_allowance(g.home, g.staff, allowance_id, now=g.now)):
        flash("The permission is taken back.", "success")
        return redirect(url_for("public_accounts.show"))
    return page(
        "form.html",
        form,
        heading="Take back this permission",
        lead=f"It was given because: {allowance.reason}",
        button="Take it back",
        button_kind="danger",
        back=url_for("public_accounts.show"),
    )
