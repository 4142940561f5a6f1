"""Sign-in links and sessions (ASVS 5.0: 6.5.1, 6.5.5, 7.2.4, 7.3.1, 7.3.2, 7.4.1, 7.4.2)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from factories import NOW, staff

from socialgov.actions.sessions import end_session, session_staff
from socialgov.actions.signin import LinkRefused, make_signin_link, peek_signin_link, use_signin_link
from socialgov.actions.staff import set_roles, staff_leaves
from socialgov.errors import NotFound, NotPermitted
from socialgov.home import Home
from socialgov.models import Role, Staff
from socialgov.store.events import events_page
from socialgov.store.outbox import notices_of, waiting_mail
from socialgov.store.rows import dicts

MINUTE = timedelta(minutes=1)


def link_for(home: Home, person: Staff, at: datetime = NOW) -> str:
    path = make_signin_link(home, person.id, actor="cli", now=at)
    assert path.startswith("/signin/")
    return path.removeprefix("/signin/")


def signed_in(home: Home, person: Staff, at: datetime = NOW) -> str:
    session = use_signin_link(home, link_for(home, person, at), now=at).session
    assert session is not None
    return session


def tags(home: Home, count: int) -> list[str]:
    return [event.tag for event in events_page(home.db, before=None, tag=None, actor=None, limit=count)]


def test_a_link_signs_in_the_person_it_was_made_for(home: Home, teacher: Staff) -> None:
    token = link_for(home, teacher)
    assert peek_signin_link(home, token, NOW) == teacher
    session = use_signin_link(home, token, now=NOW).session
    assert session_staff(home, session, now=NOW) == teacher
    assert tags(home, 3) == ["signin:session:started", "signin:link:used", "signin:link:made"]


def test_looking_at_a_link_does_not_use_it_up(home: Home, teacher: Staff) -> None:
    token = link_for(home, teacher)
    for _ in range(3):
        assert peek_signin_link(home, token, NOW) == teacher
    use_signin_link(home, token, now=NOW)
    assert peek_signin_link(home, token, NOW) is None


@pytest.mark.asvs("6.5.1", "16.3.1")
def test_a_link_works_once_and_the_second_try_is_logged(home: Home, teacher: Staff) -> None:
    token = link_for(home, teacher)
    use_signin_link(home, token, now=NOW)
    with pytest.raises(LinkRefused):
        use_signin_link(home, token, now=NOW)
    assert tags(home, 1) == ["signin:link:refused"]


@pytest.mark.asvs("6.4.1", "6.5.5")
def test_a_link_works_for_ten_minutes_and_not_a_second_longer(home: Home, teacher: Staff) -> None:
    token = link_for(home, teacher)
    last = NOW + 10 * MINUTE
    assert peek_signin_link(home, token, last - timedelta(seconds=1)) == teacher
    assert peek_signin_link(home, token, last) is None
    with pytest.raises(LinkRefused):
        use_signin_link(home, token, now=last)


def test_a_link_does_not_work_before_it_was_made(home: Home, teacher: Staff) -> None:
    """A demonstration's clock can go back to the real time."""
    assert peek_signin_link(home, link_for(home, teacher), NOW - MINUTE) is None


def test_a_new_link_ends_the_one_before(home: Home, teacher: Staff) -> None:
    old, new = link_for(home, teacher), link_for(home, teacher)
    assert peek_signin_link(home, old, NOW) is None
    assert peek_signin_link(home, new, NOW) == teacher


@pytest.mark.asvs("16.3.1")
def test_a_guessed_link_is_refused_and_fills_no_log(home: Home) -> None:
    before = tags(home, 5)
    for guess in ("", "x", "A" * 43, "../../etc/passwd", "\ud800", "é" * 500):
        assert peek_signin_link(home, guess, NOW) is None
        with pytest.raises(LinkRefused):
            use_signin_link(home, guess, now=NOW)
    assert tags(home, 5) == before


def test_the_refusal_does_not_say_why(home: Home, teacher: Staff) -> None:
    used = link_for(home, teacher)
    use_signin_link(home, used, now=NOW)
    old = link_for(home, teacher, NOW - timedelta(days=1))
    said = set()
    for token in (used, old, "unknown"):
        with pytest.raises(LinkRefused) as caught:
            use_signin_link(home, token, now=NOW)
        said.add(str(caught.value))
    assert len(said) == 1


@pytest.mark.asvs("6.5.1")
def test_of_eight_that_use_one_link_at_once_one_gets_in(home: Home, teacher: Staff) -> None:
    token, opened, refused = link_for(home, teacher), [], []
    ready = threading.Barrier(8)

    def use() -> None:
        ready.wait()
        try:
            opened.append(use_signin_link(home, token, now=NOW).session)
        except LinkRefused as error:
            refused.append(error)

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(opened), len(refused)) == (1, 7)
    assert session_staff(home, opened[0], now=NOW) == teacher


@pytest.mark.asvs("13.3.1", "16.2.5")
def test_no_token_is_in_the_database_or_the_log(home: Home, teacher: Staff) -> None:
    unused, token = link_for(home, staff(home)), link_for(home, teacher)
    session = use_signin_link(home, token, now=NOW).session
    home.db.execute("pragma wal_checkpoint(truncate)")
    for path in home.path.glob("school.db*"):
        content = path.read_bytes()
        for secret in (unused, token, session):
            assert secret.encode() not in content


