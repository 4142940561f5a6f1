"""Fields and helpers that every form shares. A form checks shape and length; what may happen is the action's to say."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

from flask import render_template
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import Field, SelectChoice, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length, StopValidation
from wtforms.widgets import CheckboxInput, ListWidget

from socialgov.errors import InvalidInput

REASON_LENGTH = 1000


class DayField(Field):
    """A day as three boxes: `name-day`, `name-month`, `name-year`. Data is a `date`, or None when left empty."""

    PARTS = ("day", "month", "year")

    def process(self, formdata: MultiDict[str, str] | None, data: Any = None, extra_filters: Any = None) -> None:
        self.process_errors: list[str] = []
        self.data: date | None = data if isinstance(data, date) else None
        self.parts = {part: str(getattr(self.data, part, "")) for part in self.PARTS}
        if formdata is None or f"{self.name}-day" not in formdata:
            return
        self.parts = {part: formdata.get(f"{self.name}-{part}", "").strip() for part in self.PARTS}
        self.data = None
        if any(self.parts.values()):
            try:
                day = date(*(int(self.parts[part]) for part in ("year", "month", "day")))
            except (ValueError, OverflowError):
                day = date.min
            if day.year >= 1000:  # `26` is a year of antiquity: nobody means that
                self.data = day
            else:
                self.process_errors.append(f"{self.label.text}: enter a real day, for example 27 3 2027.")


class ManyField(SelectMultipleField):
    """Checkboxes."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class DayNeeded:
    """Validator: a day must be given."""

    def __init__(self, message: str) -> None:
        self.message = message

    def __call__(self, form: FlaskForm, field: DayField) -> None:
        if field.data is None and not field.process_errors:
            raise StopValidation(self.message)


def options(pairs: Iterable[tuple[Any, str]], first: str = "") -> list[SelectChoice]:
    """(value, words) pairs as the options of a field; `first` is the words of an empty choice above them."""
    start = [SelectChoice("", first)] if first else []
    return [*start, *(SelectChoice(value, words) for value, words in pairs)]


def strip(value: str | None) -> str | None:
    return value.strip() if isinstance(value, str) else value


def text(label: str, needed: str, *, longest: int = 200, lines: bool = False) -> Any:
    """A text field that must be filled in; `needed` is the sentence shown when it is empty."""
    kind = TextAreaField if lines else StringField
    return kind(label, filters=[strip], validators=[DataRequired(needed), shorter(label, longest)])


def optional_text(label: str, *, longest: int = 200, lines: bool = False) -> Any:
    kind = TextAreaField if lines else StringField
    return kind(label, filters=[strip], validators=[shorter(label, longest)])


def shorter(label: str, longest: int) -> Length:
    return Length(max=longest, message=f"{label}: use {longest} characters or fewer.")


class ReasonForm(FlaskForm):
    """A reason in the writer's own words."""

    reason = text("Reason", "Give the reason.", longest=REASON_LENGTH, lines=True)


class ButtonForm(FlaskForm):
    """Nothing but a button."""


def saved(form: FlaskForm, verb: Callable[[], Any]) -> bool:
    """Validate `form` and carry out `verb`. False when there is something to mend; the form then carries the errors."""
    if not form.validate_on_submit():
        return False
    try:
        verb()
    except InvalidInput as error:
        show_errors(form, error)
        return False
    return True


def show_errors(form: FlaskForm, error: InvalidInput) -> None:
    """Put an action's complaint beside the fields it names, the rest at the top."""
    shown = False
    for name, sentence in error.fields.items():
        if name in form:
            form[name].errors = [*form[name].errors, sentence]
            shown = True
        else:
            form.form_errors.append(sentence)
            shown = True
    if not shown:
        form.form_errors.append(str(error))


def page(template: str, form: FlaskForm, **context: Any) -> tuple[str, int]:
    """The page of a form: 422 when it comes back with errors."""
    return render_template(template, form=form, **context), 422 if form.errors else 200
