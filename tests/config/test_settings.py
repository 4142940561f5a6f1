"""school.toml: what is right is read, and whatever is wrong is refused with file, line and mend."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from datetime import date
from pathlib import Path

import pytest
from factories import make_home
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from socialgov.config import RANGES, MailTls, load_settings, package_folder
from socialgov.errors import ConfigError
from socialgov.models import AccountKind, Enforcement, Policy, Role

GOOD = """\
[school]
name = "Test School"
id = "5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c"
email_domains = ["school.example"]
base_url = "https://social.school.example"
contact = "office@school.example"

[keys]
backend = "cryptfile"
"""


def refused(tmp_path: Path, text: str) -> ConfigError:
    (tmp_path / "school.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_settings(tmp_path)
    return caught.value


def read(tmp_path: Path, more: str = "") -> object:
    (tmp_path / "school.toml").write_text(GOOD + more, encoding="utf-8")
    return load_settings(tmp_path)


def test_a_short_file_is_enough_and_the_rest_is_the_shipped_default(tmp_path: Path) -> None:
    found = read(tmp_path)
    assert found.school_name == "Test School"
    assert found.zone.key == "Europe/London"
    assert found.approved_platforms == frozenset()
    assert found.demonstration is False
    assert found.mail.host == ""
    assert found.policy.trip_longest_days == 60
    assert found.secure_cookies


def test_settings_cannot_be_changed_after_they_were_read(tmp_path: Path) -> None:
    found = read(tmp_path)
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.school_name = "Another"
    with pytest.raises(TypeError):
        found.policy.rules["ACC103"] = None
    with pytest.raises(TypeError):
        found.platforms["x"] = None


def test_a_school_overrides_a_threshold_and_a_rule(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        """
[policy]
trip_longest_days = 14
reminder_days = [1, 3, 10]
approver_roles = ["head"]
second_checker = false
[rules.ACC103]
whole_school = "off"
decided_by = "Full governing body"
decided_on = 2026-09-14
""",
    )
    assert found.policy.trip_longest_days == 14
    assert found.policy.reminder_days == (10, 3, 1)
    assert found.policy.approver_roles == (Role.HEAD,)
    assert found.policy.second_checker is False
    assert found.policy.enforcement("ACC103", AccountKind.WHOLE_SCHOOL) is Enforcement.OFF
    assert found.policy.enforcement("ACC103", AccountKind.TRIP) is Enforcement.ENFORCED
    assert found.policy.rules["ACC103"].decided_by == "Full governing body"
    assert found.policy.rules["ACC103"].decided_on == date(2026, 9, 14)


def test_a_school_points_a_platform_at_another_server(tmp_path: Path) -> None:
    found = read(
        tmp_path, '\n[platforms]\napproved = ["bluesky"]\n[platforms.bluesky]\napi_base = "http://localhost:99"'
    )
    assert found.approved_platforms == frozenset({"bluesky"})
    assert found.platforms["bluesky"].api_base == "http://localhost:99"


@pytest.mark.parametrize(
    ("lines", "directory", "index"),
    [
        ('monthly_budget = "1.00"', "https://plc.directory", "https://public.api.bsky.app"),
        ('index_base = "https://index.example"', "https://plc.directory", "https://index.example"),
        ('api_base = "https://pds.school.example"', None, None),
        (
            'api_base = "https://pds.school.example"\nindex_base = "https://index.example"',
            None,
            "https://index.example",
        ),
    ],
)
def test_another_server_is_another_network_unless_its_directory_and_index_are_named_beside(
    tmp_path: Path, lines: str, directory: str | None, index: str | None
) -> None:
    found = read(tmp_path, f"\n[platforms.bluesky]\n{lines}").platforms["bluesky"]
    assert (found.directory_base, found.index_base) == (directory, index)
    assert found.marks["!takedown"] == "taken down"


@pytest.mark.parametrize(
    ("more", "line", "problem", "mend"),
    [
        ("\n[policy]\ntrip_longest_dayz = 3", 12, "`trip_longest_dayz` is not a key of [policy]", "trip_longest_days"),
        ("\n[policy]\n\ntrip_longest_days = 0", 13, "cannot be 0", "from 1 to 366"),
        ("\n[policy]\ntrip_longest_days = true", 12, "cannot be True", "whole number"),
        ('\n[policy]\ntrip_longest_days = "30"', 12, "cannot be '30'", "without quotes"),
        ("\n[policy]\ntrip_longest_days = 30.5", 12, "cannot be 30.5", "whole number"),
        ("\n[policy]\nreminder_days = []", 12, "cannot be []", "14, 7, 1"),
        ("\n[policy]\nreminder_days = [7, 7]", 12, "cannot be [7, 7]", "nothing twice"),
        ('\n[policy]\napprover_roles = ["teacher"]', 12, "can approve", "network_manager"),
        ("\n[policy]\nsecond_checker = 1", 12, "cannot be 1", "true or false"),
        ("\n[policy]\ncheck_every_hours = 100", 12, "more rarely", "observation_days"),
        ("\n[policy]\nsession_idle_minutes = 480\nsession_absolute_hours = 1", 12, "idle", "session_absolute_hours"),
        ("\npolicy = 3", 11, "`policy` is not a key of [keys]", "backend"),
        ("\n[polizy]\na = 1", 11, "`polizy` is not a key of the file", "`policy`"),
        ("\n[rules.ACC999]\ntrip = 'off'", 11, "`ACC999` is not a key of [rules]", "It knows ACC101"),
        ("\n[rules.ACC103]\ntrip = 'off'", 11, "`decided_by` is missing", "decided_by ="),
        ("\n[rules.ACC103]\ntrip = 'off'\ndecided_by = 'Head'", 11, "`decided_on` is missing", "decided_on ="),
        ("\n[rules.ACC103]\ntrip = 'never'", 12, "cannot be 'never'", '"advised"'),
        ("\n[rules.ACC103]\ndecided_by='H'\ndecided_on = '2026'", 13, "cannot be '2026'", "2026-09-01"),
        ("\n[rules.ACC103]\ndecided_by='H'\ndecided_on = 2026-09-01T10:00:00", 13, "cannot be", "or time"),
        ('\n[platforms]\napproved = ["myspace"]', 12, "no platform 'myspace'", "instagram"),
        ('\n[platforms]\napproved = ["x", "x"]', 12, "cannot be", "nothing twice"),
        ('\n[platforms.blusky]\napi_base = "https://a.example"', 11, "`blusky` is not a key", "`bluesky`"),
        ('\n[platforms.bluesky]\napi_base = "http://a.example"', 12, "cannot be", "https://"),
        ('\n[platforms.bluesky]\nname = "Other"', 12, "`name` is not a key", "api_base"),
        ('\n[mail]\nhost = "smtp.example"', 11, "`sender` is missing", "sender ="),
        ('\n[mail]\nhost="smtp.example"\nsender="a@b.example"\ntls="none"', 14, "unencrypted", "starttls"),
        ("\n[mail]\nport = 70000", 12, "cannot be 70000", "65535"),
        ('\n[mail]\npassword_file = "secret"', 12, "full path outside", "/etc"),
        ("\n[[mail]]\nhost = 1", 11, "must be a table", "[mail]"),
    ],
)
def test_a_mistake_is_refused_with_its_line_and_mend(
    tmp_path: Path, more: str, line: int, problem: str, mend: str
) -> None:
    error = refused(tmp_path, GOOD + more)
    assert f"school.toml, line {line}: " in error.message
    assert problem in error.message
    assert mend in error.mend


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('name = "Test School"', 'name = "  "', "`name` is empty"),
        ('name = "Test School"', 'name = "a\\nb"', "on one line"),
        ('name = "Test School"', "name = 3", "text in quotes"),
        ('name = "Test School"', "", "`name` is missing in [school]"),
        ("5c5c5c", "XYXYXY", "`id` cannot be"),
        ('["school.example"]', "[]", "domains"),
        ('["school.example"]', '["@school.example"]', "domains"),
        ('["school.example"]', '"school.example"', "cannot be"),
        ("https://social.school.example", "http://social.school.example", "base_url"),
        ("https://social.school.example", "https://user@school.example", "base_url"),
        ("https://social.school.example", "javascript:alert(1)", "base_url"),
        ("office@school.example", "office", "contact"),
        ('"cryptfile"', '"null"', "cannot be kept in 'null'"),
        ('"cryptfile"', '"keyrings.alt"', "cannot be kept in"),
        ("[keys]", "[keyz]", "[keys] is missing"),
        ("[school]", "[school", "line 1: "),
        ("[keys]", 'zone = "Mars/Base"\n[keys]', "no time zone 'Mars/Base'"),
        ("[keys]", 'zone = "../../etc/passwd"\n[keys]', "no time zone"),
    ],
)
def test_a_wrong_value_of_the_school_is_refused(tmp_path: Path, old: str, new: str, problem: str) -> None:
    assert old in GOOD
    error = refused(tmp_path, GOOD.replace(old, new))
    assert problem in error.message
    assert re.search(r"school\.toml, line \d+: ", error.message)
    assert error.mend


def test_a_missing_file_tells_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="socialgov init"):
        load_settings(tmp_path)


def test_a_file_that_is_not_utf8_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "school.toml").write_bytes(GOOD.encode() + b"\n# caf\xe9\n")
    with pytest.raises(ConfigError, match="line 11: this is not UTF-8") as caught:
        load_settings(tmp_path)
    assert "UTF-8" in caught.value.mend


def test_a_secret_file_may_not_lie_in_the_home(tmp_path: Path) -> None:
    error = refused(tmp_path, GOOD + f'passphrase_file = "{tmp_path}/passphrase"')
    assert "outside the home" in error.message
    (tmp_path / "up").mkdir()
    error = refused(tmp_path, GOOD + f'passphrase_file = "{tmp_path}/up/../passphrase"')
    assert "outside the home" in error.message


def test_the_mail_password_is_read_from_its_file_when_needed(tmp_path: Path) -> None:
    secret = tmp_path / "mail-password"
    secret.write_text("hunter2 \n", encoding="utf-8")
    home = tmp_path / "home"
    home.mkdir()
    (home / "school.toml").write_text(GOOD + f'[mail]\npassword_file = "{secret}"\n', encoding="utf-8")
    found = load_settings(home)
    assert found.mail.tls is MailTls.STARTTLS
    assert found.mail.password() == "hunter2 "
    assert "hunter2" not in repr(found)
    secret.unlink()
    with pytest.raises(ConfigError, match="cannot be read"):
        found.mail.password()


def test_every_threshold_of_the_policy_has_a_range_or_a_reader() -> None:
    names = {field.name for field in dataclasses.fields(Policy)}
    others = {"reminder_days", "approver_roles", "second_checker", "pupil_followers", "password_signs", "rules"}
    assert names - set(RANGES) == others | {"authenticator_codes", "link_needs_second_factor"}


def test_each_shipped_threshold_lies_inside_its_range_and_has_a_comment() -> None:
    text = (package_folder("config") / "policy.toml").read_text(encoding="utf-8")
    shipped = tomllib.loads(text)["policy"]
    for key, (low, high) in RANGES.items():
        assert low <= shipped[key] <= high, key
    lines = text.splitlines()
    for key in shipped:
        above = lines[next(number for number, line in enumerate(lines) if line.startswith(f"{key} =")) - 1]
        assert above.startswith("# "), key


def test_passwords_can_be_changed_on_no_schedule(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    school = home / "school.toml"
    school.write_text(GOOD + "[policy]\npassword_max_age_days = 0\n", encoding="utf-8")
    assert load_settings(home).policy.password_max_age_days == 0
    for wrong in ("29", "-1", "false"):
        school.write_text(GOOD + f"[policy]\npassword_max_age_days = {wrong}\n", encoding="utf-8")
        with pytest.raises(ConfigError, match="or 0 for never"):
            load_settings(home)


@pytest.mark.parametrize("key", sorted(RANGES))
def test_each_range_ends_where_it_says(tmp_path: Path, key: str) -> None:
    low, high = RANGES[key]
    for wrong in (low - 1, high + 1):
        assert f"from {low} to {high}" in refused(tmp_path, GOOD + f"[policy]\n{key} = {wrong}").mend


def test_a_new_home_can_be_read_again(tmp_path: Path) -> None:
    home = make_home(tmp_path, name='The "Quoted" \\ School £ ☃')
    assert load_settings(home.path).school_name == 'The "Quoted" \\ School £ ☃'


KEYS = st.sampled_from(
    ["school", "keys", "mail", "policy", "rules", "platforms", "name", "zone", "ACC103", "trip", "approved", "x"]
) | st.text(max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)


def toml(value: object) -> str:
    """Any value as TOML inline text."""
    if value is None:
        return '""'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float | date):
        return str(value)
    if isinstance(value, str):
        return '"' + "".join(f"\\U{ord(sign):08x}" for sign in value if not 0xD800 <= ord(sign) < 0xE000) + '"'
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    assert isinstance(value, dict)
    return "{" + ", ".join(f"{toml(key)} = {toml(inner)}" for key, inner in value.items()) + "}"


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_any_toml_is_read_or_refused_with_a_line(tmp_path: Path, content: dict[str, object]) -> None:
    text = "".join(f"{toml(key)} = {toml(value)}\n" for key, value in content.items())
    (tmp_path / "school.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"line \d+: "):
        load_settings(tmp_path)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["policy", "rules.ACC103", "mail", "platforms", "web", "school", "keys"]), KEYS, VALUES)
def test_any_value_in_a_good_file_is_read_or_refused_with_a_line(
    tmp_path: Path, table: str, key: str, value: object
) -> None:
    heading = "" if f"[{table}]" in GOOD else f"\n[{table}]\n"
    line = f"{toml(key)} = {toml(value)}\n"
    text = GOOD.replace(f"[{table}]\n", f"[{table}]\n{line}") if not heading else GOOD + heading + line
    (tmp_path / "school.toml").write_text(text, encoding="utf-8")
    try:
        load_settings(tmp_path)
    except ConfigError as error:
        assert re.search(r"line \d+: ", error.message)
        assert error.mend


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_any_bytes_are_refused_with_a_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "school.toml").write_bytes(content)
    with pytest.raises(ConfigError, match=r"line \d+: "):
        load_settings(tmp_path)
