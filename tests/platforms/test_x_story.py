"""A protected trip account on X, from request to certificate, against a stand-in for X that is strict and remembers.

The school speaks to it with tweepy's own client over HTTP, in the older and in the newer names of X's fields. What
people do in X's own app (sign up, protect, accept a follower, be careless, deactivate) is done to the stand-in's world.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from pathlib import Path

import acts
import pytest
from factories import DOMAIN
from mailbox_sink import free_port
from networks import Clock
from peers.x_standin import StandIn, User, standing_in
from peers.x_standin.calls import WRITE_MICROS
from PIL import Image
from served_school import School, open_school, photo_with_place
from visitor import Visitor

from socialgov.actions.log import verify_log
from socialgov.store.spending import spent

HANDLE, EMAIL, PASSWORD = "trip_wales", f"trip@{DOMAIN}", "Boats-and-7-trains!"
PROFILE = f"Official account of Test School for the trip to Wales. Contact: office@{DOMAIN}"


@dataclass
class Story:
    school: School
    x: StandIn
    account: str = ""
    member: User | None = None

    @property
    def there(self) -> User:
        """The account as X has it."""
        assert self.member is not None
        return self.member

    @property
    def account_id(self) -> int:
        return int(self.account.rsplit("/", 1)[-1])

    def as_(self, who: str) -> Visitor:
        return self.school.as_(who).open(self.account)

    @property
    def booked(self) -> int:
        """What the school's own books say that X has cost, in micros; what is in doubt included."""
        return spent(self.school.home.db, "x", date(2026, 1, 1), date(2026, 12, 31)).micros

    def check_now(self) -> dict[str, bool | None]:
        """A quarter of an hour later: what costs money is not asked again at once."""
        self.school.pass_days(0.011)
        self.as_("teacher").press("Check now")
        return self.school.answers(self.account_id)


@pytest.fixture(params=["tweet", "post"])  # the two vocabularies of X
def story(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Story]:
    clock, port = Clock(), free_port()
    with standing_in(clock, request.param) as x:
        client = x.doors.register(f"http://127.0.0.1:{port}/connections/callback")
        secret, app = tmp_path / "x-secret", tmp_path / "x-app-token"
        secret.write_text(f"{client.secret}\n")
        app.write_text(f"{x.doors.app_token()}\n")
        lines = (
            f'client_id = "{client.id}"\nclient_secret_file = "{secret}"\napp_token_file = "{app}"\n'
            'monthly_budget = "20.00"'
        )
        with open_school(tmp_path, clock, {"x": x.url}, port=port, settings_of={"x": lines}) as school:
            yield Story(school, x)


def test_a_protected_account_on_x_from_the_request_to_its_proven_deletion(story: Story) -> None:
    story.account = acts.ask_for_a_trip_account(story.school, "X", HANDLE, "Dev Deputy", days=10)
    acts.approve(story.school, story.account)
    it_is_set_up_by_hand_and_connected(story)
    the_gate_asks_x_itself_and_opens(story)
    a_stranger_among_the_followers_is_put_out(story)
    only_a_checked_photo_goes_out_with_its_words(story)
    a_careless_evening_is_found_and_taken_back(story)
    a_flipped_privacy_switch_is_caught(story)
    its_time_is_over_and_its_content_comes_down(story)
    people_change_the_password_and_deactivate_it(story)
    it_is_seen_gone_and_after_thirty_days_again(story)
    the_certificate_says_so_and_nothing_secret_was_kept(story)


def it_is_set_up_by_hand_and_connected(story: Story) -> None:
    """The browser goes to X and comes back; somebody who is signed in there as another account gets nowhere."""
    it_is_set_up_by_hand(story)
    acts.deposit(story.school, story.account, HANDLE, EMAIL, PASSWORD)
    acts.try_login(story.school, story.account)
    own = story.x.world.join("tess_at_home", password=PASSWORD)
    connect(story, own.username).must_see("You confirmed as tess_at_home")
    connect(story, HANDLE).must_see("Connected")
    assert [grant.user_id for grant in story.x.doors.grants if not grant.ended] == [story.there.id]


def it_is_set_up_by_hand(story: Story) -> None:
    story.member = story.x.world.join(
        HANDLE, password=PASSWORD, email=EMAIL, description=PROFILE, picture=story.school.logo
    )
    teacher = story.as_("teacher").follow("Record the set-up")
    teacher.fill("Handle", HANDLE).fill("E-mail address", EMAIL).press("Record")


def connect(story: Story, username: str) -> Visitor:
    """The teacher, on the account's page and then on X, signed in there by this name."""
    teacher = story.as_("teacher").open(f"{story.account}/connection").press("Go on to X")
    teacher.fill("Username", username).fill("Password", PASSWORD).press("Sign in")
    return teacher.must_see("wants to access", f"@{username}").press("Authorize app")


