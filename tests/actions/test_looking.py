"""Looking at a deposited secret: why, logged first, told, one at a time (SEC207); trying it (SEC205)."""

from __future__ import annotations

import sqlite3
import threading
from datetime import timedelta
from typing import Any

import pytest
from factories import DOMAIN, NOW, staff, vault_of
from walk import SECRET, Cast, approved, form_of, requested, set_up, tags

from socialgov.actions import looking
from socialgov.actions.accounts import approve
from socialgov.actions.credentials import deposit, destroy_credentials, record_login_test
from socialgov.actions.deposit_parts import deposit_seed
from socialgov.actions.looking import look, record_copy, reveal, what_can_be_shown
from socialgov.errors import InvalidInput, NotFound, NotPermitted, StoreError
from socialgov.escrow.codes import code_at, read_seed
from socialgov.home import Home
from socialgov.models import Account, Credential, Role, Shown
from socialgov.store.connect import connect, write
from socialgov.store.events import events_of_account
from socialgov.store.looks import reveals_of
from socialgov.store.outbox import notices_of

REASON = "The owner is locked out."
OTHER = "Ueb9!perky-Lantern-07"
SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture
def account(home: Home, cast: Cast) -> Account:
    return set_up(home, cast, approved(home, cast))


def given(home: Home, cast: Cast, account: Account, secret: str = SECRET) -> Credential:
    return deposit(home, cast.owner, account.id, username=account.name, email=f"trips@{DOMAIN}", secret=secret, now=NOW)


@pytest.mark.asvs("16.3.2")
def test_a_look_is_logged_and_told_before_it_is_shown(home: Home, cast: Cast, account: Account) -> None:
    given(home, cast, account)
    seen = look(home, cast.manager, vault_of(home), account.id, REASON, now=NOW, address="10.0.0.7")
    assert seen.secret == SECRET
    assert SECRET not in repr(seen)
    assert tags(home, account)[-1] == "credential:secret:revealed"
    (kept,) = reveals_of(home.db, account.id)
    assert (kept.staff_id, kept.reason, kept.at) == (cast.manager.id, REASON, NOW)
    assert (kept.shown, kept.address, kept.break_glass_id, kept.copies) == ("password", "10.0.0.7", None, 0)
    assert "password_seen" in [n.kind for n in notices_of(home.db, cast.owner.id)]
    assert REASON not in str(list(home.db.query("select data from event")))


