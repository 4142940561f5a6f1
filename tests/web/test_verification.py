"""Items of the ASVS that no other test is about: hostile input, listings, addresses, debug modes, ciphers."""

from __future__ import annotations

import ast
import re
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from factories import DOMAIN, NOW, make_home, manager_of
from flask import Flask
from flask.testing import FlaskClient
from killing import not_waiting_for_the_disk
from stage import Stage, pages_of, set_stage
from test_access import address, routes
from werkzeug.test import Client

import socialgov
from socialgov.actions.signin import make_signin_link
from socialgov.escrow import Escrow
from socialgov.home import Home
from socialgov.models import Staff
from socialgov.store.accounts import account_by_id
from socialgov.web import build_app
from socialgov.web.hosts import SchoolsByHost

Browse = Callable[[Staff], FlaskClient]
PACKAGE = Path(socialgov.__file__).parent
HOSTILE = ("'; drop table event; --", '" or ""="', "1 union select sealed from credential", str(10**30), "-1", "\x00")


@pytest.fixture
def stage(home: Home) -> Stage:
    return set_stage(not_waiting_for_the_disk(home))


# --------------------------------------------------------------------------------------------------- what people type


def names_of_fields(html: str) -> set[str]:
    return set(re.findall(r'<(?:input|textarea|select)\b[^>]*\bname="([^"]+)"', html)) - {"csrf_token"}


def tables(home: Home) -> set[str]:
    return {row[0] for row in home.db.execute("select name from sqlite_master where type in ('table', 'trigger')")}


@pytest.mark.asvs("1.2.4", "16.5.1")
def test_hostile_text_in_every_field_of_every_form_is_just_text(app: Flask, browse: Browse, stage: Stage) -> None:
    before = tables(stage.home)
    for person in (stage.cast.manager, stage.cast.owner):
        client = browse(person)
        for rule, method in routes(app):
            if method == "POST" and rule.endpoint not in ("signin.leave", "staff.leaves"):
                url = address(app, rule, stage.live.id)
                shown = client.get(url).text if "GET" in (rule.methods or ()) else ""
                names = names_of_fields(shown) | {"reason"}
                for hostile in HOSTILE:
                    answer = client.post(url, data=dict.fromkeys(names, hostile))
                    assert answer.status_code < 500, f"{rule.rule} with {hostile!r}"
                    assert "Traceback" not in answer.text
    assert tables(stage.home) == before


@pytest.mark.asvs("1.2.4")
def test_hostile_text_in_every_query_is_just_text(app: Flask, browse: Browse, stage: Stage) -> None:
    asked = {
        name
        for path in (PACKAGE / "web").glob("*.py")
        for name in re.findall(r'\b(?:args|asked|query)\.get(?:list)?\(\s*"(\w+)"', path.read_text(encoding="utf-8"))
    }
    assert {"search", "tag", "page"} <= asked
    client = browse(stage.cast.manager)
    for rule, method in routes(app):
        if method == "GET":
            for hostile in HOSTILE:
                answer = client.get(address(app, rule, stage.live.id), query_string=dict.fromkeys(asked, hostile))
                assert answer.status_code < 500, f"{rule.rule} with {hostile!r}"


@pytest.mark.asvs("8.2.3")
def test_a_field_that_a_form_does_not_have_changes_nothing(browse: Browse, stage: Stage) -> None:
    approved = stage.approved
    more = {
        "state": "live",
        "owner_id": str(stage.outsider.id),
        "deputy_id": str(stage.outsider.id),
        "requested_by": str(stage.outsider.id),
        "ends_on": "2036-01-01",
        "approved_by": str(stage.cast.owner.id),
    }
    asked = {"handle": "science.week", "school_email": f"trips@{DOMAIN}"}
    url = f"/accounts/{approved.id}/setup"
    assert browse(stage.cast.owner).post(url, data={**asked, **more}).status_code == 302
    after = account_by_id(stage.home.db, approved.id)
    assert after.handle == "science.week"
    assert (after.state, after.owner_id, after.deputy_id) == (approved.state, approved.owner_id, approved.deputy_id)
    assert (after.requested_by, after.ends_on) == (approved.requested_by, approved.ends_on)


