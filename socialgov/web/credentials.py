"""The deposited login: shown once to the network manager, and tried by them (SEC205, SEC207)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, flash, g, redirect, render_template, url_for
from flask_wtf import FlaskForm
from wtforms import RadioField
from wtforms.validators import InputRequired

from socialgov.actions.credentials import record_login_test, reveal
from socialgov.models import CredentialKind
from socialgov.permissions import check_can_reveal, check_can_test_login
from socialgov.store.credentials import current_credential
from socialgov.web.access import may
from socialgov.web.forms import ReasonForm, options, page, saved

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

bp = Blueprint("credentials", __name__, url_prefix="/accounts")


class LoginTestForm(FlaskForm):
    works = RadioField(
        "Did the login work?",
        choices=options((("yes", "Yes, it let me in"), ("no", "No, it was refused"))),
        validators=[InputRequired("Say whether the login worked.")],
    )


@bp.route("/<int:account_id>/password", methods=["GET", "POST"])
@may(check_can_reveal)
def show(account_id: int) -> ResponseReturnValue:
    """SEC207: a reason first, then the password, once. Only the answer to the POST ever holds it (ASVS 3.5.3)."""
    form = ReasonForm()
    form.reason.description = "Why you need to see it. The reason is kept, and the owner is told that you looked."
    shown: list[str] = []
    if saved(form, lambda: shown.append(reveal(g.home, g.staff, account_id, form.reason.data, now=g.now))):
        return render_template("credentials/shown.html", account=g.account, login=_current(account_id), secret=shown[0])
    return page("credentials/show.html", form, account=g.account, login=_current(account_id))


@bp.route("/<int:account_id>/login-test", methods=["GET", "POST"])
@may(check_can_test_login)
def test(account_id: int) -> ResponseReturnValue:
    """SEC205: the network manager has signed in with the deposit once, and says so."""
    form = LoginTestForm()
    if saved(form, lambda: record_login_test(g.home, g.staff, account_id, form.works.data == "yes", now=g.now)):
        flash("The login test is recorded.", "success")
        return redirect(url_for("accounts.page", account_id=account_id))
    return page("credentials/test.html", form, account=g.account, login=_current(account_id))


def _current(account_id: int) -> object:
    return current_credential(g.home.db, account_id, CredentialKind.PASSWORD)
