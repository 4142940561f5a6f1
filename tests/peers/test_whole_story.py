"""The whole story of one trip account, over HTTP through the web application, against a real social network server.

Each act is what one or two people do, in their own browsers. What they do on the platform itself (make the account,
be careless with a like) goes straight to the server, as it would from the platform's own app.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import acts
import pytest
from networks import Clock
from PIL import Image
from real_bluesky import Member, RealBluesky
from served_school import School, open_school, photo_with_place
from visitor import Visitor

from socialgov.actions.log import verify_log
from socialgov.store.people import audience_of

pytestmark = pytest.mark.peer

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
    lines = f'directory_base = "{bluesky.directory}"\nindex_base = "{bluesky.index.url}"'
    with open_school(tmp_path, clock, {"bluesky": bluesky.url}, settings_of={"bluesky": lines}) as school:
        yield Story(school, bluesky)


def test_a_trip_account_from_the_request_to_its_proven_deletion(story: Story) -> None:
    acts.is_refused_a_platform_without_private_accounts(story.school, "Bluesky")
    acts.allow_a_public_account(story.school, "Bluesky", "Only parents asked for it; no faces.")
    story.account = acts.ask_for_a_trip_account(story.school, "Bluesky", "trip-wales.test", "Dev Deputy", days=10)
    acts.approve(story.school, story.account)
    the_teacher_sets_it_up(story)
    the_password_is_deposited_and_tried(story)
    the_gate_opens_under_the_heads_permission(story)
    the_data_manager_imports_people_and_permissions(story)
    a_stranger_who_follows_is_found_and_refused(story)
    a_photo_is_refused_without_permission(story)
    the_photo_goes_out_with_permission_and_a_second_look(story)
    a_careless_like_and_an_outside_post_are_found(story)
    moderators_mark_it_and_think_better_of_it(story)
    its_time_is_over_and_its_content_comes_down(story)
    the_password_is_changed_and_all_access_ends(story)
    the_vault_is_opened_and_the_account_is_seen_deactivated(story)
    it_is_deleted_with_the_mailed_code_and_seen_gone(story)
    the_certificate_proves_it(story)


def the_teacher_sets_it_up(story: Story) -> None:
    """Made by hand on the platform, then recorded here: the product finds its lasting id by itself."""
    story.member = member = story.bluesky.join("trip-wales")
    story.bluesky.record(member, "app.bsky.actor.profile", "self", displayName="Trip to Wales", description=PROFILE)
    teacher = story.as_("teacher")
    teacher.must_see("Before it goes live")
    teacher.follow("Record the set-up")
    teacher.fill("Handle", member.handle).fill("E-mail address", member.email).press("Record")
    teacher.must_see(member.handle)


def the_password_is_deposited_and_tried(story: Story) -> None:
    """A weak one is refused with its reason; nobody but the network manager sees it, and only for a reason."""
    member, school = story.account_on_platform, story.school
    acts.deposit(school, story.account, member.handle, member.email, "Password1").must_see("There is a problem")
    teacher = acts.deposit(school, story.account, member.handle, member.email, member.password)
    teacher.must_see("The password is deposited")
    assert member.password.encode() not in teacher.content
    assert teacher.open(f"{story.account}/password").status == 403
    teacher.open(story.account).must_see("socialgov's own key")
    manager = acts.look_at_password(school, story.account)
    assert member.password.encode() in manager.content
    acts.try_login(school, story.account)


def the_gate_opens_under_the_heads_permission(story: Story) -> None:
    teacher = story.as_("teacher")
    teacher.follow("Go live").press("Try the gate")
    teacher.must_see("cannot go live", "SEC206")
    teacher.open(story.account).follow("Put it right by machine").press("Set the school's logo")
    teacher.must_see("The school's logo is its picture now")
    teacher.open(story.account).press("Check now")
    assert story.school.answers(story.account_id)["ACC102"] is True
    acts.vouch_for_recovery(story.school, story.account)
    assert teacher.open(f"{story.account}/exception").status == 403
    assert teacher.open("/public-accounts/").status == 403
    teacher.open(story.account).follow("Go live").press("Go live")
    teacher.must_see("The account is live")
    teacher.must_see("Exception", "ACC103")


def the_data_manager_imports_people_and_permissions(story: Story) -> None:
    """Two pupils with a carer each; only Ada's has permitted photos so far. A wrong file changes nothing."""
    manager = story.school.as_("data manager")
    wrong = acts.import_file(manager, "People", acts.PEOPLE.replace("2014-05-01", "the first of May"))
    wrong.must_see("the first of May").press("Do not import")
    acts.import_people(story.school)
    acts.choose_audience(story.school, story.account)


