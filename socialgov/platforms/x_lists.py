"""The lists of one account on X, each read to its end or not at all, in pages no dearer than they must be."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from socialgov.models import Capability
from socialgov.platforms.base import Counts, PlatformError, RemoteFollower
from socialgov.platforms.x_answers import (
    NEWER,
    OLDER,
    Said,
    Unreadable,
    Vocabulary,
    followers_of,
    left_out,
    numbers_of,
    page_of,
    said_of,
)
from socialgov.platforms.x_client import Refused

if TYPE_CHECKING:
    import requests
    import tweepy

    from socialgov.models import Tariff
    from socialgov.platforms.x_client import XClient

MOST_PAGES = 2_000
MOST_POSTS = 3_200  # a timeline shows no more than its newest posts (X's documentation of the call)
MORE_THAN_TOLD = 5  # what may have been added since the profile's counts were read
SMALLEST = {"followers": 1, "following": 1, "liked": 5, "posts": 5}  # X refuses smaller pages
UNTOLD_PAGE = 100  # of a call whose largest page no tariff tells: X refuses larger ones, and no list has a smaller one
OF_UNKNOWN = 5  # a list of which no count is known begins with this part of a page: a lost answer is counted as full
NEWEST = 5

T = TypeVar("T")
Page = tuple[list[T], str]  # and the token of the next one, "" at the end
Ask = Callable[["tweepy.Client", int, "str | None"], "requests.Response"]


class XLists:
    """What X lists of the account `number`. `counts` are what its profile told in this job, if it was asked; `tariff`
    tells how many items a page of each list may bring.
    """

    _spoken: ClassVar[dict[str, Vocabulary]] = {}  # by address: the vocabulary that was understood there last

    def __init__(self, client: XClient, number: str, counts: Callable[[], Counts], tariff: Tariff | None) -> None:
        self.client, self.number, self.counts = client, number, counts
        self.calls = tariff.calls if tariff else {}
        self.sources: dict[str, str] = {}  # of each repost that was seen: what it repeats
        self._timeline: list[Said] | None = None

    def forget(self) -> None:
        """Something was added, or perhaps changed."""
        self._timeline = None

    def drop(self, number: str) -> None:
        """This is off the timeline now, and with it the reposts of it: so the rest need not be paid for again."""
        if self._timeline is not None:
            self._timeline = [one for one in self._timeline if number not in (one.number, one.reposts)]

    # ---- people and likes

    def followers(self) -> list[RemoteFollower]:
        def ask(x: tweepy.Client, size: int, token: str | None) -> requests.Response:
            return x.get_users_followers(self.number, max_results=size, pagination_token=token)

        told = self.counts().followers
        items = self._items("followers", ask, Capability.READ_FOLLOWERS, told, followers_of)
        return list({one.remote_id: one for one in items}.values())

    def following(self) -> list[str]:
        def ask(x: tweepy.Client, size: int, token: str | None) -> requests.Response:
            return x.get_users_following(self.number, max_results=size, pagination_token=token)

        told = self.counts().follows
        items = self._items("following", ask, Capability.READ_FOLLOWS, told, numbers_of)
        return list(dict.fromkeys(items))

    def liked(self) -> list[str]:
        def ask(x: tweepy.Client, size: int, token: str | None) -> requests.Response:
            return x.get_liked_tweets(self.number, max_results=size, pagination_token=token)

        items = self._items("liked", ask, Capability.READ_LIKES, self.counts().likes, numbers_of)
        return list(dict.fromkeys(items))

    def _items(
        self,
        call: str,
        ask: Ask,
        serves: Capability,
        expected: int | None,
        read: Callable[[list[Any]], list[T]],
    ) -> list[T]:
        """What `read` makes of each page, at once, so that no more than one is held as it was answered."""

        def page(size: int, token: str | None) -> Page[T]:
            body = self.client.ask(call, lambda x: ask(x, size, token), serves=serves, most=size)
            with self.client.readable():
                if left_out(body):
                    raise Unreadable
                items, following = page_of(body)
                return read(items), following

        return self._walk(call, page, expected)

    # ---- the timeline

    def timeline(self) -> list[Said]:
        """Its posts, replies, reposts and quotes, which are one list on X: newest first, and read once."""
        if self._timeline is None:
            said = {one.number: one for one in self._walk("posts", self._said, self.counts().posts)}
            if len(said) >= MOST_POSTS:
                raise PlatformError(
                    f"{self.client.name} shows only the newest {MOST_POSTS} posts, so the rest cannot be checked.",
                    permanent=True,
                    mend="A person must look, or old posts must be deleted.",
                )
            self.sources |= {one.number: one.reposts for one in said.values() if one.reposts}
            self._timeline = list(said.values())
        return self._timeline

    def newest(self) -> list[Said]:
        """The smallest page that X gives."""
        return self._said(NEWEST, None)[0]

    def _said(self, size: int, token: str | None) -> Page[Said]:
        """One page in the vocabulary that this address understands: the one that worked last is tried first.

        It did not understand where it refuses the fields' names, and where it leaves out what they name.
        """
        remembered = self._spoken.get(self.client.base, OLDER)
        failures: list[PlatformError] = []
        for words in (remembered, NEWER if remembered is OLDER else OLDER):
            try:
                found = self._page_in(words, size, token)
            except PlatformError as error:
                if not (
                    isinstance(error, _NotUnderstood) or (isinstance(error, Refused) and error.problem.status == 400)
                ):
                    raise
                failures.append(error)
                continue
            self._spoken[self.client.base] = words
            return found
        raise failures[0]

    def _page_in(self, words: Vocabulary, size: int, token: str | None) -> Page[Said]:
        params = {"max_results": size, "pagination_token": token, words.parameter: ",".join(words.fields)}
        if words.expansions:
            params["expansions"] = ",".join(words.expansions)
        route = f"/2/users/{self.number}/tweets"

        def ask(x: tweepy.Client) -> requests.Response:
            if words is OLDER:
                return x.get_users_tweets(
                    self.number, max_results=size, pagination_token=token, tweet_fields=list(words.fields)
                )
            return x.request("GET", route, params={name: value for name, value in params.items() if value})

        body = self.client.ask("posts", ask, serves=Capability.READ_POSTS, most=size)
        with self.client.readable():
            if left_out(body, of_expansions=frozenset(words.expansions)):
                raise Unreadable
            items, following = page_of(body)
            numbers = numbers_of(items)
        try:
            return [said_of(item) for item in items], following
        except Unreadable:
            raise _NotUnderstood(self.client.name, len(numbers)) from None

    # ---- pages

    def _walk(self, call: str, page: Callable[[int, str | None], Page[T]], expected: int | None) -> list[T]:
        """Every item of every page."""
        bounds = SMALLEST[call], self.calls[call].page if call in self.calls else UNTOLD_PAGE
        found: list[T] = []
        seen, token = {""}, ""
        for _ in range(MOST_PAGES):
            size = max(bounds[0], self.client.meter.room(call, page_size(expected, len(found), bounds)))
            items, following = page(size, token or None)
            found += items
            if not following:
                return found
            if following in seen:
                raise self.client.broken("lists the same page again")
            seen.add(following)
            token = following
        raise PlatformError(f"{self.client.name} lists more than can be read.", permanent=True)


class _NotUnderstood(PlatformError):
    """It answered without what was asked for: the fields' names say nothing to it."""

    def __init__(self, platform: str, posts: int) -> None:
        super().__init__(
            f"{platform} tells too little about {posts} posts.", permanent=False, mend="It is tried again."
        )


def page_size(expected: int | None, got: int, bounds: tuple[int, int]) -> int:
    """The largest page within `bounds`, or a smaller one where fewer items are to come: each is paid for in advance."""
    least, most = bounds
    if expected is None:
        return most if got else most // OF_UNKNOWN
    return min(most, max(least, expected - got + MORE_THAN_TOLD))
