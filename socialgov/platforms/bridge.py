"""A platform's own Python library over our wire: time, size and redirects are bounded as for every other adapter.

tweepy and Mastodon.py speak through `requests`. `session_over(adapter)` is a requests.Session whose every request goes
out by platforms/wire.py, to the school's `api_base` whatever host the library has in mind, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import requests
from requests.adapters import BaseAdapter

from socialgov.platforms.base import PlatformError
from socialgov.platforms.wire import JSON_BYTES, Reply, Wire

if TYPE_CHECKING:
    from collections.abc import Mapping

_OURS = frozenset({"authorization", "content-type", "idempotency-key"})  # of a library's headers, what may travel
_BODIES = ("json", "data", "files")
Judge = Callable[[Reply, bool], "Reply | None"]


class WireAdapter(BaseAdapter):
    """A transport of requests. `judge(reply, effect)` sees each answer first: it may raise PlatformError for it, or
    return another one for the library to read in its place.

    A library may wrap what we raise in an error of its own: `unwrapped()` brings ours back.
    """

    def __init__(self, wire: Wire, judge: Judge | None = None, *, limit: int = JSON_BYTES) -> None:
        super().__init__()
        self.wire, self.limit = wire, limit
        self._judge: Judge = judge or (lambda reply, effect: wire.judge(reply, effect=effect))
        self._raised: PlatformError | None = None
        self._changed = False  # a request that changes something was answered with success

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """One request, answered or PlatformError."""
        method = request.method or "GET"
        headers, content = _headers(request), _body(request)
        try:
            reply = self.wire.raw(method, _target(request), headers=headers, content=content, limit=self.limit)
            self._changed = method != "GET" and reply.ok
            reply = self._judge(reply, method != "GET") or reply
        except PlatformError as error:
            self._raised = error
            raise
        return _response(request, reply)

    def close(self) -> None:
        """The wire closes itself."""

    @contextmanager
    def unwrapped(self, *library_errors: type[Exception]) -> Iterator[None]:
        """One call of a library: what we raised comes through whatever it was wrapped in; what the library cannot
        read (`library_errors`, and what a strange answer makes of it) is a PlatformError that says so.
        """
        self._raised, self._changed = None, False
        try:
            yield
        except PlatformError:
            raise
        except (*library_errors, *_STRANGE):
            if self._raised is not None:
                raise self._raised from None
            raise self.wire.broken("answered with something we do not understand", effect=self._changed) from None


# what a library runs into over an answer of another shape; JSONDecodeError is a ValueError
_STRANGE = (requests.RequestException, ValueError, AttributeError, LookupError, TypeError)


class _Session(requests.Session):
    """Each request stands for itself. What a session would add to it never travels, and takes as long as sending it."""

    def __init__(self, adapter: WireAdapter) -> None:
        super().__init__()
        self.trust_env = False
        for scheme in ("https://", "http://"):
            self.mount(scheme, adapter)
        self._only = adapter

    def request(self, method: Any, url: Any, *args: Any, timeout: Any = None, **parts: Any) -> requests.Response:
        """`parts` as requests takes them. How long is waited is the wire's part, and how we are known is in a header.

        What only asks is put together here: that is a fifth of what requests needs for it.
        """
        if method != "GET" or args or any(parts.get(name) for name in _BODIES):
            return self._only.send(requests.Request(method, url, *args, **parts).prepare())
        query = {name: value for name, value in (parts.get("params") or {}).items() if value is not None}
        asked = requests.PreparedRequest()
        asked.method, asked.url = "GET", f"{url}?{urlencode(query, doseq=True)}" if query else url
        asked.headers = requests.structures.CaseInsensitiveDict(parts.get("headers") or {})
        return self._only.send(asked)


def session_over(adapter: WireAdapter) -> requests.Session:
    """A session of requests that reaches only the adapter's platform: no proxy, no .netrc, no cookie, no redirect."""
    return _Session(adapter)


class Unshown(bytes):
    """A body that no library can put into its log. tweepy writes each into a line that nobody reads, which takes longer
    than reading it.
    """

    def __repr__(self) -> str:
        return f"<{len(self)} bytes>"

    __str__ = __repr__


def _target(request: requests.PreparedRequest) -> str:
    """Path and query; the host is the school's choice."""
    parts = urlsplit(request.url or "")
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def _headers(request: requests.PreparedRequest) -> Mapping[str, str]:
    return {
        name: value.decode("latin-1") if isinstance(value, bytes) else value
        for name, value in request.headers.items()
        if name.lower() in _OURS
    }


def _body(request: requests.PreparedRequest) -> bytes | None:
    body = request.body
    return body.encode() if isinstance(body, str) else body


def _response(request: requests.PreparedRequest, reply: Reply) -> requests.Response:
    response = requests.Response()
    response.status_code = reply.status
    response.headers.update(reply.headers)
    response._content = Unshown(reply.content)  # the only way in that requests has
    response.url, response.request, response.encoding, response.reason = request.url or "", request, "utf-8", ""
    return response
