"""The questions that are asked about a wanted (or found) account: one page each, in this order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import TYPE_CHECKING, Any

from flask_wtf import FlaskForm
from wtforms import RadioField, SelectField
from wtforms.validators import DataRequired, InputRequired

from socialgov.actions.request_checks import LONGEST_TEXT, request_faults
from socialgov.models import AccountKind, AccountRequest
from socialgov.store.public_allowances import open_allowance
from socialgov.store.staff import current_staff
from socialgov.web.forms import DayField, DayNeeded, options, text
from socialgov.web.words import KINDS, day_words

if TYPE_CHECKING:
    from socialgov.home import Home
    from socialgov.models import Account, PlatformInfo, Staff

Answers = Mapping[str, Any]

KIND_HINTS = {
    AccountKind.TRIP.value: "For one trip or event. It is closed and deleted after its last day.",
    AccountKind.STANDING.value: "For a department, club or class. You confirm each term that it is still needed.",
    AccountKind.WHOLE_SCHOOL.value: "Speaks for the whole school.",
}


@dataclass(frozen=True, slots=True)
class Flow:
    """Who is asked what for: a new request, a change of `account`'s request, or an account that was `found`."""

    home: Home
    staff: Staff
    account: Account | None = None
    found: bool = False

    @property
    def key(self) -> str:
        """The draft's name."""
        if self.account is not None:
            return f"amend:{self.account.id}"
        return "found" if self.found else "request"


@dataclass(frozen=True, slots=True)
class Step:
    """One page: its place in the address, its heading, its fields, and how its form is made."""

    name: str
    heading: str
    fields: tuple[str, ...]
    make: Callable[[Flow, Answers], FlaskForm]
    found_heading: str = ""

    def title(self, flow: Flow) -> str:
        return self.found_heading if flow.found and self.found_heading else self.heading


def _platform_form(flow: Flow, answers: Answers) -> FlaskForm:
    settings = flow.home.settings
    approved = settings.approved_platforms
    keys = [key for key, info in settings.platforms.items() if key in approved or (flow.found and not info.simulated)]

    class PlatformForm(FlaskForm):
        platform = RadioField(
            "Platform",
            choices=options((key, settings.platforms[key].name) for key in keys),
            validators=[InputRequired("Choose a platform.")],
        )

    form = PlatformForm(data=answers)
    form.platform.hints = {key: _platform_hint(flow, settings.platforms[key]) for key in keys}
    return form


def _platform_hint(flow: Flow, info: PlatformInfo) -> str:
    """From what age, and whether this person may ask for an account that everybody sees (ACC103)."""
    age = f"From {info.minimum_age} years."
    if info.can_be_private:
        return age
    home = flow.home
    if open_allowance(home.db, info.key, {flow.staff.id}, home.today(home.now())) is not None:
        return f"No private accounts: the head has allowed you a public one. {age}"
    return f"No private accounts: only where the head has allowed a public one. {age}"


def _kind_form(flow: Flow, answers: Answers) -> FlaskForm:
    class KindForm(FlaskForm):
        kind = RadioField(
            "Kind of account",
            choices=options((kind.value, KINDS[kind]) for kind in AccountKind),
            validators=[InputRequired("Choose the kind of account.")],
        )

    form = KindForm(data=answers)
    form.kind.hints = KIND_HINTS
    return form


class PurposeForm(FlaskForm):
    purpose = text("Purpose", "Enter what the account is for.", longest=LONGEST_TEXT, lines=True)
    audience = text("Audience", "Enter who it is for.", longest=LONGEST_TEXT, lines=True)


def _purpose_form(flow: Flow, answers: Answers) -> FlaskForm:
    form = PurposeForm(data=answers)
    form.purpose.description = (
        "A professional purpose in a sentence or two, such as: news from the year 8 ski trip for the parents who stay "
        "at home. No names of children."
    )
    form.audience.description = (
        "The group of people who should see it, such as: parents and carers of the trip's pupils."
    )
    return form


class HandleForm(FlaskForm):
    handle_wished = text("Handle", "Enter the handle, the name of the account on the platform.", longest=255)


def _handle_form(flow: Flow, answers: Answers) -> FlaskForm:
    form = HandleForm(data=answers)
    form.handle_wished.description = (
        "As it is written on the platform, without @."
        if flow.found
        else "The name you would like on the platform, without @. It should name the school, and no child."
    )
    return form


def _dates_form(flow: Flow, answers: Answers) -> FlaskForm:
    policy = flow.home.settings.policy
    trip = answers.get("kind", AccountKind.TRIP) == AccountKind.TRIP

    class TripForm(FlaskForm):
        starts_on = DayField("First day", validators=[DayNeeded("Enter the first day.")])
        ends_on = DayField("Last day", validators=[DayNeeded("Enter the last day.")])

    class StandingForm(FlaskForm):
        starts_on = DayField("First day", validators=[DayNeeded("Enter the first day.")])
        review_on = DayField("Review date", validators=[DayNeeded("Enter the review date.")])

    days = {name: _day(answers.get(name)) for name in ("starts_on", "ends_on", "review_on")}
    form = TripForm(data=days) if trip else StandingForm(data=days)
    if trip:
        form.ends_on.description = (
            f"The account is closed at the end of this day, at most {policy.trip_longest_days} days after the first. "
            "For example, 27 3 2027"
        )
    else:
        form.review_on.description = (
            f"When the school looks whether to keep it, within {policy.standing_longest_review_days} days. "
            "For example, 27 3 2027"
        )
    return form


