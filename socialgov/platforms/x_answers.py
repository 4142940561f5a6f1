"""What X answers, read into our own words: refusals, accounts, posts. Pure; every shape is somebody else's to choose.

Its field names are changing (`tweet.fields` → `post.fields`, `referenced_tweets` → `referenced_posts`), so both are
read. What is not said stays unsaid: a post without its time, or an account without `protected`, is no answer.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import repeat
from typing import Any, TypeGuard

from socialgov.names import unescaped
from socialgov.platforms.base import Counts, RemoteFollower, count_of

REPOSTED = frozenset({"retweeted", "reposted"})
REPLIED = frozenset({"replied_to"})
_MEDIA_LINK = re.compile(r"https?://(www\.)?(x|twitter)\.com/[^/]+/status/[0-9]+/(photo|video)/[0-9]+")
_SCHEME = re.compile(r"^https?://")


class Unreadable(ValueError):
    """An answer of another shape than any that X is known to give."""


# ------------------------------------------------------------------------------------------------------- refusals


@dataclass(frozen=True, slots=True)
class Problem:
    """Why X said no, as far as it can be compared. None of it is shown: an answer may repeat what was asked."""

    status: int
    kinds: frozenset[str] = frozenset()
    titles: frozenset[str] = frozenset()
    codes: frozenset[int] = frozenset()
    details: str = ""

    @property
    def missing(self) -> bool:
        """There is no such account or post. A page that is not found, without X's own word for it, is not that."""
        return "resource-not-found" in self.kinds and "Not Found Error" in self.titles and not self.suspended

    @property
    def suspended(self) -> bool:
        return "resource-not-found" in self.kinds and "Forbidden" in self.titles

    @property
    def not_offered(self) -> bool:
        return 453 in self.codes or "client-forbidden" in self.kinds

    @property
    def capped(self) -> bool:
        """The month's cap on what may be read, not the quarter of an hour's limit."""
        return "usage-capped" in self.kinds or "UsageCapExceeded" in self.titles

    @property
    def said_already(self) -> bool:
        """The same words were posted before."""
        return self.status == 403 and "duplicate" in self.details


def problem_of(status: int, body: Any) -> Problem:
    """The refusal in an answer: a 4xx, or a 2xx with `errors` and nothing else."""
    errors = at(body, "errors")
    entries = [entry for entry in [body, *(errors if isinstance(errors, list) else ())] if isinstance(entry, dict)]
    return Problem(
        status,
        frozenset(kind_of(entry) for entry in entries),
        frozenset(text_of(entry.get("title")) for entry in entries),
        frozenset(entry["code"] for entry in entries if isinstance(entry.get("code"), int)),
        " ".join(text_of(entry.get(name)) for entry in entries for name in ("detail", "message")).lower(),
    )


def kind_of(error: Any) -> str:
    """`resource-not-found` of `https://api.twitter.com/2/problems/resource-not-found`."""
    return text_of(at(error, "type")).rpartition("/problems/")[2]


def left_out(body: dict[str, Any], *, of_expansions: frozenset[str] = frozenset()) -> bool:
    """Does an answer with data say that it lacks some? What an expansion would have added is not missed."""
    errors = listed(body.get("errors"))
    return any(text_of(at(error, "parameter")).partition(".")[0] not in of_expansions for error in errors)


# ------------------------------------------------------------------------------------------------- accounts and lists


@dataclass(frozen=True, slots=True)
class Face:
    """An account as X shows it. `picture`: where its picture is, "" where it has none, None where that is unsaid."""

    number: str
    handle: str
    display_name: str
    text: str
    private: bool
    picture: str | None
    email: str | None
    counts: Counts


def face_of(user: Any) -> Face:
    """Raises Unreadable without an id or without `protected`: half a face is none."""
    private = at(user, "protected")
    if not isinstance(private, bool):
        raise Unreadable
    picture = at(user, "profile_image_url")
    return Face(
        number=number_of(user),
        handle=text_of(user.get("username")),
        display_name=text_of(user.get("name")),
        text=unescaped(text_of(user.get("description"))),
        private=private,
        picture=None if not isinstance(picture, str) else "" if "default_profile" in picture else picture,
        email=text_of(user.get("confirmed_email")) or None,
        counts=_counts(at(user, "public_metrics")),
    )


def _counts(metrics: Any) -> Counts:
    return Counts(
        followers=_count(metrics, "followers_count"),
        follows=_count(metrics, "following_count"),
        likes=_count(metrics, "like_count"),
        posts=_count(metrics, "tweet_count", "post_count"),
    )


def _count(metrics: Any, *names: str) -> int | None:
    found = (count_of(at(metrics, name)) for name in names)
    return next((one for one in found if one is not None), None)


def followers_of(users: list[Any]) -> list[RemoteFollower]:
    """Those of one page, made all together as its numbers are looked at."""
    numbers = numbers_of(users)
    rows = zip(numbers, _texts_of(users, "username"), _texts_of(users, "name"), repeat(False))
    return list(map(partial(tuple.__new__, RemoteFollower), rows))


def _texts_of(things: list[Any], name: str) -> list[str]:
    return [text if type(text := thing.get(name)) is str else "" for thing in things]


