"""Passkeys in a real browser, with Chromium's virtual authenticator in the place of a finger."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from conftest import Site
from factories import NOW
from networks import served
from playwright.sync_api import expect
from plugin_browser import follow
from test_axe import AXE, faults

from socialgov.actions.signin import make_signin_link
from socialgov.escrow.codes import code_at, read_seed
from socialgov.home import Home
from socialgov.models import Staff
from socialgov.store.events import EventTag, events_page
from socialgov.store.factors import passkeys_of
from socialgov.store.signin import open_sessions
from socialgov.web import build_app

if TYPE_CHECKING:
    from playwright.sync_api import Browser, CDPSession, Page

pytestmark = pytest.mark.browser
PHONE = 390
KEY = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def site(home: Home, browser: Browser) -> Iterator[Site]:
    """The application at a localhost address that its school.toml names: passkeys are bound to it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://localhost:{port}"
    home = replace(home, settings=replace(home.settings, base_url=url))
    with served(build_app(home), port=port):
        yield Site(url, home, browser)


@pytest.fixture
def clock(site: Site) -> Callable[[datetime], None]:
    def turn(moment: datetime) -> None:
        object.__setattr__(site.home, "clock", lambda: moment)

    return turn


class Device:
    """A device with a fingerprint reader, in the hands of one browser page."""

    def __init__(self, page: Page, **changes: Any) -> None:
        self.cdp: CDPSession = page.context.new_cdp_session(page)
        self.cdp.send("WebAuthn.enable")
        self.id = self.cdp.send("WebAuthn.addVirtualAuthenticator", {"options": {**KEY, **changes}})["authenticatorId"]

    def passkeys(self) -> list[dict[str, Any]]:
        return list(self.cdp.send("WebAuthn.getCredentials", {"authenticatorId": self.id})["credentials"])

    def put_back(self, passkey: dict[str, Any], **changes: Any) -> None:
        """Replace what the device holds by a copy made earlier."""
        self.cdp.send("WebAuthn.clearCredentials", {"authenticatorId": self.id})
        self.cdp.send("WebAuthn.addCredential", {"authenticatorId": self.id, "credential": {**passkey, **changes}})

    def refuse_the_finger(self) -> None:
        self.cdp.send("WebAuthn.setUserVerified", {"authenticatorId": self.id, "isUserVerified": False})


def open_strict(site: Site, *, width: int = PHONE) -> Page:
    """A page under the content policy as visitors have it; what it complains of fails the test."""
    page = site.open(None, width=width, bypass_csp=False)
    page.on("console", lambda message: pytest.fail(message.text) if "Content Security" in message.text else None)
    return page


def by_link(site: Site, page: Page, person: Staff) -> None:
    page.goto(make_signin_link(site.home, person.id, actor="cli", now=site.home.now()))
    follow(page.get_by_role("button", name="Sign in"))


def with_passkey(site: Site, person: Staff) -> tuple[Page, Device]:
    """Signed in by link, and asked at once to add a passkey, which they do."""
    page = open_strict(site)
    device = Device(page)
    by_link(site, page, person)
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Name of this passkey").fill("Laptop")
    page.get_by_role("button", name="Add a passkey").click()
    page.get_by_text("The passkey is added.").wait_for()
    return page, device


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.get_by_text("You are signed out.").wait_for()


@pytest.mark.asvs("6.4.1")
def test_it_is_added_after_a_link_and_signs_in_without_a_user_name(site: Site, teacher: Staff) -> None:
    page, device = with_passkey(site, teacher)
    (kept,) = passkeys_of(site.home.db, teacher.id)
    assert kept.name == "Laptop"
    assert [one["isResidentCredential"] for one in device.passkeys()] == [True]
    sign_out(page)
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(f"{site.url}/")
    page.get_by_text(teacher.name).first.wait_for()


@pytest.mark.asvs("7.5.1")
def test_it_confirms_before_a_page_that_matters_most(
    site: Site, teacher: Staff, clock: Callable[[datetime], None]
) -> None:
    page, _ = with_passkey(site, teacher)
    clock(NOW + timedelta(minutes=site.home.settings.policy.step_up_minutes))
    page.goto("/signing-in/")
    page.get_by_role("link", name="Remove the passkey Laptop").click()
    page.get_by_role("heading", name="Show that it is you").wait_for()
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_role("heading", name="Remove the passkey Laptop?").wait_for()
    expect(page.get_by_text("This is your only way but links")).to_be_visible()


def test_a_link_is_followed_by_it(site: Site, teacher: Staff) -> None:
    page, _ = with_passkey(site, teacher)
    sign_out(page)
    by_link(site, page, teacher)
    page.get_by_role("heading", name=f"One more step, {teacher.name}").wait_for()
    assert open_sessions(site.home.db, teacher.id) == []  # the link alone lets nobody in
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(f"{site.url}/")
    assert [one.method for one in open_sessions(site.home.db, teacher.id)] == ["link+passkey"]


