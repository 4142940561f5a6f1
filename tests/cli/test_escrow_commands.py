"""`socialgov escrow …`: what each command prints and what it never prints, and how it ends (0, 1, 2)."""

from __future__ import annotations

import html
import re
import shutil
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from factories import DOMAIN, ESCROW, NOW, VAULT_PASSPHRASE, make_home, manager_of, sheets_of, staff
from keyrings.cryptfile.cryptfile import CryptFileKeyring
from sealed_school import Records, add_one_of_each, assert_all_open, opened_by

from socialgov import home as home_module
from socialgov.actions import recovery
from socialgov.actions.staff import staff_leaves
from socialgov.actions.vault_passphrase import join
from socialgov.cli import main
from socialgov.config import load_settings
from socialgov.errors import Conflict
from socialgov.escrow import KEY_FILE, PASSPHRASE_VARIABLE
from socialgov.escrow.shares import split_secret
from socialgov.home import Home, open_home
from socialgov.models import CredentialKind, Role
from socialgov.store.connect import insert, write
from socialgov.store.events import EventTag, events_page
from socialgov.store.outbox import notices_of
from socialgov.store.rows import dicts, scalar
from socialgov.store.staff import staff_by_id, staff_with_role
from socialgov.store.vault import current_holders, current_recovery, current_vault_key

COMMANDS = ("status", "make", "sheets", "drill", "recover", "invite", "rotate-key")
MANAGER = f"manager@{DOMAIN}"
OWN = "bramble otter plywood sunrise mitten quarry"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A school with something sealed of every kind, whose key opens at once."""
    monkeypatch.setattr(home_module, "open_escrow", lambda root, settings, in_force: ESCROW)
    monkeypatch.setattr(home_module, "wall_clock", lambda: NOW)
    made = make_home(tmp_path)
    add_one_of_each(made, Records())
    return made


def run(*words: str | Path, home: Home | None = None, typed: str | None = None) -> Result:
    arguments = ["escrow", *(str(word) for word in words), *(["--home", str(home.path)] if home else [])]
    result = CliRunner().invoke(main, arguments, input=typed)
    assert "Traceback" not in result.output
    return result


def refused(result: Result, *said: str) -> None:
    """One line on standard error, exit code 1."""
    assert result.exit_code == 1, result.output
    lines = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert len(lines) == 1
    for part in said:
        assert part in lines[0]


def sheet_files(home: Home, tmp_path: Path, *numbers: int, sheets: tuple[str, ...] | None = None) -> list[str | Path]:
    """The flags that give these sheets as files."""
    flags: list[str | Path] = []
    for number in numbers:
        path = tmp_path / f"typed-{number}.txt"
        path.write_text((sheets or sheets_of(home))[number])
        flags += ["--sheet-file", path]
    return flags


def passphrase_file(tmp_path: Path, text: str = VAULT_PASSPHRASE) -> list[str | Path]:
    path = tmp_path / "vault-passphrase"
    path.write_text(f"{text}\n")
    return ["--vault-passphrase-file", path]


def printed_words(folder: Path, number: int) -> list[str]:
    """The words of a sheet's grid, in the order of their numbers."""
    text = next(folder.glob(f"recovery-sheet-{number}-of-3-*")).read_text()
    found = re.findall(r'<td class="number">(\d+)</td><td>([a-z]+)</td>', text)
    return [word for _, word in sorted(found, key=lambda pair: int(pair[0]))]


def told_each(home: Home) -> int:
    """How many network managers and heads there are to be told."""
    return sum(len(staff_with_role(home.db, role)) for role in (Role.NETWORK_MANAGER, Role.HEAD))


# ---- help


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    result = run(command, "--help")
    assert result.exit_code == 0
    assert len(result.output.splitlines()) >= 8


def test_wrong_use_ends_with_two() -> None:
    for words in (["nothing"], ["recover"], ["drill", "--sheet-file", "none"]):
        assert run(*words).exit_code == 2


# ---- status


