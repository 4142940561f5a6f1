"""What became of a post: refusals are kept, what no machine can find out is somebody's task, and is settled by them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from closing_school import events, with_platform
from factories import NOW, staff
from people_school import photo, trip
from priced_platform import CENT, TARIFF
from publishing_platform import PublishingPlatform, lost, publishing_home
from recording_platform import Shown

from socialgov.actions import posts, publishing
from socialgov.actions.accounts import suspend
from socialgov.actions.adapters import capabilities_of, note_refusal
from socialgov.actions.holding_back import publish_held_back
from socialgov.actions.observing import check_account
from socialgov.actions.publishing import hand_over_post, posts_to_find_out
from socialgov.actions.today import needs_today
from socialgov.errors import Conflict, InvalidInput, NotPermitted
from socialgov.home import Home
from socialgov.models import Account, Capability, Post, PostState, Role, Staff
from socialgov.platforms import NotOffered, NotReady, PaymentNeeded, PlatformError, Unreachable
from socialgov.platforms.wire import BODY_SECONDS, HEAD_SECONDS, TIMEOUT, Wire
from socialgov.store.findings import findings_of
from socialgov.store.outbox import notices_of
from socialgov.store.posts import post_by_id
from socialgov.store.spending import pause_of

LINK = "https://instagram.example/p/1"
MINUTE = timedelta(minutes=1)
LATER = NOW + publishing.FIND_OUT_AFTER


@pytest.fixture
def there(home: Home, monkeypatch: pytest.MonkeyPatch) -> tuple[Home, Shown]:
    return publishing_home(home, monkeypatch, tariff=TARIFF, monthly_budget=100 * CENT)


@pytest.fixture
def school(there: tuple[Home, Shown]) -> Home:
    return there[0]


@pytest.fixture
def shown(there: tuple[Home, Shown]) -> Shown:
    return there[1]


@pytest.fixture
def account(school: Home, teacher: Staff) -> Account:
    return trip(school, teacher)


@pytest.fixture
def draft(school: Home, teacher: Staff, account: Account) -> Post:
    post = posts.draft_post(school, teacher, account.id, "Boats", now=NOW)
    posts.add_photo(school, teacher, post.id, photo(), "Boats on a lake", now=NOW)
    posts.set_depictions(school, teacher, post.id, shown=[], people_in_picture=0, nobody_identifiable=True, now=NOW)
    given = {"permanence": True, "school_equipment": True, "own_work": True}
    return posts.confirm(school, teacher, post.id, **given, now=NOW)


@pytest.fixture
def unsettled(school: Home, shown: Shown, teacher: Staff, draft: Post) -> Post:
    """It is out, and the answer was lost."""
    shown.failing["publish"] = lost()
    with pytest.raises(PlatformError):
        posts.publish_post(school, teacher, draft.id, now=NOW)
    shown.asked.clear()
    return post_by_id(school.db, draft.id)


def settle(school: Home, minutes: int = 10) -> int:
    return posts.settle_publishing(school, NOW + minutes * MINUTE)


def needs(school: Home, who: Staff, minutes: int) -> list[str]:
    return [one.href_endpoint for one in needs_today(school, who, NOW + minutes * MINUTE) if one.key == "find_out"]


def test_a_wish_for_payment_while_settling_stops_all_asking(school: Home, shown: Shown, unsettled: Post) -> None:
    shown.failing["posts"] = PaymentNeeded("Instagram")
    assert settle(school) == 0
    assert pause_of(school.db, "instagram", NOW + 11 * MINUTE) is not None
    assert settle(school, 11) == 0
    assert shown.asked == ["posts"], "it was not asked again"


def test_reading_that_is_not_offered_while_settling_is_a_persons_from_then_on(
    school: Home, shown: Shown, teacher: Staff, account: Account, unsettled: Post
) -> None:
    shown.failing["posts"] = NotOffered("Instagram", Capability.READ_POSTS)
    assert needs(school, teacher, 10) == []
    settle(school)
    assert Capability.READ_POSTS not in capabilities_of(school, account)
    settle(school, 11)
    assert shown.asked == ["posts"]
    assert needs(school, teacher, 11) == ["posts.page"]


def test_what_the_machine_could_not_find_out_for_hours_is_somebodys_task(
    school: Home, shown: Shown, teacher: Staff, manager: Staff, unsettled: Post
) -> None:
    shown.failing["posts"] = PlatformError("It is down.", permanent=False)
    settle(school)
    assert needs(school, teacher, 60) == []
    assert needs(school, teacher, 121) == ["posts.page"]
    assert [post.id for post in posts_to_find_out(school, LATER)] == [unsettled.id]
    assert needs(school, manager, 121) == [], "it is for those who keep the account"


def test_a_person_says_that_it_is_out_and_it_is_not_taken_for_one_made_elsewhere(
    school: Home, shown: Shown, teacher: Staff, account: Account, unsettled: Post
) -> None:
    with pytest.raises(InvalidInput):
        posts.report_posted(school, teacher, unsettled.id, now=LATER)
    out = posts.report_posted(school, teacher, unsettled.id, link=LINK, now=LATER)
    assert (out.state, out.link) == (PostState.PUBLISHED, LINK)
    assert posts_to_find_out(school, LATER) == []
    free = with_platform(school, replace(school.settings.platforms["instagram"], tariff=None))
    check_account(free, account.id, now=LATER)
    assert {one.rule_id: one.answer for one in findings_of(school.db, account.id)}["MED512"] is True


def test_a_person_says_that_it_is_not_out_and_it_can_be_published_again(
    school: Home, shown: Shown, teacher: Staff, unsettled: Post
) -> None:
    shown.posts.clear()
    shown.failing.clear()
    assert posts.give_up_hand_over(school, teacher, unsettled.id, now=LATER).state is PostState.DRAFT
    assert posts.publish_post(school, teacher, unsettled.id, now=LATER).state is PostState.PUBLISHED
    assert [one.text for one in shown.posts] == ["Boats"]


def test_while_the_machine_may_still_get_an_answer_nobody_says_what_became_of_it(
    school: Home, teacher: Staff, head: Staff, unsettled: Post
) -> None:
    for verb in (posts.give_up_hand_over, posts.report_posted):
        with pytest.raises(Conflict):
            verb(school, teacher, unsettled.id, now=NOW + 4 * MINUTE)
        with pytest.raises(NotPermitted):
            verb(school, head, unsettled.id, now=LATER)


def test_a_post_that_the_machine_sent_is_not_handed_over_for_posting_when_the_platform_shuts_us_out(
    school: Home, shown: Shown, teacher: Staff, account: Account, unsettled: Post
) -> None:
    note_refusal(school, account.id, NotOffered("Instagram", Capability.PUBLISH), now=NOW)
    assert not post_by_id(school.db, unsettled.id).handed_over
    assert settle(school) == 1, "it can be read all the same"
    assert post_by_id(school.db, unsettled.id).state is PostState.PUBLISHED


def test_what_was_handed_over_is_left_to_its_person_though_the_machine_could_look(
    school: Home, shown: Shown, teacher: Staff, account: Account, draft: Post
) -> None:
    note_refusal(school, account.id, NotOffered("Instagram", Capability.PUBLISH), now=NOW)
    assert hand_over_post(school, teacher, draft.id, now=NOW).handed_over
    assert settle(school) == 0
    assert shown.asked == []
    assert posts_to_find_out(school, NOW + 10 * MINUTE) == []
    assert [post.id for post in posts_to_find_out(school, LATER)] == [draft.id]
    back = posts.give_up_hand_over(school, teacher, draft.id, now=NOW)
    assert (back.state, back.handed_over) == (PostState.DRAFT, False)


# --------------------------------------------------------------------------------------------------- not ready yet


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited, each time."""
    waited: list[float] = []
    monkeypatch.setattr(publishing, "_pause", waited.append)
    return waited


