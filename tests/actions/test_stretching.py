"""What an earlier version kept to find a password that is used twice is stretched, and no two cease to be alike."""

from __future__ import annotations

import pytest
from factories import DOMAIN, NOW
from walk import SECRET, Cast, approved, deposited, form_of

from socialgov.actions.credentials import deposit
from socialgov.actions.stretching import stretch, to_stretch
from socialgov.errors import InvalidInput
from socialgov.home import Home
from socialgov.jobs import run_once
from socialgov.models import Account, CredentialKind
from socialgov.store.connect import write
from socialgov.store.credentials import accounts_sharing, current_credential, has_fingerprint

NEAR = f"{SECRET.upper()}9"


def as_an_earlier_version_kept_it(home: Home, account: Account, secret: str) -> None:
    """Three HMACs a password, of which one was without capitals and one without its end."""
    kept = current_credential(home.db, account.id, CredentialKind.PASSWORD)
    assert kept is not None
    forms = dict.fromkeys([*home.escrow.quick_fingerprints(secret), *home.escrow.quick_fingerprints(secret.casefold())])
    with write(home.db) as db:
        db.execute("delete from credential_fingerprint where credential_id = ?", [kept.id])
        db.conn.executemany("insert into credential_fingerprint values (?, ?)", [(form, kept.id) for form in forms])
        db.execute("update credential set fingerprint = ? where id = ?", [next(iter(forms)), kept.id])


@pytest.fixture
def account(home: Home, cast: Cast) -> Account:
    found = approved(home, cast)
    deposited(home, cast, found)
    as_an_earlier_version_kept_it(home, found, SECRET)
    return found


def kept_prints(home: Home) -> set[str]:
    tables = "select fingerprint from credential_fingerprint union select fingerprint from credential"
    return {row[0] for row in home.db.execute(tables) if row[0]}


def given(home: Home, cast: Cast, account: Account, secret: str) -> None:
    deposit(home, cast.owner, account.id, username=account.name, secret=secret, email=f"trips@{DOMAIN}", now=NOW)


def test_the_scheduler_stretches_them_all_and_opens_nothing(home: Home, account: Account) -> None:
    before = list(home.db.query("select id, sealed, strength, superseded_at from credential"))
    assert len(to_stretch(home)) == 3
    run_once(home, NOW)
    assert to_stretch(home) == []
    assert set(home.escrow.fingerprints(SECRET)) < kept_prints(home)
    assert all(len(one) == 65 and one.startswith("s") for one in kept_prints(home))
    assert list(home.db.query("select id, sealed, strength, superseded_at from credential")) == before
    kept = current_credential(home.db, account.id, CredentialKind.PASSWORD)
    assert kept is not None
    assert has_fingerprint(home.db, kept.id, home.escrow.fingerprints(SECRET)[0])


def test_those_that_were_alike_are_alike_after_each_single_step(home: Home, cast: Cast, account: Account) -> None:
    other = approved(home, cast, form=form_of(cast, handle_wished="history.trip"))
    deposited(home, cast, other, secret="Quarry-7-lantern-mitten.")
    as_an_earlier_version_kept_it(home, other, NEAR)
    count = "select count(*) from credential_fingerprint a join credential_fingerprint b using (fingerprint)"
    alike = f"{count} where a.credential_id < b.credential_id"
    before = home.db.execute(alike).fetchone()[0]
    assert before
    for one in to_stretch(home):
        stretch(home, one)
        assert home.db.execute(alike).fetchone()[0] == before
    assert accounts_sharing(home.db, home.escrow.fingerprints(SECRET), other_than=account.id) == {other.id}


def test_a_new_deposit_is_compared_with_them_before_they_are_stretched(
    home: Home, cast: Cast, account: Account
) -> None:
    other = approved(home, cast, form=form_of(cast, handle_wished="history.trip"))
    with pytest.raises(InvalidInput) as caught:
        given(home, cast, other, NEAR)
    assert "is used for another account" in caught.value.fields["secret"]
    with pytest.raises(InvalidInput) as caught:
        given(home, cast, account, NEAR)
    assert "was deposited for this account before" in caught.value.fields["secret"]
    given(home, cast, account, SECRET)  # the one in force: only its user name is corrected
    assert all(one.startswith("s") for one in home.escrow.fingerprints(SECRET))
    assert set(home.escrow.fingerprints(SECRET)) <= kept_prints(home)


def test_nothing_that_is_kept_can_be_made_without_stretching(home: Home, cast: Cast) -> None:
    deposited(home, cast, approved(home, cast))
    quick = {*home.escrow.quick_fingerprints(SECRET), *home.escrow.quick_fingerprints(SECRET.casefold())}
    assert not any(one in kept for one in quick for kept in kept_prints(home))
