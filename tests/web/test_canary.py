"""Marked secrets travel through everything the product does, and are found nowhere but where they are shown.

One story: deposits refused and taken, the vault opened with a wrong and the right passphrase, looks, a password
declared compromised and changed, faults forced in every layer, a crash in the middle of a deposit, the jobs of a night,
a closing with its certificate, and every page opened by every role. Then each place where something could lie about is
searched for every secret in every form (tests/canary.py). Process memory is not among them (docs/threat-model.md).
"""

from __future__ import annotations

import base64
import html
import importlib
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from canary import Browser, Journal, Listening, files_of, found_in, rows_of
from conftest import make_strong
from factories import DOMAIN, NOW, VAULT_PASSPHRASE, make_home, vault_of
from flask import Flask, request
from killing import copy_of, killed_at, not_waiting_for_the_disk
from networks import served
from openid_school import openid_home
from stage import STATES, pages_of, set_stage
from test_access import address, routes

from socialgov.actions.authenticators import begin_authenticator
from socialgov.actions.closing import advance, start_closing
from socialgov.actions.credentials import deposit, machine_login
from socialgov.actions.looking import look
from socialgov.actions.signin import make_signin_link
from socialgov.escrow.codes import code_at, read_seed
from socialgov.home import Home
from socialgov.jobs import run_once
from socialgov.models import Account, CredentialKind, Shown, Staff
from socialgov.store.accounts import account_by_id
from socialgov.web import build_app

REASON = "The owner is ill and a post must come down."
SECRETS = {
    "password": "Zq7!kestrel-Tollund-41",
    "second password": "Vb3?marmot-Lindow-97",
    "refused password": "canary7412",
    "password of a fault": "Xw9%curlew-Grauballe-13",
    "password of a crash": "Jt5&plover-Yde-66-bog",
    "recovery code": "84721-kqzvx",
    "another recovery code": "19365-wjhpd",
    "seed": "KRUGKIDROVUWG2ZAMJZG653OEBTG66BA",
    "notes": "The blue envelope lies behind the Ordnance map.",
    "token of the machine": "sgtok-9f2d7c41b8e65a03",
    "vault passphrase": "gannet tarpaulin quince ferry mallow sextant",
    "wrong vault passphrase": "wigeon hawser damson punt yarrow compass",
    "seed of an authenticator": "MFRGGZDFMZTWQ2LKNNWG23TPOBYXE43U",
}


@dataclass(frozen=True)
class Story:
    home: Home
    journal: Journal
    log: bytes
    crashed: Path
    certificate: bytes


