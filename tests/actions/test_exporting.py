"""A platform's own export file as evidence: counted from its own day, never newer, and only for its own account."""

from __future__ import annotations

import json
import zipfile
from datetime import date, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from export_files import instagram, tiktok, x_archive
from factories import NOW, make_home, staff
from walk import Cast, cast_of, form_of, live, put_on_record, requested

from socialgov.actions import accounts, exporting
from socialgov.actions.evidence import see_evidence
from socialgov.actions.exporting import ExportResult, hand_in_export
from socialgov.actions.followers import add_follower_by_hand, confirm_removed, refuse_follower
from socialgov.actions.observing import record_observation
from socialgov.errors import InvalidInput, NotPermitted
from socialgov.home import Home
from socialgov.lifecycle import WrongState
from socialgov.models import Account, Capability, Fact, Source
from socialgov.store.connect import write
from socialgov.store.events import events_of_account
from socialgov.store.exports import exports_of
from socialgov.store.findings import findings_of
from socialgov.store.followers import followers_of
from socialgov.store.observations import newest_observation

HANDLE = "trip.2026"
LATER = NOW + timedelta(days=5)  # when the file is handed in: 28 November
NAME = f"instagram-{HANDLE}-2026-11-27-a1b2c3.zip"


@pytest.fixture
def account(home: Home, cast: Cast) -> Account:
    """Live on a platform that tells nothing by itself."""
    return live(home, cast, form=form_of(cast, handle_wished=HANDLE))


def hand_in(
    home: Home, cast: Cast, account: Account, content: bytes, *, name: str = NAME, made_on: date | None = None
) -> ExportResult:
    return hand_in_export(home, cast.owner, account.id, [(name, content)], made_on=made_on, now=LATER)


def handles(home: Home, account: Account) -> set[str]:
    return {one.handle for one in followers_of(home.db, account.id)}


def test_its_lists_are_a_persons_word_of_the_day_of_the_file(home: Home, cast: Cast, account: Account) -> None:
    result = hand_in(home, cast, account, instagram(["carer.one", "carer.two"], follows=["the.news"]))
    assert result.counted == {Fact.FOLLOWERS: 2, Fact.FOLLOWS: 1}
    assert result.missing == (Fact.LIKES,)
    assert handles(home, account) == {"carer.one", "carer.two"}
    seen = newest_observation(home.db, account.id, Fact.FOLLOWS)
    assert seen is not None
    assert (seen.value, seen.source, seen.observed_by) == (1, Source.ATTESTED, cast.owner.id)
    assert seen.observed_at.date() == date(2026, 11, 27)
    answers = {one.rule_id: one.answer for one in findings_of(home.db, account.id)}
    assert (answers["INT401"], answers["INT402"]) == (False, None)  # of likes nothing is known


def test_the_parts_that_were_read_are_kept_sealed_and_a_look_at_them_is_logged(
    home: Home, cast: Cast, account: Account
) -> None:
    hand_in(home, cast, account, instagram(["carer.one"]))
    (kept,) = exports_of(home.db, account.id)
    assert (kept.made_on, kept.read_by, kept.counts) == (date(2026, 11, 27), cast.owner.id, {"followers": 1})
    assert kept.blob_id is not None
    content, mime = see_evidence(home, cast.owner, account.id, kept.blob_id, now=LATER)
    assert mime == "application/zip"
    assert zipfile.ZipFile(BytesIO(content)).namelist() == ["connections/followers_and_following/followers_1.json"]
    events = {event.tag: event for event in events_of_account(home.db, account.id)}
    assert events["account:export:read"].data == {"made_on": "2026-11-27", "evidence": kept.blob_id, "followers": 1}
    assert "account:evidence:seen" in events
    assert "carer.one" not in str(events)


def test_a_list_replaces_the_one_by_hand_and_keeps_who_was_seen_later_or_gone_since(
    home: Home, cast: Cast, account: Account
) -> None:
    for handle, day in (("Carer.One", 1), ("left.before", 1), ("was.removed", 1), ("came.later", 4.5)):
        now = NOW + timedelta(days=day)
        add_follower_by_hand(home, cast.owner, account.id, handle, "", now=now)
    removed = next(one for one in followers_of(home.db, account.id) if one.handle == "was.removed")
    refuse_follower(home, cast.owner, removed.id, "A stranger.", now=NOW + timedelta(days=4.6))
    confirm_removed(home, cast.owner, removed.id, now=NOW + timedelta(days=4.6))
    hand_in(home, cast, account, instagram(["carer.one", "was.removed", "carer.two"]))
    assert handles(home, account) == {"Carer.One", "carer.two", "came.later"}


def test_what_is_known_from_later_stands(home: Home, cast: Cast, account: Account) -> None:
    put_on_record(home, account, Fact.FOLLOWERS, 7, now=LATER - timedelta(hours=1))
    result = hand_in(home, cast, account, instagram(["carer.one"], follows=[]))
    assert (result.counted, result.older) == ({Fact.FOLLOWS: 0}, {Fact.FOLLOWERS: 1})
    assert handles(home, account) == set()
    with pytest.raises(InvalidInput, match="not read") as caught:
        hand_in(home, cast, account, instagram(["carer.one"]))
    assert "known from later already" in caught.value.fields["files"]
    assert len(exports_of(home.db, account.id)) == 1


