"""The vault: what is sealed to it takes the school's key and a holder's passphrase, and nothing less (SEC207)."""

from __future__ import annotations

import copy
import pickle

import pytest
from factories import ESCROW, SCHOOL_ID
from hypothesis import given
from hypothesis import strategies as st

from socialgov.errors import EscrowError, InvalidInput
from socialgov.escrow import Escrow, Holder, OpenVault, Recovery, make_vault_key, recovery_proof
from socialgov.escrow.shares import join_shares, split_secret
from socialgov.escrow.vault import COST, vault_key_of

PLACE = {"account": "7", "field": "password", "version": 1}
SECRET = b"correct horse battery staple"
VAULT = make_vault_key()
OTHER = make_vault_key()


def test_what_was_sealed_to_the_vault_opens_with_it() -> None:
    assert ESCROW.open_with(VAULT, ESCROW.seal_to(VAULT.public, SECRET, **PLACE), **PLACE) == SECRET


def test_a_sealed_password_does_not_show_how_long_it_is() -> None:
    sizes = {len(ESCROW.seal_to(VAULT.public, b"x" * length, **PLACE)) for length in range(64)}
    assert len(sizes) == 1


@given(st.binary(max_size=200))
def test_whatever_is_sealed_to_the_vault_comes_back_byte_for_byte(content: bytes) -> None:
    for secret in (content, content + b"\x80", content + b"\x80\0", content + b"\0"):
        assert ESCROW.open_with(VAULT, ESCROW.seal_to(VAULT.public, secret, **PLACE), **PLACE) == secret


@pytest.mark.asvs("11.3.3", "13.3.1")
def test_the_schools_key_alone_does_not_open_it() -> None:
    sealed = ESCROW.seal_to(VAULT.public, SECRET, **PLACE)
    with pytest.raises(EscrowError, match="damaged"):
        ESCROW.open(sealed, **PLACE)
    with pytest.raises(EscrowError, match="another vault"):
        ESCROW.open_with(OTHER, sealed, **PLACE)


@pytest.mark.asvs("11.3.3")
def test_the_vault_alone_does_not_open_it() -> None:
    sealed = ESCROW.seal_to(VAULT.public, SECRET, **PLACE)
    stranger = Escrow.from_key(bytes(32), SCHOOL_ID)
    with pytest.raises(EscrowError, match="another key"):
        stranger.open_with(VAULT, sealed, **PLACE)


@pytest.mark.asvs("11.3.3")
def test_every_flipped_bit_and_every_cut_of_a_vault_record_is_noticed() -> None:
    sealed = ESCROW.seal_to(VAULT.public, b"short", **PLACE)
    for at in range(len(sealed)):
        changed = bytearray(sealed)
        changed[at] ^= 1 << (at % 8)
        for broken in (bytes(changed), sealed[:at]):
            with pytest.raises(EscrowError):
                ESCROW.open_with(VAULT, broken, **PLACE)


@pytest.mark.parametrize("moved", [{"account": "8"}, {"field": "notes"}, {"version": 2}])
def test_a_vault_record_moved_elsewhere_does_not_open(moved: dict[str, object]) -> None:
    sealed = ESCROW.seal_to(VAULT.public, SECRET, **PLACE)
    with pytest.raises(EscrowError, match="belongs elsewhere"):
        ESCROW.open_with(VAULT, sealed, **{**PLACE, **moved})


def test_a_new_school_key_takes_records_over_without_touching_their_content() -> None:
    after = ESCROW.with_next_key(bytes(range(1, 33)))
    own, vaulted = ESCROW.seal(SECRET, **PLACE), ESCROW.seal_to(VAULT.public, SECRET, **PLACE)
    moved, also = after.rewrap(own, ESCROW, **PLACE), after.rewrap(vaulted, ESCROW, **PLACE)
    assert after.open(moved, **PLACE) == after.open_with(VAULT, also, **PLACE) == SECRET
    assert (moved[71:], also[127:]) == (own[71:], vaulted[127:])
    for old, new in ((ESCROW, moved), (after, own)):
        with pytest.raises(EscrowError, match="another key"):
            old.open(new, **PLACE)


def test_fingerprints_and_signatures_outlive_a_new_key() -> None:
    after = ESCROW.with_next_key(bytes(range(1, 33)))
    assert after.key_id != ESCROW.key_id
    assert after.identity == ESCROW.identity
    assert after.fingerprints("Tolpuddle-61") == ESCROW.fingerprints("Tolpuddle-61")
    assert after.public_key() == ESCROW.public_key()


def test_a_new_vault_key_takes_records_over() -> None:
    sealed = ESCROW.reseal(ESCROW.seal_to(VAULT.public, SECRET, **PLACE), VAULT, OTHER.public, **PLACE)
    assert ESCROW.open_with(OTHER, sealed, **PLACE) == SECRET
    with pytest.raises(EscrowError, match="another vault"):
        ESCROW.open_with(VAULT, sealed, **PLACE)


