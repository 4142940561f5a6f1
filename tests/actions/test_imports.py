"""Imports: a dry run tells each bad row and changes nothing; applying is all or nothing, and again changes nothing."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from closing_school import events
from factories import NOW, staff
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from people_school import trip

from socialgov.actions.audience import audience_of, set_audience
from socialgov.actions.grants import grants_about
from socialgov.actions.people import apply_import, plan_import, search_people
from socialgov.errors import InvalidInput, NotPermitted
from socialgov.home import Home
from socialgov.models import AccountState, PersonKind, Role, Staff, Use
from socialgov.store.people import carer_links, people_by_ref
from socialgov.store.rows import dicts, scalar

PEOPLE = """Admission No,Forename,Surname,Type,DOB,Year,Reg,Locker
101,Ann,Lee,Pupil,01/03/2012,9,9B,7
102,Zoë,"O'Neill",Pupil,2011-09-30,9,9C,8
S1,Sam,Reed,Staff,,,,
"""
CARERS = """Contact ID,Forename,Surname,Email Address,Admission No,Relationship
C1,Mary,Lee,mary@home.example,101,Mother
C1,Mary,Lee,mary@home.example,102,Aunt
C2,Joe,O'Neill,,102,Father
"""
PERMISSIONS = """Admission No,Contact ID,Photo,Video,Date given
101,C1,Yes,No,01/09/2026
102,C2,Y,,01/09/2026
"""
TABLES = ("person", "carer", "grant_of", "account", "event", "audience_member")


@pytest.fixture
def keeper(home: Home) -> Staff:
    return staff(home, Role.DATA_MANAGER)


def everything(home: Home) -> list[Any]:
    return [list(dicts(home.db, f"select * from {table}")) for table in TABLES]


def imported(home: Home, kind: str, text: str, actor: Staff | None = None, **choices: Any) -> dict[str, int]:
    plan = plan_import(home, kind, text.encode(), **choices)
    assert plan.problems == ()
    return dict(apply_import(home, actor, plan, now=NOW))


def school(home: Home) -> None:
    imported(home, "people", PEOPLE)
    imported(home, "carers", CARERS)
    imported(home, "permissions", PERMISSIONS)


def test_a_dry_run_changes_nothing(home: Home) -> None:
    before = everything(home)
    plan = plan_import(home, "people", PEOPLE.encode())
    assert plan.summary == {"new": 3, "changed": 0, "unchanged": 0, "leaving": 0}
    assert plan.ignored == ("Locker",)
    assert everything(home) == before


def test_people_carers_and_permissions_come_in(home: Home, keeper: Staff) -> None:
    imported(home, "people", PEOPLE, keeper)
    imported(home, "carers", CARERS, keeper)
    imported(home, "permissions", PERMISSIONS, keeper)
    known = people_by_ref(home.db)
    ann, mary = known[(PersonKind.PUPIL, "101")], known[(PersonKind.CARER, "C1")]
    assert (ann.name, ann.born_on, ann.form) == ("Ann Lee", date(2012, 3, 1), "9B")
    assert known[(PersonKind.STAFF, "S1")].born_on is None
    assert len(carer_links(home.db)) == 3
    assert {(grant.use, grant.answer.value, grant.given_by) for grant in grants_about(home.db, ann.id)} == {
        (Use.PHOTO, "granted", mary.id),
        (Use.VIDEO, "refused", mary.id),
    }
    log = events(home, "people:import:applied")
    assert [event["actor"] for event in log] == [f"staff:{keeper.id}"] * 3
    assert not any("Ann" in event["data"] for event in log)


@pytest.mark.parametrize(("kind", "text"), [("people", PEOPLE), ("carers", CARERS), ("permissions", PERMISSIONS)])
def test_the_same_file_again_changes_nothing(home: Home, kind: str, text: str) -> None:
    school(home)
    before = everything(home)
    done = imported(home, kind, text)
    assert {word for word, count in done.items() if count} == {"unchanged"}
    assert everything(home) == before


def test_every_bad_row_is_told_by_number_and_nothing_is_imported(home: Home) -> None:
    text = (
        PEOPLE + "103,,Lee,Pupil,,,,\n104,Bo,Lee,Wizard,,,,\n105,Cy,Lee,Pupil,03/25/2012,,,\n101,Other,Name,Pupil,,,,\n"
    )
    plan = plan_import(home, "people", text.encode())
    assert [(problem.row, problem.column) for problem in plan.problems] == [
        (5, "First name"),
        (6, "Kind"),
        (7, "Date of birth"),
        (8, ""),
    ]
    assert "contradicts row 2" in plan.problems[3].message
    before = everything(home)
    with pytest.raises(InvalidInput):
        apply_import(home, None, plan, now=NOW)
    assert everything(home) == before


def test_a_repeated_row_counts_once(home: Home) -> None:
    assert imported(home, "people", PEOPLE + "101,Ann,Lee,Pupil,01/03/2012,9,9B,7\n")["new"] == 3


def test_whoever_is_missing_from_the_full_list_has_left_and_comes_back_with_the_next(home: Home, keeper: Staff) -> None:
    school(home)
    less = PEOPLE.replace('102,Zoë,"O\'Neill",Pupil,2011-09-30,9,9C,8\n', "")
    plan = plan_import(home, "people", less.encode())
    assert plan.summary["leaving"] == 1 and "would be marked as left" in plan.warnings[0]
    apply_import(home, keeper, plan, now=NOW)
    zoe = people_by_ref(home.db)[(PersonKind.PUPIL, "102")]
    assert zoe.left_on == home.today(NOW)
    assert people_by_ref(home.db)[(PersonKind.CARER, "C2")].left_on is None  # the file lists no carers
    imported(home, "people", PEOPLE)
    assert people_by_ref(home.db)[(PersonKind.PUPIL, "102")].left_on is None


def test_a_partial_list_marks_nobody_as_left(home: Home) -> None:
    school(home)
    assert imported(home, "people", "id,forename,surname\n101,Anne,Lee\n", full=False)["leaving"] == 0
    ann = people_by_ref(home.db)[(PersonKind.PUPIL, "101")]
    assert (ann.first_name, ann.born_on, ann.form) == ("Anne", date(2012, 3, 1), "9B")  # columns it lacks stay


def test_who_leaves_the_school_leaves_every_audience_with_their_carers(home: Home, teacher: Staff) -> None:
    school(home)
    account = trip(home, teacher)
    ids = {ref: one.id for (_, ref), one in people_by_ref(home.db).items()}
    set_audience(home, teacher, account.id, [ids["101"], ids["102"]], now=NOW)
    imported(home, "people", "\n".join(line for line in PEOPLE.splitlines() if not line.startswith("102")))
    assert {one.ref for one in audience_of(home.db, account.id)} == {"101", "C1"}  # C1 cares for 101 as well


def test_a_new_carer_joins_the_audience_of_their_child_but_one_taken_out_stays_out(home: Home, teacher: Staff) -> None:
    from socialgov.actions.audience import remove_member

    school(home)
    account = trip(home, teacher)
    ids = {ref: one.id for (_, ref), one in people_by_ref(home.db).items()}
    set_audience(home, teacher, account.id, [ids["102"]], now=NOW)
    remove_member(home, teacher, account.id, ids["C2"], now=NOW)
    imported(home, "carers", CARERS + "C3,Kit,Page,,102,Stepfather\n")
    assert {one.ref for one in audience_of(home.db, account.id)} == {"102", "C1", "C3"}


def test_a_carer_who_is_no_longer_linked_leaves_the_audience(home: Home, teacher: Staff) -> None:
    school(home)
    account = trip(home, teacher)
    ids = {ref: one.id for (_, ref), one in people_by_ref(home.db).items()}
    set_audience(home, teacher, account.id, [ids["102"]], now=NOW)
    assert imported(home, "carers", CARERS.replace("C1,Mary,Lee,mary@home.example,102,Aunt\n", ""))["links_ended"] == 1
    assert {one.ref for one in audience_of(home.db, account.id)} == {"102", "C2"}


def test_carers_of_unknown_pupils_and_permissions_of_strangers_are_problems(home: Home) -> None:
    imported(home, "people", PEOPLE)
    carers = plan_import(home, "carers", CARERS.replace(",102,Father", ",999,Father").encode())
    assert [(one.row, one.message) for one in carers.problems] == [
        (4, "No pupil has the reference 999. Import people first.")
    ]
    imported(home, "carers", CARERS)
    permissions = plan_import(home, "permissions", PERMISSIONS.replace("101,C1", "101,C2").encode())
    assert [one.message for one in permissions.problems] == ["C2 is not on record as a parent or carer of 101."]


def test_a_permission_file_may_have_one_row_for_each_use(home: Home) -> None:
    school(home)
    text = "Reference;Use;Answer;Given by;Valid until\n101;Name;granted;C1;31/08/2027\n101;voice;withdrawn;self;\n"
    assert imported(home, "permissions", text)["new"] == 2
    both = plan_import(home, "permissions", b"ref,use,answer,photo\n101,name,yes,yes\n")
    assert both.problems[0].row == 0


def test_a_changed_answer_is_a_new_line_and_the_old_one_stays(home: Home) -> None:
    school(home)
    later = PERMISSIONS.replace("Yes", "No").replace("01/09/2026", "02/10/2026")
    assert imported(home, "permissions", later)["new"] == 3
    ann = people_by_ref(home.db)[(PersonKind.PUPIL, "101")]
    assert [grant.answer.value for grant in grants_about(home.db, ann.id) if grant.use is Use.PHOTO] == [
        "refused",
        "granted",
    ]


def test_existing_accounts_are_brought_in_once_as_found(home: Home, manager: Staff) -> None:
    owner, deputy = staff(home), staff(home)
    text = (
        "Platform,Handle,Kind,Purpose,Audience,Owner,Deputy,Review date\n"
        f"Instagram,@school_pe,club,PE news,parents,{owner.email},{deputy.email},31/03/2027\n"
    )
    assert imported(home, "accounts", text, manager)["new"] == 1
    row = next(iter(dicts(home.db, "select * from account")))
    assert (row["handle"], row["found_unregistered"]) == ("school_pe", 1)
    assert row["state"] in (AccountState.APPROVED.value, AccountState.REQUESTED.value)
    assert imported(home, "accounts", text, manager) == {"new": 0, "unchanged": 1}
    assert scalar(home.db, "select count(*) from account") == 1


def test_accounts_with_unknown_staff_or_platform_are_told_by_row(home: Home) -> None:
    text = (
        "platform,handle,kind,purpose,audience,owner,deputy,ends on\n"
        "friendster,a,trip,Trip,parents,manager@school.example,manager@school.example,31/12/2026\n"
        "instagram,b,trip,Trip,parents,nobody@school.example,manager@school.example,31/12/2026\n"
        "instagram,c,trip,Trip,parents,manager@school.example,manager@school.example,\n"
    )
    problems = plan_import(home, "accounts", text.encode()).problems
    assert [(problem.row, problem.column) for problem in problems] == [(2, "Platform"), (3, "Owner"), (4, "Ends on")]


def test_a_fault_half_way_leaves_nothing_behind(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    from socialgov.store import people

    plan, before, saved = plan_import(home, "people", PEOPLE.encode()), everything(home), people.save_person

    def fail_at_the_second(db: Any, values: Any) -> int:
        if values["ref"] == "102":
            raise RuntimeError("the power went")
        return saved(db, values)

    monkeypatch.setattr(people, "save_person", fail_at_the_second)
    with pytest.raises(RuntimeError):
        apply_import(home, None, plan, now=NOW)
    assert everything(home) == before


def test_a_plan_that_the_world_has_overtaken_is_refused(home: Home) -> None:
    imported(home, "people", PEOPLE)
    plan = plan_import(home, "carers", CARERS.encode())
    imported(home, "people", "\n".join(line for line in PEOPLE.splitlines() if not line.startswith("102")))
    before = everything(home)
    with pytest.raises(InvalidInput, match="problems"):
        apply_import(home, None, plan, now=NOW)
    assert everything(home) == before


def test_only_the_data_manager_and_the_network_manager_import(home: Home, teacher: Staff) -> None:
    with pytest.raises(NotPermitted):
        apply_import(home, teacher, plan_import(home, "people", PEOPLE.encode()), now=NOW)


def test_people_are_found_by_any_part_of_the_name_without_accents(home: Home) -> None:
    school(home)
    assert [one.ref for one in search_people(home, "zoe oneill")] == ["102"]
    assert [one.ref for one in search_people(home, "9b")] == ["101"]
    assert [one.kind for one in search_people(home, "reed", PersonKind.STAFF)] == [PersonKind.STAFF]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.sampled_from(["people", "carers", "permissions", "accounts"]), st.binary(max_size=300))
def test_no_bytes_make_a_plan_fall_over(home: Home, kind: str, content: bytes) -> None:
    assert plan_import(home, kind, content).problems


CELL = st.sampled_from(
    ["", "101", "Ann", "Lee", "yes", "01/03/2012", "=1+1", "C1", "C2", "photo", "\x07", "x" * 600, "Ω"]
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.sampled_from([("people", PEOPLE), ("carers", CARERS), ("permissions", PERMISSIONS)]), st.data())
def test_no_cells_make_an_import_fall_over_or_half_done(home: Home, file: tuple[str, str], data: st.DataObject) -> None:
    kind, text = file
    width = len(text.splitlines()[0].split(","))
    row = data.draw(st.lists(CELL, min_size=1, max_size=width))
    plan = plan_import(home, kind, (text + ",".join(row) + "\n").encode(), full=False)
    if plan.problems:
        assert all(problem.message.endswith((".", "?")) for problem in plan.problems)
    else:
        apply_import(home, None, plan, now=NOW)
