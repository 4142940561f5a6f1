"""A real, certified OpenID provider on this machine, and how a person gets through its pages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from mailbox_sink import free_port
from node_process import missing_node, running_node
from visitor import Visitor

HERE = Path(__file__).parent
START_SECONDS = 30
OLDEST_NODE = (20, 12)  # package.json says so too
CLIENT_ID = "socialgov"
# its pages that ask for something, and the one that ends an earlier person's session there (by script, or a button)
SHORT_CUT = re.compile(r"/interaction/|/session/end/confirm")
SECRET = "known-to-tests-only-0123456789abcdef"


def missing() -> str:
    """What is not installed, as a sentence with the command that mends it; empty when nothing is."""
    if why := missing_node(OLDEST_NODE, "the OpenID provider"):
        return why
    if not (HERE / "openid" / "node_modules" / "oidc-provider").is_dir():
        return "the OpenID provider is not installed: `.ci/install-peers`"
    return ""


@dataclass(frozen=True)
class RealProvider:
    """`issuer` is the name it goes by; `address` where it listens; `ours` the only site it sends people back to."""

    issuer: str
    address: str
    ours: str

    @property
    def our_port(self) -> int:
        return int(self.ours.rsplit(":", 1)[1])


@contextmanager
def running(folder: Path, *, issuer: str = "") -> Iterator[RealProvider]:
    """The provider on a free port; ends with the block, and with this process however that ends.

    With `issuer` it goes by another address than its own, as behind a proxy.
    """
    port, ours = free_port(), f"http://localhost:{free_port()}"
    address = f"http://localhost:{port}"
    issuer = issuer or address
    script = HERE / "openid" / "provider.mjs"
    words: list[str | Path] = ["--require", HERE / "loopback.js", script, str(port), issuer, ours]
    with running_node(
        words, folder / "openid-stderr", name="the OpenID provider", seconds=START_SECONDS, oldest=OLDEST_NODE
    ):
        yield RealProvider(issuer, address, ours)


def go_through(visitor: Visitor, name: str) -> Visitor:
    """At the provider's pages: sign in as `name` and agree, as often as it asks. Ends at the first page of ours."""
    for _ in range(5):
        form = next((form for form in visitor.forms if SHORT_CUT.search(form.action)), None)
        if form is None:
            return visitor
        for control in form.controls:
            control.value = {"login": name, "password": "any"}.get(control.name, control.value)
        visitor._submit(form, ("", "", ""))  # its buttons stand outside of its forms
    raise AssertionError(f"the provider goes on asking: {visitor.text[:500]}")


def agree_to_sign_out(visitor: Visitor) -> Visitor:
    """At the provider's own page that asks whether to sign out there."""
    assert "sign-out from" in visitor.text, visitor.content.decode()
    return visitor._submit(visitor.forms[0], ("", "logout", "yes"))


class _Caught(Exception):
    """Carries the address out of the middle of a browser's redirects."""


def caught(visitor: Visitor, part: str, act: Callable[[], Any]) -> str:
    """Let `visitor` act, and hold it back before it is sent to an address with `part` in it: that address."""

    def look(response: httpx.Response) -> None:
        where = response.headers.get("location", "")
        if part in where:
            raise _Caught(str(httpx.URL(str(response.url)).join(where)))

    visitor._client.event_hooks = {"response": [look]}
    try:
        act()
    except _Caught as stopped:
        return str(stopped)
    finally:
        visitor._client.event_hooks = {}
    raise AssertionError(f"nobody was sent to {part}: {visitor.address}")
