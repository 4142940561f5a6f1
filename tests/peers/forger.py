"""A forger between us and the real OpenID provider: what an honest one can never be made to send.

It stands where our settings say the provider is and hands everything on. A test may have it change the token
endpoint's answer: break a signature, or sign other claims with a key of its own, which it adds to the provider's
public keys, as if the provider itself were false. It is a stand-in for an attacker, not for the provider.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx
from joserfc import jws
from joserfc.jwk import OctKey, RSAKey
from joserfc.util import urlsafe_b64decode, urlsafe_b64encode
from real_openid import SECRET

Answer = dict[str, Any]
Change = Callable[[Answer], Answer]
_NOT_HANDED_ON = {"connection", "transfer-encoding", "content-length", "content-encoding", "keep-alive"}


def unchanged(answer: Answer) -> Answer:
    return answer


@dataclass
class Forger:
    """A WSGI application in front of the provider at `upstream`. `change` sees each answer of the token endpoint."""

    upstream: str
    change: Change = unchanged
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "forged"}))
    add_key: bool = True

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        answer = self._ask(environ)
        body = answer.content
        if environ["PATH_INFO"] == "/token" and answer.status_code == 200:
            body = json.dumps(self.change(answer.json())).encode()
        if environ["PATH_INFO"] == "/jwks" and self.add_key:
            body = json.dumps({"keys": [*answer.json()["keys"], self.key.as_dict(private=False)]}).encode()
        headers = [(name, value) for name, value in answer.headers.multi_items() if name.lower() not in _NOT_HANDED_ON]
        start_response(f"{answer.status_code} {answer.reason_phrase}", headers)
        return [body]

    def _ask(self, environ: dict[str, Any]) -> httpx.Response:
        path, query = environ["PATH_INFO"], environ["QUERY_STRING"]
        names = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name[:5] == "HTTP_"}
        headers = {name: value for name, value in names.items() if name not in _NOT_HANDED_ON}
        headers["accept-encoding"] = "identity"
        if environ.get("CONTENT_TYPE"):
            headers["content-type"] = environ["CONTENT_TYPE"]
        content = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        with httpx.Client(trust_env=False, timeout=20) as client:
            url = f"{self.upstream}{path}?{query}" if query else f"{self.upstream}{path}"
            return client.request(environ["REQUEST_METHOD"], url, headers=headers, content=content)

    # ---- what a test has it do

    def forge(self, **claims: Any) -> Change:
        """Other claims under its own key; a claim that is None is left out."""
        return self._signed(lambda told: {"alg": "RS256", "kid": "forged"}, self.key, claims)

    def forge_without_signature(self) -> Change:
        """alg=none: nobody signed."""

        def change(answer: Answer) -> Answer:
            head, payload, _ = answer["id_token"].split(".")
            return {**answer, "id_token": f"{_encoded({**_decoded(head), 'alg': 'none'})}.{payload}."}

        return change

    def forge_with_the_clients_secret(self) -> Change:
        """HS256: signed by what the school's server knows too."""
        return self._signed(lambda told: {"alg": "HS256", "kid": told["kid"]}, OctKey.import_key(SECRET), {})

    def forge_with_the_public_key(self) -> Change:
        """HS256 again, with the provider's public key as the secret: the classic confusion."""
        public = httpx.get(f"{self.upstream}/jwks", trust_env=False).json()["keys"][0]
        pem = RSAKey.import_key(public).as_pem(private=False)

        def change(answer: Answer) -> Answer:  # by hand: the library refuses to do this
            head, payload, _ = answer["id_token"].split(".")
            front = f"{_encoded({'alg': 'HS256', 'kid': _decoded(head)['kid']})}.{payload}"
            signature = urlsafe_b64encode(hmac.digest(pem, front.encode(), "sha256")).decode()
            return {**answer, "id_token": f"{front}.{signature}"}

        return change

    def break_signature(self, answer: Answer) -> Answer:
        """One character of the real provider's signature."""
        front, _, signature = answer["id_token"].rpartition(".")
        middle = len(signature) // 2
        other = "A" if signature[middle] != "A" else "B"
        return {**answer, "id_token": f"{front}.{signature[:middle]}{other}{signature[middle + 1 :]}"}

    def break_claim(self, answer: Answer) -> Answer:
        """Another subject under the real provider's signature."""
        head, payload, signature = answer["id_token"].split(".")
        return {**answer, "id_token": f"{head}.{_encoded({**_decoded(payload), 'sub': 'head'})}.{signature}"}

    def _signed(self, header: Callable[[Answer], Answer], key: RSAKey | OctKey, claims: Answer) -> Change:
        def change(answer: Answer) -> Answer:
            head, payload, _ = answer["id_token"].split(".")
            whole = {name: value for name, value in {**_decoded(payload), **claims}.items() if value is not None}
            content = json.dumps(whole).encode()
            signed = jws.serialize_compact(header(_decoded(head)), content, key, algorithms=["RS256", "HS256"])
            return {**answer, "id_token": signed}

        return change


def _decoded(part: str) -> Answer:
    return dict(json.loads(urlsafe_b64decode(part.encode())))


def _encoded(content: Answer) -> str:
    return urlsafe_b64encode(json.dumps(content).encode()).decode()


def port_of(address: str) -> int:
    return urlsplit(address).port or 80
