"""Each command: what it prints, how it ends (0, 1, 2), and that a mistake is one line with its mend."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from factories import DOMAIN, ESCROW, NOW, account_at, make_home, manager_of, staff

from socialgov import home as home_module
from socialgov import rules
from socialgov.actions.log import checkpoint_text, sign_checkpoint
from socialgov.actions.sessions import session_staff
from socialgov.actions.signin import use_signin_link
from socialgov.cli import main
from socialgov.home import Home
from socialgov.models import AccountState, Role

COMMANDS = (
    "audit",
    "check",
    "demo",
    "escrow",
    "import",
    "init",
    "platforms",
    "run-jobs",
    "scheduler",
    "serve",
    "signin-link",
    "signin-service",
    "status",
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A school whose key opens at once: Argon2 is tested in tests/escrow, and here in the last test."""
    monkeypatch.setattr(home_module, "open_escrow", lambda root, settings, in_force: ESCROW)
    return make_home(tmp_path)


def run(*words: str | Path, home: Home | None = None, typed: str | None = None) -> Result:
    arguments = [str(word) for word in words] + (["--home", str(home.path)] if home else [])
    result = CliRunner().invoke(main, arguments, input=typed)
    assert "Traceback" not in result.output
    return result


def refused(result: Result, *said: str) -> None:
    """One line on standard error, exit code 1."""
    assert result.exit_code == 1, result.output
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    for part in said:
        assert part in result.stderr


# ---- help


def test_the_help_names_every_command_and_how_to_begin() -> None:
    result = run("--help")
    assert result.exit_code == 0
    for command in (*COMMANDS, "socialgov init /srv/school", "SOCIALGOV_PASSPHRASE"):
        assert command in result.output
    assert set(main.commands) == set(COMMANDS)


@pytest.mark.parametrize("command", [*COMMANDS, "audit verify", "audit verify-certificate"])
def test_every_command_explains_itself(command: str) -> None:
    result = run(*command.split(), "--help")
    assert result.exit_code == 0
    assert len(result.output.splitlines()) >= 6


@pytest.mark.parametrize(
    "words",
    ["nothing", "status --nothing", "import", "import cats x.csv", "audit nothing", "serve --port 0", "check x"],
)
def test_wrong_use_ends_with_two_and_names_the_help(words: str) -> None:
    result = run(*words.split())
    assert result.exit_code == 2
    assert "Usage:" in result.output or "Error:" in result.output


def test_the_version_is_told() -> None:
    assert re.fullmatch(r"socialgov, version \d+\.\d+\.\d+\n", run("--version").output)


# ---- errors


def test_no_school_there_is_one_line_with_the_mend(tmp_path: Path) -> None:
    for command in ("status", "check", "run-jobs", "serve", "scheduler"):
        refused(run(command, "--home", tmp_path / "none"), "school.toml", "socialgov init")


def test_a_mistake_in_school_toml_is_one_line_with_file_line_and_mend(home: Home) -> None:
    with (home.path / "school.toml").open("a", encoding="utf-8") as file:
        file.write("\n[policy]\ntrip_longest_dayz = 3\n")
    refused(run("status", home=home), "school.toml, line ", "Did you mean `trip_longest_days`?")


