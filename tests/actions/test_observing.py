"""What is known gets on record: by a person's word with a screenshot, or read from a platform that may not answer."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import walk
from factories import NOW
from PIL import Image, ImageDraw
from recording_platform import METHODS, Shown, recorded_home

from socialgov.actions import observing
from socialgov.actions.blobs import read_blob
from socialgov.actions.credentials import deposit
from socialgov.actions.observing import attest, attest_logo, check_account, observe, record_observation
from socialgov.errors import InvalidInput, NotPermitted
from socialgov.home import Home
from socialgov.lifecycle import WrongState
from socialgov.models import Account, CredentialKind, Fact, LogoMatch, Presence, Source
from socialgov.planning import next_slot
from socialgov.platforms import LoginRefused, PlatformError, RemoteFollower, RemotePost
from socialgov.store.accounts import account_by_id
from socialgov.store.connect import insert, write
from socialgov.store.events import EventTag, events_page
from socialgov.store.findings import findings_of
from socialgov.store.followers import followers_of
from socialgov.store.observations import newest_observation, newest_observations
from socialgov.store.posts import remote_ids_seen

LATER = NOW + timedelta(hours=2)
DOWN = PlatformError("The platform does not answer.", permanent=False)


def picture(colour: str = "navy", shape: str = "ellipse", size: int = 200) -> bytes:
    image = Image.new("RGB", (size, size), "white")
    box = (size // 5, size // 4, size * 4 // 5, size * 3 // 4)
    getattr(ImageDraw.Draw(image), shape)(box, fill=colour)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def account(home: Home, cast: walk.Cast) -> Account:
    return walk.set_up(home, cast, walk.approved(home, cast))


@pytest.fixture
def watched(home: Home, cast: walk.Cast, monkeypatch: pytest.MonkeyPatch) -> tuple[Home, Account, Shown]:
    """A live account on a platform that is read by machine, which has a key of its own for it."""
    live = walk.live(home, cast)
    deposit(
        home, cast.owner, live.id, username=live.name, secret="abcd-efgh-ijkl", email="", now=NOW,
        kind=CredentialKind.API_TOKEN,
    )  # fmt: skip
    school, shown = recorded_home(home, monkeypatch)
    return school, live, shown


def value(home: Home, account: Account, fact: Fact) -> Any:
    seen = newest_observation(home.db, account.id, fact)
    return None if seen is None else seen.value


def events(home: Home, tag: EventTag) -> list[Any]:
    return events_page(home.db, before=None, tag=tag, actor=None, limit=100)


def put_post(home: Home, account: Account, author: int, **columns: Any) -> None:
    values = {"account_id": account.id, "author_id": author, "state": "published", "text": "x", "created_at": NOW}
    with write(home.db) as db:
        insert(db, "post", {**values, **columns})


# ---------------------------------------------------------------------------------------------------- a person's word


def test_an_attestation_keeps_value_time_person_and_sealed_screenshot(
    home: Home, cast: walk.Cast, account: Account
) -> None:
    shot = picture()
    seen = attest(home, cast.owner, account.id, Fact.PRIVATE, True, now=LATER, screenshot=shot, note=" by  phone ")
    assert (seen.value, seen.observed_at, seen.observed_by) == (True, LATER, cast.owner.id)
    assert (seen.source, seen.note) == (Source.ATTESTED, "by phone")
    assert seen.evidence_id is not None and read_blob(home, seen.evidence_id) == (shot, "image/png")
    [event] = events(home, EventTag.FACT_ATTESTED)
    assert event.data == {"fact": "private", "evidence": seen.evidence_id, "value": True}
    answers = {one.rule_id: one for one in findings_of(home.db, account.id)}
    assert answers["ACC103"].answer is True and answers["ACC103"].evidence_by == cast.owner.id


def test_a_text_that_may_hold_a_name_stays_out_of_the_log(home: Home, cast: walk.Cast, account: Account) -> None:
    attest(home, cast.owner, account.id, Fact.PROFILE_TEXT, "Ask Ms Sample", now=NOW, screenshot=picture())
    [event] = events(home, EventTag.FACT_ATTESTED)
    assert set(event.data) == {"fact", "evidence"}


def test_without_a_screenshot_a_word_is_no_evidence(home: Home, cast: walk.Cast, account: Account) -> None:
    with pytest.raises(InvalidInput) as refused:
        attest(home, cast.owner, account.id, Fact.PRIVATE, True, now=NOW)
    assert "screenshot" in refused.value.fields
    assert newest_observations(home.db, account.id) == {}


@pytest.mark.parametrize(
    ("fact", "wrong"),
    [
        (Fact.PRIVATE, "yes"),
        (Fact.PRIVATE, None),
        (Fact.LIKES, -1),
        (Fact.LIKES, True),
        (Fact.LIKES, 10**12),
        (Fact.LIKES, "3"),
        (Fact.LOGO, "nearly"),
        (Fact.PRESENCE, 4),
        (Fact.PROFILE_TEXT, "x" * 5001),
        (Fact.PROFILE_TEXT, "a\x00b"),
        (Fact.PROFILE_TEXT, 5),
        (Fact.SETUP_EMAIL, "not an address"),
        (Fact.SETUP_EMAIL, ""),
    ],
)
def test_a_value_of_the_wrong_shape_is_refused_with_words(
    home: Home, cast: walk.Cast, account: Account, fact: Fact, wrong: Any
) -> None:
    with pytest.raises(InvalidInput) as refused:
        attest(home, cast.owner, account.id, fact, wrong, now=NOW)
    assert refused.value.fields["value"]
    assert newest_observations(home.db, account.id) == {}


@pytest.mark.parametrize("shot", [b"", b"no picture", picture()[:60], b"\x89PNG\r\n\x1a\n" + b"\x00" * 50])
def test_a_broken_screenshot_is_refused_and_nothing_is_kept(
    home: Home, cast: walk.Cast, account: Account, shot: bytes
) -> None:
    with pytest.raises(InvalidInput) as refused:
        attest(home, cast.owner, account.id, Fact.PRIVATE, True, now=NOW, screenshot=shot)
    assert "screenshot" in refused.value.fields
    assert newest_observations(home.db, account.id) == {}


def test_a_note_has_a_longest_length(home: Home, cast: walk.Cast, account: Account) -> None:
    with pytest.raises(InvalidInput):
        attest(home, cast.owner, account.id, Fact.PRIVATE, True, now=NOW, note="x" * 1001)


def test_only_those_who_keep_the_account_attest_and_only_the_manager_the_login(
    home: Home, cast: walk.Cast, account: Account, teacher: Any
) -> None:
    with pytest.raises(NotPermitted):
        attest(home, teacher, account.id, Fact.PRIVATE, True, now=NOW)
    with pytest.raises(NotPermitted):
        attest(home, cast.owner, account.id, Fact.LOGIN_WORKS, True, now=NOW)
    attest(home, cast.manager, account.id, Fact.LOGIN_WORKS, True, now=NOW)


def test_nothing_can_be_attested_before_there_is_anything_to_see(home: Home, cast: walk.Cast) -> None:
    request = walk.requested(home, cast)
    with pytest.raises(WrongState):
        attest(home, cast.owner, request.id, Fact.PRIVATE, True, now=NOW)


# ---------------------------------------------------------------------------------------------------- the logo


def test_the_handed_in_picture_is_compared_with_the_schools_logo(home: Home, cast: walk.Cast, account: Account) -> None:
    (home.path / "logo.png").write_bytes(picture())
    seen = attest_logo(home, cast.owner, account.id, picture(size=400), now=NOW)
    assert (seen.value, seen.source) == (LogoMatch.MATCH, Source.ATTESTED)
    assert attest_logo(home, cast.owner, account.id, picture("red", "rectangle"), now=LATER).value != LogoMatch.MATCH


def test_without_a_school_logo_or_with_a_broken_picture_the_reason_is_told(
    home: Home, cast: walk.Cast, account: Account
) -> None:
    (home.path / "logo.png").unlink(missing_ok=True)
    with pytest.raises(InvalidInput, match="logo is not here"):
        attest_logo(home, cast.owner, account.id, picture(), now=NOW)
    (home.path / "logo.png").write_bytes(picture())
    with pytest.raises(InvalidInput) as refused:
        attest_logo(home, cast.owner, account.id, b"GIF89a", now=NOW)
    assert "avatar" in refused.value.fields


def test_a_person_judges_what_the_machine_was_unsure_of_and_that_holds_for_these_pictures(
    watched: tuple[Home, Account, Shown], cast: walk.Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, account, shown = watched
    (home.path / "logo.png").write_bytes(picture())
    shown.profile = replace(shown.profile, picture=picture(size=300))
    monkeypatch.setattr(observing.logo, "compare", lambda ours, theirs: LogoMatch.UNSURE)
    observe(home, account.id, now=NOW)
    assert value(home, account, Fact.LOGO) == LogoMatch.UNSURE
    attest(home, cast.owner, account.id, Fact.LOGO, LogoMatch.MATCH, now=LATER, note="I looked")
    observe(home, account.id, now=LATER + timedelta(days=1))
    assert value(home, account, Fact.LOGO) == LogoMatch.MATCH
    shown.profile = replace(shown.profile, picture=picture(size=301))
    observe(home, account.id, now=LATER + timedelta(days=2))
    assert value(home, account, Fact.LOGO) == LogoMatch.UNSURE


def test_a_person_cannot_talk_away_that_the_pictures_are_different(
    watched: tuple[Home, Account, Shown], cast: walk.Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, account, shown = watched
    (home.path / "logo.png").write_bytes(picture())
    shown.profile = replace(shown.profile, picture=picture("red", "rectangle"))
    monkeypatch.setattr(observing.logo, "compare", lambda ours, theirs: LogoMatch.DIFFERENT)
    observe(home, account.id, now=NOW)
    with pytest.raises(InvalidInput, match="another picture"):
        attest(home, cast.owner, account.id, Fact.LOGO, LogoMatch.MATCH, now=LATER)


def test_an_account_that_shows_no_picture_does_not_show_the_logo(watched: tuple[Home, Account, Shown]) -> None:
    home, account, shown = watched
    (home.path / "logo.png").write_bytes(picture())
    shown.profile = replace(shown.profile, picture=b"")
    observe(home, account.id, now=NOW)
    assert value(home, account, Fact.LOGO) == LogoMatch.DIFFERENT


def test_a_picture_that_the_platform_gave_damaged_is_for_a_person_to_judge(
    watched: tuple[Home, Account, Shown],
) -> None:
    home, account, shown = watched
    (home.path / "logo.png").write_bytes(picture())
    shown.profile = replace(shown.profile, picture=b"<html>")
    observe(home, account.id, now=NOW)
    assert value(home, account, Fact.LOGO) == LogoMatch.UNSURE


# ---------------------------------------------------------------------------------------------------- the machine


def test_everything_that_the_platform_tells_is_kept(watched: tuple[Home, Account, Shown]) -> None:
    home, account, shown = watched
    shown.likes, shown.shares, shown.follows, shown.conversations = ["a"], ["b", "c"], ["d"], ["e"]
    shown.followers = [RemoteFollower("f1", "aunt", "Aunt"), RemoteFollower("f2", "x", "X", waiting=True)]
    shown.posts = [RemotePost("p1", "hello", NOW)]
    facts = observe(home, account.id, now=LATER)
    kept = {fact: seen for fact, seen in newest_observations(home.db, account.id).items() if fact in facts}
    assert {fact: seen.value for fact, seen in kept.items()} == {
        Fact.PRESENCE: "live",
        Fact.PRIVATE: True,
        Fact.PROFILE_TEXT: "Official account. office@school.example",
        Fact.SETUP_EMAIL: "trips@school.example",
        Fact.CONVERSATIONS: 1,
        Fact.FOLLOWERS: 1,
        Fact.FOLLOWS: 1,
        Fact.LIKES: 1,
        Fact.SHARES: 2,
        Fact.OUTSIDE_POSTS: 1,
        Fact.OUR_ACCESS: True,
    }
    assert all((seen.source, seen.observed_at) == (Source.API, LATER) for seen in kept.values())
    assert [one.handle for one in followers_of(home.db, account.id)] == ["aunt", "x"]
    assert "p1" in remote_ids_seen(home.db, account.id)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("error", [DOWN, LoginRefused("No.")], ids=["for now", "for good"])
def test_a_read_that_fails_keeps_its_last_true_picture_and_stops_no_other(
    watched: tuple[Home, Account, Shown], method: str, error: PlatformError
) -> None:
    home, account, shown = watched
    observe(home, account.id, now=NOW)
    before = newest_observations(home.db, account.id)
    shown.failing = {method: error}
    shown.profile = replace(shown.profile, private=False)
    shown.likes, shown.shares, shown.follows, shown.conversations = ["a"], ["a"], ["a"], ["a"]
    shown.followers, shown.posts = [RemoteFollower("f", "f", "F")], [RemotePost("p", "p", None)]
    facts = observe(home, account.id, now=LATER)
    after = newest_observations(home.db, account.id)
    for fact in set(before) - set(facts):
        assert after[fact] == before[fact]
    lost = {
        "presence": {Fact.PRESENCE},
        "profile": {Fact.PRIVATE, Fact.PROFILE_TEXT, Fact.SETUP_EMAIL},
        "posts": {Fact.OUTSIDE_POSTS, Fact.CONVERSATIONS},
        "conversations": {Fact.OUTSIDE_POSTS, Fact.CONVERSATIONS},
        "followers": {Fact.FOLLOWERS},
        "follows": {Fact.FOLLOWS},
        "likes": {Fact.LIKES},
        "shares": {Fact.SHARES},
        "check_login": {Fact.OUR_ACCESS},
    }[method]
    told = set(before) - {Fact.LOGO, Fact.RECOVERY_WITH_SCHOOL, Fact.LOGIN_WORKS}
    assert set(facts) == told - lost
    [event] = events(home, EventTag.ACCOUNT_CHECK_FAILED)
    assert list(event.data["permanent"].values()) == [error.permanent]


def test_an_account_that_is_gone_is_asked_nothing_else(watched: tuple[Home, Account, Shown]) -> None:
    home, account, shown = watched
    shown.presence = Presence.GONE
    assert observe(home, account.id, now=LATER) == [Fact.PRESENCE]
    assert shown.asked == ["presence"]


def test_no_transaction_is_open_while_the_platform_is_asked(watched: tuple[Home, Account, Shown]) -> None:
    home, account, shown = watched
    open_ones = []
    shown.meanwhile = lambda: open_ones.append(home.db.conn.in_transaction)
    check_account(home, account.id, now=LATER)
    assert open_ones and not any(open_ones)


def test_what_was_read_of_another_account_meanwhile_is_thrown_away(watched: tuple[Home, Account, Shown]) -> None:
    home, account, shown = watched
    before = newest_observations(home.db, account.id)

    def renamed() -> None:
        home.db.execute("update account set handle = 'other' where id = ?", [account.id])

    shown.meanwhile = renamed
    assert observe(home, account.id, now=LATER) == []
    assert newest_observations(home.db, account.id) == before


def test_posts_published_here_are_ours_and_others_are_outside(
    watched: tuple[Home, Account, Shown], cast: walk.Cast
) -> None:
    home, account, shown = watched
    put_post(home, account, cast.owner.id, remote_id="ours")
    put_post(home, account, cast.owner.id, remote_id="down", state="removed")
    put_post(home, account, cast.owner.id, state="publishing", text="On  its way")
    shown.posts = [
        RemotePost("ours", "x", None),
        RemotePost("down", "taken down here, and there again", None),
        RemotePost("new", "On its way", None),
        RemotePost("theirs", "found by a visitor", None),
    ]
    observe(home, account.id, now=LATER)
    assert value(home, account, Fact.OUTSIDE_POSTS) == 2
    assert "new" not in remote_ids_seen(home.db, account.id)


def test_the_machines_sign_in_never_stands_in_for_the_network_managers_word(
    watched: tuple[Home, Account, Shown],
) -> None:
    home, account, shown = watched
    assert Fact.LOGIN_WORKS not in observe(home, account.id, now=LATER)
    shown.check_login = False
    assert Fact.LOGIN_WORKS not in observe(home, account.id, now=LATER + timedelta(hours=1))
    assert value(home, account, Fact.LOGIN_WORKS) is True, "as the network manager said"
    assert value(home, account, Fact.OUR_ACCESS) is False


def test_the_log_tells_what_changed_and_not_each_look(watched: tuple[Home, Account, Shown]) -> None:
    home, account, shown = watched
    observe(home, account.id, now=NOW)
    before = len(events(home, EventTag.FACT_OBSERVED))
    observe(home, account.id, now=LATER)
    assert len(events(home, EventTag.FACT_OBSERVED)) == before
    shown.likes = ["a"]
    observe(home, account.id, now=LATER + timedelta(hours=1))
    newest, *_ = new = events(home, EventTag.FACT_OBSERVED)
    assert len(new) == before + 1
    assert newest.data == {"fact": "likes", "evidence": None, "value": 1}


def test_a_check_asks_the_rules_and_says_when_to_look_again(watched: tuple[Home, Account, Shown]) -> None:
    home, account, shown = watched
    shown.likes = ["a"]
    findings = check_account(home, account.id, now=LATER)
    assert {one.rule_id: one.answer for one in findings}["INT402"] is False
    after = account_by_id(home.db, account.id)
    assert after.checked_at == LATER
    assert after.check_due_at == next_slot(account.id, LATER, timedelta(hours=24)) <= LATER + timedelta(hours=24)


def test_after_a_failure_for_now_the_next_look_comes_sooner(watched: tuple[Home, Account, Shown]) -> None:
    home, account, shown = watched
    shown.failing = {"likes": DOWN}
    check_account(home, account.id, now=LATER)
    assert account_by_id(home.db, account.id).check_due_at == LATER + timedelta(hours=1)
    wait = LATER + timedelta(hours=2)
    shown.failing = {"likes": PlatformError("Too often.", permanent=False, retry_at=wait)}
    check_account(home, account.id, now=LATER)
    assert account_by_id(home.db, account.id).check_due_at == wait


def test_an_account_without_any_interface_is_still_checked_and_asks_nothing(home: Home, cast: walk.Cast) -> None:
    account = walk.live(home, cast)
    check_account(home, account.id, now=LATER)
    assert account_by_id(home.db, account.id).checked_at == LATER
    assert events(home, EventTag.ACCOUNT_CHECKED) == []


def test_an_observation_outside_a_transaction_is_a_programming_error(home: Home, account: Account) -> None:
    with pytest.raises(RuntimeError):
        record_observation(
            home.db, account_id=account.id, fact=Fact.LIKES, value=0, now=NOW, source=Source.ATTESTED, observed_by=1
        )


def test_the_schools_logo_is_a_file_of_its_home(home: Home, tmp_path: Path) -> None:
    (home.path / "logo.png").write_bytes(picture())
    assert observing.school_logo(home) == picture()
