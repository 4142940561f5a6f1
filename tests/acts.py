"""What people do in the web application in every story, in their own browsers, by the words on the pages."""

from __future__ import annotations

import re
from datetime import timedelta

from served_school import School
from visitor import Visitor

from socialgov.escrow.codes import code_at, read_seed

PASSPHRASE = "harbour tinsel quarry moped velvet acorn"

PEOPLE = """Reference,Forename,Surname,Type,DOB,Year,Reg Group
P1,Ada,Birch,pupil,2014-05-01,8,8B
P2,Ben,Cole,pupil,2014-06-02,8,8B
"""
CARERS = """Contact ID,Forename,Surname,Pupil ID,Relationship
C1,Cara,Birch,P1,mother
C2,Bert,Cole,P2,father
"""
PERMISSIONS = """Pupil ID,Consent type,Consent given,Contact ID,Date
P1,photo,yes,C1,2026-02-01
"""


def ask_for_a_trip_account(school: School, platform: str, handle: str, deputy: str, *, days: int) -> str:
    """A request in the pages' own order; nothing is sent before the answers were checked. The account's address."""
    teacher, today = school.as_("teacher"), school.clock.now.date()
    teacher.open("/request/").follow("Start now")
    teacher.choose(platform).press("Continue")
    teacher.choose("trip").press("Continue")
    teacher.fill("Purpose", "News from the year 8 trip to Wales.")
    teacher.fill("Audience", "Parents and carers of the trip's pupils.").press("Continue")
    teacher.fill("Handle", handle).press("Continue")
    teacher.fill_day("First day", today).fill_day("Last day", today + timedelta(days=days)).press("Continue")
    teacher.fill("Owner", "Tess Teacher").fill("Deputy", deputy).press("Continue")
    teacher.must_see("year 8 trip to Wales", deputy, platform)
    teacher.press("Send").must_see("waits for a decision")
    return teacher.address


def allow_a_public_account(school: School, platform: str, reason: str) -> None:
    """The head lets the teacher ask for one account on a platform without private ones (ACC103)."""
    head = school.as_("head").open("/public-accounts/").follow("Allow a public account")
    head.choose(platform).fill("Who may ask", "Tess Teacher").fill("Purpose", "News from trips.")
    head.fill("Reason", reason).press("Allow it").must_see("is allowed", platform, "May be asked for")


def is_refused_a_platform_without_private_accounts(school: School, platform: str) -> None:
    teacher = school.as_("teacher").open("/request/").follow("Start now")
    teacher.choose(platform).press("Continue").must_see(platform, "has no private accounts", "ask the head")


def approve(school: School, account: str) -> None:
    """The network manager decides; whoever asked is not even offered to."""
    assert not school.as_("teacher").open(account).has_link("Decide")
    manager = school.as_("network manager").open(account)
    manager.follow("Decide").choose("Approve").press("decision")
    manager.must_see("approved")


def deposit(school: School, account: str, username: str, email: str, password: str) -> Visitor:
    teacher = school.as_("teacher").open(account).follow("Deposit the login")
    teacher.fill("User name", username).fill("E-mail", email).fill("Password", password)
    return teacher.press("Deposit")


def open_the_vault(school: School) -> Visitor:
    """The network manager, who has shown who it is and opened the vault with a passphrase of their own.

    The first time they put an app on their phone and set the passphrase with the code of the school's first day.
    """
    manager = school.as_("network manager")
    if school.phone is None:
        manager.open("/signing-in/authenticator/add").press("Show the picture")
        shown = re.search(r'id="seed">([A-Z2-7 ]+)<', manager.content.decode())
        assert shown
        school.phone = read_seed(shown[1])
        manager.fill("Code from your authenticator app", _digits(school)).press("Confirm")
        manager.open("/vault/passphrase").fill("code that you were given", school.vault_code)
        manager.fill("Your own vault passphrase", PASSPHRASE).fill("once more", PASSPHRASE).press("Set it")
        manager.open("/vault/open")
    else:
        manager.open("/vault/open").fill("Code from your authenticator app", _digits(school)).press("Confirm")
    manager.fill("Your vault passphrase", PASSPHRASE).press("Open it").must_see("The vault is open")
    return manager


def _digits(school: School) -> str:
    """What the phone shows half a minute later: each code counts once."""
    assert school.phone
    school.pass_days(31 / 86_400)
    return code_at(school.phone, school.clock.now)[0]


def look_at_password(school: School, account: str) -> Visitor:
    manager = open_the_vault(school).open(account).follow("See the password")
    return manager.fill("Reason", "To try whether it works.").press("Show it")


def try_login(school: School, account: str) -> None:
    """The network manager says that the deposited login let them in (SEC205)."""
    manager = school.as_("network manager").open(account)
    manager.follow("Record a login test").choose("Yes").press("Record it").must_see("recorded")


def vouch_for_recovery(school: School, account: str) -> None:
    """What no interface tells: a person says so, with a screenshot (SEC206)."""
    teacher = school.as_("teacher").open(account).follow("Say what is seen").follow("recovery")
    teacher.choose("Yes").attach("Screenshot", school.logo).press("Record")


def import_file(visitor: Visitor, kind: str, content: str) -> Visitor:
    """Up to the report of the dry run."""
    visitor.open("/people/import").choose(kind, group="What does the file hold")
    visitor.attach("CSV file", content.encode(), name="export.csv", mime="text/csv")
    return visitor.press("Check the file")


def import_people(school: School) -> None:
    """Two pupils, a carer each, and one permission for photos."""
    manager = school.as_("data manager")
    for kind, content in (("People", PEOPLE), ("Parents and carers", CARERS), ("Permissions", PERMISSIONS)):
        import_file(manager, kind, content).press("Import").must_see("imported")


def choose_audience(school: School, account: str) -> None:
    teacher = school.as_("teacher").open(account).follow("Audience").follow("Choose pupils")
    teacher.fill("Year group", "8").press("Show")
    teacher.choose("Ada Birch").choose("Ben Cole").press("Save")
    teacher.must_see("Ada Birch", "Ben Cole", "Cara Birch")


def draft_post(school: School, account: str, text: str, photo: bytes, shown: tuple[str, ...]) -> Visitor:
    """A post with a photo, who is in it, and the author's word: ready to be asked about."""
    teacher = school.as_("teacher").open(account).follow("Posts").follow("Write a post")
    teacher.fill("What should the post say", text).press("Save and go on")
    teacher.attach("Photo", photo, name="IMG_0001.jpg", mime="image/jpeg")
    teacher.fill("What does the photo show", "Pupils on a boat.").press("Add")
    teacher.fill("How many people", str(len(shown)))
    for name in shown:
        teacher.choose(name)
    teacher.press("Save").follow("confirm")
    for words in ("cannot be taken back", "school equipment", "own work"):
        teacher.choose(words)
    return teacher.press("Confirm")


def take_a_second_look(school: School, post: str) -> Visitor:
    """The teacher asks, the deputy looks (MED506). The teacher's browser, at the post."""
    teacher = school.as_("teacher").open(post)
    teacher.press("Ask a colleague to look").must_see("waits for a second look")
    school.as_("deputy").open(post).follow("Say whether it may go out").choose("Yes").press("Save")
    return teacher.open(post)


def look_and_publish(school: School, post: str) -> Visitor:
    return take_a_second_look(school, post).press("Publish").must_see("The post is out")