def not_ready(monkeypatch: pytest.MonkeyPatch, times: int, seconds: float = 1.0) -> None:
    """The platform works on a picture that often before it takes a post."""
    left, publish = iter(range(times)), PublishingPlatform.publish

    def busy(self: PublishingPlatform, *args: Any, **kwargs: Any) -> str:
        if next(left, None) is not None:
            raise NotReady("Instagram", seconds)
        return publish(self, *args, **kwargs)

    monkeypatch.setattr(PublishingPlatform, "publish", busy)


def test_a_picture_that_is_worked_on_for_a_few_seconds_is_waited_for(
    school: Home, shown: Shown, teacher: Staff, draft: Post, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    not_ready(monkeypatch, 3, seconds=2)
    assert posts.publish_post(school, teacher, draft.id, now=NOW).state is PostState.PUBLISHED
    assert pauses == [2, 2, 2]
    assert [one.text for one in shown.posts] == ["Boats"]


@pytest.mark.parametrize(("seconds", "waited"), [(0, 10), (4, 8), (600, 0), (float("nan"), 0)])
def test_nobody_waits_longer_than_some_seconds_for_a_picture_and_the_post_is_free_again(
    school: Home, teacher: Staff, draft: Post, pauses: list[float], monkeypatch: pytest.MonkeyPatch,
    seconds: float, waited: float,
) -> None:  # fmt: skip
    not_ready(monkeypatch, 1_000, seconds)
    with pytest.raises(NotReady):
        posts.publish_post(school, teacher, draft.id, now=NOW)
    assert sum(pauses) == waited <= publishing.LONGEST_WAIT
    assert post_by_id(school.db, draft.id).state is PostState.DRAFT


def held_back(school: Home, teacher: Staff, draft: Post, monkeypatch: pytest.MonkeyPatch, times: int = 1) -> None:
    not_ready(monkeypatch, times, seconds=600)
    with pytest.raises(NotReady):
        posts.publish_post(school, teacher, draft.id, now=NOW)


def told(school: Home, staff_id: int) -> list[str]:
    return [one.text for one in notices_of(school.db, staff_id) if one.kind == "post_not_out"]


def test_a_post_that_waited_for_its_picture_goes_out_by_itself_for_whom_pressed_the_button(
    school: Home, shown: Shown, teacher: Staff, draft: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    held_back(school, teacher, draft, monkeypatch)
    assert publish_held_back(school, NOW + 4 * MINUTE) == 0
    assert publish_held_back(school, NOW + 5 * MINUTE) == 1
    assert post_by_id(school.db, draft.id).state is PostState.PUBLISHED
    assert [event["actor"] for event in events(school, "post:publish:done")] == [f"staff:{teacher.id}"]
    assert publish_held_back(school, NOW + 6 * MINUTE) == 0
    assert [one.text for one in shown.posts] == ["Boats"]
    assert told(school, teacher.id) == []


def test_one_that_is_held_back_again_is_its_keepers_who_are_told_once(
    school: Home, account: Account, teacher: Staff, draft: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    held_back(school, teacher, draft, monkeypatch, times=9)
    for minutes in (5, 6, 20):
        assert publish_held_back(school, NOW + minutes * MINUTE) == 0
    assert post_by_id(school.db, draft.id).state is PostState.DRAFT
    assert len(told(school, account.owner_id)) == len(told(school, account.deputy_id)) == 1


def test_a_change_or_a_throwing_away_meanwhile_stops_it(
    school: Home, shown: Shown, teacher: Staff, draft: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    held_back(school, teacher, draft, monkeypatch, times=2)
    posts.edit_post(school, teacher, draft.id, "Boats and trains", now=NOW)
    given = {"permanence": True, "school_equipment": True, "own_work": True}
    posts.confirm(school, teacher, draft.id, **given, now=NOW)
    assert publish_held_back(school, NOW + 5 * MINUTE) == 0, "nobody wanted these words put out"
    with pytest.raises(NotReady):
        posts.publish_post(school, teacher, draft.id, now=NOW)
    posts.discard_post(school, teacher, draft.id, now=NOW)
    assert publish_held_back(school, NOW + 5 * MINUTE) == 0
    assert shown.posts == []


def test_every_rule_is_asked_anew_before_it_goes_out_by_itself(
    school: Home, shown: Shown, teacher: Staff, account: Account, draft: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    held_back(school, teacher, draft, monkeypatch)
    suspend(school, staff(school, Role.HEAD), account.id, "A parent rang.", now=NOW)
    assert publish_held_back(school, NOW + 5 * MINUTE) == 0
    assert shown.posts == []
    assert len(told(school, teacher.id)) == 1


def test_one_whose_answer_is_lost_the_second_time_is_settled_by_reading_as_any_other(
    school: Home, shown: Shown, teacher: Staff, draft: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    held_back(school, teacher, draft, monkeypatch)
    shown.failing["publish"] = lost()
    publish_held_back(school, NOW + 5 * MINUTE)
    assert post_by_id(school.db, draft.id).state is PostState.PUBLISHING
    assert told(school, teacher.id) == []
    assert settle(school, 15) == 1
    assert publish_held_back(school, NOW + 16 * MINUTE) == 0
    assert [one.text for one in shown.posts] == ["Boats"]


def test_what_is_not_out_when_its_time_is_over_does_not_go_out_later(
    school: Home, network_asked: list[str], teacher: Staff, draft: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wire sends nothing more then, so a post that is settled after SETTLE_AFTER is settled for good."""
    monkeypatch.setattr(publishing, "PUBLISH_SECONDS", 0)
    with pytest.raises(Unreachable):
        posts.publish_post(school, teacher, draft.id, now=NOW)
    assert network_asked == []
    assert post_by_id(school.db, draft.id).state is PostState.DRAFT


@pytest.fixture
def network_asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a platform that is asked over the wire hears."""
    heard: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        heard.append(request.url.path)
        return httpx.Response(200, json={"id": "1"})

    def publish(self: PublishingPlatform, *_: Any, **__: Any) -> str:
        wire = Wire(replace(self.info, api_base="https://somewhere.test"), transport=httpx.MockTransport(answer))
        return str(wire.json(wire.post("/posts", {}))["id"])

    monkeypatch.setattr(PublishingPlatform, "publish", publish)
    return heard


def test_the_time_to_publish_ends_well_before_anything_is_settled() -> None:
    last_answer = sum(filter(None, (TIMEOUT.connect, TIMEOUT.pool, TIMEOUT.write))) + HEAD_SECONDS + BODY_SECONDS
    assert publishing.LONGEST_WAIT < publishing.PUBLISH_SECONDS
    assert publishing.PUBLISH_SECONDS + last_answer < publishing.SETTLE_AFTER.total_seconds() / 2
