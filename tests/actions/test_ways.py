"""The ways somebody signs in together: link and second step, lost devices, sessions (ASVS 6.4.1, 7.4.2, 7.5.1)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from factories import NOW, staff
from soft_passkey import by_link, device, registered
from test_authenticators import code, with_app
from test_passkeys import VISITOR

from socialgov.actions import passkeys
from socialgov.actions.ceremonies import CeremonyOver
from socialgov.actions.factors import usable, ways_of
from socialgov.actions.sessions import (
    end_other_sessions,
    end_own_session,
    open_session,
    session_staff,
    sessions_of,
    start_session,
)
from socialgov.actions.signin import finish_with_code, finish_with_passkey, make_signin_link, use_signin_link
from socialgov.actions.staff import staff_leaves
from socialgov.actions.stepup import mark_strong, need_fresh, need_fresh_or_first
from socialgov.actions.throttle import check_address, note_wrong_address
from socialgov.actions.ways import end_all_sessions, postpone, remove_factors, should_ask
from socialgov.config_signin import EmailProof, OpenIdSettings
from socialgov.errors import InvalidInput, NotFound, NotPermitted, StepUpNeeded, Throttled
from socialgov.home import Home
from socialgov.models import Role, Staff
from socialgov.store import write
from socialgov.store.events import EventTag, events_page
from socialgov.store.identities import add_identity
from socialgov.store.outbox import notices_of, waiting_mail
from socialgov.store.rows import scalar

STEP = timedelta(seconds=30)


def link_of(home: Home, person: Staff) -> str:
    return make_signin_link(home, person.id, actor="cli", now=NOW).rsplit("/", 1)[-1]


def waiting(home: Home, person: Staff) -> str:
    """The token of a sign-in by link that waits for its second step."""
    begun = use_signin_link(home, link_of(home, person), now=NOW)
    assert begun.session is None
    assert begun.waiting is not None
    return begun.waiting


def strong(home: Home, person: Staff) -> str:
    """A session whose owner showed who they are a moment ago."""
    token = by_link(home, person)
    session = open_session(home, token, now=NOW)
    assert session is not None
    with write(home.db) as db:
        mark_strong(db, session.id, "passkey", NOW)
    return token


def texts(home: Home, person: Staff) -> str:
    return " ".join(one.text for one in notices_of(home.db, person.id))


# --------------------------------------------------------------------------------------------------- second step


@pytest.mark.asvs("6.4.1")
def test_a_link_alone_is_not_enough_for_somebody_who_has_an_app(home: Home, teacher: Staff) -> None:
    seed, _ = with_app(home, teacher)
    half = waiting(home, teacher)
    later = NOW + 2 * STEP
    with pytest.raises(InvalidInput):
        finish_with_code(home, half, "000000", visitor=VISITOR, now=later)
    token = finish_with_code(home, half, code(seed, later), visitor=VISITOR, now=later)
    assert session_staff(home, token, now=later) == teacher
    need_fresh(home, token, now=later)
    with pytest.raises(CeremonyOver):  # once
        finish_with_code(home, half, code(seed, later + STEP), visitor=VISITOR, now=later + STEP)


@pytest.mark.asvs("6.4.1")
def test_a_link_is_followed_by_a_passkey_of_the_same_person(home: Home, teacher: Staff, head: Staff) -> None:
    key, _ = registered(home, teacher)
    other, _ = registered(home, head)
    half = waiting(home, teacher)
    asked = passkeys.ask_for_one(home, passkeys.SECOND, staff_id=teacher.id, now=NOW)
    with pytest.raises(passkeys.PasskeyRefused):
        finish_with_passkey(home, half, asked.token, other.use(asked.json), visitor=VISITOR, now=NOW)
    asked = passkeys.ask_for_one(home, passkeys.SECOND, staff_id=teacher.id, now=NOW)
    token = finish_with_passkey(home, half, asked.token, key.use(asked.json), visitor=VISITOR, now=NOW)
    assert session_staff(home, token, now=NOW) == teacher


def test_a_half_sign_in_waits_five_minutes_and_dies_with_its_owners_leaving(home: Home, teacher: Staff) -> None:
    seed, _ = with_app(home, teacher)
    late = NOW + timedelta(minutes=5)
    half = waiting(home, teacher)
    with pytest.raises(CeremonyOver):
        finish_with_code(home, half, code(seed, late), visitor=VISITOR, now=late)
    staff_leaves(home, None, teacher.id, now=NOW)
    with pytest.raises(CeremonyOver):
        finish_with_code(home, half, code(seed, NOW + STEP), visitor=VISITOR, now=NOW + STEP)


def test_a_used_link_is_told_to_somebody_who_has_a_better_way(home: Home, teacher: Staff) -> None:
    use_signin_link(home, link_of(home, teacher), now=NOW)
    assert "A sign-in link of yours was used" not in texts(home, teacher)
    with_app(home, teacher)
    before = waiting_mail(home.db)
    waiting(home, teacher)
    assert "A sign-in link of yours was used" in texts(home, teacher)
    assert waiting_mail(home.db) == before + 1


def test_the_school_may_let_a_link_alone_suffice(home: Home, teacher: Staff) -> None:
    with_app(home, teacher)
    policy = replace(home.settings.policy, link_needs_second_factor=False)
    lax = replace(home, settings=replace(home.settings, policy=policy))
    assert use_signin_link(lax, link_of(lax, teacher), now=NOW).session


def test_a_factor_that_cannot_be_asked_for_shuts_nobody_out(home: Home, teacher: Staff) -> None:
    registered(home, teacher)
    bare = replace(home, settings=replace(home.settings, base_url="http://192.0.2.4:5000"))
    assert use_signin_link(bare, link_of(bare, teacher), now=NOW).session


# --------------------------------------------------------------------------------------------------- asked to add


def test_heads_and_managers_are_asked_each_time_and_others_each_month(
    home: Home, teacher: Staff, head: Staff, manager: Staff
) -> None:
    for person in (teacher, head, manager):
        assert should_ask(home, person, NOW)
        postpone(home, person, now=NOW)
    assert not should_ask(home, teacher, NOW + timedelta(days=30))
    assert should_ask(home, teacher, NOW + timedelta(days=31))
    assert should_ask(home, head, NOW)
    assert should_ask(home, manager, NOW)
    registered(home, head)
    assert not should_ask(home, head, NOW)


# --------------------------------------------------------------------------------------------------- lost devices


@pytest.mark.asvs("7.5.1")
def test_the_manager_helps_after_a_lost_device_and_everybody_concerned_is_told(
    home: Home, teacher: Staff, head: Staff, manager: Staff
) -> None:
    registered(home, teacher)
    with pytest.raises(StepUpNeeded):
        remove_factors(home, manager, by_link(home, manager), teacher.id, now=NOW)
    assert remove_factors(home, manager, strong(home, manager), teacher.id, now=NOW) == 1
    assert not ways_of(home.db, teacher.id).some
    assert sessions_of(home, teacher.id, now=NOW) == []
    assert "A passkey of yours was removed" in texts(home, teacher)
    assert "were removed, as after a lost device" in texts(home, head)
    event = events_page(home.db, before=None, tag=EventTag.PASSKEY_REMOVED, actor=None, limit=1)[0]
    assert (event.actor, event.subject_id) == (f"staff:{manager.id}", teacher.id)
    assert use_signin_link(home, link_of(home, teacher), now=NOW).session, "and a link alone lets them in again"


def test_nobody_else_removes_them_and_no_manager_their_own(
    home: Home, teacher: Staff, head: Staff, manager: Staff
) -> None:
    with_app(home, teacher)
    with pytest.raises(NotPermitted, match="Only the network manager"):
        remove_factors(home, head, strong(home, head), teacher.id, now=NOW)
    with pytest.raises(NotPermitted, match="on the page Signing in"):
        remove_factors(home, manager, strong(home, manager), manager.id, now=NOW)


def test_the_command_line_helps_the_only_network_manager_and_the_heads_hear_of_it(
    home: Home, manager: Staff, head: Staff
) -> None:
    with_app(home, manager)
    assert remove_factors(home, None, None, manager.id, now=NOW) == 1
    assert "were removed, as after a lost device" in texts(home, head)
    event = events_page(home.db, before=None, tag=EventTag.AUTHENTICATOR_REMOVED, actor=None, limit=1)[0]
    assert event.actor == "cli"


# --------------------------------------------------------------------------------------------------- sessions


@pytest.mark.asvs("7.5.2")
def test_one_sees_and_ends_ones_own_sessions_and_nobody_elses(home: Home, teacher: Staff, head: Staff) -> None:
    tokens = [by_link(home, teacher, NOW + timedelta(minutes=number)) for number in range(3)]
    now = NOW + timedelta(minutes=3)
    listed = sessions_of(home, teacher.id, now=now)
    assert [one.started_at for one in listed] == [NOW + timedelta(minutes=number) for number in (2, 1, 0)]
    with pytest.raises(NotFound):
        end_own_session(home, head, listed[0].id, now=now)
    end_own_session(home, teacher, listed[2].id, now=now)
    assert session_staff(home, tokens[0], now=now) is None
    assert end_other_sessions(home, teacher, tokens[2], now=now) == 1
    assert session_staff(home, tokens[1], now=now) is None
    assert session_staff(home, tokens[2], now=now) == teacher


@pytest.mark.asvs("7.4.2", "7.4.5")
def test_the_head_ends_all_sessions_of_somebody(home: Home, teacher: Staff, head: Staff) -> None:
    token = by_link(home, teacher)
    with pytest.raises(StepUpNeeded):
        end_all_sessions(home, head, by_link(home, head), teacher.id, now=NOW)
    end_all_sessions(home, head, strong(home, head), teacher.id, now=NOW)
    assert session_staff(home, token, now=NOW) is None
    assert "signed out everywhere" in texts(home, teacher)
    with pytest.raises(NotPermitted):
        end_all_sessions(home, teacher, strong(home, teacher), head.id, now=NOW)


def test_sessions_that_timed_out_are_not_listed(home: Home, teacher: Staff) -> None:
    by_link(home, teacher)
    later = NOW + timedelta(minutes=home.settings.policy.session_idle_minutes + 1)
    assert sessions_of(home, teacher.id, now=later) == []


def test_somebody_whose_provider_cannot_ask_again_adds_a_passkey_after_coming_by_it(
    home: Home, teacher: Staff, tmp_path: Path
) -> None:
    """Google knows no `prompt=login`: without this its people could never confirm anything."""
    google = replace(home, settings=replace(home.settings, openid=provider_settings(tmp_path, step_up=False)))
    with write(home.db) as db:
        add_identity(
            db, staff_id=teacher.id, issuer="https://issuer.example", subject="1", email=teacher.email, linked_at=NOW
        )
        by_provider = start_session(db, google, teacher.id, method="openid", visitor=VISITOR, now=NOW)
    need_fresh_or_first(google, by_provider, now=NOW)
    with pytest.raises(StepUpNeeded):  # whoever makes a link adds nothing to an account that has an identity
        need_fresh_or_first(google, by_link(google, teacher), now=NOW)
    asks = replace(home, settings=replace(home.settings, openid=provider_settings(tmp_path, step_up=True)))
    assert usable(asks, ways_of(home.db, teacher.id)).openid
    with pytest.raises(StepUpNeeded):
        need_fresh_or_first(asks, by_provider, now=NOW)


def provider_settings(tmp_path: Path, *, step_up: bool) -> OpenIdSettings:
    """A sign-in service of the school."""
    return OpenIdSettings(
        issuer="https://issuer.example",
        client_id="socialgov",
        secret_file=tmp_path / "secret",
        label="your school account",
        domains=("school.example",),
        hosted_domain="",
        email_proof=EmailProof.EMAIL_VERIFIED,
        scopes=("openid", "email"),
        form_origins=("https://issuer.example",),
        step_up=step_up,
        enter_staff=False,
        groups_claim="groups",
    )


def test_a_link_makes_no_session_strong(home: Home, teacher: Staff) -> None:
    with pytest.raises(StepUpNeeded):
        need_fresh(home, by_link(home, teacher), now=NOW)
    with write(home.db) as db, pytest.raises(ValueError, match="shows nobody"):
        mark_strong(db, 1, "link", NOW)


def test_strength_does_not_come_from_a_moment_yet_to_come(home: Home, teacher: Staff) -> None:
    token = strong(home, teacher)
    with pytest.raises(StepUpNeeded):
        need_fresh(home, token, now=NOW - timedelta(minutes=1))


# --------------------------------------------------------------------------------------------------- by address


@pytest.mark.asvs("6.3.1")
def test_refusals_are_counted_by_address_and_the_window_opens_again(home: Home) -> None:
    policy = home.settings.policy
    for _ in range(policy.signin_tries + 5):
        note_wrong_address(home, "192.0.2.9", now=NOW)
    assert scalar(home.db, "select count(*) from signin_failure") == policy.signin_tries, "a flood fills no disk"
    with pytest.raises(Throttled):
        check_address(home, "192.0.2.9", now=NOW)
    check_address(home, "192.0.2.10", now=NOW)
    check_address(home, "192.0.2.9", now=NOW + timedelta(minutes=policy.signin_tries_minutes))
    events = events_page(home.db, before=None, tag=EventTag.SIGNIN_THROTTLED, actor=None, limit=9)
    assert len(events) == 1
    assert "192.0.2.9" not in str(events)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.9", "192.0.2.9", True),
        ("fe80::1%eth0", "fe80::2", True),
        ("nonsense", "unknown", True),
    ],
)
def test_an_ipv6_household_is_one_address(home: Home, one: str, other: str, same: bool) -> None:
    for _ in range(home.settings.policy.signin_tries):
        note_wrong_address(home, one, now=NOW)
    if same:
        with pytest.raises(Throttled):
            check_address(home, other, now=NOW)
    else:
        check_address(home, other, now=NOW)


def test_a_good_passkey_is_not_refused_for_the_address_it_comes_from(home: Home) -> None:
    person = staff(home, Role.TEACHER)
    key, _ = registered(home, person, device(home))
    for _ in range(home.settings.policy.signin_tries):
        note_wrong_address(home, VISITOR.address, now=NOW)
    asked = passkeys.ask_for_one(home, passkeys.SIGN_IN, now=NOW)
    answer = key.use(asked.json)
    assert passkeys.sign_in_with_passkey(home, asked.token, answer, visitor=VISITOR, now=NOW)
