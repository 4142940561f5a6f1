"""Put right by machine: the picture, the privacy, likes, follows and reposts. What is done is looked at again."""

from __future__ import annotations

import json
from dataclasses import replace
from io import BytesIO

import pytest
import walk
from closing_school import events
from factories import NOW
from PIL import Image
from recording_platform import READS, RecordingPlatform, Shown
from walk import Cast

from socialgov import platforms
from socialgov.actions import adapters, putting_right
from socialgov.actions.adapters import capabilities_of
from socialgov.actions.closing import start_closing
from socialgov.actions.observing import check_account
from socialgov.actions.putting_right import WAYS, Mend, make_private, mends_of, set_picture, take_back
from socialgov.errors import Conflict, NotPermitted
from socialgov.home import Home
from socialgov.lifecycle import WrongState
from socialgov.models import Account, Capability
from socialgov.platforms import CannotDo, NotOffered, PaymentNeeded, PlatformError
from socialgov.store.findings import findings_of


class Obliging(RecordingPlatform):
    """Does what it is asked, unless `failing` says otherwise."""

    capabilities = READS | {
        Capability.SET_PICTURE,
        Capability.SET_PRIVATE,
        Capability.UNDO_LIKE,
        Capability.UNDO_FOLLOW,
        Capability.UNDO_SHARE,
    }

    def set_picture(self, content: bytes, mime: str) -> None:
        self._try("set_picture")
        assert mime == "image/png"
        self.shown.profile = replace(self.shown.profile, picture=content)

    def set_private(self) -> None:
        self._try("set_private")
        self.shown.profile = replace(self.shown.profile, private=True)

    def undo_like(self, remote_id: str) -> None:
        self._undo("undo_like", self.shown.likes, remote_id)

    def undo_follow(self, remote_id: str) -> None:
        self._undo("undo_follow", self.shown.follows, remote_id)

    def undo_share(self, remote_id: str) -> None:
        self._undo("undo_share", self.shown.shares, remote_id)

    def _undo(self, name: str, listed: list[str], remote_id: str) -> None:
        self._try(name)
        listed.remove(remote_id)

    def _try(self, name: str) -> None:
        self.shown.asked.append(name)
        if name in self.shown.failing:
            raise self.shown.failing[name]


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Shown:
    shown = Shown()
    monkeypatch.setattr(Obliging, "shown", shown)
    monkeypatch.setitem(platforms.ADAPTERS, "obliging", (__name__, "Obliging"))
    return shown


@pytest.fixture
def school(home: Home, shown: Shown) -> Home:
    info = replace(home.settings.platforms[walk.PLATFORM], adapter="obliging")
    settings = replace(home.settings, platforms={**home.settings.platforms, walk.PLATFORM: info})
    return replace(home, settings=settings)


@pytest.fixture
def account(school: Home, cast: Cast) -> Account:
    return walk.live(school, cast)


def answer(home: Home, account: Account, rule_id: str) -> bool | None:
    return {one.rule_id: one.answer for one in findings_of(home.db, account.id)}[rule_id]


def png(colour: str) -> bytes:
    out = BytesIO()
    Image.new("RGB", (64, 64), colour).save(out, "PNG")
    return out.getvalue()


def test_an_account_that_went_public_is_made_private_and_seen_to_be(
    school: Home, cast: Cast, account: Account, shown: Shown
) -> None:
    shown.profile = replace(shown.profile, private=False)
    check_account(school, account.id, now=NOW)
    assert answer(school, account, "ACC103") is False
    make_private(school, cast.owner, account.id, now=NOW)
    assert answer(school, account, "ACC103") is True
    (event,) = events(school, "account:private:set", account.id)
    assert event["actor"] == f"staff:{cast.owner.id}"


def test_the_schools_logo_becomes_the_picture(school: Home, cast: Cast, account: Account, shown: Shown) -> None:
    (school.path / "logo.png").write_bytes(png("navy"))
    shown.profile = replace(shown.profile, picture=png("white"))
    set_picture(school, cast.owner, account.id, now=NOW)
    assert shown.profile.picture == png("navy")
    assert answer(school, account, "ACC102") is True
    assert len(events(school, "account:picture:set", account.id)) == 1


def test_a_school_without_a_logo_is_told_so_and_nothing_is_asked(
    school: Home, cast: Cast, account: Account, shown: Shown
) -> None:
    (school.path / "logo.png").unlink(missing_ok=True)
    shown.asked.clear()
    with pytest.raises(Conflict, match="logo"):
        set_picture(school, cast.owner, account.id, now=NOW)
    assert shown.asked == []


@pytest.mark.parametrize(
    ("mend", "rule_id"), [(Mend.LIKES, "INT402"), (Mend.FOLLOWS, "INT401"), (Mend.SHARES, "INT403")]
)
def test_all_of_a_kind_is_taken_back_each_with_its_own_line_in_the_log(
    school: Home, cast: Cast, account: Account, shown: Shown, mend: Mend, rule_id: str
) -> None:
    setattr(shown, mend.value, ["11", "12"])
    check_account(school, account.id, now=NOW)
    assert answer(school, account, rule_id) is False
    taken = take_back(school, cast.owner, account.id, mend, now=NOW)
    assert (taken.done, taken.left, taken.stopped_by) == (2, 0, None)
    assert answer(school, account, rule_id) is True
    lines = [event["data"] for event in events(school, "account:interaction:undone", account.id)]
    assert [number in line for number, line in zip(("11", "12"), lines, strict=True)] == [True, True]
    assert take_back(school, cast.owner, account.id, mend, now=NOW).done == 0


