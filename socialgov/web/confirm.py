"""Step-up: show once more that it is you, and go on where you were (ASVS 7.5.1).

A view marked `@fresh` (web/access.py), or an action that raises StepUpNeeded, sends the visitor here. What was opened
is opened again afterwards; a form that was sent too late is kept, without its secret fields, and sent on with one
more press of a button.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from flask import Blueprint, current_app, flash, g, redirect, render_template, request, session, url_for

from socialgov.actions import passkeys
from socialgov.actions.authenticators import confirm_with_code
from socialgov.actions.ceremonies import CeremonyOver, begin, finish_alone
from socialgov.actions.factors import usable, ways_of
from socialgov.actions.sessions import open_session
from socialgov.actions.stepup import is_fresh, may_add_first
from socialgov.errors import StepUpNeeded
from socialgov.web.access import SESSION_KEY, interrupted_fields, signed_in
from socialgov.web.forms import saved
from socialgov.web.passkey_forms import (
    PasskeyForm,
    ceremony_token,
    nothing_came,
    options_answer,
    passkey_context,
)
from socialgov.web.signin import CodeForm, own_path, provider

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

bp = Blueprint("confirm", __name__, url_prefix="/confirm")

BACK_KEY = "confirm_back"  # where a confirmed visitor goes on: an address of this application
FORM_KEY = "confirm_form"  # the token of an interrupted form
FOR_VAULT_KEY = "confirm_for_vault"  # what comes next is the vault or the glass: not by a code where passkeys work
INTERRUPTED = "interrupted"


@bp.app_errorhandler(StepUpNeeded)
def first_confirm(needed: StepUpNeeded) -> ResponseReturnValue:
    """Keep where the visitor was going, and ask."""
    if g.get("staff") is None:  # the session ended between two clicks
        return redirect(url_for("signin.page"))
    keep_place(BACK_KEY, FORM_KEY)
    session[FOR_VAULT_KEY] = needed.for_vault
    return redirect(url_for("confirm.page"))


def keep_place(back_key: str, form_key: str) -> None:
    """Keep where the visitor was going, or the form they sent, under these names in the cookie."""
    if request.method in ("GET", "HEAD"):
        session[back_key] = request.full_path.removesuffix("?")
        session.pop(form_key, None)
    else:
        names = interrupted_fields(current_app.view_functions.get(request.endpoint or ""))
        sent = [name for name in sorted(request.form) if any(fnmatchcase(name, one) for one in names)]
        fields = [[name, value] for name in sent for value in request.form.getlist(name)]
        data = {"path": request.path, "fields": fields}
        session[form_key] = begin(g.home, INTERRUPTED, data, staff_id=g.staff.id, now=g.now)


@bp.route("", methods=["GET", "POST"])
@signed_in
def page() -> ResponseReturnValue:
    """The ways this person has; a POST brings a code of the authenticator app."""
    form, tokens = CodeForm(), []

    def confirm() -> None:
        tokens.append(confirm_with_code(g.home, g.staff, g.session_token, form.code.data or "", now=g.now))

    if saved(form, confirm):
        return go_on(tokens[0])
    kept, for_vault = open_session(g.home, g.session_token, now=g.now), session.get(FOR_VAULT_KEY, False)
    if request.method == "GET" and kept is not None and is_fresh(g.home, kept, g.now, for_vault=for_vault):
        return redirect(where_to())
    ways = ways_of(g.home.db, g.staff.id)
    can = usable(g.home, ways, for_vault=for_vault)
    html = render_template(
        "confirm/page.html",
        form=form,
        usable=can,
        only_code=not can.some and usable(g.home, ways).code,
        first=kept is not None and may_add_first(g.home, kept, g.now),
        provider=provider("openid.confirm") if can.openid else None,
        again_with=g.home.settings.openid.label if ways.identities and g.home.settings.openid else None,
        **passkey_context(),
    )
    return html, 422 if form.errors else 200


@bp.post("/passkey/options")
@signed_in
def passkey_options() -> ResponseReturnValue:
    return options_answer(passkeys.ask_for_one(g.home, passkeys.CONFIRM, staff_id=g.staff.id, now=g.now))


@bp.post("/passkey")
@signed_in
def passkey() -> ResponseReturnValue:
    form = PasskeyForm()
    if not form.validate_on_submit():
        nothing_came()
        return redirect(url_for("confirm.page"))
    answer = form.answer.data or ""
    try:
        token = passkeys.confirm_with_passkey(g.home, g.staff, g.session_token, ceremony_token(), answer, now=g.now)
    except (passkeys.PasskeyRefused, CeremonyOver) as error:
        flash(str(error), "warning")
        return redirect(url_for("confirm.page"))
    return go_on(token)


def go_on(token: str) -> ResponseReturnValue:
    """The session has a new token: keep it, and lead the visitor on. Also for the provider's step-up."""
    session[SESSION_KEY] = token
    session.pop(FOR_VAULT_KEY, None)
    return redirect(where_to())


def where_to() -> str:
    """Where a confirmed visitor was going."""
    if session.get(FORM_KEY):
        return url_for("confirm.carry_on")
    return own_path(session.pop(BACK_KEY, None)) or url_for("start.page")


@bp.get("/carry-on")
@signed_in
def carry_on() -> ResponseReturnValue:
    """One button sends the interrupted form on, to the address it was for. Passwords were not kept."""
    try:
        kept = finish_alone(g.home, INTERRUPTED, session.pop(FORM_KEY, None), staff_id=g.staff.id, now=g.now)
    except CeremonyOver as error:
        flash(str(error), "warning")
        return redirect(url_for("start.page"))
    path = own_path(kept["path"]) or "/"
    return render_template("confirm/carry_on.html", path=path, fields=kept["fields"])
