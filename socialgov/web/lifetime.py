"""The account's life: stop it, let it go on, hand it over, confirm it, prolong it, except it from a rule, close it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flask import Blueprint, flash, g, redirect, url_for
from flask_wtf import FlaskForm
from wtforms import RadioField, SelectField, TextAreaField
from wtforms.validators import DataRequired, InputRequired

from socialgov.actions import keepers
from socialgov.actions.accounts import resume, suspend
from socialgov.actions.closing import start_closing
from socialgov.actions.extensions import ask_extension, decide_extension
from socialgov.actions.waivers import end_waiver, grant_waiver
from socialgov.errors import InvalidInput, NotFound
from socialgov.models import When
from socialgov.permissions import (
    check_can_ask_extension,
    check_can_close,
    check_can_confirm,
    check_can_decide_extension,
    check_can_hand_over,
    check_can_resume,
    check_can_review,
    check_can_suspend,
    check_can_waive,
)
from socialgov.rules import ACCOUNT_RULES, PUBLIC_ACCOUNT_RULES, AccountRule
from socialgov.store.findings import findings_of
from socialgov.store.staff import current_staff
from socialgov.store.waivers import open_extension, waiver_by_id
from socialgov.web.access import may, may_account
from socialgov.web.forms import (
    REASON_LENGTH,
    ButtonForm,
    DayField,
    DayNeeded,
    ManyField,
    ReasonForm,
    options,
    page,
    saved,
    shorter,
    strip,
    text,
)
from socialgov.web.request_forms import whole

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

bp = Blueprint("lifetime", __name__, url_prefix="/accounts")


def _do(form: FlaskForm, verb: Callable[[], Any], done: str, template: str = "form.html", **words: Any) -> Any:
    """Carry `verb` out and go back to the account with `done`, or show the form."""
    back = url_for("accounts.page", account_id=g.account.id)
    if saved(form, verb):
        flash(done, "success")
        return redirect(back)
    handle = g.account.handle or g.account.handle_wished
    return page(template, form, **{"caption": handle, "back": back, "account": g.account, **words})


@bp.route("/<int:account_id>/suspend", methods=["GET", "POST"])
@may_account(check_can_suspend)
def stop(account_id: int) -> ResponseReturnValue:
    """SAF904: stopped at once, with one reason and one button."""
    form = ReasonForm()
    return _do(
        form,
        lambda: suspend(g.home, g.staff, account_id, form.reason.data, now=g.now),
        "The account is suspended. Nothing can be posted until somebody lets it go on.",
        heading="Suspend this account at once",
        lead="Nothing more is posted from here. What is on the platform stays there until somebody takes it down.",
        button="Suspend at once",
        button_kind="danger",
    )


@bp.route("/<int:account_id>/resume", methods=["GET", "POST"])
@may(check_can_resume)
def go_on(account_id: int) -> ResponseReturnValue:
    return _do(
        ButtonForm(),
        lambda: resume(g.home, g.staff, account_id, now=g.now),
        "The account is live again.",
        heading="Let this account go on",
        lead=f"It was suspended because: {g.account.suspend_reason}" if g.account.suspend_reason else "",
        warning="It must pass the gate again. Every gate rule is asked now.",
        button="Let it go on",
    )


class HandOverForm(FlaskForm):
    owner_id = SelectField("New owner", coerce=whole, validators=[DataRequired("Choose the owner.")])
    deputy_id = SelectField("New deputy", coerce=whole, validators=[DataRequired("Choose the deputy.")])


@bp.route("/<int:account_id>/hand-over", methods=["GET", "POST"])
@may_account(check_can_hand_over)
def hand_over(account_id: int) -> ResponseReturnValue:
    form = HandOverForm(data={"owner_id": g.account.owner_id, "deputy_id": g.account.deputy_id})
    people = options(((staff.id, staff.name) for staff in current_staff(g.home.db)), "Choose a person")
    form.owner_id.choices = form.deputy_id.choices = people
    return _do(
        form,
        lambda: keepers.hand_over(
            g.home, g.staff, account_id, owner_id=form.owner_id.data, deputy_id=form.deputy_id.data, now=g.now
        ),
        "The account has new keepers. Change its password if somebody who knew it no longer keeps it (SEC204).",
        heading="Hand this account over",
        lead="The new keepers are responsible from now on. Both must work here.",
        button="Hand it over",
    )


@bp.route("/<int:account_id>/confirm", methods=["GET", "POST"])
@may_account(check_can_confirm)
def confirm(account_id: int) -> ResponseReturnValue:
    """LIF604."""
    return _do(
        ButtonForm(),
        lambda: keepers.confirm_needed(g.home, g.staff, account_id, now=g.now),
        "Thank you. The account stays.",
        heading="Is this account still needed?",
        lead=f"Purpose: {g.account.purpose}",
        warning="An account that nobody confirms is closed.",
        button="Yes, it is still needed",
    )


# --------------------------------------------------------------------------------------------------- a longer life


class ExtensionForm(FlaskForm):
    until_on = DayField("New last day", validators=[DayNeeded("Enter the new last day.")])
    reason = text("Reason", "Give the reason.", longest=REASON_LENGTH, lines=True)


class AnswerForm(FlaskForm):
    decision = RadioField(
        "Your decision",
        choices=options((("yes", "Approve the new last day"), ("no", "Decline it"))),
        validators=[InputRequired("Choose what you decide.")],
    )
    reason = TextAreaField(
        "Reason",
        description="Needed to decline it.",
        filters=[strip],
        validators=[shorter("Reason", REASON_LENGTH)],
    )


@bp.route("/<int:account_id>/extend", methods=["GET", "POST"])
@may_account(check_can_ask_extension)
def extend(account_id: int) -> ResponseReturnValue:
    """LIF605: asked for before the end."""
    form = ExtensionForm()
    longest = g.home.settings.policy.extension_longest_days
    form.until_on.description = f"At most {longest} days after the present last day. For example, 27 3 2027"
    return _do(
        form,
        lambda: ask_extension(g.home, g.staff, account_id, form.until_on.data, form.reason.data, now=g.now),
        "You asked for a longer life. Until somebody approves it, the present last day stands.",
        heading="Ask for a longer life",
        button="Ask for it",
    )


@bp.route("/<int:account_id>/extension", methods=["GET", "POST"])
@may_account(check_can_review, policy=True)
def answer_extension(account_id: int) -> ResponseReturnValue:
    """Grant or refuse the longer life that was asked for; never one's own question."""
    asked = open_extension(g.home.db, account_id)
    if asked is None:
        raise NotFound("Nobody waits for a longer life of this account.", "Somebody may have decided already.")
    check_can_decide_extension(g.staff, g.account, asked, g.home.settings.policy)
    form = AnswerForm()

    def decide() -> None:
        approved = form.decision.data == "yes"
        if not approved and not form.reason.data:
            raise InvalidInput("A reason is needed.", {"reason": "Give the reason."})
        decide_extension(g.home, g.staff, asked.id, approved, form.reason.data or "", now=g.now)

    return _do(form, decide, "Your decision is recorded.", "lifetime/answer_extension.html", asked=asked)


