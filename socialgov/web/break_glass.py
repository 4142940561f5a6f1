"""Break the glass: a head asks, a second person agrees, time passes, two sheets of paper open the vault (SEC207)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from flask import Blueprint, flash, g, redirect, render_template, url_for
from flask_wtf import FlaskForm
from wtforms import SelectField, TextAreaField
from wtforms.validators import DataRequired

from socialgov.actions import break_glass
from socialgov.errors import Conflict
from socialgov.escrow.shares import WORDS
from socialgov.models import GlassState
from socialgov.permissions import (
    can_agree_glass,
    can_ask_glass,
    can_stop_glass,
    can_view_vault,
    check_can_agree_glass,
    check_can_ask_glass,
    check_can_stop_glass,
    check_can_use_glass,
    check_can_view_glass,
)
from socialgov.store.break_glass import BreakGlass, all_glass
from socialgov.store.staff import current_staff, staff_by_id, staff_names
from socialgov.web.access import fresh_for_vault, fresh_keeping, may
from socialgov.web.forms import REASON_LENGTH, ButtonForm, ReasonForm, options, page, saved, shorter, text
from socialgov.web.in_hand import glass_in_hand, need_vault, take_in_hand
from socialgov.web.request_forms import whole

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

bp = Blueprint("glass", __name__, url_prefix="/vault/glass")

LONGEST_SHEET = 1_000  # 33 words of at most eight letters, and room for the numbers and lines of the paper
SHEET = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none", "autocorrect": "off"}
STAGES = {
    GlassState.ASKED: ("Waits for the second person", "blue"),
    GlassState.WAITING: ("The waiting time runs", "yellow"),
    GlassState.OPEN: ("The sheets open the vault", "red"),
    GlassState.STOPPED: ("Stopped", "grey"),
    GlassState.OVER: ("Over", "grey"),
}


class StopForm(FlaskForm):
    reason = text("Why it must not go on", "Say why.", longest=REASON_LENGTH, lines=True)


class SheetsForm(FlaskForm):
    sheet_1 = TextAreaField(
        "First sheet",
        validators=[DataRequired("Enter the words of the first sheet."), shorter("First sheet", LONGEST_SHEET)],
    )
    sheet_2 = TextAreaField(
        "Second sheet",
        validators=[DataRequired("Enter the words of the second sheet."), shorter("Second sheet", LONGEST_SHEET)],
    )


class NameForm(FlaskForm):
    staff_id = SelectField(
        "Who opens the vault from now on", coerce=whole, validators=[DataRequired("Choose somebody.")]
    )


@bp.get("/")
@may(check_can_view_glass)
def show() -> ResponseReturnValue:
    """Where it stands, what this person can do about it, and what was before."""
    found = break_glass.under_way(g.home, now=g.now)
    state = found.state(g.now) if found else None
    return render_template(
        "glass/page.html",
        found=found,
        state=state,
        stages=STAGES,
        before=[(one, one.state(g.now)) for one in all_glass(g.home.db) if found is None or one.id != found.id],
        may_ask=found is None and can_ask_glass(g.staff),
        may_agree=found is not None and state is GlassState.ASKED and can_agree_glass(g.staff, found.asked_by),
        may_stop=found is not None and can_stop_glass(g.staff),
        may_unlock=found is not None and state is GlassState.OPEN and g.staff.id == found.asked_by,
        in_hand=found is not None and glass_in_hand() == found.id,
        sees_vault=can_view_vault(g.staff),
        names=staff_names(g.home.db),
    )


@bp.route("/ask", methods=["GET", "POST"])
@fresh_keeping("reason", for_vault=True)
@may(check_can_ask_glass)
def ask() -> ResponseReturnValue:
    form = ReasonForm()
    form.reason.label.text = "Why the vault must be opened without a network manager"
    form.reason.description = "The second person decides by it, and everybody who may see this can read it."
    if saved(form, lambda: break_glass.ask(g.home, g.staff, g.session_token, form.reason.data or "", now=g.now)):
        flash("You have asked. Now a second person must agree: tell them.", "success")
        return redirect(url_for("glass.show"))
    return page("glass/ask.html", form, policy=g.home.settings.policy)


@bp.route("/<int:glass_id>/agree", methods=["GET", "POST"])
@fresh_for_vault
@may(check_can_agree_glass)
def agree(glass_id: int) -> ResponseReturnValue:
    found, form = _found(glass_id), ButtonForm()
    check_can_agree_glass(g.staff, found.asked_by)
    if saved(form, lambda: break_glass.agree(g.home, g.staff, g.session_token, glass_id, now=g.now)):
        flash("You agreed. Everybody concerned is told, and the waiting time runs.", "success")
        return redirect(url_for("glass.show"))
    names = staff_names(g.home.db)
    return page("glass/agree.html", form, found=found, names=names, policy=g.home.settings.policy)


@bp.route("/<int:glass_id>/stop", methods=["GET", "POST"])
@may(check_can_stop_glass)
def stop(glass_id: int) -> ResponseReturnValue:
    _found(glass_id)
    form = StopForm()
    form.reason.description = "Everybody who was told of it can read this."
    if saved(form, lambda: break_glass.stop(g.home, g.staff, glass_id, form.reason.data or "", now=g.now)):
        flash("It is stopped. Everybody concerned is told.", "success")
        return redirect(url_for("glass.show"))
    return page(
        "form.html",
        form,
        heading="Stop the breaking of the glass",
        lead="Nothing is opened then, and a vault that the sheets have opened is shut at once. The head can ask again.",
        button="Stop it",
        button_kind="danger",
        back=url_for("glass.show"),
    )


@bp.route("/<int:glass_id>/open", methods=["GET", "POST"])
@fresh_for_vault
@may(check_can_ask_glass)
def unlock(glass_id: int) -> ResponseReturnValue:
    """Two sheets, typed in by the two persons. They are never sent back, logged or kept."""
    found, form, tokens = _found(glass_id), SheetsForm(), list[str]()

    def verb() -> None:
        sheets = (form.sheet_1.data or "", form.sheet_2.data or "")
        tokens.append(break_glass.open_with_sheets(g.home, g.staff, g.session_token, glass_id, sheets, now=g.now))

    if saved(form, verb):
        take_in_hand(tokens[0])
        flash(
            "The vault is open in this browser. Choose an account in the register to look at what it holds.", "success"
        )
        return redirect(url_for("glass.show"))
    form.sheet_1.data = form.sheet_2.data = ""
    minutes = g.home.settings.policy.vault_open_minutes
    return page("glass/open.html", form, found=found, words=WORDS, minutes=minutes, typed=SHEET)


@bp.route("/<int:glass_id>/name", methods=["GET", "POST"])
@fresh_for_vault
@may(check_can_use_glass, glass=True)
def name(glass_id: int) -> ResponseReturnValue:
    """Name a network manager who opens the vault from now on; their code is shown once."""
    _found(glass_id)
    opened, form, codes = need_vault(), NameForm(), list[str]()
    people = [person for person in current_staff(g.home.db) if person.id != g.staff.id]
    form.staff_id.choices = options(((person.id, person.name) for person in people), first="Choose somebody")
    form.staff_id.description = (
        "They become a network manager if they are not one yet. A network manager who forgot their passphrase gets a "
        "new code here; their old passphrase opens nothing any more."
    )

    def verb() -> None:
        codes.append(break_glass.name_manager(g.home, g.staff, opened, glass_id, form.staff_id.data, now=g.now))

    if saved(form, verb):
        until = g.now + timedelta(hours=g.home.settings.policy.vault_invitation_hours)
        someone = staff_by_id(g.home.db, form.staff_id.data)
        return render_template("vault/code.html", someone=someone, code=codes[0], until=until)
    return page(
        "form.html", form, heading="Let somebody open the vault", button="Make the code", back=url_for("glass.show")
    )


def _found(glass_id: int) -> BreakGlass:
    found = break_glass.under_way(g.home, now=g.now)
    if found is None or found.id != glass_id:
        raise Conflict("This request to break the glass is over.", "Look at the page of the glass again.")
    return found
