"""Rows to frozen dataclasses and back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socialgov.models import Presence, Role
from socialgov.store.rows import load, moment, moment_text, to_column

MOMENTS = st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(9000, 1, 1), timezones=st.just(UTC))


@dataclass(frozen=True, slots=True)
class Sample:
    id: int
    presence: Presence
    at: datetime
    on: date | None
    yes: bool
    maybe: bool | None
    names: tuple[str, ...]
    value: Any


ROW = {
    "id": 1,
    "presence": "gone",
    "at": "2026-03-01T09:30:00.000000Z",
    "on": "2026-03-01",
    "yes": 1,
    "maybe": None,
    "names": '["a", "b"]',
    "value": '{"seen": true}',
    "not a field": "left out",
}


def test_a_row_loads_into_its_dataclass_by_the_annotations() -> None:
    assert load(Sample, ROW) == Sample(
        id=1,
        presence=Presence.GONE,
        at=datetime(2026, 3, 1, 9, 30, tzinfo=UTC),
        on=date(2026, 3, 1),
        yes=True,
        maybe=None,
        names=("a", "b"),
        value={"seen": True},
    )


def test_a_word_that_the_enumeration_does_not_know_is_an_error() -> None:
    with pytest.raises(ValueError, match="vanished"):
        load(Sample, {**ROW, "presence": "vanished"})


@given(MOMENTS)
def test_a_moment_survives_the_store(value: datetime) -> None:
    assert moment(moment_text(value)) == value


@given(MOMENTS, MOMENTS)
def test_text_order_is_time_order(one: datetime, other: datetime) -> None:
    assert (moment_text(one) < moment_text(other)) == (one < other)


@given(MOMENTS, st.integers(-14 * 60, 14 * 60))
def test_a_moment_is_kept_in_utc_whatever_its_zone(value: datetime, minutes: int) -> None:
    assert moment_text(value.astimezone(timezone(timedelta(minutes=minutes)))) == moment_text(value)


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="without a time zone"):
        moment_text(datetime(2026, 3, 1))


@pytest.mark.parametrize(
    ("value", "column"),
    [
        (Role.HEAD, "head"),
        (True, 1),
        (date(2026, 3, 1), "2026-03-01"),
        (("a", "é"), '["a", "é"]'),
        ({"b": 1, "a": 2}, '{"a": 2, "b": 1}'),
        (b"bytes", b"bytes"),
        (None, None),
    ],
)
def test_each_value_has_one_form_in_the_store(value: Any, column: Any) -> None:
    assert to_column(value) == column
