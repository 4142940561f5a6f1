"""Who was let in: clients, codes and tokens (RFC 6749, 7009 and 7636, as X keeps them).

A code lives 30 seconds and opens once. An access token lives two hours. A refresh token is used once: its answer brings
the next one, and the tokens before it end.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NoReturn

from .calls import SCOPES

CODE_LIVES, ACCESS_LIVES = timedelta(seconds=30), timedelta(hours=2)
CHALLENGE, VERIFIER = re.compile(r"[A-Za-z0-9_-]{43}"), re.compile(r"[A-Za-z0-9._~-]{43,128}")


class TokenRefused(Exception):
    """An answer of the token endpoint that is not a token."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(error)
        self.status, self.body = status, {"error": error, "error_description": description}


@dataclass(frozen=True)
class Client:
    """`secret` None: a public client, which names itself and proves nothing."""

    id: str
    secret: str | None = field(repr=False)
    redirect_uris: tuple[str, ...]


@dataclass(eq=False)
class Grant:
    """What one person allowed one client; ended when it is revoked. `access` is the newest token."""

    client_id: str
    user_id: str
    scopes: frozenset[str]
    access: str = field(default="", repr=False)
    until: datetime | None = None
    refresh: str = field(default="", repr=False)
    before: str = field(default="", repr=False)  # the refresh token that brought these
    ended: bool = False


@dataclass(frozen=True)
class Wish:
    """What a client asks a person for, as the browser brought it."""

    client_id: str
    redirect_uri: str
    scopes: frozenset[str]
    state: str
    challenge: str


