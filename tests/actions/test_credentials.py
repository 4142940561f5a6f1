"""Deposited logins: strength, reuse, sealing, looking, testing, destroying."""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path

import pytest
from factories import DOMAIN, NOW, make_home, staff, vault_of
from walk import SECRET, Cast, approved, cast_of, form_of, live, requested, set_up, tags

from socialgov.actions.credentials import (
    adopt_spare,
    current_credential,
    deposit,
    deposit_spare,
    destroy_credentials,
    machine_login,
    record_login_test,
    reveal,
)
from socialgov.actions.unsealing import spare_logins
from socialgov.config import load_settings
from socialgov.errors import EscrowError, InvalidInput, NotFound, NotPermitted, VaultShut
from socialgov.home import Home
from socialgov.lifecycle import WrongState
from socialgov.models import Account, Credential, CredentialKind, Role
from socialgov.platforms import Login
from socialgov.store import credentials as store
from socialgov.store.connect import write
from socialgov.store.events import verify_chain
from socialgov.store.outbox import notices_of

PASSWORD, TOKEN = CredentialKind.PASSWORD, CredentialKind.API_TOKEN
OTHER = "Ueb9!perky-Lantern-07"
REASON = "The owner is locked out."


@pytest.fixture
def account(home: Home, cast: Cast) -> Account:
    return set_up(home, cast, approved(home, cast))


def given(home: Home, cast: Cast, account: Account, secret: str = SECRET, **changes: object) -> Credential:
    values = {"username": account.name, "email": f"trips@{DOMAIN}", "now": NOW, **changes}
    return deposit(home, cast.owner, account.id, secret=secret, **values)  # type: ignore[arg-type]


def another(home: Home, cast: Cast, handle: str = "history.trip") -> Account:
    return set_up(home, cast, approved(home, cast, form=form_of(cast, handle_wished=handle)))


def with_password(home: Home, cast: Cast, account: Account) -> Login | None:
    """The machine's login with the password, in the name of a manager who has the vault open."""
    return machine_login(
        home, account.id, purpose="test", now=NOW, needs_password=True, vault=vault_of(home), actor=cast.manager
    )


def refused(home: Home, cast: Cast, account: Account, secret: str) -> str:
    with pytest.raises(InvalidInput) as caught:
        given(home, cast, account, secret)
    assert list(caught.value.fields) == ["secret"]
    return caught.value.fields["secret"]


# --------------------------------------------------------------------------------------------------- taking in


