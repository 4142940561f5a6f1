"""The school's key is changed: everything opens afterwards, nothing under the old key, and no crash loses anything."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
from factories import ESCROW, NOW, VAULT_PASSPHRASE, make_home, manager_of, sheets_of, staff
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from keyrings.cryptfile.cryptfile import CryptFileKeyring
from killing import copy_of
from sealed_school import (
    Records,
    account_of,
    add_blob,
    add_code,
    add_credential,
    add_id_token,
    add_one_of_each,
    add_seed,
    assert_all_open,
    opened_by,
)

from socialgov.actions import key_rotation, sealed_places
from socialgov.actions.key_rotation import Change, rotate_key, take_over_all
from socialgov.actions.recovery import SheetSet, drill, join_sheets
from socialgov.actions.unsealing import unseal
from socialgov.actions.vault import VaultShut, invite, vault_key
from socialgov.actions.vault_passphrase import join
from socialgov.errors import EscrowError, InvalidInput, StoreError
from socialgov.escrow import Escrow, keyrings, open_escrow
from socialgov.escrow.vault import Holder
from socialgov.home import Home, open_home
from socialgov.models import CredentialKind, Role
from socialgov.store.connect import write
from socialgov.store.events import EventTag, verify_chain
from socialgov.store.rows import scalar
from socialgov.store.vault import current_holders, key_in_force

OWN = "bramble otter plywood sunrise mitten quarry"


def next_key(home: Home, number: int) -> Escrow:
    return home.escrow.with_next_key(bytes([number]) * 32)


def under(home: Home, escrow: Escrow) -> Home:
    """The same home as a process has it that started after the rotation."""
    return replace(home, escrow=escrow, _local=threading.local())


def rotated(home: Home, number: int = 7, **change: Any) -> Home:
    to = next_key(home, number)
    take_over_all(home, to, Change(**change), now=NOW)
    return under(home, to)


def count_under(home: Home, key_id: str) -> int:
    """In how many bytes of database and files of this home the id of a key stands in a record."""
    home.db.execute("pragma wal_checkpoint(truncate)")
    mark = b"SG\x01" + bytes.fromhex(key_id), b"SG\x02" + bytes.fromhex(key_id)
    return sum((home.path / "school.db").read_bytes().count(one) for one in mark)


# ---- what a rotation does


@pytest.mark.asvs("11.3.3", "13.3.1")
def test_everything_opens_under_the_new_key_and_nothing_under_the_old_one(home: Home) -> None:
    records = Records()
    add_one_of_each(home, records)
    after = rotated(home)
    assert_all_open(after, records, opened_by(after))
    assert count_under(after, ESCROW.key_id) == 0
    row_id, (account_id, kind, _) = next(iter(records.credentials.items()))
    sealed = scalar(after.db, "select sealed from credential where id = ?", (row_id,))
    with pytest.raises(EscrowError, match="another key"):
        unseal(home, account_id, kind, row_id, sealed, opened_by(after))


def test_the_content_of_records_is_not_touched_and_their_files_neither(home: Home) -> None:
    records = Records()
    add_one_of_each(home, records)
    files = {path: path.read_bytes() for path in (home.path / "blobs").glob("*/*")}
    before = [row[0][127:] for row in home.db.execute("select sealed from credential where kind = 'password'")]
    after = rotated(home)
    assert [row[0][127:] for row in after.db.execute("select sealed from credential where kind = 'password'")] == before
    assert {path: path.read_bytes() for path in (home.path / "blobs").glob("*/*")} == files


def test_it_stands_in_the_log_and_managers_and_heads_are_told(home: Home) -> None:
    staff(home, Role.HEAD)
    after = rotated(home)
    assert scalar(after.db, "select count(*) from event where tag = ?", (EventTag.SCHOOL_KEY_ROTATED,)) == 1
    assert scalar(after.db, "select count(*) from notice where kind = 'key_rotated'") == 2
    assert verify_chain(after.db).whole


def test_the_same_sheets_recover_the_new_key(home: Home) -> None:
    records = Records()
    add_one_of_each(home, records)
    after = rotated(home)
    joined = join_sheets(after.db, after.settings.school_id, sheets_of(home)[1:])
    assert joined.escrow.key_id == after.escrow.key_id
    assert_all_open(under(home, joined.escrow), records, joined.opened)
    assert drill(after, sheets_of(home)[:2], now=NOW).found.whole


def test_an_open_vault_is_shut(home: Home) -> None:
    manager = manager_of(home)
    from test_vault import session_for

    from socialgov.actions.vault import open_vault, opened_vault

    session = session_for(home, manager)
    token = open_vault(home, manager, session, VAULT_PASSPHRASE, now=NOW)
    after = rotated(home)
    with pytest.raises(VaultShut):
        opened_vault(after, session, token, now=NOW)


def test_the_vaults_key_is_changed_too_and_other_managers_keep_their_passphrases(home: Home) -> None:
    records, manager, other = Records(), manager_of(home), staff(home, Role.NETWORK_MANAGER)
    add_one_of_each(home, records)
    join(home, other, invite(home, manager, opened_by(home), other.id, now=NOW), OWN, now=NOW)
    third = staff(home, Role.NETWORK_MANAGER)
    code = invite(home, manager, opened_by(home), third.id, now=NOW)
    old = opened_by(home)
    after = rotated(home, opened=old, new_vault=True)
    assert vault_key(after).key_id != old.key_id
    for passphrase, person in ((VAULT_PASSPHRASE, manager), (OWN, other)):
        held = next(row for row in current_holders(after.db) if row.staff_id == person.id)
        assert held.wrapped is not None
        vault = Holder(held.salt, held.cost).open(after.escrow, held.wrapped, passphrase, held.id)
        assert_all_open(after, records, vault)
    join(after, third, code, "velvet quarry acorn harbour tinsel moped", now=NOW)
    row_id, (account_id, kind, _) = next(iter(records.credentials.items()))
    sealed = scalar(after.db, "select sealed from credential where id = ?", (row_id,))
    with pytest.raises(EscrowError, match="another vault"):
        unseal(after, account_id, kind, row_id, sealed, old)
    assert drill(after, sheets_of(home)[:2], now=NOW).found.whole


def test_new_sheets_take_the_place_of_the_old_ones(home: Home) -> None:
    kept: list[SheetSet] = []
    after = rotated(home, opened=opened_by(home), keep_sheets=kept.append)
    assert drill(after, kept[0].sheets[:2], now=NOW).set_id == kept[0].number
    with pytest.raises(InvalidInput, match="not this school's newest"):
        drill(after, sheets_of(home)[:2], now=NOW)


def test_the_vault_is_not_changed_without_somebody_who_opens_it(home: Home) -> None:
    with pytest.raises(EscrowError, match="vault must be opened"):
        rotated(home, new_vault=True)
    assert key_in_force(home.db) == ESCROW.key_id


def test_a_damaged_record_stops_it_unless_it_is_left_behind(home: Home) -> None:
    records = Records()
    add_one_of_each(home, records)
    row_id = next(iter(records.credentials))
    home.db.execute("drop trigger credential_key_in_force")
    home.db.execute("update credential set sealed = zeroblob(200) where id = ?", [row_id])
    before = list(home.db.execute("select sealed from credential"))
    with pytest.raises(EscrowError, match=f"1 sealed records do not open .credential.sealed {row_id}."):
        rotated(home)
    assert list(home.db.execute("select sealed from credential")) == before
    assert key_in_force(home.db) == ESCROW.key_id
    after = rotated(home, leave_damaged=True)
    del records.credentials[row_id]
    assert_all_open(after, records, opened_by(after))


def test_a_swapped_recovery_key_is_not_handed_the_new_key(home: Home) -> None:
    home.db.execute("update recovery_set set public_key = ?", [opened_by(home).public.public])
    with pytest.raises(EscrowError, match="recovery key was changed by somebody"):
        rotated(home)
    assert key_in_force(home.db) == ESCROW.key_id


# ---- who still holds the old key


def test_a_process_that_holds_the_old_key_saves_nothing_and_then_opens_the_new_one(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = Records()
    add_one_of_each(home, records)
    account = account_of(home)
    after = rotated(home)
    for attempt in (
        lambda: add_blob(home, Records(), b"late", None),
        lambda: add_credential(home, Records(), account.id, CredentialKind.API_TOKEN, "late"),
        lambda: add_seed(home, Records(), "GEZDGNBVGY3TQOJQ"),
    ):
        with pytest.raises(StoreError, match="key was changed a moment ago, so nothing was saved"):
            attempt()
    monkeypatch.setattr("socialgov.home.open_escrow", lambda root, settings, in_force: after.escrow)
    home.refresh()
    assert home.escrow.key_id == after.escrow.key_id
    add_credential(home, records, account.id, CredentialKind.PASSWORD, "in time")
    assert_all_open(after, records, opened_by(after))


@pytest.mark.parametrize("table", ["credential.sealed", "authenticator.sealed", "session.id_token", "blob.wrapped"])
def test_the_database_itself_refuses_what_was_sealed_under_the_old_key(home: Home, table: str) -> None:
    records = Records()
    add_one_of_each(home, records)
    after = rotated(home)
    name, column = table.split(".")
    stale = ESCROW.seal(b"stale", account="a", field="f", version=1)
    with pytest.raises(StoreError, match="key was changed"), write(after.db) as db:
        db.execute(f"update {name} set {column} = ?", [stale])


def test_a_photo_that_was_being_saved_while_the_key_changed_is_refused(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    from socialgov.actions import blobs

    put = blobs._put

    def put_and_rotate(path: Path, content: bytes) -> None:
        put(path, content)
        after = rotated(home)
        object.__setattr__(home, "escrow", after.escrow)  # another thread's request has opened the new key by now

    monkeypatch.setattr(blobs, "_put", put_and_rotate)
    with pytest.raises(StoreError, match="key was changed"):
        add_blob(home, Records(), b"in between")
    assert scalar(home.db, "select count(*) from blob") == 0


# ---- with a real keyring, killed at every step


@pytest.fixture(scope="module", autouse=True)
def cheap_key_file() -> Iterator[None]:
    """Key files whose passphrase is stretched less: half a second each time is the keyring's test (tests/escrow)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CryptFileKeyring, "memory_cost", 64)
        patch.setattr(CryptFileKeyring, "time_cost", 1)
        yield


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, Records]:
    """A school whose key lies in a key file, with something of everything in it."""
    from factories import PASSPHRASE

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOCIALGOV_PASSPHRASE", PASSPHRASE)
        home, records = make_home(tmp_path_factory.mktemp("real"), real_key=True), Records()
    add_one_of_each(home, records)
    return home, records


