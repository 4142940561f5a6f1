"""Signing in at the school's own sign-in service, against a real, certified OpenID provider."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from factories import DOMAIN, staff
from openid_school import BUTTON, OpenIdSchool, open_openid_school
from real_openid import SECRET, RealProvider, caught, go_through
from visitor import Visitor

from socialgov.actions.identities import end_identity, unlink_staff
from socialgov.actions.openid import CALLBACK
from socialgov.actions.staff import staff_leaves
from socialgov.errors import NotPermitted
from socialgov.models import Role
from socialgov.openid.exchange import Attempt
from socialgov.store.events import EventTag, actor_of
from socialgov.store.identities import current_identities

pytestmark = pytest.mark.peer

Open = Callable[..., OpenIdSchool]


@pytest.fixture
def open_school(tmp_path: Path, provider: RealProvider) -> Iterator[Open]:
    """`open_school(hosted_domain=…)`: a school whose sign-in service is the real provider."""
    with ExitStack() as stack:
        yield lambda **choices: stack.enter_context(
            open_openid_school(tmp_path, provider.issuer, SECRET, port=provider.our_port, **choices)
        )


@pytest.fixture
def school(open_school: Open) -> OpenIdSchool:
    return open_school()


def callback_of(school: OpenIdSchool, name: str) -> tuple[Visitor, str]:
    """A browser that went through the service as `name`, and the callback's address, which it has not opened."""
    visitor = school.at_the_service()
    return visitor, caught(visitor, CALLBACK, lambda: go_through(visitor, name))


def with_query(address: str, **changes: str) -> str:
    parts = urlsplit(address)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()} | changes
    return parts._replace(query=urlencode(query)).geturl()


# --------------------------------------------------------------------------------------------------- who gets in


@pytest.mark.asvs("6.8.1", "16.3.1")
def test_a_teacher_signs_in_with_their_school_account(school: OpenIdSchool, provider: RealProvider) -> None:
    visitor = go_through(school.at_the_service(), "teacher")
    assert visitor.sees("Tess Teacher")
    (identity,) = current_identities(school.home.db, school.teacher.id)
    assert (identity.issuer, identity.subject, identity.linked_by) == (provider.issuer, "teacher", None)
    assert school.sessions() == [(school.teacher.id, "openid", None)]
    (started,) = school.events(EventTag.SESSION_STARTED)
    assert (started.actor, started.data) == (actor_of(school.teacher.id), {"method": "openid"})
    assert [event.subject_id for event in school.events(EventTag.IDENTITY_LINKED)] == [school.teacher.id]
    assert school.told(school.teacher) == ["identity_linked"]
    assert school.told(school.head) == ["identity_linked"]


def test_the_second_time_nobody_is_told_and_the_service_does_not_ask(school: OpenIdSchool) -> None:
    visitor = go_through(school.at_the_service(), "teacher")
    before = school.told(school.teacher)
    again = school.visitor()
    again._client.cookies = visitor._client.cookies
    again._client.cookies.delete("socialgov")
    again.open("/signin").press(BUTTON)
    assert again.sees("Tess Teacher")
    assert school.told(school.teacher) == before
    assert len(school.events(EventTag.IDENTITY_LINKED)) == 1


def test_somebody_goes_on_to_the_page_they_asked_for(school: OpenIdSchool) -> None:
    visitor = school.visitor().open("/accounts/?search=trip").press(BUTTON)
    go_through(visitor, "teacher")
    assert visitor.address == f"{school.url}/accounts/?search=trip"


@pytest.mark.asvs("16.3.1")
def test_somebody_with_an_address_of_elsewhere_is_refused(school: OpenIdSchool) -> None:
    visitor = go_through(school.at_the_service(), "outsider")
    visitor.must_see("You are not signed in", "This is not an account of the school")
    assert school.reasons() == ["wrong_domain"]
    assert school.sessions() == []


@pytest.mark.asvs("16.3.1")
def test_an_address_that_is_not_verified_is_refused(school: OpenIdSchool) -> None:
    visitor = go_through(school.at_the_service(), "unverified")
    visitor.must_see("does not say that your e-mail address is yours")
    assert school.reasons() == ["email_not_verified"]
    assert current_identities(school.home.db, school.teacher.id) == []


