"""What a platform's adapter promises. One file a platform; nothing outside this package compares a platform's name.

An adapter declares its capabilities and does only what it declares: every other method raises CannotDo, and the
product turns that need into a guided task for a person. An adapter is made for one account and lives for one job.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

from socialgov.models import Capability, PlatformInfo, Presence
from socialgov.platforms.refusals import (  # noqa: F401 - adapters take them from here
    BudgetUsedUp,
    CannotDo,
    LoginRefused,
    NotOffered,
    NotReady,
    PaymentNeeded,
    PlatformError,
    Unreachable,
)


class Access(Protocol):
    """A connected account's access token (OAuth 2), renewed when it must be (actions/connections.py)."""

    def token(self) -> str:
        """One that should be good now. Raises LoginRefused (`of_token`) where the account must be connected anew."""

    def renew(self, refused: str) -> str:
        """Another one after the platform refused `refused` (401). Raises LoginRefused (`of_token`) as above."""

    def revoke(self) -> None:
        """End it on the platform and here; already ended is success."""


@dataclass(frozen=True, slots=True)
class OAuth:
    """How an account of a platform is connected: OAuth 2, authorization code with PKCE (RFC 6749, RFC 7636).

    Paths are below the server's address, that of `Platform.server_of`. `scopes` are the least that the adapter needs:
    all are asked for, and all must be granted. `people_at`: pairs of an interface's address and the address where
    people confirm, where those differ; elsewhere it is the same. `token_auth`: how a client with a secret shows it.
    `register_path`: the server gives a client to whoever asks (Mastodon); "": the school registers one by hand.
    `by_others`: what may be read of an account with another access than its own (the school's own token, or that of
    another connected account); `by_anybody`: what is read without any. Both are for looks after access was revoked.
    """

    scopes: tuple[str, ...]
    authorize_path: str
    token_path: str
    revoke_path: str
    register_path: str = ""
    people_at: tuple[tuple[str, str], ...] = ()
    token_auth: str = "client_secret_basic"  # noqa: S105
    by_others: frozenset[Capability] = frozenset()
    by_anybody: frozenset[Capability] = frozenset()

    def people_go_to(self, server: str) -> str:
        """Where the browser is sent to confirm."""
        return dict(self.people_at).get(server, server) + self.authorize_path


class Meter(Protocol):
    """Counts what is asked and what it costs (actions/spending.py). `call` is a name of the platform's tariff."""

    def room(self, call: str, items: int) -> int:
        """How many items, up to `items`, the next request may ask for: no more than are expected and can be paid.

        At least 1, for `before` says whether anything is left. Makes a page of a list no dearer than it must be.
        """

    def before(self, call: str, items: int = 1) -> None:
        """Reserve the price of a request that answers with `items` at most. Raises BudgetUsedUp or PaymentNeeded."""

    def after(self, call: str, items: int = 1) -> None:
        """What it answered with. A request whose answer was lost stays reserved at its dearest."""


class NoMeter:
    """For platforms that cost nothing and for reads outside a school."""

    def room(self, call: str, items: int) -> int:
        """As many as one likes."""
        return items

    def before(self, call: str, items: int = 1) -> None:
        """Nothing is counted."""

    def after(self, call: str, items: int = 1) -> None:
        """Nothing is counted."""


@dataclass(frozen=True, slots=True)
class Login:
    """What an adapter may sign in with. Never logged, never part of a repr.

    `is_token`: a key of this product's own (MAKE_TOKEN), not the account's password; it may not be allowed everything.
    """

    username: str
    secret: str = field(repr=False)
    is_token: bool = False


def token_name(name: str) -> str:
    """What a new key is called on the platform: `name` and a random end, for two of one name cannot be."""
    return f"{name}-{secrets.token_hex(3)}"


def is_token_of(name: str, called: str) -> bool:
    """Was this key of the platform's list made by `token_name(name)`?"""
    return called.startswith(f"{name}-")


MOST_COUNTED = 10**12  # a platform that tells of more tells nonsense, which no file could keep


