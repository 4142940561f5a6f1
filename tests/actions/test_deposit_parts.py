"""What belongs to a login besides its password: recovery codes, the second factor's seed, notes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from factories import NOW, staff, vault_of
from hypothesis import given
from hypothesis import strategies as st
from walk import SECRET, Cast, approved, deposited, live, requested, set_up, tags

from socialgov.actions.credentials import deposit, destroy_credentials, record_login_test
from socialgov.actions.deposit_parts import (
    LONGEST_CODE,
    MOST_CODES,
    deposit_codes,
    deposit_notes,
    deposit_seed,
    read_codes,
    strike_code,
)
from socialgov.actions.unsealing import unseal
from socialgov.errors import Conflict, InvalidInput, NotFound, NotPermitted, VaultShut
from socialgov.escrow.codes import code_at, read_seed
from socialgov.home import Home
from socialgov.lifecycle import WrongState
from socialgov.models import Account, Credential, CredentialKind
from socialgov.store.credentials import credentials_of, current_credential, held_credentials, sealed_of

K = CredentialKind
CODES = "1. abcd-1111\n2. efgh-2222\n\n- ijkl-3333\n"
SEED = "JBSW Y3DP EHPK 3PXP JBSW Y3DP"


@pytest.fixture
def account(home: Home, cast: Cast) -> Account:
    account = set_up(home, cast, approved(home, cast))
    deposited(home, cast, account)
    return account


def opened(home: Home, kept: Credential) -> str:
    sealed = sealed_of(home.db, kept.id)
    assert sealed is not None
    return unseal(home, kept.account_id, kept.kind, kept.id, sealed, vault_of(home))


# --------------------------------------------------------------------------------------------------- taking in


def test_codes_are_sealed_one_a_line_and_counted(home: Home, cast: Cast, account: Account) -> None:
    kept = deposit_codes(home, cast.owner, account.id, CODES, now=NOW)
    assert (kept.kind, kept.codes, kept.struck, kept.deposited_by) == (K.RECOVERY_CODES, 3, (), cast.owner.id)
    assert opened(home, kept) == "abcd-1111\nefgh-2222\nijkl-3333"
    assert tags(home, account)[-1] == "credential:secret:deposited"


def test_the_seed_makes_the_code_that_the_phone_shows(home: Home, cast: Cast, account: Account) -> None:
    kept, code = deposit_seed(home, cast.owner, account.id, SEED, now=NOW)
    assert (code.digits, code.seconds_left) == code_at(read_seed(SEED), NOW)
    assert code.digits not in repr(code)
    assert opened(home, kept) == SEED


def test_notes_keep_their_lines(home: Home, cast: Cast, account: Account) -> None:
    kept = deposit_notes(home, cast.owner, account.id, "First pet: none \r\nBorn on 1 May 2000\n", now=NOW)
    assert opened(home, kept) == "First pet: none\nBorn on 1 May 2000"


@pytest.mark.asvs("14.2.1", "15.3.1")
def test_nothing_of_them_is_readable_in_the_store_and_no_fingerprint_is_left(
    home: Home, cast: Cast, account: Account
) -> None:
    before = home.db.execute("select count(*) from credential_fingerprint").fetchone()[0]
    kept = [
        deposit_codes(home, cast.owner, account.id, "canary-code-1", now=NOW),
        deposit_seed(home, cast.owner, account.id, SEED, now=NOW)[0],
        deposit_notes(home, cast.owner, account.id, "canary-note-2", now=NOW),
    ]
    home.db.execute("pragma wal_checkpoint(truncate)")
    stored = (home.path / "school.db").read_bytes()
    assert not any(secret in stored for secret in (b"canary-code", b"canary-note", b"JBSW"))
    assert "canary" not in repr(kept)
    assert home.db.execute("select count(*) from credential_fingerprint").fetchone()[0] == before


def test_the_server_alone_opens_none_of_them(home: Home, cast: Cast, account: Account) -> None:
    kept = deposit_notes(home, cast.owner, account.id, "where the key lies", now=NOW)
    sealed = sealed_of(home.db, kept.id)
    assert sealed is not None
    with pytest.raises(VaultShut):
        unseal(home, account.id, K.NOTES, kept.id, sealed)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "one on each line"),
        (" \n\n", "one on each line"),
        ("aaaa\nbbbb\naaaa", "Line 3 repeats"),
        ("x" * (LONGEST_CODE + 1), "Line 1"),
        ("good\nb\x00d", "Line 2"),
        ("\n".join(map(str, range(MOST_CODES + 1))), "more than 100"),
    ],
)
def test_a_list_that_is_none_says_where(home: Home, cast: Cast, account: Account, text: str, said: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        deposit_codes(home, cast.owner, account.id, text, now=NOW)
    assert said in caught.value.fields["codes"]
    assert current_credential(home.db, account.id, K.RECOVERY_CODES) is None


@pytest.mark.parametrize("seed", ["", "0189", "JBSW", "otpauth://hotp/x?secret=JBSWY3DPEHPK3PXP", "otpauth://totp/x"])
def test_what_makes_no_codes_is_refused(home: Home, cast: Cast, account: Account, seed: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        deposit_seed(home, cast.owner, account.id, seed, now=NOW)
    assert list(caught.value.fields) == ["seed"]


@pytest.mark.parametrize("text", ["", "  \n", "x" * 4_001, "bad\x07bell"])
def test_notes_that_cannot_be_kept_are_refused(home: Home, cast: Cast, account: Account, text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        deposit_notes(home, cast.owner, account.id, text, now=NOW)
    assert list(caught.value.fields) == ["notes"]


@pytest.mark.asvs("8.2.2")
def test_only_keepers_and_the_network_manager_deposit_and_only_while_it_lives(home: Home, cast: Cast) -> None:
    waiting = requested(home, cast)
    with pytest.raises(WrongState):
        deposit_codes(home, cast.owner, waiting.id, CODES, now=NOW)
    with pytest.raises(NotPermitted):
        deposit_notes(home, cast.head, waiting.id, "x", now=NOW)
    with pytest.raises(NotPermitted):
        deposit_seed(home, staff(home), waiting.id, SEED, now=NOW)


def test_what_is_no_login_never_takes_the_way_that_leaves_fingerprints(
    home: Home, cast: Cast, account: Account
) -> None:
    with pytest.raises(ValueError, match="deposit_parts"):
        deposit(home, cast.owner, account.id, username="x", secret="12345678", email="", kind=K.RECOVERY_CODES, now=NOW)


# --------------------------------------------------------------------------------------------------- using, keeping


def test_a_used_code_is_struck_by_its_number_and_nothing_is_opened(home: Home, cast: Cast, account: Account) -> None:
    deposit_codes(home, cast.owner, account.id, CODES, now=NOW)
    assert strike_code(home, cast.owner, account.id, 2, now=NOW) == 2
    assert strike_code(home, cast.manager, account.id, 1, now=NOW) == 1
    kept = current_credential(home.db, account.id, K.RECOVERY_CODES)
    assert kept is not None
    assert kept.struck == (1, 2)
    assert tags(home, account)[-1] == "credential:code:struck"
    with pytest.raises(Conflict):
        strike_code(home, cast.owner, account.id, 2, now=NOW)
    for number in (0, 4, -1, 2**70):
        with pytest.raises(NotFound):
            strike_code(home, cast.owner, account.id, number, now=NOW)


def test_a_new_list_begins_with_none_used(home: Home, cast: Cast, account: Account) -> None:
    deposit_codes(home, cast.owner, account.id, CODES, now=NOW)
    strike_code(home, cast.owner, account.id, 1, now=NOW)
    assert deposit_codes(home, cast.owner, account.id, "new-1\nnew-2", now=NOW + timedelta(days=1)).struck == ()


def test_each_kind_has_versions_of_its_own_kept_until_the_login_is_seen_to_work(
    home: Home, cast: Cast, account: Account
) -> None:
    old = deposit_codes(home, cast.owner, account.id, CODES, now=NOW)
    new = deposit_codes(home, cast.owner, account.id, "new-1\nnew-2", now=NOW + timedelta(days=1))
    deposit_notes(home, cast.owner, account.id, "a note", now=NOW)
    assert {one.kind for one in held_credentials(home.db, account.id)} == {K.PASSWORD, K.RECOVERY_CODES, K.NOTES}
    assert [one.id for one in credentials_of(home.db, account.id) if one.kind is K.RECOVERY_CODES] == [new.id, old.id]
    assert opened(home, old).startswith("abcd")
    record_login_test(home, cast.manager, account.id, True, now=NOW + timedelta(days=1))
    assert sealed_of(home.db, old.id) is None
    assert opened(home, new) == "new-1\nnew-2"


def test_closing_destroys_every_kind(home: Home, cast: Cast) -> None:
    account = live(home, cast)
    deposit_codes(home, cast.owner, account.id, CODES, now=NOW)
    deposit_seed(home, cast.owner, account.id, SEED, now=NOW)
    deposit_notes(home, cast.owner, account.id, "a note", now=NOW)
    assert destroy_credentials(home, account.id, now=NOW, actor="job:closing") == 4
    assert destroy_credentials(home, account.id, now=NOW, actor="job:closing") == 0
    assert held_credentials(home.db, account.id) == []


def test_a_password_is_still_a_password_beside_them(home: Home, cast: Cast, account: Account) -> None:
    deposit_codes(home, cast.owner, account.id, CODES, now=NOW)
    kept = current_credential(home.db, account.id, K.PASSWORD)
    assert kept is not None
    assert opened(home, kept) == SECRET


# --------------------------------------------------------------------------------------------------- parsers


@given(st.text(max_size=400))
def test_any_text_is_a_list_or_is_refused_without_being_quoted(text: str) -> None:
    try:
        codes = read_codes(text)
    except InvalidInput as error:
        assert list(error.fields) == ["codes"]
    else:
        assert codes
        assert all(code == " ".join(code.split()) and 0 < len(code) <= LONGEST_CODE for code in codes)
        assert len(set(codes)) == len(codes)


@given(st.lists(st.from_regex(r"[A-Za-z0-9]{4,10}(-[A-Za-z0-9]{2,8})?", fullmatch=True), min_size=1, unique=True))
def test_codes_are_read_as_they_were_written_whatever_stands_in_front(codes: list[str]) -> None:
    plain, numbered = "\n".join(codes), "\r\n".join(f" {n}. {code} " for n, code in enumerate(codes, 1))
    if len(codes) <= MOST_CODES:
        assert list(read_codes(plain)) == list(read_codes(numbered)) == codes


@given(st.text(max_size=200))
def test_any_text_is_a_seed_or_is_refused(text: str) -> None:
    try:
        seed = read_seed(text)
    except InvalidInput:
        return
    digits, seconds = code_at(seed, NOW)
    assert digits.isdecimal()
    assert 0 < seconds <= seed.step


@given(st.binary(min_size=10, max_size=64), st.sampled_from(("", " ", "-")))
def test_a_seed_is_read_in_any_grouping(secret: bytes, between: str) -> None:
    import base64

    text = base64.b32encode(secret).decode().rstrip("=")
    grouped = between.join(text[at : at + 4] for at in range(0, len(text), 4)).lower()
    assert read_seed(grouped).secret == secret
    assert read_seed(f"otpauth://totp/School:x?secret={text}&issuer=School").secret == secret