class Teller:
    """Tells the story, one step a method."""

    def __init__(self, home: Home) -> None:
        self.home, self.journal = home, Journal()
        self.browsers: dict[int, Browser] = {}
        self.stage = set_stage(home)
        self.app = build_app(home)
        self.app.config.update(WTF_CSRF_ENABLED=False, PROPAGATE_EXCEPTIONS=False)
        self.account = self.stage.live
        self.owner = self.as_(self.stage.cast.owner)
        self.manager = self.as_(self.stage.cast.manager)

    def as_(self, person: Staff) -> Browser:
        """Their browser; the same again, for somebody may need more than a link by now."""
        if person.id not in self.browsers:
            self.browsers[person.id] = self._signed_in(person)
        return self.browsers[person.id]

    def _signed_in(self, person: Staff) -> Browser:
        client = self.app.test_client()
        client.post(make_signin_link(self.home, person.id, actor="cli", now=NOW))
        return Browser(make_strong(self.home, client), self.journal)

    def at(self, path: str) -> str:
        return f"/accounts/{self.account.id}/{path}"

    def login(self, name: str) -> dict[str, str]:
        return {"username": "ski.trip", "email": f"trips@{DOMAIN}", "secret": SECRETS[name]}

    def hand_in(self) -> None:
        assert self.owner.post(self.at("deposit"), self.login("refused password")).status_code == 422
        assert self.owner.post(self.at("deposit"), self.login("password")).status_code == 302
        codes = f"{SECRETS['recovery code']}\n{SECRETS['another recovery code']}"
        self.owner.post(self.at("deposit/codes"), {"codes": codes + "\n" + "x" * 400})
        for part, data in (
            ("codes", {"codes": codes}),
            ("second-factor", {"seed": SECRETS["seed"]}),
            ("notes", {"notes": SECRETS["notes"]}),
        ):
            assert self.owner.post(self.at(f"deposit/{part}"), data).status_code in (200, 302), part
        deposit(
            self.home, self.stage.cast.owner, self.account.id, username="ski.trip", email=f"trips@{DOMAIN}",
            secret=SECRETS["token of the machine"], kind=CredentialKind.API_TOKEN, now=NOW,
        )  # fmt: skip
        assert machine_login(self.home, self.account.id, purpose="check", now=NOW)
        self.add_an_authenticator()

    def add_an_authenticator(self) -> None:
        seed = read_seed(SECRETS["seed of an authenticator"])
        with self.owner.client.session_transaction() as cookie:
            token = cookie["session"]
        begin_authenticator(self.home, self.stage.cast.owner, token, now=NOW, seed=seed)
        for digits, status in (("000000", 422), (code_at(seed, NOW)[0], 302)):
            assert self.owner.post("/signing-in/authenticator/confirm", {"code": digits}).status_code == status

    def open_the_vault(self) -> None:
        manager = self.manager
        assert manager.post("/vault/open", {"passphrase": SECRETS["wrong vault passphrase"]}).status_code == 422
        assert manager.post("/vault/open", {"passphrase": VAULT_PASSPHRASE}).status_code == 302
        new = SECRETS["vault passphrase"]
        change = {"old": VAULT_PASSPHRASE, "passphrase": new}
        assert manager.post("/vault/passphrase/change", {**change, "again": "another"}).status_code == 422
        assert manager.post("/vault/passphrase/change", {**change, "again": new}).status_code == 302
        assert manager.post("/vault/open", {"passphrase": new}).status_code == 302

    def look_at(self, what: Shown, *shows: str) -> None:
        answer = self.manager.post(self.at("password"), {"reason": REASON, "what": self.choice(what)}, shows=shows)
        assert answer.status_code == 200
        for name in shows:
            assert SECRETS[name] in html.unescape(answer.text), what
        copied = re.search(r"looks/(\d+)/copied", answer.text)
        assert copied is not None
        assert self.manager.post(self.at(f"looks/{copied[1]}/copied"), {}).status_code == 204

    def choice(self, what: Shown) -> str:
        """How the form names what is in force."""
        found = re.search(rf'value="({what.value}-\d+)"', self.manager.get(self.at("password")).text)
        assert found is not None, what
        return found[1]

    def rotate(self) -> None:
        assert self.manager.post(self.at("login-test"), {"works": "yes"}).status_code == 302
        self.owner.post(self.at("compromised"), {"reason": "Somebody read it over my shoulder."})
        assert self.owner.post(self.at("deposit"), self.login("password")).status_code in (302, 422)
        assert self.owner.post(self.at("deposit"), self.login("second password")).status_code == 302
        self.look_at(Shown.PASSWORD, "second password")
        assert self.manager.post(self.at("login-test"), {"works": "yes"}).status_code == 302

    # ---- faults

    def break_every_layer(self, patch: pytest.MonkeyPatch) -> None:
        """Each breaks with words that quote all it was given, as a library's error may."""
        pressed = list(self.pressed_while_broken())
        for place in FAULTS:
            with patch.context() as broken:
                break_at(broken, place)
                statuses = {browser.post(path, data, shows=shows).status_code for browser, path, data, shows in pressed}
                assert statuses <= {200, 302, 422, 429, 500, 503}, place
                assert statuses & {500, 503}, f"{place} broke nothing"
                with served(self.app) as url:
                    self.post_over_http(url, self.login("password of a fault"))
        assert self.owner.get(self.at("deposit")).status_code == 200

    def pressed_while_broken(self) -> Iterator[tuple[Browser, str, dict[str, str], list[str]]]:
        yield self.owner, self.at("deposit"), self.login("password of a fault"), []
        yield self.owner, self.at("deposit/notes"), {"notes": SECRETS["notes"]}, []
        yield self.owner, self.at("deposit/second-factor"), {"seed": SECRETS["seed"]}, []
        yield self.manager, self.at("password"), {"reason": REASON, "what": self.choice(Shown.NOTES)}, ["notes"]
        yield self.manager, "/vault/open", {"passphrase": SECRETS["wrong vault passphrase"]}, []

    def post_over_http(self, url: str, data: dict[str, str]) -> None:
        with self.owner.client.session_transaction() as cookie:
            kept = dict(cookie)
        client = self.app.test_client()
        with client.session_transaction() as cookie:
            cookie.update(kept)
        value = client.get_cookie("socialgov")
        assert value is not None
        answer = httpx.post(
            url + self.at("deposit"), data=data, headers={"Cookie": f"socialgov={value.value}"}, trust_env=False
        )
        assert answer.status_code in (302, 422, 500, 503)

    def crash(self, folder: Path) -> Path:
        """kill -9 before every BEGIN and COMMIT of a deposit; what the last one left is searched too."""
        point = 0
        while True:
            point += 1
            place = folder / f"crash {point}"
            crashed = copy_of(self.home, place)
            if not killed_at(point, crashed, self._deposit_then_look):
                return folder
            assert account_by_id(crashed.db, self.account.id)

    def _deposit_then_look(self, home: Home) -> None:
        cast = self.stage.cast
        deposit(
            home, cast.owner, self.account.id, username="ski.trip", email=f"trips@{DOMAIN}",
            secret=SECRETS["password of a crash"], now=NOW,
        )  # fmt: skip
        look(home, cast.manager, vault_of(self.home), self.account.id, REASON, now=NOW)

    # ---- what follows

    def night(self) -> None:
        run_once(self.home, NOW)

    def close(self) -> bytes:
        account: Account = self.stage.ready
        begun = start_closing(self.home, self.stage.cast.manager, account.id, "It does not take place.", now=NOW)
        advance(self.home, begun.id, now=NOW)
        answer = self.manager.get(f"/accounts/{self.stage.closed.id}/certificate.json")
        self.manager.get(f"/accounts/{self.stage.closed.id}/certificate")
        return answer.data

    def open_every_page(self) -> None:
        """Each role, each route, each account; then what the pages of the stage link to."""
        for person in self.stage.people.values():
            browser = self.as_(person)
            for rule, method in routes(self.app):
                if method == "GET":
                    for account in {self.account.id, self.stage.closed.id} if "account_id" in rule.arguments else {0}:
                        browser.get(address(self.app, rule, account))
            for name in STATES:
                browser.get(f"/accounts/{getattr(self.stage, name).id}")
        self.manager.post("/audit/file", {})
        for _, person, path in pages_of(self.stage):
            (self.as_(person) if person else Browser(self.app.test_client(), self.journal)).get(path)