def a_stranger_who_follows_is_found_and_refused(story: Story) -> None:
    """The index tells who follows. Only a person can remove them there, and the next look shows whether it was so."""
    stranger = story.bluesky.join("dave")
    follow = story.bluesky.follow(stranger, story.account_on_platform)
    teacher = story.as_("teacher").press("Check now")
    assert story.school.answers(story.account_id)["AUD301"] is not True
    teacher.follow("Followers").must_see("Follows, unchecked").follow(stranger.handle)
    teacher.fill("Why not", "Nobody here knows who that is.").press("Refuse").must_see("To remove on Bluesky")
    story.bluesky.remove(stranger, follow["uri"])  # what the platform does when the teacher blocks them there
    story.bluesky.index.crawl(stranger)
    teacher.press("I have removed")
    teacher.open(story.account).press("Check now")
    assert story.school.answers(story.account_id)["AUD301"] is True


def a_photo_is_refused_without_permission(story: Story) -> None:
    words, shown = "We are on the boat to the island.", ("Ada Birch", "Ben Cole")
    teacher = acts.draft_post(story.school, story.account, words, photo_with_place(), shown)
    story.post = teacher.address
    teacher.press("Ask a colleague to look")
    teacher.must_see("Ben Cole", "MED501")
    assert story.on_the_platform("app.bsky.feed.post") == []


def the_photo_goes_out_with_permission_and_a_second_look(story: Story) -> None:
    manager = story.school.as_("data manager")
    manager.open("/people/").fill("Name", "Ben Cole").press("Search").follow("Ben Cole").follow("Record an answer")
    manager.choose("Photo").choose("Permitted").fill("Who answered", "Bert Cole").press("Record")
    acts.look_and_publish(story.school, story.post)
    (record,) = story.on_the_platform("app.bsky.feed.post")
    (image,) = record["value"]["embed"]["images"]
    assert (record["value"]["text"], image["alt"]) == ("We are on the boat to the island.", "Pupils on a boat.")
    content = story.bluesky.blob(story.account_on_platform, image["image"]["ref"]["$link"])
    assert not Image.open(BytesIO(content)).getexif(), "no place, device or author"


def a_careless_like_and_an_outside_post_are_found(story: Story) -> None:
    """Made with the platform's own app, past the product; the next pass of the scheduler finds both and tells."""
    member, stranger = story.account_on_platform, story.bluesky.join("stranger")
    theirs = story.bluesky.record(stranger, "app.bsky.feed.post", text="Look at me")
    story.bluesky.record(member, "app.bsky.feed.like", subject=theirs)
    outside = story.bluesky.record(member, "app.bsky.feed.post", text="Past every check")
    story.school.pass_days(1.1)
    story.school.run_jobs()
    manager = story.as_("network manager")
    manager.must_see("1 like seen", "1 post on the account past the school's checks")
    answers = story.school.answers(story.account_id)
    assert (answers["INT402"], answers["MED512"]) == (False, False)
    teacher = story.school.as_("teacher").open("/")
    teacher.must_see(member.handle)
    teacher.open(f"{story.account}/put-right").press("Take all likes back").must_see("1 like taken back")
    assert story.on_the_platform("app.bsky.feed.like") == []
    story.bluesky.remove(member, outside["uri"])
    manager.press("Check now")
    answers = story.school.answers(story.account_id)
    assert (answers["INT402"], answers["MED512"]) == (True, True)


