"""The shipped policy and platforms: complete, dated, sourced, and usable on every platform."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from socialgov import rules
from socialgov.config import Settings, load_settings, package_folder
from socialgov.errors import ConfigError
from socialgov.home import Home
from socialgov.models import AccountKind, Enforcement, StepName
from socialgov.platforms.file import GUIDED, read_platforms
from socialgov.tomlfile import Source, Table, read_toml

KEYS = {
    "bluesky", "sandbox", "x", "instagram", "facebook_page", "facebook_group", "tiktok", "youtube", "linkedin",
    "threads", "whatsapp_channel", "mastodon", "school_blog",
}  # fmt: skip
READ_BY_MACHINE = {"sandbox", "bluesky", "mastodon"}
HANDLES = {
    "bluesky": ("trip.bsky.social", "Trip"),
    "sandbox": ("trip_2026", "a b"),
    "x": ("Trip_2026", "a-trip"),
    "instagram": ("trip.2026", "Trip!"),
    "facebook_page": ("school.trip", "trip"),
    "facebook_group": ("1234567890", "a b c d"),
    "tiktok": ("trip.2026", "t"),
    "youtube": ("trip-2026", "tr"),
    "linkedin": ("our-school", "our school"),
    "threads": ("trip.2026", "TRIP"),
    "whatsapp_channel": ("0029VaXyZ1234567890AB", "short"),
    "mastodon": ("trip@social.example", "trip"),
    "school_blog": ("www.school.example/trip", "trip blog"),
}


@pytest.fixture
def shipped(home: Home) -> Settings:
    return home.settings


def test_the_policy_has_a_choice_for_every_rule_of_the_catalogue_and_no_other(shipped: Settings) -> None:
    assert list(shipped.policy.rules) == list(rules.CATALOGUE)
    assert len(shipped.policy.rules) == 66


def test_every_rule_is_enforced_for_every_kind_until_a_school_decides_otherwise(shipped: Settings) -> None:
    for rule_id, choice in shipped.policy.rules.items():
        assert set(choice.enforcement) == set(AccountKind), rule_id
        assert set(choice.enforcement.values()) == {Enforcement.ENFORCED}, rule_id
        assert choice.decided_by, rule_id
        assert choice.decided_on, rule_id


def test_every_rule_of_the_policy_is_explained_above_its_table() -> None:
    lines = (package_folder("config") / "policy.toml").read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        if line.startswith("[rules."):
            assert lines[number - 1].startswith("# "), line


def test_the_named_platforms_are_there(shipped: Settings) -> None:
    assert set(shipped.platforms) == KEYS == set(HANDLES)


def test_only_the_simulated_network_says_so_and_its_name_does_too(shipped: Settings) -> None:
    assert [key for key, info in shipped.platforms.items() if info.simulated] == ["sandbox"]
    assert "simulated" in shipped.platforms["sandbox"].name


@pytest.mark.parametrize("key", sorted(KEYS))
def test_a_platform_has_a_guide_for_everything_a_person_may_have_to_do(shipped: Settings, key: str) -> None:
    info = shipped.platforms[key]
    assert set(info.guides) == GUIDED
    for step, sentences in info.guides.items():
        for sentence in sentences:
            assert re.fullmatch(r"[A-Z].*[.?]", sentence), (key, step, sentence)
            assert "{" not in sentence, (key, step, sentence)


def test_every_step_of_a_closing_that_a_person_may_have_to_do_has_a_guide() -> None:
    machines_alone = {StepName.FREEZE_POSTING, StepName.WAIT_THE_DELAY, StepName.ERASE_PEOPLE, StepName.CERTIFICATE}
    assert {step.value for step in StepName if step not in machines_alone} <= GUIDED


@pytest.mark.parametrize("key", sorted(KEYS))
def test_a_handle_is_told_from_what_is_none_and_leads_to_a_profile(shipped: Settings, key: str) -> None:
    info, (good, bad) = shipped.platforms[key], HANDLES[key]
    assert re.fullmatch(info.handle_pattern, good)
    assert not re.fullmatch(info.handle_pattern, bad)
    assert all(part in info.url_of(good) for part in good.split("@"))


def test_a_handle_of_a_network_of_many_servers_leads_to_its_own(shipped: Settings) -> None:
    mastodon = shipped.platforms["mastodon"]
    assert mastodon.url_of("trip@social.example") == "https://social.example/@trip"
    assert mastodon.url_of("@trip@social.example") == "https://social.example/@trip"
    assert mastodon.url_of("trip") == ""


@pytest.mark.parametrize("key", sorted(KEYS))
def test_an_age_and_a_delay_have_a_source_and_a_date(shipped: Settings, key: str) -> None:
    info = shipped.platforms[key]
    assert info.minimum_age_source
    assert info.minimum_age_on.year >= 2026
    assert info.deletion_delay_source
    assert info.password_change_source
    assert info.password_change_on is not None


@pytest.mark.parametrize("key", sorted(KEYS - {"sandbox"}))
def test_a_platform_is_described_for_people(shipped: Settings, key: str) -> None:
    """How private it can be, what to look at, and where each setting is."""
    info = shipped.platforms[key]
    for sentence in (info.privacy, *info.checks):
        assert re.fullmatch(r"[A-Z“].*[.?]", sentence), (key, sentence)
    assert len(info.checks) >= 4
    assert {"followers", "delete"} <= set(info.settings)
    assert ("private" in info.settings) == (info.can_be_private or key == "youtube")  # there, of each video
    assert info.settings_source
    assert info.settings_on is not None


@pytest.mark.parametrize("key", sorted(KEYS - READ_BY_MACHINE))
def test_where_no_machine_reads_there_is_an_export_file_or_the_reason_why_not(shipped: Settings, key: str) -> None:
    info = shipped.platforms[key]
    assert (info.export is None) == bool(info.no_export)
    if info.export is not None:
        assert info.export.lists
        assert info.export.source
        assert info.export.looked_up_on.year >= 2026
        assert all(re.fullmatch(r"[A-Z].*\.", sentence) for sentence in info.export.ask)


def test_x_wants_somebody_to_sign_in_every_month(shipped: Settings) -> None:
    assert {key: info.login_every_days for key, info in shipped.platforms.items() if info.login_every_days} == {"x": 30}


@pytest.mark.parametrize("key", sorted(KEYS))
def test_every_platform_says_how_a_password_is_changed(shipped: Settings, key: str) -> None:
    guides = shipped.platforms[key].guides
    assert {"change_password", "end_sessions", "new_codes", "check_delegates"} <= set(guides)
    assert "eposit" in " ".join(guides["change_password"])


def test_a_platform_that_cannot_be_private_says_so_in_its_guide(shipped: Settings) -> None:
    public = [info for info in shipped.platforms.values() if not info.can_be_private]
    assert public
    for info in public:
        assert any("head has decided" in sentence or "head" in sentence for sentence in info.guides["make_private"])


def test_the_longest_delay_fits_into_the_days_from_end_to_deletion(shipped: Settings) -> None:
    longest = max(info.deletion_delay_days for info in shipped.platforms.values())
    assert longest < shipped.policy.days_from_end_to_deletion


PLATFORM = """
[platforms.chirp]
name = "Chirp"
adapter = "attested"
profile_url = "https://chirp.example/{handle}"
handle_pattern = "[a-z]+"
can_be_private = true
deletion_delay_days = 30
deletion_delay_source = "its help pages"
post_length = 200
minimum_age = { years = 13, source = "its terms", looked_up_on = 2026-11-22 }
password_change = { source = "its help pages", looked_up_on = 2026-11-22 }
"""


def empty(tmp_path: Path) -> Table:
    return Table(Source(tmp_path / "school.toml", ""), ("platforms",), {})


@pytest.mark.parametrize(
    ("old", "new", "line", "problem"),
    [
        ('"attested"', '"chirpy"', 4, "`adapter` cannot be 'chirpy'"),
        ("/{handle}", "", 5, "`profile_url` cannot be"),
        ("[a-z]+", "[a-z", 6, "no regular expression"),
        ("true", '"yes"', 7, "cannot be 'yes'"),
        ("= 30", "= -1", 8, "cannot be -1"),
        ("years = 13", "years = 99", 11, "cannot be 99"),
        ("years = 13, ", "", 11, "`years` is missing"),
        ("2026-11-22", '"today"', 11, "cannot be 'today'"),
        ("post_length = 200", "", 2, "`post_length` is missing"),
        ("post_length", "posts_length", 2, "`post_length` is missing"),
        ("name =", "colour = 1\nname =", 3, "`colour` is not a key of [platforms.chirp]"),
        ("name =", "login_every_days = 0\nname =", 3, "`login_every_days` cannot be 0"),
    ],
)
def test_a_wrong_platform_is_refused_with_its_line(tmp_path: Path, old: str, new: str, line: int, problem: str) -> None:
    path = tmp_path / "platforms.toml"
    assert old in PLATFORM
    path.write_text(PLATFORM.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_platforms(path, empty(tmp_path), tmp_path)
    assert f"platforms.toml, line {line}: " in caught.value.message
    assert problem in caught.value.message
    assert caught.value.mend


def test_a_guide_for_nothing_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "platforms.toml"
    path.write_text(PLATFORM + '[platforms.chirp.guides]\ndeactivte = ["Do it."]\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"line 14: `deactivte` is not a key") as caught:
        read_platforms(path, empty(tmp_path), tmp_path)
    assert caught.value.mend == "Did you mean `deactivate`?"


EXPORT = """
[platforms.chirp.export]
source = "its help pages"
looked_up_on = 2026-11-22
[platforms.chirp.export.lists.likes]
files = ["likes.json"]
"""


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("lists.likes", "lists.presence", "`presence` is not a key of"),
        ('["likes.json"]', '["likes.json"]\nlinks = "(["', "no regular expression"),
        ("[platforms.chirp.export]", '[platforms.chirp.settings]\nprivate = "x"\n[platforms.chirp.export]', "`source`"),
        ("[platforms.chirp.export]", '[platforms.chirp.settings]\nsound = "x"\n[platforms.chirp.export]', "missing"),
    ],
)
def test_a_wrong_description_is_refused(tmp_path: Path, old: str, new: str, problem: str) -> None:
    path = tmp_path / "platforms.toml"
    path.write_text(PLATFORM + EXPORT, encoding="utf-8")
    assert read_platforms(path, empty(tmp_path), tmp_path)["chirp"].export
    path.write_text(PLATFORM + EXPORT.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigError, match=re.escape(problem)):
        read_platforms(path, empty(tmp_path), tmp_path)


def test_a_platform_may_use_its_own_guide_instead_of_the_common_one(tmp_path: Path) -> None:
    path = tmp_path / "platforms.toml"
    common = '[guides]\ndelete = ["Delete it on {name}."]\nrecovery = ["Look at {name}."]\n'
    path.write_text(common + PLATFORM + '[platforms.chirp.guides]\ndelete = ["Press the button."]\n', encoding="utf-8")
    info = read_platforms(path, empty(tmp_path), tmp_path)["chirp"]
    assert info.guides == {"delete": ("Press the button.",), "recovery": ("Look at Chirp.",)}


def test_the_line_of_a_key_is_found_under_its_table_and_not_under_another(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text('[a]\nx = 1\n[b]\nx = 2\n"a.b" = 3\n', encoding="utf-8")
    table = read_toml(path)
    assert table.source.line_of(("a", "x")) == 2
    assert table.source.line_of(("b", "x")) == 4
    assert table.source.line_of(("b", "nowhere")) == 3
    assert table.source.line_of(("nowhere",)) == 1


def test_every_commented_line_of_a_new_school_toml_is_right_when_it_is_uncommented(home: Home) -> None:
    path = home.path / "school.toml"
    text = path.read_text(encoding="utf-8")
    shown = re.sub(r"(?m)^# (\[|\w+ = )", r"\1", text)
    assert shown != text
    path.write_text(shown, encoding="utf-8")
    found = load_settings(home.path)
    assert found.trusted_proxies == 1
    assert found.mail.sender == "socialgov@school.example"
    assert found.policy.trip_longest_days == 30
    assert found.policy.rules["ACC103"].decided_by == "Full governing body"