def test_a_password_from_before_there_was_a_vault_moves_into_it() -> None:
    sealed = ESCROW.hand_to_vault(ESCROW.seal(SECRET, **PLACE), VAULT.public, **PLACE)
    assert ESCROW.open_with(VAULT, sealed, **PLACE) == SECRET
    with pytest.raises(EscrowError):
        ESCROW.open(sealed, **PLACE)


def test_only_the_right_passphrase_opens_for_a_holder_and_only_in_its_own_row() -> None:
    holder = Holder.new()
    wrapped = VAULT.wrapped_for(ESCROW, holder.public_of("six words at random"), 3)
    assert holder.open(ESCROW, wrapped, "six words at random", 3).key_id == VAULT.key_id
    for passphrase, row in (("six words at ransom", 3), ("six words at random", 4)):
        with pytest.raises(EscrowError, match="does not open"):
            holder.open(ESCROW, wrapped, passphrase, row)


def test_an_opening_goes_on_only_with_what_the_browser_holds() -> None:
    kept = VAULT.kept_under(ESCROW, "token", 5)
    assert OpenVault.kept(ESCROW, kept, "token", 5).key_id == VAULT.key_id
    for token, row in (("other", 5), ("token", 6)):
        with pytest.raises(EscrowError):
            OpenVault.kept(ESCROW, kept, token, row)


def test_a_public_key_that_we_did_not_put_there_is_refused() -> None:
    public = VAULT.public.public
    assert vault_key_of(ESCROW, public, ESCROW.proof_of(public), VAULT.key_id) == VAULT.public
    with pytest.raises(EscrowError, match="changed by somebody"):
        vault_key_of(ESCROW, OTHER.public.public, ESCROW.proof_of(public), VAULT.key_id)


def test_any_two_of_three_sheets_recover_everything_and_one_nothing() -> None:
    recovery = Recovery.new()
    sheets = split_secret(recovery.secret)
    assert [len(sheet.split()) for sheet in sheets] == [33, 33, 33]
    sealed = VAULT.recovery_of(ESCROW, recovery.public, recovery_proof(ESCROW, recovery.public))
    for pair in ((0, 1), (1, 2), (2, 0)):
        again = Recovery(join_shares([sheets[number].upper() for number in pair]))
        assert again.check_value == recovery.check_value
        escrow, vault = again.open(SCHOOL_ID, sealed)
        assert (escrow.key_id, vault.key_id) == (ESCROW.key_id, VAULT.key_id)
    with pytest.raises(InvalidInput) as caught:
        join_shares([sheets[0], sheets[0]])
    assert caught.value.fields == {"sheet_2": "This is the same sheet again."}


@pytest.mark.asvs("11.3.3")
def test_a_recovery_key_that_we_did_not_put_there_is_sealed_nothing() -> None:
    """Whoever can write to the database must not be handed everything at the next rotation."""
    ours, theirs = Recovery.new(), Recovery.new()
    with pytest.raises(EscrowError, match="changed by somebody"):
        VAULT.recovery_of(ESCROW, theirs.public, recovery_proof(ESCROW, ours.public))
    with pytest.raises(EscrowError, match="changed by somebody"):
        VAULT.recovery_of(ESCROW, VAULT.public.public, ESCROW.proof_of(VAULT.public.public))


@pytest.mark.parametrize("cost", ["", "argon2id:0:65536:4", "argon2id:3:999999999:4", "argon2id:x:y:z", "scrypt:1:1:1"])
def test_a_way_in_whose_cost_was_changed_is_damaged_before_it_costs_anything(cost: str) -> None:
    with pytest.raises(EscrowError, match="damaged"):
        Holder(bytes(16), cost).private_of("six words at random")
    with pytest.raises(EscrowError, match="damaged"):
        Holder(b"", COST).private_of("six words at random")


def test_a_misread_word_is_noticed_and_not_quoted() -> None:
    sheets = split_secret(Recovery.new().secret)
    misread = " ".join(["academic", *sheets[1].split()[1:]])
    with pytest.raises(InvalidInput) as caught:
        join_shares([sheets[0], misread])
    assert caught.value.fields == {"sheet_2": "A word is misread, or two are in the wrong order."}
    with pytest.raises(InvalidInput, match="do not belong together"):
        join_shares([sheets[0], split_secret(Recovery.new().secret)[1]])


@pytest.mark.asvs("16.2.5")
def test_an_open_vault_tells_nothing_and_is_not_copied_out() -> None:
    assert VAULT._raw.hex() not in repr(VAULT)
    assert Recovery(b"\1" * 32).secret.hex() not in repr(Recovery(b"\1" * 32))
    for way in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError):
            way(VAULT)