def test_the_old_key_leaves_the_keyring_last(real: tuple[Home, Records], tmp_path: Path) -> None:
    home, records = copy_of(real[0], tmp_path / "copy"), real[1]
    before = home.escrow.key_id
    done = rotate_key(home, Change(), now=NOW)
    assert done.found is not None
    assert done.found.whole
    assert done.key_id == home.escrow.key_id == key_in_force(home.db) != before
    assert_all_open(home, records, opened_by(home))
    again = open_home(home.path)
    assert again.escrow.key_id == done.key_id
    with pytest.raises(EscrowError, match="another key than the database"):
        open_escrow(home.path, home.settings, before)


def _killed_at(point: int, home: Home) -> bool:
    """A rotation in another process, killed at its `point`-th step; False when it ended before that."""
    child = os.fork()
    if child == 0:
        try:
            _rotate_until(point, home)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0, "the rotation itself failed"
    return False


def _rotate_until(point: int, home: Home) -> None:
    """Steps: around each write of the keyring and within it, each place of records, and each COMMIT."""
    crossed = 0

    def cross(*_: object) -> None:
        nonlocal crossed
        crossed += 1
        if crossed == point:
            os.kill(os.getpid(), signal.SIGKILL)

    def watched(module: Any, name: str) -> None:
        real_one: Callable[..., Any] = getattr(module, name)

        def around(*args: Any, **kwargs: Any) -> Any:
            cross()
            result = real_one(*args, **kwargs)
            cross()
            return result

        setattr(module, name, around)

    watched(keyrings, "_put")
    watched(keyrings, "_settle")
    watched(sealed_places, "keep_sealed_rows")
    watched(key_rotation, "_renew_recovery")
    home = Home(home.path, home.settings, home.escrow, home.clock)
    home.db.conn.execute("pragma synchronous=off")
    home.db.conn.set_trace_callback(lambda sql: cross() if sql.startswith(("BEGIN", "COMMIT")) else None)
    rotate_key(home, Change(), now=NOW)


