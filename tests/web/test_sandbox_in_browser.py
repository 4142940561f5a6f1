"""The simulated network's own pages in a real browser: axe, on a phone and on a desk, in light and dark."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from networks import served
from PIL import Image
from test_axe import AXE, LOOKS, OF_LOOKS, TAGS, faults

from socialgov.sandbox import Network, create_sandbox
from socialgov.sandbox.network import Shot
from socialgov.sandbox.wall import Wall

pytestmark = pytest.mark.browser

PASSWORD = "correct-horse-7"


def fill(network: Network) -> None:
    out = io.BytesIO()
    Image.new("RGB", (600, 400), (40, 120, 160)).save(out, "PNG")
    trip = network.create_account("trip_wales", PASSWORD, display_name="Trip to Wales", text="Official account.")
    network.change_profile(trip, picture=Shot(out.getvalue(), "image/png", ""))
    Wall(network).publish(trip, "We are on the boat!", [Shot(out.getvalue(), "image/png", "the sea")])
    network.create_account("choir", PASSWORD, private=True)
    network.follow(network.create_account("dave32457", outsider=True), trip)


def test_no_page_of_the_simulated_network_has_a_fault_that_axe_knows(browser: Any, tmp_path: Path) -> None:
    app = create_sandbox(tmp_path / "sandbox.db", lambda: datetime(2026, 3, 2, 9, tzinfo=UTC))
    fill(app.extensions["network"])
    wrong: list[str] = []
    with served(app) as url:
        tab = browser.new_context(base_url=url, bypass_csp=True).new_page()

        def look(path: str) -> None:
            tab.goto(path)
            tab.evaluate(AXE)
            for number, (width, scheme) in enumerate(LOOKS):
                tab.set_viewport_size({"width": width, "height": 900})
                tab.emulate_media(color_scheme=scheme)
                found = faults(tab, OF_LOOKS if number else TAGS)
                wrong.extend(f"{path} at {width} {scheme}: {fault}" for fault in found)
                if tab.evaluate("document.documentElement.scrollWidth") > width:
                    wrong.append(f"{path} at {width}: it must be scrolled sideways")

        for path in ("/", "/@trip_wales", "/@choir", "/sign-in", "/join", "/@nobody"):
            look(path)
        tab.goto("/sign-in")
        tab.get_by_label("Name or e-mail address").fill("trip_wales")
        tab.get_by_label("Password").fill(PASSWORD)
        tab.get_by_role("main").get_by_role("button", name="Sign in").click()
        for path in ("/@trip_wales", "/followers", "/settings"):
            look(path)
    assert wrong == []
