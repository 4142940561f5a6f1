"""The audit of the logins: everything about them that can be known without opening one."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from factories import NOW, staff, vault_of
from hypothesis import given
from hypothesis import strategies as st
from walk import Cast, approved, form_of, live, requested

from socialgov.actions import accounts
from socialgov.actions.contacts import record_delegate
from socialgov.actions.credential_audit import HEADERS, Line, audit, audit_file
from socialgov.actions.credentials import deposit, record_login_test, reveal
from socialgov.actions.leavers import see_report
from socialgov.actions.rotations import report_compromised, start_rotation
from socialgov.actions.staff import staff_leaves
from socialgov.csvfiles import write_table
from socialgov.errors import NotPermitted
from socialgov.escrow import Escrow
from socialgov.home import Home
from socialgov.models import Account, Role
from socialgov.store.audit import AuditFilter
from socialgov.store.events import EventTag, events_page

ALL = AuditFilter()


def lines(home: Home, cast: Cast, wanted: AuditFilter = ALL, *, now: Any = NOW, **more: Any) -> dict[str, Line]:
    found = audit(home, cast.manager, wanted, page=1, size=50, now=now, **more)
    return {line.row.handle: line for line in found.lines}


def line(home: Home, cast: Cast, account: Account, *, now: Any = NOW) -> Line:
    return lines(home, cast, now=now)[account.name]


def test_it_tells_how_a_login_in_order_stands(home: Home, cast: Cast) -> None:
    account = live(home, cast)
    found = line(home, cast, account, now=NOW + timedelta(days=3))
    assert (found.deposited, found.age_days, found.strength, found.tested) == ("password", 3, "Strong", "Works")
    assert (found.knows, found.recovery, found.row.reused, found.rotation) == ((), "Yes", False, "")
    assert (found.needs, found.row.owner, found.row.urgency) == ((), cast.owner.name, 4)
    assert found.key == "Not possible there"


def test_it_names_who_has_seen_it_since_it_was_last_changed(home: Home, cast: Cast) -> None:
    account, second = live(home, cast), staff(home, Role.NETWORK_MANAGER, name="Second Manager")
    reveal(home, cast.manager, vault_of(home), account.id, "To try whether it works.", now=NOW)
    reveal(home, second, vault_of(home), account.id, "To try it as well.", now=NOW)
    assert set(line(home, cast, account).knows) == {cast.manager.name, "Second Manager"}
    staff_leaves(home, cast.manager, second.id, now=NOW)
    found = line(home, cast, account)
    assert "Second Manager (left)" in found.knows
    assert found.needs[0].startswith("A change of the password is due by")
    put(home, cast, account, "Qz7!lantern-mosaic-Vw", NOW + timedelta(hours=1))
    assert line(home, cast, account, now=NOW + timedelta(hours=2)).knows == ()


def put(home: Home, cast: Cast, account: Account, secret: str, now: Any) -> None:
    deposit(
        home, cast.owner, account.id, username=account.name, secret=secret, email="trips@school.example", now=now
    )  # fmt: skip


def test_a_test_of_an_earlier_deposit_is_no_test_of_this_one(home: Home, cast: Cast) -> None:
    account = live(home, cast)
    put(home, cast, account, "Qz7!lantern-mosaic-Vw", NOW + timedelta(hours=1))
    assert line(home, cast, account).tested == "Not since the last deposit"
    record_login_test(home, cast.manager, account.id, False, now=NOW + timedelta(hours=2))
    found = line(home, cast, account)
    assert (found.tested, found.row.urgency) == ("Refused", 1)


def test_delegates_who_are_not_on_the_staff_are_counted(home: Home, cast: Cast) -> None:
    account = live(home, cast)
    for name, staff_id in (("A parent", None), ("A colleague", cast.deputy.id)):
        record_delegate(home, cast.owner, account.id, name=name, rights="may post", staff_id=staff_id, now=NOW)
    found = line(home, cast, account)
    assert (found.row.delegates, found.row.strangers, found.row.urgency) == (2, 1, 3)
    assert found.needs[-1] == "1 delegate not on the staff any more, or never."


def test_every_account_that_should_have_a_login_is_there_and_the_most_urgent_comes_first(
    home: Home, cast: Cast
) -> None:
    in_order = live(home, cast, form=form_of(cast, handle_wished="a.in.order"))
    nothing = approved(home, cast, form=form_of(cast, handle_wished="b.nothing"))
    asked = live(home, cast, form=form_of(cast, handle_wished="c.asked"))
    seen = live(home, cast, form=form_of(cast, handle_wished="d.seen"))
    requested(home, cast, form=form_of(cast, handle_wished="e.requested"))
    found_one = accounts.register_found(
        home, cast.deputy, form_of(cast, handle_wished="f.found"), handle="f.found", now=NOW
    )
    start_rotation(home, cast.owner, asked.id, "To be safe.", now=NOW)
    report_compromised(home, cast.owner, seen.id, "Seen.", now=NOW)
    order = list(lines(home, cast))
    assert order[0] == seen.name
    assert set(order[1:3]) == {nothing.name, found_one.name}
    assert order[3:] == [asked.name, in_order.name]
    assert list(lines(home, cast, AuditFilter(needing_only=True))) == order[:4]
    assert list(lines(home, cast, AuditFilter(platform="x"))) == []
    pages = [audit(home, cast.manager, ALL, page=n, size=2, now=NOW) for n in (1, 2, 3, 9)]
    assert [[one.row.handle for one in page.lines] for page in pages] == [order[:2], order[2:4], order[4:], order[:2]]
    assert {page.page.total for page in pages} == {5}


# --------------------------------------------------------------------------------------------------- opens nothing


def shut(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise AssertionError("a secret was opened")

    for name in ("open", "open_with"):
        monkeypatch.setattr(Escrow, name, refused)


@pytest.mark.asvs("15.3.1")
def test_it_opens_no_secret_and_leaves_none_in_what_it_shows(
    home: Home, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    account, canary = live(home, cast), "Canary7!thistle-Wq"
    put(home, cast, account, canary, NOW)
    shut(monkeypatch)
    before = events_page(home.db, before=None, tag=None, actor=None, limit=1)[0].seq
    assert canary not in repr(lines(home, cast))
    content = audit_file(home, cast.head, ALL, now=NOW).decode("utf-8-sig")
    assert canary not in content
    since = [one for one in events_page(home.db, before=None, tag=None, actor=None, limit=9) if one.seq > before]
    assert [(one.tag, one.actor) for one in since] == [
        (EventTag.CREDENTIAL_AUDITED, f"staff:{cast.head.id}"),
        (EventTag.CREDENTIAL_AUDIT_SEEN, f"staff:{cast.manager.id}"),
    ]
    assert since[0].data["accounts"] == 1


def test_who_looks_is_in_the_log_once_an_hour_and_each_person(home: Home, cast: Cast) -> None:
    def seen() -> list[tuple[str, str, int | None]]:
        found = events_page(home.db, before=None, tag=EventTag.CREDENTIAL_AUDIT_SEEN, actor=None, limit=9)
        return [(one.actor, one.subject, one.subject_id) for one in reversed(found)]

    manager, head = f"staff:{cast.manager.id}", f"staff:{cast.head.id}"
    for minutes in (0, 1, 59):
        lines(home, cast, now=NOW + timedelta(minutes=minutes))
    assert seen() == [(manager, "credential", None)]
    audit(home, cast.head, ALL, page=1, size=9, now=NOW)
    see_report(home, cast.head, cast.owner.id, now=NOW)
    see_report(home, cast.head, cast.deputy.id, now=NOW)
    see_report(home, cast.head, cast.owner.id, now=NOW + timedelta(minutes=5))
    lines(home, cast, now=NOW + timedelta(hours=1))
    assert seen()[1:] == [
        (head, "credential", None),
        (head, "staff", cast.owner.id),
        (head, "staff", cast.deputy.id),
        (manager, "credential", None),
    ]


@pytest.mark.parametrize("role", [Role.TEACHER, Role.SAFEGUARDING_LEAD, Role.DATA_MANAGER, Role.GOVERNOR])
def test_the_file_is_for_managers_and_heads(home: Home, role: Role) -> None:
    somebody = staff(home, role)
    with pytest.raises(NotPermitted):
        audit_file(home, somebody, ALL, now=NOW)
    if role is not Role.GOVERNOR:
        with pytest.raises(NotPermitted):
            audit(home, somebody, ALL, page=1, size=50, now=NOW)


# --------------------------------------------------------------------------------------------------- the file


def test_the_file_has_a_line_for_each_account(home: Home, cast: Cast) -> None:
    account = live(home, cast)
    rows = list(csv.reader(io.StringIO(audit_file(home, cast.manager, ALL, now=NOW).decode("utf-8-sig"))))
    assert tuple(rows[0]) == HEADERS
    found = dict(zip(HEADERS, rows[1], strict=True))
    assert (found["Account"], found["Result"], found["Strength"]) == (account.name, "Works", "Strong")
    assert found["Password since"] == "2026-11-23"


def test_a_name_that_looks_like_a_formula_is_none_in_the_file(home: Home, cast: Cast) -> None:
    owner = staff(home, name='=HYPERLINK("https://evil.example")')
    account = live(home, cast)
    accounts.hand_over(home, cast.manager, account.id, owner_id=owner.id, deputy_id=cast.deputy.id, now=NOW)
    content = audit_file(home, cast.manager, ALL, now=NOW).decode("utf-8-sig")
    assert "\"'=HYPERLINK(" in content
    assert '"=HYPERLINK(' not in content


@given(st.lists(st.lists(st.text(), min_size=2, max_size=2), max_size=5))
def test_no_cell_of_a_table_is_a_formula(rows: list[list[str]]) -> None:
    content = write_table(("one", "two"), rows).decode("utf-8-sig")
    read = list(csv.reader(io.StringIO(content, newline="")))
    assert len(read) == len(rows) + 1
    assert not any(cell.strip(" ").startswith(("=", "+", "-", "@", "\t", "\r")) for row in read for cell in row)