def test_killed_at_every_step_the_next_run_goes_on_and_nothing_is_lost(
    real: tuple[Home, Records], tmp_path: Path
) -> None:
    point, killed, rotations = 0, True, list[int]()
    while killed:
        point += 1
        copy = copy_of(real[0], tmp_path / f"point{point}")
        killed = _killed_at(point, copy)
        restarted = open_home(copy.path, clock=copy.clock)
        assert_all_open(restarted, real[1], opened_by(restarted))
        if not killed:
            break
        done = rotate_key(restarted, Change(), now=NOW)
        assert restarted.escrow.key_id == done.key_id == key_in_force(restarted.db)
        assert restarted.escrow.key_id != real[0].escrow.key_id, f"killed at {point}"
        assert_all_open(restarted, real[1], opened_by(restarted))
        # once; or twice where it was killed when all was done, and the next run was a rotation of its own
        rotations.append(scalar(restarted.db, "select count(*) from event where tag = 'school:key:rotated'"))
        assert verify_chain(restarted.db).whole
        restarted.db.close()
    assert point > 20
    assert rotations == sorted(rotations)
    assert set(rotations) == {1, 2}
    assert rotations.count(2) <= 4


# ---- again and again, with whatever comes between


class Rotations(RuleBasedStateMachine):
    """Records of all kinds, rotations of key and vault, and rotations that break off."""

    def __init__(self) -> None:
        super().__init__()
        self.home = make_home(Path(mkdtemp()))
        self.home.db.conn.execute("pragma synchronous=off")
        self.records, self.number = Records(), 1
        self.account = account_of(self.home)

    @initialize()
    def begin(self) -> None:
        add_one_of_each(self.home, self.records)

    @rule(kind=st.sampled_from(CredentialKind), secret=st.text(min_size=1, max_size=60), old=st.booleans())
    def deposit(self, kind: CredentialKind, secret: str, old: bool) -> None:
        secret = secret.encode("utf-8", "replace").decode()
        add_credential(self.home, self.records, self.account.id, kind, secret, superseded=old)

    @rule(content=st.binary(max_size=300))
    def photo(self, content: bytes) -> None:
        add_blob(self.home, self.records, content, self.account.id)

    @rule()
    def other_records(self) -> None:
        add_seed(self.home, self.records, "GEZDGNBVGY3TQOJQ")
        add_id_token(self.home, self.records, "a.b.c")
        add_code(self.home, self.records, "CODE")

    @rule(vault=st.booleans())
    def rotate(self, vault: bool) -> None:
        self.number += 1
        opened = opened_by(self.home) if vault else None
        self.home = rotated(self.home, self.number, opened=opened, new_vault=vault)

    @rule(after=st.integers(0, 6), vault=st.booleans())
    def rotate_and_break_off(self, after: int, vault: bool) -> None:
        """The disk fails after some of the places were written."""
        self.number += 1
        opened = opened_by(self.home) if vault else None
        with pytest.MonkeyPatch.context() as patch:
            real_one, left = sealed_places.keep_sealed_rows, [after]

            def failing(*args: Any) -> None:
                real_one(*args)
                left[0] -= 1
                if left[0] < 0:
                    raise OSError("the disk has gone")

            patch.setattr(sealed_places, "keep_sealed_rows", failing)
            try:
                self.home = rotated(self.home, self.number, opened=opened, new_vault=vault)
            except OSError:
                assert key_in_force(self.home.db) == self.home.escrow.key_id

    @precondition(lambda self: self.records.credentials)
    @rule(data=st.data())
    def destroy(self, data: st.DataObject) -> None:
        row_id = data.draw(st.sampled_from(sorted(self.records.credentials)))
        with write(self.home.db) as db:
            db.execute("update credential set sealed = null where id = ?", [row_id])
        del self.records.credentials[row_id]

    @invariant()
    def everything_opens(self) -> None:
        assert_all_open(self.home, self.records, opened_by(self.home))

    def teardown(self) -> None:
        self.home.db.close()
        shutil.rmtree(self.home.path.parent)


Rotations.TestCase.settings = settings(
    max_examples=5, stateful_step_count=8, deadline=None, suppress_health_check=list(HealthCheck)
)
TestRotations = Rotations.TestCase
