"""The whole story of one trip account, over HTTP through the web application, against a real social network server.

Each act is what one or two people do, in their own browsers. What they do on the platform itself (make the account,
be careless with a like) goes straight to the server, as it would from the platform's own app.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from networks import Clock
from PIL import Image
from real_bluesky import Member, RealBluesky
from served_school import School, open_school, photo_with_place
from visitor import Visitor

from socialgov.actions.log import verify_log
from socialgov.store.people import audience_of

pytestmark = pytest.mark.peer

PEOPLE = """Reference,Forename,Surname,Type,DOB,Year,Reg Group
P1,Ada,Birch,pupil,2014-05-01,8,8B
P2,Ben,Cole,pupil,2014-06-02,8,8B
"""
CARERS = """Contact ID,Forename,Surname,Pupil ID,Relationship
C1,Cara,Birch,P1,mother
C2,Bert,Cole,P2,father
"""
PERMISSIONS = """Pupil ID,Consent type,Consent given,Contact ID,Date
P1,photo,yes,C1,2026-09-01
"""

PROFILE = "Official account of Test School for the trip to Wales. Contact: office@school.example"


@dataclass
class Story:
    school: School
    bluesky: RealBluesky
    account: str = ""  # the address of the account's page
    member: Member | None = None
    post: str = ""  # the address of the post's page

    @property
    def account_on_platform(self) -> Member:
        assert self.member is not None
        return self.member

    @property
    def account_id(self) -> int:
        return int(self.account.rsplit("/", 1)[-1])

    def on_the_platform(self, collection: str) -> list[dict[str, Any]]:
        return self.bluesky.records(self.account_on_platform, collection)

    def as_(self, who: str) -> Visitor:
        """This person, looking at the account."""
        visitor = self.school.as_(who)
        return visitor.open(self.account) if self.account else visitor


@pytest.fixture
def story(tmp_path: Path, bluesky: RealBluesky) -> Iterator[Story]:
    clock = Clock(datetime.now(UTC).replace(microsecond=0))  # the server lives by the real one
    with open_school(tmp_path, clock, {"bluesky": bluesky.url}) as school:
        yield Story(school, bluesky)


def test_a_trip_account_from_the_request_to_its_proven_deletion(story: Story) -> None:
    the_teacher_asks(story)
    the_network_manager_approves(story)
    the_teacher_sets_it_up(story)
    the_password_is_deposited_and_tried(story)
    the_gate_opens_only_with_the_heads_exception(story)
    the_data_manager_imports_people_and_permissions(story)
    a_photo_is_refused_without_permission(story)
    the_photo_goes_out_with_permission_and_a_second_look(story)
    a_careless_like_and_an_outside_post_are_found(story)
    its_time_is_over_and_its_content_comes_down(story)
    the_password_is_changed_and_the_account_is_seen_deactivated(story)
    it_is_deleted_with_the_mailed_code_and_seen_gone(story)
    the_certificate_proves_it(story)


def the_teacher_asks(story: Story) -> None:
    """A request in the pages' own order; nothing is sent before the answers were checked."""
    teacher, today = story.as_("teacher"), story.school.clock.now.date()
    teacher.open("/request/").follow("Start now")
    teacher.choose("Bluesky").press("Continue")
    teacher.choose("trip").press("Continue")
    teacher.fill("Purpose", "News from the year 8 trip to Wales.")
    teacher.fill("Audience", "Parents and carers of the trip's pupils.").press("Continue")
    teacher.fill("Handle", "trip-wales.test").press("Continue")
    teacher.fill_day("First day", today).fill_day("Last day", today + timedelta(days=10)).press("Continue")
    teacher.fill("Owner", "Tess Teacher").fill("Deputy", "Dev Deputy").press("Continue")
    teacher.must_see("year 8 trip to Wales", "Dev Deputy", "Bluesky")
    teacher.press("Send")
    teacher.must_see("waits for a decision")
    story.account = teacher.address


def the_network_manager_approves(story: Story) -> None:
    teacher = story.as_("teacher")
    assert not teacher.has_link("Decide")
    manager = story.as_("network manager")
    manager.follow("Decide")
    manager.choose("Approve").press("decision")
    manager.must_see("approved")


def the_teacher_sets_it_up(story: Story) -> None:
    """Made by hand on the platform, then recorded here: the product finds its lasting id by itself."""
    story.member = member = story.bluesky.join("trip-wales")
    avatar = story.bluesky.upload(member, story.school.logo, "image/png")
    story.bluesky.record(
        member, "app.bsky.actor.profile", "self", displayName="Trip to Wales", description=PROFILE, avatar=avatar
    )
    teacher = story.as_("teacher")
    teacher.must_see("Before it goes live")
    teacher.follow("Record the set-up")
    teacher.fill("Handle", member.handle).fill("E-mail address", member.email).press("Record")
    teacher.must_see(member.handle)