def count_of(told: object) -> int | None:
    """A number of a platform's answer as a count; None for what cannot be one, as if it were not told."""
    return told if isinstance(told, int) and not isinstance(told, bool) and 0 <= told <= MOST_COUNTED else None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many of each the platform says there are; None: it does not say. Cheaper than the lists themselves."""

    followers: int | None = None
    follows: int | None = None
    likes: int | None = None
    posts: int | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """The account's public face. None stands for `the platform does not tell`, an empty picture for `it has none`."""

    remote_id: str
    handle: str
    display_name: str
    text: str
    private: bool | None
    picture: bytes | None = field(default=None, repr=False)
    setup_email: str | None = None
    counts: Counts | None = None
    labels: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class RemotePost:
    remote_id: str
    text: str
    posted_at: datetime | None


class RemoteFollower(NamedTuple):
    """`waiting` True: asked to follow and was not accepted yet. A tuple, for a list may have very many of them."""

    remote_id: str
    handle: str
    display_name: str
    waiting: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """A photo to publish: cleaned bytes, its type, and alternative text."""

    content: bytes = field(repr=False)
    mime: str
    alt: str
    width: int
    height: int


class Platform:
    """Base of every adapter, for one account: known by `remote_id`, else by `handle`; `login` where one is deposited.

    `access` is the token of a connected account, `meter` what counts its calls, `off` what the platform was found not
    to offer to this school. `needs_client`: nothing works before the school has registered a client with the platform
    ([platforms.KEY] client_id). `needs_connection`: nothing works before the account was connected (OAuth 2). Until
    then people do everything, as on a platform without an interface.

    Reads are complete or raise: a list that could not be read to its end raises PlatformError and never returns short.
    `needs_password` names what the platform does for the account's password only, and for no token: then a network
    manager must have opened the vault.
    `oauth` says how an account is connected. With `access`, `profile()` is always that of the account which the token
    was given for, whatever `handle` and `remote_id` say: so it is found out who let us in.
    """

    capabilities: frozenset[Capability] = frozenset()
    needs_password: frozenset[Capability] = frozenset()
    needs_client = False
    needs_connection = False
    oauth: OAuth | None = None

    def __init__(
        self,
        info: PlatformInfo,
        *,
        handle: str | None,
        remote_id: str | None = None,
        login: Login | None = None,
        access: Access | None = None,
        meter: Meter | None = None,
        off: frozenset[Capability] = frozenset(),
    ) -> None:
        self.info = info
        self.handle = handle
        self.remote_id = remote_id
        self.login = login
        self.access = access
        self.meter: Meter = meter or NoMeter()
        self.off = off

    @classmethod
    def server_of(cls, info: PlatformInfo, handle: str | None) -> str:
        """Where the interface of this account is: an address without a last slash, "" where nobody knows.

        `info` is the account's: once it is connected, its api_base is the server that it was connected with.
        Raises PlatformError for a handle that leads to a place we do not go.
        """
        return (info.api_base or "").rstrip("/")

    @classmethod
    def offered(cls, info: PlatformInfo) -> frozenset[Capability]:
        """What of `capabilities` there is with these settings: some need a server that the school did not name."""
        return cls.capabilities

    def can(self, capability: Capability) -> bool:
        return capability in self.offered(self.info) and capability not in self.off

    def _cannot(self, capability: Capability) -> CannotDo:
        return CannotDo(self.info.name, capability)

    def _refused_login(self, why: str = "") -> LoginRefused:
        if self.login is not None and self.login.is_token:
            return LoginRefused(
                why or f"{self.info.name} does not accept socialgov's own key for this account any more.",
                "Deposit the password again, or have a network manager open the vault: then a new key is made.",
                of_token=True,
            )
        return LoginRefused(why or f"{self.info.name} does not accept the deposited login.")

    def _need_login(self) -> Login:
        if self.login is None:
            raise PlatformError(
                "There is no login here that a machine may use.",
                permanent=True,
                mend="Deposit user name and password, or have a network manager open the vault.",
            )
        return self.login

    def _need_password(self, capability: Capability) -> Login:
        """The login, unless it is a token for what the platform does for the password only (needs_password)."""
        login = self._need_login()
        if login.is_token and capability in self.needs_password:
            raise PlatformError(
                f"{self.info.name} wants the account's own password for this.",
                permanent=True,
                mend="A network manager opens the vault for it.",
            )
        return login

    # ---- reading
    def profile(self) -> Profile:
        """READ_PROFILE."""
        raise self._cannot(Capability.READ_PROFILE)

    def presence(self) -> Presence:
        """SEE_PRESENCE: is it there, deactivated, or gone for good?"""
        raise self._cannot(Capability.SEE_PRESENCE)

    def posts(self) -> list[RemotePost]:
        """READ_POSTS: every post that is on the account now."""
        raise self._cannot(Capability.READ_POSTS)

    def followers(self) -> list[RemoteFollower]:
        """READ_FOLLOWERS: every follower, and those waiting to be accepted."""
        raise self._cannot(Capability.READ_FOLLOWERS)

    def follows(self) -> list[str]:
        """READ_FOLLOWS: the remote ids the account follows."""
        raise self._cannot(Capability.READ_FOLLOWS)

    def likes(self) -> list[str]:
        """READ_LIKES: the remote ids of the posts it likes."""
        raise self._cannot(Capability.READ_LIKES)

    def shares(self) -> list[str]:
        """READ_SHARES: the remote ids of its reposts and quotes."""
        raise self._cannot(Capability.READ_SHARES)

    def conversations(self) -> list[str]:
        """READ_POSTS: the remote ids of its own replies to others (INT404)."""
        raise self._cannot(Capability.READ_POSTS)

    def check_login(self) -> bool:
        """CHECK_LOGIN: does the deposited login work? False when refused; PlatformError when it cannot tell."""
        raise self._cannot(Capability.CHECK_LOGIN)

    # ---- a key of our own
    def make_token(self, name: str) -> str:
        """MAKE_TOKEN with the password: a new key that opens this account, in place of any of that name before.

        The new one is made first, so a refusal leaves the one before alive. Making it again is safe.
        """
        raise self._cannot(Capability.MAKE_TOKEN)

    def end_token(self, name: str) -> None:
        """MAKE_TOKEN: no key of that name opens anything any more; already ended is success."""
        raise self._cannot(Capability.MAKE_TOKEN)

    # ---- doing
    def publish(self, text: str, pictures: Iterable[Picture], *, key: str) -> str:
        """PUBLISH: put it out and return its remote id. Calling again with the same `key` publishes nothing twice.

        Raises NotReady where the platform wants time for a picture: no adapter waits by itself.
        """
        raise self._cannot(Capability.PUBLISH)

    def delete_post(self, remote_id: str) -> None:
        """DELETE_POST: take it down; already gone is success."""
        raise self._cannot(Capability.DELETE_POST)

    def accept_follower(self, remote_id: str) -> None:
        raise self._cannot(Capability.ACCEPT_FOLLOWER)

    def remove_follower(self, remote_id: str) -> None:
        """REMOVE_FOLLOWER: refuse a request or end a follow; already gone is success."""
        raise self._cannot(Capability.REMOVE_FOLLOWER)

    def set_picture(self, content: bytes, mime: str) -> None:
        """SET_PICTURE: the account's picture, for example the school's logo (ACC102)."""
        raise self._cannot(Capability.SET_PICTURE)

    def set_private(self) -> None:
        """SET_PRIVATE: from now on new followers must be accepted (ACC103); already private is success."""
        raise self._cannot(Capability.SET_PRIVATE)

    def undo_like(self, remote_id: str) -> None:
        """UNDO_LIKE of the post with this id (INT402); already undone is success."""
        raise self._cannot(Capability.UNDO_LIKE)

    def undo_follow(self, remote_id: str) -> None:
        """UNDO_FOLLOW: the account no longer follows this one (INT401); already undone is success."""
        raise self._cannot(Capability.UNDO_FOLLOW)

    def undo_share(self, remote_id: str) -> None:
        """UNDO_SHARE: take back the repost with this id of `shares()` (INT403); already undone is success."""
        raise self._cannot(Capability.UNDO_SHARE)

    def change_password(self, new_secret: str) -> None:
        raise self._cannot(Capability.CHANGE_PASSWORD)

    def revoke_access(self) -> None:
        """REVOKE_ACCESS: end sessions and tokens given to this product; already ended is success."""
        raise self._cannot(Capability.REVOKE_ACCESS)

    def deactivate(self) -> None:
        """DEACTIVATE: nobody sees it any more; already deactivated is success."""
        raise self._cannot(Capability.DEACTIVATE)

    def ask_deletion_code(self) -> None:
        """DELETE_BY_MAILED_CODE: the platform mails a code to the account's address; a person hands it over."""
        raise self._cannot(Capability.DELETE_BY_MAILED_CODE)

    def delete(self, code: str | None = None) -> None:
        """DELETE, or DELETE_BY_MAILED_CODE with `code`: gone for good; already gone is success."""
        raise self._cannot(Capability.DELETE)
