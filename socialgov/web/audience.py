"""The audience of an account: which pupils, which carers come with them, and which colleagues (P1.S4)."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

from flask import Blueprint, flash, g, redirect, render_template, request, url_for

from socialgov.actions.audience import add_member, audience_of, remove_member, set_audience
from socialgov.actions.people import search_people
from socialgov.errors import InvalidInput
from socialgov.models import Person, PersonKind
from socialgov.names import fold
from socialgov.permissions import check_can_set_audience
from socialgov.store.people import carers_of, current_people, pupil_groups
from socialgov.web.access import may_account

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

bp = Blueprint("audience", __name__, url_prefix="/accounts")

SHOWN_AT_MOST = 400  # a year group and more


@bp.get("/<int:account_id>/audience")
@may_account(check_can_set_audience)
def page(account_id: int) -> ResponseReturnValue:
    """Who belongs to it now: each pupil with their carers, then everybody else."""
    members = audience_of(g.home.db, account_id)
    pupils = [one for one in members if one.kind is PersonKind.PUPIL]
    present = {one.id for one in members}
    carers: dict[int, list[str]] = {one.id: [] for one in pupils}
    for link in carers_of(g.home.db, list(carers)):
        left_out = "" if link.person.id in present else " (taken out)"
        carers[link.pupil_id].append(f"{link.person.name}, {link.relation}{left_out}")
    return render_template(
        "audience/page.html",
        account=g.account,
        pupils=pupils,
        carers=carers,
        others=[one for one in members if one.kind is PersonKind.STAFF],
        adults=[one for one in members if one.kind is PersonKind.CARER],
    )


@bp.route("/<int:account_id>/audience/pupils", methods=["GET", "POST"])
@may_account(check_can_set_audience)
def choose(account_id: int) -> ResponseReturnValue:
    """Tick the pupils of a form, a year group or a search; those not on the page stay as they are."""
    if request.method == "POST":
        shown = {int(one) for one in request.form.getlist("on_page") if one.isdigit()}
        ticked = {int(one) for one in request.form.getlist("pupils") if one.isdigit()}
        current = {one.id for one in audience_of(g.home.db, account_id) if one.kind is PersonKind.PUPIL}
        set_audience(g.home, g.staff, account_id, (current - shown) | ticked, now=g.now)
        flash("The audience is saved. Parents and carers of new pupils are in it too.", "success")
        return redirect(url_for("audience.page", account_id=account_id))
    wanted = {name: request.args.get(name, "").strip()[:100] for name in ("year", "form", "q")}
    chosen = {one.id for one in audience_of(g.home.db, account_id)}
    found = _pupils(**wanted) if any(wanted.values()) else []
    groups = pupil_groups(g.home.db)
    return render_template(
        "audience/choose.html",
        account=g.account,
        wanted=wanted,
        found=found[:SHOWN_AT_MOST],
        left_out=max(0, len(found) - SHOWN_AT_MOST),
        chosen=chosen,
        everybody=request.args.get("tick") == "all",  # ticked on the page only: nothing is saved before Save
        years=list(dict.fromkeys(year for year, _ in groups if year)),
        forms=sorted({form for _, form in groups if form}, key=_by_number),
    )


def _by_number(form: str) -> tuple[int, str]:
    """7A before 10A."""
    year = "".join(takewhile(str.isdigit, form))
    return int(year or 0), form


def _pupils(year: str, form: str, q: str) -> list[Person]:
    parts = fold(q).split()
    return [
        one
        for one in current_people(g.home.db, PersonKind.PUPIL)
        if (not year or one.year_group == year)
        and (not form or one.form == form)
        and all(part in fold(one.name) for part in parts)
    ]


@bp.route("/<int:account_id>/audience/staff", methods=["GET", "POST"])
@may_account(check_can_set_audience)
def add(account_id: int) -> ResponseReturnValue:
    """Add a colleague who may follow."""
    wrong, status = "", 200
    if request.method == "POST":
        person_id = request.form.get("person_id", type=int)
        try:
            if person_id is None:
                raise InvalidInput("Choose a colleague.")
            add_member(g.home, g.staff, account_id, person_id, now=g.now)
        except InvalidInput as error:
            wrong, status = str(error), error.status
        else:
            flash("Added to the audience.", "success")
            return redirect(url_for("audience.page", account_id=account_id))
    query = request.args.get("q", "").strip()[:100]
    found = search_people(g.home, query, PersonKind.STAFF, limit=20) if query else []
    return render_template("audience/add.html", account=g.account, query=query, found=found, wrong=wrong), status


@bp.post("/<int:account_id>/audience/<int:person_id>/remove")
@may_account(check_can_set_audience)
def remove(account_id: int, person_id: int) -> ResponseReturnValue:
    """Take one person out; a follower who was accepted as them is then to be removed (AUD304)."""
    remove_member(g.home, g.staff, account_id, person_id, now=g.now)
    flash("Taken out of the audience. If they follow the account, they are listed to be removed.", "success")
    return redirect(url_for("audience.page", account_id=account_id))
