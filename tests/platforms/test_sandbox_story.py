"""A private trip account on the simulated network, from request to certificate, over HTTP on both sides: people in the
web application, and an outsider and a careless teacher on the network's own pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import acts
import pytest
from factories import DOMAIN
from networks import Sandbox
from served_school import School, open_school, photo_with_place
from visitor import Visitor

from socialgov.sandbox.wall import Wall

HANDLE, EMAIL, PASSWORD = "trip_wales", f"trip@{DOMAIN}", "Boats-and-7-trains!"
PROFILE = f"Official account of Test School for the trip to Wales. Contact: office@{DOMAIN}"


@dataclass
class Story:
    school: School
    sandbox: Sandbox
    account: str = ""

    @property
    def account_id(self) -> int:
        return int(self.account.rsplit("/", 1)[-1])

    def as_(self, who: str) -> Visitor:
        return self.school.as_(who).open(self.account)

    def outsider(self, name: str) -> Visitor:
        """A visitor of the network's own pages, as this play identity."""
        visitor = Visitor(self.sandbox.url).open("/")
        return visitor.fill("Name of a new outsider", name).press("Make and be")

    def with_the_password(self) -> Visitor:
        """Somebody who knows the account's password, on the network's own pages."""
        visitor = Visitor(self.sandbox.url).open("/sign-in")
        return visitor.fill("Name", HANDLE).fill("Password", PASSWORD).press("Sign in")


@pytest.fixture
def story(tmp_path: Path, sandbox: Sandbox) -> Iterator[Story]:
    with open_school(tmp_path, sandbox.clock, {"sandbox": f"{sandbox.url}/api"}) as school:
        yield Story(school, sandbox)


def test_a_private_account_is_kept_private_and_closes_by_itself(story: Story) -> None:
    story.account = acts.ask_for_a_trip_account(story.school, "Sandbox", HANDLE, "Dev Deputy", days=20)
    acts.approve(story.school, story.account)
    it_is_set_up_on_the_network_and_goes_live(story)
    followers_are_checked_one_by_one(story)
    a_flipped_privacy_switch_is_caught(story)
    only_checked_followers_see_the_photo(story)
    it_closes_without_anybody_doing_anything(story)


def it_is_set_up_on_the_network_and_goes_live(story: Story) -> None:
    there = Visitor(story.sandbox.url).open("/join")
    there.fill("Name", HANDLE).fill("E-mail", EMAIL).fill("Password", PASSWORD).press("Make the account")
    there.press("Make it private")
    there.fill("Profile text", PROFILE).attach("Profile picture", story.school.logo).press("Save the profile")
    teacher = story.as_("teacher").follow("Record the set-up")
    teacher.fill("Handle", HANDLE).fill("E-mail address", EMAIL).press("Record")
    acts.deposit(story.school, story.account, HANDLE, EMAIL, PASSWORD)
    acts.try_login(story.school, story.account)
    acts.vouch_for_recovery(story.school, story.account)
    teacher.open(story.account).press("Check now")
    teacher.open(story.account).follow("Go live").press("Go live").must_see("The account is live")


def followers_are_checked_one_by_one(story: Story) -> None:
    """A stranger and a mother ask to follow; the machine carries out on the network what the teacher decides."""
    acts.import_people(story.school)
    acts.choose_audience(story.school, story.account)
    for name in ("dave32457", "cara_b"):
        story.outsider(name).open(f"/@{HANDLE}").press("Ask to follow").must_see("These posts are private")
    teacher = story.as_("teacher").press("Check now")
    teacher.follow("Followers").must_see("dave32457", "cara_b").follow("dave32457")
    teacher.fill("Why not", "Nobody here knows who that is.").press("Refuse").must_see("removed on the platform")
    teacher.follow("cara_b").choose("Cara Birch").fill("How do you know", "She told me at the school gate.")
    teacher.press("Accept").must_see("The follower is accepted")
    there = story.sandbox.network.named(HANDLE)
    assert [(one.name, accepted) for one, accepted in story.sandbox.network.followers(there)] == [("cara_b", True)]
    teacher.open(story.account).press("Check now")
    assert story.school.answers(story.account_id)["AUD301"] is True


def a_flipped_privacy_switch_is_caught(story: Story) -> None:
    """Somebody with the password makes the account public; the next pass of the scheduler finds it."""
    careless = story.with_the_password().open("/settings").press("Make it public").must_see("is public now")
    story.school.pass_days(1.1)
    story.school.run_jobs()
    story.as_("network manager").must_see("It is public: anybody can see what it posts.")
    story.school.as_("teacher").open("/").must_see(HANDLE)
    careless.open("/settings").press("Make it private")
    story.as_("network manager").press("Check now")
    assert story.school.answers(story.account_id)["ACC103"] is True


def only_checked_followers_see_the_photo(story: Story) -> None:
    post = acts.draft_post(story.school, story.account, "We are on the boat.", photo_with_place(), ("Ada Birch",))
    acts.look_and_publish(story.school, post.address)
    mother = Visitor(story.sandbox.url).open("/").press("Be @cara_b")
    mother.open(f"/@{HANDLE}").must_see("We are on the boat.")
    stranger = Visitor(story.sandbox.url).open("/").press("Be @dave32457").open(f"/@{HANDLE}")
    assert not stranger.sees("We are on the boat.")


def it_closes_without_anybody_doing_anything(story: Story) -> None:
    """This network can do everything by machine but deletion on demand: that happens by itself after its days."""
    there = story.sandbox.network.named(HANDLE)
    story.school.pass_days(21)
    story.school.run_jobs()
    assert Wall(story.sandbox.network).entries(there) == []
    assert story.sandbox.network.member(there.id).deactivated_at is not None
    assert not story.with_the_password().sees("You are @trip_wales"), "the machine changed the password"
    for _ in range(5):
        story.school.pass_days(7)
        story.school.run_jobs()
    assert story.sandbox.network.member(there.id).deleted_at is not None
    head = story.as_("head").must_see("Closed for good").follow("Certificate of deletion")
    head.must_see(HANDLE, "What was done and seen", "gone")
