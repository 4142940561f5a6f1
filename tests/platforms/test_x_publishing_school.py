"""A school publishes on X: tweepy's client against the stand-in, which takes its time over pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from connected import Connected, connectable
from people_school import photo

from socialgov.actions import posts, publishing
from socialgov.actions.holding_back import publish_held_back
from socialgov.actions.publishing import posts_to_find_out
from socialgov.home import Home
from socialgov.models import Post, PostState
from socialgov.platforms import NotReady, PlatformError
from socialgov.store.posts import post_by_id
from socialgov.store.spending import pause_of


@pytest.fixture
def on_x(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connected]:
    """Connected, in a school that wants no second look; nobody really waits."""
    monkeypatch.setattr(publishing, "_pause", lambda seconds: None)
    settings = replace(home.settings, policy=replace(home.settings.policy, second_checker=False))
    with connectable(replace(home, settings=settings), tmp_path) as one:
        one.connect()
        yield one


def draft(one: Connected) -> Post:
    home, owner = one.home, one.owner
    post = posts.draft_post(home, owner, one.account.id, "Boats", now=one.now)
    posts.add_photo(home, owner, post.id, photo(), "Boats on a lake", now=one.now)
    posts.set_depictions(home, owner, post.id, shown=[], people_in_picture=0, nobody_identifiable=True, now=one.now)
    given = {"permanence": True, "school_equipment": True, "own_work": True}
    return posts.confirm(home, owner, post.id, **given, now=one.now)


def out(one: Connected) -> list[tuple[str, list[str]]]:
    """The words of what is on the account, and what its pictures are said to show."""
    return [(post.text, [media.alt for media in post.media]) for post in one.x.world.posts_of(one.there)]


def state(one: Connected, post: Post) -> PostState:
    return post_by_id(one.home.db, post.id).state


def test_a_picture_that_x_works_on_for_a_moment_is_sent_once_and_goes_out(on_x: Connected) -> None:
    on_x.x.uploads.waits = 3
    post = posts.publish_post(on_x.home, on_x.owner, draft(on_x).id, now=on_x.now)
    assert post.state is PostState.PUBLISHED
    assert out(on_x) == [("Boats", ["Boats on a lake"])]
    assert on_x.line.count("/2/media/upload/initialize") == 1 and on_x.x.uploads.left == []


def test_one_that_takes_longer_is_not_out_and_goes_out_by_itself_a_few_minutes_later(on_x: Connected) -> None:
    post = draft(on_x)
    on_x.x.uploads.waits = 100
    with pytest.raises(NotReady):
        posts.publish_post(on_x.home, on_x.owner, post.id, now=on_x.now)
    assert (out(on_x), state(on_x, post)) == ([], PostState.DRAFT)
    on_x.x.uploads.waits = 0
    assert publish_held_back(on_x.home, on_x.later(minutes=5)) == 1
    assert out(on_x) == [("Boats", ["Boats on a lake"])]


@pytest.fixture
def unsettled(on_x: Connected) -> Post:
    """It is out, and X's answer was lost."""
    post = draft(on_x)

    def lost(request: httpx.Request, answer: Callable[[], httpx.Response]) -> httpx.Response:
        response = answer()
        if (request.method, request.url.path) == ("POST", "/2/tweets"):
            raise httpx.ReadTimeout("no answer", request=request)
        return response

    on_x.line.fault = lost
    with pytest.raises(PlatformError) as failed:
        posts.publish_post(on_x.home, on_x.owner, post.id, now=on_x.now)
    assert failed.value.outcome_unknown
    on_x.line.fault = None
    return post


def test_a_post_whose_answer_was_lost_is_settled_by_reading_and_is_out_once(on_x: Connected, unsettled: Post) -> None:
    assert posts.settle_publishing(on_x.home, on_x.later(minutes=6)) == 1
    assert (state(on_x, unsettled), len(out(on_x))) == (PostState.PUBLISHED, 1)


def test_x_asking_for_payment_while_a_post_is_settled_stops_all_asking_and_a_person_looks(
    on_x: Connected, unsettled: Post
) -> None:
    on_x.line.fault = lambda request, answer: httpx.Response(402, json={})
    assert posts.settle_publishing(on_x.home, on_x.later(minutes=6)) == 0
    assert pause_of(on_x.home.db, "x", on_x.now) is not None
    on_x.line.fault, asked = None, len(on_x.line.asked)
    assert posts.settle_publishing(on_x.home, on_x.later(minutes=1)) == 0
    assert len(on_x.line.asked) == asked
    assert [post.id for post in posts_to_find_out(on_x.home, on_x.now)] == [unsettled.id]