def numbers_of(things: list[Any]) -> list[str]:
    """The lasting ids of one page of accounts or posts, looked at all together: there may be a thousand."""
    try:
        numbers = [thing["id"] for thing in things]
        digits = "".join(numbers).encode("ascii")
    except (TypeError, KeyError, UnicodeEncodeError):
        raise Unreadable from None
    if numbers and not (digits.isdigit() and all(numbers) and max(map(len, numbers)) <= 20):
        raise Unreadable
    return numbers


def page_of(body: dict[str, Any]) -> tuple[list[Any], str]:
    """(items, token of the next page) of one page of a list. Raises Unreadable where it is not whole.

    An empty page has no `data` at all, only `meta` with a count of nothing.
    """
    items, meta = body.get("data", []), body.get("meta")
    count, following = at(meta, "result_count"), at(meta, "next_token")
    if not isinstance(items, list) or count != len(items) or not (following is None or isinstance(following, str)):
        raise Unreadable
    return items, following or ""


def number_of(thing: Any) -> str:
    """The lasting id of an account or a post: digits, as text."""
    number = thing.get("id") if isinstance(thing, dict) else None
    if not is_number(number):
        raise Unreadable
    return number


def is_number(text: Any) -> TypeGuard[str]:
    return isinstance(text, str) and len(text) <= 20 and text.isascii() and text.isdigit()


# -------------------------------------------------------------------------------------------------------------- posts


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """How a request asks for what a timeline must tell. `expansions`: without these the newer one leaves some out."""

    parameter: str
    fields: tuple[str, ...]
    expansions: tuple[str, ...] = ()


OLDER = Vocabulary("tweet.fields", ("created_at", "entities", "in_reply_to_user_id", "referenced_tweets"))
NEWER = Vocabulary(
    "post.fields",
    ("created_at", "entities", "in_reply_to_user_id", "referenced_posts"),
    ("referenced_posts",),  # not whom a reply answers: each account in an answer is paid for
)


@dataclass(frozen=True, slots=True)
class Said:
    """One entry of a timeline. `refers`: what it refers to, as pairs of how (`quoted`, `replied_to`, …) and an id."""

    number: str
    text: str
    at: datetime
    refers: tuple[tuple[str, str], ...]
    answers: str | None  # the account that it answers, where X says so

    @property
    def reposts(self) -> str | None:
        """The post that this is a plain repost of."""
        return next((number for how, number in self.refers if how in REPOSTED), None)

    @property
    def shares(self) -> bool:
        """A repost or a quote; a reference of a kind that is new to us is taken for one, so that a person looks."""
        return any(how not in REPLIED for how, _ in self.refers)

    def answers_another(self, own: str, own_posts: Container[str]) -> bool:
        """A reply to somebody else's post. Where X does not say whom it answers, only a post of its own clears it."""
        if self.answers is not None:
            return self.answers != own
        return any(how in REPLIED and number not in own_posts for how, number in self.refers)


def said_of(post: Any) -> Said:
    """Raises Unreadable for a post without id, text or time: then the fields asked for were not understood."""
    text, moment = at(post, "text"), moment_of(at(post, "created_at"))
    if not isinstance(text, str) or moment is None:
        raise Unreadable
    named = post.get("referenced_tweets", post.get("referenced_posts")) or []
    refers = tuple((text_of(at(one, "type")), number_of(one)) for one in listed(named))
    answered = at(post, "in_reply_to_user_id")
    return Said(number_of(post), as_written(post), moment, refers, answered if isinstance(answered, str) else None)


def as_written(post: dict[str, Any]) -> str:
    """The words as they were sent: X escapes three signs, shortens links, and adds one for the pictures at the end."""
    text = unescaped(text_of(post.get("text")))
    for link in listed(at(post, "entities", "urls")):
        short, whole = text_of(at(link, "url")), text_of(at(link, "expanded_url"))
        if not short or not whole:
            continue
        if at(link, "media_key") is not None or _MEDIA_LINK.fullmatch(whole):
            text = text.replace(short, "")
        else:
            text = text.replace(short, _typed(whole, text_of(at(link, "display_url"))))
    return text.strip()


def _typed(whole: str, shown: str) -> str:
    """`school.example/trip` becomes `http://school.example/trip` on X; nobody types http:// any more."""
    bare = whole.removeprefix("http://")
    return bare if whole.startswith("http://") and bare.rstrip("/") == shown.rstrip("/") else whole


def same_words(one: str, other: str) -> bool:
    """The same text, however X may have written its links, spaces and accents (it keeps them composed, NFC)."""
    return _plain(one) == _plain(other)


def _plain(text: str) -> list[str]:
    return [_SCHEME.sub("", word).rstrip("/") for word in unicodedata.normalize("NFC", unescaped(text)).split()]


def moment_of(text: Any) -> datetime | None:
    """X's own time, with or without fractions of a second."""
    try:
        moment = datetime.fromisoformat(text)
        return None if moment.tzinfo is None else moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None


# -------------------------------------------------------------------------------------------------------------- shapes


def at(value: Any, *path: str) -> Any:
    """The value at a path of keys, None where the shape is another."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def text_of(value: Any) -> str:
    return value if isinstance(value, str) else ""


def listed(value: Any) -> Iterator[Any]:
    """The entries of a list, none where there is nothing. Raises Unreadable for anything else."""
    if value is not None and not isinstance(value, list):
        raise Unreadable
    yield from value or ()
