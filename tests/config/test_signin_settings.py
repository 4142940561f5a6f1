"""[signin.openid] of school.toml: what is right is read, and what would let strangers in is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_settings import GOOD, refused

from socialgov.config import Settings, load_settings
from socialgov.config_signin import EmailProof, OpenIdSettings
from socialgov.errors import ConfigError
from socialgov.models import Role

OPENID = """
[signin.openid]
issuer = "https://sign-in.example/tenant/v2.0"
client_id = "socialgov"
client_secret_file = "/etc/socialgov/openid-secret"
"""


def read(tmp_path: Path, more: str = "") -> Settings:
    (tmp_path / "school.toml").write_text(GOOD + more, encoding="utf-8")
    return load_settings(tmp_path)


def openid(tmp_path: Path, more: str = "") -> OpenIdSettings:
    found = read(tmp_path, OPENID + more).openid
    assert found is not None
    return found


def test_a_school_without_the_table_has_no_sign_in_service(tmp_path: Path) -> None:
    assert read(tmp_path).openid is None
    assert read(tmp_path, "\n[signin]\n").openid is None


def test_a_short_table_is_enough(tmp_path: Path) -> None:
    found = openid(tmp_path)
    assert (found.issuer, found.client_id) == ("https://sign-in.example/tenant/v2.0", "socialgov")
    assert found.domains == ("school.example",)
    assert found.form_origins == ("https://sign-in.example",)
    assert found.scopes == ("openid", "email", "profile")
    assert found.email_proof is EmailProof.EMAIL_VERIFIED
    assert (found.step_up, found.enter_staff, found.groups) == (True, False, {})


def test_groups_give_roles(tmp_path: Path) -> None:
    table = '[signin.openid.groups]\n"Teaching staff" = ["teacher"]\n"a-b-c" = ["head", "safeguarding_lead"]\n'
    found = openid(tmp_path, "enter_staff = true\n" + table)
    assert found.groups["Teaching staff"] == (Role.TEACHER,)
    assert found.mapped_roles == {Role.TEACHER, Role.HEAD, Role.SAFEGUARDING_LEAD}
    with pytest.raises(TypeError):
        found.groups["x"] = (Role.HEAD,)  # type: ignore[index]


def test_google_needs_the_schools_workspace_and_cannot_confirm(tmp_path: Path) -> None:
    google = OPENID.replace("https://sign-in.example/tenant/v2.0", "https://accounts.google.com")
    assert "`hosted_domain` must say" in refused(tmp_path, GOOD + google).message
    found = read(tmp_path, google + 'hosted_domain = "school.example"').openid
    assert found is not None
    assert found.step_up is False
    groups = 'hosted_domain = "school.example"\n[signin.openid.groups]\nx = ["teacher"]'
    assert "tells no groups" in refused(tmp_path, GOOD + google + groups).message


def test_http_is_for_this_machine_only(tmp_path: Path) -> None:
    for issuer in ("http://localhost:9555", "http://127.0.0.1:1", "http://[::1]:9"):
        text = OPENID.replace("https://sign-in.example/tenant/v2.0", issuer)
        found = read(tmp_path, text).openid
        assert found is not None
        assert found.form_origins == (issuer,)


@pytest.mark.parametrize(
    "issuer",
    [
        "http://sign-in.example",
        "sign-in.example",
        "https://",
        "https://user:word@sign-in.example",
        "https://sign-in.example/?tenant=1",
        "https://sign-in.example/#top",
        "https://sign-in.example; script-src *",
        "https://sign-in.example:port",
        "javascript:alert(1)",
        "https://login.microsoftonline.com/common/v2.0",
        "https://login.microsoftonline.com/organizations/v2.0",
        "https://login.microsoftonline.com/consumers/v2.0",
    ],
)
def test_an_issuer_that_is_not_the_schools_own_is_refused(tmp_path: Path, issuer: str) -> None:
    error = refused(tmp_path, GOOD + OPENID.replace("https://sign-in.example/tenant/v2.0", issuer))
    assert "school.toml, line 12: " in error.message
    assert error.mend


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ('domains = ["elsewhere.example"]', "must be among the school's own"),
        ("domains = []", "must name the school's e-mail domains"),
        ('email_proof = "none"', "cannot be 'none'"),
        ("enter_staff = true", "without groups that say who is staff"),
        ('scopes = ["openid"]', "must hold openid and email"),
        ('scopes = ["openid", "email", "a b"]', "must hold openid and email"),
        ('form_origins = ["https://*.example"]', "`form_origins` cannot hold"),
        ('form_origins = ["https://a.example/path"]', "`form_origins` cannot hold"),
        ('form_origins = ["http://a.example"]', "`form_origins` cannot hold"),
        ('form_origins = ["https://a.example;x"]', "`form_origins` cannot hold"),
        ('form_origins = ["data:"]', "`form_origins` cannot hold"),
        ('hosted_domain = "@school.example"', "`hosted_domain` cannot be"),
        ('client_secret = "s3cret"', "`client_secret` is not a key"),
        ('[signin.openid.groups]\nx = "teacher"', "`x` cannot be"),
        ('[signin.openid.groups]\nx = ["boss"]', "Group 'x' cannot give boss"),
        ("[signin.openid.groups]\nx = []", "Group 'x' cannot give nothing"),
        ('[signin.google]\nx = "y"', "`google` is not a key of [signin]"),
    ],
)
def test_a_mistake_is_refused_with_its_mend(tmp_path: Path, more: str, problem: str) -> None:
    error = refused(tmp_path, GOOD + OPENID + more)
    assert problem in error.message
    assert "school.toml, line " in error.message
    assert error.mend


@pytest.mark.asvs("13.3.1")
def test_the_clients_secret_lies_outside_the_home_and_is_read_when_needed(tmp_path: Path) -> None:
    inside = OPENID.replace("/etc/socialgov/openid-secret", f"{tmp_path}/secret")
    assert "outside the home" in refused(tmp_path, GOOD + inside).message
    assert "is missing" in refused(tmp_path, GOOD + OPENID.replace("client_secret_file", "#")).message
    home, secret = tmp_path / "home", tmp_path / "secret"
    home.mkdir()
    secret.write_text("s3cret\n", encoding="utf-8")
    found = read(home, inside).openid
    assert found is not None
    assert found.client_secret() == "s3cret"
    assert "s3cret" not in repr(found)
    secret.write_text("\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="is empty"):
        found.client_secret()
    secret.unlink()
    with pytest.raises(ConfigError, match="cannot be read"):
        found.client_secret()
