"""Followers: who is on the list, and each accepted as a known person or refused (AUD301 to AUD305)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from wtforms import RadioField

from socialgov.actions.adapters import capabilities_of
from socialgov.actions.followers import (
    accept_follower,
    add_follower_by_hand,
    confirm_removed,
    follower_summary,
    likely_people,
    refuse_follower,
    why_not_accept,
)
from socialgov.errors import NotFound
from socialgov.models import Capability, Decision, Follower, PlatformInfo
from socialgov.permissions import check_can_check_followers
from socialgov.store.followers import KnownFollower, follower_by_id, known_followers_of
from socialgov.web.access import may_account
from socialgov.web.forms import ButtonForm, optional_text, options, saved, text
from socialgov.web.forms import page as form_page

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

bp = Blueprint("followers", __name__, url_prefix="/accounts")


class AddForm(FlaskForm):
    handle = text("Name on the platform", "Enter the name as the platform shows it.", longest=100)
    name = optional_text("Name shown beside it", longest=200)


class AcceptForm(FlaskForm):
    person_id = RadioField("Who is it?", coerce=int, validate_choice=False, choices=[])
    how = text("How do you know?", "Say how you checked, for example: asked at the parents' evening.", longest=500)


class RefuseForm(FlaskForm):
    reason = text("Why not?", "Say in a sentence why.", longest=500)


@bp.get("/<int:account_id>/followers")
@may_account(check_can_check_followers)
def page(account_id: int) -> ResponseReturnValue:
    """The unchecked first, then those to be removed, then the known ones."""
    info, policy = _info(), g.home.settings.policy
    today = g.home.today(g.now)
    known = known_followers_of(g.home.db, account_id)
    accepted = [one for one in known if one.follower.decision is Decision.ACCEPTED]
    problems = {one.follower.id: _problem(one, info) for one in accepted}
    return render_template(
        "followers/page.html",
        account=g.account,
        platform=info,
        by_machine=Capability.READ_FOLLOWERS in capabilities_of(g.home, g.account),
        summary=follower_summary(g.home.db, g.account, info, policy, today),
        unchecked=[one.follower for one in known if one.follower.decision is None],
        to_remove=[one.follower for one in known if one.follower.decision is Decision.REFUSED],
        accepted=accepted,
        problems={number: why for number, why in problems.items() if why},
        guide=info.guides.get("remove_follower", ()),
    )


@bp.route("/<int:account_id>/followers/add", methods=["GET", "POST"])
@may_account(check_can_check_followers)
def add(account_id: int) -> ResponseReturnValue:
    """Put a follower on the list whom you see on the platform."""
    form, added = AddForm(), []

    def keep() -> None:
        handle, name = form.handle.data, form.name.data or ""
        added.append(add_follower_by_hand(g.home, g.staff, account_id, handle, name, now=g.now))

    if saved(form, keep):
        return redirect(url_for("followers.check", account_id=account_id, follower_id=added[0].id))
    return form_page("followers/add.html", form, account=g.account, platform=_info())


@bp.get("/<int:account_id>/followers/<int:follower_id>")
@may_account(check_can_check_followers)
def check(account_id: int, follower_id: int) -> ResponseReturnValue:
    """Who is this? Choose the person, or refuse."""
    return _check_page(_follower(account_id, follower_id), None)


@bp.post("/<int:account_id>/followers/<int:follower_id>/accept")
@may_account(check_can_check_followers)
def accept(account_id: int, follower_id: int) -> ResponseReturnValue:
    """This follower is a known person of the audience."""
    follower = _follower(account_id, follower_id)
    form, done = AcceptForm(), []

    def keep() -> None:
        how = form.how.data
        done.append(accept_follower(g.home, g.staff, follower_id, form.person_id.data or 0, how=how, now=g.now))

    if form.person_id.data is None:
        form.validate_on_submit()
        form.person_id.errors = ["Choose who it is. If you do not know, refuse."]
    elif saved(form, keep):
        if done[0].waiting:
            flash("Accepted here. Now let them in on the platform: it could not be done from here.", "warning")
        else:
            flash("The follower is accepted.", "success")
        return redirect(url_for("followers.page", account_id=account_id))
    return _check_page(follower, form)


@bp.post("/<int:account_id>/followers/<int:follower_id>/refuse")
@may_account(check_can_check_followers)
def refuse(account_id: int, follower_id: int) -> ResponseReturnValue:
    """This follower does not belong here."""
    follower = _follower(account_id, follower_id)
    form, done = RefuseForm(), []
    if saved(form, lambda: done.append(refuse_follower(g.home, g.staff, follower_id, form.reason.data, now=g.now))):
        if done[0].gone_at is None:
            flash("Refused. Now remove them on the platform, and say here that it is done.", "warning")
        else:
            flash("The follower is refused and was removed on the platform.", "success")
        return redirect(url_for("followers.page", account_id=account_id))
    return _check_page(follower, form)


@bp.post("/<int:account_id>/followers/<int:follower_id>/removed")
@may_account(check_can_check_followers)
def removed(account_id: int, follower_id: int) -> ResponseReturnValue:
    """A person has removed the refused follower on the platform."""
    _follower(account_id, follower_id)
    if saved(ButtonForm(), lambda: confirm_removed(g.home, g.staff, follower_id, now=g.now)):
        flash("Noted. The next check of the account shows whether it is so.", "success")
    return redirect(url_for("followers.page", account_id=account_id))


def _check_page(follower: Follower, form: FlaskForm | None) -> ResponseReturnValue:
    """Both forms; the one that came back with errors keeps them."""
    query = request.values.get("q", "")[:100]
    people = likely_people(g.home.db, g.account.id, follower, query)
    accepting = form if isinstance(form, AcceptForm) else AcceptForm(formdata=None)
    refusing = form if isinstance(form, RefuseForm) else RefuseForm(formdata=None)
    accepting.person_id.choices = options((one.id, f"{one.name} ({one.kind.value})") for one in people)
    return form_page(
        "followers/check.html",
        form or ButtonForm(formdata=None),
        account=g.account,
        follower=follower,
        accepting=accepting,
        refusing=refusing,
        query=query,
        hints={one.id: why for one in people if (why := _why_not(one))},
        platform=_info(),
    )


def _why_not(person: object) -> str | None:
    settings = g.home.settings
    return why_not_accept(g.home.db, g.account, _info(), settings.policy, person, g.home.today(g.now))


def _problem(known: KnownFollower, info: PlatformInfo) -> str | None:
    """What is out of order about somebody who was accepted."""
    if known.person is None:
        return "The person is not on record any more."
    return _why_not(known.person)


def _info() -> PlatformInfo:
    return g.home.settings.platforms[g.account.platform]


def _follower(account_id: int, follower_id: int) -> Follower:
    follower = follower_by_id(g.home.db, follower_id)
    if follower.account_id != account_id:
        raise NotFound("This follower belongs to another account.", "Open the list of followers again.")
    return follower
