"""A secret in a real browser: it disappears by itself, with script and without, and no way leads back to it."""

from __future__ import annotations

import contextlib
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from factories import VAULT_PASSPHRASE, make_home, sheets_of, staff
from playwright.sync_api import Error, expect
from plugin_browser import follow
from stage import Stage, set_stage
from test_axe import AXE, LOOKS, OF_LOOKS, TAGS, faults

from socialgov.actions.stepup import mark_strong
from socialgov.config import load_settings
from socialgov.home import Home
from socialgov.models import Role, Staff
from socialgov.store.connect import write
from socialgov.store.events import events_page
from socialgov.store.rows import scalar
from socialgov.store.signin import session_by_id

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
PHONE = 390


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A school where a secret is shown for eight seconds only, and nobody waits for the glass."""
    home = make_home(tmp_path)
    text = (home.path / "school.toml").read_text()
    (home.path / "school.toml").write_text(f"{text}\n[policy]\nreveal_seconds = 8\nbreak_glass_wait_hours = 0\n")
    return replace(home, settings=load_settings(home.path))


@pytest.fixture
def stage(site: Any) -> Stage:
    return set_stage(site.home)


def strong(home: Home, person: Staff) -> None:
    """Whoever signed in last as this person has just used their passkey."""
    newest = scalar(home.db, "select max(id) from session where staff_id = ?", (person.id,))
    with write(home.db) as db:
        mark_strong(db, session_by_id(db, newest).id, "passkey", home.now())


def shown(site: Any, stage: Stage, **options: Any) -> Page:
    """The network manager opens the vault on the way to a password, and is shown it."""
    manager = stage.cast.manager
    page: Page = site.open(manager, **options)
    strong(site.home, manager)
    page.goto(f"/accounts/{stage.live.id}/password")
    page.get_by_role("link", name="Open the vault").click()
    page.get_by_label("Your vault passphrase").fill(VAULT_PASSPHRASE)
    page.get_by_role("button", name="Open it").click()
    page.get_by_label("Reason").fill("The owner is ill.")
    follow(page.get_by_role("button", name="Show it"))
    return page


def newest_tag(home: Home) -> str:
    return events_page(home.db, before=None, tag=None, actor=None, limit=1)[0].tag


@pytest.mark.asvs("14.3.2")
def test_without_script_it_disappears_and_back_shows_it_no_more(site: Any, stage: Stage) -> None:
    page = shown(site, stage, width=PHONE, script=False)
    secret = page.locator(".secret").inner_text()
    assert len(secret) > 12
    expect(page.get_by_role("button", name="Copy it")).to_have_count(0)
    expect(page).to_have_url(re.compile("/login-test$"), timeout=15_000)
    assert secret not in page.content()
    with contextlib.suppress(Error):  # Chromium keeps nothing of the answer and does not ask for it again by itself
        page.go_back()
    expect(page.locator("body")).not_to_contain_text(secret)
    expect(page.locator(".secret")).to_have_count(0)


@pytest.mark.asvs("14.3.2")
def test_with_script_it_counts_down_and_notes_a_copy_before_it_copies(site: Any, stage: Stage) -> None:
    page = shown(site, stage, bypass_csp=False, permissions=["clipboard-read", "clipboard-write"])
    secret = page.locator(".secret").inner_text()
    expect(page.get_by_role("timer")).to_contain_text("7 seconds")
    page.get_by_role("button", name="Copy it").click()
    expect(page.get_by_role("status")).to_contain_text("Copied.")
    assert newest_tag(site.home) == "credential:secret:copied"
    assert page.evaluate("navigator.clipboard.readText()") == secret
    expect(page).to_have_url(re.compile("/login-test$"), timeout=15_000)
    with contextlib.suppress(Error):
        page.go_back()
    expect(page.locator("body")).not_to_contain_text(secret)
    expect(page.locator(".secret")).to_have_count(0)


def test_what_cannot_be_noted_is_not_copied(site: Any, stage: Stage) -> None:
    page = shown(site, stage, bypass_csp=False, permissions=["clipboard-read", "clipboard-write"])
    page.evaluate("navigator.clipboard.writeText('what was there before')")
    page.route("**/copied", lambda route: route.fulfill(status=503, body=""))
    page.get_by_role("button", name="Copy it").click()
    expect(page.get_by_role("status")).to_contain_text("not copied")
    assert page.evaluate("navigator.clipboard.readText()") == "what was there before"


def test_a_browser_that_may_not_copy_marks_the_text(site: Any, stage: Stage) -> None:
    page = shown(site, stage, bypass_csp=False)
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')) }")
    secret = page.locator(".secret").inner_text()
    page.get_by_role("button", name="Copy it").click()
    expect(page.get_by_role("status")).to_contain_text("copy it with the keyboard")
    assert page.evaluate("getSelection().toString()") == secret


def faults_of(page: Page, name: str) -> list[str]:
    """What axe finds on the page as it stands, in every look, and whether it must be scrolled sideways."""
    page.evaluate(AXE)
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    wrong = []
    for number, (width, scheme) in enumerate(LOOKS):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        wrong += [f"{name} at {width} {scheme}: {one}" for one in faults(page, OF_LOOKS if number else TAGS)]
        if page.evaluate("document.documentElement.scrollWidth") > width:
            wrong.append(f"{name} at {width}: it must be scrolled sideways")
    return wrong


def test_the_pages_with_the_vault_open_have_no_fault_that_axe_knows(site: Any, stage: Stage) -> None:
    page = shown(site, stage)
    expect(page).to_have_url(re.compile("/login-test$"), timeout=15_000)
    other = staff(site.home, Role.NETWORK_MANAGER)
    wrong = []
    for path in (
        f"/accounts/{stage.live.id}/password",
        f"/accounts/{stage.live.id}/looks",
        f"/accounts/{stage.live.id}/login-test",
        "/vault/",
        "/vault/passphrase/change",
        "/vault/open",
        f"/vault/invite/{other.id}",
        f"/vault/remove/{other.id}",
    ):
        page.goto(path)
        wrong += faults_of(page, path)
    page.goto(f"/vault/invite/{other.id}")
    follow(page.get_by_role("button", name="Make the code"))
    wrong += faults_of(page, "the code")
    page.goto("/vault/passphrase/change")
    follow(page.get_by_role("button", name="Propose six words"))
    wrong += faults_of(page, "the proposed passphrase")
    page.goto(f"/accounts/{stage.live.id}/password")
    page.get_by_label("Reason").fill("The owner is ill.")
    follow(page.get_by_role("button", name="Show it"))
    page.evaluate(AXE)
    wrong += [f"shown: {one}" for one in faults(page, TAGS)]
    assert wrong == []


def test_the_glass_is_broken_on_a_phone_without_a_fault_that_axe_knows(site: Any, stage: Stage) -> None:
    head, lead, wrong = stage.cast.head, stage.people[Role.SAFEGUARDING_LEAD], []
    page, second = site.open(head, width=PHONE), site.open(lead, width=PHONE)
    strong(site.home, head)
    strong(site.home, lead)
    page.goto("/vault/glass/")
    follow(page.get_by_role("link", name="Ask to break the glass"))
    wrong += faults_of(page, "ask")
    page.get_by_label("Why the vault must be opened").fill("The network manager is in hospital.")
    follow(page.get_by_role("button", name="Ask", exact=True))
    wrong += faults_of(page, "asked")
    second.get_by_role("link", name="Today").click()
    second.get_by_role("link", name="say whether you agree").click()
    follow(second.get_by_role("link", name="Read it and decide"))
    wrong += faults_of(second, "agree")
    follow(second.get_by_role("button", name="I agree"))
    page.goto("/")
    page.get_by_role("link", name="The recovery sheets open the vault now").click()
    page.get_by_role("link", name="Type in two recovery sheets").click()
    follow(page.get_by_role("button", name="Open the vault"))
    wrong += faults_of(page, "sheets")
    for label, sheet in zip(("First sheet", "Second sheet"), sheets_of(site.home), strict=False):
        page.get_by_label(label).fill(sheet)
    follow(page.get_by_role("button", name="Open the vault"))
    wrong += faults_of(page, "broken")
    follow(page.get_by_role("link", name="Let somebody open the vault"))
    wrong += faults_of(page, "name")
    page.goto(f"/accounts/{stage.live.id}/password")
    page.get_by_label("Reason").fill("The account must come down.")
    follow(page.get_by_role("button", name="Show it"))
    assert page.locator(".secret").inner_text()
    page.goto("/vault/glass/1/stop")
    wrong += faults_of(page, "stop")
    page.get_by_label("Why it must not go on").fill("It is done.")
    follow(page.get_by_role("button", name="Stop it"))
    wrong += faults_of(page, "stopped")
    assert wrong == []
