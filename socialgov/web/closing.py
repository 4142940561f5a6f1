"""Closing with proof: where it stands, a person's tasks, the mailed code, and the certificate."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

from flask import Blueprint, flash, g, redirect, render_template, send_file, url_for
from flask_wtf import FlaskForm
from flask_wtf.file import FileField

from socialgov.actions.adapters import capabilities_of
from socialgov.actions.certificates import certificate_text, fingerprint
from socialgov.actions.closing import ask_new_code, complete_task, go_on_with_vault, let_machine_try
from socialgov.actions.closing_steps import FOR_VAULT, OPEN_AND
from socialgov.errors import NotFound
from socialgov.lifecycle import PROOFS
from socialgov.models import ClosingStep, Fact, StepName, StepState
from socialgov.permissions import can_do_closing_task as can_do
from socialgov.permissions import (
    check_can_do_closing_task,
    check_can_open_vault,
    check_can_view_account,
    check_can_view_certificate,
)
from socialgov.store.closings import certificate_of, closing_of, steps_of
from socialgov.store.staff import staff_names
from socialgov.web.access import may, may_account
from socialgov.web.account_view import guide, value_words
from socialgov.web.attest_forms import screenshot_field
from socialgov.web.forms import ButtonForm, optional_text, page, saved, text
from socialgov.web.in_hand import need_vault, vault_in_hand

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

bp = Blueprint("closing", __name__, url_prefix="/accounts")

TITLES = {
    StepName.FREEZE_POSTING: "Freeze posting",
    StepName.TAKE_CONTENT_DOWN: "Take everything down",
    StepName.CHANGE_PASSWORD: "Change the password",
    StepName.REVOKE_ACCESS: "Revoke access",
    StepName.DEACTIVATE: "Deactivate the account",
    StepName.SEE_IT_GONE: "See it gone",
    StepName.WAIT_THE_DELAY: "Wait until the deletion cannot be undone",
    StepName.DELETE: "Delete the account",
    StepName.SEE_IT_GONE_FOR_GOOD: "See it gone for good",
    StepName.ERASE_PEOPLE: "Erase what was held about people",
    StepName.CERTIFICATE: "Issue the certificate",
}
# how a fact reads before what was seen of it
SEEN = {
    Fact.PRESENCE: "the profile is",
    Fact.POSTS: "posts left on the account",
    Fact.LOGIN_WORKS: "the new login works",
    Fact.OUR_ACCESS: "socialgov can still sign in",
}


class CodeForm(FlaskForm):
    code = text("Code from the platform's mail", "Enter the code.", longest=200)


class DoneForm(FlaskForm):
    """A task whose effect the machine looks at itself."""

    note = optional_text("Note", longest=500)


class ProvenForm(FlaskForm):
    """A task whose effect a person shows."""

    screenshot: FileField = screenshot_field()
    note = optional_text("Note", longest=500)


@bp.get("/<int:account_id>/closing")
@may_account(check_can_view_account)
def progress(account_id: int) -> ResponseReturnValue:
    """Every step of the plan: done, now, or still to come."""
    closing = closing_of(g.home.db, account_id)
    if closing is None:
        raise NotFound("This account is not being closed.", "Open the account to see where it stands.")
    return render_template(
        "closing/progress.html",
        account=g.account,
        closing=closing,
        steps=steps_of(g.home.db, closing.id),
        titles=TITLES,
        names=staff_names(g.home.db),
        states=StepState,
        then=_then,
        may_do=can_do(g.staff, g.account),
        certificate=certificate_of(g.home.db, account_id),
    )


@bp.route("/<int:account_id>/closing/<int:step_id>", methods=["GET", "POST"])
@may_account(check_can_do_closing_task)
def task(account_id: int, step_id: int) -> ResponseReturnValue:
    """A guided task of a person: the guide, then what shows that it is done."""
    step = _step(account_id, step_id)
    form = _task_form(step)
    if saved(form, lambda: _complete(form, step)):
        return _after(account_id, step_id)
    platform = g.home.settings.platforms[g.account.platform]
    return page(
        "closing/task.html",
        form,
        account=g.account,
        platform=platform,
        step=step,
        heading=TITLES[step.name],
        caption=g.account.handle or g.account.handle_wished,
        guide=guide(platform, step.name.value),
        waits_for_code=step.detail.get("phase") == "code",
        then=_then(step),
        was_machines=bool(step.detail.get("machine")),
        back=url_for("closing.progress", account_id=account_id),
        button="Hand the code over" if "code" in form else "It is done",
        upload="screenshot" in form,
    )


@bp.route("/<int:account_id>/closing/<int:step_id>/vault", methods=["GET", "POST"])
@may(check_can_open_vault)
def with_vault(account_id: int, step_id: int) -> ResponseReturnValue:
    """The vault is open in this browser: the machine does what needs the password, in this request."""
    step, vault = _step(account_id, step_id), need_vault()
    form = ButtonForm()
    if saved(form, lambda: go_on_with_vault(g.home, g.staff, step.id, vault, now=g.now)):
        return _after(account_id, step_id)
    return page(
        "closing/vault.html",
        form,
        account=g.account,
        heading=TITLES[step.name],
        caption=g.account.name,
        then=_then(step),
        back=url_for("closing.task", account_id=account_id, step_id=step_id),
        button="Go on",
    )


@bp.post("/<int:account_id>/closing/<int:step_id>/new-code")
@may_account(check_can_do_closing_task)
def new_code(account_id: int, step_id: int) -> ResponseReturnValue:
    """The mailed code never came or ran out."""
    step = _step(account_id, step_id)
    if saved(ButtonForm(), lambda: ask_new_code(g.home, g.staff, step.id, now=g.now, vault=vault_in_hand())):
        if _then(_step(account_id, step_id)):
            return _after(account_id, step_id)
        flash("Another code was asked for. It comes to the address the account was set up with.", "success")
    return redirect(url_for("closing.progress", account_id=account_id))


@bp.post("/<int:account_id>/closing/<int:step_id>/machine")
@may_account(check_can_do_closing_task)
def machine(account_id: int, step_id: int) -> ResponseReturnValue:
    """Whatever stood in the way is mended: the machine tries again."""
    step = _step(account_id, step_id)
    if saved(ButtonForm(), lambda: let_machine_try(g.home, g.staff, step.id, now=g.now)):
        return _after(account_id, step_id)
    return redirect(url_for("closing.progress", account_id=account_id))


def _step(account_id: int, step_id: int) -> ClosingStep:
    closing = closing_of(g.home.db, account_id)
    for step in steps_of(g.home.db, closing.id) if closing else ():
        if step.id == step_id:
            return step
    raise NotFound("There is no such step.", "Open the closing to see where it stands.")


def _then(step: ClosingStep) -> str:
    """What the machine does once the vault is open; empty where the step does not wait for that."""
    waits = step.state is StepState.TASK and step.detail.get(FOR_VAULT)
    return OPEN_AND.get(step.name, "goes on") if waits else ""


def _task_form(step: ClosingStep) -> FlaskForm:
    """What must be given for this step: the code, a screenshot where a person vouches, else only a button."""
    if step.detail.get("phase") == "code":
        return CodeForm()
    proof = PROOFS.get(step.name)
    seen_by_machine = proof is not None and proof.capability in capabilities_of(g.home, g.account)
    return ProvenForm() if proof is not None and proof.screenshot and not seen_by_machine else DoneForm()


def _complete(form: FlaskForm, step: ClosingStep) -> None:
    given: dict[str, Any] = {}
    if "code" in form:
        given["code"] = form.code.data
    if "screenshot" in form:
        given["screenshot"] = form.screenshot.data.read()
    if "note" in form:
        given["note"] = form.note.data or ""
    complete_task(g.home, g.staff, step.id, now=g.now, vault=vault_in_hand(), **given)


def _after(account_id: int, step_id: int) -> ResponseReturnValue:
    """Say how the step stands now: done, with the machine, or back with the person and why."""
    step = _step(account_id, step_id)
    if step.state is StepState.DONE:
        flash(f"Done and seen: {TITLES[step.name].lower()}.", "success")
    elif then := _then(step):
        flash(f"This waits for a network manager: open the vault, then socialgov {then}.", "info")
    elif step.state is StepState.TASK:
        flash(step.last_error or "This step still waits for you.", "warning")
    else:
        flash("Thank you. The machine goes on from here and looks whether it worked.", "info")
    return redirect(url_for("closing.progress", account_id=account_id))


# --------------------------------------------------------------------------------------------------- certificate


@bp.get("/<int:account_id>/certificate")
@may_account(check_can_view_certificate)
def certificate(account_id: int) -> ResponseReturnValue:
    """What was seen and when, and what could not be seen."""
    found = _certificate(account_id)
    body = json.loads(found.body)
    return render_template(
        "closing/certificate.html",
        account=g.account,
        certificate=found,
        body=body,
        erased=[(what[0].upper() + what[1:], str(number)) for what, number in body["erased"].items() if number],
        seen_words=value_words,
        seen_titles={fact.value: title for fact, title in SEEN.items()},
        titles={name.value: title for name, title in TITLES.items()},
        fingerprint=fingerprint(g.home.escrow.public_key()),
    )


@bp.get("/<int:account_id>/certificate.json")
@may_account(check_can_view_certificate)
def certificate_file(account_id: int) -> ResponseReturnValue:
    """The signed file, to keep and to check with `socialgov audit verify-certificate`."""
    text_of = certificate_text(_certificate(account_id))
    return send_file(
        io.BytesIO(text_of.encode()),
        mimetype="application/json",
        as_attachment=True,
        download_name=f"certificate-{account_id}.json",
    )


def _certificate(account_id: int) -> Any:
    found = certificate_of(g.home.db, account_id)
    if found is None:
        raise NotFound("There is no certificate yet.", "It is issued when the account is closed for good.")
    return found
