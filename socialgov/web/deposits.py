"""A login on its way in, on a phone in two minutes: the password first, then what else belongs to it, each on its page.

Whoever typed a secret never sees it again. What is shown is made in the answer to a POST and kept nowhere: a proposed
password, and the code that a second factor makes at that moment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from wtforms import HiddenField, PasswordField, SelectField, TextAreaField
from wtforms.validators import DataRequired

from socialgov.actions.credentials import deposit
from socialgov.actions.deposit_parts import (
    LONGEST_NOTES,
    PARTS,
    CodeNow,
    deposit_codes,
    deposit_notes,
    deposit_seed,
    end_part,
    strike_code,
)
from socialgov.actions.machine_tokens import was_refused
from socialgov.actions.proposals import Make, propose_password
from socialgov.errors import NotFound
from socialgov.models import CredentialKind
from socialgov.permissions import check_can_deposit
from socialgov.store.credentials import current_credential
from socialgov.store.rotations import open_rotation
from socialgov.store.staff import staff_names
from socialgov.web.access import may_account
from socialgov.web.account_view import guide
from socialgov.web.deposit_view import held_words, parts_of, wishes
from socialgov.web.forms import ButtonForm, options, page, saved, shorter, text

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from socialgov.models import Credential

bp = Blueprint("deposits", __name__, url_prefix="/accounts")

LONGEST = 256
# no spelling help and no capitals: a phone would send what is typed to its maker, or change it
SECRET = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none", "autocorrect": "off"}


class LoginForm(FlaskForm):
    """`proposed` holds a password that was made up here, between its making and its deposit."""

    username = text("User name", "Enter the user name.")
    email = text("E-mail address", "Enter the e-mail address.", longest=254)
    secret = PasswordField("Password", validators=[shorter("Password", LONGEST)])
    proposed = HiddenField(validators=[shorter("Password", LONGEST)])

    @property
    def password(self) -> str:
        return self.secret.data or self.proposed.data or ""


class CodesForm(FlaskForm):
    codes = TextAreaField("Recovery codes", validators=[shorter("Recovery codes", 10_000)])


class UsedForm(FlaskForm):
    number = SelectField("Which code was used?", coerce=int)


class SeedForm(FlaskForm):
    seed = PasswordField(
        "Key of the second factor",
        validators=[DataRequired("Enter the key that the platform shows."), shorter("The key", 2_000)],
    )


class NotesForm(FlaskForm):
    notes = TextAreaField("Notes", validators=[shorter("Notes", LONGEST_NOTES)])


@bp.route("/<int:account_id>/deposit", methods=["GET", "POST"])
@may_account(check_can_deposit)
def hand_in(account_id: int) -> ResponseReturnValue:
    """SEC201. The password goes one way; one that is asked for is made up here and shown in this answer only."""
    form = LoginForm(data={"username": g.account.handle, "email": g.account.school_email})
    make = _make()
    if make and ButtonForm().validate_on_submit():
        form = LoginForm(None, data={**_typed(), "proposed": propose_password(g.home, g.staff, account_id, make)})
    elif saved(form, lambda: _deposit(form, account_id)):
        _flash_what_came_of_it(account_id)
        return redirect(url_for("deposits.parts", account_id=account_id))
    platform = g.home.settings.platforms[g.account.platform]
    return page(
        "credentials/hand_in.html",
        form,
        account=g.account,
        platform=platform,
        proposed=form.proposed.data if not form.secret.errors else "",
        wishes=wishes(g.home.settings.policy, g.account.kind),
        held=_held_already(account_id),
        guide=guide(platform, "change_password"),
        secret_attributes=SECRET,
    )


def _held_already(account_id: int) -> str:
    """Since when a password is deposited, and by whom; nothing where there is none."""
    kept = _kept(account_id, CredentialKind.PASSWORD)
    return held_words(kept, staff_names(g.home.db)) if kept else ""


def _flash_what_came_of_it(account_id: int) -> None:
    """Where the platform was asked and refused the login, whoever typed it hears it while they still know it."""
    flash("The password is deposited, sealed. The network manager tries it and says whether it works.", "success")
    if was_refused(g.home, account_id):
        name = g.home.settings.platforms[g.account.platform].name
        flash(f"{name} refused this user name and password. Check both there, and deposit them again.", "warning")


def _make() -> Make | None:
    try:
        return Make(request.form.get("make", ""))
    except ValueError:
        return None


def _typed() -> dict[str, str]:
    """What stands in the form when a password is asked for: as typed, else as the account has it."""
    return {
        "username": request.form.get("username") or g.account.handle or "",
        "email": request.form.get("email") or g.account.school_email or "",
    }


def _deposit(form: LoginForm, account_id: int) -> None:
    deposit(
        g.home,
        g.staff,
        account_id,
        username=form.username.data,
        secret=form.password,
        email=form.email.data,
        now=g.now,
    )


@bp.get("/<int:account_id>/deposit/parts")
@may_account(check_can_deposit)
def parts(account_id: int) -> ResponseReturnValue:
    """What is deposited, what the gate still needs, and what else may be."""
    changing = open_rotation(g.home.db, account_id) is not None
    return render_template("credentials/parts.html", account=g.account, parts=parts_of(g.account), changing=changing)


@bp.route("/<int:account_id>/deposit/codes", methods=["GET", "POST"])
@may_account(check_can_deposit)
def codes(account_id: int) -> ResponseReturnValue:
    """Recovery codes as the platform lists them; those that were used can be struck by their number."""
    form = CodesForm()
    if saved(form, lambda: deposit_codes(g.home, g.staff, account_id, form.codes.data or "", now=g.now)):
        kept = _kept(account_id, CredentialKind.RECOVERY_CODES)
        flash(f"{kept.codes if kept else 0} recovery codes are deposited, sealed.", "success")
        return redirect(url_for("deposits.parts", account_id=account_id))
    if form.is_submitted():
        form.codes.data = ""  # what was typed is not sent back
    kept = _kept(account_id, CredentialKind.RECOVERY_CODES)
    return page(
        "credentials/codes.html",
        form,
        account=g.account,
        kept=kept,
        used=_used_form(kept),
        secret_attributes=SECRET,
    )


@bp.post("/<int:account_id>/deposit/codes/used")
@may_account(check_can_deposit)
def use_code(account_id: int) -> ResponseReturnValue:
    form = _used_form(_kept(account_id, CredentialKind.RECOVERY_CODES))
    left: list[int] = []
    if saved(form, lambda: left.append(strike_code(g.home, g.staff, account_id, form.number.data, now=g.now))):
        flash(f"The code is struck. {left[0]} {'is' if left[0] == 1 else 'are'} left.", "success")
    else:
        flash("Choose one of the codes that were not used yet.", "warning")
    return redirect(url_for("deposits.codes", account_id=account_id))


def _used_form(kept: Credential | None) -> UsedForm:
    """The codes that were not used yet, by number."""
    form = UsedForm()
    there = range(1, (kept.codes or 0) + 1) if kept else ()
    struck = kept.struck if kept else ()
    form.number.choices = options((number, f"Code {number}") for number in there if number not in struck)
    return form


@bp.route("/<int:account_id>/deposit/second-factor", methods=["GET", "POST"])
@may_account(check_can_deposit)
def second_factor(account_id: int) -> ResponseReturnValue:
    """The seed, once. The answer shows the code that it makes now, to be compared with the phone; never the seed."""
    form = SeedForm()
    made: list[CodeNow] = []
    if saved(form, lambda: made.append(deposit_seed(g.home, g.staff, account_id, form.seed.data, now=g.now)[1])):
        return render_template("credentials/code_now.html", account=g.account, code=made[0])
    return page(
        "credentials/second_factor.html",
        form,
        account=g.account,
        kept=_kept(account_id, CredentialKind.SECOND_FACTOR),
        secret_attributes=SECRET,
    )


@bp.route("/<int:account_id>/deposit/notes", methods=["GET", "POST"])
@may_account(check_can_deposit)
def notes(account_id: int) -> ResponseReturnValue:
    """What else whoever holds the login must know; sealed like a password, so they are written anew, not changed."""
    form = NotesForm()
    if saved(form, lambda: deposit_notes(g.home, g.staff, account_id, form.notes.data or "", now=g.now)):
        flash("The notes are deposited, sealed.", "success")
        return redirect(url_for("deposits.parts", account_id=account_id))
    kept = _kept(account_id, CredentialKind.NOTES)
    return page("credentials/notes.html", form, account=g.account, kept=kept, secret_attributes=SECRET)


@bp.post("/<int:account_id>/deposit/<kind>/gone")
@may_account(check_can_deposit)
def gone(account_id: int, kind: str) -> ResponseReturnValue:
    """The platform has none any more, so that nobody needs to deposit something in its place."""
    if kind not in set(PARTS):
        raise NotFound("There is nothing of this kind.", "Look at what is deposited.")
    end_part(g.home, g.staff, account_id, CredentialKind(kind), now=g.now)
    flash("It is taken off the record.", "success")
    return redirect(url_for("deposits.parts", account_id=account_id))


def _kept(account_id: int, kind: CredentialKind) -> Credential | None:
    return current_credential(g.home.db, account_id, kind)
