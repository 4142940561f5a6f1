"""The register: one query a page."""

from __future__ import annotations

from datetime import timedelta

import pytest
from factories import NOW, staff
from walk import Cast, form_of, live, put_on_record, requested

from socialgov.actions import accounts
from socialgov.actions.findings import evaluate_account
from socialgov.home import Home
from socialgov.models import AccountKind, AccountState, Fact
from socialgov.store.accounts import RegisterFilter, accounts_in_trouble, register_page
from socialgov.store.findings import findings_of


@pytest.fixture
def seven(home: Home, cast: Cast) -> list[int]:
    return [requested(home, cast, form=form_of(cast, handle_wished=f"trip_{n}")).id for n in range(7)]


def ids(home: Home, page: int = 1, size: int = 50, **wanted: object) -> list[int]:
    return [row.id for row in register_page(home.db, RegisterFilter(**wanted), page=page, size=size).rows]  # type: ignore[arg-type]


def test_pages_come_newest_first_and_know_how_many_there_are(home: Home, seven: list[int]) -> None:
    newest = seven[::-1]
    assert [ids(home, page, 3) for page in (1, 2, 3)] == [newest[:3], newest[3:6], newest[6:]]
    page = register_page(home.db, RegisterFilter(), page=2, size=3)
    assert (page.total, page.pages, page.page) == (7, 3, 2)


def test_a_page_past_the_end_is_the_first(home: Home, seven: list[int]) -> None:
    for number in (0, -5, 9, 10**9):
        assert register_page(home.db, RegisterFilter(), page=number, size=3).page == 1
    assert register_page(home.db, RegisterFilter(search="nothing like it"), page=4).rows == ()


def test_filters_narrow_it(home: Home, cast: Cast, seven: list[int]) -> None:
    accounts.withdraw(home, cast.owner, seven[0], now=NOW)
    assert ids(home, state=AccountState.WITHDRAWN) == [seven[0]]
    assert ids(home, kind=AccountKind.STANDING) == []
    assert ids(home, platform="sandbox") == []
    assert len(ids(home, keeper_id=cast.deputy.id, platform="instagram")) == 7
    assert ids(home, keeper_id=cast.manager.id) == []


@pytest.mark.parametrize("text", ["trip_3", "@trip_3", "TRIP_3"])
def test_search_finds_a_handle(home: Home, seven: list[int], text: str) -> None:
    assert ids(home, search=text) == [seven[3]]


@pytest.mark.asvs("1.2.4")
def test_search_finds_purposes_and_people_and_takes_signs_as_they_are(home: Home, cast: Cast, seven: list[int]) -> None:
    keeper = staff(home, name="Ottoline 100% Sharp")
    account = requested(home, cast, form=form_of(cast, handle_wished="choir", purpose="Sing a\\b", owner_id=keeper.id))
    for text in ("ottoline", "100%", "a\\b", "sing"):
        assert ids(home, search=text) == [account.id]
    assert ids(home, search="1_0%") == []
    assert ids(home, search="' or 1 = 1 --") == []
    assert len(ids(home, search="  ")) == 8


def test_it_counts_what_is_broken_and_what_nobody_can_tell(home: Home, cast: Cast) -> None:
    account = live(home, cast)
    put_on_record(home, account, Fact.FOLLOWS, 2)
    findings = [f for f in evaluate_account(home, account.id, now=NOW) if not f.passes]
    kept = {f.rule_id for f in findings_of(home.db, account.id)}
    row = register_page(home.db, RegisterFilter()).rows[0]
    assert row.broken == sum(f.answer is False for f in findings if f.rule_id in kept) >= 1
    assert row.unknown == sum(f.answer is None for f in findings if f.rule_id in kept)
    assert ids(home, broken_only=True) == [account.id]
    assert accounts_in_trouble(home.db)[0][1] == row.broken
    assert accounts_in_trouble(home.db, keeper_id=cast.head.id) == []
    assert len(accounts_in_trouble(home.db, keeper_id=cast.owner.id)) == 1


def test_it_is_one_statement_that_reads_no_finding_it_does_not_count(home: Home, seven: list[int]) -> None:
    statements: list[str] = []
    home.db.conn.set_trace_callback(statements.append)
    register_page(home.db, RegisterFilter(state=AccountState.REQUESTED, search="trip"))
    home.db.conn.set_trace_callback(None)
    assert len(statements) == 1
    plan = [row[3] for row in home.db.execute(f"explain query plan {statements[0]}")]
    assert all("finding_trouble" in line for line in plan if "finding" in line)
    assert not any(line.startswith("SCAN finding") for line in plan)


def test_today_of_a_whole_school_is_asked_of_indexes(home: Home, cast: Cast) -> None:
    account = live(home, cast)
    evaluate_account(home, account.id, now=NOW + timedelta(days=10))
    assert accounts_in_trouble(home.db, limit=0) == []
