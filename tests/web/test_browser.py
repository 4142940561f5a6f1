"""What only a real browser can show: no script is needed, the content policy holds, focus goes where it should."""

from __future__ import annotations

from typing import Any

import pytest
from factories import NOW
from plugin_browser import follow
from stage import pages_of, set_stage
from walk import cast_of

from socialgov.actions.signin import make_signin_link
from socialgov.models import AccountState
from socialgov.store.accounts import RegisterFilter, register_page

pytestmark = pytest.mark.browser
PHONE = 390


def test_an_account_is_asked_for_on_a_phone_without_script(site: Any) -> None:
    cast = cast_of(site.home)
    page = site.open(cast.owner, width=PHONE, script=False)
    page.get_by_role("link", name="Request an account").first.click()
    page.get_by_role("link", name="Start now").click()
    page.get_by_label("Instagram").check()
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Trip").check()
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Purpose").fill("News from the ski trip")
    page.get_by_label("Audience").fill("Parents of the pupils on it")
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Handle").fill("ski.trip")
    follow(page.get_by_role("button", name="Continue"))
    for group, values in (("First day", ("24", "11", "2026")), ("Last day", ("10", "12", "2026"))):
        for part, value in zip(("Day", "Month", "Year"), values, strict=True):
            page.get_by_role("group", name=group).get_by_label(part).fill(value)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Deputy").select_option(label=cast.deputy.name)
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("heading", name="Check your answers").wait_for()
    page.get_by_role("link", name="Change purpose").click()
    page.get_by_label("Purpose").fill("News from the snow")
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Send the request").click()
    page.get_by_role("status").get_by_text("Your request is sent.").wait_for()
    (row,) = register_page(site.home.db, RegisterFilter()).rows
    assert (row.state, row.purpose) == (AccountState.REQUESTED, "News from the snow")


def test_the_summary_of_errors_takes_the_focus_and_leads_to_the_field(site: Any) -> None:
    page = site.open(cast_of(site.home).owner, width=PHONE)
    page.goto("/request/purpose")
    follow(page.get_by_role("button", name="Continue"))
    assert page.evaluate("document.activeElement.className") == "error-summary"
    page.get_by_role("link", name="Enter who it is for.").click()
    assert page.evaluate("document.activeElement.id") == "audience"
    assert page.get_by_label("Audience").get_attribute("aria-describedby") == "audience-hint audience-error"


def test_the_first_key_offers_to_skip_the_menu(site: Any) -> None:
    page = site.open(cast_of(site.home).owner)
    page.goto("/accounts/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to main content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_no_page_breaks_the_content_policy_or_fetches_from_elsewhere(site: Any) -> None:
    stage = set_stage(site.home)
    page = site.open(None, bypass_csp=False)
    complaints: list[str] = []
    fetched: set[str] = set()
    page.on("console", lambda message: complaints.append(f"{page.url}: {message.text}"))
    page.on("request", lambda request: fetched.add(request.url))
    page.goto(make_signin_link(site.home, stage.cast.manager.id, actor="cli", now=NOW))
    follow(page.get_by_role("button", name="Sign in"))
    for _, person, path in pages_of(stage):
        if person == stage.cast.manager:
            page.goto(path)
    assert complaints == []
    assert {url for url in fetched if not url.startswith((site.url, "data:"))} == set()