def test_a_private_account_with_a_school_address_is_refused_by_its_hosted_domain(open_school: Open) -> None:
    school = open_school(hosted_domain=DOMAIN)
    go_through(school.at_the_service(), "private").must_see("This is not an account of the school")
    assert school.reasons() == ["wrong_domain"]
    assert go_through(school.at_the_service(), "teacher").sees("Tess Teacher")


@pytest.mark.asvs("16.3.1")
def test_somebody_who_is_not_on_the_staff_is_refused(school: OpenIdSchool) -> None:
    go_through(school.at_the_service(), "newcomer").must_see("Nobody with your school address is entered here")
    assert school.reasons() == ["not_on_staff"]
    assert school.person("nia@school.example") is None


@pytest.mark.asvs("7.4.2", "16.3.1")
def test_a_leaver_never_gets_in_linked_or_not(school: OpenIdSchool) -> None:
    go_through(school.at_the_service(), "teacher")
    staff_leaves(school.home, None, school.teacher.id, now=school.clock())
    staff_leaves(school.home, None, school.head.id, now=school.clock())
    for name in ("teacher", "head"):
        go_through(school.at_the_service(), name).must_see("You have left the staff")
    assert school.reasons() == ["left", "left"]
    assert school.sessions() == []


@pytest.mark.asvs("6.8.1")
def test_a_second_identity_with_the_same_address_is_refused_and_the_manager_told(school: OpenIdSchool) -> None:
    go_through(school.at_the_service(), "teacher")
    visitor = go_through(school.at_the_service(), "namesake")
    visitor.must_see("Another account of the sign-in service is linked with your school address")
    assert school.reasons() == ["other_identity"]
    assert school.events(EventTag.IDENTITY_REFUSED)[0].subject_id == school.teacher.id
    assert "second_identity" in school.told(school.manager)
    assert [one.subject for one in current_identities(school.home.db, school.teacher.id)] == ["teacher"]


def test_the_network_manager_unlinks_an_account_that_was_made_anew(school: OpenIdSchool) -> None:
    go_through(school.at_the_service(), "teacher")
    assert unlink_staff(school.home, school.manager, school.teacher.id, now=school.clock()) == 1
    assert school.sessions() == []
    assert go_through(school.at_the_service(), "namesake").sees("Tess Teacher")
    with pytest.raises(NotPermitted):
        unlink_staff(school.home, school.head, school.teacher.id, now=school.clock())


def test_a_good_sign_in_is_not_refused_for_the_guesses_of_its_address(school: OpenIdSchool) -> None:
    """A whole school has one address: a pupil with a script must not shut its staff out."""
    pupil = school.visitor()
    for _ in range(school.home.settings.policy.signin_tries + 1):
        pupil.open("/signin/openid/callback?state=guess&code=guess")
    assert pupil.status == 429
    assert go_through(school.at_the_service(), "teacher").sees("Tess Teacher")
    assert go_through(school.at_the_service(), "outsider").sees("This is not an account of the school")


def test_an_ended_identity_ends_its_sessions_and_makes_room_for_another(school: OpenIdSchool) -> None:
    visitor = go_through(school.at_the_service(), "teacher")
    (identity,) = current_identities(school.home.db, school.teacher.id)
    end_identity(school.home, school.manager, identity.id, now=school.clock())
    assert visitor.open("/").sees("Sign in")
    assert school.sessions() == []
    assert "identity_ended" in school.told(school.teacher)
    assert go_through(school.at_the_service(), "namesake").sees("Tess Teacher")


# --------------------------------------------------------------------------------------------------- the attempt


@pytest.mark.asvs("10.2.1")
def test_a_forged_state_is_refused_and_the_true_one_still_works(school: OpenIdSchool) -> None:
    visitor, callback = callback_of(school, "teacher")
    visitor.open(with_query(callback, state="forged")).must_see("This answer belongs to another sign-in")
    assert school.reasons() == ["wrong_state"]
    assert school.sessions() == []


