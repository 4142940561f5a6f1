"""Each way in, and each that failed, is in the log of whom it concerns (ASVS 5.0: 16.3.1).

The school's own sign-in service is held by tests/peers/test_openid_sign_in.py, which needs a real one.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from factories import NOW, make_home, staff
from soft_passkey import by_link, device, registered

from socialgov.actions import passkeys
from socialgov.actions.authenticators import begin_authenticator, confirm_authenticator
from socialgov.actions.passkeys import SECOND, SIGN_IN, ask_for_one, sign_in_with_passkey
from socialgov.actions.sessions import Visitor, open_session
from socialgov.actions.signin import (
    finish_with_code,
    finish_with_passkey,
    make_signin_link,
    use_signin_link,
)
from socialgov.actions.staff import staff_leaves
from socialgov.errors import SocialgovError
from socialgov.escrow.codes import Seed, code_at
from socialgov.home import Home
from socialgov.models import Staff
from socialgov.store.events import Event, EventTag, actor_of, events_page
from socialgov.store.rows import moment_text

VISITOR = Visitor("192.0.2.7", "Firefox on Windows")
LATER = NOW + timedelta(minutes=1)  # the code that confirmed the app is used up


@pytest.fixture
def codes_home(tmp_path: Path) -> Home:
    """Where passkeys cannot work, so that an app with its codes is what there is."""
    (tmp_path / "codes").mkdir()
    return make_home(tmp_path / "codes", base_url="https://192.0.2.4")


def events(home: Home, after: int = 0) -> list[Event]:
    """Of signing in, the oldest first, made after the one with this number."""
    found = events_page(home.db, before=None, tag="signin", actor=None, limit=50)
    return [event for event in reversed(found) if event.seq > after]


def last(home: Home) -> int:
    return max((event.seq for event in events(home)), default=0)


def link(home: Home, person: Staff) -> str:
    return make_signin_link(home, person.id, actor="cli", now=LATER).rsplit("/", 1)[-1]


def waiting(home: Home, person: Staff) -> str:
    """The link of somebody who has a second factor, used: their sign-in waits for it."""
    found = use_signin_link(home, link(home, person), now=LATER).waiting
    assert found is not None
    return found


def app_of(home: Home, person: Staff) -> Seed:
    session = by_link(home, person)
    seed = begin_authenticator(home, person, session, now=NOW)
    confirm_authenticator(home, person, session, code_at(seed, NOW)[0], now=NOW)
    return seed


# --------------------------------------------------------------------------------------------------- who got in


def with_a_link(home: Home, person: Staff) -> str:
    session = use_signin_link(home, link(home, person), visitor=VISITOR, now=LATER).session
    assert session is not None
    return session


def with_a_passkey(home: Home, person: Staff) -> str:
    key, _ = registered(home, person)
    asked = ask_for_one(home, SIGN_IN, now=LATER)
    return sign_in_with_passkey(home, asked.token, key.use(asked.json), visitor=VISITOR, now=LATER)


def with_link_and_passkey(home: Home, person: Staff) -> str:
    key, _ = registered(home, person)
    half, asked = waiting(home, person), ask_for_one(home, SECOND, staff_id=person.id, now=LATER)
    return finish_with_passkey(home, half, asked.token, key.use(asked.json), visitor=VISITOR, now=LATER)


def with_link_and_code(home: Home, person: Staff) -> str:
    seed = app_of(home, person)
    return finish_with_code(home, waiting(home, person), code_at(seed, LATER)[0], visitor=VISITOR, now=LATER)


WAYS: dict[str, Callable[[Home, Staff], str]] = {
    "link": with_a_link,
    "passkey": with_a_passkey,
    "link+passkey": with_link_and_passkey,
    "link+code": with_link_and_code,
}


@pytest.mark.asvs("16.3.1")
@pytest.mark.parametrize("way", WAYS)
def test_whoever_signs_in_is_in_the_log_once_with_the_way_they_came(home: Home, codes_home: Home, way: str) -> None:
    school = codes_home if way == "link+code" else home
    person = staff(school)
    token = WAYS[way](school, person)
    session = open_session(school, token, now=LATER)
    assert session is not None
    started = [
        event for event in events(school) if event.tag == EventTag.SESSION_STARTED and event.at == moment_text(LATER)
    ]
    assert [(one.actor, one.subject_id, one.data) for one in started] == [
        (actor_of(person.id), session.id, {"method": way})
    ]


# --------------------------------------------------------------------------------------------------- who did not


def a_used_link(home: Home, person: Staff) -> Callable[[], object]:
    token = link(home, person)
    use_signin_link(home, token, now=LATER)
    return lambda: use_signin_link(home, token, now=LATER)


def an_old_link(home: Home, person: Staff) -> Callable[[], object]:
    token = link(home, person)
    return lambda: use_signin_link(home, token, now=LATER + timedelta(days=1))


def the_link_of_somebody_who_left(home: Home, person: Staff) -> Callable[[], object]:
    token = link(home, person)
    staff_leaves(home, None, person.id, now=LATER)
    return lambda: use_signin_link(home, token, now=LATER)


def a_passkey_on_another_site(home: Home, person: Staff) -> Callable[[], object]:
    key, _ = registered(home, person)
    asked = ask_for_one(home, SIGN_IN, now=LATER)
    answer = key.use(asked.json, origin="https://social-school.example")
    return lambda: sign_in_with_passkey(home, asked.token, answer, visitor=VISITOR, now=LATER)


def a_copied_passkey(home: Home, person: Staff) -> Callable[[], object]:
    key, _ = registered(home, person)
    copy = device(home, key=key.key, id=key.id, handle=key.handle, count=key.count)
    asked = ask_for_one(home, SIGN_IN, now=LATER)
    sign_in_with_passkey(home, asked.token, key.use(asked.json), visitor=VISITOR, now=LATER)
    asked = ask_for_one(home, SIGN_IN, now=LATER)
    return lambda: sign_in_with_passkey(home, asked.token, copy.use(asked.json), visitor=VISITOR, now=LATER)


def the_passkey_of_somebody_who_left(home: Home, person: Staff) -> Callable[[], object]:
    key, _ = registered(home, person)
    staff_leaves(home, None, person.id, now=LATER)
    asked = ask_for_one(home, SIGN_IN, now=LATER)
    return lambda: sign_in_with_passkey(home, asked.token, key.use(asked.json), visitor=VISITOR, now=LATER)


def a_wrong_passkey_after_the_link(home: Home, person: Staff) -> Callable[[], object]:
    key, _ = registered(home, person)
    half, asked = waiting(home, person), ask_for_one(home, SECOND, staff_id=person.id, now=LATER)
    answer = key.use(asked.json, host="elsewhere.example")
    return lambda: finish_with_passkey(home, half, asked.token, answer, visitor=VISITOR, now=LATER)


def a_wrong_code_after_the_link(home: Home, person: Staff) -> Callable[[], object]:
    app_of(home, person)
    half = waiting(home, person)
    return lambda: finish_with_code(home, half, "000000", visitor=VISITOR, now=LATER)


def a_code_that_was_used(home: Home, person: Staff) -> Callable[[], object]:
    code = code_at(app_of(home, person), LATER)[0]
    finish_with_code(home, waiting(home, person), code, visitor=VISITOR, now=LATER)
    half = waiting(home, person)
    return lambda: finish_with_code(home, half, code, visitor=VISITOR, now=LATER)


FAILURES: dict[Callable[[Home, Staff], Callable[[], object]], EventTag] = {
    a_used_link: EventTag.LINK_REFUSED,
    an_old_link: EventTag.LINK_REFUSED,
    the_link_of_somebody_who_left: EventTag.LINK_REFUSED,
    a_passkey_on_another_site: EventTag.PASSKEY_REFUSED,
    a_copied_passkey: EventTag.PASSKEY_REFUSED,
    the_passkey_of_somebody_who_left: EventTag.PASSKEY_REFUSED,
    a_wrong_passkey_after_the_link: EventTag.PASSKEY_REFUSED,
    a_wrong_code_after_the_link: EventTag.AUTHENTICATOR_REFUSED,
    a_code_that_was_used: EventTag.AUTHENTICATOR_REFUSED,
}


@pytest.mark.asvs("16.3.1")
@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.__name__)
def test_whoever_is_not_let_in_is_in_the_log_too(
    home: Home, codes_home: Home, failure: Callable[[Home, Staff], Callable[[], object]]
) -> None:
    school = codes_home if FAILURES[failure] is EventTag.AUTHENTICATOR_REFUSED else home
    person = staff(school)
    attempt, before = failure(school, person), last(school)
    with pytest.raises(SocialgovError):
        attempt()
    assert [(one.tag, one.actor) for one in events(school, before)] == [(FAILURES[failure], actor_of(person.id))]


@pytest.mark.asvs("16.3.1")
def test_a_passkey_that_comes_a_moment_too_late_is_in_the_log_too(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its answer was good when it was looked at; then its owner's leaving was recorded."""
    person = staff(home)
    key, _ = registered(home, person)
    asked, look = ask_for_one(home, SIGN_IN, now=LATER), passkeys._verified

    def and_then_they_leave(*given: object, **more: object) -> object:
        found = look(*given, **more)  # type: ignore[arg-type]
        staff_leaves(home, None, person.id, now=LATER)
        return found

    monkeypatch.setattr(passkeys, "_verified", and_then_they_leave)
    with pytest.raises(passkeys.PasskeyRefused):
        sign_in_with_passkey(home, asked.token, key.use(asked.json), visitor=VISITOR, now=LATER)
    refused = events(home)[-1]
    assert (refused.tag, refused.actor, refused.data["why"]) == (EventTag.PASSKEY_REFUSED, actor_of(person.id), "late")
