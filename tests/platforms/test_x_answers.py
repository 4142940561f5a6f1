"""Reading X's answers: the words as they were written, and what counts as a whole answer."""

from __future__ import annotations

import html
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socialgov.platforms.x_answers import (
    Unreadable,
    as_written,
    face_of,
    moment_of,
    page_of,
    problem_of,
    said_of,
    same_words,
)

words = st.lists(
    st.text(alphabet="abcXYZ0189&<>;'\"#!?é ", min_size=1, max_size=8).map(str.strip).filter(bool), max_size=8
).map(" ".join)
anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["data", "meta", "result_count", "next_token", "id", "errors", "type", "title", "code"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)


def shown(text: str, links: list[str], pictures: int) -> dict[str, Any]:
    """A post as X shows it: three signs escaped, each link made short, one more link for the pictures."""
    escaped, urls = html.escape(text, quote=False), []
    for number, link in enumerate(links):
        short = f"https://t.co/s{number}"
        escaped = f"{escaped} {short}"
        full = link if "://" in link else f"http://{link}"
        urls.append({"url": short, "expanded_url": full, "display_url": full.partition("://")[2]})
    for number in range(pictures):
        entry = {"url": "https://t.co/pic", "expanded_url": "https://x.com/trip/status/1/photo/1"}
        urls.append(entry | ({"media_key": f"3_{number}"} if number else {}))
    if pictures:
        escaped += " https://t.co/pic"
    return {"id": "1", "text": escaped, "entities": {"urls": urls}}


@given(
    text=words,
    links=st.lists(
        st.sampled_from(["school.example/trip", "https://school.example/?a=1&copy=2", "https://a.example"]), max_size=2
    ),
    pictures=st.integers(0, 4),
)
def test_what_was_written_is_read_back_whatever_x_made_of_it(text: str, links: list[str], pictures: int) -> None:
    typed = " ".join([text, *links]).strip()
    assert as_written(shown(text, links, pictures)) == typed
    assert same_words(as_written(shown(text, links, pictures)), typed)


@given(text=words, other=words)
def test_other_words_are_never_the_same(text: str, other: str) -> None:
    assert same_words(text, other) == (html.unescape(text).split() == html.unescape(other).split())


@given(anything)
def test_no_answer_makes_reading_it_fall_over(body: Any) -> None:
    problem_of(403, body)
    for read in (face_of, said_of):
        with pytest.raises(Unreadable):
            read(body)


@given(st.dictionaries(st.sampled_from(["data", "meta", "errors"]), anything, max_size=3))
def test_a_page_is_whole_or_unreadable(body: dict[str, Any]) -> None:
    try:
        items, following = page_of(body)
    except Unreadable:
        return
    assert len(items) == body["meta"]["result_count"]
    assert isinstance(following, str)


def test_moments_are_read_with_and_without_fractions_and_never_guessed() -> None:
    assert moment_of("2026-03-02T09:00:00.000Z") == moment_of("2026-03-02T09:00:00Z") is not None
    for nonsense in (None, 7, "", "yesterday", "2026-03-02T09:00:00"):
        assert moment_of(nonsense) is None


def test_a_suspended_account_is_not_missing_though_x_calls_both_not_found() -> None:
    kind = "https://api.twitter.com/2/problems/resource-not-found"
    both = {"errors": [{"type": kind, "title": "Forbidden"}, {"type": kind, "title": "Not Found Error"}]}
    assert not problem_of(404, both).missing
    assert problem_of(200, {"errors": [{"type": kind, "title": "Not Found Error"}]}).missing
    assert not problem_of(404, {"title": "Not Found Error", "type": "about:blank"}).missing
