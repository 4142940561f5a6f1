"""Breaking the glass, on the pages: who is offered what at which stage, and what the head sees with the vault open."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from conftest import make_strong
from factories import NOW, sheets_of
from flask.testing import FlaskClient
from stage import Stage, set_stage
from walk import SECRET

from socialgov.home import Home
from socialgov.models import Role, Staff
from socialgov.store.break_glass import all_glass
from socialgov.store.looks import reveals_of
from socialgov.store.outbox import notices_of
from socialgov.store.staff import staff_by_id

Browse = Callable[[Staff], FlaskClient]
WHY = {"reason": "The network manager is in hospital and an account must come down."}
AT = "/vault/glass"
LATER = NOW + timedelta(hours=24)


@pytest.fixture
def stage(home: Home) -> Stage:
    return set_stage(home)


@pytest.fixture
def at(home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[datetime], None]]:
    """`at(moment)`: the school's clock stands there from now on, for those who sign in then."""

    def set_clock(moment: datetime) -> None:
        monkeypatch.setattr(type(home), "now", lambda _: moment)
        monkeypatch.setattr("conftest.NOW", moment)

    yield set_clock


@pytest.fixture
def come(home: Home, browse: Browse) -> Callable[[Staff], FlaskClient]:
    """Somebody signs in and has just shown who they are."""
    return lambda person: make_strong(home, browse(person))


def agreed(stage: Stage, come: Callable[[Staff], FlaskClient]) -> None:
    come(stage.cast.head).post(f"{AT}/ask", data=WHY)
    assert come(stage.people[Role.GOVERNOR]).post(f"{AT}/1/agree").location == f"{AT}/"


def broken(
    stage: Stage, home: Home, come: Callable[[Staff], FlaskClient], at: Callable[[datetime], None]
) -> FlaskClient:
    """The head, with the vault open by the sheets."""
    agreed(stage, come)
    at(LATER)
    head, sheets = come(stage.cast.head), sheets_of(home)
    data = {"sheet_1": sheets[0].upper(), "sheet_2": "\n".join(sheets[2].split())}
    assert head.post(f"{AT}/1/open", data=data).location == f"{AT}/"
    return head


@pytest.mark.asvs("7.5.1", "8.2.1")
def test_each_step_asks_who_it_is_and_is_offered_to_those_who_may(
    home: Home, browse: Browse, stage: Stage, come: Callable[[Staff], FlaskClient]
) -> None:
    head, lead, manager = stage.cast.head, stage.people[Role.SAFEGUARDING_LEAD], stage.cast.manager
    weak = browse(head)
    assert "Ask to break the glass" in weak.get(f"{AT}/").text
    assert weak.post(f"{AT}/ask", data=WHY).location == "/confirm"
    assert all_glass(home.db) == []
    assert come(head).post(f"{AT}/ask", data=WHY).location == f"{AT}/"
    assert browse(lead).post(f"{AT}/1/agree").location == "/confirm"
    for person, offered, not_offered in (
        (head, ["Stop it"], ["Read it and decide", "Type in", "Ask to break"]),
        (lead, ["Read it and decide"], ["Stop it", "Type in", "Ask to break"]),
        (manager, ["Stop it"], ["Read it and decide", "Type in", "Ask to break"]),
    ):
        page = browse(person).get(f"{AT}/").text
        assert "in hospital" in page
        assert [words for words in offered if words not in page] == []
        assert [words for words in not_offered if words in page] == []
    assert come(head).get(f"{AT}/1/agree").status_code == 403  # never the same person
    assert "say whether you agree" in browse(lead).get("/").text
    assert "stop it if that is wrong" in browse(manager).get("/").text
    assert ">Vault</a>" in browse(lead).get("/").text
    assert come(lead).post(f"{AT}/1/agree").location == f"{AT}/"
    assert come(head).post(f"{AT}/1/open", data={"sheet_1": "x", "sheet_2": "y"}).status_code in (409, 422)


def test_only_when_there_is_something_to_decide_do_governors_see_the_vault(browse: Browse, stage: Stage) -> None:
    governor = browse(stage.people[Role.GOVERNOR])
    assert ">Vault</a>" not in governor.get("/").text
    assert "Nobody is doing so" in governor.get(f"{AT}/").text