def test_status_tells_who_opens_the_vault_and_that_every_record_opens(home: Home) -> None:
    result = run("status", home=home)
    assert result.exit_code == 0, result.output
    said = ("Mo Manager", "set 1, made on 23 November 2026", "never", "8 records to the vault", "Every record opens.")
    for part in (*said, ESCROW.key_id, "by 23 December 2026"):
        assert part in result.output


def test_status_ends_with_one_when_something_does_not_open_or_nobody_opens_the_vault(
    home: Home, tmp_path: Path
) -> None:
    home.db.execute("drop trigger credential_key_in_force")
    home.db.execute("update credential set sealed = zeroblob(200) where id = 1")
    result = run("status", home=home)
    assert result.exit_code == 1
    assert "Does not open: credential.sealed 1" in result.output
    fresh = make_home(tmp_path / "fresh", joined=False)
    result = run("status", home=fresh)
    assert (result.exit_code, "nobody yet" in result.output) == (1, True)


# ---- make


def older(home: Home) -> tuple[Home, str]:
    """The home as issue 2 left it: no vault, the password under the school's key. And that password's text."""
    with write(home.db) as db:
        for table in ("vault_opening", "vault_holder", "recovery_set", "vault_key", "authenticator"):
            db.execute(f"delete from {table}")
        db.execute("delete from meta where key = 'key_id'")
        db.execute("update credential set sealed = null")
        row = {"account_id": 1, "kind": "password", "username": "u", "fingerprint": "f", "strength": 4}
        row_id = insert(db, "credential", {**row, "problems": "[]", "deposited_at": NOW, "secret_at": NOW})
        sealed = home.escrow.seal(b"from before", account="1", field="password", version=row_id)
        db.execute("update credential set sealed = ? where id = ?", [sealed, row_id])
    return home, "from before"


def test_a_school_from_before_there_was_a_vault_gets_one_with_everything_in_it(home: Home, tmp_path: Path) -> None:
    home, secret = older(home)
    result = run("make", "--sheets", tmp_path / "paper", home=home)
    assert result.exit_code == 0, result.output
    assert "It took over 1 deposited passwords" in result.output
    code = re.search(r"\n  ([a-z-]+(?: [a-z-]+){5})\n", result.output)
    assert code
    assert run("status", home=home).exit_code == 1  # nobody has joined yet
    join(home, manager_of(home), code[1], OWN, now=NOW)
    row_id, sealed = home.db.execute("select id, sealed from credential where sealed is not null").fetchone()
    place = {"account": "1", "field": "password", "version": row_id}
    assert home.escrow.open_with(opened_by(home, OWN), sealed, **place).decode() == secret
    sheets = tuple(" ".join(printed_words(tmp_path / "paper", number)) for number in (1, 2, 3))
    drilled = run("drill", *sheet_files(home, tmp_path, 0, 2, sheets=sheets), home=home)
    assert drilled.exit_code == 0, drilled.output


def test_a_vault_in_use_is_not_made_again(home: Home, tmp_path: Path) -> None:
    before = current_vault_key(home.db)
    refused(run("make", "--sheets", tmp_path / "paper", home=home), "a vault, and it is in use")
    assert current_vault_key(home.db) == before
    assert not (tmp_path / "paper").exists() or not list((tmp_path / "paper").iterdir())


def test_an_init_that_never_showed_its_code_is_made_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home_module, "open_escrow", lambda root, settings, in_force: ESCROW)
    home = make_home(tmp_path, joined=False)
    before = current_vault_key(home.db)
    result = run("make", home=home)
    assert result.exit_code == 0, result.output
    after = current_vault_key(home.db)
    assert before is not None
    assert after is not None
    assert after.key_id != before.key_id
    assert [holder.kind for holder in current_holders(home.db)] == ["invitation"]
    assert len(list((tmp_path / "home-recovery-sheets").iterdir())) == 3