def test_an_old_file_is_old_evidence(home: Home, cast: Cast, account: Account) -> None:
    """Handed in long after it was made it is kept, and answers no rule."""
    late = NOW + timedelta(days=2 + home.settings.policy.attestation_days + 5)
    name = f"instagram-{HANDLE}-2026-11-25-a1b2c3.zip"
    hand_in_export(home, cast.owner, account.id, [(name, instagram([], follows=[]))], now=late)
    answers = {one.rule_id: one for one in findings_of(home.db, account.id)}
    assert answers["INT401"].answer is None
    assert "too long ago" in answers["INT401"].because


@pytest.mark.parametrize(
    ("name", "made_on", "problem"),
    [
        ("instagram-other.trip-2026-11-27-a.zip", None, "another account"),
        (f"instagram-{HANDLE}-2026-11-23-a.zip", None, "before the account was set up"),
        (f"instagram-{HANDLE}-2026-12-24-a.zip", None, "in the future"),
        (NAME, date(2026, 11, 20), "before the account was set up"),
    ],
)
def test_a_file_of_another_account_or_time_is_refused(
    home: Home, cast: Cast, account: Account, name: str, made_on: date | None, problem: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        hand_in(home, cast, account, instagram(["carer.one"]), name=name, made_on=made_on)
    assert problem in caught.value.fields["files"]
    assert exports_of(home.db, account.id) == []


def test_a_person_can_only_make_it_older(home: Home, cast: Cast, account: Account) -> None:
    hand_in(home, cast, account, instagram(["carer.one"]), made_on=date(2026, 11, 28))
    assert exports_of(home.db, account.id)[0].made_on == date(2026, 11, 27)


# --------------------------------------------------------------------------------------------------- other platforms


def on_tiktok(home: Home, cast: Cast) -> Account:
    return live(home, cast, form=form_of(cast, platform="tiktok", handle_wished=HANDLE))


def test_a_file_without_a_day_needs_a_persons(tmp_path: Path) -> None:
    home = make_home(tmp_path, approved=("tiktok",))
    cast = cast_of(home)
    account, content = on_tiktok(home, cast), json.dumps(tiktok(["carer.one"])).encode()
    with pytest.raises(InvalidInput) as caught:
        hand_in(home, cast, account, content, name="user_data_tiktok.json")
    assert "enter the day" in caught.value.fields["made_on"]
    hand_in(home, cast, account, content, name="user_data_tiktok.json", made_on=date(2026, 11, 26))
    assert exports_of(home.db, account.id)[0].made_on == date(2026, 11, 26)


def x_files(followers: list[str], **more: object) -> list[tuple[str, bytes]]:
    archive = x_archive(followers, owner=("77", "trip_2026"), made="2026-11-27T08:30:00.000Z", **more)  # type: ignore[arg-type]
    return [(name, text.encode()) for name, text in archive.items()]


def test_x_tells_numbers_and_they_are_matched_with_those_on_record(home: Home, cast: Cast) -> None:
    account = live(home, cast, form=form_of(cast, platform="x", handle_wished="trip_2026"))
    hand_in_export(home, cast.owner, account.id, x_files(["11", "12"], likes=3), now=LATER)
    assert {one.remote_id for one in followers_of(home.db, account.id)} == {"11", "12"}
    seen = newest_observation(home.db, account.id, Fact.LIKES)
    assert seen is not None
    assert (seen.value, seen.observed_at) == (3, datetime.fromisoformat("2026-11-27T08:30:00+00:00"))


def test_numbers_do_not_push_out_the_names_that_people_put_down(home: Home, cast: Cast) -> None:
    account = live(home, cast, form=form_of(cast, platform="x", handle_wished="trip_2026"))
    add_follower_by_hand(home, cast.owner, account.id, "carer_one", "", now=NOW + timedelta(hours=1))
    result = hand_in_export(home, cast.owner, account.id, x_files(["11", "12"]), now=LATER)
    assert not result.listed
    assert handles(home, account) == {"carer_one"}
    answers = {one.rule_id: one for one in findings_of(home.db, account.id)}
    assert answers["AUD301"].because == "The platform counts 1 more than the list here: put them on it."


# --------------------------------------------------------------------------------------------------- who and when


def test_others_do_not_hand_in_and_nothing_is_read_before_there_is_an_account(
    home: Home, cast: Cast, account: Account
) -> None:
    with pytest.raises(NotPermitted):
        hand_in_export(home, staff(home), account.id, [(NAME, instagram([]))], now=LATER)
    asked = requested(home, cast, form=form_of(cast, handle_wished="second.trip"))
    with pytest.raises(WrongState):
        hand_in_export(home, cast.owner, asked.id, [(NAME, instagram([]))], now=LATER)
    assert accounts.suspend(home, cast.owner, account.id, "To look.", now=LATER)


def test_a_platform_without_such_a_file_says_so(home: Home, cast: Cast) -> None:
    account = live(home, cast, form=form_of(cast, platform="facebook_group", handle_wished="trip.2026"))
    with pytest.raises(InvalidInput) as caught:
        hand_in(home, cast, account, instagram([]))
    assert "No export file of Facebook group" in caught.value.fields["files"]


def test_what_the_platform_tells_the_machine_is_not_replaced(
    home: Home, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = live(home, cast, form=form_of(cast, platform="x", handle_wished="trip_2026"))
    monkeypatch.setattr(exporting, "capabilities_of", lambda home, account: frozenset({Capability.READ_LIKES}))
    with write(home.db) as db:
        record_observation(
            db, account_id=account.id, fact=Fact.LIKES, value=5, now=NOW + timedelta(days=3), source=Source.API
        )
    result = hand_in_export(home, cast.owner, account.id, x_files([]), now=LATER)
    assert Fact.LIKES in result.older
    assert Fact.FOLLOWS in result.counted