@pytest.mark.asvs("10.2.1")
def test_the_answer_of_somebody_elses_sign_in_is_refused_in_another_browser(school: OpenIdSchool) -> None:
    _, callback = callback_of(school, "teacher")
    victim = school.visitor()
    victim.open(callback).must_see("began in another browser")
    victim.open("/signin").press(BUTTON)
    victim.open(callback).must_see("This answer belongs to another sign-in")
    assert school.sessions() == []


@pytest.mark.asvs("10.2.1", "6.5.1")
def test_a_replayed_callback_does_nothing(school: OpenIdSchool) -> None:
    visitor, callback = callback_of(school, "teacher")
    thief = school.visitor()  # with a copy of the cookie, as it was before
    thief._client.cookies.update({cookie.name: cookie.value or "" for cookie in visitor._client.cookies.jar})
    assert visitor.open(callback).sees("Tess Teacher")
    thief.open(callback).must_see("You are not signed in", "finished already")
    assert len(school.sessions()) == 1


@pytest.mark.asvs("2.3.3", "6.5.1")
def test_of_many_tabs_that_come_back_at_once_one_gets_in(school: OpenIdSchool) -> None:
    visitor, callback = callback_of(school, "teacher")
    cookies = {cookie.name: cookie.value or "" for cookie in visitor._client.cookies.jar}

    def come_back(_: int) -> int:
        with httpx.Client(cookies=cookies, trust_env=False, timeout=60) as tab:
            return tab.get(callback).status_code

    with ThreadPoolExecutor(6) as tabs:
        assert sorted(tabs.map(come_back, range(6))) == [302, 403, 403, 403, 403, 403]
    assert len(school.sessions()) == 1


@pytest.mark.asvs("10.2.1")
def test_a_code_is_good_once_even_in_a_new_sign_in(school: OpenIdSchool) -> None:
    visitor, callback = callback_of(school, "teacher")
    assert visitor.open(callback).sees("Tess Teacher")
    code = parse_qs(urlsplit(callback).query)["code"][0]
    again, newer = callback_of(school, "teacher")
    again.open(with_query(newer, code=code)).must_see("does not know this sign-in any more")
    assert school.reasons() == ["code_refused"]


@pytest.mark.asvs("10.2.1")
def test_a_code_of_another_attempt_does_not_fit_its_verifier(school: OpenIdSchool) -> None:
    _, stolen = callback_of(school, "manager")
    visitor, callback = callback_of(school, "teacher")
    code = parse_qs(urlsplit(stolen).query)["code"][0]
    visitor.open(with_query(callback, code=code)).must_see("You are not signed in")
    assert school.reasons() == ["code_refused"]
    assert school.sessions() == []


@pytest.mark.asvs("10.5.1")
def test_a_tampered_nonce_is_refused(school: OpenIdSchool) -> None:
    visitor = school.visitor().open("/signin")
    there = caught(visitor, "/auth?", lambda: visitor.press(BUTTON))
    assert parse_qs(urlsplit(there).query)["code_challenge_method"] == ["S256"]
    visitor.open(with_query(there, nonce="somebody-elses"))
    go_through(visitor, "teacher").must_see("cannot be trusted")
    assert school.reasons() == ["wrong_nonce"]


@pytest.mark.asvs("10.2.1")
def test_an_answer_in_the_name_of_another_service_is_refused(school: OpenIdSchool) -> None:
    visitor, callback = callback_of(school, "teacher")
    visitor.open(with_query(callback, iss="https://accounts.elsewhere.example"))
    assert school.reasons() == ["wrong_issuer"]
    assert school.sessions() == []


def test_an_attempt_is_over_after_ten_minutes(school: OpenIdSchool) -> None:
    visitor, callback = callback_of(school, "teacher")
    school.clock.pass_time(minutes=11)
    visitor.open(callback).must_see("took too long")
    assert school.sessions() == []


