"""How others sign in: for the network manager and the head, who sign somebody out, or help after a lost device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Blueprint, flash, g, redirect, render_template, url_for

from socialgov.actions.factors import Ways, ways_of
from socialgov.actions.sessions import sessions_of
from socialgov.actions.ways import end_all_sessions, remove_factors
from socialgov.permissions import can_manage_staff, can_remove_factors, check_can_end_sessions, check_can_remove_factors
from socialgov.store.staff import current_staff, staff_by_id
from socialgov.web.access import fresh, may
from socialgov.web.forms import ButtonForm, saved
from socialgov.web.forms import page as form_page
from socialgov.web.signing_in import METHODS

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from socialgov.models import Staff

bp = Blueprint("signing_in_people", __name__, url_prefix="/signing-in/people")


@dataclass(frozen=True, slots=True)
class Row:
    """One person: what they have, and in how many places they are signed in."""

    person: Staff
    ways: Ways
    sessions: int


@bp.get("/")
@may(check_can_end_sessions)
def page() -> ResponseReturnValue:
    people = current_staff(g.home.db)
    rows = [Row(one, ways_of(g.home.db, one.id), len(sessions_of(g.home, one.id, now=g.now))) for one in people]
    return render_template("signing_in/people.html", rows=rows)


@bp.get("/<int:staff_id>")
@may(check_can_end_sessions)
def person(staff_id: int) -> ResponseReturnValue:
    someone = staff_by_id(g.home.db, staff_id)
    return render_template(
        "signing_in/person.html",
        someone=someone,
        ways=ways_of(g.home.db, staff_id),
        sessions=sessions_of(g.home, staff_id, now=g.now),
        may_remove=can_remove_factors(g.staff, someone),
        may_unlink=can_manage_staff(g.staff),
        methods=METHODS,
        now=g.now,
    )


@bp.route("/<int:staff_id>/end-sessions", methods=["GET", "POST"])
@may(check_can_end_sessions)
@fresh
def end_sessions(staff_id: int) -> ResponseReturnValue:
    someone = staff_by_id(g.home.db, staff_id)
    form = ButtonForm()
    if saved(form, lambda: end_all_sessions(g.home, g.staff, g.session_token, staff_id, now=g.now)):
        flash(f"{someone.name} is signed out everywhere, and was told.", "success")
        return redirect(url_for("signing_in_people.person", staff_id=staff_id))
    return form_page(
        "form.html",
        form,
        heading=f"Sign {someone.name} out everywhere?",
        lead="Each device and browser is signed out at once, and sign-in links that were not used stop working. "
        "They can sign in again, and are told that you did this.",
        button="Sign them out",
        button_kind="danger",
        back=url_for("signing_in_people.person", staff_id=staff_id),
    )


@bp.route("/<int:staff_id>/remove", methods=["GET", "POST"])
@may(check_can_end_sessions)
@fresh
def remove(staff_id: int) -> ResponseReturnValue:
    someone = staff_by_id(g.home.db, staff_id)
    check_can_remove_factors(g.staff, someone)
    form = ButtonForm()
    if saved(form, lambda: remove_factors(g.home, g.staff, g.session_token, staff_id, now=g.now)):
        flash(f"Removed. Make a sign-in link for {someone.name} when they stand before you.", "success")
        return redirect(url_for("signing_in_people.person", staff_id=staff_id))
    return form_page(
        "form.html",
        form,
        heading=f"Remove the passkeys and codes of {someone.name}?",
        lead="Do this when they have lost their device, and you are sure that it is they who ask. They are signed out "
        "everywhere. Afterwards a sign-in link alone lets them in, and they add a new passkey.",
        warning=f"{someone.name} and every head are told that you did this.",
        button="Remove them",
        button_kind="danger",
        back=url_for("signing_in_people.person", staff_id=staff_id),
    )