class ReviewForm(FlaskForm):
    review_on = DayField("Next review date", validators=[DayNeeded("Enter the next review date.")])
    reason = text("Reason to keep it", "Give the reason.", longest=REASON_LENGTH, lines=True)


@bp.route("/<int:account_id>/review", methods=["GET", "POST"])
@may_account(check_can_review, policy=True)
def review(account_id: int) -> ResponseReturnValue:
    """LIF601: a standing account is looked at again, by somebody other than its owner."""
    form = ReviewForm()
    longest = g.home.settings.policy.standing_longest_review_days
    form.review_on.description = f"Within {longest} days. For example, 27 3 2027"
    return _do(
        form,
        lambda: keepers.review(g.home, g.staff, account_id, form.review_on.data, form.reason.data, now=g.now),
        "The review is recorded.",
        heading="Review this account",
        lead=f"Purpose: {g.account.purpose}",
        warning="If it is no longer needed, close it instead.",
        button="Keep it until then",
    )


# --------------------------------------------------------------------------------------------------- exceptions


class WaiveForm(FlaskForm):
    what = RadioField(
        "What the exception is for",
        choices=options((("public", "It may be public"), ("rules", "Single rules"))),
        validators=[InputRequired("Choose what the exception is for.")],
    )
    rule_ids = ManyField("Rules", description="Only for single rules.")
    reason = text("Reason", "Give the reason.", longest=REASON_LENGTH, lines=True)
    until_on = DayField("Until", description="Leave it empty for the account's whole life. For example, 27 3 2027")


