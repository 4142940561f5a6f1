"""A real browser goes from the account's page to the stand-in for X and back, on a phone, without script, under our
Content-Security-Policy: browsers hold the redirect that follows a form to it, and no other client does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import Site
from connected import Connected, connectable
from factories import manager_of
from mailbox_sink import free_port
from networks import Clock, served
from peers.x_standin import standing_in
from playwright.sync_api import expect
from test_axe import AXE, faults

from socialgov.actions.observing import check_account
from socialgov.home import Home
from socialgov.web import build_app

pytestmark = pytest.mark.browser
PASSWORD = "Boats-and-7-trains!"


@pytest.fixture
def place(home: Home, tmp_path: Path, browser: Any) -> Iterator[tuple[Connected, Site]]:
    port, clock = free_port(), Clock(home.now())
    at = Home(home.path, replace(home.settings, base_url=f"http://127.0.0.1:{port}"), home.escrow, clock)
    with standing_in(clock) as x, connectable(at, tmp_path, x, clock) as one, served(build_app(one.home), port) as url:
        one.there.password = PASSWORD
        yield one, Site(url, one.home, browser)
        for context in browser.contexts:
            context.close()


def test_an_account_is_connected_on_a_phone_and_connected_again_when_x_lets_us_in_no_more(
    place: tuple[Connected, Site],
) -> None:
    one, site = place
    page = site.open(one.owner, width=390, script=False)
    page.goto(f"/accounts/{one.account.id}")
    page.get_by_role("link", name="Connect with X").first.click()
    page.get_by_role("button", name="Go on to X").click()
    page.get_by_label("Username").fill("trip_wales")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Authorize app").click()
    expect(page.get_by_text("Connected. From now on socialgov looks at X by itself")).to_be_visible()
    expect(page.get_by_text("see who follows")).to_be_visible()

    one.x.doors.revoke_by_user(one.there.id)
    check_account(one.home, one.account.id, now=one.now, asked=True)
    page.goto("/")
    page.get_by_role("link", name="Connect it with X again").first.click()
    expect(page.get_by_text("X no longer lets socialgov in").first).to_be_visible()
    page.get_by_role("button", name="Go on to X").click()
    page.get_by_role("button", name="Authorize app").click()  # still signed in there
    expect(page.get_by_text("Connected. From now on")).to_be_visible()


def test_the_page_has_no_fault_that_axe_knows_however_the_connection_stands(place: tuple[Connected, Site]) -> None:
    one, site = place
    page, wrong = site.open(manager_of(one.home), width=390), []
    for stands in ("not connected", "connected", "lost"):
        if stands == "connected":
            one.connect()
        elif stands == "lost":
            one.x.doors.revoke_by_user(one.there.id)
            check_account(one.home, one.account.id, now=one.now, asked=True)
        for path in ("connection", "connection/end")[: 1 if stands == "not connected" else 2]:
            page.goto(f"/accounts/{one.account.id}/{path}")
            page.evaluate(AXE)
            wrong += [f"{stands}, {path}: {fault}" for fault in faults(page)]
            assert page.evaluate("document.documentElement.scrollWidth") <= 390, stands
    assert wrong == []
