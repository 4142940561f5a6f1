"""The deposited login: handed in by a keeper, shown once to the network manager, and tried by them (SEC201-SEC207)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, flash, g, redirect, render_template, url_for
from flask_wtf import FlaskForm
from wtforms import PasswordField, RadioField
from wtforms.validators import DataRequired, InputRequired

from socialgov.actions.credentials import deposit, record_login_test, reveal
from socialgov.models import CredentialKind
from socialgov.permissions import check_can_deposit, check_can_reveal, check_can_test_login
from socialgov.store.credentials import current_credential
from socialgov.web.access import may, may_account
from socialgov.web.forms import ReasonForm, options, page, saved, shorter, text

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

bp = Blueprint("credentials", __name__, url_prefix="/accounts")


class DepositForm(FlaskForm):
    username = text("User name on the platform", "Enter the user name.")
    email = text("E-mail address the account was set up with", "Enter the e-mail address.", longest=254)
    secret = PasswordField("Password", validators=[DataRequired("Enter the password."), shorter("Password", 200)])


class LoginTestForm(FlaskForm):
    works = RadioField(
        "Did the login work?",
        choices=options((("yes", "Yes, it let me in"), ("no", "No, it was refused"))),
        validators=[InputRequired("Say whether the login worked.")],
    )


@bp.route("/<int:account_id>/deposit", methods=["GET", "POST"])
@may_account(check_can_deposit)
def hand_in(account_id: int) -> ResponseReturnValue:
    """SEC201. The password goes one way: it is not shown again to whoever typed it."""
    policy = g.home.settings.policy
    form = DepositForm(data={"username": g.account.handle, "email": g.account.school_email})
    form.secret.description = (
        f"At least {policy.password_min_length} characters with letters, numbers and signs, used for this account "
        "only. Let a password manager make it."
    )
    if saved(form, lambda: _deposit(form, account_id)):
        flash("The password is deposited, sealed. The network manager tries it and says whether it works.", "success")
        return redirect(url_for("accounts.page", account_id=account_id))
    return page("credentials/hand_in.html", form, account=g.account)


def _deposit(form: DepositForm, account_id: int) -> None:
    deposit(
        g.home,
        g.staff,
        account_id,
        username=form.username.data,
        secret=form.secret.data,
        email=form.email.data,
        now=g.now,
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
