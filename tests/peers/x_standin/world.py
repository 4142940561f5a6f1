"""What is on the network, and what people do there in its own app: the test is every person but the school."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from io import BytesIO
from itertools import count

from PIL import Image

UNDONE_WITHIN = timedelta(days=30)  # a deactivation; after that the account is gone and its name is free
SNOWFLAKE_EPOCH_MS = 1288834974657  # an id holds the moment of its making
MOST_WEIGHT, LINK_WEIGHT = 280, 23
LINK = re.compile(r"https?://[^\s]+|(?<![@\w.])(?:[a-z0-9-]+\.)+(?:com|org|net|uk|wales)(?:/[^\s]*)?(?![\w@])", re.I)
_LIGHT = ((0, 0x10FF), (0x2000, 0x200D), (0x2010, 0x201F), (0x2032, 0x2037))


class Refusal(Exception):
    """The app would not have offered this."""


@dataclass
class User:
    """`followers` and `likes` are ids, the oldest first. `waiting` asked to follow a protected account."""

    id: str
    username: str
    name: str
    password: str = field(repr=False)
    email: str
    made_at: datetime
    protected: bool = False
    description: str = ""
    picture: bytes | None = field(default=None, repr=False)
    followers: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    likes: list[str] = field(default_factory=list)
    suspended: bool = False
    deactivated_at: datetime | None = None


@dataclass(frozen=True)
class Media:
    """A picture on the network. `owner_id` uploaded it."""

    id: str
    owner_id: str
    mime: str
    content: bytes = field(repr=False)
    alt: str = ""

    @property
    def key(self) -> str:
        return f"3_{self.id}"


@dataclass(frozen=True)
class Post:
    """`references`: what it reposts, quotes or answers, as (type, id). `text` as its author wrote it."""

    id: str
    author_id: str
    text: str
    made_at: datetime
    references: tuple[tuple[str, str], ...] = ()
    answers_user_id: str | None = None
    media: tuple[Media, ...] = ()

    def refers(self, kind: str) -> str | None:
        return next((id for type, id in self.references if type == kind), None)


def weight(text: str) -> int:
    """How long X finds a text: a link counts 23, and most signs outside Europe's scripts count 2."""
    bare = LINK.sub("", text)
    signs = sum(1 if any(low <= ord(sign) <= high for low, high in _LIGHT) else 2 for sign in bare)
    return signs + LINK_WEIGHT * len(LINK.findall(text))


class World:
    """All accounts and posts, by `clock`. Nothing here asks who may: this is what people do for themselves."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self.users: dict[str, User] = {}
        self.posts: dict[str, Post] = {}
        self._numbers = count(1)

    def new_id(self) -> str:
        milliseconds = int(self.clock().timestamp() * 1000) - SNOWFLAKE_EPOCH_MS
        return str((milliseconds << 22) + next(self._numbers))

    # ---- looking

    def user(self, id: str) -> User | None:
        """Who is there now, suspended or not; nobody whose account is deactivated."""
        user = self.users.get(id)
        return user if user is not None and user.deactivated_at is None else None

    def is_gone(self, user: User) -> bool:
        """For good."""
        return user.deactivated_at is not None and self.clock() >= user.deactivated_at + UNDONE_WITHIN

    def named(self, username: str) -> User | None:
        """Whose name it is: also of one that could still come back."""
        name = username.casefold()
        held = (user for user in self.users.values() if user.username.casefold() == name and not self.is_gone(user))
        return next(held, None)

    def posts_of(self, user: User) -> list[Post]:
        """The newest first."""
        return sorted((p for p in self.posts.values() if p.author_id == user.id), key=lambda p: -int(p.id))

    def following(self, user: User) -> list[str]:
        """Whom it follows, the oldest account first."""
        return [other.id for other in self.users.values() if user.id in other.followers]

    def may_see(self, viewer: User | None, user: User) -> bool:
        """Whether `viewer` (None: nobody signed in) sees what this account posts."""
        return not user.protected or (viewer is not None and (viewer.id == user.id or viewer.id in user.followers))

    # ---- what people do

    def join(self, username: str, *, password: str = "Boats-and-7-trains!", email: str = "", **more: object) -> User:
        if not re.fullmatch(r"[A-Za-z0-9_]{1,15}", username) or self.named(username):
            raise Refusal(f"the name {username} cannot be had")
        user = User(self.new_id(), username, username, password, email or f"{username}@x.example", self.clock())
        for name, value in more.items():
            if not hasattr(user, name):
                raise TypeError(name)
            setattr(user, name, value)
        self.users[user.id] = user
        return user

    def sign_in(self, username: str, password: str) -> User | None:
        """Also brings back an account that was deactivated less than 30 days ago."""
        user = self.named(username)
        if user is None or user.password != password:
            return None
        user.deactivated_at = None
        return user

    def anybody(self, who: str | User) -> User:
        """The account of this name, made where nobody has it."""
        return who if isinstance(who, User) else self.named(who) or self.join(who)

    def follow(self, who: str | User, whom: User) -> User:
        """A protected account is asked first: `accept`."""
        follower = self.anybody(who)
        queue = whom.waiting if whom.protected else whom.followers
        if follower.id not in whom.followers and follower.id not in queue:
            queue.append(follower.id)
        return follower

    def accept(self, user: User, follower: User) -> None:
        if follower.id not in user.waiting:
            raise Refusal(f"{follower.username} did not ask")
        user.waiting.remove(follower.id)
        user.followers.append(follower.id)

    def remove_follower(self, user: User, follower: User) -> None:
        """Refuse a request, or end a following."""
        for names in (user.waiting, user.followers):
            if follower.id in names:
                names.remove(follower.id)

    def protect(self, user: User, on: bool = True) -> None:
        """Followers from before stay. Switched off, those who waited follow."""
        user.protected = on
        if not on:
            user.followers += user.waiting
            user.waiting = []

    def post(
        self,
        user: User,
        text: str,
        *,
        quotes: Post | None = None,
        answers: Post | None = None,
        media: tuple[Media, ...] = (),
    ) -> Post:
        """Something of its own; with `quotes` or `answers`, something about or to another's."""
        references = [("quoted", quotes.id)] if quotes else []
        references += [("replied_to", answers.id)] if answers else []
        to = answers.author_id if answers else None
        return self._keep(Post(self.new_id(), user.id, text, self.clock(), tuple(references), to, media))

    def repost(self, user: User, post: Post) -> Post:
        author = self.users[post.author_id]
        text = f"RT @{author.username}: {post.text}"[:140]
        return self._keep(Post(self.new_id(), user.id, text, self.clock(), (("retweeted", post.id),)))

    def like(self, user: User, post: Post) -> None:
        if post.id not in user.likes:
            user.likes.append(post.id)

    def delete(self, post: Post) -> None:
        """Its reposts go with it; a quote of it stays."""
        self.posts.pop(post.id, None)
        for other in list(self.posts.values()):
            if other.refers("retweeted") == post.id:
                del self.posts[other.id]

    def deactivate(self, user: User) -> None:
        if user.deactivated_at is None:
            user.deactivated_at = self.clock()

    def _keep(self, post: Post) -> Post:
        self.posts[post.id] = post
        return post


def shown_picture(content: bytes, mime: str, side: int | None) -> bytes:
    """A profile picture as it is served: as it was given, or small."""
    if side is None:
        return content
    out = BytesIO()
    with Image.open(BytesIO(content)) as image:
        image.convert("RGB").resize((side, side)).save(out, "PNG" if mime == "image/png" else "JPEG")
    return out.getvalue()
