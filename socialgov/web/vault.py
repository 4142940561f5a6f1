"""The vault: who opens it, and the pages where a network manager opens it, shuts it, and lets others in (SEC207)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from flask import Blueprint, flash, g, redirect, render_template, request, session, url_for
from flask_wtf import FlaskForm
from wtforms import PasswordField
from wtforms.validators import DataRequired, EqualTo

from socialgov.actions import vault
from socialgov.actions.break_glass import under_way
from socialgov.actions.recovery import drill_is_due
from socialgov.actions.vault_passphrase import LONGEST, change_passphrase
from socialgov.actions.vault_passphrase import join as join_vault
from socialgov.errors import VaultShut
from socialgov.generator import random_words
from socialgov.models import Role, Staff
from socialgov.permissions import (
    can_manage_vault,
    can_open_vault,
    check_can_manage_vault,
    check_can_open_vault,
    check_can_view_vault,
)
from socialgov.store.staff import staff_by_id, staff_names, staff_with_role
from socialgov.store.vault import HolderRow, current_holders, current_recovery, openings_of_now
from socialgov.web.access import fresh_for_vault, may
from socialgov.web.confirm import FORM_KEY, keep_place
from socialgov.web.errors import socialgov_error
from socialgov.web.forms import ButtonForm, page, saved, shorter, text
from socialgov.web.in_hand import let_go, need_vault, opening_in_hand, take_in_hand
from socialgov.web.signin import own_path

if TYPE_CHECKING:
    from datetime import datetime

    from flask.typing import ResponseReturnValue

bp = Blueprint("vault", __name__, url_prefix="/vault")

BACK_KEY = "vault_back"  # where to go on once the vault is open
KEPT_KEY = "vault_form"  # the token of a form that found it shut
TYPED = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none", "autocorrect": "off"}


class OpenForm(FlaskForm):
    passphrase = PasswordField(
        "Your vault passphrase",
        validators=[DataRequired("Enter your vault passphrase."), shorter("Passphrase", LONGEST)],
    )


class PassphraseForm(FlaskForm):
    """A new passphrase, twice: nobody can read it back to whoever mistyped it."""

    passphrase = PasswordField(
        "Your own vault passphrase",
        validators=[DataRequired("Enter a passphrase."), shorter("Passphrase", LONGEST)],
    )
    again = PasswordField(
        "The same once more",
        validators=[EqualTo("passphrase", "The two differ. Enter the same passphrase twice.")],
    )


class ChangeForm(PassphraseForm):
    old = PasswordField(
        "Your present vault passphrase",
        validators=[DataRequired("Enter your present passphrase."), shorter("Passphrase", LONGEST)],
    )


class JoinForm(PassphraseForm):
    code = text("The code that you were given", "Enter the six words of the code.")


# --------------------------------------------------------------------------------------------------- look at it


@dataclass(frozen=True, slots=True)
class Way:
    """One network manager, and their way in: `since` their passphrase, or `invited_until`; neither: none yet."""

    staff: Staff
    since: datetime | None
    invited_by: str
    invited_until: datetime | None
    over: bool


@bp.get("/")
@may(check_can_view_vault)
def show() -> ResponseReturnValue:
    """Who opens the vault, since when, when its recovery was rehearsed; nothing of what is in it."""
    session.pop(BACK_KEY, None)  # whoever opens it from here wants to come back here
    session.pop(KEPT_KEY, None)
    holders, recovery = current_holders(g.home.db), current_recovery(g.home.db)
    ways = _ways(holders, staff_names(g.home.db))
    mine = next((way for way in ways if way.staff.id == g.staff.id), None)
    return render_template(
        "vault/page.html",
        ways=ways,
        mine=mine,
        opening=opening_in_hand(),
        elsewhere=_elsewhere(),
        recovery=recovery,
        drill_due=drill_is_due(g.home, g.now),
        nobody=not any(way.since for way in ways),
        glass=under_way(g.home, now=g.now),
        may_open=can_open_vault(g.staff),
        may_manage=can_manage_vault(g.staff),
        names=staff_names(g.home.db),
    )


def _ways(holders: Sequence[HolderRow], names: Mapping[int, str]) -> list[Way]:
    """Every network manager, those who open it first."""
    of = {(row.staff_id, row.kind): row for row in holders}
    people = {person.id: person for person in staff_with_role(g.home.db, Role.NETWORK_MANAGER)}
    people |= {row.staff_id: staff_by_id(g.home.db, row.staff_id) for row in holders}
    ways = []
    for person in people.values():
        own, asked = of.get((person.id, "manager")), of.get((person.id, "invitation"))
        until = asked.expires_at if asked else None
        by = names.get(asked.made_by, "") if asked and asked.made_by else ""
        ways.append(Way(person, own.made_at if own else None, by, until, over=until is not None and until <= g.now))
    return sorted(ways, key=lambda way: (way.since is None, way.staff.name))


def _elsewhere() -> list[str]:
    """Names of those who have the vault open in another session at this moment."""
    here, names = opening_in_hand(), staff_names(g.home.db)
    return [names[one.staff_id] for one in openings_of_now(g.home.db, g.now) if here is None or one.id != here.id]


# --------------------------------------------------------------------------------------------------- open, shut


@bp.app_errorhandler(VaultShut)
def first_open(error: VaultShut) -> ResponseReturnValue:
    """Keep where a network manager was going, and let them open the vault; the others read what to do."""
    let_go()
    if g.get("staff") is None or not can_open_vault(g.staff):
        return socialgov_error(error)
    keep_place(BACK_KEY, KEPT_KEY)
    flash("First open the vault. Then you go on with what you were doing.", "info")
    return redirect(url_for("vault.unlock"))


@bp.route("/open", methods=["GET", "POST"])
@fresh_for_vault
@may(check_can_open_vault)
def unlock() -> ResponseReturnValue:
    """The passphrase, after showing once more who it is (ASVS 7.5.1)."""
    form, tokens = OpenForm(), []

    def verb() -> None:
        tokens.append(vault.open_vault(g.home, g.staff, g.session_token, form.passphrase.data or "", now=g.now))

    if saved(form, verb):
        take_in_hand(tokens[0])
        return _go_on()
    mine = {row.kind for row in current_holders(g.home.db) if row.staff_id == g.staff.id}
    if "manager" not in mine:
        return redirect(url_for("vault.join" if "invitation" in mine else "vault.show"))
    return page("vault/open.html", form, typed=TYPED, minutes=g.home.settings.policy.vault_open_minutes)


def _go_on() -> ResponseReturnValue:
    """Where the visitor was going when the vault was shut."""
    back, kept = own_path(session.pop(BACK_KEY, None)), session.pop(KEPT_KEY, None)
    if kept:
        session[FORM_KEY] = kept
        return redirect(url_for("confirm.carry_on"))
    return redirect(back or url_for("vault.show"))


def come_back_here() -> None:
    """For a page that shows a link to the opening page: the visitor comes back to it."""
    session[BACK_KEY] = request.full_path.removesuffix("?")
    session.pop(KEPT_KEY, None)


@bp.post("/shut")
@may(check_can_view_vault)
def shut() -> ResponseReturnValue:
    if saved(ButtonForm(), lambda: vault.shut_vault(g.home, g.session_token, now=g.now)):
        let_go()
        flash("The vault is shut.", "success")
    return redirect(url_for("vault.show"))


# --------------------------------------------------------------------------------------------------- one's own way in


@bp.route("/passphrase", methods=["GET", "POST"])
@may(check_can_open_vault)
def join() -> ResponseReturnValue:
    """With the code of an invitation, or of `socialgov init`, a network manager sets a passphrase of their own."""
    form = JoinForm()
    if proposed := _proposed():
        return _passphrase_page(form, proposed)
    if saved(form, lambda: join_vault(g.home, g.staff, form.code.data or "", form.passphrase.data or "", now=g.now)):
        flash("Your passphrase is set. From now on it opens the vault; the code does no more.", "success")
        return redirect(url_for("vault.show"))
    return _passphrase_page(form)


@bp.route("/passphrase/change", methods=["GET", "POST"])
@fresh_for_vault
@may(check_can_open_vault)
def change() -> ResponseReturnValue:
    """Another passphrase for oneself. What one has open is shut: it opens again with the new one."""
    form = ChangeForm()
    if proposed := _proposed():
        return _passphrase_page(form, proposed)

    def verb() -> None:
        change_passphrase(g.home, g.staff, form.old.data or "", form.passphrase.data or "", now=g.now)

    if saved(form, verb):
        let_go()
        flash("Your vault passphrase is changed. The old one opens nothing any more.", "success")
        return redirect(url_for("vault.show"))
    return _passphrase_page(form)


def _proposed() -> str:
    """Six words at random, where the button asked for them: shown in this answer, kept nowhere."""
    return random_words() if "propose" in request.form and ButtonForm().validate_on_submit() else ""


def _passphrase_page(form: FlaskForm, proposed: str = "") -> ResponseReturnValue:
    if proposed:
        form.form_errors = []
        return render_template("vault/passphrase.html", form=form, proposed=proposed, typed=TYPED)
    return page("vault/passphrase.html", form, proposed="", typed=TYPED)


# --------------------------------------------------------------------------------------------------- others


@bp.route("/invite/<int:staff_id>", methods=["GET", "POST"])
@fresh_for_vault
@may(check_can_manage_vault)
def invite(staff_id: int) -> ResponseReturnValue:
    """Let another network manager in. The code stands in the answer to this POST and nowhere else."""
    someone, opened = staff_by_id(g.home.db, staff_id), need_vault()
    form, codes = ButtonForm(), list[str]()
    if saved(form, lambda: codes.append(vault.invite(g.home, g.staff, opened, staff_id, now=g.now))):
        until = g.now + timedelta(hours=g.home.settings.policy.vault_invitation_hours)
        return render_template("vault/code.html", someone=someone, code=codes[0], until=until)
    return page(
        "form.html",
        form,
        heading=f"Let {someone.name} open the vault",
        lead="A code of six words is made and shown once. Tell it to them in person or by telephone, not by mail: with "
        "it they set a passphrase of their own. No deposited password is opened for this.",
        button="Make the code",
        back=url_for("vault.show"),
    )


@bp.route("/remove/<int:staff_id>", methods=["GET", "POST"])
@fresh_for_vault
@may(check_can_manage_vault)
def remove(staff_id: int) -> ResponseReturnValue:
    """Take somebody's way in; they and the heads are told."""
    someone = staff_by_id(g.home.db, staff_id)
    form = ButtonForm()
    if saved(form, lambda: vault.remove_holder(g.home, g.staff, staff_id, now=g.now)):
        flash(f"{someone.name} cannot open the vault any more.", "success")
        return redirect(url_for("vault.show"))
    return page(
        "form.html",
        form,
        heading=f"Take the vault from {someone.name}",
        lead="Their passphrase opens nothing any more, at once, and an open vault of theirs is shut. They, the other "
        "network managers and the heads are told.",
        warning="What they have looked at they still know: have those passwords changed.",
        button="Take it from them",
        button_kind="danger",
        back=url_for("vault.show"),
    )