def _keepers_form(flow: Flow, answers: Answers) -> FlaskForm:
    people = options(((staff.id, staff.name) for staff in current_staff(flow.home.db)), "Choose a person")

    class KeepersForm(FlaskForm):
        owner_id = SelectField("Owner", choices=people, coerce=whole, validators=[DataRequired("Choose the owner.")])
        deputy_id = SelectField("Deputy", choices=people, coerce=whole, validators=[DataRequired("Choose the deputy.")])

    form = KeepersForm(data={"owner_id": flow.staff.id, **answers})
    form.owner_id.description = "Responsible for the account: posts, checks its followers, and answers for it."
    form.deputy_id.description = "Can do all that the owner can, when the owner is away."
    return form


def whole(value: Any) -> int | None:
    """A choice's value as a number; the empty choice as None."""
    return int(value) if value not in (None, "", "None") else None


STEPS = (
    Step("platform", "Which platform should it be on?", ("platform",), _platform_form, "Which platform is it on?"),
    Step("kind", "What kind of account is it?", ("kind",), _kind_form),
    Step("purpose", "What is it for, and for whom?", ("purpose", "audience"), _purpose_form),
    Step("handle", "What should it be called?", ("handle_wished",), _handle_form, "What is it called?"),
    Step("dates", "When is it needed?", ("starts_on", "ends_on", "review_on"), _dates_form),
    Step("keepers", "Who looks after it?", ("owner_id", "deputy_id"), _keepers_form),
)
BY_NAME = {step.name: step for step in STEPS}


def first_open(answers: Answers) -> Step | None:
    """The first step without an answer, or None when all are answered."""
    for step in STEPS:
        if any(answers.get(name) in (None, "") for name in needed(step, answers)):
            return step
    return None


def needed(step: Step, answers: Answers) -> tuple[str, ...]:
    """The fields of a step that must be answered: a trip has a last day, other accounts a review date."""
    if step.name != "dates":
        return step.fields
    return ("starts_on", "ends_on" if answers.get("kind") == AccountKind.TRIP else "review_on")


def as_request(answers: Answers) -> AccountRequest:
    """The answers as the action takes them. What is not answered yet is filled with what fails no other field."""
    kind = AccountKind(answers.get("kind") or AccountKind.TRIP)
    trip = kind is AccountKind.TRIP
    return AccountRequest(
        platform=answers.get("platform") or "",
        kind=kind,
        handle_wished=answers.get("handle_wished") or "",
        purpose=answers.get("purpose") or "",
        audience=answers.get("audience") or "",
        owner_id=answers.get("owner_id") or 0,
        deputy_id=answers.get("deputy_id") or 0,
        starts_on=_day(answers.get("starts_on")) or date.max,
        ends_on=_day(answers.get("ends_on")) if trip else None,
        review_on=None if trip else _day(answers.get("review_on")),
    )


def as_answers(form: AccountRequest | Mapping[str, Any]) -> dict[str, Any]:
    """Answers as a draft keeps them: plain JSON values."""
    pairs = {f.name: getattr(form, f.name) for f in fields(form)} if isinstance(form, AccountRequest) else form
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in pairs.items()}


def faults_of(flow: Flow, answers: Answers, today: date) -> dict[str, str]:
    """What the rules say about the answers so far, by field."""
    _, faults = request_faults(
        flow.home.db, flow.home.settings, as_request(answers), today=today, account=flow.account, found=flow.found,
        asker=flow.staff,
    )  # fmt: skip
    return faults


def summary(flow: Flow, answers: Answers) -> dict[str, list[tuple[str, str]]]:
    """The answers in words, by step, for the page on which they are checked."""
    names = {staff.id: staff.name for staff in current_staff(flow.home.db)}
    form = as_request(answers)
    platform = flow.home.settings.platforms.get(form.platform)
    last = ("Last day", form.ends_on) if form.kind is AccountKind.TRIP else ("Review date", form.review_on)
    return {
        "platform": [("Platform", platform.name if platform else "Not chosen")],
        "kind": [("Kind of account", KINDS[form.kind])],
        "purpose": [("Purpose", form.purpose), ("Audience", form.audience)],
        "handle": [("Handle", form.handle_wished)],
        "dates": [("First day", day_words(form.starts_on)), (last[0], day_words(last[1]) if last[1] else "Not given")],
        "keepers": [
            ("Owner", names.get(form.owner_id, "Not chosen")),
            ("Deputy", names.get(form.deputy_id, "Not chosen")),
        ],
    }


def _day(value: Any) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) and value else value or None
