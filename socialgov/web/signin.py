"""Sign in by a one-time link: opening it shows a button, pressing the button uses it up (ASVS 6.5.1, 7.2.4).

Mail scanners open links before people do, so the GET must not spend it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, flash, g, redirect, render_template, request, session, url_for

from socialgov.actions.sessions import end_session
from socialgov.actions.signin import peek_signin_link, use_signin_link
from socialgov.actions.throttle import check_address, note_wrong_address
from socialgov.errors import SocialgovError
from socialgov.web.access import NEXT_KEY, SESSION_KEY, public
from socialgov.web.forms import ButtonForm

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

bp = Blueprint("signin", __name__)


@bp.get("/signin")
@public
def page() -> ResponseReturnValue:
    """How to sign in."""
    if g.staff:
        return redirect(url_for("start.page"))
    return render_template("signin/page.html")


@bp.get("/signin/<token>")
@public
def link(token: str) -> ResponseReturnValue:
    """A button for a link that is good; the way to a new one otherwise."""
    person = peek_signin_link(g.home, token, now=g.now)
    if person is None:
        _count_refusal()
        return render_template("signin/refused.html"), 410
    return render_template("signin/link.html", person=person, form=ButtonForm())


@bp.post("/signin/<token>")
@public
def use(token: str) -> ResponseReturnValue:
    """Use the link up and start a session with a new id; whatever the old cookie held is gone."""
    try:
        started = use_signin_link(g.home, token, now=g.now, previous=session.get(SESSION_KEY))
    except SocialgovError:
        _count_refusal()
        return render_template("signin/refused.html"), 410
    wanted = session.get(NEXT_KEY)
    session.clear()
    session[SESSION_KEY] = started
    return redirect(_own_path(wanted) or url_for("start.page"))


@bp.post("/signout")
@public
def leave() -> ResponseReturnValue:
    """End the session on the server, so that a copied cookie is dead too (ASVS 7.4.1)."""
    if token := session.get(SESSION_KEY):
        end_session(g.home, token, now=g.now)
    session.clear()
    flash("You are signed out.", "success")
    return redirect(url_for("signin.page"))


def _count_refusal() -> None:
    """Count what was refused, and raise Throttled where too much was: only guesses come here, never a good link."""
    address = request.remote_addr or "unknown"
    check_address(g.home, address, now=g.now)
    note_wrong_address(g.home, address, now=g.now)


def _own_path(path: str | None) -> str | None:
    """A path of this application, never another site's."""
    if not path or not path.startswith("/") or path.startswith(("//", "/\\")):
        return None
    return path