def the_gate_asks_x_itself_and_opens(story: Story) -> None:
    acts.vouch_for_recovery(story.school, story.account)
    teacher = story.as_("teacher").follow("Go live").press("Try the gate")
    teacher.must_see("cannot go live", "ACC103")
    story.x.world.protect(story.there)
    story.check_now()
    story.as_("teacher").follow("Go live").press("Go live").must_see("The account is live")


def a_stranger_among_the_followers_is_put_out(story: Story) -> None:
    """X shows nobody who asks to follow, and takes nobody out by machine: people do, and the machine looks."""
    acts.import_people(story.school)
    acts.choose_audience(story.school, story.account)
    for name in ("dave32457", "cara_b"):
        story.x.world.accept(story.there, story.x.world.follow(name, story.there))
    story.check_now()
    teacher = story.as_("teacher").follow("Followers").must_see("dave32457", "cara_b")
    teacher.follow("cara_b").choose("Cara Birch").fill("How do you know", "She told me at the school gate.").press(
        "Accept"
    )
    teacher.follow("dave32457").fill("Why not", "Nobody here knows who that is.").press("Refuse")
    teacher.must_see("To remove on X: 1")
    assert story.check_now()["AUD301"] is False, "he still follows"
    dave = story.x.world.anybody("dave32457")
    story.x.world.remove_follower(story.there, dave)
    story.as_("teacher").follow("Followers").press("I have removed")
    assert story.check_now()["AUD301"] is True


def only_a_checked_photo_goes_out_with_its_words(story: Story) -> None:
    words = "We are on the boat & it is sunny."
    post = acts.draft_post(story.school, story.account, words, photo_with_place(), ("Ada Birch",))
    story.x.answers_lost["create"] = 1
    acts.take_a_second_look(story.school, post.address).press("Publish").must_see("answer was lost")
    story.school.pass_days(0.01)
    story.school.run_jobs()
    (made,) = story.x.world.posts_of(story.there)
    assert (made.text, [media.alt for media in made.media]) == (words, ["Pupils on a boat."])
    assert not Image.open(BytesIO(made.media[0].content)).getexif(), "no place, device or author"
    assert story.check_now()["MED512"] is True
    page = Visitor(story.x.url).open(f"/{HANDLE}").must_see("These posts are protected")
    assert not page.sees("boat")


def a_careless_evening_is_found_and_taken_back(story: Story) -> None:
    """Made with X's own app, past the product; the next pass of the scheduler finds all of it."""
    world, stranger = story.x.world, story.x.world.anybody("stranger")
    theirs = world.post(stranger, "Look at me")
    world.like(story.there, theirs)
    world.repost(story.there, theirs)
    world.post(story.there, "Past every check")
    world.post(story.there, "You are funny", answers=theirs)
    world.follow(story.there, stranger)
    story.school.pass_days(1.1)
    story.school.run_jobs()
    answers = story.school.answers(story.account_id)
    broken = {rule for rule, answer in answers.items() if answer is False}
    assert {"INT401", "INT402", "INT403", "INT404", "MED512"} <= broken
    story.as_("network manager").must_see("1 like seen", "2 posts on the account past the school's checks")
    the_machine_takes_back_what_x_lets_it(story)
    for post in world.posts_of(story.there):
        if not post.media:
            world.delete(post)
    answers = story.check_now()
    assert all(answers[rule] for rule in ("INT401", "INT402", "INT403", "INT404", "MED512"))


def the_machine_takes_back_what_x_lets_it(story: Story) -> None:
    """Likes are not part of the school's plan: X says so once, and from then on a person takes them back."""
    story.x.not_offered["unlike"] = "client"
    teacher = story.as_("teacher").follow("Put it right by machine")
    for button, said in (("Unfollow everybody", "1 follow"), ("Take all reposts back", "1 repost")):
        teacher.press(button).must_see(f"{said} taken back")
    teacher.press("Take all likes back").must_see("does not offer this")
    assert not teacher.has_button("Take all likes back")
    assert story.x.world.following(story.there) == []
    assert len(story.there.likes) == 1
    story.there.likes.clear()


def a_flipped_privacy_switch_is_caught(story: Story) -> None:
    story.x.world.protect(story.there, False)
    story.school.pass_days(1.1)
    story.school.run_jobs()
    story.as_("network manager").must_see("It is public: anybody can see what it posts.")
    story.x.world.protect(story.there)
    assert story.check_now()["ACC103"] is True


