"""How you sign in: your passkeys, your authenticator app, your school account, and where you are signed in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, flash, g, redirect, render_template, request, session, url_for

from socialgov.actions import authenticators, passkeys
from socialgov.actions.ceremonies import CeremonyOver
from socialgov.actions.factors import usable, ways_of
from socialgov.actions.identities import end_identity, identities_of
from socialgov.actions.retention import SESSION_DAYS
from socialgov.actions.sessions import end_other_sessions, end_own_session, open_session, sessions_of
from socialgov.actions.stepup import need_fresh_or_first
from socialgov.actions.ways import postpone
from socialgov.escrow.codes import Seed, otpauth
from socialgov.permissions import can_end_sessions
from socialgov.store.factors import passkey_of
from socialgov.web.access import NEXT_KEY, SESSION_KEY, fresh, signed_in
from socialgov.web.confirm import BACK_KEY, FORM_KEY, where_to
from socialgov.web.forms import ButtonForm, saved, text
from socialgov.web.forms import page as form_page
from socialgov.web.passkey_forms import (
    PasskeyForm,
    ceremony_token,
    nothing_came,
    options_answer,
    passkey_context,
)
from socialgov.web.signin import CodeForm, own_path

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

bp = Blueprint("signing_in", __name__, url_prefix="/signing-in")

METHODS = {
    "link": "A sign-in link",
    "passkey": "A passkey",
    "openid": "The school account",
    "link+passkey": "A sign-in link and a passkey",
    "link+code": "A sign-in link and a code",
}


class AddPasskeyForm(PasskeyForm):
    name = text("Name of this passkey", "Enter a name, such as the device it is on.", longest=60)


@bp.get("/")
@signed_in
def page() -> ResponseReturnValue:
    """Everything this person signs in with, and every place where they are signed in."""
    here = open_session(g.home, g.session_token, now=g.now)
    ways = ways_of(g.home.db, g.staff.id)
    return render_template(
        "signing_in/page.html",
        ways=ways,
        usable=usable(g.home, ways),
        identities=identities_of(g.home.db, g.staff.id),
        sessions=sessions_of(g.home, g.staff.id, now=g.now),
        this_id=here.id if here else None,
        methods=METHODS,
        codes=g.home.settings.policy.authenticator_codes,
        may_end=can_end_sessions(g.staff),
        session_days=SESSION_DAYS,
        now=g.now,
        **passkey_context(script=False),
    )


# --------------------------------------------------------------------------------------------------- asked to add


@bp.get("/add")
@signed_in
def ask() -> ResponseReturnValue:
    """After a sign-in by link alone: a better way for the next time."""
    return render_template(
        "signing_in/ask.html",
        codes=g.home.settings.policy.authenticator_codes,
        **passkey_context(script=False),
    )


@bp.post("/later")
@signed_in
def later() -> ResponseReturnValue:
    """Not now: on to the page that was asked for."""
    saved(ButtonForm(), lambda: postpone(g.home, g.staff, now=g.now))
    return redirect(own_path(session.pop(NEXT_KEY, None)) or url_for("start.page"))


def _added(token: str, words: str) -> ResponseReturnValue:
    """The session has a new token, and counts as confirmed: on to what the visitor came for."""
    session[SESSION_KEY] = token
    flash(words, "success")
    if session.get(BACK_KEY) or session.get(FORM_KEY):
        return redirect(where_to())
    return redirect(own_path(session.pop(NEXT_KEY, None)) or url_for("signing_in.page"))


# --------------------------------------------------------------------------------------------------- passkeys


@bp.route("/passkeys/add", methods=["GET", "POST"])
@signed_in
def add_passkey() -> ResponseReturnValue:
    need_fresh_or_first(g.home, g.session_token, now=g.now)
    form, tokens = AddPasskeyForm(), []
    if request.method == "POST" and not form.answer.data:
        nothing_came()
        return redirect(url_for("signing_in.add_passkey"))

    def add() -> None:
        answer, name = form.answer.data or "", form.name.data or ""
        token = ceremony_token()
        tokens.append(passkeys.add_passkey(g.home, g.staff, g.session_token, token, answer, name, now=g.now))

    try:
        if saved(form, add):
            return _added(tokens[0], "The passkey is added. Use it the next time you sign in.")
    except (passkeys.PasskeyRefused, CeremonyOver) as error:
        flash(str(error), "warning")
        return redirect(url_for("signing_in.add_passkey"))
    return form_page("signing_in/add_passkey.html", form, **passkey_context())


@bp.post("/passkeys/options")
@signed_in
def passkey_options() -> ResponseReturnValue:
    return options_answer(passkeys.ask_to_add(g.home, g.staff, g.session_token, now=g.now))


@bp.route("/passkeys/<int:passkey_id>/remove", methods=["GET", "POST"])
@signed_in
@fresh
def remove_passkey(passkey_id: int) -> ResponseReturnValue:
    passkey = passkey_of(g.home.db, g.staff.id, passkey_id)
    form = ButtonForm()
    if saved(form, lambda: passkeys.remove_passkey(g.home, g.staff, g.session_token, passkey_id, now=g.now)):
        flash(f"The passkey {passkey.name} is removed here. Delete it on the device too.", "success")
        return redirect(url_for("signing_in.page"))
    return form_page("signing_in/remove.html", form, what=f"the passkey {passkey.name}", last=_is_last())


def _is_last() -> bool:
    """Would somebody be left with one-time links alone?"""
    ways = ways_of(g.home.db, g.staff.id)
    return len(ways.passkeys) + (ways.authenticator is not None) + ways.identities == 1


# --------------------------------------------------------------------------------------------------- authenticator


@bp.route("/authenticator/add", methods=["GET", "POST"])
@signed_in
def add_authenticator() -> ResponseReturnValue:
    """The seed stands in the answer to the POST alone, once (ASVS 3.5.3)."""
    authenticators.check_codes_allowed(g.home)
    need_fresh_or_first(g.home, g.session_token, now=g.now)
    form, seeds = ButtonForm(), []
    if saved(
        form,
        lambda: seeds.append(authenticators.begin_authenticator(g.home, g.staff, g.session_token, now=g.now)),
    ):
        return render_template("signing_in/seed.html", form=CodeForm(formdata=None), **_seed_words(seeds[0]))
    return form_page("signing_in/add_authenticator.html", form)


def _seed_words(seed: Seed) -> dict[str, str]:
    import segno

    address = otpauth(seed, issuer=f"socialgov {g.home.settings.school_name}", name=g.staff.email)
    picture = segno.make(address, micro=False).svg_data_uri(scale=5, border=4, dark="#000", light="#fff")
    groups = [seed.text[start : start + 4] for start in range(0, len(seed.text), 4)]
    return {"picture": picture, "seed": " ".join(groups), "address": address}


@bp.route("/authenticator/confirm", methods=["GET", "POST"])
@signed_in
def confirm_authenticator() -> ResponseReturnValue:
    """The first code. Here the seed is not shown again: who has not kept it begins anew."""
    form, tokens = CodeForm(), []

    def confirm() -> None:
        code = form.code.data or ""
        tokens.append(authenticators.confirm_authenticator(g.home, g.staff, g.session_token, code, now=g.now))

    if saved(form, confirm):
        return _added(tokens[0], "The authenticator app is added.")
    return form_page("signing_in/confirm_authenticator.html", form)


@bp.route("/authenticator/remove", methods=["GET", "POST"])
@signed_in
@fresh
def remove_authenticator() -> ResponseReturnValue:
    form = ButtonForm()
    if saved(form, lambda: authenticators.remove_authenticator(g.home, g.staff, g.session_token, now=g.now)):
        flash("The authenticator app is removed. Delete the entry in the app too.", "success")
        return redirect(url_for("signing_in.page"))
    return form_page("signing_in/remove.html", form, what="your authenticator app", last=_is_last())


# --------------------------------------------------------------------------------------------------- school account


@bp.route("/identities/<int:identity_id>/end", methods=["GET", "POST"])
@signed_in
@fresh
def remove_identity(identity_id: int) -> ResponseReturnValue:
    form = ButtonForm()
    if saved(form, lambda: end_identity(g.home, g.staff, identity_id, now=g.now)):
        flash("That school account no longer signs you in.", "success")
        return redirect(url_for("signing_in.page"))
    return form_page("signing_in/remove.html", form, what="the school account", last=_is_last())


# --------------------------------------------------------------------------------------------------- sessions


@bp.post("/sessions/<int:session_id>/end")
@signed_in
def end_one(session_id: int) -> ResponseReturnValue:
    if saved(ButtonForm(), lambda: end_own_session(g.home, g.staff, session_id, now=g.now)):
        flash("That device is signed out.", "success")
    return redirect(url_for("signing_in.page"))


@bp.post("/sessions/end-others")
@signed_in
def end_others() -> ResponseReturnValue:
    if saved(ButtonForm(), lambda: end_other_sessions(g.home, g.staff, g.session_token, now=g.now)):
        flash("You are signed out everywhere but here.", "success")
    return redirect(url_for("signing_in.page"))
