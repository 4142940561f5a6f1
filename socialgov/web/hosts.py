"""Many schools side by side: one application each, chosen by the host name of the request.

Flask's application dispatching pattern. A school is a home with its own database, key and settings; nothing is shared
but the process, and a host that belongs to no school is answered by none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from werkzeug.wrappers import Request, Response

from socialgov.errors import ConfigError
from socialgov.home import Home

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class SchoolsByHost:
    """The WSGI application of several homes, each at the host of its `base_url` in school.toml.

    Raises ConfigError when two homes have the same host, or are the same school.
    """

    def __init__(self, homes: Sequence[Home]) -> None:
        from socialgov.web import build_app

        self._apps: dict[str, WSGIApplication] = {}
        for home in homes:
            host = host_of(home)
            if host in self._apps:
                raise ConfigError(
                    f"Two schools have the address {host}.", "Give each its own base_url in its school.toml, [school]."
                )
            self._apps[host] = build_app(home)

    @property
    def hosts(self) -> tuple[str, ...]:
        return tuple(self._apps)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        host = (urlsplit(f"//{Request(environ).host}").hostname or "").lower()
        app = self._apps.get(host)
        if app is None:
            nobody = Response("No school is served at this address.\n", 404, mimetype="text/plain")
            return nobody(environ, start_response)
        return app(environ, start_response)


def host_of(home: Home) -> str:
    """The host name of the school's address, in small letters and without a port."""
    return (urlsplit(home.settings.base_url).hostname or "").lower()
