"""Sign in by a one-time link: opening it shows a button, pressing the button uses it up (ASVS 6.5.1, 7.2.4).

Mail scanners open links before people do, so the GET must not spend it.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from flask import Blueprint, flash, g, redirect, render_template, request, session, url_for
from werkzeug.exceptions import TooManyRequests

from socialgov.actions.signin import end_session, peek_signin_link, use_signin_link
from socialgov.errors import SocialgovError
from socialgov.web.access import NEXT_KEY, SESSION_KEY, public
from socialgov.web.forms import ButtonForm

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

bp = Blueprint("signin", __name__)


class Throttle:
    """Counts refused links by address, in this process alone: guessing 256 bits is hopeless, this keeps it quiet.

    A link that is good is never refused: a whole school often has one address, and a pupil could shut its staff out.
    """

    def __init__(self, tries: int, window: timedelta, addresses: int = 10_000) -> None:
        self.tries, self.window, self.addresses = tries, window, addresses
        self._refused: dict[str, deque[datetime]] = {}

    def check(self, address: str, now: datetime) -> None:
        """Raise TooManyRequests for an address that was refused `tries` times within the window."""
        times = self._refused.get(address, deque())
        while times and now - times[0] > self.window:
            times.popleft()
        if len(times) >= self.tries:
            raise TooManyRequests

    def refused(self, address: str, now: datetime) -> None:
        if len(self._refused) >= self.addresses:
            self._refused.clear()
        self._refused.setdefault(address, deque(maxlen=self.tries)).append(now)


throttle = Throttle(tries=20, window=timedelta(minutes=10))


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
        throttle.check(_address(), g.now)
        throttle.refused(_address(), g.now)
        return render_template("signin/refused.html"), 410
    return render_template("signin/link.html", person=person, form=ButtonForm())


@bp.post("/signin/<token>")
@public
def use(token: str) -> ResponseReturnValue:
    """Use the link up and start a session with a new id; whatever the old cookie held is gone."""
    if peek_signin_link(g.home, token, now=g.now) is None:
        throttle.check(_address(), g.now)
    try:
        started = use_signin_link(g.home, token, now=g.now, previous=session.get(SESSION_KEY))
    except SocialgovError:
        throttle.refused(_address(), g.now)
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


def _address() -> str:
    return request.remote_addr or "unknown"


def _own_path(path: str | None) -> str | None:
    """A path of this application, never another site's."""
    if not path or not path.startswith("/") or path.startswith(("//", "/\\")):
        return None
    return path