def its_time_is_over_and_its_content_comes_down(story: Story) -> None:
    story.school.pass_days(11)
    story.school.run_jobs()
    story.as_("teacher").must_see("being closed")
    assert story.x.world.posts_of(story.there) == []


def people_change_the_password_and_deactivate_it(story: Story) -> None:
    """What X keeps for its own app waits for a person; between the two the machine ends its own access."""
    story.school.pass_days(0.1)
    story.there.password = "Trains-and-9-boats!"
    acts.deposit(story.school, story.account, HANDLE, EMAIL, story.there.password)
    do_this_step(story, "Change the password")
    story.school.run_jobs()
    assert all(grant.ended for grant in story.x.doors.grants)
    story.as_("teacher").follow("Follow the closing").follow("Do this step").must_see("On X deactivating leads to")
    do_this_step(story, "Deactivate").must_see("Deactivate")
    assert story.there.deactivated_at is None, "it was only said: the machine looked, and it was there"
    story.x.world.deactivate(story.there)
    story.school.pass_days(1)
    do_this_step(story, "Deactivate")


def do_this_step(story: Story, title: str) -> Visitor:
    teacher = story.as_("teacher").follow("Follow the closing").follow("Do this step").must_see(title)
    if any(control.type == "file" for form in teacher.forms for control in form.controls):
        teacher.attach("Screenshot", story.school.logo)
    return teacher.press("It is done")


def it_is_seen_gone_and_after_thirty_days_again(story: Story) -> None:
    """By its lasting number, with a token of the school's own: nobody is let into the account any more."""
    for _ in range(8):
        story.school.run_jobs()
        story.school.pass_days(7)
    assert story.x.world.is_gone(story.there)
    story.x.world.join(HANDLE)  # somebody else has the name at once
    story.school.run_jobs()
    looks = [asked for asked in story.x.calls("users") if not asked.user_id]
    assert {asked.query["ids"] for asked in looks} == {story.there.id}
    story.as_("head").must_see("Closed for good")


def the_certificate_says_so_and_nothing_secret_was_kept(story: Story) -> None:
    head = story.as_("head").follow("Certificate of deletion")
    head.must_see(HANDLE, "What was done and seen", "gone", "read from the platform")
    assert verify_log(story.school.home).fault is None
    kept = b"".join(path.read_bytes() for path in story.school.home.path.rglob("*") if path.is_file())
    secrets = [story.there.password, *(secret for grant in story.x.doors.grants for secret in (grant.access,))]
    assert not [secret for secret in secrets if secret.encode() in kept]
    refused = len([asked for asked in story.x.calls("unlike") if asked.status == 403])
    assert story.booked == story.x.spent_micros + refused * WRITE_MICROS, "never less than X's own bill"


@pytest.mark.parametrize("story", ["post"], indirect=True)
def test_x_shuts_the_machine_out_twice_and_each_time_a_person_hears_what_to_do(story: Story) -> None:
    """Removed in X's settings, then without credit: what was seen stays and gets older, and nothing is called good."""
    story.account = acts.ask_for_a_trip_account(story.school, "X", HANDLE, "Dev Deputy", days=10)
    acts.approve(story.school, story.account)
    it_is_set_up_by_hand(story)
    story.x.world.protect(story.there)
    connect(story, HANDLE)
    assert story.check_now()["ACC103"] is True
    somebody_removes_the_app_on_x(story)
    the_money_runs_out_and_comes_back(story)


def somebody_removes_the_app_on_x(story: Story) -> None:
    story.x.doors.revoke_by_user(story.there.id)
    story.x.world.protect(story.there, False)
    assert story.check_now()["ACC103"] is True, "nobody was let in to see otherwise"
    story.as_("teacher").must_see("no longer lets socialgov in").open("/").must_see(HANDLE, "connect")
    story.school.pass_days(0.01)
    story.school.run_jobs()
    told = story.school.mailbox.for_address(f"tess@{DOMAIN}")
    assert any("does not let socialgov in any more" in " ".join(mail.body.split()) for mail in told)
    connect(story, HANDLE).must_see("Connected")
    assert story.check_now()["ACC103"] is False


def the_money_runs_out_and_comes_back(story: Story) -> None:
    story.x.out_of_credit = True
    story.x.world.protect(story.there)
    assert story.check_now()["ACC103"] is False
    asked = len(story.x.asked)
    story.check_now()
    assert len(story.x.asked) == asked, "one refusal is enough: the school pauses"
    manager = story.school.as_("network manager").open("/platforms/")
    manager.must_see("Paused", "asked for payment", HANDLE, "Not checked since")
    story.x.out_of_credit = False
    manager.press("Ask X again").must_see("is asked again from now on")
    assert story.check_now()["ACC103"] is True