FAULTS = (
    "socialgov.passwords:assess",
    "socialgov.escrow.school_key:Escrow.seal_to",
    "socialgov.escrow.school_key:Escrow.open_with",
    "socialgov.escrow.school_key:Escrow.fingerprints",
    "socialgov.store.credentials:insert",
    "socialgov.store.events:event_hash",
    "socialgov.actions.looking:record",
    "socialgov.actions.deposits:evaluate_account",
    "socialgov.actions.looking:unseal",
    "socialgov.actions.vault:open_session",
    "socialgov.web.deposits:deposit",
    "socialgov.web.deposits:deposit_notes",
    "flask.app:Flask.update_template_context",
)


def break_at(patch: pytest.MonkeyPatch, place: str) -> None:
    def explode(*given: object, **named: object) -> None:
        raise RuntimeError(f"cannot do this with {given!r} and {named!r}") from ValueError(f"{given!r} {named!r}")

    module, _, path = place.partition(":")
    target: Any = importlib.import_module(module)
    *owners, name = path.split(".")
    for owner in owners:
        target = getattr(target, owner)
    patch.setattr(target, name, explode)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    folder = tmp_path_factory.mktemp("canary")
    with Listening() as listening, pytest.MonkeyPatch.context() as patch:
        teller = Teller(not_waiting_for_the_disk(make_home(folder)))
        teller.hand_in()
        teller.open_the_vault()
        teller.look_at(Shown.PASSWORD, "password")
        teller.look_at(Shown.RECOVERY_CODES, "recovery code", "another recovery code")
        teller.look_at(Shown.SECOND_FACTOR_CODE)
        teller.look_at(Shown.SECOND_FACTOR_SEED, "seed")
        teller.look_at(Shown.NOTES, "notes")
        teller.rotate()
        teller.break_every_layer(patch)
        crashed = teller.crash(tmp_path_factory.mktemp("crashes"))
        teller.night()
        certificate = teller.close()
        teller.open_every_page()
    return Story(teller.home, teller.journal, listening.heap, crashed, certificate)


# --------------------------------------------------------------------------------------------------- nowhere


def test_the_search_finds_what_is_there(story: Story) -> None:
    """A search that finds nothing anywhere proves nothing."""
    secret = {"one": "Zq7!kestrel-Tollund-41"}
    for before in range(4):
        assert found_in(secret, base64.b64encode(b"x" * before + secret["one"].encode() + b"tail"))
    assert found_in(secret, secret["one"][::-1].encode())
    assert found_in(secret, secret["one"].encode().hex().encode())
    shown = {name for answer in story.journal.answers for name in answer.shows}
    assert {"password", "second password", "recovery code", "seed", "notes"} <= shown


