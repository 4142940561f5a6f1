"""What a person can say about an account, one form a fact: the question, the value's shape, and the guide to follow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import IntegerField, RadioField
from wtforms.validators import InputRequired, NumberRange

from socialgov.models import Fact, Presence
from socialgov.web.forms import optional_text, options, text

YES_NO = (("yes", "Yes"), ("no", "No"))
PICTURES = "image/png,image/jpeg,image/webp,image/heic"


@dataclass(frozen=True, slots=True)
class Question:
    """How one fact is asked: in words, with which field, and how the answer becomes the fact's value."""

    title: str
    field: Callable[[], Any]
    value: Callable[[Any], Any]
    guide: str = ""
    hint: str = ""


def _choice(question: str, choices: tuple[tuple[str, str], ...]) -> Callable[[], Any]:
    return lambda: RadioField(question, choices=options(choices), validators=[InputRequired("Choose an answer.")])


def _number(question: str) -> Callable[[], Any]:
    return lambda: IntegerField(
        question,
        validators=[
            InputRequired("Enter a number, 0 where there is none."),
            NumberRange(0, 10_000_000, "Enter a number from 0 on."),
        ],
    )


def _words(question: str, lines: bool) -> Callable[[], Any]:
    return lambda: text(question, "Enter what you see.", longest=2000 if lines else 254, lines=lines)


def _yes(answer: str) -> bool:
    return answer == "yes"


QUESTIONS = {
    Fact.PRIVATE: Question(
        "Is it private?",
        _choice("Can only accepted followers see what it posts?", YES_NO),
        _yes,
        "make_private",
    ),
    Fact.PROFILE_TEXT: Question(
        "What its profile says",
        _words("The profile's text, as it stands there", True),
        str,
        "profile_text",
        "It must say that the account is the school's, and whom to contact.",
    ),
    Fact.SETUP_EMAIL: Question(
        "The address it was set up with", _words("E-mail address in the platform's settings", False), str, "recovery"
    ),
    Fact.RECOVERY_WITH_SCHOOL: Question(
        "Where recovery leads",
        _choice("Do recovery address, phone and second factor all belong to the school?", YES_NO),
        _yes,
        "recovery",
    ),
    Fact.FOLLOWERS: Question("How many follow it", _number("Number of followers on the platform"), int),
    Fact.FOLLOWS: Question("Whom it follows", _number("How many accounts does it follow?"), int),
    Fact.LIKES: Question("What it likes", _number("How many posts has it liked?"), int),
    Fact.SHARES: Question("What it shares", _number("How many posts of others has it shared or quoted?"), int),
    Fact.CONVERSATIONS: Question(
        "Its conversations", _number("How many replies or messages has it sent to others?"), int
    ),
    Fact.OUTSIDE_POSTS: Question(
        "Posts that went past the checks", _number("How many posts are there that were not published from here?"), int
    ),
    Fact.PRESENCE: Question(
        "Can it be found?",
        _choice(
            "What does the platform show at the account's address?",
            (
                (Presence.LIVE.value, "The account is there"),
                (Presence.DEACTIVATED.value, "It is deactivated"),
                (Presence.GONE.value, "It is gone"),
            ),
        ),
        Presence,
        "see_it_gone",
    ),
}


def attest_form(fact: Fact) -> FlaskForm:
    """The form that asks for `fact`, with its evidence."""
    question = QUESTIONS[fact]

    class AttestForm(FlaskForm):
        value = question.field()
        screenshot = screenshot_field()
        note = optional_text("Note", longest=500)

    form = AttestForm()
    if question.hint:
        form.value.description = question.hint
    form.note.description = "If something needs explaining. No names of children."
    return form


def screenshot_field(label: str = "Screenshot", *, needed: bool = True) -> Any:
    return FileField(
        label,
        description="A picture of what you see, taken just now. It is kept sealed, and each look at it is logged.",
        validators=[FileRequired("Add a screenshot.")] if needed else [],
        render_kw={"accept": PICTURES},
    )


class LogoForm(FlaskForm):
    avatar = FileField(
        "The account's profile picture",
        description="Save the picture from the platform and add it here. It is compared with the school's logo.",
        validators=[FileRequired("Add the profile picture.")],
        render_kw={"accept": PICTURES},
    )