def test_nothing_counts_when_the_sheets_cannot_be_written(home: Home, tmp_path: Path) -> None:
    home, _ = older(home)
    (tmp_path / "file").write_text("in the way")
    refused(run("make", "--sheets", tmp_path / "file" / "paper", home=home), "sheets were not written")
    assert current_vault_key(home.db) is None
    assert scalar(home.db, "select count(*) from credential where hex(substr(sealed, 3, 1)) = '01'") == 1


# ---- sheets


def test_new_sheets_are_pages_for_a_printer_for_their_owners_eyes_alone(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "paper"
    result = run("sheets", *passphrase_file(tmp_path), "--sheets", folder, home=home)
    assert result.exit_code == 0, result.output
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    pages = sorted(folder.iterdir())
    assert [stat.S_IMODE(page.stat().st_mode) for page in pages] == [0o600] * 3
    words = [printed_words(folder, number) for number in (1, 2, 3)]
    made = current_recovery(home.db)
    assert made is not None
    day = f"{made.made_at.day} {made.made_at:%B %Y}"
    assert [len(one) for one in words] == [33] * 3
    for number, page in enumerate(pages, 1):
        text = html.unescape(page.read_text())
        for part in (f"Recovery sheet {number} of 3", "Test School", "set 2", day, "size: A4"):
            assert part in text
        for other in {1, 2, 3} - {number}:
            grid = re.findall(r"<td>([a-z]+)</td>", text)
            assert grid != words[other - 1]
            assert " ".join(words[other - 1][4:]) not in " ".join(grid)
    again = tuple(" ".join(one) for one in words)
    assert run("drill", *sheet_files(home, tmp_path, 1, 2, sheets=again), home=home).exit_code == 0
    refused(run("drill", *sheet_files(home, tmp_path, 1, 2), home=home), "not this school's newest", "set 2")


def test_sheets_as_plain_text_are_numbered_and_read_again_from_their_file(home: Home, tmp_path: Path) -> None:
    flags = ("--sheets", tmp_path / "paper", "--sheets-as", "text")
    assert run("sheets", *passphrase_file(tmp_path), *flags, home=home).exit_code == 0
    pages = sorted((tmp_path / "paper").iterdir())
    assert max(len(line) for line in pages[0].read_text().splitlines() if re.match(r" +\d+ ", line)) < 80
    assert run("drill", "--sheet-file", pages[0], "--sheet-file", pages[2], home=home).exit_code == 0


@pytest.mark.asvs("16.2.5")
def test_no_word_of_a_sheet_is_printed_or_kept_in_the_home(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "paper"
    result = run("sheets", *passphrase_file(tmp_path), "--sheets", folder, home=home)
    drilled = run("drill", "--sheet-file", *_two(folder), home=home)
    home.db.execute("pragma wal_checkpoint(truncate)")
    kept = b"".join(path.read_bytes() for path in home.path.rglob("*") if path.is_file())
    for number in (1, 2, 3):
        words = printed_words(folder, number)
        for start in range(0, 30, 3):
            run_of_words = " ".join(words[start : start + 3])
            assert run_of_words not in result.output + drilled.output
            assert run_of_words.encode() not in kept


def _two(folder: Path) -> list[str | Path]:
    first, _, third = sorted(folder.iterdir())
    return [first, "--sheet-file", third]


def test_a_wrong_vault_passphrase_makes_no_sheets_and_is_in_the_log(home: Home, tmp_path: Path) -> None:
    flags = (*passphrase_file(tmp_path, "something else"), "--sheets", tmp_path / "paper")
    refused(run("sheets", *flags, home=home), "does not open the vault")
    assert scalar(home.db, "select count(*) from event where tag = 'vault:door:refused'") == 1
    found = current_recovery(home.db)
    assert found is not None
    assert found.id == 1


def test_the_passphrase_is_asked_for_and_not_shown(home: Home, tmp_path: Path) -> None:
    result = run("sheets", "--sheets", tmp_path / "paper", home=home, typed=f"{VAULT_PASSPHRASE}\n")
    assert result.exit_code == 0, result.output
    assert "Vault passphrase of Mo Manager" in result.output
    assert VAULT_PASSPHRASE not in result.output


def test_sheets_are_never_written_into_the_home_or_over_others(home: Home, tmp_path: Path) -> None:
    inside = ("--sheets", home.path / "blobs" / ".." / "paper")
    refused(run("sheets", *passphrase_file(tmp_path), *inside, home=home), "in the home that they open")
    (tmp_path / "link").symlink_to(home.path)
    refused(run("sheets", "--sheets", tmp_path / "link" / "paper", home=home), "in the home that they open")
    (tmp_path / "paper").mkdir()
    older = tmp_path / "paper" / "recovery-sheet-1-of-3-set-1.html"
    older.write_text("old")
    refused(run("sheets", "--sheets", tmp_path / "paper", home=home), "recovery sheets in")
    assert not (home.path / "paper").exists()
    assert {path: path.read_text() for path in older.parent.iterdir()} == {older: "old"}


# ---- drill


def test_a_drill_tries_everything_shows_nothing_and_is_noted(home: Home, tmp_path: Path) -> None:
    result = run("drill", *sheet_files(home, tmp_path, 0, 2), home=home)
    assert result.exit_code == 0, result.output
    assert re.search(r"and 1\d records \(8 of them the vault's\); tried in \d+\.\d s", result.output)
    found = current_recovery(home.db)
    assert found is not None
    assert found.drilled_at is not None
    assert scalar(home.db, "select count(*) from event where tag = 'vault:recovery:drilled'") == 1
    assert scalar(home.db, "select count(*) from notice where kind = 'recovery_drilled'") == told_each(home)


def test_typed_sheets_are_not_shown(home: Home) -> None:
    first, second, _ = sheets_of(home)
    result = run("drill", home=home, typed=f"{first}\n{second}\n")
    assert result.exit_code == 0, result.output
    assert first.split()[7] not in result.output.split()


def test_a_wrong_sheet_is_named(home: Home, tmp_path: Path) -> None:
    first, second, _ = sheets_of(home)
    for sheets, said in (
        ((first, "these are not even words"), "Second sheet: A sheet has 33 words; these are 5."),
        (
            (first.replace(first.split()[4], "zzz", 1), second),
            "First sheet: Not on any such sheet: word 5. Look for a slip in typing.",
        ),
        ((" ".join(reversed(first.split())), second), "First sheet: A word is misread"),
        ((first, first), "Second sheet: This is the same sheet again."),
    ):
        refused(run("drill", *sheet_files(home, tmp_path, 0, 1, sheets=sheets), home=home), said)
    refused(run("drill", *sheet_files(home, tmp_path, 0), home=home), "Two sheets are needed")
    found = current_recovery(home.db)
    assert found is not None
    assert found.drilled_at is None
    by_sheets = "select count(*) from event where tag = 'vault:door:refused' and json_extract(data, '$.by') = 'sheets'"
    assert scalar(home.db, by_sheets) == 4


def test_a_drill_that_would_not_bring_everything_back_ends_with_one_and_counts_as_none(
    home: Home, tmp_path: Path
) -> None:
    name = scalar(home.db, "select name from blob where id = 1")
    (home.path / "blobs" / name[:2] / name).unlink()
    result = run("drill", *sheet_files(home, tmp_path, 0, 1), home=home)
    assert result.exit_code == 1
    assert "File lost: blob 1" in result.output
    found = current_recovery(home.db)
    assert found is not None
    assert found.drilled_at is None


# ---- invite


def test_two_sheets_let_a_network_manager_in_when_no_other_can(home: Home, tmp_path: Path) -> None:
    new = staff(home, Role.NETWORK_MANAGER)
    result = run("invite", new.email, *sheet_files(home, tmp_path, 1, 2), home=home)
    assert result.exit_code == 0, result.output
    code = re.search(r"\n  ([a-z-]+(?: [a-z-]+){5})\n", result.output)
    assert code
    join(home, new, code[1], OWN, now=NOW + timedelta(hours=1))
    tags = {row["tag"] for row in dicts(home.db, "select tag from event")}
    assert {"vault:recovery:used", "vault:manager:invited"} <= tags
    teacher = staff(home)
    refused(run("invite", teacher.email, *sheet_files(home, tmp_path, 1, 2), home=home), "no network manager")


def test_where_the_only_network_manager_is_gone_two_sheets_make_somebody_one(home: Home, tmp_path: Path) -> None:
    """The page Staff is for network managers, and the last one cannot be recorded as gone before there is another."""
    gone, head, teacher = manager_of(home), staff(home, Role.HEAD), staff(home)
    with pytest.raises(Conflict):
        staff_leaves(home, None, gone.id, now=NOW)
    result = run("invite", teacher.email, "--make-manager", *sheet_files(home, tmp_path, 0, 1), home=home)
    assert result.exit_code == 0, result.output
    assert staff_by_id(home.db, teacher.id).roles == {Role.TEACHER, Role.NETWORK_MANAGER}
    (changed,) = events_page(home.db, before=None, tag=EventTag.STAFF_ROLES_CHANGED, actor=None, limit=9)
    assert (changed.actor, changed.subject_id) == ("cli", teacher.id)
    for person in (gone, head, teacher):
        told = [notice.text for notice in notices_of(home.db, person.id) if notice.kind == "recovery_used"]
        assert [f"{teacher.name} was made network manager and let into the vault" in text for text in told] == [True]
    code = re.search(r"\n  ([a-z-]+(?: [a-z-]+){5})\n", result.output)
    assert code
    join(home, staff_by_id(home.db, teacher.id), code[1], OWN, now=NOW)
    staff_leaves(home, None, gone.id, now=NOW)
    assert [one.staff_id for one in current_holders(home.db)] == [teacher.id]


def test_nobody_is_made_network_manager_with_sheets_of_another_school(home: Home, tmp_path: Path) -> None:
    teacher = staff(home)
    flags = sheet_files(home, tmp_path, 0, 1, sheets=tuple(split_secret(bytes(32))))
    refused(run("invite", teacher.email, "--make-manager", *flags, home=home), "not this school's newest")
    assert staff_by_id(home.db, teacher.id).roles == {Role.TEACHER}


# ---- with a real key: recover, rotate-key


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, Records]:
    """A school whose key lies in a key file, with something of everything in it."""
    from factories import PASSPHRASE

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(PASSPHRASE_VARIABLE, PASSPHRASE)
        patch.setattr(CryptFileKeyring, "memory_cost", 64)
        made, records = make_home(tmp_path_factory.mktemp("real"), real_key=True), Records()
    add_one_of_each(made, records)
    made.db.execute("pragma wal_checkpoint(truncate)")
    return made, records


@pytest.fixture
def cheap_key_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real cost of opening a key file is a test of tests/escrow."""
    monkeypatch.setattr(CryptFileKeyring, "memory_cost", 64)


@pytest.mark.usefixtures("cheap_key_file")
def test_a_backup_and_two_sheets_bring_a_school_back_on_a_new_machine(
    real: tuple[Home, Records], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, records = real
    copy = tmp_path / "restored"
    shutil.copytree(home.path, copy)
    (copy / KEY_FILE).unlink()
    monkeypatch.setenv(PASSPHRASE_VARIABLE, "chosen on the new machine")
    flags = sheet_files(home, tmp_path, 0, 2)
    refused(run("status", "--home", copy), "is missing", "socialgov escrow recover")
    refused(run("recover", f"nobody@{DOMAIN}", *flags, "--home", copy), "works here")
    assert not (copy / KEY_FILE).exists()
    result = run("recover", MANAGER, *flags, "--home", copy)
    assert result.exit_code == 0, result.output
    assert "Test School is back" in result.output
    assert "Every record opens." in result.output
    back = open_home(copy)
    code = re.search(r"\n  ([a-z-]+(?: [a-z-]+){5})\n", result.output)
    assert code
    join(back, manager_of(back), code[1], OWN, now=back.now())
    assert_all_open(back, records, opened_by(back, OWN))
    assert scalar(back.db, "select count(*) from event where tag = 'vault:recovery:used'") == 1


@pytest.mark.usefixtures("cheap_key_file")
def test_a_lost_passphrase_is_chosen_anew_with_two_sheets(
    real: tuple[Home, Records], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, _ = real
    copy = tmp_path / "restored"
    shutil.copytree(home.path, copy)
    monkeypatch.delenv(PASSPHRASE_VARIABLE)
    typed = "a passphrase that is new\n" * 2
    teacher = staff(Home(copy, load_settings(copy), home.escrow, home.clock))
    flags = ("--make-manager", *sheet_files(home, tmp_path, 1, 2), "--home", copy)
    result = run("recover", teacher.email, *flags, typed=typed)
    assert result.exit_code == 0, result.output
    assert "a passphrase that is new" not in result.output
    monkeypatch.setenv(PASSPHRASE_VARIABLE, "a passphrase that is new")
    back = open_home(copy)
    assert back.escrow.key_id == home.escrow.key_id
    assert staff_by_id(back.db, teacher.id).has(Role.NETWORK_MANAGER)


@pytest.mark.usefixtures("cheap_key_file")
def test_sheets_of_another_school_leave_the_keyring_as_it_was(real: tuple[Home, Records], tmp_path: Path) -> None:
    home, _ = real
    copy = tmp_path / "restored"
    shutil.copytree(home.path, copy)
    before = (copy / KEY_FILE).read_bytes()
    other = make_home(tmp_path / "other")
    refused(run("recover", MANAGER, *sheet_files(other, tmp_path, 0, 1), "--home", copy), "not this school's newest")
    assert (copy / KEY_FILE).read_bytes() == before


@pytest.mark.usefixtures("cheap_key_file")
def test_key_vault_and_sheets_are_changed_at_once(real: tuple[Home, Records], tmp_path: Path) -> None:
    home, records = real
    copy = tmp_path / "copy"
    shutil.copytree(home.path, copy)
    opened = Home(copy, load_settings(copy), home.escrow, home.clock)
    before = current_vault_key(opened.db)
    flags = ("--vault", "--new-sheets", *passphrase_file(tmp_path), "--sheets", tmp_path / "paper", "--home", copy)
    result = run("rotate-key", *flags)
    assert result.exit_code == 0, result.output
    for part in ("records were taken over", "new key pair", "Print each of them now", "Make a backup now"):
        assert part in result.output
    after = open_home(copy)
    assert before is not None
    now_in_force = current_vault_key(after.db)
    assert now_in_force is not None
    assert now_in_force.key_id != before.key_id
    assert after.escrow.key_id != home.escrow.key_id
    assert_all_open(after, records, opened_by(after))
    first, _, third = sorted((tmp_path / "paper").iterdir())
    assert run("drill", "--sheet-file", first, "--sheet-file", third, "--home", copy).exit_code == 0


# ---- the yearly reminder


def test_managers_and_heads_are_reminded_to_rehearse_and_then_left_alone(home: Home) -> None:
    def told(days: int) -> float:
        """How often each of them was told."""
        recovery.remind_to_drill(home, now=NOW + timedelta(days=days))
        return int(scalar(home.db, "select count(*) from notice where kind = 'recovery_drill'")) / told_each(home)

    assert [told(29), told(30), told(31), told(61)] == [0, 1, 1, 2]
    recovery.drill(home, sheets_of(home)[:2], now=NOW + timedelta(days=62))
    assert [told(63), told(62 + 364), told(62 + 365)] == [2, 2, 3]


def test_the_kinds_of_the_vault_are_those_that_make_hands_over() -> None:
    assert {kind for kind in CredentialKind if not kind.in_vault} == {CredentialKind.API_TOKEN}