@pytest.mark.asvs("8.2.2", "3.5.3")
def test_the_head_looks_with_a_reason_and_only_while_the_glass_is_broken(
    home: Home, stage: Stage, come: Callable[[Staff], FlaskClient], at: Callable[[datetime], None]
) -> None:
    account, path = stage.live, f"/accounts/{stage.live.id}"
    before = come(stage.cast.head)
    assert before.get(f"{path}/password").status_code == 403
    assert "See the password" not in before.get(path).text
    head = broken(stage, home, come, at)
    assert "See the password" in head.get(path).text
    assert "as breaking the glass" in head.get(f"{path}/password").text
    assert head.post(f"{path}/password", data={"reason": "x"}).status_code == 422
    answer = head.post(f"{path}/password", data={"reason": "The account must come down."})
    assert f"{SECRET}{account.id}-pirt.iks" in answer.text
    assert answer.headers["Refresh"] == f"30; url={path}/password"
    assert reveals_of(home.db, account.id)[0].break_glass_id == 1
    assert "Broke the glass" in head.get(f"{path}/looks").text
    assert head.get(f"{path}/login-test").status_code == 403
    assert any("who broke the glass" in one.text for one in notices_of(home.db, stage.cast.owner.id))
    other_browser = come(stage.cast.head)
    assert other_browser.get(f"{path}/password").status_code == 403
    at(LATER + timedelta(minutes=5))
    assert head.get(f"{path}/password").status_code == 403
    assert head.post(f"{path}/password", data={"reason": "The account must come down."}).status_code == 403


def test_somebody_who_stops_it_shuts_the_vault_at_once(
    home: Home,
    browse: Browse,
    stage: Stage,
    come: Callable[[Staff], FlaskClient],
    at: Callable[[datetime], None],
) -> None:
    head = broken(stage, home, come, at)
    manager = browse(stage.cast.manager)
    assert manager.post(f"{AT}/1/stop", data={"reason": ""}).status_code == 422
    assert manager.post(f"{AT}/1/stop", data={"reason": "I am back."}).location == f"{AT}/"
    assert head.get(f"/accounts/{stage.live.id}/password").status_code == 403
    page = head.get(f"{AT}/").text
    assert f"Stopped by {stage.cast.manager.name}: I am back." in page
    assert "The vault was opened." in page


def test_sheets_that_do_not_fit_are_not_sent_back(
    home: Home, stage: Stage, come: Callable[[Staff], FlaskClient], at: Callable[[datetime], None]
) -> None:
    agreed(stage, come)
    at(LATER)
    head, sheets = come(stage.cast.head), sheets_of(home)
    for one, two in ((sheets[0], sheets[0]), (sheets[0], "lantern gravel"), (sheets[0], ""), (sheets[0], "x " * 700)):
        answer = head.post(f"{AT}/1/open", data={"sheet_1": one, "sheet_2": two})
        assert answer.status_code == 422
        assert sheets[0][:40] not in answer.text
        assert "lantern gravel" not in answer.text
    assert head.get("/vault/").status_code == 200


def test_the_head_names_somebody_who_opens_the_vault_from_then_on(
    home: Home, browse: Browse, stage: Stage, come: Callable[[Staff], FlaskClient], at: Callable[[datetime], None]
) -> None:
    agreed(stage, come)
    assert come(stage.cast.head).get(f"{AT}/1/name").status_code == 403
    at(LATER)
    head, sheets = come(stage.cast.head), sheets_of(home)
    head.post(f"{AT}/1/open", data={"sheet_1": sheets[0], "sheet_2": sheets[1]})
    assert "Let somebody open the vault" in head.get(f"{AT}/1/name").text
    answer = head.post(f"{AT}/1/name", data={"staff_id": str(stage.outsider.id)})
    code = re.search(r'class="secret">([^<]+)<', answer.text)
    assert code
    assert staff_by_id(home.db, stage.outsider.id).has(Role.NETWORK_MANAGER)
    own = "bramble otter plywood sunrise mitten quarry"
    new = come(stage.outsider)
    assert new.post("/vault/passphrase", data={"code": code[1], "passphrase": own, "again": own}).status_code == 302
    assert new.post("/vault/open", data={"passphrase": own}).location == "/vault/"
    assert head.post(f"{AT}/1/name", data={"staff_id": "4711"}).status_code == 422
