"""Who could get in past the password: where recovery leads (SEC206), and whom the platform lets in by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, flash, g, redirect, url_for
from flask_wtf import FlaskForm
from wtforms import RadioField, SelectField
from wtforms.validators import InputRequired

from socialgov.actions.contacts import (
    contacts_of,
    delegates_of,
    end_contact,
    end_delegate,
    record_contact,
    record_delegate,
)
from socialgov.models import ContactKind
from socialgov.permissions import check_can_deposit
from socialgov.store.staff import current_staff, staff_names
from socialgov.web.access import may_account
from socialgov.web.account_view import guide
from socialgov.web.forms import options, page, saved, text

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

bp = Blueprint("contacts", __name__, url_prefix="/accounts")

KINDS = {
    ContactKind.ADDRESS: "E-mail address",
    ContactKind.PHONE: "Phone number",
    ContactKind.SECOND_FACTOR: "Second factor: a phone with an app, or a key",
}
SCHOOL, STRANGER = "school", "stranger"


class ContactForm(FlaskForm):
    kind = RadioField("What is it?", choices=options(KINDS.items()), validators=[InputRequired("Say what it is.")])
    value = text("Address, number or device", "Enter where it leads.", longest=254)
    whose = SelectField("Whose is it?", validators=[InputRequired("Say whose it is.")])

    def of_staff(self) -> int | None:
        """The member of staff whose own it is."""
        return int(self.whose.data) if self.whose.data not in (SCHOOL, STRANGER) else None


class DelegateForm(FlaskForm):
    name = text("Name or handle, as the platform shows it", "Enter the name.")
    rights = text("What they may do there", "Enter what they may do.")
    staff_id = SelectField("Which member of staff is that?", validators=[InputRequired("Say who that is.")])


@bp.route("/<int:account_id>/recovery", methods=["GET", "POST"])
@may_account(check_can_deposit)
def recovery(account_id: int) -> ResponseReturnValue:
    """What is recorded as a person's own breaks SEC206 at once; that all is the school's somebody shows with a look."""
    form = ContactForm()
    form.whose.choices = options(
        [(SCHOOL, "The school's"), *_people("'s own"), (STRANGER, "Somebody's who does not work here")], "Choose"
    )
    if saved(form, lambda: _record_contact(form, account_id)):
        flash("It is on record.", "success")
        return redirect(url_for("contacts.recovery", account_id=account_id))
    return page(
        "credentials/recovery.html",
        form,
        account=g.account,
        contacts=contacts_of(g.home.db, account_id),
        kinds=KINDS,
        names=staff_names(g.home.db),
        guide=guide(g.home.settings.platforms[g.account.platform], "recovery"),
    )


def _record_contact(form: ContactForm, account_id: int) -> None:
    record_contact(
        g.home,
        g.staff,
        account_id,
        kind=ContactKind(form.kind.data),
        value=form.value.data,
        of_school=form.whose.data == SCHOOL,
        staff_id=form.of_staff(),
        now=g.now,
    )


@bp.post("/<int:account_id>/recovery/<int:contact_id>/gone")
@may_account(check_can_deposit)
def contact_gone(account_id: int, contact_id: int) -> ResponseReturnValue:
    end_contact(g.home, g.staff, account_id, contact_id, now=g.now)
    flash("It is taken off the record.", "success")
    return redirect(url_for("contacts.recovery", account_id=account_id))


@bp.route("/<int:account_id>/delegates", methods=["GET", "POST"])
@may_account(check_can_deposit)
def delegates(account_id: int) -> ResponseReturnValue:
    """X calls them delegates, Facebook page roles: they get in without the password, so leaving must end them too."""
    form = DelegateForm()
    form.staff_id.choices = options([*_people(""), (STRANGER, "Somebody who does not work here")], "Choose")
    if saved(form, lambda: _record_delegate(form, account_id)):
        flash("It is on record.", "success")
        return redirect(url_for("contacts.delegates", account_id=account_id))
    return page(
        "credentials/delegates.html",
        form,
        account=g.account,
        platform=g.home.settings.platforms[g.account.platform],
        delegates=delegates_of(g.home.db, account_id),
        names=staff_names(g.home.db),
    )


def _record_delegate(form: DelegateForm, account_id: int) -> None:
    record_delegate(
        g.home,
        g.staff,
        account_id,
        name=form.name.data,
        rights=form.rights.data,
        staff_id=None if form.staff_id.data == STRANGER else int(form.staff_id.data),
        now=g.now,
    )


@bp.post("/<int:account_id>/delegates/<int:delegate_id>/gone")
@may_account(check_can_deposit)
def delegate_gone(account_id: int, delegate_id: int) -> ResponseReturnValue:
    end_delegate(g.home, g.staff, account_id, delegate_id, now=g.now)
    flash("They are taken off the record.", "success")
    return redirect(url_for("contacts.delegates", account_id=account_id))


def _people(after: str) -> list[tuple[int, str]]:
    """The keepers of the account first, then everybody who works here."""
    keepers = (g.account.owner_id, g.account.deputy_id)
    everybody = sorted(current_staff(g.home.db), key=lambda one: (one.id not in keepers, one.name.casefold()))
    return [(one.id, f"{one.name}{after}") for one in everybody]
