"""Moderators' marks: told once to those who can do something about it, shown for as long as they stand."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import walk
from factories import NOW
from recording_platform import Shown, recorded_home

from socialgov.actions.marks import KIND, marks_of
from socialgov.actions.notices import open_notices
from socialgov.actions.observing import attest, check_account
from socialgov.errors import InvalidInput
from socialgov.home import Home
from socialgov.models import Account, Fact
from socialgov.platforms import PlatformError
from socialgov.store.events import EventTag, events_page

Watched = tuple[Home, Account, Shown]


@pytest.fixture
def watched(home: Home, cast: walk.Cast, monkeypatch: pytest.MonkeyPatch) -> Watched:
    live = walk.live(home, cast)
    school, shown = recorded_home(home, monkeypatch)
    info = replace(school.settings.platforms["instagram"], marks={"!warn": "shown only after a warning"})
    settings = replace(school.settings, platforms={**school.settings.platforms, "instagram": info})
    return replace(school, settings=settings), live, shown


def looks(watched: Watched, labels: tuple[str, ...] | None, hour: int) -> None:
    school, account, shown = watched
    shown.profile = replace(shown.profile, labels=labels)
    check_account(school, account.id, now=NOW + timedelta(hours=hour))


def told(school: Home, staff_id: int) -> list[str]:
    return [notice.text for notice in open_notices(school.db, staff_id) if notice.kind == KIND]


def test_a_new_mark_is_told_once_to_its_keepers_and_the_network_manager(watched: Watched, cast: walk.Cast) -> None:
    school, account, _ = watched
    looks(watched, (), 1)
    looks(watched, ("!warn", "graphic-media"), 2)
    looks(watched, ("!warn", "graphic-media"), 3)
    for staff in (cast.owner, cast.deputy, cast.manager):
        (text,) = told(school, staff.id)
        assert "graphic media" not in text.split(":")[0]
        assert "shown only after a warning, graphic media" in text
    assert told(school, cast.head.id) == []
    marks = marks_of(school, account)
    assert marks is not None
    assert marks.words == ("shown only after a warning", "graphic media")


def test_one_more_mark_is_told_and_only_that_one(watched: Watched, cast: walk.Cast) -> None:
    looks(watched, ("spam",), 1)
    looks(watched, ("!warn", "spam"), 2)
    newest, first = told(watched[0], cast.owner.id)
    assert "spam" in first
    assert "spam" not in newest and "after a warning" in newest


def test_when_the_marks_are_gone_so_are_the_notices(watched: Watched, cast: walk.Cast) -> None:
    school, account, _ = watched
    looks(watched, ("spam",), 1)
    looks(watched, (), 2)
    assert told(school, cast.owner.id) == []
    marks = marks_of(school, account)
    assert marks is not None and marks.words == ()
    looks(watched, ("spam",), 3)
    assert len(told(school, cast.owner.id)) == 1


def test_a_platform_that_does_not_tell_changes_nothing(watched: Watched, cast: walk.Cast) -> None:
    """Neither an index that is away, nor a look that failed, takes a mark back."""
    school, account, shown = watched
    looks(watched, None, 1)
    assert marks_of(school, account) is None
    looks(watched, ("spam",), 2)
    looks(watched, None, 3)
    shown.failing = {"profile": PlatformError("The platform does not answer.", permanent=False)}
    looks(watched, (), 4)
    marks = marks_of(school, account)
    assert marks is not None and (marks.words, marks.observed_at) == (("spam",), NOW + timedelta(hours=2))
    assert len(told(school, cast.owner.id)) == 1


def test_a_mark_is_on_record_and_changes_no_rule(watched: Watched) -> None:
    school, account, shown = watched
    before = check_account(school, account.id, now=NOW + timedelta(hours=1))
    shown.profile = replace(shown.profile, labels=("spam",))
    after = check_account(school, account.id, now=NOW + timedelta(hours=1))
    assert [one.answer for one in before] == [one.answer for one in after]
    events = events_page(school.db, before=None, tag=EventTag.FACT_OBSERVED, actor=None, limit=100)
    assert {"fact": "labels", "evidence": None, "value": ["spam"]} in [event.data for event in events]


def test_nobody_can_say_that_moderators_marked_it_or_did_not(watched: Watched, cast: walk.Cast) -> None:
    school, account, _ = watched
    for value in (0, [], ["spam"], True):
        with pytest.raises(InvalidInput, match="like this"):
            attest(school, cast.owner, account.id, Fact.LABELS, value, now=NOW, screenshot=b"x")
