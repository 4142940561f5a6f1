"""Ask for an account, change a request, or record an account that was found: one question a page, then check and send.

The answers wait in a draft on the server, so the back button, a change link and a lost connection are all harmless.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, flash, g, redirect, render_template, url_for
from flask_wtf import FlaskForm
from wtforms import HiddenField

from socialgov.actions.drafts import discard_draft, draft_of, save_draft
from socialgov.actions.request_checks import request_notes
from socialgov.actions.requests import amend_request, as_request, register_found, request_account, withdraw
from socialgov.errors import InvalidInput
from socialgov.models import Account
from socialgov.permissions import check_can_amend_request, check_can_request
from socialgov.web import request_forms as questions
from socialgov.web.access import may, may_account
from socialgov.web.forms import ButtonForm, page, saved, show_errors
from socialgov.web.request_forms import BY_NAME, STEPS, Flow, Step

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

bp = Blueprint("requests", __name__)


class SendForm(FlaskForm):
    seen = HiddenField()  # what was on the page that is sent: another window may have changed the draft meanwhile


# --------------------------------------------------------------------------------------------------- a new request


@bp.get("/request/")
@may(check_can_request)
def begin() -> ResponseReturnValue:
    """What is asked, before it is asked."""
    return render_template(
        "requests/begin.html", draft=draft_of(g.home, g.staff, "request", now=g.now), form=ButtonForm()
    )


@bp.post("/request/start")
@may(check_can_request)
def start_afresh() -> ResponseReturnValue:
    discard_draft(g.home, g.staff, "request")
    return redirect(url_for("requests.ask", step=STEPS[0].name))


@bp.route("/request/<step>", methods=["GET", "POST"])
@may(check_can_request)
def ask(step: str) -> ResponseReturnValue:
    return _ask(Flow(g.home, g.staff), step)


@bp.route("/request/check", methods=["GET", "POST"])
@may(check_can_request)
def check() -> ResponseReturnValue:
    return _check(Flow(g.home, g.staff))


# --------------------------------------------------------------------------------------------------- found


@bp.get("/found/")
@may(check_can_request)
def begin_found() -> ResponseReturnValue:
    """ACC108: an account that exists already and is not on the register."""
    return render_template("requests/found.html")


@bp.route("/found/<step>", methods=["GET", "POST"])
@may(check_can_request)
def ask_found(step: str) -> ResponseReturnValue:
    return _ask(Flow(g.home, g.staff, found=True), step)


@bp.route("/found/check", methods=["GET", "POST"])
@may(check_can_request)
def check_found() -> ResponseReturnValue:
    return _check(Flow(g.home, g.staff, found=True))


# --------------------------------------------------------------------------------------------------- amending


@bp.route("/accounts/<int:account_id>/amend/<step>", methods=["GET", "POST"])
@may_account(check_can_amend_request)
def ask_amended(account_id: int, step: str) -> ResponseReturnValue:
    return _ask(_amending(), step)


@bp.route("/accounts/<int:account_id>/amend/", methods=["GET", "POST"])
@may_account(check_can_amend_request)
def check_amended(account_id: int) -> ResponseReturnValue:
    """All answers of the request, with a change link each."""
    return _check(_amending())


@bp.route("/accounts/<int:account_id>/withdraw", methods=["GET", "POST"])
@may_account(check_can_amend_request)
def take_back(account_id: int) -> ResponseReturnValue:
    form = ButtonForm()
    if saved(form, lambda: withdraw(g.home, g.staff, account_id, now=g.now)):
        flash("The request is withdrawn.", "success")
        return redirect(url_for("accounts.page", account_id=account_id))
    return page(
        "form.html",
        form,
        heading="Withdraw this request",
        lead="Nobody decides on it any more. You can ask again at any time.",
        button="Withdraw the request",
        button_kind="danger",
        back=url_for("accounts.page", account_id=account_id),
    )


def _amending() -> Flow:
    return Flow(g.home, g.staff, account=g.account, found=g.account.found_unregistered)


# --------------------------------------------------------------------------------------------------- the same for all


def _answers(flow: Flow) -> dict[str, Any]:
    kept = draft_of(flow.home, flow.staff, flow.key, now=g.now)
    return {**(questions.as_answers(as_request(flow.account)) if flow.account else {}), **kept}


def _address(flow: Flow, step: Step | None) -> str:
    """Where this flow asks `step`, or where it shows all answers."""
    name = "amended" if flow.account else "found" if flow.found else ""
    suffix = f"_{name}" if name else ""
    more = {"account_id": flow.account.id} if flow.account else {}
    if step is None:
        return url_for(f"requests.check{suffix}", **more)
    return url_for(f"requests.ask{suffix}", step=step.name, **more)


def _ask(flow: Flow, name: str) -> ResponseReturnValue:
    step = BY_NAME.get(name) or abort(404)
    answers = _answers(flow)
    form = step.make(flow, answers)
    given: dict[str, Any] = {}

    def keep() -> None:
        mine = {field: form[field].data for field in step.fields if field in form}
        given.update(answers, **questions.as_answers(mine))
        faults = questions.faults_of(flow, given, g.home.today(g.now))
        wrong = {field: sentence for field, sentence in faults.items() if field in mine}
        if wrong:
            raise InvalidInput("There is something to mend.", wrong)
        save_draft(g.home, g.staff, flow.key, given, now=g.now)

    if saved(form, keep):
        return redirect(_address(flow, questions.first_open(given)))
    number = STEPS.index(step)
    return page(
        "requests/question.html",
        form,
        heading=step.title(flow),
        caption=f"Question {number + 1} of {len(STEPS)}",
        back=_back(flow, answers, number),
        button="Continue",
    )


def _back(flow: Flow, answers: Mapping[str, Any], number: int) -> str:
    if questions.first_open(answers) is None:
        return _address(flow, None)
    if number:
        return _address(flow, STEPS[number - 1])
    return url_for("requests.begin_found" if flow.found else "requests.begin")


def _check(flow: Flow) -> ResponseReturnValue:
    answers = _answers(flow)
    if missing := questions.first_open(answers):
        return redirect(_address(flow, missing))
    digest = _digest(answers)
    form = SendForm()
    sent: list[Account] = []
    if form.validate_on_submit() and form.seen.data != digest:
        show_errors(form, InvalidInput("The answers were changed in another window. Check them again, then send."))
    elif saved(form, lambda: sent.append(_send(flow, answers))):
        discard_draft(g.home, g.staff, flow.key)
        flash(_done(flow), "success")
        return redirect(url_for("accounts.page", account_id=sent[0].id))
    form.seen.data = digest
    rows = [
        (key, value, _address(flow, BY_NAME[name]), key.lower())
        for name, pairs in questions.summary(flow, answers).items()
        for key, value in pairs
    ]
    notes = request_notes(g.home.settings, answers["platform"])
    return page("requests/check.html", form, rows=rows, flow=flow, notes=notes)


def _send(flow: Flow, answers: Mapping[str, Any]) -> Account:
    wanted = questions.as_request(answers)
    if flow.account is not None:
        return amend_request(g.home, g.staff, flow.account.id, wanted, now=g.now)
    if flow.found:
        return register_found(g.home, g.staff, wanted, handle=wanted.handle_wished, now=g.now)
    return request_account(g.home, g.staff, wanted, now=g.now)


def _done(flow: Flow) -> str:
    if flow.account is not None:
        return "The request is changed and waits for a decision."
    if flow.found:
        return "The account is on the register. It must pass the checks like any other, or be closed."
    return "Your request is sent. You are told as soon as somebody has decided."


def _digest(answers: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(answers, sort_keys=True).encode()).hexdigest()[:16]