# --------------------------------------------------------------------------------------------------- what is shown


DEPOSIT = ("credential", "sealed")


def reads_of(home: Home, look: Callable[[], object]) -> set[tuple[str | None, str | None]]:
    """Every (table, column) that SQLite was asked for while `look` ran."""
    seen: set[tuple[str | None, str | None]] = set()

    def note(deed: int, table: str | None, column: str | None, *_: object) -> int:
        if deed == sqlite3.SQLITE_READ:
            seen.add((table, column))
        return sqlite3.SQLITE_OK

    home.db.conn.set_authorizer(note)
    try:
        look()
    finally:
        home.db.conn.set_authorizer(None)
    return seen


@pytest.mark.asvs("15.3.1")
def test_no_listing_reads_anything_that_is_sealed(browse: Browse, stage: Stage) -> None:
    clients = [browse(person) for person in stage.people.values()]
    read: set[tuple[str | None, str | None]] = set()
    for path in ("/", "/accounts/", "/accounts/?search=trip&broken=1", "/audit/", "/log/", "/staff/", "/people/"):
        for client in clients:
            found = reads_of(stage.home, lambda client=client, path=path: client.get(path))
            assert DEPOSIT not in found, path
            read |= found
    assert ("account", "state") in read  # it did listen


@pytest.mark.asvs("3.5.3")
def test_no_page_that_is_only_looked_at_opens_a_deposit(
    browse: Browse, client: FlaskClient, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(*_: object, **__: object) -> bytes:
        raise AssertionError("a GET opened a deposit")

    clients = {person.id: browse(person) for person in stage.people.values()}
    monkeypatch.setattr(Escrow, "open_with", explode)
    for _, person, path in pages_of(stage):
        assert (clients[person.id] if person else client).get(path).status_code < 500, path


def forms_of(html: str) -> Iterator[tuple[str, set[str], bool]]:
    """(method, names of fields, whether one of them is a password's) of every form of a page."""
    for head, body in re.findall(r"<form\b([^>]*)>(.*?)</form>", html, re.DOTALL):
        method = re.search(r'method="(\w+)"', head)
        yield (method[1].lower() if method else "get"), names_of_fields(body), 'type="password"' in body


@pytest.mark.asvs("14.2.1")
def test_what_is_typed_into_an_address_is_a_search_and_never_a_secret(
    browse: Browse, client: FlaskClient, stage: Stage
) -> None:
    secret = re.compile(r"secret|password|passphrase|code|seed|token|words|reason|notes", re.IGNORECASE)
    clients = {person.id: browse(person) for person in stage.people.values()}
    forms = 0
    for _, person, path in pages_of(stage):
        for method, fields, hides in forms_of((clients[person.id] if person else client).get(path).text):
            forms += 1
            if method == "get":
                assert not hides and not [name for name in fields if secret.search(name)], (path, fields)
    assert forms > 40


@pytest.mark.asvs("14.2.1")
def test_no_address_carries_a_secret_but_the_one_time_link(app: Flask) -> None:
    """A link has to be an address; it is good once, for minutes, and only its hash is kept (6.5.1, 6.5.5)."""
    secret = re.compile(r"secret|password|passphrase|code|seed|token|(?<!pass)key", re.IGNORECASE)
    found = {rule.rule for rule in app.url_map.iter_rules() if any(map(secret.search, rule.arguments))}
    assert found == {"/signin/<token>"}


@pytest.mark.asvs("3.3.4")
def test_the_session_is_in_the_cookie_and_on_no_page(browse: Browse, stage: Stage) -> None:
    client = browse(stage.cast.manager)
    with client.session_transaction() as cookie:
        token = cookie["session"]
    for _, _, path in pages_of(stage):
        assert token not in client.get(path).text, path


# --------------------------------------------------------------------------------------------------- how it is set up


@pytest.fixture
def behind_https(tmp_path: Path) -> Flask:
    home = make_home(tmp_path)
    return build_app(replace(home, settings=replace(home.settings, base_url="https://social.school.example")))


@pytest.mark.asvs("3.4.1")
def test_every_answer_over_https_asks_for_https_from_now_on(behind_https: Flask) -> None:
    client = behind_https.test_client()
    paths = [(address(behind_https, rule, 1), method) for rule, method in routes(behind_https)]
    for path, method in [*paths, ("/static/socialgov.css", "GET"), ("/nothing", "GET")]:
        answer = client.open(path, method=method, base_url="https://social.school.example")
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains", path


@pytest.mark.asvs("13.4.2")
def test_debug_modes_stay_off_whatever_the_environment_says(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLASK_DEBUG", "1")
    monkeypatch.setenv("FLASK_ENV", "development")
    app = build_app(home)
    assert not (app.debug or app.testing or app.config["PROPAGATE_EXCEPTIONS"])
    app.add_url_rule("/fault", "fault", lambda: 1 / 0)
    answer = app.test_client().get("/fault")
    assert "ZeroDivisionError" not in answer.text
    assert "Werkzeug" not in answer.text


@pytest.mark.asvs("6.3.2")
def test_a_new_school_knows_its_network_manager_and_nobody_else(home: Home) -> None:
    people = [tuple(row) for row in home.db.execute("select email, left_at from staff")]
    assert people == [(f"manager@{DOMAIN}", None)]
    for table in ("session", "passkey", "authenticator", "identity"):
        assert home.db.execute(f"select count(*) from {table}").fetchone()[0] == 0, table


@pytest.mark.asvs("8.4.1")
def test_a_session_of_one_school_is_nobody_in_the_other(tmp_path: Path) -> None:
    homes = [
        make_home(tmp_path / name, name=f"{name.title()} School", base_url=f"https://{name}.example")
        for name in ("north", "south")
    ]
    schools = SchoolsByHost(homes)
    own = build_app(homes[0])
    own.config["WTF_CSRF_ENABLED"] = False
    link = make_signin_link(homes[0], manager_of(homes[0]).id, actor="cli", now=NOW)
    signed_in = own.test_client().post(link, base_url="https://north.example")
    name, value = signed_in.headers["Set-Cookie"].split(";")[0].split("=", 1)
    for host, status in (("north", 200), ("south", 302)):
        visitor = Client(schools)
        visitor.set_cookie(name, value, domain=f"{host}.example", secure=True)
        answer = visitor.get("/accounts/", base_url=f"https://{host}.example")
        assert answer.status_code == status, host


# --------------------------------------------------------------------------------------------------- ciphers


APPROVED = {
    "AESGCM",  # NIST SP 800-38D
    "HKDF", "SHA256",  # RFC 5869, FIPS 180-4
    "Argon2id",  # RFC 9106
    "X25519PrivateKey", "X25519PublicKey",  # RFC 7748
    "AEAD", "KDF", "KEM", "Suite",  # HPKE, RFC 9180
    "Ed25519PrivateKey", "Ed25519PublicKey",  # RFC 8032
    "TOTP", "hashes",  # RFC 6238; the next test looks which hash
    "InvalidTag", "InvalidSignature",
}  # fmt: skip


@pytest.mark.asvs("11.3.2")
def test_only_approved_ciphers_are_used() -> None:
    used, suites = set(), set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("cryptography"):
                used |= {alias.name for alias in node.names}
            if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") in ("AEAD", "KDF", "KEM"):
                suites.add(node.attr)
    assert used == APPROVED
    assert suites == {"X25519", "HKDF_SHA256", "AES_256_GCM"}


@pytest.mark.asvs("11.3.2")
def test_the_only_old_hash_is_that_of_authenticator_codes() -> None:
    """RFC 6238 has HMAC-SHA-1, which is sound, and authenticator apps understand nothing else."""
    weak = re.compile(r"\b(md5|sha1|SHA1|DES|RC4|ECB|CBC)\b")
    found = {
        path.name
        for path in PACKAGE.rglob("*.py")
        if path.parent.name != "sandbox" and weak.search(path.read_text(encoding="utf-8"))
    }
    assert found <= {"codes.py"}
