"""A private trip account on a Mastodon server, from request to certificate, over HTTP on both sides: people in the web
application, and what happens on the server by its own interface. The server is `mastodon_mock`, a third party's
stand-in.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import acts
import httpx
import pytest
from factories import DOMAIN
from mailbox_sink import free_port
from mastodon_standin import Member, Standin
from networks import Clock
from PIL import Image
from served_school import School, open_school, photo_with_place
from visitor import Visitor

from socialgov.actions.log import verify_log
from socialgov.actions.observing import school_logo

EMAIL, PASSWORD = f"trip@{DOMAIN}", "Boats-and-7-trains!"
PROFILE = f"Official account of Test School for the trip to Wales. Contact: office@{DOMAIN}"


@dataclass
class Story:
    school: School
    server: Standin
    there: Member  # the account, and a token of somebody who has signed in to it by hand
    account: str = ""

    @property
    def account_id(self) -> int:
        return int(self.account.rsplit("/", 1)[-1])

    def as_(self, who: str) -> Visitor:
        return self.school.as_(who).open(self.account)

    def check_now(self) -> dict[str, bool | None]:
        self.as_("teacher").press("Check now")
        return self.school.answers(self.account_id)


@pytest.fixture
def story(tmp_path: Path, mastodon: Standin) -> Iterator[Story]:
    there = mastodon.join("trip_wales")
    with open_school(tmp_path, Clock(), {"mastodon": mastodon.url}, port=free_port()) as school:
        yield Story(school, mastodon, there)


def test_a_locked_account_on_mastodon_from_the_request_to_its_proven_deletion(story: Story) -> None:
    story.account = acts.ask_for_a_trip_account(story.school, "Mastodon", story.there.handle, "Dev Deputy", days=10)
    acts.approve(story.school, story.account)
    it_is_made_by_hand_and_connected(story)
    the_machine_puts_right_what_the_gate_misses(story)
    requests_to_follow_are_answered_from_the_review_queue(story)
    a_photo_goes_to_followers_only(story)
    a_careless_evening_is_found_and_taken_back(story)
    access_taken_away_is_a_task_and_no_lost_account(story)
    its_time_is_over_and_the_machine_does_its_part(story)
    a_person_deletes_it_and_the_machine_sees_it_gone(story)
    the_certificate_says_so_and_nothing_secret_was_kept(story)


def it_is_made_by_hand_and_connected(story: Story) -> None:
    """The server knew nothing of this product: it is registered there by the first who connects."""
    teacher = story.as_("teacher").follow("Record the set-up")
    teacher.fill("Handle", story.there.handle).fill("E-mail address", EMAIL).press("Record")
    acts.deposit(story.school, story.account, story.there.handle, EMAIL, PASSWORD)
    acts.try_login(story.school, story.account)
    own = story.server.join("tess_at_home")
    connect(story, own.name).must_see("You confirmed as", own.name)
    connect(story, story.there.name).must_see("Connected")


def connect(story: Story, name: str) -> Visitor:
    """The teacher, on the account's page and then on the server, signed in there by this name."""
    teacher = story.as_("teacher").follow("Connect with Mastodon").press("Go on to Mastodon")
    return teacher.must_see("Authorize this app as").press(f"(@{name})")


def the_machine_puts_right_what_the_gate_misses(story: Story) -> None:
    """The picture and the privacy by a button; what the server does not tell, people say with a screenshot."""
    acts.vouch_for_recovery(story.school, story.account)
    teacher = story.as_("teacher").follow("Say what is seen").follow("The address it was set up with")
    teacher.fill("E-mail address", EMAIL).attach("Screenshot", story.school.logo).press("Record")
    story.server.update(story.there, note=PROFILE)
    missing = story.check_now()
    assert (missing["ACC102"], missing["ACC103"]) == (None, False)  # its own picture is a drawing nobody can compare
    teacher = story.as_("teacher").follow("Go live").press("Try the gate").must_see("ACC103")
    page = story.as_("teacher").follow("Put it right by machine")
    page.press("Set the school's logo").must_see("logo is its picture now")
    page.press("Make it private").must_see("It was made private")
    face = story.server.face(story.there)
    assert face["locked"] is True
    assert httpx.get(face["avatar"], trust_env=False).content == school_logo(story.school.home)
    story.as_("teacher").follow("Go live").press("Go live").must_see("The account is live")


def requests_to_follow_are_answered_from_the_review_queue(story: Story) -> None:
    """A stranger and a mother ask; what the teacher decides is carried out on the server."""
    acts.import_people(story.school)
    acts.choose_audience(story.school, story.account)
    dave, cara = story.server.join("dave"), story.server.join("cara_b")
    for one in (dave, cara):
        story.server.ask_to_follow(one, story.there)
    assert story.server.followers(story.there) == []
    teacher = story.as_("teacher").press("Check now")
    teacher.follow("Followers").must_see("Asks to follow", dave.handle, cara.handle).follow(dave.handle)
    teacher.fill("Why not", "Nobody here knows who that is.").press("Refuse").must_see("removed on the platform")
    teacher.follow(cara.handle).choose("Cara Birch").fill("How do you know", "She told me at the school gate.")
    teacher.press("Accept").must_see("The follower is accepted")
    assert story.server.followers(story.there) == [cara.name]
    assert story.check_now()["AUD301"] is True
    teacher = story.as_("teacher").follow("Followers").follow("Check again")
    teacher.fill("Why not", "She left.").press("Refuse").must_see("removed on the platform")
    assert story.server.followers(story.there) == []


