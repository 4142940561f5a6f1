"""Today, the log, staff, the demonstration's clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from conftest import make_strong
from factories import NOW, make_home, manager_of
from flask.testing import FlaskClient
from stage import Stage, set_stage

from socialgov.actions.notices import notify
from socialgov.actions.signin import make_signin_link
from socialgov.home import Home
from socialgov.models import Role, Staff
from socialgov.store.connect import write
from socialgov.store.events import EventTag, events_page
from socialgov.store.outbox import notices_of
from socialgov.store.staff import staff_by_email, staff_by_id
from socialgov.web import build_app
from socialgov.web.event_words import SUBJECTS, WORDS
from socialgov.web.start import NEWS_SHOWN

Browse = Callable[[Staff], FlaskClient]


@pytest.fixture
def stage(home: Home) -> Stage:
    return set_stage(home)


# --------------------------------------------------------------------------------------------------- today


def test_it_tells_each_role_what_needs_it_today(browse: Browse, stage: Stage) -> None:
    today = {role: browse(person).get("/").text for role, person in stage.people.items()}
    assert "Decide on a request" in today[Role.NETWORK_MANAGER]
    assert "Decide on a longer life" in today[Role.HEAD]
    assert "Decide about a suspended account" in today[Role.SAFEGUARDING_LEAD]
    assert "Change a request that was sent back" in today[Role.TEACHER]
    assert "Closing: take everything down" in today[Role.TEACHER]
    assert "Nothing needs you now" in today[Role.GOVERNOR]


def test_it_puts_a_notice_away_once_read(browse: Browse, stage: Stage, home: Home) -> None:
    client, mine = browse(stage.cast.owner), notices_of(home.db, stage.cast.owner.id)
    client.post(f"/notices/{mine[0].id}/read")
    assert len(notices_of(home.db, stage.cast.owner.id)) == len(mine) - 1
    others = notices_of(home.db, stage.cast.manager.id)[0]
    assert client.post(f"/notices/{others.id}/read").status_code == 404


def test_news_told_again_and_again_stands_there_once_and_is_put_away_at_once(
    browse: Browse, stage: Stage, home: Home
) -> None:
    owner = stage.cast.owner
    with write(home.db) as db:
        for day in range(3):
            notify(db, staff_id=owner.id, kind="late", text="It is late.", dedupe_key=f"late:{day}", now=NOW)
    client = browse(owner)
    page = client.get("/").text
    assert (page.count("<p>It is late.</p>"), "3 times, last just now" in page) == (1, True)
    client.post(f"/notices/{notices_of(home.db, owner.id)[0].id}/read")
    assert "It is late." not in [one.text for one in notices_of(home.db, owner.id)]


def test_much_news_is_folded_away(browse: Browse, stage: Stage, home: Home) -> None:
    owner = stage.cast.owner
    before = len({one.text for one in notices_of(home.db, owner.id)})
    with write(home.db) as db:
        for day in range(NEWS_SHOWN):
            notify(db, staff_id=owner.id, kind="late", text=f"Late by {day}.", dedupe_key=f"late:{day}", now=NOW)
    assert f"{before} older</summary>" in browse(owner).get("/").text


# --------------------------------------------------------------------------------------------------- log


def test_every_event_has_plain_words() -> None:
    assert set(WORDS) == set(EventTag)
    assert {tag.split(":")[0] for tag in EventTag} == set(SUBJECTS)


def test_it_tells_the_log_in_words_and_pages_through_it(browse: Browse, stage: Stage) -> None:
    client = browse(stage.cast.head)
    text = client.get("/log/?tag=account").text
    assert f"{stage.cast.head.name} suspended the account." in text
    assert "queued a message" not in text
    first = client.get("/log/").text
    older = first.partition('rel="next" href="')[2].partition('"')[0]
    assert older.startswith("/log/?before=")
    assert "Newest" in client.get(older).text


def test_it_narrows_the_log_to_one_person(browse: Browse, stage: Stage) -> None:
    text = browse(stage.cast.head).get(f"/log/?staff={stage.outsider.id}").text
    assert "Nothing fits this filter." in text


def test_it_checks_that_the_log_is_whole_and_logs_that_it_did(browse: Browse, stage: Stage, home: Home) -> None:
    assert "The log is whole" in browse(stage.cast.head).post("/log/verify").text
    (last,) = events_page(home.db, before=None, tag=None, actor=None, limit=1)
    assert last.tag == EventTag.LOG_VERIFIED


def test_it_says_when_the_log_is_not_whole(browse: Browse, stage: Stage, home: Home) -> None:
    home.db.conn.executescript("drop trigger event_no_update; update event set actor = 'nobody' where seq = 9;")
    assert "event 9 was changed" in browse(stage.cast.head).post("/log/verify").text


# --------------------------------------------------------------------------------------------------- staff


def test_it_adds_somebody_and_makes_them_a_link_once(browse: Browse, home: Home, manager: Staff) -> None:
    client = make_strong(home, browse(manager))
    data = {"name": "New Colleague", "email": "new@school.example", "roles": ["teacher", "data_manager"]}
    where = client.post("/staff/add", data=data).location
    new = staff_by_email(home.db, "new@school.example")
    assert new is not None
    assert new.roles == {Role.TEACHER, Role.DATA_MANAGER}
    text = client.post(f"{where}/link").text
    link = text.partition('<p class="secret">')[2].partition("<")[0]
    token_path = "/signin/" + link.rpartition("/")[2]
    assert link.startswith(home.settings.base_url)
    assert link not in client.get(where or "").text
    assert "Sign in as New Colleague" in client.application.test_client().get(token_path).text


def test_it_refuses_an_address_that_is_not_the_schools(browse: Browse, home: Home, manager: Staff) -> None:
    client = make_strong(home, browse(manager))
    answer = client.post("/staff/add", data={"name": "A", "email": "a@mail.example", "roles": ["teacher"]})
    assert answer.status_code == 422
    assert 'href="#email"' in answer.text


def test_it_changes_roles_but_keeps_the_last_network_manager(
    browse: Browse, home: Home, teacher: Staff, manager: Staff
) -> None:
    client = make_strong(home, browse(manager))
    client.post(f"/staff/{teacher.id}/roles", data={"roles": ["head"]})
    assert staff_by_id(home.db, teacher.id).roles == {Role.HEAD}
    answer = client.post(f"/staff/{manager.id}/roles", data={"roles": ["teacher"]})
    assert answer.status_code == 409
    assert "no network manager" in answer.text


def test_it_signs_a_leaver_out_and_names_what_they_kept(browse: Browse, stage: Stage, home: Home) -> None:
    owner, client = browse(stage.cast.owner), browse(stage.cast.manager)
    assert client.post(f"/staff/{stage.cast.owner.id}/leaves").location == "/confirm"
    assert owner.get("/").status_code == 200
    make_strong(home, client)
    assert "ski.trip" in client.get(f"/staff/{stage.cast.owner.id}/leaves").text
    client.post(f"/staff/{stage.cast.owner.id}/leaves")
    assert owner.get("/").status_code == 302
    assert "Hand it over" in client.get(f"/staff/{stage.cast.owner.id}").text


# --------------------------------------------------------------------------------------------------- demonstration


def test_it_moves_the_clock_of_a_demonstration_without_signing_out(tmp_path: Path) -> None:
    home = make_home(tmp_path, demonstration=True)
    app = build_app(home)
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()
    client.post(make_signin_link(home, manager_of(home).id, actor="cli", now=NOW))
    for _ in range(3):
        client.post("/demonstration/clock", data={"hours": "720"})
    assert home.now() == NOW + timedelta(days=90)
    assert "21 February 2027" in client.get("/").text
    client.post("/demonstration/clock", data={"hours": "0"})
    assert home.now() == NOW
    assert client.get("/").status_code == 200


@pytest.mark.parametrize("hours", ["-5", "x", "", "999999999999"])
def test_it_moves_the_clock_by_nothing_odd(tmp_path: Path, hours: str) -> None:
    home = make_home(tmp_path, demonstration=True)
    app = build_app(home)
    app.config.update(WTF_CSRF_ENABLED=False, PROPAGATE_EXCEPTIONS=False)
    client = app.test_client()
    client.post(make_signin_link(home, manager_of(home).id, actor="cli", now=NOW))
    assert client.post("/demonstration/clock", data={"hours": hours}).status_code in (400, 422)
    assert home.now() == NOW


def test_a_real_school_has_no_such_clock(browse: Browse, home: Home, manager: Staff) -> None:
    client = browse(manager)
    assert "Demonstration" not in client.get("/").text
    assert client.post("/demonstration/clock", data={"hours": "24"}).status_code == 404
    assert home.now() == NOW
