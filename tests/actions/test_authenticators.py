"""Authenticator codes: once, in time, with one step of drift, throttled (ASVS 5.0: 6.3.1, 6.5.1, 6.5.5)."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest
from factories import NOW, make_home, manager_of, staff
from soft_passkey import by_link, registered

from socialgov.actions.authenticators import (
    begin_authenticator,
    confirm_authenticator,
    confirm_with_code,
    give_authenticator,
    remove_authenticator,
    use_code,
)
from socialgov.actions.staff import staff_leaves
from socialgov.actions.stepup import need_fresh
from socialgov.errors import Conflict, InvalidInput, NotFound, NotPermitted, StepUpNeeded, Throttled
from socialgov.escrow.codes import Seed, code_at, read_seed
from socialgov.home import Home
from socialgov.models import Staff
from socialgov.store.events import EventTag, events_page
from socialgov.store.factors import authenticator_of
from socialgov.store.outbox import notices_of
from socialgov.store.rows import scalar

STEP = timedelta(seconds=30)


def code(seed: Seed, at: datetime) -> str:
    return code_at(seed, at)[0]


def with_app(home: Home, person: Staff) -> tuple[Seed, str]:
    """(the seed of this person's confirmed app, their session's token)."""
    session = by_link(home, person)
    seed = begin_authenticator(home, person, session, now=NOW)
    return seed, confirm_authenticator(home, person, session, code(seed, NOW), now=NOW)


def test_an_app_counts_after_its_first_code(home: Home, teacher: Staff) -> None:
    session = by_link(home, teacher)
    seed = begin_authenticator(home, teacher, session, now=NOW)
    with pytest.raises(NotPermitted):
        use_code(home, teacher.id, code(seed, NOW), now=NOW)
    session = confirm_authenticator(home, teacher, session, code(seed, NOW), now=NOW)
    need_fresh(home, session, now=NOW)
    use_code(home, teacher.id, code(seed, NOW + STEP), now=NOW + STEP)
    assert "An authenticator app was added" in notices_of(home.db, teacher.id)[0].text


@pytest.mark.asvs("6.5.1")
def test_a_code_counts_once(home: Home, teacher: Staff) -> None:
    seed, _ = with_app(home, teacher)
    later = NOW + 2 * STEP
    use_code(home, teacher.id, code(seed, later), now=later)
    with pytest.raises(InvalidInput, match="used already"):
        use_code(home, teacher.id, code(seed, later), now=later)
    with pytest.raises(InvalidInput):  # nor one from before
        use_code(home, teacher.id, code(seed, later - STEP), now=later)


@pytest.mark.asvs("6.5.1", "16.3.1")
def test_of_eight_that_use_one_code_at_once_one_gets_in(home: Home, teacher: Staff) -> None:
    seed, _ = with_app(home, teacher)
    later, got_in = NOW + 2 * STEP, []
    barrier = threading.Barrier(8)

    def try_it() -> None:
        barrier.wait()
        try:
            use_code(home, teacher.id, code(seed, later), now=later)
        except (InvalidInput, Throttled):
            return
        got_in.append(1)

    threads = [threading.Thread(target=try_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got_in) == 1
    refused = events_page(home.db, before=None, tag=EventTag.AUTHENTICATOR_REFUSED, actor=None, limit=9)
    assert len(refused) == 7


@pytest.mark.asvs("6.5.5")
@pytest.mark.parametrize(("steps", "good"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_clock_may_be_off_by_one_step(home: Home, teacher: Staff, steps: int, good: bool) -> None:
    seed, _ = with_app(home, teacher)
    later = NOW + 20 * STEP
    given = code(seed, later + steps * STEP)
    if good:
        use_code(home, teacher.id, given, now=later)
    else:
        with pytest.raises(InvalidInput):
            use_code(home, teacher.id, given, now=later)


@pytest.mark.asvs("6.3.1")
def test_guesses_are_throttled_by_person_and_the_person_is_told(home: Home, teacher: Staff, head: Staff) -> None:
    seed, _ = with_app(home, teacher)
    others, _ = with_app(home, head)
    later, tries = NOW + 20 * STEP, home.settings.policy.signin_tries
    for _ in range(tries):
        with pytest.raises(InvalidInput):
            use_code(home, teacher.id, "000000", now=later)
    with pytest.raises(Throttled):  # right, and not looked at
        use_code(home, teacher.id, code(seed, later), now=later)
    use_code(home, head.id, code(others, later), now=later)  # nobody else is
    assert "wrong codes or passwords again and again" in notices_of(home.db, teacher.id)[0].text
    throttled = events_page(home.db, before=None, tag=EventTag.SIGNIN_THROTTLED, actor=None, limit=9)
    assert [(event.subject_id, event.data) for event in throttled] == [(teacher.id, {"by": "person"})]
    opened = later + timedelta(minutes=home.settings.policy.signin_tries_minutes)
    use_code(home, teacher.id, code(seed, opened), now=opened)


@pytest.mark.asvs("6.3.1")
def test_the_count_holds_in_another_process_and_a_right_code_clears_it(home: Home, teacher: Staff) -> None:
    seed, _ = with_app(home, teacher)
    later, tries = NOW + 20 * STEP, home.settings.policy.signin_tries
    for round_ in range(3):
        for _ in range(tries - 1):
            with pytest.raises(InvalidInput):
                again = Home(home.path, home.settings, home.escrow, clock=home.clock)  # as after a restart
                use_code(again, teacher.id, "000000", now=later)
        moment = later + round_ * STEP
        use_code(home, teacher.id, code(seed, moment), now=moment)
    assert teacher.email not in str(list(home.db.query("select * from signin_failure")))


@pytest.mark.parametrize("given", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "0" * 5000])
def test_what_is_no_code_is_refused(home: Home, teacher: Staff, given: str) -> None:
    with_app(home, teacher)
    with pytest.raises(InvalidInput):
        use_code(home, teacher.id, given, now=NOW)


@pytest.mark.asvs("7.2.4", "7.5.1")
def test_a_code_confirms_and_the_old_token_is_dead(home: Home, teacher: Staff) -> None:
    seed, old = with_app(home, teacher)
    later = NOW + timedelta(minutes=home.settings.policy.step_up_minutes)
    with pytest.raises(StepUpNeeded):
        need_fresh(home, old, now=later)
    new = confirm_with_code(home, teacher, old, code(seed, later), now=later)
    need_fresh(home, new, now=later)
    with pytest.raises(StepUpNeeded):
        need_fresh(home, old, now=later)


def test_the_seed_is_sealed_to_its_row_and_gone_when_the_app_is_removed(home: Home, teacher: Staff) -> None:
    seed, session = with_app(home, teacher)
    kept = scalar(home.db, "select sealed from authenticator where staff_id = ?", (teacher.id,))
    assert seed.secret not in kept
    assert seed.text.encode() not in kept
    remove_authenticator(home, teacher, session, now=NOW)
    assert scalar(home.db, "select count(*) from authenticator where sealed is not null") == 0
    assert authenticator_of(home.db, teacher.id) is None
    with pytest.raises(NotFound):
        remove_authenticator(home, teacher, session, now=NOW)


def test_a_begun_app_that_was_never_confirmed_makes_room(home: Home, teacher: Staff) -> None:
    session = by_link(home, teacher)
    first = begin_authenticator(home, teacher, session, now=NOW)
    second = begin_authenticator(home, teacher, session, now=NOW)
    with pytest.raises(InvalidInput):
        confirm_authenticator(home, teacher, session, code(first, NOW), now=NOW)
    session = confirm_authenticator(home, teacher, session, code(second, NOW), now=NOW)
    with pytest.raises(Conflict, match="already"):
        begin_authenticator(home, teacher, session, now=NOW)


@pytest.mark.asvs("6.5.5")
def test_a_begun_app_waits_a_quarter_of_an_hour(home: Home, teacher: Staff) -> None:
    seed = begin_authenticator(home, teacher, by_link(home, teacher), now=NOW)
    late = NOW + timedelta(minutes=16)
    with pytest.raises(NotFound):
        confirm_authenticator(home, teacher, by_link(home, teacher, late), code(seed, late), now=late)


@pytest.mark.asvs("7.5.1")
def test_an_app_is_not_added_beside_a_passkey_without_showing_who_one_is(home: Home, teacher: Staff) -> None:
    _, session = registered(home, teacher)
    late = NOW + timedelta(minutes=home.settings.policy.step_up_minutes)
    with pytest.raises(StepUpNeeded):
        begin_authenticator(home, teacher, session, now=late)


@pytest.mark.asvs("7.4.2")
def test_the_codes_of_somebody_who_left_count_no_more(home: Home, teacher: Staff) -> None:
    seed, _ = with_app(home, teacher)
    staff_leaves(home, None, teacher.id, now=NOW)
    later = NOW + 3 * STEP
    with pytest.raises(NotPermitted):
        use_code(home, teacher.id, code(seed, later), now=later)


def test_a_known_seed_is_for_demonstrations_only(tmp_path) -> None:  # type: ignore[no-untyped-def]
    text = "JBSW Y3DP EHPK 3PXP JBSW Y3DP"
    real = make_home(tmp_path / "real")
    with pytest.raises(NotPermitted):
        give_authenticator(real, manager_of(real).id, text, now=NOW)
    demo = make_home(tmp_path / "demo", demonstration=True)
    person = staff(demo)
    give_authenticator(demo, person.id, text, now=NOW)
    give_authenticator(demo, person.id, text, now=NOW)  # twice is harmless
    use_code(demo, person.id, code(read_seed(text), NOW), now=NOW)
