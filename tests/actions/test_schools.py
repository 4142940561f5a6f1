"""Making a school: all of it or nothing, never over another, and everything a person entered is checked."""

from __future__ import annotations

import io
import stat
from pathlib import Path

import pytest
from factories import DOMAIN, ESCROW, NOW, make_home
from PIL import Image

from socialgov.actions import schools
from socialgov.actions.schools import create_school
from socialgov.actions.sessions import session_staff
from socialgov.actions.signin import use_signin_link
from socialgov.config import load_settings
from socialgov.errors import ConfigError, Conflict, InvalidInput, SocialgovError, StoreError
from socialgov.home import Home, open_home
from socialgov.models import Role
from socialgov.store.events import events_page

GOOD: dict[str, object] = {
    "name": "Test School",
    "domains": [DOMAIN],
    "manager_name": "Mo Manager",
    "manager_email": f"manager@{DOMAIN}",
    "now": NOW,
    "escrow": ESCROW,
}


def logo(size: tuple[int, int] = (200, 200), form: str = "PNG") -> bytes:
    made = io.BytesIO()
    Image.new("RGB", size, "navy").save(made, form)
    return made.getvalue()


def test_the_network_manager_signs_in_with_the_first_link(tmp_path: Path) -> None:
    root = tmp_path / "home"
    token = create_school(root, **GOOD).signin_token
    home = Home(root, load_settings(root), ESCROW, clock=lambda: NOW)
    manager = session_staff(home, use_signin_link(home, token, now=NOW).session, now=NOW)
    assert manager is not None
    assert manager.roles == {Role.NETWORK_MANAGER}
    tags = [event.tag for event in events_page(home.db, before=4, tag=None, actor=None, limit=9)]
    assert tags == ["signin:link:made", "staff:person:added", "school:home:created"]


def test_a_home_with_a_real_key_is_opened_by_its_path(tmp_path: Path) -> None:
    made = make_home(tmp_path, real_key=True)
    again = open_home(made.path)
    assert again.escrow.key_id == made.escrow.key_id
    assert again.escrow.identity == again.settings.key_id
    sealed = made.escrow.seal(b"secret", account="1", field="f", version=1)
    assert again.escrow.open(sealed, account="1", field="f", version=1) == b"secret"


def test_a_home_holds_what_it_needs_and_nothing_of_its_making(tmp_path: Path) -> None:
    root = tmp_path / "deep" / "home"
    create_school(root, **{**GOOD, "logo": logo()})
    assert sorted(path.name for path in root.iterdir()) == ["logo.png", "school.db", "school.toml"]
    assert not stat.S_IMODE((root / "school.db").stat().st_mode) & 0o022


def test_a_school_is_never_made_over_another(tmp_path: Path) -> None:
    create_school(tmp_path / "home", **GOOD)
    before = (tmp_path / "home" / "school.toml").read_bytes()
    with pytest.raises(Conflict, match="already"):
        create_school(tmp_path / "home", **GOOD)
    (tmp_path / "home" / "school.toml").unlink()
    with pytest.raises(Conflict, match=r"no school\.toml"):
        create_school(tmp_path / "home", **GOOD)
    assert before


@pytest.mark.parametrize(
    ("wrong", "error", "problem"),
    [
        ({"name": "  "}, ConfigError, "`name` is empty"),
        ({"name": "a\nb"}, ConfigError, "on one line"),
        ({"name": "a\x7fb"}, ConfigError, "on one line"),
        ({"domains": []}, ConfigError, "email_domains"),
        ({"domains": ["@x"]}, ConfigError, "email_domains"),
        ({"zone": "Nowhere/Land"}, ConfigError, "no time zone"),
        ({"base_url": "http://school.example"}, ConfigError, "base_url"),
        ({"contact": "not an address"}, ConfigError, "contact"),
        ({"approved": ["myspace"]}, ConfigError, "myspace"),
        ({"key_backend": "null"}, ConfigError, "cannot be kept in"),
        ({"servers": {"sandbox": "http://elsewhere.example"}}, ConfigError, "api_base"),
        ({"manager_name": ""}, InvalidInput, "cannot be entered"),
        ({"manager_email": "m@private.example"}, InvalidInput, "cannot be entered"),
        ({"logo": b"not a picture"}, InvalidInput, "not a PNG or JPEG"),
        ({"logo": logo((16, 16))}, InvalidInput, "pixels"),
        ({"logo": logo()[:200]}, InvalidInput, "not a PNG or JPEG"),
    ],
)
def test_a_wrong_choice_is_refused_and_leaves_nothing_behind(
    tmp_path: Path, wrong: dict[str, object], error: type[SocialgovError], problem: str
) -> None:
    root = tmp_path / "home"
    with pytest.raises(error) as caught:
        create_school(root, **{**GOOD, **wrong})
    assert problem in caught.value.message
    assert list(root.iterdir()) == []
    create_school(root, **GOOD)


def test_what_is_entered_is_kept_to_the_letter(tmp_path: Path) -> None:
    name = 'St "Quote" \\ back, £ [table] = 1 # no comment $name ☃'
    home = make_home(tmp_path, name=name, servers={"sandbox": "http://localhost:5000/sandbox/api"})
    assert home.settings.school_name == name
    assert home.settings.platforms["sandbox"].api_base == "http://localhost:5000/sandbox/api"


def test_a_jpeg_logo_is_kept_as_png(tmp_path: Path) -> None:
    home = make_home(tmp_path, logo=logo(form="JPEG"))
    with Image.open(home.path / "logo.png") as picture:
        assert picture.format == "PNG"


def test_the_passphrase_may_not_lie_in_the_home(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="in the home it protects"):
        create_school(tmp_path / "home", **{**GOOD, "passphrase_file": str(tmp_path / "home" / "passphrase")})


def test_a_crash_half_way_leaves_no_school_and_the_next_try_succeeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "home"
    with monkeypatch.context() as patch:
        patch.setattr(schools, "make_signin_link", lambda *args, **more: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            create_school(root, **GOOD)
    assert list(root.iterdir()) == []
    (root / ".init-dead").mkdir()
    (root / ".init-dead" / "school.db").write_bytes(b"left by a killed process")
    create_school(root, **GOOD)
    assert load_settings(root).school_name == "Test School"
    assert not list(root.glob(".init-*"))


def test_two_that_make_a_school_in_one_folder_make_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, refused = tmp_path / "home", []

    def meanwhile(*args: object) -> object:
        with pytest.raises(Conflict, match="at work") as caught:
            create_school(root, **GOOD)
        refused.append(caught.value)
        return ESCROW

    monkeypatch.setattr(schools, "create_escrow", meanwhile)
    create_school(root, **{**GOOD, "escrow": None})
    assert len(refused) == 1


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way", encoding="utf-8")
    with pytest.raises(StoreError, match="cannot be used"):
        create_school(blocked / "home", **GOOD)


def test_an_init_killed_while_moving_is_finished_by_the_next_and_not_begun_anew(tmp_path: Path) -> None:
    root = tmp_path / "home"
    create_school(root, **GOOD)
    left = root / ".init-dead"
    left.mkdir()
    (root / "school.toml").rename(left / "school.toml")
    with pytest.raises(Conflict, match="already"):
        create_school(root, **GOOD)
    home = Home(root, load_settings(root), ESCROW, clock=lambda: NOW)
    assert home.db.execute("select count(*) from event").fetchone()[0] == 5
    assert not left.exists()
