"""Who opens the vault, and for how long it stays open."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from factories import NOW, VAULT_CODE, VAULT_PASSPHRASE, give_way_in, make_home, manager_of, staff, vault_of
from walk import SECRET, approved, cast_of, deposited

from socialgov.actions import break_glass
from socialgov.actions.credentials import reveal
from socialgov.actions.sessions import Visitor, end_session, open_session, start_session
from socialgov.actions.stepup import mark_strong, need_fresh
from socialgov.actions.vault import (
    invite,
    open_vault,
    opened_vault,
    remove_holder,
    shut_expired,
    shut_vault,
)
from socialgov.actions.vault_passphrase import change_passphrase, check_passphrase, join
from socialgov.errors import Conflict, InvalidInput, NotFound, NotPermitted, StepUpNeeded, Throttled, VaultShut
from socialgov.generator import random_words
from socialgov.home import Home
from socialgov.models import Account, Role, Staff
from socialgov.store.connect import write
from socialgov.store.vault import holder_of

OWN = "bramble otter plywood sunrise mitten quarry"


def with_deposit(home: Home) -> Account:
    cast = cast_of(home)
    account = approved(home, cast)
    deposited(home, cast, account)
    return account


def session_for(home: Home, person: Staff, *, strong: bool = True) -> str:
    with write(home.db) as db:
        token = start_session(db, home, person.id, method="link", visitor=Visitor(), now=NOW)
        session = open_session(home, token, now=NOW)
        assert session is not None
        if strong:
            mark_strong(db, session.id, "passkey", NOW)
    return token


def test_a_passphrase_opens_the_vault_for_five_minutes(home: Home, manager: Staff) -> None:
    session = session_for(home, manager)
    token = open_vault(home, manager, session, VAULT_PASSPHRASE, now=NOW)
    account = with_deposit(home)
    for after in (0, 299):
        vault = opened_vault(home, session, token, now=NOW + timedelta(seconds=after))
        assert reveal(home, manager, vault, account.id, "To compare it.", now=NOW) == SECRET
    with pytest.raises(VaultShut):
        opened_vault(home, session, token, now=NOW + timedelta(seconds=300))


def test_nobody_but_a_network_manager_who_just_showed_who_they_are_opens_it(home: Home, manager: Staff) -> None:
    head = staff(home, Role.HEAD)
    with pytest.raises(NotPermitted):
        open_vault(home, head, session_for(home, head), VAULT_PASSPHRASE, now=NOW)
    with pytest.raises(StepUpNeeded):
        open_vault(home, manager, session_for(home, manager, strong=False), VAULT_PASSPHRASE, now=NOW)
    other = staff(home, Role.NETWORK_MANAGER)
    with pytest.raises(NotFound):
        open_vault(home, other, session_for(home, other), VAULT_PASSPHRASE, now=NOW)


def test_another_session_another_token_and_a_signed_out_one_find_it_shut(home: Home, manager: Staff) -> None:
    mine, another = session_for(home, manager), session_for(home, manager)
    token = open_vault(home, manager, mine, VAULT_PASSPHRASE, now=NOW)
    for session, held in ((another, token), (mine, "x" * 43)):
        with pytest.raises(VaultShut):
            opened_vault(home, session, held, now=NOW)
    end_session(home, mine, now=NOW)
    with pytest.raises(VaultShut):
        opened_vault(home, mine, token, now=NOW)
    assert home.db.execute("select count(*) from vault_opening where sealed is not null").fetchone()[0] == 0


def test_what_held_it_open_is_overwritten_when_it_is_shut_or_over(home: Home, manager: Staff) -> None:
    session = session_for(home, manager)
    token = open_vault(home, manager, session, VAULT_PASSPHRASE, now=NOW)
    shut_vault(home, session, now=NOW)
    with pytest.raises(VaultShut):
        opened_vault(home, session, token, now=NOW)
    open_vault(home, manager, session, VAULT_PASSPHRASE, now=NOW)
    assert shut_expired(home, now=NOW + timedelta(minutes=4)) == 0
    assert shut_expired(home, now=NOW + timedelta(minutes=5)) == 1
    assert home.db.execute("select count(*) from vault_opening where sealed is not null").fetchone()[0] == 0


def test_wrong_passphrases_are_logged_and_soon_not_looked_at_any_more(home: Home, manager: Staff) -> None:
    session = session_for(home, manager)
    for _ in range(home.settings.policy.signin_tries):
        with pytest.raises(InvalidInput) as caught:
            open_vault(home, manager, session, "something else altogether", now=NOW)
        assert "passphrase" in caught.value.fields
    with pytest.raises(Throttled):
        open_vault(home, manager, session, VAULT_PASSPHRASE, now=NOW)
    refused = home.db.execute("select count(*) from event where tag = 'vault:door:refused'").fetchone()[0]
    assert refused == home.settings.policy.signin_tries


def test_the_first_manager_sets_their_own_passphrase_with_the_code_of_init(tmp_path: Path) -> None:
    home = make_home(tmp_path, joined=False)
    manager = manager_of(home)
    with pytest.raises(InvalidInput, match="cannot be taken"):
        join(home, manager, VAULT_CODE, "password password", now=NOW)
    with pytest.raises(InvalidInput) as caught:
        join(home, manager, "six other words than were given", OWN, now=NOW)
    assert "code" in caught.value.fields
    join(home, manager, f"  {VAULT_CODE.title()} ", OWN, now=NOW)
    session = session_for(home, manager)
    assert opened_vault(home, session, open_vault(home, manager, session, OWN, now=NOW), now=NOW)
    with pytest.raises(InvalidInput):  # an invitation works once
        join(home, manager, VAULT_CODE, OWN, now=NOW)


def test_an_invitation_runs_out(tmp_path: Path) -> None:
    home = make_home(tmp_path, joined=False)
    late = NOW + timedelta(hours=home.settings.policy.vault_invitation_hours)
    with pytest.raises(InvalidInput, match="time is over"):
        join(home, manager_of(home), VAULT_CODE, OWN, now=late)


def test_adding_and_removing_a_manager_opens_no_deposit(home: Home, manager: Staff) -> None:
    account = with_deposit(home)
    before = [row[0] for row in home.db.execute("select sealed from credential")]
    other = staff(home, Role.NETWORK_MANAGER)
    join(home, other, invite(home, manager, vault_of(home), other.id, now=NOW), OWN, now=NOW)
    session = session_for(home, other)
    vault = opened_vault(home, session, open_vault(home, other, session, OWN, now=NOW), now=NOW)
    assert reveal(home, other, vault, account.id, "To compare it.", now=NOW) == SECRET
    remove_holder(home, other, manager.id, now=NOW)
    assert holder_of(home.db, manager.id, "manager") is None
    assert [row[0] for row in home.db.execute("select sealed from credential")] == before
    with pytest.raises(Conflict, match="Nobody could open"):
        remove_holder(home, manager, other.id, now=NOW)


def test_only_a_network_manager_is_invited(home: Home, manager: Staff) -> None:
    with pytest.raises(InvalidInput):
        invite(home, manager, vault_of(home), staff(home, Role.HEAD).id, now=NOW)
    with pytest.raises(Conflict):
        invite(home, manager, vault_of(home), manager.id, now=NOW)


def test_a_changed_passphrase_counts_at_once_and_the_old_one_no_more(home: Home, manager: Staff) -> None:
    with pytest.raises(InvalidInput) as caught:
        change_passphrase(home, manager, "something else altogether", OWN, now=NOW)
    assert "old" in caught.value.fields
    change_passphrase(home, manager, VAULT_PASSPHRASE, OWN, now=NOW)
    session = session_for(home, manager)
    with pytest.raises(InvalidInput):
        open_vault(home, manager, session, VAULT_PASSPHRASE, now=NOW)
    assert open_vault(home, manager, session, OWN, now=NOW)


@pytest.mark.asvs("13.3.1")
def test_neither_database_nor_config_holds_a_key_a_passphrase_or_a_secret(home: Home, manager: Staff) -> None:
    with_deposit(home)
    open_vault(home, manager, session_for(home, manager), VAULT_PASSPHRASE, now=NOW)
    vault = vault_of(home)
    home.db.execute("pragma wal_checkpoint(truncate)")
    hidden = [SECRET.encode(), VAULT_PASSPHRASE.encode(), VAULT_CODE.encode(), vault._raw, home.escrow._key]
    for path in home.path.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        for secret in hidden:
            assert secret not in content, path.name
            assert secret.hex().encode() not in content, path.name
    give_way_in(home, staff(home, Role.NETWORK_MANAGER))


# --------------------------------------------------------------------------------------------------- by what way


def by_code(home: Home, person: Staff) -> str:
    with write(home.db) as db:
        token = start_session(db, home, person.id, method="link+code", visitor=Visitor(), now=NOW, strong=True)
    return token


def at(home: Home, address: str) -> Home:
    return replace(home, settings=replace(home.settings, base_url=address))


@pytest.mark.asvs("7.5.1")
@pytest.mark.parametrize("address", ["https://social.school.example", "http://localhost:5000"])
def test_six_digits_do_not_open_the_vault_where_passkeys_work(home: Home, manager: Staff, address: str) -> None:
    there = at(home, address)
    session = by_code(there, manager)
    need_fresh(there, session, now=NOW)
    with pytest.raises(StepUpNeeded) as caught:
        open_vault(there, manager, session, VAULT_PASSPHRASE, now=NOW)
    assert caught.value.for_vault
    with write(there.db) as db:
        shown = open_session(there, session, now=NOW)
        assert shown is not None
        mark_strong(db, shown.id, "passkey", NOW)
    assert open_vault(there, manager, session, VAULT_PASSPHRASE, now=NOW)


def test_six_digits_do_not_break_the_glass_either_where_passkeys_work(home: Home) -> None:
    there, head = at(home, "https://social.school.example"), staff(home, Role.HEAD)
    with pytest.raises(StepUpNeeded):
        break_glass.ask(there, head, by_code(there, head), "Nobody has the passphrase.", now=NOW)
    assert break_glass.ask(at(home, "http://192.0.2.4"), head, by_code(home, head), "Nobody has it.", now=NOW)


def test_they_do_on_a_machine_without_https(home: Home, manager: Staff) -> None:
    there = at(home, "http://192.0.2.4:5000")
    assert open_vault(there, manager, by_code(there, manager), VAULT_PASSPHRASE, now=NOW)


# --------------------------------------------------------------------------------------------------- passphrases


@pytest.mark.parametrize(
    "guessable",
    [
        "Margaret Thompson 1974",
        "Christopher Robertson 1968",
        "Joanna Whitfield 2011",
        "Birmingham City 1875",
        "Margaret Elizabeth Thompson 14 March 1974",
        "Manchester United 1999 champions",
        "correct horse battery staple",
        "Orlaith Featherstonehaugh Orlaith Featherstonehaugh",  # of the staff
        "1066 1815 1914 1939 1945 1966 2012",
    ],
)
def test_a_name_and_a_year_is_no_vault_passphrase(home: Home, manager: Staff, guessable: str) -> None:
    staff(home, name="Orlaith Featherstonehaugh")
    with pytest.raises(InvalidInput) as caught:
        check_passphrase(home, manager, guessable)
    assert "passphrase" in caught.value.fields
    assert guessable not in str(caught.value.fields)


def test_six_words_at_random_are_one_and_so_are_many_signs(home: Home, manager: Staff) -> None:
    for taken in (
        *(random_words() for _ in range(25)),
        OWN,
        VAULT_PASSPHRASE,
        "kx9Rm2vTq7Lw4zPb8Yd",
        "wuhcjqxbmzrkfpgtvn dyl",
    ):
        check_passphrase(home, manager, taken)