def test_somebody_unknown_or_gone_gets_no_link(home: Home, teacher: Staff) -> None:
    with pytest.raises(NotFound):
        make_signin_link(home, 999, actor="cli", now=NOW)
    staff_leaves(home, None, teacher.id, now=NOW)
    with pytest.raises(NotPermitted):
        make_signin_link(home, teacher.id, actor="cli", now=NOW)


def test_somebody_for_whom_another_makes_a_link_is_told_of_it(home: Home, manager: Staff, teacher: Staff) -> None:
    make_signin_link(home, teacher.id, actor="cli", now=NOW)
    make_signin_link(home, manager.id, actor=f"staff:{manager.id}", now=NOW)
    assert notices_of(home.db, teacher.id) == notices_of(home.db, manager.id) == []
    path = make_signin_link(home, teacher.id, actor=f"staff:{manager.id}", now=NOW)
    (notice,) = notices_of(home.db, teacher.id)
    assert "tell the head" in notice.text
    assert path.removeprefix("/signin/") not in notice.text
    assert (waiting_mail(home.db), tags(home, 2)[-1]) == (1, "signin:link:made")


# ---- sessions


def test_each_sign_in_has_a_new_session_and_ends_the_browsers_old_one(home: Home, teacher: Staff) -> None:
    first = signed_in(home, teacher)
    second = use_signin_link(home, link_for(home, teacher), now=NOW, previous=first).session
    assert first != second
    assert session_staff(home, first, now=NOW) is None
    assert session_staff(home, second, now=NOW) == teacher


def test_signing_in_elsewhere_leaves_the_other_browser_signed_in(home: Home, teacher: Staff) -> None:
    first, second = signed_in(home, teacher), signed_in(home, teacher)
    assert session_staff(home, first, now=NOW) == teacher == session_staff(home, second, now=NOW)


def test_a_session_of_nobody_is_nobody(home: Home) -> None:
    for guess in ("", "x", "A" * 43, "\ud800"):
        assert session_staff(home, guess, now=NOW) is None


def test_an_idle_session_ends_and_does_not_come_back(home: Home, teacher: Staff) -> None:
    session = signed_in(home, teacher)
    assert session_staff(home, session, now=NOW + 30 * MINUTE) == teacher
    assert session_staff(home, session, now=NOW + 61 * MINUTE) is None
    assert session_staff(home, session, now=NOW + 62 * MINUTE) is None


def test_a_session_in_use_lives_on_until_its_absolute_end(home: Home, teacher: Staff) -> None:
    session, now = signed_in(home, teacher), NOW
    end = NOW + timedelta(hours=home.settings.policy.session_absolute_hours)
    while (now := now + 20 * MINUTE) < end:
        assert session_staff(home, session, now=now) == teacher
    assert session_staff(home, session, now=end) is None


def test_use_is_noted_at_most_once_a_minute(home: Home, teacher: Staff) -> None:
    session = signed_in(home, teacher)

    def seen() -> str:
        return next(iter(dicts(home.db, "select seen_at from session")))["seen_at"]

    at_first = seen()
    session_staff(home, session, now=NOW + timedelta(seconds=59))
    assert seen() == at_first
    session_staff(home, session, now=NOW + MINUTE)
    assert seen() > at_first


def test_signing_out_kills_the_token_and_twice_is_no_error(home: Home, teacher: Staff) -> None:
    session = signed_in(home, teacher)
    end_session(home, session, now=NOW)
    assert session_staff(home, session, now=NOW) is None
    assert tags(home, 1) == ["signin:session:ended"]
    end_session(home, session, now=NOW)
    end_session(home, "unknown", now=NOW)
    assert tags(home, 2).count("signin:session:ended") == 1


def test_a_leavers_sessions_and_links_die_at_once(home: Home, teacher: Staff) -> None:
    sessions = [signed_in(home, teacher) for _ in range(2)]
    token = link_for(home, teacher)
    staff_leaves(home, None, teacher.id, now=NOW)
    assert peek_signin_link(home, token, NOW) is None
    assert all(session_staff(home, session, now=NOW) is None for session in sessions)
    assert tags(home, 3) == ["signin:session:ended", "signin:session:ended", "staff:person:left"]


def test_a_role_taken_away_is_gone_with_the_next_page(home: Home, manager: Staff) -> None:
    person = staff(home, Role.HEAD)
    session = signed_in(home, person)
    set_roles(home, manager, person.id, [Role.TEACHER], now=NOW)
    found = session_staff(home, session, now=NOW)
    assert found is not None
    assert found.roles == {Role.TEACHER}


@pytest.mark.parametrize("ending", [end_session, lambda home, token, now: staff_leaves(home, None, 2, now=now)])
def test_two_endings_at_once_do_not_meet_in_an_error(home: Home, teacher: Staff, ending: Callable[..., object]) -> None:
    session, trouble = signed_in(home, teacher), []
    assert teacher.id == 2

    def end() -> None:
        try:
            end_session(home, session, now=NOW)
        except Exception as error:
            trouble.append(error)

    threads = [threading.Thread(target=end) for _ in range(4)]
    for thread in threads:
        thread.start()
    ending(home, session, now=NOW)
    for thread in threads:
        thread.join()
    assert trouble == []
    assert session_staff(home, session, now=NOW) is None


def test_a_session_survives_a_restart(home: Home, teacher: Staff) -> None:
    session = signed_in(home, teacher)
    home.db.close()
    again = Home(home.path, home.settings, home.escrow, clock=home.clock)
    assert session_staff(again, session, now=NOW) == teacher
