"""A passkey in a few lines: what a security key answers, right or, where a test asks for it, wrong in one point."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from factories import NOW
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from socialgov.actions.passkeys import add_passkey, ask_to_add
from socialgov.actions.signin import make_signin_link, use_signin_link
from socialgov.home import Home
from socialgov.models import Staff

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


@dataclass
class SoftPasskey:
    """One passkey on one device. `count` None: its maker does not count uses."""

    origin: str
    host: str = "localhost"
    count: int | None = 0
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    handle: bytes = b""

    def register(self, options: str, **wrong: Any) -> str:
        """The answer to navigator.credentials.create with these options."""
        asked = json.loads(options)
        self.handle = base64url_to_bytes(asked["user"]["id"])
        public = self.key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: public.x.to_bytes(32, "big"), -3: public.y.to_bytes(32, "big")}
        attested = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + cbor2.dumps(cose)
        data = self._data(wrong, ATTESTED) + attested
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client("webauthn.create", asked["challenge"], wrong)
        return self._answer(client, attestationObject=bytes_to_base64url(attestation), transports=["internal"])

    def use(self, options: str, **wrong: Any) -> str:
        """The answer to navigator.credentials.get; each use counts."""
        asked = json.loads(options)
        if self.count is not None:
            self.count += 1
        data = self._data(wrong, 0)
        client = self._client("webauthn.get", asked["challenge"], wrong)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer(
            client,
            authenticatorData=bytes_to_base64url(data),
            signature=bytes_to_base64url(wrong.get("signature", signature)),
            userHandle=bytes_to_base64url(wrong.get("handle", self.handle)),
        )

    def _data(self, wrong: dict[str, Any], more: int) -> bytes:
        flags = wrong.get("flags", PRESENT | VERIFIED) | more
        host = wrong.get("host", self.host)
        return hashlib.sha256(host.encode()).digest() + bytes([flags]) + (self.count or 0).to_bytes(4, "big")

    def _client(self, kind: str, challenge: str, wrong: dict[str, Any]) -> bytes:
        said = {
            "type": wrong.get("kind", kind),
            "challenge": wrong.get("challenge", challenge),
            "origin": wrong.get("origin", self.origin),
            "crossOrigin": wrong.get("cross_origin", False),
        }
        return json.dumps(said).encode()

    def _answer(self, client: bytes, **response: Any) -> str:
        name = bytes_to_base64url(self.id)
        whole = {"clientDataJSON": bytes_to_base64url(client), **response}
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": whole})


def by_link(home: Home, person: Staff, at: datetime = NOW) -> str:
    """A session begun by link; its token."""
    link = make_signin_link(home, person.id, actor="cli", now=at).rsplit("/", 1)[-1]
    token = use_signin_link(home, link, now=at).session
    assert token is not None
    return token


def device(home: Home, **more: Any) -> SoftPasskey:
    return SoftPasskey(origin=home.settings.base_url, **more)


def registered(home: Home, person: Staff, key: SoftPasskey | None = None) -> tuple[SoftPasskey, str]:
    """(a new passkey of this person, the session's token)."""
    session, key = by_link(home, person), key or device(home)
    asked = ask_to_add(home, person, session, now=NOW)
    session = add_passkey(home, person, session, asked.token, key.register(asked.json), "Laptop", now=NOW)
    return key, session
