"""The whole story of one trip account on a platform with no interface for us: people do everything, each in a real
browser (the teacher on a phone), and every fact rests on a screenshot that was uploaded.

The screenshots are pictures that the test draws: what they show is for a person to judge, and the product's part is to
keep them sealed, dated, hashed and named. The clock moves by hand.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import plugin_browser
import pytest
from factories import DOMAIN, ESCROW, NOW, VAULT_PASSPHRASE, make_home, manager_of, staff
from networks import served
from people_school import carer, permit, photo, pupil
from PIL import Image, ImageDraw

from socialgov.actions.certificates import verify_certificate
from socialgov.actions.signin import make_signin_link
from socialgov.escrow.codes import code_at, read_seed
from socialgov.home import Home
from socialgov.jobs import run_once
from socialgov.models import AccountState, Person, Role, Staff
from socialgov.store.accounts import account_by_id
from socialgov.store.events import verify_chain
from socialgov.store.rows import scalar
from socialgov.web import build_app

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

pytestmark = pytest.mark.browser

SECRET = "kV9#mQ2x-Tolpuddle-61"
HANDLE = "ski.trip.testschool"
PHONE, DESK = 390, 1280


@dataclass
class Clock:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Story:
    """The school in its browsers. `as_(who)` is a page in which that person is signed in and looks at the account."""

    home: Home
    clock: Clock
    url: str
    browser: Browser
    people: dict[str, Staff]
    account_id: int = 0
    others: dict[str, Person] = field(default_factory=dict)
    signed_in: dict[tuple[str, datetime], BrowserContext] = field(default_factory=dict)

    def as_(self, who: str, path: str | None = None) -> Page:
        """At one moment a person has one browser; after a jump in time they sign in anew."""
        key = (who, self.clock.now)
        if key not in self.signed_in:
            self.signed_in[key] = self._sign_in(who)
        page = self.signed_in[key].new_page()
        page.goto(path or (f"/accounts/{self.account_id}" if self.account_id else "/"))
        return page

    def _sign_in(self, who: str) -> BrowserContext:
        width = PHONE if who in ("teacher", "deputy") else DESK
        context = self.browser.new_context(
            base_url=self.url, viewport={"width": width, "height": 800}, java_script_enabled=False
        )
        context.set_default_timeout(10_000)
        page = context.new_page()
        page.goto(make_signin_link(self.home, self.people[who].id, actor="cli", now=self.clock.now))
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(lambda url: "/signin/" not in url)  # closed earlier, it might not have its session yet
        page.close()
        return context

    def pass_days(self, days: float) -> None:
        self.clock.now += timedelta(days=days)

    @property
    def state(self) -> AccountState:
        return account_by_id(self.home.db, self.account_id).state


@pytest.fixture
def story(tmp_path: Path, browser: Browser) -> Iterator[Story]:
    home = make_home(tmp_path, logo=logo())
    clock = Clock()
    policy = replace(home.settings.policy, link_needs_second_factor=False)  # people of a story sign in by link alone
    # without https and without script, where an authenticator's code opens the vault (actions/factors.py)
    settings = replace(home.settings, policy=policy, base_url="http://127.0.0.1:5000")
    home = Home(home.path, settings, ESCROW, clock=clock)
    people = {
        "teacher": staff(home, Role.TEACHER, name="Tess Teacher"),
        "deputy": staff(home, Role.TEACHER, name="Dev Deputy"),
        "manager": manager_of(home),
        "head": staff(home, Role.HEAD, name="Hana Head"),
    }
    with served(build_app(home)) as url:
        yield Story(home, clock, url, browser, people)


def logo() -> bytes:
    image = Image.new("RGB", (256, 256), "white")
    pen = ImageDraw.Draw(image)
    pen.polygon([(30, 20), (226, 20), (226, 130), (128, 240), (30, 130)], fill="#14387f")
    pen.rectangle((60, 50, 196, 100), fill="#f2c230")
    return png(image)


def png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def picture_of(words: str) -> bytes:
    """What a phone would show, with these words on it."""
    image = Image.new("RGB", (390, 844), "white")
    ImageDraw.Draw(image).text((20, 40), words, fill="black")
    return png(image)


def screenshot(words: str) -> Any:
    """A picture with `words` in it, as a file chosen on the page."""
    return {"name": "screenshot.png", "mimeType": "image/png", "buffer": picture_of(words)}


def press(page: Page, name: str) -> None:
    _click(page, "button", name)


def follow(page: Page, name: str) -> None:
    _click(page, "link", name)


def _click(page: Page, role: Any, name: str) -> None:
    found = page.get_by_role(role, name=name).first
    if not found.count():
        see(page, f"a {role} {name!r}")  # fails, with what the page says
    plugin_browser.follow(found)


def see(page: Page, *words: str) -> None:
    text = " ".join((page.text_content("body") or "").split())  # what is folded away counts too
    for word in words:
        assert word.casefold() in text.casefold(), f"no {word!r} at {page.url}:\n{text}"


def test_a_trip_account_without_any_interface_from_request_to_certificate(story: Story) -> None:
    the_teacher_asks_and_the_manager_approves(story)
    the_gate_stays_shut_until_each_fact_has_its_evidence(story)
    a_follower_is_checked_and_a_stranger_refused(story)
    a_photo_is_refused_without_permission_and_handed_over_with_it(story)
    evidence_grows_old_and_stops_counting(story)
    its_time_is_over_and_people_take_it_down(story)
    the_certificate_tells_what_was_seen_and_what_not(story)


def the_teacher_asks_and_the_manager_approves(story: Story) -> None:
    teacher = story.as_("teacher", "/request/")
    follow(teacher, "Start now")
    teacher.get_by_label("Instagram").check()
    press(teacher, "Continue")
    teacher.get_by_label("trip").first.check()
    press(teacher, "Continue")
    teacher.get_by_label("Purpose").fill("News from the year 9 ski trip.")
    teacher.get_by_label("Audience").fill("Parents and carers of the trip's pupils.")
    press(teacher, "Continue")
    teacher.get_by_label("Handle").fill(HANDLE)
    press(teacher, "Continue")
    fill_day(teacher, "First day", NOW.date())
    fill_day(teacher, "Last day", NOW.date() + timedelta(days=40))
    press(teacher, "Continue")
    teacher.get_by_label("Deputy").select_option(label="Dev Deputy")
    press(teacher, "Continue")
    see(teacher, "Check your answers", "ski trip", "Dev Deputy")
    press(teacher, "Send")
    story.account_id = int(teacher.url.rstrip("/").rsplit("/", 1)[1])
    assert story.state is AccountState.REQUESTED
    manager = story.as_("manager")
    follow(manager, "Decide")
    manager.get_by_label("Approve").check()
    press(manager, "decision")
    assert story.state is AccountState.APPROVED


def fill_day(page: Page, legend: str, day: date) -> None:
    group = page.get_by_role("group", name=legend)
    for name, number in (("Day", day.day), ("Month", day.month), ("Year", day.year)):
        group.get_by_label(name).fill(str(number))


def attest(story: Story, who: str, fact: str, answer: str | None, words: str) -> None:
    """Say what is seen, with a screenshot. `answer` is a label to check, else a value to fill in."""
    page = story.as_(who, f"/accounts/{story.account_id}/facts/{fact}")
    if answer in ("Yes", "No"):
        page.get_by_label(answer, exact=True).check()
    elif answer is not None:
        page.locator(
            "main textarea, main input[type=text], main input[type=email], main input[type=number]"
        ).first.fill(answer)
    page.locator("input[type=file]").set_input_files(screenshot(words))
    press(page, "Record")
    see(page, "recorded")


def open_the_vault(story: Story, manager: Page) -> None:
    """An app on the phone first, in a browser without script; its first code shows who it is, then the passphrase."""
    manager.goto("/signing-in/authenticator/add")
    press(manager, "Show the picture")
    seed = read_seed(manager.locator("#seed").inner_text())
    manager.get_by_label("Code from your authenticator app").fill(code_at(seed, story.clock.now)[0])
    press(manager, "Confirm")
    manager.goto("/vault/open")
    manager.get_by_label("Your vault passphrase").fill(VAULT_PASSPHRASE)
    press(manager, "Open it")
    see(manager, "The vault is open")


def the_gate_stays_shut_until_each_fact_has_its_evidence(story: Story) -> None:
    teacher = story.as_("teacher")
    follow(teacher, "Record the set-up")
    teacher.get_by_label("Handle").fill(HANDLE)
    teacher.get_by_label("E-mail").fill(f"trips@{DOMAIN}")
    press(teacher, "Record")
    follow(teacher, "Deposit")
    teacher.get_by_label("User name").fill(HANDLE)
    teacher.get_by_label("E-mail").fill(f"trips@{DOMAIN}")
    teacher.get_by_label("Password", exact=True).fill(SECRET)
    press(teacher, "Deposit")
    see(teacher, "deposited")
    teacher.goto(f"/accounts/{story.account_id}/gate")
    press(teacher, "Try the gate")
    see(teacher, "ACC101", "ACC102", "ACC103", "ACC106", "SEC205", "SEC206")
    assert story.state is AccountState.APPROVED
    attest(story, "teacher", "private", "Yes", "This account is private")
    profile = f"Official account of Test School. Contact office@{DOMAIN}."
    attest(story, "teacher", "profile_text", profile, profile)
    attest(story, "teacher", "setup_email", f"trips@{DOMAIN}", f"E-mail: trips@{DOMAIN}")
    attest(story, "teacher", "recovery_with_school", "Yes", "Recovery: the office")
    attest(story, "teacher", "followers", "0", "0 followers")
    page = story.as_("teacher", f"/accounts/{story.account_id}/facts/logo")
    page.locator("input[type=file]").first.set_input_files(
        {"name": "avatar.png", "mimeType": "image/png", "buffer": logo()}
    )
    press(page, "Compare it")
    manager = story.as_("manager")
    open_the_vault(story, manager)
    manager.goto(f"/accounts/{story.account_id}")
    follow(manager, "See the password")
    manager.get_by_label("Reason").fill("To try whether it works.")
    press(manager, "Show")
    see(manager, SECRET)
    manager.goto(f"/accounts/{story.account_id}/login-test")
    manager.get_by_label("Yes").check()
    press(manager, "Record it")
    teacher.goto(f"/accounts/{story.account_id}/gate")
    press(teacher, "Go live")
    assert story.state is AccountState.LIVE
    see(teacher, "live")


def a_follower_is_checked_and_a_stranger_refused(story: Story) -> None:
    child = pupil(story.home, "Ada", "Moss")
    parent = carer(story.home, "Rae", "Moss", of=[child])
    story.others["Ben Fell"] = other = pupil(story.home, "Ben", "Fell")
    permit(story.home, child, by=parent)
    teacher = story.as_("teacher", f"/accounts/{story.account_id}/audience/pupils?q=Ada")
    teacher.get_by_label("Ada Moss").check()
    press(teacher, "Save")
    see(teacher, "Ada Moss", "Rae Moss")
    assert other.name not in teacher.inner_text("main")
    for handle, name in (("rae.moss.home", "Rae M"), ("dave32457", "Dave")):
        teacher.goto(f"/accounts/{story.account_id}/followers/add")
        teacher.get_by_label("Name on the platform").fill(handle)
        teacher.get_by_label("Name shown beside it").fill(name)
        press(teacher, "Add and check")
        if handle == "dave32457":
            teacher.get_by_label("Why not?").fill("Nobody knows who that is.")
            press(teacher, "Refuse and remove")
        else:
            teacher.get_by_label("Rae Moss").check()
            teacher.get_by_label("How do you know?").fill("She told me her handle at the gate.")
            press(teacher, "Accept")
    see(teacher, "To remove on Instagram: 1", "Rae Moss")
    press(teacher, "I have removed")
    assert "To remove" not in teacher.inner_text("main")


def a_photo_is_refused_without_permission_and_handed_over_with_it(story: Story) -> None:
    teacher = story.as_("teacher", f"/accounts/{story.account_id}/posts/new")
    teacher.locator("textarea").first.fill("First day on the slopes.")
    press(teacher, "Save")
    teacher.locator("input[type=file]").set_input_files(
        {"name": "slope.jpg", "mimeType": "image/jpeg", "buffer": photo()}
    )
    teacher.get_by_label("What does the photo show?").fill("Two pupils in ski clothes.")
    press(teacher, "Add the photo")
    teacher.goto(teacher.url.rstrip("/").replace("/photo", "/who"))
    teacher.locator("input[inputmode=numeric]").fill("2")
    teacher.get_by_label("Ada Moss").first.check()
    teacher.locator("input[type=search]").fill("Fell")
    press(teacher, "Search")
    teacher.get_by_label("Ben Fell").first.check()
    press(teacher, "Save")
    post = teacher.url.rstrip("/").split("/confirm")[0].split("/who")[0]
    teacher.goto(f"{post}/confirm")
    for label in ("cannot be taken back", "school equipment", "own work"):
        teacher.get_by_label(label).check()
    press(teacher, "Confirm")
    teacher.goto(post)
    see(teacher, "No parent or carer of Ben Fell has permitted this")
    see(teacher, "MED501", "MED504")
    press(teacher, "Ask a colleague to look")
    see(teacher, "Ben Fell")
    assert scalar(story.home.db, "select state from post") == "draft"
    ben = story.others["Ben Fell"]
    permit(story.home, ben, by=carer(story.home, "Jo", "Fell", of=[ben]))
    teacher.goto(post)
    press(teacher, "Ask a colleague to look")
    colleague = story.as_("deputy", post)
    follow(colleague, "Say whether it may go out")
    colleague.get_by_label("Yes, I have looked at it").check()
    press(colleague, "Save")
    teacher.goto(post)
    press(teacher, "Hand over for posting")
    if not teacher.url.endswith("hand-over"):
        follow(teacher, "Post it on Instagram")
    saved = teacher.request.get(teacher.get_by_role("link", name="Save photo 1").get_attribute("href"))
    assert Image.open(io.BytesIO(saved.body())).getexif() == {}
    teacher.get_by_label("Link of the post").fill("https://www.instagram.com/p/Cabc123/")
    press(teacher, "It is out")
    see(teacher, "Published")
    assert scalar(story.home.db, "select state from post") == "published"


def evidence_grows_old_and_stops_counting(story: Story) -> None:
    """Nothing changed, but nobody has looked for weeks: the rules say that they cannot tell."""
    story.pass_days(33)
    run_once(story.home, story.clock.now)
    page = story.as_("manager")
    see(page, "which is too long ago to count: look again")
    attest(story, "teacher", "private", "No", "This account is public")
    page.reload()
    see(page, "It is public: anybody can see what it posts.")


def its_time_is_over_and_people_take_it_down(story: Story) -> None:
    story.pass_days(10)
    run_once(story.home, story.clock.now)
    assert story.state is AccountState.CLOSING
    teacher = story.as_("teacher", f"/accounts/{story.account_id}/closing")
    for _ in range(20):
        if story.state is AccountState.CLOSED:
            return
        teacher.goto(f"/accounts/{story.account_id}/closing")
        if not teacher.get_by_role("link", name="Do this step").count():
            story.pass_days(8)
            run_once(story.home, story.clock.now)
            teacher = story.as_("teacher", f"/accounts/{story.account_id}/closing")
            continue
        follow(teacher, "Do this step")
        heading = teacher.inner_text("h1")
        if heading == "Change the password":
            story.pass_days(0.01)
            follow(teacher, "Deposit the new password")
            teacher.get_by_label("User name").fill(HANDLE)
            teacher.get_by_label("E-mail").fill(f"trips@{DOMAIN}")
            teacher.get_by_label("Password", exact=True).fill("another-Rowlock-82-harbour")
            press(teacher, "Deposit")
            teacher.goto(f"/accounts/{story.account_id}/closing")
            follow(teacher, "Do this step")
        if teacher.locator("input[type=file]").count():
            teacher.locator("input[type=file]").set_input_files(screenshot(heading))
        press(teacher, "It is done")
    raise AssertionError(teacher.inner_text("main"))


def the_certificate_tells_what_was_seen_and_what_not(story: Story) -> None:
    head = story.as_("head", f"/accounts/{story.account_id}/certificate")
    see(head, HANDLE, "What could not be seen", "a person's word is the evidence: see it gone for good")
    file = head.request.get(f"/accounts/{story.account_id}/certificate.json").text()
    report = verify_certificate(file, story.home)
    assert report.valid, report.fault
    assert not verify_certificate(file.replace(HANDLE, "another.handle"), story.home).valid
    seen = {step["step"]: step["seen"] for step in json.loads(file)["certificate"]["steps"] if "seen" in step}
    gone = seen["see_it_gone_for_good"]
    assert (gone["value"], gone["source"]) == ("gone", "attested")
    assert gone["evidence_sha256"] == hashlib.sha256(picture_of("See it gone for good")).hexdigest()
    for table in ("follower", "audience_member", "depiction"):
        assert scalar(story.home.db, f"select count(*) from {table}") == 0
    assert verify_chain(story.home.db).whole