@bp.route("/<int:account_id>/exception", methods=["GET", "POST"])
@may(check_can_waive)
def waive(account_id: int) -> ResponseReturnValue:
    """The head's exception, with reason and end. `May be public` is one choice for the rules that go with it."""
    form = WaiveForm()
    form.what.hints = {"public": f"Excepts it from {', '.join(PUBLIC_ACCOUNT_RULES)} together."}
    form.rule_ids.choices = options((rule.id, f"{rule.id} {rule.title}") for rule in _waivable(account_id))

    def grant() -> None:
        rule_ids = PUBLIC_ACCOUNT_RULES if form.what.data == "public" else tuple(form.rule_ids.data)
        if not rule_ids:
            raise InvalidInput("Nothing is chosen.", {"rule_ids": "Choose at least one rule."})
        grant_waiver(g.home, g.staff, account_id, rule_ids, form.reason.data, form.until_on.data, now=g.now)

    return _do(
        form,
        grant,
        "The exception is recorded with your reason. It shows on the account's page and in the log.",
        heading="Make an exception",
        button="Make the exception",
        lead="An exception lets the gate open although a rule does not hold. It never changes the rule's answer.",
    )


def _waivable(account_id: int) -> list[AccountRule]:
    """The gate's rules, and those that do not hold for this account: the rest needs no exception."""
    failing = {finding.rule_id for finding in findings_of(g.home.db, account_id) if not finding.passes}
    return [rule for rule in ACCOUNT_RULES if When.GATE in rule.when or rule.id in failing]


@bp.route("/<int:account_id>/exception/<int:waiver_id>/end", methods=["GET", "POST"])
@may(check_can_waive)
def end_exception(account_id: int, waiver_id: int) -> ResponseReturnValue:
    waiver = waiver_by_id(g.home.db, waiver_id)
    _need_of_account(waiver.account_id)
    return _do(
        ButtonForm(),
        lambda: end_waiver(g.home, g.staff, waiver_id, now=g.now),
        "The exception is over.",
        heading=f"End the exception from {waiver.rule_id}",
        lead=f"It was made because: {waiver.reason}",
        button="End the exception",
        button_kind="danger",
    )


# --------------------------------------------------------------------------------------------------- closing


@bp.route("/<int:account_id>/close", methods=["GET", "POST"])
@may_account(check_can_close)
def close(account_id: int) -> ResponseReturnValue:
    form = ReasonForm()
    return _do(
        form,
        lambda: start_closing(g.home, g.staff, account_id, form.reason.data, now=g.now),
        "The account is closing. Follow the steps below.",
        heading="Close this account",
        lead="Posting stops at once. Then everything is taken down, the account is deleted on the platform, what was "
        "held about people is erased here, and a certificate says what was seen.",
        warning="A closing cannot be stopped or undone.",
        button="Close the account",
        button_kind="danger",
    )


def _need_of_account(account_id: int) -> None:
    """The address names an account and a part of it: both must belong together."""
    if account_id != g.account.id:
        raise NotFound("There is nothing at this address.", "Open the account again.")