def the_password_is_deposited_and_tried(story: Story) -> None:
    """A weak one is refused with its reason; nobody but the network manager sees it, and only for a reason."""
    member, teacher = story.account_on_platform, story.as_("teacher")
    teacher.follow("Deposit")
    teacher.fill("User name", member.handle).fill("E-mail", member.email).fill("Password", "Password1")
    teacher.press("Deposit")
    teacher.must_see("There is a problem")
    teacher.fill("Password", member.password).press("Deposit")
    teacher.must_see("The password is deposited")
    assert member.password.encode() not in teacher.content
    assert teacher.open(f"{story.account}/password").status == 403
    manager = story.as_("network manager")
    manager.follow("See the password").fill("Reason", "To try whether it works.").press("Show")
    assert member.password.encode() in manager.content
    manager.open(story.account).follow("Record a login test").choose("Yes").press("Record it")
    manager.must_see("recorded")


def the_gate_opens_only_with_the_heads_exception(story: Story) -> None:
    teacher = story.as_("teacher")
    teacher.follow("Go live").press("Try the gate")
    teacher.must_see("cannot go live", "ACC103", "ACC102", "SEC206")
    teacher.open(story.account).press("Check now")
    teacher.follow("Say what is seen").follow("recovery")
    teacher.choose("Yes").attach("Screenshot", story.school.logo).press("Record")
    teacher.open(story.account).follow("Go live").press("Try the gate")
    teacher.must_see("2 checks do not hold", "Bluesky has no private accounts")
    assert teacher.open(f"{story.account}/exception").status == 403
    head = story.as_("head")
    head.follow("exception").choose("It may be public").fill("Reason", "Only parents asked for it; no faces.")
    head.press("Make the exception")
    teacher.open(story.account).follow("Go live").press("Go live")
    teacher.must_see("The account is live")
    teacher.must_see("Exception", "ACC103")


def the_data_manager_imports_people_and_permissions(story: Story) -> None:
    """Two pupils with a carer each; only Ada's has permitted photos so far. A wrong file changes nothing."""
    manager = story.school.as_("data manager")
    wrong = import_file(manager, "People", PEOPLE.replace("2014-05-01", "the first of May"))
    wrong.must_see("the first of May").press("Do not import")
    import_file(manager, "People", PEOPLE).press("Import").must_see("imported")
    import_file(manager, "Parents and carers", CARERS).press("Import").must_see("imported")
    import_file(manager, "Permissions", PERMISSIONS).press("Import").must_see("imported")
    teacher = story.as_("teacher")
    teacher.follow("Audience").follow("Choose pupils").fill("Year group", "8").press("Show")
    teacher.choose("Ada Birch").choose("Ben Cole").press("Save")
    teacher.must_see("Ada Birch", "Ben Cole", "Cara Birch")


def import_file(visitor: Visitor, kind: str, content: str) -> Visitor:
    visitor.open("/people/import").choose(kind, group="What does the file hold")
    visitor.attach("CSV file", content.encode(), name="export.csv", mime="text/csv")
    return visitor.press("Check the file")


def a_photo_is_refused_without_permission(story: Story) -> None:
    teacher = story.as_("teacher")
    teacher.follow("Posts").follow("Write a post")
    teacher.fill("What should the post say", "We are on the boat to the island.").press("Save and go on")
    teacher.attach("Photo", photo_with_place(), name="IMG_0001.jpg", mime="image/jpeg")
    teacher.fill("What does the photo show", "Two pupils on a boat.").press("Add")
    teacher.fill("How many people", "2").choose("Ada Birch").choose("Ben Cole").press("Save")
    story.post = teacher.address
    teacher.follow("confirm")
    for words in ("cannot be taken back", "school equipment", "own work"):
        teacher.choose(words)
    teacher.press("Confirm").press("Ask a colleague to look")
    teacher.must_see("Ben Cole", "MED501")
    assert story.on_the_platform("app.bsky.feed.post") == []


def the_photo_goes_out_with_permission_and_a_second_look(story: Story) -> None:
    manager = story.school.as_("data manager")
    manager.open("/people/").fill("Name", "Ben Cole").press("Search").follow("Ben Cole").follow("Record an answer")
    manager.choose("Photo").choose("Permitted").fill("Who answered", "Bert Cole").press("Record")
    teacher = story.school.as_("teacher").open(story.post)
    teacher.press("Ask a colleague to look").must_see("waits for a second look")
    deputy = story.school.as_("deputy").open(story.post)
    deputy.follow("Say whether it may go out").choose("Yes").press("Save")
    teacher.open(story.post).press("Publish").must_see("The post is out")
    (record,) = story.on_the_platform("app.bsky.feed.post")
    (image,) = record["value"]["embed"]["images"]
    assert (record["value"]["text"], image["alt"]) == ("We are on the boat to the island.", "Two pupils on a boat.")
    content = story.bluesky.blob(story.account_on_platform, image["image"]["ref"]["$link"])
    assert not Image.open(BytesIO(content)).getexif(), "no place, device or author"


