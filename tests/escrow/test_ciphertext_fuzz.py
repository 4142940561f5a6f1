"""What somebody who can write to the database, but has no key, gets out of it: an EscrowError with its mend, always.

Bits flipped, records swapped between accounts, kinds and versions, older ones put back, cut, brought from another home;
the vault's public key, its holders and its openings exchanged. Never a secret, never any other error.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import walk
from factories import DOMAIN, ESCROW, NOW, VAULT_PASSPHRASE, make_home, sheets_of, vault_of
from hypothesis import given, settings
from hypothesis import strategies as st
from killing import not_waiting_for_the_disk

from socialgov.actions.credentials import deposit, machine_login
from socialgov.actions.deposit_parts import deposit_codes, deposit_notes, deposit_seed
from socialgov.actions.looking import look
from socialgov.actions.sessions import Visitor, open_session, start_session
from socialgov.actions.stepup import mark_strong
from socialgov.actions.vault import open_vault
from socialgov.errors import EscrowError, InvalidInput, SocialgovError, VaultShut
from socialgov.escrow import Escrow, Holder, OpenVault, Recovery, make_vault_key
from socialgov.escrow.shares import join_shares
from socialgov.home import Home
from socialgov.models import Account, CredentialKind, Shown, Staff
from socialgov.store.connect import write
from socialgov.store.vault import current_recovery, current_vault_key

K = CredentialKind
VAULT, OTHER = make_vault_key(), make_vault_key()
PLACE = {"account": "7", "field": "password", "version": 1}
CONTENT = b"Kestrel-9-tinsel!"
OWN = ESCROW.seal(CONTENT, **PLACE)
VAULTED = ESCROW.seal_to(VAULT.public, CONTENT, **PLACE)
SECRETS = {
    K.PASSWORD: "kV9#mQ2x-Canary-81",
    K.RECOVERY_CODES: "1111-aaaa\n2222-bbbb",
    K.SECOND_FACTOR: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
    K.NOTES: "The phone lies in the safe.",
}
OTHERS = {
    K.PASSWORD: "Wharf!73-otter-Quince",
    K.RECOVERY_CODES: "3333-cccc",
    K.SECOND_FACTOR: "KRUGKIDROVUWG2ZAMJZG653OEBTG66BA",
    K.NOTES: "Ask at the office.",
}
SHOWN = {
    K.PASSWORD: Shown.PASSWORD,
    K.RECOVERY_CODES: Shown.RECOVERY_CODES,
    K.SECOND_FACTOR: Shown.SECOND_FACTOR_SEED,
    K.NOTES: Shown.NOTES,
}


def refused(attempt: Callable[[], object], *secrets: str) -> SocialgovError:
    """The error that `attempt` ends in: one of ours, which says what mends it, hides its cause and quotes nothing."""
    with pytest.raises(SocialgovError) as caught:
        attempt()
    error = caught.value
    assert isinstance(error, EscrowError | VaultShut | InvalidInput)
    assert error.mend
    assert error.__cause__ is None
    assert error.__context__ is None or error.__suppress_context__
    for secret in (*secrets, CONTENT.decode(), *SECRETS.values()):
        assert secret not in str(error)
    return error


def opened(sealed: bytes) -> bytes:
    return ESCROW.open_with(VAULT, sealed, **PLACE) if sealed[2:3] == b"\2" else ESCROW.open(sealed, **PLACE)


# --------------------------------------------------------------------------------------------------- the bytes


@pytest.mark.asvs("11.3.3")
@pytest.mark.parametrize("whole", [OWN, VAULTED], ids=["school key", "vault"])
def test_no_change_of_any_bit_yields_anything(whole: bytes) -> None:
    for at in range(len(whole)):
        for bit in range(8):
            changed = bytearray(whole)
            changed[at] ^= 1 << bit
            refused(lambda changed=changed: ESCROW.open_with(VAULT, bytes(changed), **PLACE))
            refused(lambda changed=changed: ESCROW.open(bytes(changed), **PLACE))


ANOTHER, ALSO = ESCROW.seal(b"another", **PLACE), ESCROW.seal_to(VAULT.public, b"another", **PLACE)
GENUINE = {OWN: CONTENT, VAULTED: CONTENT, ANOTHER: b"another", ALSO: b"another"}  # of this very place
RECORDS = st.sampled_from(
    [
        *GENUINE,
        ESCROW.seal_to(OTHER.public, CONTENT, **PLACE),
        ESCROW.seal_to(VAULT.public, CONTENT, **{**PLACE, "account": "8"}),
        ESCROW.seal(CONTENT, **{**PLACE, "field": "notes"}),
        Escrow.from_key(bytes(32), ESCROW.school_id).seal_to(VAULT.public, CONTENT, **PLACE),
    ]
)


@pytest.mark.asvs("11.3.3")
@settings(max_examples=600, deadline=None)
@given(RECORDS, RECORDS, st.data())
def test_nothing_that_is_put_together_from_records_opens(one: bytes, other: bytes, data: st.DataObject) -> None:
    """Fronts, middles and ends of any two records, with noise between: only an untouched one of this place opens."""
    cut, paste = data.draw(st.integers(0, len(one))), data.draw(st.integers(0, len(other)))
    forged = one[:cut] + data.draw(st.binary(max_size=3)) + other[paste:]
    if forged in GENUINE:
        assert opened(forged) == GENUINE[forged]
    else:
        refused(lambda: opened(forged))


@pytest.mark.asvs("11.3.3")
@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400), st.sampled_from([b"", b"SG\1", b"SG\2", OWN[:11], VAULTED[:11], VAULTED[:19]]))
def test_any_bytes_at_all_open_nothing(noise: bytes, front: bytes) -> None:
    for way in (ESCROW.open, lambda sealed, **place: ESCROW.open_with(VAULT, sealed, **place)):
        refused(lambda way=way: way(front + noise, **PLACE))


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.sampled_from([OWN, VAULTED]), st.integers(0, 200))
def test_a_rotation_takes_over_nothing_that_was_changed(noise: bytes, whole: bytes, at: int) -> None:
    """Re-wrapping opens no content, but it looks at what it wraps: a changed front is refused, not carried along."""
    after = ESCROW.with_next_key(bytes(range(1, 33)))
    front = 71 if whole is OWN else 127
    changed = whole[: at % front] + bytes([whole[at % front] ^ 1]) + whole[at % front + 1 :]
    for sealed in (changed, noise):
        refused(lambda sealed=sealed: after.rewrap(sealed, ESCROW, **PLACE))


# --------------------------------------------------------------------------------------------------- the store


@dataclass(frozen=True)
class School:
    home: Home
    vault: OpenVault
    cast: walk.Cast
    one: Account
    other: Account

    def sealed(self, account: Account, kind: K, *, old: bool = False) -> bytes:
        newest = "not null" if old else "null"
        (row,) = self.home.db.execute(
            f"select sealed from credential where account_id = ? and kind = ? and superseded_at is {newest}"
            " order by id desc limit 1",
            (account.id, kind.value),
        )
        return bytes(row[0])

    def put(self, account: Account, kind: K, sealed: bytes) -> None:
        self.home.db.execute(
            "update credential set sealed = ? where account_id = ? and kind = ? and superseded_at is null",
            (sealed, account.id, kind.value),
        )

    def look(self, account: Account, kind: K) -> str:
        return look(
            self.home, self.cast.manager, self.vault, account.id, "To see what opens.", now=NOW, shown=SHOWN[kind]
        ).secret


def untied(home: Home) -> Home:
    """Without the triggers that refuse what is under another key: whoever has the file can drop them."""
    for (name,) in list(home.db.execute("select name from sqlite_master where name like '%_key_in_force'")):
        home.db.execute(f"drop trigger {name}")
    return home


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> School:
    home = not_waiting_for_the_disk(untied(make_home(tmp_path_factory.mktemp("fuzz"))))
    cast = walk.cast_of(home)
    found = []
    for number in (1, 2):
        account = walk.approved(home, cast, form=walk.form_of(cast, handle_wished=f"trip.{number}"))
        account = walk.set_up(home, cast, account)
        give(home, cast, account, K.PASSWORD, f"Old-{number}-Tolpuddle-Wharf!{number}")
        for kind, secret in SECRETS.items():
            give(home, cast, account, kind, secret if number == 1 else OTHERS[kind])
        give(home, cast, account, K.API_TOKEN, f"token-{number}-of-the-machine")
        found.append(account)
    return School(home, vault_of(home), cast, *found)


def give(home: Home, cast: walk.Cast, account: Account, kind: K, secret: str) -> None:
    parts = {K.RECOVERY_CODES: deposit_codes, K.SECOND_FACTOR: deposit_seed, K.NOTES: deposit_notes}
    if kind in parts:
        parts[kind](home, cast.owner, account.id, secret, now=NOW)
        return
    deposit(
        home, cast.owner, account.id, username=account.name, email=f"trips@{DOMAIN}", secret=secret, kind=kind, now=NOW
    )


def row_id(home: Home, account: Account, kind: K) -> int:
    (row,) = home.db.execute(
        "select id from credential where account_id = ? and kind = ? and superseded_at is null",
        (account.id, kind.value),
    )
    return int(row[0])


def place_of(school: School, kind: K) -> dict[str, Any]:
    return {"account": str(school.one.id), "field": kind.value, "version": row_id(school.home, school.one, kind)}


def made(school: School, kind: K, by: Escrow | None = None, to: OpenVault | None = None, **elsewhere: Any) -> bytes:
    """A record as deposited here, but for what is named: then that alone is what has to keep it shut."""
    return (by or school.home.escrow).seal_to(
        (to or school.vault).public, SECRETS[kind].encode(), **place_of(school, kind) | elsewhere
    )


def of_another_home(school: School, kind: K) -> bytes:
    """The same key, the same root, the same vault and the same place: only the school is another."""
    return made(school, kind, Escrow(bytes(range(32)), "ab" * 16))


def renamed(sealed: bytes, genuine: bytes, end: int) -> bytes:
    """With the front of `genuine` that names the keys, so that it is not refused for its name alone."""
    return genuine[:end] + sealed[end:]


CHANGES: dict[str, Callable[[School, K], bytes]] = {
    "of the other account": lambda school, kind: school.sealed(school.other, kind),
    "of another kind": lambda school, kind: school.sealed(school.one, K.NOTES if kind is not K.NOTES else K.PASSWORD),
    "the machine's token": lambda school, _: school.sealed(school.one, K.API_TOKEN),
    "the one before": lambda school, _: school.sealed(school.one, K.PASSWORD, old=True),
    "cut": lambda school, kind: school.sealed(school.one, kind)[:-1],
    "cut in its front": lambda school, kind: school.sealed(school.one, kind)[:60],
    "empty": lambda *_: b"",
    "longer": lambda school, kind: school.sealed(school.one, kind) + b"\0",
    "for another account": lambda school, kind: made(school, kind, account=str(school.other.id)),
    "for another field": lambda school, kind: made(school, kind, field="username"),
    "for the version before": lambda school, kind: made(
        school, kind, version=row_id(school.home, school.one, kind) - 1
    ),
    "of another home": of_another_home,
    "of another home, renamed": lambda school, kind: renamed(of_another_home(school, kind), made(school, kind), 19),
    "to another vault": lambda school, kind: made(school, kind, to=OTHER),
    "to another vault, renamed": lambda school, kind: renamed(made(school, kind, to=OTHER), made(school, kind), 19),
    "under the school's key alone": lambda school, kind: school.home.escrow.seal(
        SECRETS[kind].encode(), **place_of(school, kind)
    ),
    "under another school's key": lambda school, kind: made(
        school, kind, Escrow.from_key(bytes(32), school.home.escrow.school_id)
    ),
    "under the next key": lambda school, kind: made(school, kind, school.home.escrow.with_next_key(bytes(32))),
}


@pytest.mark.parametrize("kind", SECRETS)
def test_a_record_made_for_its_very_place_opens(school: School, kind: K) -> None:
    """What the changes below are changes of: were this refused, each of them would be refused for nothing."""
    before = school.look(school.one, kind)
    genuine, own = school.sealed(school.one, kind), made(school, kind)
    assert own != genuine
    school.put(school.one, kind, own)
    try:
        assert school.look(school.one, kind) == before
    finally:
        school.put(school.one, kind, genuine)


@pytest.mark.asvs("11.3.3", "16.5.3")
@pytest.mark.parametrize("kind", SECRETS)
@pytest.mark.parametrize("change", CHANGES)
def test_rows_that_are_swapped_or_put_back_open_nothing(school: School, kind: K, change: str) -> None:
    genuine = school.sealed(school.one, kind)
    assert school.look(school.one, kind)
    school.put(school.one, kind, CHANGES[change](school, kind))
    try:
        refused(lambda: school.look(school.one, kind))
    finally:
        school.put(school.one, kind, genuine)
    assert school.look(school.one, kind)


@pytest.mark.asvs("11.3.3")
def test_a_changed_byte_anywhere_in_a_row_opens_nothing_and_the_look_is_in_the_log(school: School) -> None:
    genuine = school.sealed(school.one, K.PASSWORD)
    looks = len(list(school.home.db.execute("select 1 from reveal")))
    for at in range(0, len(genuine), 3):
        school.put(school.one, K.PASSWORD, genuine[:at] + bytes([genuine[at] ^ 0x40]) + genuine[at + 1 :])
        refused(lambda: school.look(school.one, K.PASSWORD))
    school.put(school.one, K.PASSWORD, genuine)
    assert len(list(school.home.db.execute("select 1 from reveal"))) == looks + len(range(0, len(genuine), 3))


@pytest.mark.asvs("11.3.3")
def test_a_changed_token_of_the_machine_opens_nothing(school: School) -> None:
    genuine = school.sealed(school.one, K.API_TOKEN)
    changed = (genuine[:-1], genuine[:40] + b"\0" + genuine[41:], school.sealed(school.other, K.API_TOKEN), b"")
    for sealed in (*changed, school.sealed(school.one, K.PASSWORD)):
        school.put(school.one, K.API_TOKEN, sealed)
        refused(lambda: machine_login(school.home, school.one.id, purpose="check", now=NOW))
    school.put(school.one, K.API_TOKEN, genuine)


@pytest.mark.asvs("11.3.3")
@pytest.mark.parametrize("column", ["public_key", "proof", "key_id"])
def test_nothing_is_deposited_to_a_public_key_that_was_swapped(school: School, column: str) -> None:
    row = current_vault_key(school.home.db)
    assert row is not None
    theirs = {"public_key": OTHER.public.public, "proof": b"\1" * 32, "key_id": OTHER.key_id}[column]
    before = list(school.home.db.execute("select count(*) from credential"))
    school.home.db.execute(f"update vault_key set {column} = ? where id = ?", (theirs, row.id))
    try:
        for kind, secret in ((K.NOTES, "Where the key is."), (K.PASSWORD, "Marmot-77-gravel!")):
            refused(lambda kind=kind, secret=secret: give(school.home, school.cast, school.one, kind, secret), secret)
    finally:
        school.home.db.execute(f"update vault_key set {column} = ? where id = ?", (getattr(row, column), row.id))
    assert list(school.home.db.execute("select count(*) from credential")) == before


# --------------------------------------------------------------------------------------------------- ways in


def session_of(home: Home, person: Staff) -> str:
    with write(home.db) as db:
        token = start_session(db, home, person.id, method="link", visitor=Visitor(), now=NOW)
        session = open_session(home, token, now=NOW)
        assert session is not None
        mark_strong(db, session.id, "passkey", NOW)
    return token


# --------------------------------------------------------------------------------------------------- what lies there


@pytest.mark.asvs("11.3.3", "13.3.1")
def test_everything_that_lies_on_the_server_opens_no_deposit(school: School) -> None:
    """With the school's key in hand and every row there is, but no passphrase, no cookie and no sheet of paper."""
    home, escrow = school.home, school.home.escrow
    open_vault(home, school.cast.manager, session_of(home, school.cast.manager), VAULT_PASSPHRASE, now=NOW)
    for kind in SECRETS:
        sealed, place = school.sealed(school.one, kind), place_of(school, kind)
        assert escrow.open_with(school.vault, sealed, **place)
        refused(lambda sealed=sealed, place=place: escrow.open(sealed, **place))
        for stranger in (OTHER, OpenVault(bytes(32)), OpenVault(school.vault.public.public)):
            refused(lambda who=stranger, sealed=sealed, place=place: escrow.open_with(who, sealed, **place))
    for number, salt, cost, wrapped in list(
        home.db.execute("select id, salt, cost, wrapped from vault_holder where ended_at is null")
    ):
        assert school.vault._raw not in escrow.open(wrapped, account="vault", field="holder", version=number)
        for guess in ("", "password", home.settings.school_name):
            refused(lambda way=(salt, cost), row=(wrapped, number), guess=guess: tried(escrow, way, row, guess))
    for number, sealed in list(home.db.execute("select id, sealed from vault_opening where ended_at is null")):
        assert school.vault._raw not in escrow.open(sealed, account="vault", field="opening", version=number)
    for row in home.db.execute("select sealed, check_value, public_key, proof from recovery_set"):
        assert not any(school.vault._raw in column for column in row)


def tried(escrow: Escrow, way: tuple[bytes, str], row: tuple[bytes, int], guess: str) -> OpenVault:
    return Holder(*way).open(escrow, row[0], guess, row[1])


@pytest.mark.asvs("11.3.3")
def test_a_recovery_set_that_was_changed_recovers_nothing(school: School) -> None:
    found = current_recovery(school.home.db)
    assert found is not None
    recovery = Recovery(join_shares(list(sheets_of(school.home)[:2])))
    school_id = school.home.settings.school_id
    assert recovery.open(school_id, found.sealed)[1].key_id == school.vault.key_id
    for at in range(0, len(found.sealed), 5):
        changed = found.sealed[:at] + bytes([found.sealed[at] ^ 1]) + found.sealed[at + 1 :]
        refused(lambda changed=changed: recovery.open(school_id, changed))
    for changed in (b"", found.sealed[:40], found.sealed + b"\0"):
        refused(lambda changed=changed: recovery.open(school_id, changed))
    refused(lambda: recovery.open("ab" * 16, found.sealed))
    refused(lambda: Recovery.new().open(school_id, found.sealed))
