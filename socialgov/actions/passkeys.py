"""Passkeys: register, sign in without a user name, show once more who one is (WebAuthn level 2, ASVS 5.0: 6.5.1).

The relying party is the host of base_url, the origin is base_url's own, attestation is not asked for (a school has no
list of makers it trusts), and the authenticator must verify its user: a fingerprint, a face or its PIN. A challenge
counts once, for five minutes, in the browser it was made for. Of a passkey whose count goes back there is a copy
somewhere: it is refused, and its owner is told.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from socialgov.actions.ceremonies import begin, finish_alone
from socialgov.actions.notices import notify
from socialgov.actions.sessions import Visitor, start_session
from socialgov.actions.stepup import confirm_session, need_fresh, need_fresh_or_first
from socialgov.errors import Conflict, InvalidInput, NotPermitted
from socialgov.store import factors, guarded_update, record_event, write
from socialgov.store.events import EventTag, actor_of
from socialgov.store.staff import staff_by_id

if TYPE_CHECKING:
    from datetime import datetime

    from sqlite_utils import Database
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

    from socialgov.home import Home
    from socialgov.models import Staff
    from socialgov.store.factors import Passkey

ADD, SIGN_IN, CONFIRM, SECOND = "passkey.add", "passkey.signin", "passkey.confirm", "passkey.second"
LONGEST_ANSWER = 20_000  # characters; a real one has about two thousand
_ADDED = "A passkey was added for signing in as you. If it was not you, tell the network manager at once."
_REMOVED = "A passkey of yours was removed. If you did not expect it, tell the network manager at once."
_COPIED = (
    "A passkey of yours was refused, because it seems to have been copied. Remove it on the page Signing in, add a new "
    "one, and tell the network manager."
)


class PasskeyRefused(NotPermitted):
    """Unknown or removed passkey, wrong origin, bad signature. The reader is not told which (no probing)."""

    def __init__(self) -> None:
        super().__init__("This passkey was not accepted.", "Try again, or ask the network manager for a sign-in link.")


@dataclass(frozen=True, slots=True)
class Options:
    """What the browser is asked, as JSON for navigator.credentials, and the token its cookie keeps meanwhile."""

    json: str
    token: str


# --------------------------------------------------------------------------------------------------- add, remove


def ask_to_add(home: Home, actor: Staff, session_token: str, *, now: datetime) -> Options:
    """Options for a new passkey of `actor`. Raises StepUpNeeded (but for the very first, see actions/stepup.py)."""
    from webauthn import generate_registration_options, options_to_json
    from webauthn.helpers.structs import (
        AuthenticatorSelectionCriteria,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    need_fresh_or_first(home, session_token, now=now)
    options = generate_registration_options(
        rp_id=_host(home),
        rp_name=home.settings.school_name,
        user_id=_user_handle(home, actor.id),
        user_name=actor.email,
        user_display_name=actor.name,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=_descriptors(factors.passkeys_of(home.db, actor.id)),
    )
    token = begin(home, ADD, {"challenge": options.challenge.hex()}, staff_id=actor.id, now=now)
    return Options(options_to_json(options), token)


def add_passkey(
    home: Home, actor: Staff, session_token: str, ceremony: str | None, answer: str, name: str, *, now: datetime
) -> str:
    """Keep the passkey that answers the ceremony, called `name`; the session's new token, which it made strong.

    Raises StepUpNeeded, CeremonyOver, PasskeyRefused, and InvalidInput for a name nobody can read.
    """
    from webauthn import verify_registration_response
    from webauthn.helpers import bytes_to_base64url, parse_registration_credential_json
    from webauthn.helpers.exceptions import WebAuthnException

    need_fresh_or_first(home, session_token, now=now)
    name = _checked_name(name)
    challenge = _challenge(home, ADD, ceremony, now, actor.id)
    try:
        made = verify_registration_response(
            credential=_short(answer),
            expected_challenge=challenge,
            expected_rp_id=_host(home),
            expected_origin=_origin(home),
            require_user_verification=True,
        )
        _check_not_framed(parse_registration_credential_json(answer).response.client_data_json)
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise _refused(home, actor.id, now, "answer") from error
    values = {
        "staff_id": actor.id,
        "credential_id": bytes_to_base64url(made.credential_id),
        "public_key": made.credential_public_key,
        "sign_count": made.sign_count,
        "name": name,
        "transports": _transports(answer),
        "backed_up": made.credential_backed_up,
        "made_at": now,
    }
    with write(home.db) as db:
        if factors.passkey_by_credential(db, str(values["credential_id"])):
            raise Conflict("This passkey is registered already.", "Use another device or key.")
        passkey_id = factors.insert_passkey(db, values)
        _event(db, EventTag.PASSKEY_ADDED, actor.id, passkey_id, now, actor=actor_of(actor.id))
        notify(db, staff_id=actor.id, kind="passkey", text=_ADDED, dedupe_key=f"passkey:{passkey_id}", now=now)
        return confirm_session(home, session_token, "passkey", now=now)


def remove_passkey(home: Home, actor: Staff, session_token: str, passkey_id: int, *, now: datetime) -> None:
    """Remove one of your own. Raises StepUpNeeded, NotFound for somebody else's."""
    need_fresh(home, session_token, now=now)
    with write(home.db) as db:
        end_passkey(db, factors.passkey_of(db, actor.id, passkey_id), actor=actor_of(actor.id), now=now)