def test_a_deposit_is_sealed_and_known_to_nobody_else(home: Home, cast: Cast, account: Account) -> None:
    kept = given(home, cast, account)
    assert (kept.username, kept.email, kept.strength, kept.problems) == (account.name, f"trips@{DOMAIN}", 4, ())
    assert tags(home, account)[-1] == "credential:secret:deposited"
    home.db.execute("pragma wal_checkpoint(truncate)")
    assert SECRET.encode() not in (home.path / "school.db").read_bytes()
    assert SECRET not in repr(kept)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"username": " "}, "username"),
        ({"username": "x" * 300}, "username"),
        ({"email": ""}, "email"),
        ({"email": "me@home.example"}, "email"),
        ({"secret": ""}, "secret"),
        ({"secret": f" {SECRET}"}, "secret"),
        ({"secret": f"{SECRET}\n"}, "secret"),
        ({"secret": SECRET[:9] + "\x00" + SECRET[9:]}, "secret"),
        ({"secret": SECRET + "\ud800"}, "secret"),
        ({"secret": SECRET * 50}, "secret"),
    ],
)
def test_a_field_that_cannot_be_says_so(
    home: Home, cast: Cast, account: Account, changes: dict[str, str], field: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        given(home, cast, account, **changes)
    assert list(caught.value.fields) == [field]
    assert current_credential(home.db, account.id, PASSWORD) is None


@pytest.mark.parametrize(
    "weak", ["Password1!", "abc", "Instagram@TestSchool1", "Ge0graphy.Field.Trip!26", "sunflowerbicyclecoffee"]
)
def test_a_weak_password_is_refused_and_that_is_logged(home: Home, cast: Cast, account: Account, weak: str) -> None:
    assert refused(home, cast, account, weak)
    assert tags(home, account)[-1] == "credential:secret:refused"
    assert list(home.db.query("select * from credential")) == []
    assert weak not in str(list(home.db.query("select data from event")))


def test_the_names_of_staff_are_no_passwords(home: Home, cast: Cast, account: Account) -> None:
    staff(home, Role.TEACHER, name="Wilhelmina Quagmire")
    assert "guess" in refused(home, cast, account, "Wilhelmina.Quagmire#1")


@pytest.mark.parametrize("near", [SECRET, SECRET.upper(), SECRET[:-2] + "62", SECRET + "!!", SECRET + "2026"])
def test_a_password_in_use_elsewhere_or_one_very_like_it_is_refused(
    home: Home, cast: Cast, account: Account, near: str
) -> None:
    given(home, cast, account)
    assert "another account" in refused(home, cast, another(home, cast), near)


def test_an_earlier_password_of_the_same_account_does_not_come_back(home: Home, cast: Cast, account: Account) -> None:
    given(home, cast, account)
    given(home, cast, account, OTHER)
    assert "before" in refused(home, cast, account, SECRET)
    assert "before" in refused(home, cast, account, OTHER + "8")


def test_a_corrected_user_name_does_not_make_the_password_younger(home: Home, cast: Cast, account: Account) -> None:
    given(home, cast, account)
    later = NOW + timedelta(days=40)
    corrected = given(home, cast, account, username="right.name", now=later)
    assert (corrected.username, corrected.deposited_at, corrected.secret_at) == ("right.name", later, NOW)
    assert given(home, cast, account, OTHER, now=later).secret_at == later


def test_a_school_that_only_advises_takes_it_and_says_what_is_wrong(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    advise(home, "SEC202", "SEC203")
    home = Home(home.path, load_settings(home.path), home.escrow, home.clock)
    cast = cast_of(home)
    one, two = set_up(home, cast, approved(home, cast)), another(home, cast)
    kept = given(home, cast, one, "Password1!")
    assert kept.problems
    assert kept.strength < 3
    assert given(home, cast, two, "Password1!").reused
    found = current_credential(home.db, one.id, PASSWORD)
    assert found is not None
    assert found.reused  # the one that was there first is broken by the second just as much


def advise(home: Home, *rule_ids: str) -> None:
    with (home.path / "school.toml").open("a") as file:
        for rule_id in rule_ids:
            file.write(
                f'\n[rules.{rule_id}]\ntrip = "advised"\nstanding = "advised"\nwhole_school = "advised"\n'
                'decided_by = "The governors"\ndecided_on = 2026-11-01\n'
            )


def test_tokens_of_the_machine_are_not_measured_but_reuse_is(home: Home, cast: Cast, account: Account) -> None:
    assert given(home, cast, account, "abcd-efgh-ijkl", kind=TOKEN, email="").kind is TOKEN
    assert "another account" in refused_token(home, cast, another(home, cast))
    assert current_credential(home.db, account.id, PASSWORD) is None


def refused_token(home: Home, cast: Cast, account: Account) -> str:
    with pytest.raises(InvalidInput) as caught:
        given(home, cast, account, "abcd-efgh-ijkl", kind=TOKEN, email="")
    return caught.value.fields["secret"]


def test_nothing_is_deposited_for_a_request_nor_by_strangers(home: Home, cast: Cast) -> None:
    waiting = requested(home, cast)
    with pytest.raises(WrongState):
        given(home, cast, waiting)
    with pytest.raises(NotPermitted):
        deposit(home, staff(home), waiting.id, username="x", secret=SECRET, email=f"t@{DOMAIN}", now=NOW)


# --------------------------------------------------------------------------------------------------- sealed


def test_a_sealed_password_opens_for_its_own_account_and_version_only(home: Home, cast: Cast, account: Account) -> None:
    one, other = given(home, cast, account), another(home, cast)
    two = given(home, cast, other, OTHER)
    first, second = store.sealed_of(home.db, one.id), store.sealed_of(home.db, two.id)
    assert first is not None
    assert second is not None
    with write(home.db) as db:
        store.keep_sealed(db, one.id, second)
    with pytest.raises(EscrowError):
        reveal(home, cast.manager, vault_of(home), account.id, REASON, now=NOW)
    with write(home.db) as db:
        store.keep_sealed(db, one.id, first[:-1] + bytes([first[-1] ^ 1]))
    with pytest.raises(EscrowError):
        with_password(home, cast, account)


@pytest.mark.asvs("16.2.5")
def test_a_secret_is_in_no_log_and_no_error(
    home: Home, cast: Cast, account: Account, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    canary = "Kq7!canary-Feather-93"
    given(home, cast, account, canary)
    reveal(home, cast.manager, vault_of(home), account.id, REASON, now=NOW)
    login = with_password(home, cast, account)
    assert login is not None and login.secret == canary
    said = refused(home, cast, another(home, cast), canary)
    dump = "\n".join(home.db.iterdump())
    assert canary not in caplog.text + said + repr(login) + dump


# --------------------------------------------------------------------------------------------------- testing, using


def test_a_test_that_works_destroys_what_was_before(home: Home, cast: Cast, account: Account) -> None:
    old = given(home, cast, account)
    given(home, cast, account, OTHER)
    assert store.sealed_of(home.db, old.id) is not None
    record_login_test(home, cast.manager, account.id, True, now=NOW)
    assert store.sealed_of(home.db, old.id) is None
    assert reveal(home, cast.manager, vault_of(home), account.id, REASON, now=NOW) == OTHER


def test_a_test_that_fails_is_told_to_the_keepers(home: Home, cast: Cast, account: Account) -> None:
    with pytest.raises(NotFound):
        record_login_test(home, cast.manager, account.id, True, now=NOW)
    given(home, cast, account)
    with pytest.raises(NotPermitted):
        record_login_test(home, cast.owner, account.id, True, now=NOW)
    record_login_test(home, cast.manager, account.id, False, now=NOW)
    assert "login_refused" in [n.kind for n in notices_of(home.db, cast.owner.id)]
    assert "credential:login:tested" in tags(home, account)


def test_the_machine_uses_its_token_and_nothing_else(home: Home, cast: Cast, account: Account) -> None:
    given(home, cast, account)
    assert machine_login(home, account.id, purpose="read", now=NOW) is None
    given(home, cast, account, "abcd-efgh-ijkl", kind=TOKEN, email="")
    login = machine_login(home, account.id, purpose="read", now=NOW)
    assert login is not None
    assert (login.secret, login.is_token) == ("abcd-efgh-ijkl", True)
    assert login.secret not in repr(login)
    assert tags(home, account)[-1] == "credential:secret:used_by_machine"


def test_the_password_is_a_persons_to_use_with_the_vault_open(home: Home, cast: Cast, account: Account) -> None:
    given(home, cast, account)
    given(home, cast, account, "abcd-efgh-ijkl", kind=TOKEN, email="")
    before = tags(home, account)
    with pytest.raises(VaultShut):
        machine_login(home, account.id, purpose="delete", now=NOW, needs_password=True)
    assert tags(home, account) == before, "nothing was opened"
    login = with_password(home, cast, account)
    assert login is not None
    assert (login.secret, login.is_token) == (SECRET, False)
    assert tags(home, account)[-1] == "credential:secret:used_by_machine"


def test_a_spare_waits_beside_the_one_in_force_until_it_is_adopted(home: Home, cast: Cast, account: Account) -> None:
    given(home, cast, account)
    with write(home.db) as db:
        deposit_spare(home, db, account.id, "never-Set-anywhere.1", now=NOW)
        spare_id = deposit_spare(home, db, account.id, OTHER, now=NOW)
    assert reveal(home, cast.manager, vault_of(home), account.id, REASON, now=NOW) == SECRET
    record_login_test(home, cast.manager, account.id, True, now=NOW)
    opened = {"now": NOW, "vault": vault_of(home), "actor": cast.manager}
    found = spare_logins(home, account.id, purpose="change", **opened)
    assert [login.secret for _, login in found] == [OTHER, "never-Set-anywhere.1"]
    with write(home.db) as db:
        adopt_spare(db, spare_id, actor="job:closing", now=NOW)
    assert reveal(home, cast.manager, vault_of(home), account.id, REASON, now=NOW) == OTHER
    assert spare_logins(home, account.id, purpose="change", **opened) == []


def test_closing_leaves_nothing_to_open(home: Home, cast: Cast) -> None:
    account = live(home, cast)
    kept = current_credential(home.db, account.id, PASSWORD)
    assert kept is not None
    assert destroy_credentials(home, account.id, now=NOW, actor="job:closing") == 1
    assert destroy_credentials(home, account.id, now=NOW, actor="job:closing") == 0
    assert store.sealed_of(home.db, kept.id) is None
    assert list(home.db.query("select * from credential_fingerprint")) == []
    assert machine_login(home, account.id, purpose="read", now=NOW) is None
    with pytest.raises(NotFound):
        reveal(home, cast.manager, vault_of(home), account.id, REASON, now=NOW)
    assert tags(home, account)[-1] == "credential:secret:destroyed"
    assert verify_chain(home.db).whole