def test_somebody_who_turns_back_at_the_service_reads_how_to_go_on(school: OpenIdSchool) -> None:
    visitor = school.at_the_service()
    visitor.follow("Cancel").must_see("You did not finish at the school's sign-in service", "start again")
    assert school.reasons() == ["aborted"]
    assert school.sessions() == []


def test_the_database_holds_nothing_that_finishes_a_sign_in(school: OpenIdSchool) -> None:
    _, callback = callback_of(school, "teacher")
    rows = repr(school.home.db.execute("select * from ceremony").fetchall())
    query = parse_qs(urlsplit(callback).query)
    assert query["state"][0] not in rows
    assert query["code"][0] not in rows
    attempt = Attempt.of("token")
    assert len({attempt.state, attempt.nonce, attempt.verifier}) == 3


# --------------------------------------------------------------------------------------------------- roles by groups

GROUPS = {"staff": ["teacher"], "it": ["network_manager"], "leadership": ["head"]}


def test_the_groups_of_the_service_give_and_take_the_roles_that_the_school_mapped(open_school: Open) -> None:
    school = open_school(groups=GROUPS)
    go_through(school.at_the_service(), "head")
    head = school.person("head@school.example")
    assert head is not None
    assert head.roles == {Role.TEACHER, Role.HEAD}
    (event,) = school.events(EventTag.STAFF_ROLES_CHANGED)
    assert (event.actor, event.data["roles"]) == ("job:sign-in_groups", ["head", "teacher"])
    go_through(school.at_the_service(), "head")
    assert len(school.events(EventTag.STAFF_ROLES_CHANGED)) == 1  # nothing changed the second time


def test_heads_are_told_when_a_group_makes_somebody_head(open_school: Open) -> None:
    school = open_school(groups=GROUPS)
    go_through(school.at_the_service(), "promoted")
    teacher = school.person("teacher@school.example")
    assert teacher is not None
    assert Role.HEAD in teacher.roles
    assert "head_named" in school.told(school.head)


def test_a_role_that_no_group_gives_stays_as_it_was_given_by_hand(open_school: Open) -> None:
    school = open_school(groups={"leadership": ["safeguarding_lead"]})
    go_through(school.at_the_service(), "head")
    head = school.person("head@school.example")
    assert head is not None
    assert head.roles == {Role.HEAD, Role.SAFEGUARDING_LEAD}


def test_the_last_network_manager_stays_one_whatever_the_groups_say(open_school: Open) -> None:
    school = open_school(groups={"staff": ["teacher"], "nobody": ["network_manager"]})
    go_through(school.at_the_service(), "manager")
    manager = school.person("manager@school.example")
    assert manager is not None
    assert manager.roles == {Role.TEACHER, Role.NETWORK_MANAGER}
    assert "last_manager" in school.told(manager)
    staff(school.home, Role.NETWORK_MANAGER)
    go_through(school.at_the_service(), "manager")
    manager = school.person("manager@school.example")
    assert manager is not None
    assert manager.roles == {Role.TEACHER}


def test_without_the_groups_nobody_is_let_in_by_guess(open_school: Open) -> None:
    school = open_school(groups=GROUPS)
    go_through(school.at_the_service(), "groupless").must_see("does not say which groups you are in")
    assert school.reasons() == ["groups_unknown"]


def test_a_newcomer_in_a_mapped_group_is_entered_where_the_school_wants_that(open_school: Open) -> None:
    school = open_school(groups=GROUPS, enter_staff=True)
    assert go_through(school.at_the_service(), "newcomer").sees("Nia New")
    newcomer = school.person("nia@school.example")
    assert newcomer is not None
    assert (newcomer.name, newcomer.roles) == ("Nia New", {Role.TEACHER})
    (added, *_) = school.events(EventTag.STAFF_ADDED)
    assert (added.actor, added.subject_id) == ("job:sign-in_groups", newcomer.id)


def test_a_pupil_of_the_same_service_is_not_entered(open_school: Open) -> None:
    school = open_school(groups=GROUPS, enter_staff=True)
    go_through(school.at_the_service(), "pupil").must_see("Nobody with your school address is entered here")
    assert school.person("paul@school.example") is None
