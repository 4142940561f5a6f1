"""The promise of two minutes, counted on a phone without script: screens, taps and fields (SEC201)."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass, field
from typing import Any

import pytest
from factories import NOW
from playwright.sync_api import Error, Page, expect
from stage import set_stage

from socialgov.actions.contacts import record_contact, record_delegate
from socialgov.escrow.codes import code_at, read_seed
from socialgov.models import ContactKind, CredentialKind
from socialgov.store.credentials import current_credential, held_credentials

pytestmark = pytest.mark.browser
PHONE = 390
SEED = "JBSWY3DPEHPK3PXPJBSWY3DP"


@dataclass
class Hand:
    """Does what a thumb does, and counts it: each tap, each field that had to be filled, each screen that came."""

    page: Page
    taps: int = 0
    fields: int = 0
    screens: set[str] = field(default_factory=set)

    def tap(self, role: Any, name: str) -> None:
        self.page.get_by_role(role, name=name, exact=True).first.click()
        self.taps += 1
        self.screens.add(self.page.locator("h1").inner_text() + self.page.url)

    def fill(self, label: str, text: str) -> None:
        box = self.page.get_by_label(label)
        box.click()
        box.fill(text)
        self.taps, self.fields = self.taps + 1, self.fields + 1


def test_a_login_is_deposited_with_three_taps_and_no_field_where_the_set_up_is_on_record(site: Any) -> None:
    stage = set_stage(site.home)
    page = site.open(stage.cast.owner, width=PHONE, script=False)
    page.goto(f"/accounts/{stage.live.id}")
    hand = Hand(page)
    hand.tap("link", "Deposit the login")
    hand.tap("button", "Make one of words")
    made = page.locator("#proposed").inner_text()
    assert re.fullmatch(r"[A-Z][a-z]+(-[a-z]+){4}(-[0-9]{3})+", made)
    hand.tap("button", "Deposit it")
    expect(page.get_by_role("heading", name="What is deposited")).to_be_visible()
    assert (hand.taps, hand.fields, len(hand.screens)) == (3, 0, 2)  # besides the platform's own
    kept = current_credential(site.home.db, stage.live.id, CredentialKind.PASSWORD)
    assert kept is not None
    assert kept.strength == 4
    with contextlib.suppress(Error):  # Chromium keeps nothing of the answer and does not ask for it again by itself
        page.go_back()
    expect(page.locator("#proposed")).to_have_count(0)


def test_a_password_of_ones_own_takes_one_field(site: Any) -> None:
    stage = set_stage(site.home)
    page = site.open(stage.cast.owner, width=PHONE, script=False)
    page.goto(f"/accounts/{stage.live.id}")
    hand = Hand(page)
    hand.tap("link", "Deposit the login")
    hand.fill("Password", "Qz7!vintage-Ferry-88")
    page.keyboard.press("Enter")  # deposits, and does not make another one
    expect(page.get_by_role("heading", name="What is deposited")).to_be_visible()
    assert (hand.taps, hand.fields) == (2, 1)


def test_everything_that_belongs_to_a_login_is_deposited_in_two_minutes(site: Any) -> None:
    """By hand about 4 s a tap with its screen, 10 s a field that is pasted or picked: the sum stays below 120 s."""
    stage = set_stage(site.home)
    page = site.open(stage.cast.owner, width=PHONE, script=False)
    page.goto(f"/accounts/{stage.live.id}")
    hand = Hand(page)
    hand.tap("link", "Deposit the login")
    hand.tap("button", "Make one of characters")
    hand.tap("button", "Deposit it")
    hand.tap("link", "Recovery codes")
    hand.fill("Recovery codes", "1. aaaa-1111\n2. bbbb-2222")
    hand.tap("button", "Deposit them")
    hand.tap("link", "Second factor")
    hand.fill("Key of the second factor", SEED)
    hand.tap("button", "Deposit it")
    digits, _ = code_at(read_seed(SEED), site.home.now())
    expect(page.locator(".secret")).to_have_text(f"{digits[:3]} {digits[3:]}")
    hand.tap("link", "Yes, the same")
    hand.tap("link", "Who can recover it")
    page.get_by_label("Phone number").check()
    hand.fill("Address, number or device", "+44 20 7946 0018")
    page.get_by_label("Whose is it?").select_option(label="The school's")
    hand.taps += 3
    hand.tap("button", "Put it on record")
    kinds = {one.kind for one in held_credentials(site.home.db, stage.live.id)}
    assert {CredentialKind.PASSWORD, CredentialKind.RECOVERY_CODES, CredentialKind.SECOND_FACTOR} <= kinds
    assert (hand.taps, hand.fields) == (16, 3)
    assert 4 * hand.taps + 10 * hand.fields < 120


def test_what_somebody_entered_at_length_never_makes_a_page_wider_than_the_phone(site: Any) -> None:
    stage = set_stage(site.home)
    at, owner = stage.live.id, stage.cast.owner
    kind = ContactKind.SECOND_FACTOR
    record_contact(site.home, owner, at, kind=kind, value="k" * 250, of_school=True, now=NOW)
    record_delegate(site.home, owner, at, name="d" * 200, rights="r" * 200, now=NOW)
    page = site.open(owner, width=PHONE, script=True)
    for path in ("recovery", "delegates", "deposit/parts"):
        page.goto(f"/accounts/{at}/{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE, path


def test_no_page_of_the_deposit_is_longer_than_two_screens_of_a_phone(site: Any) -> None:
    stage = set_stage(site.home)
    page = site.open(stage.cast.owner, width=PHONE, script=True)
    page.set_viewport_size({"width": PHONE, "height": 844})
    for path in ("deposit", "deposit/parts", "deposit/codes", "deposit/second-factor", "deposit/notes", "recovery"):
        page.goto(f"/accounts/{stage.live.id}/{path}")
        size = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
        assert size[0] <= PHONE, path
        assert size[1] <= 2 * 844, path