class Doorkeeper:
    """`forgiving`: a refresh token may be used again as long as nothing was asked with the tokens it brought."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self.forgiving = False
        self.clients: dict[str, Client] = {}
        self.app_tokens: set[str] = set()
        self.grants: list[Grant] = []
        self._codes: dict[str, tuple[Wish, str, datetime]] = {}
        self._used: set[str] = set()

    # ---- arranging

    def register(self, *redirect_uris: str, public: bool = False) -> Client:
        client = Client(secrets.token_urlsafe(12), None if public else secrets.token_urlsafe(24), redirect_uris)
        self.clients[client.id] = client
        return client

    def app_token(self) -> str:
        """A token of the app's own: it sees what everybody sees."""
        token = f"app-{secrets.token_urlsafe(24)}"
        self.app_tokens.add(token)
        return token

    def give(self, user_id: str, scopes: str, client: Client | None = None) -> Grant:
        """Tokens without the pages, for tests that are not about those."""
        client = client or next(iter(self.clients.values()), None) or self.register("http://127.0.0.1/back")
        return self._renewed(Grant(client.id, user_id, frozenset(scopes.split())))

    def revoke_by_user(self, user_id: str) -> None:
        """The person removes every app in X's settings."""
        for grant in self.grants:
            grant.ended = grant.ended or grant.user_id == user_id

    def expire(self, user_id: str) -> None:
        """Access tokens of this account are over now; refreshing still works."""
        for grant in self.grants:
            if grant.user_id == user_id:
                grant.until = self.clock()

    # ---- the browser's side

    def wish(self, asked: dict[str, str]) -> Wish:
        """What the person is asked. Raises ValueError: then nobody is sent anywhere."""
        known = {
            "response_type", "client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method",
        }  # fmt: skip
        client = self.clients.get(asked.get("client_id", ""))
        scopes = frozenset(asked.get("scope", "").split())
        for good, what in (
            (not asked.keys() - known, "a parameter that is not known"),
            (client is not None and asked.get("redirect_uri") in client.redirect_uris, "client or redirect_uri"),
            (asked.get("response_type") == "code", "response_type"),
            (asked.get("code_challenge_method") == "S256", "code_challenge_method"),
            (CHALLENGE.fullmatch(asked.get("code_challenge", "")), "code_challenge"),
            (0 < len(asked.get("state", "")) <= 500, "state"),
            (scopes and scopes <= SCOPES, "scope"),
        ):
            if not good:
                raise ValueError(what)
        return Wish(asked["client_id"], asked["redirect_uri"], scopes, asked["state"], asked["code_challenge"])

    def code(self, wish: Wish, user_id: str) -> str:
        code = secrets.token_urlsafe(48)
        self._codes[code] = (wish, user_id, self.clock())
        return code

    # ---- the client's side

    def token(self, form: dict[str, str], basic: tuple[str, str] | None) -> dict[str, object]:
        """POST /2/oauth2/token."""
        client = self._client(form, basic)
        kind = form.get("grant_type")
        if kind == "authorization_code":
            return self._answer(self._exchange(client, form))
        if kind == "refresh_token":
            return self._answer(self._refresh(client, form))
        raise TokenRefused(400, "unsupported_grant_type", "The grant type is not supported.")

    def revoke(self, form: dict[str, str], basic: tuple[str, str] | None) -> dict[str, object]:
        """POST /2/oauth2/revoke: a refresh token ends all, an access token itself. Not known is revoked, too."""
        client = self._client(form, basic)
        _only(form, {"token", "token_type_hint", "client_id"})
        token = form.get("token") or _refuse("Missing required parameter [token].")
        for grant in self.grants:
            if grant.client_id == client.id and token == grant.refresh:
                grant.ended = True
            elif grant.client_id == client.id and token == grant.access:
                grant.until = self.clock()
        return {"revoked": True}

    def holder(self, token: str) -> Grant | None:
        """Whose token this is, if it opens anything now."""
        for grant in self.grants:
            alive = not grant.ended and grant.until is not None and self.clock() < grant.until
            if alive and token and secrets.compare_digest(grant.access, token):
                grant.before = ""  # its owner has it: nobody may fetch it again
                return grant
        return None

    def _client(self, form: dict[str, str], basic: tuple[str, str] | None) -> Client:
        client = self.clients.get(basic[0] if basic else form.get("client_id", ""))
        if client is None or (client.secret or "") != (basic[1] if basic else ""):
            raise TokenRefused(401, "unauthorized_client", "Missing valid authorization header")
        return client

    def _exchange(self, client: Client, form: dict[str, str]) -> Grant:
        _only(form, {"grant_type", "code", "redirect_uri", "code_verifier", "client_id"})
        verifier = form.get("code_verifier", "")
        wish, user_id, at = self._codes.pop(form.get("code", ""), None) or _refuse()
        if self.clock() > at + CODE_LIVES or wish.client_id != client.id:
            _refuse()
        if form.get("redirect_uri") != wish.redirect_uri or not VERIFIER.fullmatch(verifier):
            _refuse()
        digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        if digest != wish.challenge:
            _refuse()
        return self._renewed(Grant(client.id, user_id, wish.scopes))

    def _refresh(self, client: Client, form: dict[str, str]) -> Grant:
        _only(form, {"grant_type", "refresh_token", "client_id"})
        token = form.get("refresh_token") or _refuse()
        for grant in self.grants:
            good = token == grant.refresh or (self.forgiving and token == grant.before)
            if good and grant.client_id == client.id and not grant.ended:
                return self._renewed(grant, by=token)
        return _refuse()

    def _renewed(self, grant: Grant, by: str = "") -> Grant:
        if grant not in self.grants:
            self.grants.append(grant)
        grant.access, grant.until = secrets.token_urlsafe(60), self.clock() + ACCESS_LIVES
        grant.before = by
        grant.refresh = secrets.token_urlsafe(60) if "offline.access" in grant.scopes else ""
        return grant

    def _answer(self, grant: Grant) -> dict[str, object]:
        answer: dict[str, object] = {
            "token_type": "bearer",
            "expires_in": int(ACCESS_LIVES.total_seconds()),
            "access_token": grant.access,
            "scope": " ".join(sorted(grant.scopes)),
        }
        return {**answer, "refresh_token": grant.refresh} if grant.refresh else answer


def _only(form: dict[str, str], known: set[str]) -> None:
    if form.keys() - known:
        _refuse("A parameter is not known.")


def _refuse(why: str = "Value passed for the token was invalid.") -> NoReturn:
    raise TokenRefused(400, "invalid_request", why)
