"""The school's sign-in service in a real browser, which holds each page to its content policy, redirects included."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from openid_school import OpenIdSchool, open_openid_school
from plugin_browser import follow
from real_openid import SECRET, RealProvider

from socialgov.web import signin as signin_pages

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.peer, pytest.mark.browser]

BUTTON = "Sign in with your school account"


@pytest.fixture
def school(tmp_path: Path, provider: RealProvider) -> Iterator[OpenIdSchool]:
    with open_openid_school(tmp_path, provider.issuer, SECRET, port=provider.our_port) as school:
        yield school


@pytest.fixture(params=[390, 1280])
def page(school: OpenIdSchool, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A browser without script at our own pages, a phone's or a desk's; what breaks the policy fails the test."""
    context = browser.new_context(base_url=school.url, viewport={"width": request.param, "height": 900})
    page = context.new_page()
    broken: list[str] = []
    page.on("console", lambda message: broken.append(message.text) if "Content Security" in message.text else None)
    yield page
    context.close()
    assert [text for text in broken if school.url in text or "form-action" in text] == []


def look(page: Page, name: str) -> None:
    """Nothing to scroll sideways, no fault that axe knows; a screenshot where SOCIALGOV_SCREENSHOTS names a folder."""
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert page.viewport_size is not None
    assert wide <= page.viewport_size["width"]
    assert Axe().run(page).violations_count == 0
    if folder := os.environ.get("SOCIALGOV_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}-{page.viewport_size['width']}.png", full_page=True)


def go_through(page: Page, name: str) -> None:
    """Sign in at the service's own page, and agree where it asks."""
    page.get_by_placeholder("Enter any login").fill(name)
    page.get_by_placeholder("and password").fill("any")
    follow(page.get_by_role("button", name="Sign-in"))
    agree = page.get_by_role("button", name="Continue")
    page.wait_for_load_state()
    if "/interaction/" in page.url and agree.count():
        agree.click()


def test_a_teacher_signs_in_confirms_and_signs_out_on_both_sides(page: Page, school: OpenIdSchool) -> None:
    page.goto("/signin")
    look(page, "sign-in")
    follow(page.get_by_role("button", name=BUTTON))
    go_through(page, "teacher")
    page.wait_for_url(f"{school.url}/")
    page.get_by_text("Tess Teacher").first.wait_for()
    look(page, "start")

    page.goto("/confirm")
    look(page, "confirm")
    follow(page.get_by_role("button", name="Confirm with your school account"))
    go_through(page, "teacher")
    page.wait_for_url(f"{school.url}/")
    assert school.sessions() == [(school.teacher.id, "openid", "openid")]
    page.goto("/signing-in/")
    look(page, "signing-in")

    page.get_by_role("button", name="Sign out", exact=True).click()
    page.get_by_role("heading", name="You are signed out here").wait_for()
    look(page, "signed-out")
    page.get_by_role("link", name="Sign out there as well").click()
    page.get_by_role("button", name="Yes, sign me out").click()
    page.wait_for_url(f"{school.url}/signin*")
    assert school.sessions() == []
    page.get_by_role("button", name=BUTTON).click()
    page.get_by_placeholder("and password").wait_for()  # nobody goes on as the one before


def test_somebody_of_elsewhere_reads_what_to_do(page: Page, school: OpenIdSchool) -> None:
    page.goto("/signin")
    follow(page.get_by_role("button", name=BUTTON))
    go_through(page, "outsider")
    page.get_by_role("heading", name="You are not signed in").wait_for()
    assert school.sessions() == []
    look(page, "refused")
    page.get_by_role("link", name="Go to the sign-in page").click()
    page.wait_for_url(f"{school.url}/signin")


def test_the_browser_does_not_go_there_from_a_page_that_does_not_say_so(
    school: OpenIdSchool, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So the test above shows that the page says the right thing, and not that nobody looks."""
    monkeypatch.setattr(signin_pages, "allow_form_to", lambda *origins: None)
    page = browser.new_context(base_url=school.url).new_page()
    page.goto("/signin")
    with page.expect_console_message(lambda message: "form-action" in message.text):
        page.get_by_role("button", name=BUTTON).click()
    assert page.url == f"{school.url}/signin"