def test_something_unexpected_is_one_line_and_only_debugging_shows_more(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(root: Path, settings: object, in_force: str) -> None:
        raise ZeroDivisionError("with a secret in it")

    monkeypatch.setattr(home_module, "open_escrow", broken)
    result = run("status", home=home)
    refused(result, "Something unexpected happened (ZeroDivisionError)", "SOCIALGOV_DEBUG=1")
    assert "secret" not in result.output
    monkeypatch.setenv("SOCIALGOV_DEBUG", "1")
    assert isinstance(run("status", home=home).exception, ZeroDivisionError)


def test_the_home_is_named_by_the_environment_too(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOCIALGOV_HOME", str(home.path))
    assert "Test School" in run("status").output


# ---- init, status, signin-link


def test_status_tells_how_the_school_stands(home: Home) -> None:
    account_at(home, AccountState.REQUESTED)
    result = run("status", home=home)
    assert result.exit_code == 0
    for part in ("Test School", ESCROW.key_id, "1 requested", "events, whole", "bluesky", "none signed yet"):
        assert part in result.output


def test_status_ends_with_one_when_the_log_is_not_whole(home: Home) -> None:
    home.db.execute("drop trigger event_no_update")
    home.db.execute("update event set actor = 'x' where seq = 1")
    refused(run("status", home=home), "lost the triggers")


def test_a_sign_in_link_is_printed_whole_and_works_once(home: Home) -> None:
    person = staff(home)
    result = run("signin-link", person.email.upper(), home=home)
    assert result.exit_code == 0
    found = re.fullmatch(r"http://localhost:5000/signin/([\w-]{43})\n", result.output)
    assert found
    now = home_module.wall_clock()
    assert session_staff(home, use_signin_link(home, found[1], now=now).session, now=now) == person


def test_nobody_gets_a_sign_in_link_who_does_not_work_here(home: Home) -> None:
    links = home.db.execute("select count(*) from signin_link").fetchone()
    refused(run("signin-link", "nobody@elsewhere.example", home=home), "Nobody here has the address")
    assert home.db.execute("select count(*) from signin_link").fetchone() == links


# ---- import


def csv(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "people.csv"
    path.write_text(text, encoding="utf-8")
    return path


GOOD_CSV = "ref,first name,last name,kind\n1,Ada,Example,pupil\n2,Ben,Example,pupil\n"


def test_a_dry_run_reports_and_changes_nothing(home: Home, tmp_path: Path) -> None:
    result = run("import", "people", csv(tmp_path, GOOD_CSV), "--dry-run", home=home)
    assert result.exit_code == 0
    assert "2 rows: 2 new" in result.output
    assert "nothing was changed" in result.output
    assert home.db.execute("select count(*) from person").fetchone()[0] == 0


def test_a_good_file_is_imported_and_a_second_time_changes_nothing(home: Home, tmp_path: Path) -> None:
    path = csv(tmp_path, GOOD_CSV)
    assert "Imported 2 new" in run("import", "people", path, home=home).output
    assert home.db.execute("select count(*) from person").fetchone()[0] == 2
    assert "2 unchanged" in run("import", "people", path, home=home).output


def test_a_bad_row_is_named_by_number_and_nothing_is_changed(home: Home, tmp_path: Path) -> None:
    result = run("import", "people", csv(tmp_path, GOOD_CSV + ",Cy,Example,pupil\n"), home=home)
    refused(result, "1 problem in people.csv, so nothing was changed.")
    assert re.search(r"^\s*4\s+Reference", result.stdout, re.MULTILINE)
    assert home.db.execute("select count(*) from person").fetchone()[0] == 0


# ---- check and jobs


def test_check_ends_with_one_and_names_rule_and_reason(home: Home) -> None:
    account = account_at(home, AccountState.LIVE)
    result = run("check", str(account.id), home=home)
    assert result.exit_code in (0, 1)
    assert not set(re.findall(r"\b[A-Z]{3}\d{3}\b", result.output)) - set(rules.CATALOGUE)
    refused(run("check", "999", home=home), "no such account")


def test_check_of_a_school_without_accounts_is_in_order(home: Home) -> None:
    result = run("check", home=home)
    assert result.exit_code == 0
    assert "all in order" in result.output


def test_one_pass_of_the_jobs_is_reported_job_by_job(home: Home) -> None:
    result = run("run-jobs", "--at", "2026-12-01T08:00", home=home)
    assert result.exit_code == 0, result.output
    for job in ("close due accounts", "check accounts", "send mail"):
        assert re.search(rf"{job}\s+done", result.output)


def test_a_time_that_is_none_is_refused(home: Home) -> None:
    refused(run("run-jobs", "--at", "tomorrow", home=home), "'tomorrow' is no time.", "2026-12-01T08:00")


# ---- audit


def test_existing_accounts_are_brought_in_by_a_named_member_of_staff(home: Home, tmp_path: Path) -> None:
    owner, deputy = staff(home), staff(home)
    file = tmp_path / "accounts.csv"
    file.write_text(
        "platform,handle,kind,purpose,audience,owner,deputy,review on\n"
        f"instagram,art.club,standing,News of the art club,Its parents,{owner.email},{deputy.email},01/06/2027\n"
    )
    refused(run("import", "accounts", file, home=home), "brought in by a member of staff", "--as")
    refused(run("import", "accounts", file, "--as", "nobody@else.example", home=home), "works here", "--as")
    manager = f"manager@{DOMAIN}"
    assert run("import", "accounts", file, "--as", manager, home=home).exit_code == 0
    found = home.db.execute("select handle, found_unregistered from account").fetchall()
    assert found == [("art.club", 1)]


def test_a_whole_log_is_verified_and_logged(home: Home) -> None:
    result = run("audit", "verify", home=home)
    assert result.exit_code == 0
    assert re.search(r"The log is whole: \d+ events", result.output)
    assert home.db.execute("select tag, actor from event order by seq desc").fetchone() == ("log:chain:verified", "cli")


def test_a_mailed_checkpoint_is_compared(home: Home, tmp_path: Path) -> None:
    staff(home, Role.HEAD)
    checkpoint = sign_checkpoint(home, now=NOW)
    assert checkpoint is not None
    mailed = tmp_path / "mail.txt"
    mailed.write_text(checkpoint_text(home, checkpoint), encoding="utf-8")
    assert "2 checkpoints compared" in run("audit", "verify", "--checkpoint", mailed, home=home).output
    mailed.write_bytes(b"\xff\xfe nothing")
    refused(run("audit", "verify", "--checkpoint", mailed, home=home), "cannot be read as text")


def test_a_broken_log_ends_with_one_and_says_where(home: Home) -> None:
    trigger = home.db.execute("select sql from sqlite_master where name = 'event_no_update'").fetchone()[0]
    home.db.execute("drop trigger event_no_update")
    home.db.execute("update event set actor = 'x' where seq = 2")
    home.db.execute(trigger)
    refused(run("audit", "verify", home=home), "event 2 was changed", "evidence")


def test_a_certificate_is_verified_without_a_home(home: Home, tmp_path: Path) -> None:
    from socialgov.actions.certificates import certificate_of, certificate_text

    account = account_at(home, AccountState.CLOSED)
    certificate = certificate_of(home.db, account.id)
    assert certificate is not None
    file = tmp_path / "certificate.json"
    file.write_text(certificate_text(certificate), encoding="utf-8")
    result = run("audit", "verify-certificate", file)
    assert result.exit_code == 0
    assert "The certificate holds" in result.output
    assert "Fingerprint" in result.output
    assert "this school's key" in run("audit", "verify-certificate", file, home=home).output
    file.write_text(certificate_text(certificate).replace("Test School", "Another School"), encoding="utf-8")
    refused(run("audit", "verify-certificate", file), "changed")


# ---- init


INIT = (
    "--name", "Test School", "--domain", DOMAIN, "--manager-name", "Mo Manager", "--manager-email",
    f"manager@{DOMAIN}", "--base-url", "http://localhost:5000", "--keys", "cryptfile",
)  # fmt: skip


def test_init_takes_flags_and_the_new_school_opens_with_its_real_key(tmp_path: Path) -> None:
    root = tmp_path / "school"
    result = run("init", root, *INIT, "--platforms", "instagram, x")
    assert result.exit_code == 0, result.output
    token = re.search(r"^http://localhost:5000/signin/([\w-]{43})$", result.output, re.MULTILINE)
    assert token
    opened = home_module.open_home(root)
    assert opened.settings.approved_platforms == {"instagram", "x"}
    now = opened.now()
    assert session_staff(opened, use_signin_link(opened, token[1], now=now).session, now=now) == manager_of(opened)
    refused(run("init", root, *INIT), "a school at")


def test_init_asks_for_what_no_flag_says(tmp_path: Path) -> None:
    typed = f"Test School\n{DOMAIN}\nMo Manager\nmanager@{DOMAIN}\n\n"
    result = run("init", tmp_path / "school", "--keys", "cryptfile", typed=typed)
    assert result.exit_code == 0, result.output
    for question in ("The school's name", "e-mail addresses", "network manager's name", "address people will open"):
        assert question in result.output
    assert "No platform is approved yet" in result.output


@pytest.mark.parametrize(
    ("flag", "value", "said"),
    [
        ("--name", " ", "`name` is empty"),
        ("--domain", "not a domain", "email_domains"),
        ("--manager-email", "m@private.example", "Enter an address of the school"),
        ("--base-url", "ftp://x", "base_url"),
        ("--zone", "Mars", "no time zone"),
        ("--platforms", "myspace", "no platform 'myspace'"),
        ("--keys", "null", "cannot be kept in 'null'"),
        ("--passphrase-file", "secret.txt", "full path"),
    ],
)
def test_init_refuses_a_wrong_choice_in_one_line_and_makes_nothing(
    tmp_path: Path, flag: str, value: str, said: str
) -> None:
    root = tmp_path / "school"
    refused(run("init", root, *INIT, flag, value), said)
    assert not (root / "school.toml").exists()


def test_init_shows_the_vault_code_once_and_writes_three_sheets_outside_the_home(tmp_path: Path) -> None:
    root = tmp_path / "school"
    result = run("init", root, *INIT)
    assert re.search(r"shown once.*:\n  [a-z-]+( [a-z-]+){5}\n", result.output)
    folder = tmp_path / "school-recovery-sheets"
    assert str(folder) in result.output
    assert "Print each of them now" in result.output
    assert sorted(path.suffix for path in folder.iterdir()) == [".html"] * 3


def test_init_refuses_sheets_inside_the_home_and_makes_nothing(tmp_path: Path) -> None:
    root = tmp_path / "school"
    refused(run("init", root, *INIT, "--sheets", root / "sheets"), "lie in the home that they open", "--sheets")
    assert not root.exists()


def test_a_question_that_nobody_answers_is_told_in_plain_words(tmp_path: Path) -> None:
    result = run("init", tmp_path / "school", *INIT[:8], typed="")
    assert result.exit_code == 1
    assert "Error: A question was not answered, so nothing more was done." in result.stderr
    assert "Aborted" not in result.output


def test_init_without_a_passphrase_says_how_to_give_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOCIALGOV_PASSPHRASE")
    refused(run("init", tmp_path / "school", *INIT), "no passphrase", "SOCIALGOV_PASSPHRASE")
    assert list((tmp_path / "school").iterdir()) == []
