"""What servers know this product by: each Mastodon server gives it a client when its first account is connected."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from factories import NOW, PLATFORMS, account_at, make_home, manager_of

from socialgov.actions import connections
from socialgov.actions.adapters import adapter_of
from socialgov.actions.clients import callback_of
from socialgov.actions.connections import NotConnected
from socialgov.home import Home
from socialgov.models import Account, AccountState
from socialgov.platforms import PlatformError, mastodon_calls
from socialgov.platforms.mastodon import MastodonPlatform
from socialgov.store.accounts import account_by_id
from socialgov.store.connections import app_of, connection_of
from socialgov.store.rows import dicts, scalar

SERVER = "https://social.example"


@dataclass
class Servers(httpx.BaseTransport):
    """Every Mastodon server there is. Clients and tokens belong to one server; it knows no other's."""

    clients: dict[str, tuple[str, str]] = field(default_factory=dict)  # id → server, secret
    tokens: dict[str, tuple[str, str]] = field(default_factory=dict)  # token → server, client id
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    shut: bool = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        server, path = f"https://{request.url.host}", request.url.path
        form = {name: found[0] for name, found in parse_qs(request.content.decode()).items()}
        self.asked.append((f"{server}{path}", form))
        return self._answer(server, path, form, request)

    def _answer(self, server: str, path: str, form: dict[str, str], request: httpx.Request) -> httpx.Response:
        if path == "/api/v1/apps":
            return self._register(server)
        if path in ("/oauth/token", "/oauth/revoke"):
            known = self.clients.get(form.get("client_id", ""))
            if known is None or known != (server, form.get("client_secret")):
                return httpx.Response(401, json={"error": "invalid_client"})
            return self._token(server, form) if path == "/oauth/token" else self._revoke(form)
        if self.tokens.get(request.headers.get("authorization", "").removeprefix("Bearer "), ("",))[0] != server:
            return httpx.Response(401, json={"error": "The access token is invalid"})
        if path.endswith("/statuses"):
            return httpx.Response(200, json=[])
        source = {"privacy": "private", "note": "Official account"}
        face = {"id": "109", "acct": "trip", "username": "trip", "display_name": "Trip", "note": "", "avatar": ""}
        return httpx.Response(200, json={**face, "locked": True, "source": source, "url": f"{server}/@trip"})

    def _register(self, server: str) -> httpx.Response:
        if self.shut:
            return httpx.Response(422, json={"error": "Validation failed"})
        number = f"client-{len(self.clients)}"
        self.clients[number] = (server, f"secret-of-{number}")
        return httpx.Response(200, json={"client_id": number, "client_secret": f"secret-of-{number}"})

    def _token(self, server: str, form: dict[str, str]) -> httpx.Response:
        token = f"token-{len(self.tokens)}"
        self.tokens[token] = (server, form["client_id"])
        scope = " ".join(MastodonPlatform.oauth.scopes) if MastodonPlatform.oauth else ""
        return httpx.Response(200, json={"access_token": token, "token_type": "Bearer", "scope": scope})

    def _revoke(self, form: dict[str, str]) -> httpx.Response:
        held = self.tokens.get(form["token"])
        if held is not None and held[1] != form["client_id"]:
            return httpx.Response(403, json={"error": "unauthorized_client"})
        self.tokens.pop(form["token"], None)
        return httpx.Response(200, json={})

    def count(self, address: str) -> int:
        return sum(asked == address for asked, _ in self.asked)


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Servers]:
    found = Servers()
    monkeypatch.setattr(MastodonPlatform, "transport", found)
    monkeypatch.setattr(mastodon_calls, "is_private", lambda host: False)  # no name service is asked
    yield found


@pytest.fixture
def school(tmp_path: Path) -> Home:
    return make_home(tmp_path, approved=(*PLATFORMS, "mastodon"))


def trip(school: Home, handle: str = "trip@social.example") -> Account:
    return account_at(school, AccountState.LIVE, platform="mastodon", handle=handle)


