"""Linking identities with people, without a service: whom a checked answer signs in, whatever came before."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from factories import NOW, manager_of, staff
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from openid_school import openid_home

from socialgov.actions.identities import end_identity, identities_of, recognise, unlink_staff
from socialgov.actions.retention import forget_sign_ins
from socialgov.actions.sessions import Visitor, start_session
from socialgov.actions.staff import staff_leaves
from socialgov.config_signin import OpenIdSettings
from socialgov.errors import NotFound, NotPermitted
from socialgov.home import Home
from socialgov.models import Role, Staff
from socialgov.openid.claims import Identity
from socialgov.openid.refusals import Reason, SignInRefused
from socialgov.store import write
from socialgov.store.identities import keep_id_token
from socialgov.store.staff import staff_by_id

ISSUER = "https://sign-in.example"


def identity(subject: str, email: str, groups: frozenset[str] | None = None, issuer: str = ISSUER) -> Identity:
    return Identity(issuer, subject, email, "Some Name", groups, None)


def settings_of(home: Home) -> OpenIdSettings:
    assert home.settings.openid is not None
    return home.settings.openid


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A school that has a sign-in service and maps no groups."""
    return openid_home(tmp_path, ISSUER, "secret", base_url="https://social.school.example", clock=lambda: NOW)


def come(home: Home, who: Identity) -> Staff:
    with write(home.db) as db:
        return recognise(db, who, settings_of(home), now=NOW)[0]


@pytest.mark.asvs("6.8.1")
def test_the_same_subject_of_another_issuer_is_somebody_else(home: Home, teacher: Staff) -> None:
    come(home, identity("42", teacher.email))
    other = staff(home, Role.TEACHER)
    assert come(home, identity("42", other.email, issuer="https://elsewhere.example")).id == other.id
    assert come(home, identity("42", teacher.email)).id == teacher.id


@pytest.mark.asvs("6.8.1")
def test_a_subject_stays_who_it_is_when_its_address_becomes_anothers(home: Home, teacher: Staff) -> None:
    other = staff(home, Role.TEACHER)
    come(home, identity("42", teacher.email))
    assert come(home, identity("42", other.email)).id == teacher.id


def test_somebody_may_have_identities_of_several_issuers(home: Home, teacher: Staff) -> None:
    come(home, identity("42", teacher.email))
    come(home, identity("7", teacher.email, issuer="https://elsewhere.example"))
    assert [one.issuer for one in identities_of(home.db, teacher.id)] == [ISSUER, "https://elsewhere.example"]


def test_only_oneself_and_the_network_manager_end_an_identity(home: Home, teacher: Staff, head: Staff) -> None:
    come(home, identity("42", teacher.email))
    (linked,) = identities_of(home.db, teacher.id)
    for stranger in (head, staff(home, Role.TEACHER)):
        with pytest.raises(NotPermitted):
            end_identity(home, stranger, linked.id, now=NOW)
    end_identity(home, teacher, linked.id, now=NOW)
    with pytest.raises(NotFound):
        end_identity(home, teacher, linked.id, now=NOW)


def test_a_leaver_who_comes_back_is_not_recognised_by_the_old_identity_alone(home: Home, teacher: Staff) -> None:
    come(home, identity("42", teacher.email))
    staff_leaves(home, None, teacher.id, now=NOW)
    with pytest.raises(SignInRefused) as caught:
        come(home, identity("42", teacher.email))
    assert caught.value.reason is Reason.LEFT
    assert identities_of(home.db, teacher.id) == []


def test_what_is_kept_for_the_services_sign_out_goes_when_a_session_times_out(home: Home, teacher: Staff) -> None:
    with write(home.db) as db:
        identity_id = recognise(db, identity("42", teacher.email), settings_of(home), now=NOW)[1]
        start_session(db, home, teacher.id, method="openid", visitor=Visitor(), now=NOW)
        keep_id_token(db, 1, identity_id, home.escrow.seal(b"x", account="session", field="id_token", version=1))
    hours = timedelta(hours=home.settings.policy.session_absolute_hours)
    forget_sign_ins(home, NOW + hours - timedelta(minutes=1))
    assert home.db.execute("select id_token is null from session").fetchone() == (0,)
    forget_sign_ins(home, NOW + hours + timedelta(minutes=1))
    assert home.db.execute("select id_token is null from session").fetchone() == (1,)


class SignIns(RuleBasedStateMachine):
    """Anybody comes with any account in any order, accounts are unlinked and people leave."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        root = Path(self.folder.name)
        self.home = openid_home(root, ISSUER, "s", base_url="https://social.school.example", clock=lambda: NOW)
        self.people = [staff(self.home, Role.TEACHER) for _ in range(3)]
        self.belongs: dict[str, int] = {}  # subject → whom it was last linked with, while it is

    def teardown(self) -> None:
        self.folder.cleanup()

    @rule(subject=st.sampled_from("abcd"), person=st.integers(0, 2))
    def comes(self, subject: str, person: int) -> None:
        address = self.people[person].email
        try:
            found = come(self.home, identity(subject, address))
        except SignInRefused as refusal:
            assert subject not in self.belongs or refusal.reason is Reason.LEFT
            return
        assert found.current
        assert found.id == self.belongs.get(subject, self.people[person].id)
        self.belongs[subject] = found.id

    @rule(person=st.integers(0, 2))
    def is_unlinked(self, person: int) -> None:
        staff_id = self.people[person].id
        unlink_staff(self.home, manager_of(self.home), staff_id, now=NOW)
        self.belongs = {subject: owner for subject, owner in self.belongs.items() if owner != staff_id}

    @precondition(lambda self: any(staff_by_id(self.home.db, one.id).current for one in self.people[1:]))
    @rule(person=st.integers(1, 2))
    def leaves(self, person: int) -> None:
        staff_id = self.people[person].id
        if staff_by_id(self.home.db, staff_id).current:
            staff_leaves(self.home, None, staff_id, now=NOW)
            self.belongs = {subject: owner for subject, owner in self.belongs.items() if owner != staff_id}

    @invariant()
    def nobody_has_two_of_one_issuer(self) -> None:
        for person in self.people:
            linked = identities_of(self.home.db, person.id)
            assert len(linked) <= 1
            assert [self.belongs[one.subject] for one in linked] == [person.id] * len(linked)


TestSignIns = SignIns.TestCase
TestSignIns.settings = settings(max_examples=15, stateful_step_count=15, deadline=None)
