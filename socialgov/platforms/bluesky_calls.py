"""How the Bluesky adapter asks: the account's own server, a sign-in for one piece of work, records, pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from socialgov.platforms.atproto import Refused, Xrpc, at
from socialgov.platforms.atproto_identity import Identity, find_identity
from socialgov.platforms.base import Picture, Platform, PlatformError
from socialgov.platforms.bluesky_index import Index
from socialgov.platforms.bluesky_pictures import PICTURE_BYTES, fitted
from socialgov.platforms.wire import Wire

if TYPE_CHECKING:
    import httpx


@dataclass(frozen=True, slots=True)
class Session:
    """A sign-in for one piece of work. `now` is the server's own clock."""

    did: str
    email: str | None
    now: datetime
    access: str = field(repr=False)
    refresh: str = field(repr=False)


class BlueskyCalls(Platform):
    """What every verb of the adapter is made of."""

    transport: httpx.BaseTransport | None = None  # where a test plays the network

    # ---- one account

    @cached_property
    def _did(self) -> str:
        """The account's lasting identity: as recorded, else as its handle leads to it and it back to the handle."""
        if self.remote_id:
            return self.remote_id
        handle = (self.handle or "").strip().removeprefix("@").lower()
        if not handle:
            raise PlatformError("This account has no handle on record.", permanent=True, mend="Record its set-up.")
        front = Xrpc(Wire(self.info, transport=self.transport))  # any server finds the handles of all others
        try:
            did = front.query("com.atproto.identity.resolveHandle", handle=handle).get("did")
        except Refused:
            raise PlatformError(
                f"{self.info.name} knows no account {handle}.", permanent=True, mend="Check the handle."
            ) from None
        if not isinstance(did, str) or not did.startswith("did:"):
            raise front.wire.broken("answered without an identity")
        if self.info.directory_base and handle not in self._identity_of(did).handles:
            raise PlatformError(
                f"{handle} leads to an account that does not use it.", permanent=True, mend="Check the handle."
            )
        return did

    @cached_property
    def _known(self) -> dict[str, Identity]:
        """Identities looked up in this job: each once."""
        return {}

    def _identity_of(self, did: str) -> Identity:
        if did not in self._known:
            self._known[did] = find_identity(self.info, did, transport=self.transport)
        return self._known[did]

    @cached_property
    def _wire(self) -> Wire:
        """To the account's own server; without a directory all accounts are on the one of the settings."""
        if not self.info.directory_base:
            return Wire(self.info, transport=self.transport)
        return Wire(replace(self.info, api_base=self._identity_of(self._did).server), transport=self.transport)

    @cached_property
    def _xrpc(self) -> Xrpc:
        return Xrpc(self._wire)

    @cached_property
    def _index(self) -> Index | None:
        return Index(self.info, transport=self.transport) if self.info.index_base else None

    @cached_property
    def _lists(self) -> dict[str, list[tuple[str, dict[str, Any]]]]:
        """Collections read so far: posts, quotes and replies are one list on the server."""
        return {}

    @contextmanager
    def _session(self) -> Iterator[Session]:
        """Sign in for one piece of work and out again, so that no token outlives it."""
        session = self._sign_in()
        try:
            if session.did != self._did:
                raise self._refused_login("The deposited login opens another account.")
            yield session
        finally:
            with suppress(PlatformError):  # the work's own outcome counts, and a token dies of age too
                self._xrpc.procedure("com.atproto.server.deleteSession", None, token=session.refresh, effect=False)

    def _sign_in(self) -> Session:
        login = self._need_login()
        body = {"identifier": login.username.strip().removeprefix("@"), "password": login.secret}
        path = "/xrpc/com.atproto.server.createSession"
        reply = self._wire.post(path, body, effect=False)
        if reply.error_name() == "AuthFactorTokenRequired":
            raise PlatformError(
                f"{self.info.name} wants a second code by e-mail, so nothing can sign in by machine.",
                permanent=True,
                mend="Make an app password on Bluesky and deposit that for the machine.",
            )
        if reply.status == 401:
            raise self._refused_login()
        answer = self._xrpc.answer(reply)
        tokens = [answer.get(name) for name in ("did", "accessJwt", "refreshJwt")]
        if not all(isinstance(token, str) and token for token in tokens):
            raise self._wire.broken("answered a sign-in without a session")
        did, access, refresh = (str(token) for token in tokens)
        if reply.sent_at is None:
            raise self._wire.broken("does not tell the time")
        email = answer.get("email")
        return Session(did, email if isinstance(email, str) else None, reply.sent_at, access, refresh)

    def _setup_email(self) -> str | None:
        if self.login is None:
            return None
        try:
            with self._session() as session:
                return session.email
        except PlatformError:  # whatever is wrong with the login, what everybody can see is read all the same
            return None

    # ---- records

    def _all(self, collection: str) -> list[tuple[str, dict[str, Any]]]:
        if collection not in self._lists:
            self._lists[collection] = self._xrpc.records(self._did, collection)
        return self._lists[collection]

    def _picture(self, blob: Any) -> bytes | None:
        if blob is None:
            return b""
        cid = at(blob, "ref", "$link") or at(blob, "cid")  # the second is the shape of old records
        if not isinstance(cid, str):
            return None
        params = {"did": self._did, "cid": cid}
        reply = self._wire.get("/xrpc/com.atproto.sync.getBlob", params, limit=2 * PICTURE_BYTES)
        return reply.content if reply.ok and reply.content else None

    def _upload(self, picture: Picture, session: Session) -> dict[str, Any]:
        content, mime = fitted(picture.content, picture.mime)
        shape = {"width": max(1, picture.width), "height": max(1, picture.height)}
        return {"image": self._keep(content, mime, session), "alt": picture.alt, "aspectRatio": shape}

    def _keep(self, content: bytes, mime: str, session: Session) -> dict[str, Any]:
        """A picture that no record names yet: the server forgets it by itself, so a lost answer does no harm."""
        reply = self._wire.post(
            "/xrpc/com.atproto.repo.uploadBlob", content=content, mime=mime, token=session.access, effect=False
        )
        blob = self._xrpc.answer(reply).get("blob")
        if not isinstance(blob, dict):
            raise self._wire.broken("took a picture without saying where")
        return blob

    def _delete(self, uri: str, session: Session) -> None:
        collection, rkey = self._own_record(uri)
        body = {"repo": session.did, "collection": collection, "rkey": rkey}
        self._xrpc.procedure("com.atproto.repo.deleteRecord", body, token=session.access)

    def _take_back(self, collection: str, meant: Callable[[str, dict[str, Any]], bool]) -> None:
        """Every record of this collection that is meant: an app may have made two of the same."""
        self._lists.pop(collection, None)
        uris = [uri for uri, value in self._all(collection) if meant(uri, value)]
        if uris:
            with self._session() as session:
                for uri in uris:
                    self._delete(uri, session)
        self._lists.clear()

    def _own_record(self, uri: str) -> tuple[str, str]:
        """(collection, rkey) of a record of this account; anything else is refused, not guessed at."""
        parts = uri.removeprefix("at://").split("/")
        if not uri.startswith("at://") or len(parts) != 3 or not all(parts) or parts[0] != self._did:
            raise PlatformError("That post is not on this account.", permanent=True)
        return parts[1], parts[2]

    def _of_another(self, uri: Any) -> bool:
        return isinstance(uri, str) and not uri.startswith(f"at://{self._did}/")