def connect(school: Home, account: Account) -> Account:
    manager = manager_of(school)
    begun = connections.begin(school, manager, account.id, now=NOW)
    state = parse_qs(urlsplit(begun.url).query)["state"][0]
    return connections.finish(school, manager, begun.token, {"state": state, "code": "c0de"}, now=NOW)


def test_a_server_is_registered_with_on_first_use_and_once(school: Home, servers: Servers) -> None:
    account = trip(school)
    connect(school, account)
    connect(school, account)
    assert servers.count(f"{SERVER}/api/v1/apps") == 1
    asked = servers.asked[0][1]
    assert asked["redirect_uris"] == callback_of(school)
    app = app_of(school.db, "mastodon", SERVER)
    assert app is not None
    assert asked["scopes"].split() == list(app.scopes)
    assert scalar(school.db, "select count(*) from event where tag = 'connection:server:registered'") == 1
    assert "secret-of-client-0" not in "\n".join(school.db.conn.iterdump())


def test_each_server_knows_its_own_client_and_no_other(school: Home, servers: Servers) -> None:
    """And the same number on two servers is two accounts."""
    one, other = trip(school), trip(school, "trip@another.example")
    connect(school, one)
    connect(school, other)
    assert account_by_id(school.db, one.id).remote_id == account_by_id(school.db, other.id).remote_id is not None
    assert sorted(server for server, _ in servers.clients.values()) == ["https://another.example", SERVER]
    for account_id, server in ((other.id, "https://another.example"),):
        found = connection_of(school.db, account_id)
        assert found is not None
        assert found.server == server
        adapter = adapter_of(school, account_by_id(school.db, account_id), now=NOW)
        assert adapter.info.api_base == server
        assert adapter.profile().private is True


def test_a_client_that_its_server_forgot_is_asked_for_anew(school: Home, servers: Servers) -> None:
    account = trip(school)
    connect(school, account)
    servers.clients.clear()
    with pytest.raises(NotConnected):
        connect(school, account)
    connect(school, account)
    assert servers.count(f"{SERVER}/api/v1/apps") == 2
    assert scalar(school.db, "select count(*) from platform_app where ended_at is null") == 1


def test_a_connection_ends_with_the_client_that_it_was_made_with(
    school: Home, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A later version may want other scopes, and then another client; what was made before still ends there."""
    account = trip(school)
    connect(school, account)
    assert MastodonPlatform.oauth is not None
    wider = replace(MastodonPlatform.oauth, scopes=(*MastodonPlatform.oauth.scopes, "read:lists"))
    monkeypatch.setattr(MastodonPlatform, "oauth", wider)
    connect(school, trip_elsewhere(school))
    assert servers.count(f"{SERVER}/api/v1/apps") == 2
    held = len(servers.tokens)
    assert connections.disconnect(school, manager_of(school), account.id, now=NOW)
    assert len(servers.tokens) == held - 1


def trip_elsewhere(school: Home) -> Account:
    """Another account of the same server: our stand-in has one, so the first gives its number up."""
    school.db.execute("update account set remote_id = null, handle = 'other@social.example'")
    return trip(school)


def test_the_same_number_on_the_same_server_is_the_same_account(school: Home, servers: Servers) -> None:
    connect(school, trip(school))
    school.db.execute("update account set handle = 'other@social.example'")  # renamed there, and asked for once more
    with pytest.raises(NotConnected, match="is this one on Mastodon already"):
        connect(school, trip(school))


def test_a_server_that_gives_no_client_connects_nothing(school: Home, servers: Servers) -> None:
    account, servers.shut = trip(school), True
    with pytest.raises(PlatformError, match="does not register us"):
        connect(school, account)
    assert connection_of(school.db, account.id) is None


def test_a_key_that_cannot_be_renewed_and_is_refused_is_lost_and_told(school: Home, servers: Servers) -> None:
    account = connect(school, trip(school))
    servers.tokens.clear()
    with pytest.raises(PlatformError):
        adapter_of(school, account, now=NOW).profile()
    found = connection_of(school.db, account.id)
    assert found is not None
    assert found.lost_at is not None
    data = [json.loads(row["data"]) for row in dicts(school.db, "select data from event where tag like '%:lost'")]
    assert data == [{"why": "refused"}]