@pytest.mark.asvs("16.5.1")
def test_the_event_is_on_the_disk_before_the_secret_is_opened(
    home: Home, cast: Cast, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    given(home, cast, account)
    seen_by_others: list[int] = []

    def count_first(*args: Any) -> str:
        other = connect(home.path / "school.db")
        sql = "select count(*) from event where tag = 'credential:secret:revealed'"
        seen_by_others.append(other.execute(sql).fetchone()[0])
        return "opened"

    monkeypatch.setattr(looking, "unseal", count_first)
    assert look(home, cast.manager, vault_of(home), account.id, REASON, now=NOW).secret == "opened"
    assert seen_by_others == [1]


@pytest.mark.asvs("8.2.2")
def test_nobody_but_the_network_manager_looks(home: Home, cast: Cast, account: Account) -> None:
    given(home, cast, account)
    for other in (cast.owner, cast.head, staff(home, Role.SAFEGUARDING_LEAD), staff(home, Role.DATA_MANAGER)):
        with pytest.raises(NotPermitted):
            look(home, other, vault_of(home), account.id, REASON, now=NOW)
        with pytest.raises(NotPermitted):  # a number that somebody made up is no broken glass
            look(home, other, vault_of(home), account.id, REASON, now=NOW, glass=1)
    assert reveals_of(home.db, account.id) == []


@pytest.mark.parametrize("reason", ["", " ", "x", "xxxxxxxxxxxxxxxxx", "to log in"[:6], "w" * 2000])
def test_a_reason_is_a_few_words(home: Home, cast: Cast, account: Account, reason: str) -> None:
    given(home, cast, account)
    with pytest.raises(InvalidInput) as caught:
        look(home, cast.manager, vault_of(home), account.id, reason, now=NOW)
    assert "reason" in caught.value.fields
    assert reveals_of(home.db, account.id) == []


@pytest.mark.asvs("16.5.1", "16.5.3")
def test_an_event_that_the_log_refuses_shows_nothing(
    home: Home, cast: Cast, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    given(home, cast, account)
    opened: list[int] = []
    monkeypatch.setattr(looking, "unseal", lambda *args: opened.append(1))
    home.db.execute("create temp trigger full before insert on event begin select raise(abort, 'disk is full'); end")
    with pytest.raises((StoreError, sqlite3.IntegrityError)):
        look(home, cast.manager, vault_of(home), account.id, REASON, now=NOW)
    assert opened == []
    assert reveals_of(home.db, account.id) == []


@pytest.mark.asvs("16.5.1", "16.5.3")
def test_a_full_disk_shows_nothing(home: Home, cast: Cast, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    given(home, cast, account)
    opened: list[int] = []
    monkeypatch.setattr(looking, "unseal", lambda *args: opened.append(1))
    pages = home.db.execute("pragma page_count").fetchone()[0]
    home.db.execute(f"pragma max_page_count = {pages}")
    with pytest.raises(StoreError, match="full"):
        for _ in range(200):  # until what is left on the last pages is written full
            look(home, cast.manager, vault_of(home), account.id, REASON * 20, now=NOW)
    assert len(opened) == len(reveals_of(home.db, account.id))


@pytest.mark.asvs("16.5.1", "16.5.3")
def test_a_database_that_somebody_else_holds_shows_nothing(
    home: Home, cast: Cast, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    given(home, cast, account)
    opened: list[int] = []
    monkeypatch.setattr(looking, "unseal", lambda *args: opened.append(1))
    vault = vault_of(home)
    home.db.execute("pragma busy_timeout = 50")
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with write(connect(home.path / "school.db")):
            held.set()
            done.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(10)
    try:
        with pytest.raises(StoreError, match="busy"):
            look(home, cast.manager, vault, account.id, REASON, now=NOW)
    finally:
        done.set()
        holder.join()
    assert opened == []


def test_a_look_never_hides_in_a_bigger_transaction(home: Home, cast: Cast, account: Account) -> None:
    given(home, cast, account)
    with pytest.raises(RuntimeError), write(home.db):
        reveal(home, cast.manager, vault_of(home), account.id, REASON, now=NOW)


def test_an_owner_who_is_the_manager_has_a_deputy_who_is_told(home: Home, cast: Cast) -> None:
    form = form_of(cast, owner_id=cast.manager.id)
    mine = approve(home, cast.head, requested(home, cast, form=form).id, now=NOW)
    deposit(home, cast.manager, mine.id, username="x", secret=SECRET, email=f"trips@{DOMAIN}", now=NOW)
    reveal(home, cast.manager, vault_of(home), mine.id, REASON, now=NOW)
    assert "password_seen" in [n.kind for n in notices_of(home.db, cast.deputy.id)]
    assert "password_seen" not in [n.kind for n in notices_of(home.db, cast.manager.id)]


def test_of_a_second_factor_the_digits_of_the_moment_are_shown_and_the_seed_only_on_wish(
    home: Home, cast: Cast, account: Account
) -> None:
    given(home, cast, account)
    deposit_seed(home, cast.owner, account.id, SEED, now=NOW)
    vault = vault_of(home)
    seen = look(home, cast.manager, vault, account.id, REASON, now=NOW, shown=Shown.SECOND_FACTOR_CODE)
    assert (seen.secret, seen.seconds_left) == code_at(read_seed(SEED), NOW)
    seed = look(home, cast.manager, vault, account.id, REASON, now=NOW, shown=Shown.SECOND_FACTOR_SEED)
    assert (seed.secret, seed.seconds_left) == (SEED, None)
    assert [one.shown for one in reveals_of(home.db, account.id)] == ["second_factor_seed", "second_factor_code"]
    with pytest.raises(NotFound):
        look(home, cast.manager, vault, account.id, REASON, now=NOW, shown=Shown.RECOVERY_CODES)


def test_what_was_deposited_before_can_be_looked_at_until_it_is_rotated_away(
    home: Home, cast: Cast, account: Account
) -> None:
    old, vault = given(home, cast, account), vault_of(home)
    given(home, cast, account, OTHER)
    assert [deposit.superseded_at is None for _, deposit in what_can_be_shown(home, account.id)] == [True, False]
    before = look(home, cast.manager, vault, account.id, REASON, now=NOW, credential_id=old.id)
    assert (before.secret, before.deposit.superseded_at) == (SECRET, NOW)
    assert look(home, cast.manager, vault, account.id, REASON, now=NOW).secret == OTHER
    record_login_test(home, cast.manager, account.id, True, now=NOW)
    with pytest.raises(NotFound):
        look(home, cast.manager, vault, account.id, REASON, now=NOW, credential_id=old.id)
    destroy_credentials(home, account.id, now=NOW, actor="job:closing")
    assert what_can_be_shown(home, account.id) == []


def test_a_deposit_of_another_account_or_kind_is_not_found(home: Home, cast: Cast, account: Account) -> None:
    mine = given(home, cast, account)
    other = set_up(home, cast, approved(home, cast, form=form_of(cast, handle_wished="history.trip")))
    with pytest.raises(NotFound):
        look(home, cast.manager, vault_of(home), other.id, REASON, now=NOW, credential_id=mine.id)
    with pytest.raises(NotFound):
        look(home, cast.manager, vault_of(home), account.id, REASON, now=NOW, shown=Shown.NOTES, credential_id=mine.id)


def test_a_copy_is_an_event_of_its_own_while_the_secret_is_shown(home: Home, cast: Cast, account: Account) -> None:
    given(home, cast, account)
    seen = look(home, cast.manager, vault_of(home), account.id, REASON, now=NOW)
    record_copy(home, cast.manager, account.id, seen.reveal_id, now=NOW + timedelta(seconds=20))
    record_copy(home, cast.manager, account.id, seen.reveal_id, now=NOW + timedelta(seconds=25))
    copied = events_of_account(home.db, account.id)[0]
    assert (copied.tag, copied.data["reveal"]) == ("credential:secret:copied", seen.reveal_id)
    assert reveals_of(home.db, account.id)[0].copies == 2
    other = staff(home, Role.NETWORK_MANAGER)
    for actor, reveal_id, after in (
        (other, seen.reveal_id, 20),
        (cast.manager, seen.reveal_id + 1, 20),
        (cast.manager, seen.reveal_id, 3600),
        (cast.manager, seen.reveal_id, -5),
    ):
        with pytest.raises(NotFound):
            record_copy(home, actor, account.id, reveal_id, now=NOW + timedelta(seconds=after))
    assert reveals_of(home.db, account.id)[0].copies == 2


def test_a_shown_code_is_no_secret_that_must_be_changed_when_its_reader_leaves(
    home: Home, cast: Cast, account: Account
) -> None:
    from socialgov.store.credentials import knowers

    deposit_seed(home, cast.owner, account.id, SEED, now=NOW)
    look(home, cast.manager, vault_of(home), account.id, REASON, now=NOW, shown=Shown.SECOND_FACTOR_CODE)
    assert cast.manager.id not in knowers(home.db, account.id)
    look(home, cast.manager, vault_of(home), account.id, REASON, now=NOW, shown=Shown.SECOND_FACTOR_SEED)
    assert cast.manager.id in knowers(home.db, account.id)