def test_where_the_platform_stops_what_was_done_stands_and_the_rest_is_told(
    school: Home, cast: Cast, account: Account, shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown.likes = ["1", "2", "3"]
    undo = Obliging.undo_like

    def once(self: Obliging, remote_id: str) -> None:
        undo(self, remote_id)
        shown.failing["undo_like"] = PlatformError("It asks us to slow down.", permanent=False)

    monkeypatch.setattr(Obliging, "undo_like", once)
    taken = take_back(school, cast.owner, account.id, Mend.LIKES, now=NOW)
    assert (taken.done, taken.left) == (1, 2)
    assert "slow down" in str(taken.stopped_by)
    assert len(events(school, "account:interaction:undone", account.id)) == 1
    assert shown.likes == ["2", "3"]
    assert answer(school, account, "INT402") is False


def test_a_long_list_is_taken_back_in_portions(
    school: Home, cast: Cast, account: Account, shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(putting_right, "MOST_AT_ONCE", 2)
    shown.follows = ["1", "2", "3"]
    first = take_back(school, cast.owner, account.id, Mend.FOLLOWS, now=NOW)
    assert (first.done, first.left) == (2, 1)
    assert take_back(school, cast.owner, account.id, Mend.FOLLOWS, now=NOW).left == 0


def test_what_failed_is_no_event_and_the_last_picture_stands(
    school: Home, cast: Cast, account: Account, shown: Shown
) -> None:
    shown.profile = replace(shown.profile, private=False)
    check_account(school, account.id, now=NOW)
    shown.failing["set_private"] = PlatformError("No answer.", permanent=False, outcome_unknown=True)
    with pytest.raises(PlatformError):
        make_private(school, cast.owner, account.id, now=NOW)
    assert events(school, "account:private:set", account.id) == []
    assert answer(school, account, "ACC103") is False


def test_done_but_not_to_be_seen_is_not_taken_for_holding(
    school: Home, cast: Cast, account: Account, shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown.profile = replace(shown.profile, private=False)
    monkeypatch.setattr(Obliging, "set_private", lambda self: None)
    make_private(school, cast.owner, account.id, now=NOW)
    assert answer(school, account, "ACC103") is False


def test_what_the_platform_does_not_offer_is_remembered_and_is_a_persons_from_then_on(
    school: Home, cast: Cast, account: Account, shown: Shown
) -> None:
    shown.likes = ["1"]
    shown.failing["undo_like"] = NotOffered("Instagram", Capability.UNDO_LIKE)
    taken = take_back(school, cast.owner, account.id, Mend.LIKES, now=NOW)
    assert taken.done == 0
    assert Capability.UNDO_LIKE not in capabilities_of(school, account)
    assert Mend.LIKES not in mends_of(school, account)
    with pytest.raises(CannotDo):
        take_back(school, cast.owner, account.id, Mend.LIKES, now=NOW)


def test_it_is_for_those_who_keep_the_account(school: Home, cast: Cast, account: Account, shown: Shown) -> None:
    shown.likes = ["1"]
    with pytest.raises(NotPermitted):
        take_back(school, cast.head, account.id, Mend.LIKES, now=NOW)
    assert take_back(school, cast.manager, account.id, Mend.LIKES, now=NOW).done == 1


def test_nothing_is_put_right_by_machine_where_no_machine_can(home: Home, cast: Cast) -> None:
    account = walk.live(home, cast)
    assert mends_of(home, account) == frozenset()
    for deed in (make_private, set_picture):
        with pytest.raises(CannotDo):
            deed(home, cast.owner, account.id, now=NOW)


def test_an_account_that_is_closing_is_left_to_its_plan(
    school: Home, cast: Cast, account: Account, shown: Shown
) -> None:
    start_closing(school, cast.owner, account.id, "The trip is over.", now=NOW)
    with pytest.raises(WrongState):
        make_private(school, cast.owner, account.id, now=NOW)


def test_the_log_names_what_was_undone_by_its_number_only(
    school: Home, cast: Cast, account: Account, shown: Shown
) -> None:
    shown.likes = ["77"]
    take_back(school, cast.owner, account.id, Mend.LIKES, now=NOW)
    (event,) = events(school, "account:interaction:undone", account.id)
    assert json.loads(event["data"]) == {"what": "likes", "remote_id": "77"}


@pytest.mark.parametrize("mend", [Mend.LIKES, Mend.FOLLOWS, Mend.SHARES])
def test_a_list_that_is_not_offered_is_remembered_too_and_stops_at_the_platforms_wish_for_payment(
    school: Home, cast: Cast, account: Account, shown: Shown, monkeypatch: pytest.MonkeyPatch, mend: Mend
) -> None:
    paused: list[str] = []
    monkeypatch.setattr(adapters, "pause_for_payment", lambda home, info, now: paused.append(info.key))
    shown.failing[mend.value] = PaymentNeeded("Instagram")
    with pytest.raises(PaymentNeeded):
        take_back(school, cast.owner, account.id, mend, now=NOW)
    assert paused == [walk.PLATFORM]
    reads = min(WAYS[mend].needs, key=lambda one: not one.value.startswith("read"))
    shown.failing[mend.value] = NotOffered("Instagram", reads)
    with pytest.raises(NotOffered):
        take_back(school, cast.owner, account.id, mend, now=NOW)
    assert reads not in capabilities_of(school, account)
    assert mend not in mends_of(school, account)
