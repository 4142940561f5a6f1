"""The application under test: a client for each person, and a real browser for those tests that need one.

`browse(staff)` is a signed-in client with CSRF switched off, so that a test reads as what a person does; test_csrf.py
holds CSRF itself. `site` serves the application with waitress on a free port; `browser` (plugin_browser.py) is one
Chromium a session.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from factories import NOW, vault_of
from flask import Flask
from flask.testing import FlaskClient
from networks import served
from plugin_browser import follow

from socialgov.actions.sessions import open_session
from socialgov.actions.signin import make_signin_link
from socialgov.actions.stepup import mark_strong
from socialgov.actions.vault import keep_open
from socialgov.home import Home
from socialgov.models import Staff
from socialgov.store import write
from socialgov.web import build_app
from socialgov.web.access import SESSION_KEY
from socialgov.web.in_hand import VAULT_KEY

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture
def app(home: Home) -> Flask:
    app = build_app(home)
    app.config.update(WTF_CSRF_ENABLED=False, PROPAGATE_EXCEPTIONS=False)
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A visitor who is not signed in."""
    return app.test_client()


@pytest.fixture
def browse(app: Flask, home: Home) -> Callable[[Staff], FlaskClient]:
    """`browse(staff)`: a client that is signed in as this person."""

    def signed_in(staff: Staff) -> FlaskClient:
        client = app.test_client()
        assert client.post(make_signin_link(home, staff.id, actor="cli", now=NOW)).status_code == 302
        return client

    return signed_in


def make_strong(home: Home, client: FlaskClient, method: str = "passkey") -> FlaskClient:
    """Let this signed-in client have shown a moment ago who they are, as a passkey would; the same client again."""
    with client.session_transaction() as cookie:
        token = cookie[SESSION_KEY]
    session = open_session(home, token, now=home.now())
    assert session is not None
    with write(home.db) as db:
        mark_strong(db, session.id, method, home.now())
    return client


@pytest.fixture
def open_vault_as(home: Home) -> Callable[[FlaskClient, Staff], FlaskClient]:
    """`open_vault_as(client, manager)`: this signed-in client has just shown who it is and opened the vault."""

    def opened(client: FlaskClient, manager: Staff) -> FlaskClient:
        make_strong(home, client)
        with client.session_transaction() as cookie:
            cookie[VAULT_KEY] = keep_open(home, manager, cookie[SESSION_KEY], vault_of(home), now=home.now())
        return client

    return opened


# --------------------------------------------------------------------------------------------------- browser


@dataclass(frozen=True)
class Site:
    """The application, served. `open(staff, …)` is a browser page in which this person is signed in."""

    url: str
    home: Home
    browser: Browser

    def open(
        self,
        staff: Staff | None = None,
        *,
        width: int = 1280,
        dark: bool = False,
        script: bool = True,
        **options: Any,
    ) -> Page:
        """`script=False` is the browser as our visitors may have it; axe needs script, and leave to put it in."""
        context = self.browser.new_context(
            base_url=self.url,
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",  # no colour is caught half way from one to another
            **{"java_script_enabled": script, "bypass_csp": script, **options},
        )
        page = context.new_page()
        if staff is not None:
            page.goto(make_signin_link(self.home, staff.id, actor="cli", now=self.home.now()))
            follow(page.get_by_role("button", name="Sign in"))
        return page


@pytest.fixture
def site(home: Home, browser: Browser) -> Iterator[Site]:
    """The application of `home` on a free port of this machine, CSRF and all."""
    with served(build_app(home)) as url:
        yield Site(url, home, browser)
        for context in browser.contexts:  # what one test left open must not slow the next one down
            context.close()