def end_passkey(db: Database, passkey: Passkey, *, actor: str, now: datetime) -> None:
    """It opens nothing any more, and its owner is told. Inside `write()`."""
    guarded_update(db, "passkey", passkey.id, {"ended_at": now}, where={"ended_at": None})
    _event(db, EventTag.PASSKEY_REMOVED, passkey.staff_id, passkey.id, now, actor=actor)
    key = f"passkey_removed:{passkey.id}"
    notify(db, staff_id=passkey.staff_id, kind="passkey", text=_REMOVED, dedupe_key=key, now=now)


# --------------------------------------------------------------------------------------------------- use


def ask_for_one(home: Home, purpose: str, *, now: datetime, staff_id: int | None = None) -> Options:
    """Options for using a passkey: anybody's (SIGN_IN, the passkey says whose it is), or one person's."""
    from webauthn import generate_authentication_options, options_to_json
    from webauthn.helpers.structs import UserVerificationRequirement

    known = factors.passkeys_of(home.db, staff_id) if staff_id is not None else []
    options = generate_authentication_options(
        rp_id=_host(home),
        allow_credentials=_descriptors(known),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    token = begin(home, purpose, {"challenge": options.challenge.hex()}, staff_id=staff_id, now=now)
    return Options(options_to_json(options), token)


def sign_in_with_passkey(
    home: Home, ceremony: str | None, answer: str, *, visitor: Visitor, now: datetime, previous: str | None = None
) -> str:
    """Begin a session of the passkey's owner; its token, once. Raises CeremonyOver, PasskeyRefused."""
    passkey, count = _verified(home, SIGN_IN, ceremony, answer, now)
    with _used(home, passkey, count, now) as db:
        return start_session(
            db,
            home,
            passkey.staff_id,
            method="passkey",
            visitor=visitor,
            now=now,
            previous=previous,
            strong=True,
        )


def confirm_with_passkey(
    home: Home, actor: Staff, session_token: str, ceremony: str | None, answer: str, *, now: datetime
) -> str:
    """Step-up with one of your own passkeys; the session's new token. Raises CeremonyOver, PasskeyRefused."""
    passkey, count = _verified(home, CONFIRM, ceremony, answer, now, staff_id=actor.id)
    with _used(home, passkey, count, now):
        return confirm_session(home, session_token, "passkey", now=now)


def second_factor_passkey(home: Home, staff_id: int, ceremony: str | None, answer: str, *, now: datetime) -> None:
    """After a one-time link: one of this person's passkeys. Raises CeremonyOver, PasskeyRefused."""
    passkey, count = _verified(home, SECOND, ceremony, answer, now, staff_id=staff_id)
    with _used(home, passkey, count, now):
        pass  # who goes on is the caller's affair


@contextmanager
def _used(home: Home, passkey: Passkey, count: int, now: datetime) -> Iterator[Database]:
    """A transaction that keeps the count and in which somebody is let in.

    Raises PasskeyRefused, and logs it, where the passkey was removed or used, or its owner left, a moment ago.
    """
    try:
        with write(home.db) as db:
            if not staff_by_id(db, passkey.staff_id).current:
                raise PasskeyRefused
            try:
                factors.note_passkey_used(db, passkey, count, now)
            except Conflict:
                raise PasskeyRefused from None
            yield db
    except PasskeyRefused:
        raise _refused(home, passkey.staff_id, now, "late") from None


def _verified(
    home: Home, purpose: str, ceremony: str | None, answer: str, now: datetime, *, staff_id: int | None = None
) -> tuple[Passkey, int]:
    """(whose passkey answered, its new count). The challenge is used up whatever comes of it."""
    from webauthn import verify_authentication_response
    from webauthn.helpers import parse_authentication_credential_json
    from webauthn.helpers.exceptions import WebAuthnException

    challenge = _challenge(home, purpose, ceremony, now, staff_id)
    try:
        given = parse_authentication_credential_json(_short(answer))
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise PasskeyRefused from error
    passkey = factors.passkey_by_credential(home.db, given.id)
    if passkey is None:
        raise PasskeyRefused  # not logged: anybody could fill the log
    if not _is_theirs(home, passkey, given.response.user_handle, staff_id):
        raise _refused(home, passkey.staff_id, now, "owner")
    try:
        done = verify_authentication_response(
            credential=given,
            expected_challenge=challenge,
            expected_rp_id=_host(home),
            expected_origin=_origin(home),
            credential_public_key=passkey.public_key,
            credential_current_sign_count=0,  # compared below, once the signature is known to be good
            require_user_verification=True,
        )
        _check_not_framed(given.response.client_data_json)
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise _refused(home, passkey.staff_id, now, "answer") from error
    if (done.new_sign_count or passkey.sign_count) and done.new_sign_count <= passkey.sign_count:
        raise _refused(home, passkey.staff_id, now, "sign_count", tell=_COPIED)
    return passkey, done.new_sign_count


def _is_theirs(home: Home, passkey: Passkey, handle: bytes | None, staff_id: int | None) -> bool:
    """Not removed, its owner works here, is the one who was asked, and is the one the authenticator names."""
    return (
        passkey.ended_at is None
        and staff_by_id(home.db, passkey.staff_id).current
        and staff_id in (None, passkey.staff_id)
        and handle in (None, b"", _user_handle(home, passkey.staff_id))
    )


def _refused(home: Home, staff_id: int, now: datetime, why: str, tell: str = "") -> PasskeyRefused:
    with write(home.db) as db:
        _event(db, EventTag.PASSKEY_REFUSED, staff_id, None, now, actor=actor_of(staff_id), data={"why": why})
        if tell:
            key = f"passkey_{why}:{now.isoformat()}"
            notify(db, staff_id=staff_id, kind="passkey", text=tell, dedupe_key=key, now=now)
    return PasskeyRefused()


# --------------------------------------------------------------------------------------------------- small parts


def _challenge(home: Home, purpose: str, token: str | None, now: datetime, staff_id: int | None) -> bytes:
    """Used up in a transaction of its own, so that it is gone whatever comes of the answer."""
    return bytes.fromhex(finish_alone(home, purpose, token, staff_id=staff_id, now=now)["challenge"])


def _host(home: Home) -> str:
    return urlsplit(home.settings.base_url).hostname or "localhost"


def _origin(home: Home) -> str:
    parts = urlsplit(home.settings.base_url)
    return f"{parts.scheme}://{parts.netloc}"


def _user_handle(home: Home, staff_id: int) -> bytes:
    """What an authenticator calls the person: lasting, and telling nobody who it is (WebAuthn 14.6.1)."""
    return hmac.new(home.escrow.derive("passkey.user"), str(staff_id).encode(), hashlib.sha256).digest()


def _descriptors(passkeys: list[Passkey]) -> list[PublicKeyCredentialDescriptor]:
    from webauthn.helpers import base64url_to_bytes, structs

    known = {transport.value: transport for transport in structs.AuthenticatorTransport}
    return [
        structs.PublicKeyCredentialDescriptor(
            id=base64url_to_bytes(passkey.credential_id),
            transports=[known[one] for one in passkey.transports if one in known] or None,
        )
        for passkey in passkeys
    ]


def _transports(answer: str) -> list[str]:
    """How the browser reaches it (usb, internal, …): a hint for the next time, kept where it is a known word."""
    from webauthn.helpers import parse_registration_credential_json

    found = parse_registration_credential_json(answer).response.transports or []
    return [transport.value for transport in found]


def _check_not_framed(client_data: bytes) -> None:
    """Refuse an answer that was given inside another site's page: no page of ours is ever framed."""
    from webauthn.helpers import parse_client_data_json

    if parse_client_data_json(client_data).cross_origin:
        raise ValueError("answered inside a frame of another site")


def _short(answer: str) -> str:
    if len(answer) > LONGEST_ANSWER:
        raise ValueError("an answer of that length is no passkey's")
    return answer


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > 60 or not name.isprintable():
        raise InvalidInput("The passkey needs a name.", {"name": "Enter a name of up to 60 characters."})
    return name


def _event(
    db: Database,
    tag: EventTag,
    staff_id: int,
    passkey_id: int | None,
    now: datetime,
    *,
    actor: str,
    data: dict[str, str] | None = None,
) -> None:
    more = {"staff": staff_id, "passkey": passkey_id} if passkey_id else {"staff": staff_id}
    record_event(db, tag, actor=actor, now=now, subject="staff", subject_id=staff_id, data={**more, **(data or {})})
