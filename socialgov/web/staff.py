"""Staff: who works here, with which roles; sign-in links; leaving. The network manager's page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, flash, g, redirect, render_template, url_for
from flask_wtf import FlaskForm

from socialgov.actions.signin import make_signin_link
from socialgov.actions.staff import add_staff, set_roles, staff_leaves
from socialgov.actions.stepup import need_fresh
from socialgov.actions.vault import NOBODY
from socialgov.models import Role, Staff
from socialgov.permissions import check_can_manage_staff
from socialgov.store.accounts import accounts_of_keeper
from socialgov.store.events import actor_of
from socialgov.store.staff import current_staff, staff_by_id
from socialgov.store.vault import managers_who_open
from socialgov.web.access import fresh, keeping, may
from socialgov.web.forms import ButtonForm, ManyField, options, saved, text
from socialgov.web.forms import page as form_page
from socialgov.web.words import ROLES

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

bp = Blueprint("staff", __name__, url_prefix="/staff")

ROLE_HINTS = {
    Role.TEACHER.value: "Asks for accounts and looks after them.",
    Role.NETWORK_MANAGER.value: "Decides on requests, holds the passwords, manages staff.",
    Role.HEAD.value: "Makes exceptions, sees every account.",
    Role.SAFEGUARDING_LEAD.value: "Sees every account and can stop it.",
    Role.DATA_MANAGER.value: "Imports people and what parents permit.",
    Role.GOVERNOR.value: "Sees the register and the log.",
}


class StaffForm(FlaskForm):
    name = text("Name", "Enter the name.", longest=100)
    email = text("School e-mail address", "Enter the e-mail address.", longest=254)
    roles = ManyField("Roles", choices=options((role.value, ROLES[role]) for role in Role))


class RolesForm(FlaskForm):
    roles = ManyField("Roles", choices=options((role.value, ROLES[role]) for role in Role))


@bp.get("/")
@may(check_can_manage_staff)
def page() -> ResponseReturnValue:
    return render_template("staff/page.html", people=current_staff(g.home.db))


@bp.route("/add", methods=["GET", "POST"])
@keeping("name", "email", "roles")
@may(check_can_manage_staff)
def add() -> ResponseReturnValue:
    form = StaffForm()
    form.roles.hints = ROLE_HINTS
    added: list[Staff] = []
    if saved(form, lambda: added.append(_add(form))):
        flash(f"{added[0].name} is entered. Make a sign-in link for them when they are ready.", "success")
        return redirect(url_for("staff.person", staff_id=added[0].id))
    return form_page(
        "form.html", form, heading="Add somebody to the staff", button="Add them", back=url_for("staff.page")
    )


def _add(form: StaffForm) -> Staff:
    need_fresh(g.home, g.session_token, now=g.now)
    return add_staff(g.home, g.staff, form.name.data, form.email.data, _roles(form), now=g.now)


@bp.get("/<int:staff_id>")
@may(check_can_manage_staff)
def person(staff_id: int) -> ResponseReturnValue:
    someone = staff_by_id(g.home.db, staff_id)
    return render_template("staff/person.html", someone=someone, kept=accounts_of_keeper(g.home.db, staff_id))


@bp.route("/<int:staff_id>/roles", methods=["GET", "POST"])
@keeping("roles")
@may(check_can_manage_staff)
def roles(staff_id: int) -> ResponseReturnValue:
    someone = staff_by_id(g.home.db, staff_id)
    form = RolesForm(data={"roles": [role.value for role in someone.roles]})
    form.roles.hints = ROLE_HINTS

    def verb() -> None:
        need_fresh(g.home, g.session_token, now=g.now)
        set_roles(g.home, g.staff, staff_id, _roles(form), now=g.now)

    if saved(form, verb):
        flash("The roles are changed.", "success")
        _warn_if_nobody_opens()
        return redirect(url_for("staff.person", staff_id=staff_id))
    return form_page(
        "form.html",
        form,
        heading=f"Roles of {someone.name}",
        button="Save the roles",
        back=url_for("staff.person", staff_id=staff_id),
    )


@bp.post("/<int:staff_id>/link")
@fresh
@may(check_can_manage_staff)
def link(staff_id: int) -> ResponseReturnValue:
    """A one-time link, shown once: the answer to this POST is the only place it ever stands.

    Whoever finds the network manager's browser open must not become somebody else with it, so it asks who it is.
    """
    someone = staff_by_id(g.home.db, staff_id)
    path = make_signin_link(g.home, staff_id, actor=actor_of(g.staff.id), now=g.now)
    return render_template("staff/link.html", someone=someone, address=g.home.settings.base_url + path)


@bp.route("/<int:staff_id>/leaves", methods=["GET", "POST"])
@may(check_can_manage_staff)
def leaves(staff_id: int) -> ResponseReturnValue:
    """PPL704: access ends the same moment; their accounts must be handed over.

    It ends ways into the vault, perhaps the last one, and passkeys for good: so it asks who it is.
    """
    someone = staff_by_id(g.home.db, staff_id)
    form = ButtonForm()

    def verb() -> None:
        need_fresh(g.home, g.session_token, now=g.now)
        staff_leaves(g.home, g.staff, staff_id, now=g.now)

    if saved(form, verb):
        flash(f"{someone.name} is signed out everywhere and cannot sign in again.", "success")
        _warn_if_nobody_opens()
        return redirect(url_for("staff.person", staff_id=staff_id))
    return form_page("staff/leaves.html", form, someone=someone, kept=accounts_of_keeper(g.home.db, staff_id))


def _warn_if_nobody_opens() -> None:
    """Whoever just took the last way into the vault reads so at once; managers and heads are told as well."""
    if not managers_who_open(g.home.db):
        flash(NOBODY, "warning")


def _roles(form: FlaskForm) -> set[Role]:
    return {Role(value) for value in form.roles.data}