def moderators_mark_it_and_think_better_of_it(story: Story) -> None:
    did = story.account_on_platform.did
    story.as_("teacher").must_see("Moderators' marks", "None. Read from the platform")
    story.bluesky.index.mark(did, "impersonation")
    story.school.pass_days(1.1)
    story.school.run_jobs()
    story.as_("teacher").must_see("pretends to be somebody else. Read from the platform")
    told = story.school.as_("network manager").open("/")
    told.must_see("Moderators of Bluesky have marked", "pretends to be somebody else")
    story.bluesky.index.unmark(did)
    story.as_("teacher").press("Check now").must_see("None. Read from the platform")
    assert not story.school.as_("network manager").open("/").sees("Moderators of Bluesky")


def its_time_is_over_and_its_content_comes_down(story: Story) -> None:
    """The calendar closes it: nothing more can be posted, what it posted is taken down, a person is asked."""
    story.school.pass_days(11)
    story.school.run_jobs()
    teacher = story.as_("teacher")
    teacher.must_see("being closed")
    assert not teacher.follow("Posts").has_link("Write a post")
    assert story.on_the_platform("app.bsky.feed.post") == []


def app_passwords(story: Story) -> list[str]:
    member = story.account_on_platform
    token = story.bluesky.token(member)
    return [one["name"] for one in story.bluesky.call("com.atproto.server.listAppPasswords", token=token)["passwords"]]


def the_password_is_changed_and_all_access_ends(story: Story) -> None:
    """A new password is a person's to set on Bluesky, and to deposit; the machine signs in with it once, and ends
    every key to the account, its own last.
    """
    member = story.account_on_platform
    assert [name.split("-")[0] for name in app_passwords(story)] == ["socialgov"]
    story.school.pass_days(0.1)
    teacher = story.as_("teacher").follow("Follow the closing").follow("Do this step")
    teacher.press("It is done")
    teacher.must_see("Deposit the new password first")
    story.member = member = story.bluesky.change_password(member, "Trains-and-9-boats!")
    acts.deposit(story.school, story.account, member.handle, member.email, member.password)
    teacher.open(f"{story.account}/closing").follow("Do this step").press("It is done")
    story.school.run_jobs()
    assert app_passwords(story) == []


def the_vault_is_opened_and_the_account_is_seen_deactivated(story: Story) -> None:
    """Bluesky deactivates for the account's own password only: a network manager opens the vault for that (LIF602)."""
    member = story.account_on_platform
    status = story.bluesky.call("com.atproto.sync.getRepoStatus", did=member.did)
    assert status["active"] is True
    story.as_("teacher").follow("Follow the closing").must_see("Waits for the vault")
    told = story.school.mailbox.for_address("manager@school.example")
    assert any("Open the vault, then socialgov deactivates it" in " ".join(mail.body.split()) for mail in told)
    manager = acts.open_the_vault(story.school).open(f"{story.account}/closing").follow("Do this step")
    manager.must_see("Open the vault, then socialgov deactivates it")
    manager.follow("Open the vault and go on").press("Go on")
    status = story.bluesky.call("com.atproto.sync.getRepoStatus", did=member.did)
    assert status["status"] == "deactivated"


def it_is_deleted_with_the_mailed_code_and_seen_gone(story: Story) -> None:
    """The deletion asks for the password too: to have the code mailed, and with the code."""
    member = story.account_on_platform
    for _ in range(10):  # it stays disabled for a while, then its turn comes, in good time (LIF603)
        if story.as_("network manager").open(f"{story.account}/closing").sees("Waits for the vault"):
            break
        story.school.pass_days(7)
        story.school.run_jobs()
    story.as_("head").must_see("It must be seen to be gone by")
    manager = acts.open_the_vault(story.school).open(f"{story.account}/closing").follow("Do this step")
    manager.follow("Open the vault and go on").press("Go on")
    manager.open(f"{story.account}/closing").follow("Do this step")
    manager.fill("code", "AAAAA-BBBBB").press("Hand the code over")
    manager.must_see("code")
    manager.open(f"{story.account}/closing").follow("Do this step")
    manager.press("The code never came: ask for another").must_see("Another code was asked for")
    manager.open(f"{story.account}/closing").follow("Do this step")
    manager.fill("code", story.bluesky.mailbox.code(member.email, "Delet")).press("Hand the code over")
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
