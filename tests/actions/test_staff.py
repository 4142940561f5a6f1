"""Staff: who may enter whom, which addresses are taken, and that a school keeps a network manager."""

from __future__ import annotations

import pytest
from factories import DOMAIN, NOW, staff
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from socialgov.actions.staff import add_staff, set_roles, staff_leaves
from socialgov.errors import Conflict, InvalidInput, NotFound, NotPermitted
from socialgov.home import Home
from socialgov.models import Role, Staff
from socialgov.store.events import events_page
from socialgov.store.staff import current_staff, staff_by_email, staff_by_id


def test_the_network_manager_enters_somebody(home: Home, manager: Staff) -> None:
    person = add_staff(home, manager, "  Tea   Cher ", " Tea@School.Example ", [Role.TEACHER], now=NOW)
    assert (person.name, person.email, person.roles) == ("Tea Cher", "tea@school.example", {Role.TEACHER})
    assert staff_by_email(home.db, "TEA@school.example") == person
    event = events_page(home.db, before=None, tag="staff", actor=None, limit=1)[0]
    assert (event.tag, event.actor, event.subject_id) == ("staff:person:added", f"staff:{manager.id}", person.id)
    assert "Tea" not in repr(event)
    assert "tea@" not in repr(event)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.NETWORK_MANAGER])
def test_nobody_else_enters_changes_or_ends_staff(home: Home, role: Role) -> None:
    person, other = staff(home, role), staff(home)
    with pytest.raises(NotPermitted):
        add_staff(home, person, "New Person", f"new@{DOMAIN}", [Role.TEACHER], now=NOW)
    with pytest.raises(NotPermitted):
        set_roles(home, person, other.id, [Role.HEAD], now=NOW)
    with pytest.raises(NotPermitted):
        staff_leaves(home, person, other.id, now=NOW)
    assert staff_by_id(home.db, other.id) == other


def test_a_manager_who_left_manages_nobody(home: Home, manager: Staff) -> None:
    second = staff(home, Role.NETWORK_MANAGER)
    gone = staff_leaves(home, second, manager.id, now=NOW)
    with pytest.raises(NotPermitted):
        add_staff(home, gone, "New Person", f"new@{DOMAIN}", [Role.TEACHER], now=NOW)


@pytest.mark.parametrize(
    ("name", "email", "field"),
    [
        ("", f"a@{DOMAIN}", "name"),
        ("   ", f"a@{DOMAIN}", "name"),
        ("x" * 101, f"a@{DOMAIN}", "name"),
        ("Bell\x07", f"a@{DOMAIN}", "name"),
        ("Ok Name", "", "email"),
        ("Ok Name", "no address", "email"),
        ("Ok Name", "a@private.example", "email"),
        ("Ok Name", f"a@evil.example@{DOMAIN}", "email"),
        ("Ok Name", f"a@b@{DOMAIN}", "email"),
        ("Ok Name", f"a@x.{DOMAIN}", "email"),
        ("Ok Name", f"a,b@{DOMAIN}", "email"),
        ("Ok Name", f"{'a' * 250}@{DOMAIN}", "email"),
        ("Ok Name", f"manager@{DOMAIN}", "email"),
        ("Ok Name", f"MANAGER@{DOMAIN.upper()}", "email"),
    ],
)
def test_a_wrong_name_or_address_is_refused_beside_its_field(home: Home, name: str, email: str, field: str) -> None:
    before = current_staff(home.db)
    with pytest.raises(InvalidInput) as caught:
        add_staff(home, None, name, email, [Role.TEACHER], now=NOW)
    assert set(caught.value.fields) == {field}
    assert current_staff(home.db) == before


def test_somebody_who_comes_back_is_the_same_person_with_new_roles(home: Home, teacher: Staff) -> None:
    staff_leaves(home, None, teacher.id, now=NOW)
    again = add_staff(home, None, "New Name", teacher.email, [Role.HEAD], now=NOW)
    assert (again.id, again.name, again.roles, again.current) == (teacher.id, "New Name", {Role.HEAD}, True)


def test_a_school_never_loses_its_last_network_manager(home: Home, manager: Staff) -> None:
    with pytest.raises(Conflict, match="no network manager"):
        staff_leaves(home, manager, manager.id, now=NOW)
    with pytest.raises(Conflict, match="no network manager"):
        set_roles(home, manager, manager.id, [Role.HEAD], now=NOW)
    second = staff(home, Role.NETWORK_MANAGER)
    staff_leaves(home, manager, manager.id, now=NOW)
    with pytest.raises(Conflict):
        staff_leaves(home, second, second.id, now=NOW)


def test_roles_are_set_exactly_and_the_same_again_writes_nothing(home: Home, manager: Staff, teacher: Staff) -> None:
    changed = set_roles(home, manager, teacher.id, [Role.HEAD, Role.GOVERNOR], now=NOW)
    assert changed.roles == {Role.HEAD, Role.GOVERNOR}
    newest = events_page(home.db, before=None, tag=None, actor=None, limit=1)[0]
    assert newest.data == {"before": ["teacher"], "roles": ["governor", "head"]}
    set_roles(home, manager, teacher.id, [Role.GOVERNOR, Role.HEAD], now=NOW)
    assert events_page(home.db, before=None, tag=None, actor=None, limit=1)[0] == newest


def test_somebody_who_left_or_never_was_cannot_be_changed(home: Home, manager: Staff, teacher: Staff) -> None:
    staff_leaves(home, manager, teacher.id, now=NOW)
    with pytest.raises(Conflict):
        staff_leaves(home, manager, teacher.id, now=NOW)
    with pytest.raises(Conflict):
        set_roles(home, manager, teacher.id, [Role.HEAD], now=NOW)
    with pytest.raises(NotFound):
        set_roles(home, manager, 999, [Role.HEAD], now=NOW)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=120), st.text(max_size=30) | st.text(max_size=20).map(lambda part: f"{part}@{DOMAIN}"))
def test_any_input_is_entered_cleanly_or_refused_beside_its_field(home: Home, name: str, email: str) -> None:
    try:
        person = add_staff(home, None, name, email, [Role.TEACHER], now=NOW)
    except InvalidInput as error:
        assert error.fields
    else:
        assert person.name.isprintable()
        assert person.email.endswith(f"@{DOMAIN}")
        assert staff_by_id(home.db, person.id) == person
