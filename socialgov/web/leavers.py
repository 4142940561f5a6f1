"""When somebody leaves: what hangs on them, and one form that has all of it changed the same day (PPL704)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, flash, g, redirect, render_template, url_for
from flask_wtf import FlaskForm
from wtforms import SelectField

from socialgov.actions import leavers
from socialgov.actions.leavers import CONTACTS, KINDS, Proposal
from socialgov.actions.stepup import need_fresh
from socialgov.errors import InvalidInput
from socialgov.permissions import can_manage_staff, check_can_manage_staff, check_can_view_leavers
from socialgov.store.staff import current_staff, staff_by_id
from socialgov.web.access import keeping, may
from socialgov.web.forms import options, page, saved
from socialgov.web.request_forms import whole

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

bp = Blueprint("leavers", __name__, url_prefix="/staff")

FOR_ALL = "deputy_of_all"


@bp.get("/leavers")
@may(check_can_view_leavers)
def everybody() -> ResponseReturnValue:
    """Who left, and of whom something is still open."""
    return render_template("leavers/everybody.html", people=leavers.leavers(g.home, g.staff))


@bp.get("/<int:staff_id>/leaving")
@may(check_can_view_leavers)
def report(staff_id: int) -> ResponseReturnValue:
    """All that hangs on one person, to be read, printed, and looked at again until nothing is left."""
    return render_template(
        "leavers/report.html",
        report=leavers.see_report(g.home, g.staff, staff_id, now=g.now),
        platforms=g.home.settings.platforms,
        kinds=KINDS,
        contacts=CONTACTS,
        may_secure=can_manage_staff(g.staff),
    )


@bp.post("/<int:staff_id>/leaving/file")
@may(check_can_view_leavers)
def file(staff_id: int) -> ResponseReturnValue:
    """The same as CSV. That it was taken is in the log."""
    content = leavers.report_file(g.home, g.staff, staff_id, now=g.now)
    name = f"leaver-{staff_id}-{g.home.today(g.now).isoformat()}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, mimetype="text/csv", headers=headers)


@bp.route("/<int:staff_id>/secure", methods=["GET", "POST"])
@keeping("deputy_of_all", "owner_*", "deputy_*")
@may(check_can_manage_staff)
def secure(staff_id: int) -> ResponseReturnValue:
    """One button: access ends, accounts go to others, and what they know is to be changed. So it asks who it is."""
    someone, proposed = staff_by_id(g.home.db, staff_id), leavers.proposals(g.home, staff_id)
    form = _form(staff_id, proposed)

    def do() -> None:
        need_fresh(g.home, g.session_token, now=g.now)
        leavers.secure_leaver(g.home, g.staff, staff_id, _chosen(form, proposed), now=g.now)

    if saved(form, do):
        flash(f"{someone.name} is out, and everything they knew is to be changed. What is still open stands here.")
        return redirect(url_for("leavers.report", staff_id=staff_id))
    return page(
        "leavers/secure.html",
        form,
        someone=someone,
        proposed=proposed,
        report=leavers.leaver_report(g.home, g.staff, staff_id),
    )


def _form(staff_id: int, proposed: list[Proposal]) -> FlaskForm:
    """An owner and a deputy for each account; the deputy is proposed as owner, and another one must be chosen."""
    people = [one for one in current_staff(g.home.db) if one.id != staff_id]
    choices = options(((one.id, one.name) for one in people), "Choose a person")
    fields: dict[str, Any] = {}
    values: dict[str, int | None] = {}
    if len(proposed) > 1:
        fields[FOR_ALL] = SelectField("New deputy wherever you choose none below", coerce=whole, choices=choices)
    for one in proposed:
        for part, keeper in (("owner", one.owner_id), ("deputy", one.deputy_id)):
            name = f"{part}_{one.account.id}"
            words = f"{part.capitalize()} of {one.account.name}"
            fields[name] = SelectField(words, coerce=whole, choices=choices)
            values[name] = keeper
    return type("SecureForm", (FlaskForm,), fields)(data=values)


def _chosen(form: FlaskForm, proposed: list[Proposal]) -> dict[int, tuple[int, int]]:
    """The keepers of each account as they were chosen. Raises InvalidInput where somebody is missing."""
    for_all = form[FOR_ALL].data if FOR_ALL in form else None
    chosen, missing = {}, {}
    for one in proposed:
        owner, deputy = form[f"owner_{one.account.id}"].data, form[f"deputy_{one.account.id}"].data or for_all
        for part, keeper in (("owner", owner), ("deputy", deputy)):
            if keeper is None:
                missing[f"{part}_{one.account.id}"] = f"Choose the {part} of {one.account.name}."
        chosen[one.account.id] = (owner, deputy)
    if missing:
        raise InvalidInput("Somebody must keep each account.", missing)
    return chosen
