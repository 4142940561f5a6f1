"""Which server keeps an account of the AT Protocol: its DID document says so (atproto.com, specifications of DIDs).

An account may be on any server and may move. The document is looked up by the lasting identity: `did:plc` in a
directory, `did:web` at the host that the identity names. Both it and the server it names are addresses that somebody
else wrote, and a password is sent to the second: nothing but a public address by https is gone to, unless the school's
own directory is on this machine, as in a test.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from socialgov.addresses import is_loopback, is_private
from socialgov.platforms.atproto import at, text_of
from socialgov.platforms.base import PlatformError
from socialgov.platforms.wire import Wire

if TYPE_CHECKING:
    import httpx

    from socialgov.models import PlatformInfo

DOCUMENT_BYTES = 200_000
_SERVICE, _SERVICE_TYPE = "#atproto_pds", "AtprotoPersonalDataServer"
_PLC = re.compile(r"did:plc:[a-z2-7]{24}")
_WEB = re.compile(r"did:web:([a-z0-9][a-z0-9.-]{0,250})(?:%3A(\d{1,5}))?", re.IGNORECASE)
_CHECK_HANDLE = "Check the handle, and who made the account."


@dataclass(frozen=True, slots=True)
class Identity:
    """What an identity's document says: the address of its server, and the handles it claims for itself."""

    did: str
    server: str
    handles: tuple[str, ...]


def find_identity(info: PlatformInfo, did: str, *, transport: httpx.BaseTransport | None = None) -> Identity:
    """The document of `did`, through the directory of the school's settings.

    Raises PlatformError where it cannot be had, is about somebody else, or leads to a place that we do not go to.
    """
    at_home = is_loopback(urlsplit(info.directory_base or "").hostname or "")
    base, path = _place(info, did, at_home=at_home)
    asked = replace(info, name=f"{info.name}'s directory", api_base=base)
    wire = Wire(asked, transport=transport)
    reply = wire.get(path, limit=DOCUMENT_BYTES)
    document = wire.json(reply)
    if not reply.ok:
        raise PlatformError(f"{asked.name} knows no such account.", permanent=True, mend=_CHECK_HANDLE)
    if document.get("id") != did:
        raise wire.broken("answered for another account")
    return Identity(did, _server(info, document, at_home=at_home), _handles(document))


def _place(info: PlatformInfo, did: str, *, at_home: bool) -> tuple[str, str]:
    """Address and path of the document."""
    if _PLC.fullmatch(did):
        return info.directory_base or "", f"/{did}"
    web = _WEB.fullmatch(did)
    if web is None:
        raise PlatformError(
            f"{info.name} names the account in a way we do not know.", permanent=True, mend=_CHECK_HANDLE
        )
    host, port = web[1].lower(), web[2]
    if at_home and is_loopback(host):
        return f"http://{host}{f':{port}' if port else ''}", "/.well-known/did.json"
    if port or is_private(host):  # the protocol takes a port for tests only
        raise _not_there(info)
    return f"https://{host}", "/.well-known/did.json"


def _server(info: PlatformInfo, document: dict[str, Any], *, at_home: bool) -> str:
    """The one server that the document names, checked."""
    services = document.get("service")
    for one in services if isinstance(services, list) else ():
        name = text_of(at(one, "id"))
        if name in (_SERVICE, f"{document['id']}{_SERVICE}") and at(one, "type") == _SERVICE_TYPE:
            return _checked(info, text_of(at(one, "serviceEndpoint")), at_home=at_home)
    raise PlatformError(f"{info.name} does not say which server keeps the account.", permanent=True, mend=_CHECK_HANDLE)


def _checked(info: PlatformInfo, address: str, *, at_home: bool) -> str:
    """`address` without its last slash: scheme, host and perhaps a port, and nothing else (the protocol's own rule)."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _not_there(info) from None
    plain = parts.path in ("", "/") and "@" not in parts.netloc and not (parts.query or parts.fragment)
    if not (host and plain and host.isascii() and address.isprintable()):
        raise _not_there(info)
    if not (at_home and is_loopback(host)) and (parts.scheme != "https" or is_private(host)):
        raise _not_there(info)
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{'' if port is None else f':{port}'}"


def _not_there(info: PlatformInfo) -> PlatformError:
    return PlatformError(
        f"The account's server is at a place where {info.name} is not.", permanent=True, mend=_CHECK_HANDLE
    )


def _handles(document: dict[str, Any]) -> tuple[str, ...]:
    claimed = document.get("alsoKnownAs")
    names = [text_of(one) for one in claimed] if isinstance(claimed, list) else []
    return tuple(name.removeprefix("at://").lower() for name in names if name.startswith("at://"))