def test_a_copy_with_an_old_count_is_refused_and_logged(site: Site, teacher: Staff) -> None:
    page, device = with_passkey(site, teacher)
    (before,) = device.passkeys()
    for _ in range(2):
        sign_out(page)
        page.get_by_role("button", name="Use a passkey").click()
        page.wait_for_url(f"{site.url}/")
    device.put_back(before)
    sign_out(page)
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_text("This passkey was not accepted.").wait_for()
    event = events_page(site.home.db, before=None, tag=EventTag.PASSKEY_REFUSED, actor=None, limit=1)[0]
    assert event.data["why"] == "sign_count"


def test_a_device_that_does_not_know_its_user_signs_nobody_in(site: Site, teacher: Staff) -> None:
    page, device = with_passkey(site, teacher)
    sign_out(page)
    device.refuse_the_finger()
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("You can try again, or choose another way.")
    assert page.url == f"{site.url}/signin"


def test_the_same_device_is_not_registered_twice(site: Site, teacher: Staff) -> None:
    page, _ = with_passkey(site, teacher)
    page.goto("/signing-in/passkeys/add")
    page.get_by_label("Name of this passkey").fill("The same")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("This device has a passkey for you here already.")
    assert len(passkeys_of(site.home.db, teacher.id)) == 1


def test_at_another_address_the_page_offers_none(site: Site, teacher: Staff) -> None:
    page = open_strict(site)
    page.goto(site.url.replace("localhost", "127.0.0.1") + "/signin")
    expect(page.get_by_text(f"Passkeys work only at {site.url}")).to_be_visible()
    expect(page.get_by_role("button", name="Use a passkey")).to_have_count(0)


def test_without_script_the_page_says_what_to_do(site: Site, teacher: Staff) -> None:
    page = site.open(teacher, script=False)
    page.goto("/signing-in/passkeys/add")
    expect(page.get_by_text("A passkey needs script")).to_be_visible()
    expect(page.get_by_role("button", name="Add a passkey")).to_be_hidden()


def test_everything_is_done_with_the_keyboard(site: Site, teacher: Staff) -> None:
    page = open_strict(site, width=1280)
    Device(page)
    by_link(site, page, teacher)
    page.get_by_role("link", name="Add a passkey").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Name of this passkey").focus()
    page.keyboard.type("Staff room")
    page.keyboard.press("Enter")
    page.get_by_text("The passkey is added.").wait_for()
    page.get_by_role("button", name="Sign out", exact=True).focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/signin$"))
    page.get_by_role("button", name="Use a passkey").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site.url}/")
    assert [one.name for one in passkeys_of(site.home.db, teacher.id)] == ["Staff room"]
    assert [one.method for one in open_sessions(site.home.db, teacher.id)] == ["passkey"]


def test_the_pages_along_the_way_have_no_fault_that_axe_knows(site: Site, manager: Staff, clock: Any) -> None:
    """Those that are reached only by doing something; the others are in stage.pages_of."""
    page = site.open(None, width=PHONE)
    Device(page)
    wrong: list[str] = []

    def look(name: str) -> None:
        page.evaluate(AXE)
        wrong.extend(f"{name}: {fault}" for fault in faults(page))
        for width in (320, PHONE, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            if page.evaluate("document.documentElement.scrollWidth") > width:
                wrong.append(f"{name} at {width} must be scrolled sideways")

    by_link(site, page, manager)
    page.goto("/signing-in/authenticator/add")
    follow(page.get_by_role("button", name="Show the picture"))
    look("seed")
    seed = read_seed(page.locator("#seed").inner_text())
    page.get_by_label("Code from your authenticator app").fill(code_at(seed, NOW)[0])
    follow(page.get_by_role("button", name="Confirm"))
    page.goto("/signing-in/passkeys/add")
    page.get_by_label("Name of this passkey").fill("Laptop")
    page.get_by_role("button", name="Add a passkey").click()
    page.get_by_text("The passkey is added.").wait_for()
    look("ways")
    page.goto("/signing-in/authenticator/remove")
    look("remove")
    clock(NOW + timedelta(minutes=site.home.settings.policy.step_up_minutes))
    page.goto("/signing-in/authenticator/remove")
    look("confirm")
    page.get_by_label("Code from your authenticator app").fill("000000")
    follow(page.get_by_role("button", name="Confirm", exact=True))
    look("confirm-wrong")
    page.goto("/signing-in/people/1")
    look("person")
    by_link(site, page, manager)
    look("second")
    assert wrong == []