def a_careless_like_and_an_outside_post_are_found(story: Story) -> None:
    """Made with the platform's own app, past the product; the next pass of the scheduler finds both and tells."""
    member, stranger = story.account_on_platform, story.bluesky.join("stranger")
    theirs = story.bluesky.record(stranger, "app.bsky.feed.post", text="Look at me")
    like = story.bluesky.record(member, "app.bsky.feed.like", subject=theirs)
    outside = story.bluesky.record(member, "app.bsky.feed.post", text="Past every check")
    story.school.pass_days(1.1)
    story.school.run_jobs()
    manager = story.as_("network manager")
    manager.must_see("1 like seen", "1 post on the account past the school's checks")
    answers = story.school.answers(story.account_id)
    assert (answers["INT402"], answers["MED512"]) == (False, False)
    teacher = story.school.as_("teacher").open("/")
    teacher.must_see(member.handle)
    for made in (like, outside):
        story.bluesky.remove(member, made["uri"])
    manager.press("Check now")
    answers = story.school.answers(story.account_id)
    assert (answers["INT402"], answers["MED512"]) == (True, True)


def its_time_is_over_and_its_content_comes_down(story: Story) -> None:
    """The calendar closes it: nothing more can be posted, what it posted is taken down, a person is asked."""
    story.school.pass_days(11)
    story.school.run_jobs()
    teacher = story.as_("teacher")
    teacher.must_see("being closed")
    assert not teacher.follow("Posts").has_link("Write a post")
    assert story.on_the_platform("app.bsky.feed.post") == []


def the_password_is_changed_and_the_account_is_seen_deactivated(story: Story) -> None:
    """A new password is a person's to set on Bluesky, and to deposit; then the machine goes on by itself."""
    member = story.account_on_platform
    story.school.pass_days(0.1)
    teacher = story.as_("teacher").follow("Follow the closing").follow("Do this step")
    teacher.press("It is done")
    teacher.must_see("Deposit the new password first")
    story.member = member = story.bluesky.change_password(member, "Trains-and-9-boats!")
    teacher.open(story.account).follow("Deposit the login").fill("User name", member.handle)
    teacher.fill("E-mail", member.email).fill("Password", member.password).press("Deposit")
    teacher.open(f"{story.account}/closing").follow("Do this step").press("It is done")
    story.school.run_jobs()
    teacher.open(f"{story.account}/closing")
    status = story.bluesky.call("com.atproto.sync.getRepoStatus", did=member.did)
    assert status["status"] == "deactivated"


def it_is_deleted_with_the_mailed_code_and_seen_gone(story: Story) -> None:
    member = story.account_on_platform
    for _ in range(10):  # the school keeps its days first, then the machine asks for the code
        if story.bluesky.mailbox.has_code(member.email, "Delet"):
            break
        story.school.pass_days(7)
        story.school.run_jobs()
    teacher = story.as_("teacher").follow("Follow the closing").follow("Do this step")
    teacher.fill("code", "AAAAA-BBBBB").press("Hand the code over")
    teacher.must_see("code")
    teacher.open(f"{story.account}/closing").follow("Do this step")
    teacher.fill("code", story.bluesky.mailbox.code(member.email, "Delet")).press("Hand the code over")
    story.school.run_jobs()
    story.as_("teacher").must_see("Closed for good")
    gone = story.bluesky.refusal("com.atproto.sync.getRepoStatus", did=member.did)
    assert gone == (400, "RepoNotFound")


def the_certificate_proves_it(story: Story) -> None:
    """A page for people, a signed file for anybody; what was held about people is erased, and the log is whole."""
    member, school = story.account_on_platform, story.school
    head = story.as_("head").follow("Certificate of deletion")
    head.must_see(member.handle, "What could not be seen", "socialgov audit verify-certificate", "gone")
    file = school.home.path.parent / "certificate.json"
    file.write_bytes(head.follow("Download the signed file").content)
    assert member.did in file.read_text()
    assert verified(file) == 0
    file.write_text(file.read_text().replace(member.did, member.did[::-1]))
    assert verified(file) == 1
    assert audience_of(school.home.db, story.account_id) == []
    assert verify_log(school.home).fault is None
    kept = b"".join(path.read_bytes() for path in school.home.path.rglob("*") if path.is_file())
    assert member.password.encode() not in kept
    assert any("deletion code" in message.body for message in school.mailbox.for_address("tess@school.example"))


def verified(file: Path) -> int:
    """What `socialgov audit verify-certificate` says, as a parent's own machine would run it: without the school."""
    command = [sys.executable, "-m", "socialgov", "audit", "verify-certificate", str(file)]
    return subprocess.run(command, capture_output=True, check=False).returncode
