"""Sign in, and confirm, at the school's own sign-in service (OpenID Connect); its sign-out stands in web/signin.py.

Both begin with a button (POST) and come back to one address, the callback that is registered with the service.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, flash, g, redirect, render_template, request, session, url_for

from socialgov.actions.identities import unlink_staff
from socialgov.actions.openid import CALLBACK, Begun, begin_confirmation, begin_sign_in, finish
from socialgov.openid.refusals import SignInRefused
from socialgov.permissions import check_can_manage_staff
from socialgov.store.staff import staff_by_id
from socialgov.web.access import SESSION_KEY, fresh, may, public, signed_in
from socialgov.web.browsers import visitor_of
from socialgov.web.confirm import go_on
from socialgov.web.forms import ButtonForm, saved
from socialgov.web.forms import page as form_page
from socialgov.web.signin import ASK_AGAIN_KEY, begin_in_browser

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

bp = Blueprint("openid", __name__)

ATTEMPT_KEY = "openid"  # this browser's token of the attempt, in the signed cookie; one at a time


@bp.post("/signin/openid")
@public
def begin() -> ResponseReturnValue:
    """Off to the service to sign in."""
    try:
        begun = begin_sign_in(g.home, now=g.now, ask_again=ASK_AGAIN_KEY in session)
    except SignInRefused as refusal:
        return _refused(refusal)
    return _off_to(begun)


@bp.post("/confirm/openid")
@signed_in
def confirm() -> ResponseReturnValue:
    """Off to the service to show once more who it is."""
    try:
        begun = begin_confirmation(g.home, g.session_token, now=g.now)
    except SignInRefused as refusal:
        return _refused(refusal)
    return _off_to(begun)


@bp.get(CALLBACK)
@public
def callback() -> ResponseReturnValue:
    """Back from the service. What it brings counts once, for the browser that left."""
    try:
        done = finish(
            g.home,
            session.pop(ATTEMPT_KEY, None),
            request.args,
            session_token=session.get(SESSION_KEY),
            visitor=visitor_of(request),
            now=g.now,
        )
    except SignInRefused as refusal:
        return _refused(refusal)
    return go_on(done.session_token) if done.confirmed else begin_in_browser(done.session_token)


@bp.route("/signing-in/people/<int:staff_id>/unlink", methods=["GET", "POST"])
@may(check_can_manage_staff)
@fresh
def unlink(staff_id: int) -> ResponseReturnValue:
    """Their account at the service was made anew, or their address given to somebody else."""
    someone = staff_by_id(g.home.db, staff_id)
    form, back = ButtonForm(), url_for("signing_in_people.person", staff_id=staff_id)
    if saved(form, lambda: unlink_staff(g.home, g.staff, staff_id, now=g.now)):
        flash(f"Unlinked. {someone.name} was told.", "success")
        return redirect(back)
    return form_page(
        "form.html",
        form,
        heading=f"Unlink the school account of {someone.name}?",
        lead="Do this when their account at the sign-in service was made anew. Sessions that began with the old one "
        "end. Whoever signs in there next with their address is linked with them.",
        warning="First make sure that the address is still theirs.",
        button="Unlink it",
        button_kind="danger",
        back=back,
    )


def _off_to(begun: Begun) -> ResponseReturnValue:
    session[ATTEMPT_KEY] = begun.token
    return redirect(begun.url, 303)


def _refused(refusal: SignInRefused) -> ResponseReturnValue:
    return render_template("openid/refused.html", refusal=refusal), refusal.status
