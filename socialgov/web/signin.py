"""Sign in: by passkey, or by a one-time link and, for those who have one, a second step (ASVS 6.4.1, 6.5.1, 7.2.4).

Opening a link shows a button and pressing it uses the link up: mail scanners open links before people do. The
school's own provider stands in web/openid.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, current_app, flash, g, redirect, render_template, request, session, url_for
from flask_wtf import FlaskForm

from socialgov.actions import passkeys
from socialgov.actions.ceremonies import CeremonyOver
from socialgov.actions.factors import usable, ways_of
from socialgov.actions.openid import leave as sign_out
from socialgov.actions.sessions import session_staff
from socialgov.actions.signin import (
    LinkRefused,
    finish_with_code,
    finish_with_passkey,
    peek_signin_link,
    use_signin_link,
    who_waits,
)
from socialgov.actions.throttle import check_address, note_wrong_address
from socialgov.actions.ways import should_ask
from socialgov.errors import NotPermitted, Throttled
from socialgov.web.access import NEXT_KEY, SESSION_KEY, public
from socialgov.web.browsers import address_of, visitor_of
from socialgov.web.forms import ButtonForm, saved, text
from socialgov.web.passkey_forms import (
    PasskeyForm,
    ceremony_token,
    nothing_came,
    options_answer,
    passkey_context,
)
from socialgov.web.security import allow_form_to

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

bp = Blueprint("signin", __name__)

ASK_AGAIN_KEY = "ask_again"  # somebody signed out: the service must not let the next in without asking
WAITING_KEY = "waiting"  # the token of a sign-in that waits for its second step


class CodeForm(FlaskForm):
    """Six digits."""

    code = text("Code from your authenticator app", "Enter the six digits.", longest=20)


@bp.get("/signin")
@public
def page() -> ResponseReturnValue:
    """The ways in."""
    if g.staff:
        return redirect(url_for("start.page"))
    return render_template("signin/page.html", provider=provider("openid.begin"), **passkey_context())


def provider(endpoint: str) -> dict[str, str] | None:
    """The school's own sign-in service, where one is set up: its name and where its button leads."""
    openid = g.home.settings.openid
    if openid is None or endpoint not in current_app.view_functions:
        return None
    allow_form_to(*openid.form_origins)
    return {"name": openid.label, "href": url_for(endpoint)}


# --------------------------------------------------------------------------------------------------- passkey


@bp.post("/signin/passkey/options")
@public
def passkey_options() -> ResponseReturnValue:
    """A challenge for anybody's passkey: which one answers says who it is."""
    return options_answer(passkeys.ask_for_one(g.home, passkeys.SIGN_IN, now=g.now))


@bp.post("/signin/passkey")
@public
def passkey() -> ResponseReturnValue:
    form = PasskeyForm()
    if not form.validate_on_submit():
        nothing_came()
        return redirect(url_for("signin.page"))
    try:
        token = passkeys.sign_in_with_passkey(
            g.home,
            ceremony_token(),
            form.answer.data or "",
            visitor=visitor_of(request),
            now=g.now,
            previous=session.get(SESSION_KEY),
        )
    except NotPermitted as error:
        return _refused_passkey(error, "signin.page")
    return begin_in_browser(token)


# --------------------------------------------------------------------------------------------------- link


@bp.get("/signin/<token>")
@public
def link(token: str) -> ResponseReturnValue:
    """A button for a link that is good; the way to a new one otherwise."""
    person = peek_signin_link(g.home, token, now=g.now)
    if person is None:
        count_refusal()
        return render_template("signin/refused.html"), 410
    return render_template("signin/link.html", person=person, form=ButtonForm())


@bp.post("/signin/<token>")
@public
def use(token: str) -> ResponseReturnValue:
    """Use the link up and start a session with a new id, or go on to the second step."""
    previous = session.get(SESSION_KEY)
    try:
        begun = use_signin_link(g.home, token, now=g.now, previous=previous, visitor=visitor_of(request))
    except LinkRefused:
        count_refusal()
        return render_template("signin/refused.html"), 410
    if begun.session is None:
        session[WAITING_KEY] = begun.waiting
        return redirect(url_for("signin.second"))
    return begin_in_browser(begun.session, ask=True)