@pytest.mark.asvs("14.2.1", "15.3.1", "3.5.3", "16.5.1")
def test_no_answer_shows_a_secret_but_the_one_that_was_asked_for(story: Story) -> None:
    """Bodies, headers, addresses, and what the signed cookie says; error pages and lists among them."""
    assert len(story.journal.answers) > 400
    assert story.journal.escaped(SECRETS) == []


@pytest.mark.asvs("16.2.5", "16.5.1")
def test_no_log_and_nothing_printed_tells_a_secret(story: Story) -> None:
    assert b"fault at POST" in story.log
    assert b"RuntimeError" in story.log
    assert found_in(SECRETS, story.log) == []


@pytest.mark.asvs("13.3.1", "16.2.5")
def test_no_row_of_the_database_holds_a_secret_in_any_form(story: Story) -> None:
    """Events, notices, mails that wait, drafts, ceremonies: every table."""
    heaps = list(rows_of(story.home.db))
    assert len(heaps) > 200
    assert [(where, found) for where, heap in heaps if (found := found_in(SECRETS, heap))] == []


@pytest.mark.asvs("13.3.1", "14.2.1")
def test_a_backup_holds_no_secret_in_any_form(story: Story, tmp_path: Path) -> None:
    """The home as it lies there, with the database's journal not yet folded in, and once more when it is."""
    for name in ("with the journal", "folded in"):
        shutil.copytree(story.home.path, tmp_path / name)
        files = dict(files_of(tmp_path / name))
        assert {"school.db", "school.toml"} <= set(files)
        assert [(path, found) for path, heap in files.items() if (found := found_in(SECRETS, heap))] == []
        story.home.db.execute("vacuum")
        story.home.db.execute("pragma wal_checkpoint(truncate)")


@pytest.mark.asvs("13.3.1", "2.3.3")
def test_a_crash_in_the_middle_leaves_no_secret(story: Story) -> None:
    homes = sorted(story.crashed.iterdir())
    assert len(homes) > 4
    for home in homes:
        assert [(path, found) for path, heap in files_of(home) if (found := found_in(SECRETS, heap))] == []


def test_a_certificate_tells_no_secret(story: Story) -> None:
    assert b"signature" in story.certificate
    assert found_in(SECRETS, story.certificate) == []


# --------------------------------------------------------------------------------------------------- signing in


def talkative_provider(heard: list[bytes]) -> Flask:
    """A sign-in service that refuses every code and quotes all that it was sent, in each field it can."""
    service = Flask("talkative")

    @service.get("/.well-known/openid-configuration")
    def describe() -> dict[str, Any]:
        at = request.host_url.rstrip("/")
        answer = {name: f"{at}/{name}" for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")}
        return {**answer, "issuer": at, "id_token_signing_alg_values_supported": ["RS256"]}

    @service.post("/token_endpoint")
    def refuse() -> tuple[dict[str, str], int]:
        basic = request.headers.get("Authorization", "").removeprefix("Basic ")
        said = base64.b64decode(basic).decode() + request.get_data(as_text=True)
        heard.append(said.encode())
        return {"error": said, "error_description": said, "error_uri": said}, 400

    return service


@pytest.mark.asvs("13.3.1", "16.2.5")
def test_the_secret_of_the_sign_in_service_is_in_its_file_alone(tmp_path: Path) -> None:
    secrets, heard = {"client secret": "Lq8-heron-Windeby-client-55"}, list[bytes]()
    journal = Journal()
    with Listening() as listening, served(talkative_provider(heard)) as issuer:
        home = openid_home(
            tmp_path, issuer, secrets["client secret"], base_url="http://localhost:5000", clock=lambda: NOW
        )
        app = build_app(home)
        app.config.update(WTF_CSRF_ENABLED=False, PROPAGATE_EXCEPTIONS=False)
        browser = Browser(app.test_client(), journal)
        begun = browser.post("/signin/openid", {})
        assert begun.location.startswith(f"{issuer}/authorization_endpoint")
        state = httpx.URL(begun.location).params["state"]
        browser.get(f"/signin/openid/callback?state={state}&code=anything")
        browser.get("/signin")
    assert found_in(secrets, b"".join(heard))  # the service did get it
    assert journal.escaped(secrets) == []
    assert found_in(secrets, listening.heap) == []
    assert found_in(secrets, repr(home.settings).encode()) == []
    assert [where for where, heap in [*files_of(home.path), *rows_of(home.db)] if found_in(secrets, heap)] == []
