"""Passkeys: who gets in with one, and each way in which an answer can be wrong (ASVS 5.0: 6.3.1, 6.5.1, 6.5.5)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from factories import NOW, staff
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from soft_passkey import PRESENT, SoftPasskey, by_link, device, registered

from socialgov.actions import passkeys
from socialgov.actions.ceremonies import CeremonyOver
from socialgov.actions.factors import passkeys_work
from socialgov.actions.passkeys import CONFIRM, SIGN_IN, PasskeyRefused, add_passkey, ask_for_one, ask_to_add
from socialgov.actions.sessions import Visitor, open_session, session_staff
from socialgov.actions.staff import add_staff, staff_leaves
from socialgov.actions.stepup import is_fresh, need_fresh
from socialgov.errors import Conflict, InvalidInput, NotFound, StepUpNeeded
from socialgov.home import Home
from socialgov.models import Role, Staff
from socialgov.store.events import EventTag, events_page
from socialgov.store.factors import passkeys_of
from socialgov.store.outbox import notices_of

MINUTE = timedelta(minutes=1)
VISITOR = Visitor("192.0.2.7", "Firefox on Windows")


def sign_in(home: Home, key: SoftPasskey, at: Any = NOW, **wrong: Any) -> str:
    asked = ask_for_one(home, SIGN_IN, now=at)
    return passkeys.sign_in_with_passkey(home, asked.token, key.use(asked.json, **wrong), visitor=VISITOR, now=at)


def tags(home: Home) -> list[str]:
    return [event.tag for event in events_page(home.db, before=None, tag="signin", actor=None, limit=50)]


# --------------------------------------------------------------------------------------------------- the good way


def test_a_passkey_is_registered_and_signs_in_without_a_user_name(home: Home, teacher: Staff) -> None:
    key, _ = registered(home, teacher)
    token = sign_in(home, key)
    assert session_staff(home, token, now=NOW) == teacher
    session = open_session(home, token, now=NOW)
    assert session is not None
    assert (session.method, session.address, session.agent) == ("passkey", "192.0.2.7", "Firefox on Windows")
    assert is_fresh(home, session, NOW), "a passkey with user verification is a step-up"
    (kept,) = passkeys_of(home.db, teacher.id)
    assert (kept.sign_count, kept.name, kept.used_at) == (1, "Laptop", NOW)


def test_the_browser_is_asked_for_verification_and_no_attestation(home: Home, teacher: Staff) -> None:
    asked = json.loads(ask_to_add(home, teacher, by_link(home, teacher), now=NOW).json)
    assert asked["rp"]["id"] == "localhost"
    assert asked["attestation"] == "none"
    assert asked["authenticatorSelection"]["userVerification"] == "required"
    assert asked["authenticatorSelection"]["residentKey"] == "preferred"
    assert teacher.email not in asked["user"]["id"]
    used = json.loads(ask_for_one(home, SIGN_IN, now=NOW).json)
    assert used["userVerification"] == "required"
    assert used["allowCredentials"] == []


def test_a_second_passkey_excludes_the_first_and_both_sign_in(home: Home, teacher: Staff) -> None:
    first, session = registered(home, teacher)
    second = device(home)
    asked = ask_to_add(home, teacher, session, now=NOW)
    assert [one["id"] for one in json.loads(asked.json)["excludeCredentials"]]
    session = add_passkey(home, teacher, session, asked.token, second.register(asked.json), "Phone", now=NOW)
    for key in (first, second):
        assert session_staff(home, sign_in(home, key), now=NOW) == teacher
    asked = ask_to_add(home, teacher, session, now=NOW)
    with pytest.raises(Conflict, match="registered already"):
        add_passkey(home, teacher, session, asked.token, first.register(asked.json), "Laptop", now=NOW)


@pytest.mark.asvs("7.2.4", "7.5.1")
def test_a_passkey_confirms_and_the_old_token_is_dead(home: Home, teacher: Staff) -> None:
    key, old = registered(home, teacher)
    later = NOW + timedelta(minutes=home.settings.policy.step_up_minutes)
    with pytest.raises(StepUpNeeded):
        need_fresh(home, old, now=later)
    asked = ask_for_one(home, CONFIRM, staff_id=teacher.id, now=later)
    new = passkeys.confirm_with_passkey(home, teacher, old, asked.token, key.use(asked.json), now=later)
    need_fresh(home, new, now=later)
    assert session_staff(home, old, now=later) is None


def test_a_maker_that_does_not_count_is_fine(home: Home, teacher: Staff) -> None:
    key, _ = registered(home, teacher, device(home, count=None))
    for _ in range(2):
        assert session_staff(home, sign_in(home, key), now=NOW) == teacher


# --------------------------------------------------------------------------------------------------- wrong answers


@pytest.mark.asvs("6.3.1")
@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "https://social-school.example"},
        {"origin": "http://localhost:6000"},
        {"host": "evil.example"},
        {"flags": PRESENT},
        {"flags": 0},
        {"signature": b"\x30\x06\x02\x01\x01\x02\x01\x01"},
        {"kind": "webauthn.create"},
        {"challenge": "AAAA"},
        {"handle": b"somebody else"},
        {"cross_origin": True},
    ],
    ids=str,
)
def test_a_wrong_answer_signs_nobody_in_and_is_in_the_log(home: Home, teacher: Staff, wrong: dict[str, Any]) -> None:
    key, _ = registered(home, teacher)
    with pytest.raises(PasskeyRefused):
        sign_in(home, key, **wrong)
    assert tags(home)[0] == EventTag.PASSKEY_REFUSED
    assert session_staff(home, sign_in(home, key), now=NOW) == teacher, "and a right one still does"


@pytest.mark.parametrize(
    "wrong", [{"origin": "https://evil.example"}, {"host": "evil.example"}, {"flags": PRESENT}, {"cross_origin": True}]
)
def test_a_wrong_registration_is_not_kept(home: Home, teacher: Staff, wrong: dict[str, Any]) -> None:
    session, key = by_link(home, teacher), device(home)
    asked = ask_to_add(home, teacher, session, now=NOW)
    with pytest.raises(PasskeyRefused):
        add_passkey(home, teacher, session, asked.token, key.register(asked.json, **wrong), "Laptop", now=NOW)
    assert passkeys_of(home.db, teacher.id) == []


@pytest.mark.asvs("6.5.1")
def test_an_answer_counts_once(home: Home, teacher: Staff) -> None:
    key, _ = registered(home, teacher)
    asked = ask_for_one(home, SIGN_IN, now=NOW)
    answer = key.use(asked.json)
    passkeys.sign_in_with_passkey(home, asked.token, answer, visitor=VISITOR, now=NOW)
    with pytest.raises(CeremonyOver):
        passkeys.sign_in_with_passkey(home, asked.token, answer, visitor=VISITOR, now=NOW)


@pytest.mark.asvs("6.5.1")
def test_an_answer_to_the_challenge_of_another_browser_is_refused(home: Home, teacher: Staff) -> None:
    key, _ = registered(home, teacher)
    mine, theirs = ask_for_one(home, SIGN_IN, now=NOW), ask_for_one(home, SIGN_IN, now=NOW)
    with pytest.raises(PasskeyRefused):
        passkeys.sign_in_with_passkey(home, mine.token, key.use(theirs.json), visitor=VISITOR, now=NOW)
    with pytest.raises(CeremonyOver):
        passkeys.sign_in_with_passkey(home, None, key.use(theirs.json), visitor=VISITOR, now=NOW)


@pytest.mark.asvs("6.5.5")
def test_a_challenge_lives_five_minutes(home: Home, teacher: Staff) -> None:
    key, _ = registered(home, teacher)
    asked = ask_for_one(home, SIGN_IN, now=NOW)
    with pytest.raises(CeremonyOver):
        passkeys.sign_in_with_passkey(
            home, asked.token, key.use(asked.json), visitor=VISITOR, now=NOW + timedelta(minutes=5)
        )


def test_a_challenge_of_one_purpose_serves_no_other(home: Home, teacher: Staff) -> None:
    key, session = registered(home, teacher)
    asked = ask_for_one(home, SIGN_IN, now=NOW)
    with pytest.raises(CeremonyOver):
        passkeys.confirm_with_passkey(home, teacher, session, asked.token, key.use(asked.json), now=NOW)


def test_a_copied_passkey_is_refused_and_its_owner_told(home: Home, teacher: Staff) -> None:
    key, _ = registered(home, teacher)
    copy = device(home, key=key.key, id=key.id, handle=key.handle, count=key.count)
    sign_in(home, key)
    sign_in(home, key)
    with pytest.raises(PasskeyRefused):
        sign_in(home, copy)
    assert "copied" in notices_of(home.db, teacher.id)[0].text
    event = events_page(home.db, before=None, tag=EventTag.PASSKEY_REFUSED, actor=None, limit=1)[0]
    assert event.data["why"] == "sign_count"


def test_a_passkey_of_somebody_else_confirms_nobody(home: Home, teacher: Staff, head: Staff) -> None:
    key, _ = registered(home, teacher)
    _, session = registered(home, head)
    asked = ask_for_one(home, CONFIRM, staff_id=head.id, now=NOW)
    with pytest.raises(PasskeyRefused):
        passkeys.confirm_with_passkey(home, head, session, asked.token, key.use(asked.json), now=NOW)


@pytest.mark.asvs("16.3.1")
def test_an_unknown_passkey_is_refused_and_fills_no_log(home: Home, teacher: Staff) -> None:
    registered(home, teacher)
    before = tags(home)
    with pytest.raises(PasskeyRefused):
        sign_in(home, device(home))
    assert tags(home) == before


KEYS = st.sampled_from(["id", "rawId", "type", "response", "clientDataJSON", "authenticatorData", "signature"])
NESTED = st.recursive(
    st.none() | st.text(max_size=5) | st.integers(), lambda inner: st.dictionaries(KEYS, inner, max_size=6)
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(text=st.text(max_size=300) | NESTED.map(json.dumps))
def test_no_answer_whatever_makes_a_fault(home: Home, text: str) -> None:
    asked = ask_for_one(home, SIGN_IN, now=NOW)
    with pytest.raises(PasskeyRefused):
        passkeys.sign_in_with_passkey(home, asked.token, text, visitor=VISITOR, now=NOW)


# --------------------------------------------------------------------------------------------------- whose it is


@pytest.mark.asvs("7.4.2")
def test_a_passkey_of_somebody_who_left_never_works_even_should_they_come_back(home: Home, teacher: Staff) -> None:
    key, _ = registered(home, teacher)
    staff_leaves(home, None, teacher.id, now=NOW)
    with pytest.raises(PasskeyRefused):
        sign_in(home, key)
    add_staff(home, None, teacher.name, teacher.email, [Role.TEACHER], now=NOW)
    with pytest.raises(PasskeyRefused):
        sign_in(home, key)


def test_a_removed_passkey_never_works(home: Home, teacher: Staff) -> None:
    key, session = registered(home, teacher)
    (kept,) = passkeys_of(home.db, teacher.id)
    passkeys.remove_passkey(home, teacher, session, kept.id, now=NOW)
    with pytest.raises(PasskeyRefused):
        sign_in(home, key)
    with pytest.raises(NotFound):
        passkeys.remove_passkey(home, teacher, session, kept.id, now=NOW)


def test_nobody_removes_the_passkey_of_another(home: Home, teacher: Staff, head: Staff) -> None:
    registered(home, teacher)
    _, session = registered(home, head)
    (kept,) = passkeys_of(home.db, teacher.id)
    with pytest.raises(NotFound):
        passkeys.remove_passkey(home, head, session, kept.id, now=NOW)


@pytest.mark.asvs("7.5.1")
def test_only_the_very_first_passkey_is_added_after_a_link_and_soon(home: Home, teacher: Staff) -> None:
    session = by_link(home, teacher)
    late = NOW + timedelta(minutes=home.settings.policy.step_up_minutes)
    with pytest.raises(StepUpNeeded):
        ask_to_add(home, teacher, session, now=late)
    _, session = registered(home, teacher)
    with pytest.raises(StepUpNeeded):
        ask_to_add(home, teacher, session, now=late)
    with pytest.raises(StepUpNeeded):
        passkeys.remove_passkey(home, teacher, session, passkeys_of(home.db, teacher.id)[0].id, now=late)


@pytest.mark.parametrize("name", ["", "   ", "x" * 61, "a\x00b", "\u202eevil"])
def test_a_passkey_needs_a_name_that_can_be_read(home: Home, teacher: Staff, name: str) -> None:
    session, key = by_link(home, teacher), device(home)
    asked = ask_to_add(home, teacher, session, now=NOW)
    with pytest.raises(InvalidInput):
        add_passkey(home, teacher, session, asked.token, key.register(asked.json), name, now=NOW)


@pytest.mark.parametrize(
    ("address", "works"),
    [
        ("https://social.school.example", True),
        ("http://localhost:5000", True),
        ("http://social.school.example", False),
        ("https://192.0.2.4", False),
        ("http://127.0.0.1:5000", False),
        ("https://[2001:db8::1]", False),
    ],
)
def test_passkeys_work_on_https_and_localhost_and_on_no_bare_address(home: Home, address: str, works: bool) -> None:
    assert passkeys_work(replace(home.settings, base_url=address)) is works


def test_somebody_is_told_of_a_passkey_added_and_removed(home: Home) -> None:
    person = staff(home)
    _, session = registered(home, person)
    passkeys.remove_passkey(home, person, session, passkeys_of(home.db, person.id)[0].id, now=NOW)
    texts = " ".join(one.text for one in notices_of(home.db, person.id))
    assert "A passkey was added" in texts
    assert "A passkey of yours was removed" in texts