def a_photo_goes_to_followers_only(story: Story) -> None:
    words = "We are on the boat & it is sunny <3"
    post = acts.draft_post(story.school, story.account, words, photo_with_place(), ("Ada Birch",))
    acts.look_and_publish(story.school, post.address)
    (made,) = story.server.posts_of(story.there, seen_by=story.there)
    assert made["visibility"] == "private"
    (shown,) = made["media_attachments"]
    assert shown["description"] == "Pupils on a boat."
    photo = httpx.get(shown["url"], trust_env=False).content
    assert not Image.open(BytesIO(photo)).getexif(), "no place, device or author"
    assert story.server.posts_of(story.there) == []
    assert story.check_now()["MED512"] is True


def a_careless_evening_is_found_and_taken_back(story: Story) -> None:
    """Made with an app, past the product; the next pass of the scheduler finds it, and buttons take it back."""
    stranger = story.server.join("stranger")
    theirs = story.server.post(stranger, "Look at me")
    story.server.like(story.there, theirs)
    story.server.repost(story.there, theirs)
    story.server.ask_to_follow(story.there, stranger)
    public = story.server.post(story.there, "Everybody, look", visibility="public")
    story.school.pass_days(1.1)
    story.school.run_jobs()
    broken = {rule for rule, answer in story.school.answers(story.account_id).items() if answer is False}
    assert {"INT401", "INT402", "INT403", "MED512", "ACC103"} <= broken
    page = story.as_("teacher").follow("Put it right by machine")
    page.press("Take all likes back").must_see("1 like taken back")
    page.press("Take all reposts back").must_see("1 repost taken back")
    page.press("Unfollow everybody").must_see("1 follow taken back")
    page.press("Take all likes back").must_see("There was no like to take back")
    story.server.call(story.there, "DELETE", f"/api/v1/statuses/{public}")
    answers = story.check_now()
    assert all(answers[rule] for rule in ("INT401", "INT402", "INT403", "MED512", "ACC103"))


def access_taken_away_is_a_task_and_no_lost_account(story: Story) -> None:
    """Somebody removes the app in the server's settings: it is connected again, and the last true picture stood."""
    story.server.call(None, "POST", "/oauth/revoke", data={"token": newest_token(story)})
    story.as_("teacher").press("Check now")
    assert story.school.answers(story.account_id)["ACC103"] is True, "the last true picture stands"
    for who in ("teacher", "network manager"):
        story.school.as_(who).open("/").must_see("onnect it again", story.there.handle)
    story.as_("teacher").open(f"{story.account}/connection").must_see("no longer lets socialgov in")
    connect(story, story.there.name).must_see("Connected")
    assert story.check_now()["ACC103"] is True


def newest_token(story: Story) -> str:
    """The one that the server gave to the product."""
    users = story.server.call(None, "GET", "/api/v1/_mock/dev_users")
    return next(one["access_token"] for one in users if one["id"] == story.there.id)


def its_time_is_over_and_the_machine_does_its_part(story: Story) -> None:
    story.school.pass_days(11)
    story.school.run_jobs()
    story.as_("teacher").must_see("being closed")
    assert story.server.posts_of(story.there, seen_by=story.there) == []


def a_person_deletes_it_and_the_machine_sees_it_gone(story: Story) -> None:
    """A server lets nobody but a person delete the account; what was deleted is seen to be gone without any access."""
    story.school.pass_days(0.1)
    acts.deposit(story.school, story.account, story.there.handle, EMAIL, "Trains-and-9-boats!")
    do_this_step(story, "Change the password")
    story.school.run_jobs()
    page = story.as_("teacher").follow("Follow the closing").follow("Do this step")
    page.must_see("look for the account's deletion")
    do_this_step(story, "Deactivate")
    story.server.delete(story.there)
    story.school.pass_days(1)
    do_this_step(story, "Deactivate")
    for _ in range(3):
        story.school.run_jobs()
        story.school.pass_days(1)
    story.as_("head").must_see("Closed for good")


def do_this_step(story: Story, title: str) -> Visitor:
    teacher = story.as_("teacher").follow("Follow the closing").follow("Do this step").must_see(title)
    if any(control.type == "file" for form in teacher.forms for control in form.controls):
        teacher.attach("Screenshot", story.school.logo)
    return teacher.press("It is done")


def the_certificate_says_so_and_nothing_secret_was_kept(story: Story) -> None:
    head = story.as_("head").follow("Certificate of deletion")
    head.must_see(story.there.handle, "What was done and seen", "gone", "read from the platform")
    assert verify_log(story.school.home).fault is None
    kept = b"".join(path.read_bytes() for path in story.school.home.path.rglob("*") if path.is_file())
    assert PASSWORD.encode() not in kept