@bp.route("/signin/second", methods=["GET", "POST"])
@public
def second() -> ResponseReturnValue:
    """After the link: a passkey, or a code of the authenticator app."""
    try:
        person = who_waits(g.home, session.get(WAITING_KEY), now=g.now)
    except CeremonyOver:
        return _over()
    form, tokens = CodeForm(), []

    def finish() -> None:
        common = _common()
        tokens.append(finish_with_code(g.home, session.get(WAITING_KEY), form.code.data or "", **common))

    if saved(form, finish):
        return begin_in_browser(tokens[0])
    can = usable(g.home, ways_of(g.home.db, person.id))
    html = render_template("signin/second.html", form=form, person=person, usable=can, **passkey_context())
    return html, 422 if form.errors else 200


@bp.post("/signin/second/options")
@public
def second_options() -> ResponseReturnValue:
    person = who_waits(g.home, session.get(WAITING_KEY), now=g.now)
    return options_answer(passkeys.ask_for_one(g.home, passkeys.SECOND, staff_id=person.id, now=g.now))


@bp.post("/signin/second/passkey")
@public
def second_passkey() -> ResponseReturnValue:
    form = PasskeyForm()
    if not form.validate_on_submit():
        nothing_came()
        return redirect(url_for("signin.second"))
    waiting, answer = session.get(WAITING_KEY), form.answer.data or ""
    try:
        token = finish_with_passkey(g.home, waiting, ceremony_token(), answer, **_common())
    except NotPermitted as error:
        return _refused_passkey(error, "signin.second")
    return begin_in_browser(token)


def _common() -> dict[str, Any]:
    return {"visitor": visitor_of(request), "now": g.now, "previous": session.get(SESSION_KEY)}


def _over() -> ResponseReturnValue:
    session.pop(WAITING_KEY, None)
    flash("That took too long. Ask the network manager for a new link and begin again.", "warning")
    return redirect(url_for("signin.page"))


# --------------------------------------------------------------------------------------------------- in and out


def begin_in_browser(token: str, *, ask: bool = False) -> ResponseReturnValue:
    """Put a new session into this browser's cookie; whatever the old cookie held is gone.

    Goes on to the page that was asked for, or first asks for a passkey where `ask`.
    """
    wanted = own_path(session.get(NEXT_KEY))
    session.clear()
    session[SESSION_KEY] = token
    if ask and _should_ask(token):
        if wanted:
            session[NEXT_KEY] = wanted
        return redirect(url_for("signing_in.ask"))
    return redirect(wanted or url_for("start.page"))


def _should_ask(token: str) -> bool:
    staff = session_staff(g.home, token, now=g.now)
    return staff is not None and should_ask(g.home, staff, g.now)


@bp.post("/signout")
@public
def leave() -> ResponseReturnValue:
    """End the session on the server, so that a copied cookie is dead too (ASVS 7.4.1).

    A session that began at the school's own service goes on there: a page with one more button ends that too.
    """
    token = session.get(SESSION_KEY)
    farewell = sign_out(g.home, token, now=g.now) if token else None
    session.clear()
    if g.home.settings.openid:
        session[ASK_AGAIN_KEY] = True
    if farewell:
        g.staff = None
        return render_template("openid/left.html", farewell=farewell)
    flash("You are signed out.", "success")
    return redirect(url_for("signin.page"))


def count_refusal() -> None:
    """Count what was refused, and raise Throttled where too much was: only guesses come here, never a good link."""
    check_address(g.home, address_of(request), now=g.now)
    note_wrong_address(g.home, address_of(request), now=g.now)


def _refused_passkey(error: NotPermitted, back: str) -> ResponseReturnValue:
    try:
        count_refusal()
    except Throttled as throttled:
        raise throttled from error
    flash(str(error), "warning")
    return redirect(url_for(back))


def own_path(path: str | None) -> str | None:
    """A path of this application, never another site's."""
    if not path or not path.startswith("/") or path.startswith(("//", "/\\")):
        return None
    return path
