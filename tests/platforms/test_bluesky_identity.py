"""Which server keeps an account: what a DID document may say, and where nothing may send us. No network is asked."""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import Any

import httpx
import pytest
from fake_bluesky import DID, INFO_BLUESKY, OTHER, SECRET
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import Recorded

from socialgov.models import PlatformInfo, Presence
from socialgov.platforms import Login, PlatformError
from socialgov.platforms.atproto_identity import find_identity
from socialgov.platforms.bluesky import BlueskyPlatform

OUTSIDE = replace(INFO_BLUESKY, directory_base="https://directory.test")
AT_HOME = replace(INFO_BLUESKY, directory_base="http://localhost:2582")


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name service of our own: `inside.test` is in the school, everything else is out in the world."""

    def resolve(host: str, *_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.7" if "inside" in host else "8.8.8.8", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


def service(address: Any = "https://home.test", **other: Any) -> dict[str, Any]:
    return {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": address, **other}


def document(*services: Any, did: str = DID, **other: Any) -> dict[str, Any]:
    return {"id": did, "alsoKnownAs": ["at://Trip.test", "https://trip.test", 7], "service": list(services), **other}


def found(answer: Any, did: str = DID, info: PlatformInfo = OUTSIDE) -> Any:
    made = answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)
    return find_identity(info, did, transport=Recorded(lambda request: made))


def test_the_document_names_the_server_and_the_handles() -> None:
    identity = found(document({"id": "#other"}, service("https://home.test/"), service("https://second.test")))
    assert (identity.server, identity.handles) == ("https://home.test", ("trip.test",))


@pytest.mark.parametrize(
    ("address", "server"),
    [
        ("https://home.test:8443", "https://home.test:8443"),
        ("https://8.8.8.8", "https://8.8.8.8"),
        ("https://[2606:4700::1111]", "https://[2606:4700::1111]"),
        ("HTTPS://Home.test", "https://home.test"),
    ],
)
def test_a_public_server_is_gone_to_wherever_it_is(address: str, server: str) -> None:
    assert found(document(service(address))).server == server


@pytest.mark.parametrize(
    "address",
    [
        "http://home.test",
        "https://localhost",
        "http://localhost:2583",
        "https://127.0.0.1",
        "https://[::1]",
        "https://10.0.0.7",
        "https://169.254.169.254",
        "https://[fd00::1]",
        "https://inside.test",
        "https://intranet",
        "https://home.test/path",
        "https://home.test?query",
        "https://home.test#part",
        "https://user:word@home.test",
        "https://home.test@inside.test",
        "https://home.test:99999",
        "https://[home.test",
        "https://hömé.test",
        "https://home.test\n",
        "ftp://home.test",
        "file:///etc/passwd",
        "//home.test",
        "home.test",
        "",
        7,
        None,
        ["https://home.test"],
    ],
)
def test_nothing_but_a_public_address_by_https_is_gone_to(address: Any) -> None:
    with pytest.raises(PlatformError) as caught:
        found(document(service(address)))
    assert caught.value.permanent is True


def test_a_directory_on_this_machine_may_name_a_server_on_this_machine_and_no_other_place_inside() -> None:
    assert found(document(service("http://localhost:2583")), info=AT_HOME).server == "http://localhost:2583"
    for address in ("http://10.0.0.7", "http://home.test", "https://inside.test"):
        with pytest.raises(PlatformError):
            found(document(service(address)), info=AT_HOME)


@pytest.mark.parametrize(
    "answer",
    [
        document(service(), did=OTHER),
        document(),
        document(service(type="SomethingElse")),
        document(service(id="#atproto_labeler")),
        document(service(id=f"{OTHER}#atproto_pds")),
        {"id": DID, "service": "https://home.test"},
        {},
        [],
        httpx.Response(404, json={"message": "DID not registered"}),
        httpx.Response(410, json={"message": "DID not available"}),
        httpx.Response(404, html="<html>not here</html>"),
        httpx.Response(200, html="<html>sign in to the school's network</html>"),
        httpx.Response(200, content=b"x" * 300_000),
        httpx.Response(302, headers={"location": "http://10.0.0.7/"}),
        httpx.Response(500),
    ],
)
def test_any_other_answer_is_an_error(answer: Any) -> None:
    with pytest.raises(PlatformError):
        found(answer)


@pytest.mark.parametrize(
    "did", ["did:plc:short", "did:key:z6Mk", "trip.test", "did:plc:" + "a" * 23 + "/", "did:web:", ""]
)
def test_a_name_of_another_kind_is_asked_for_nowhere(did: str) -> None:
    network = Recorded(lambda request: httpx.Response(200, json={}))
    with pytest.raises(PlatformError, match="a way we do not know"):
        find_identity(OUTSIDE, did, transport=network)
    assert network.asked == []


def test_an_identity_of_a_web_address_is_asked_for_there() -> None:
    did = "did:web:Trip.School.test"
    network = Recorded(lambda request: httpx.Response(200, json=document(service(), did=did)))
    assert find_identity(OUTSIDE, did, transport=network).server == "https://home.test"
    assert [str(request.url) for request in network.asked] == ["https://trip.school.test/.well-known/did.json"]


@pytest.mark.parametrize(
    "did",
    [
        "did:web:inside.test",
        "did:web:localhost",
        "did:web:localhost%3A2583",
        "did:web:10.0.0.7",
        "did:web:trip.test%3A99",
    ],
)
def test_an_identity_of_a_web_address_inside_the_school_is_not_asked_for(did: str) -> None:
    network = Recorded(lambda request: httpx.Response(200, json={}))
    with pytest.raises(PlatformError, match="at a place where"):
        find_identity(OUTSIDE, did, transport=network)
    assert network.asked == []


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.sampled_from([DID, "#atproto_pds"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "type", "serviceEndpoint", "service", "alsoKnownAs"]), inner)
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(json_values, json_values, st.text(max_size=30))
def test_whatever_a_document_says_it_is_an_identity_or_an_error(services: Any, known: Any, address: str) -> None:
    for told in ({"id": DID, "service": services, "alsoKnownAs": known}, document(service(address)), services):
        try:
            identity = found(told)
        except PlatformError:
            continue
        assert identity.server.startswith("https://")


# ---- the adapter


def network_of(handles: list[str], *, did: str = DID) -> Recorded:
    """Entered at somewhere.test; the directory says that the account is kept at home.test."""

    def answer(request: httpx.Request) -> httpx.Response:
        told: dict[str, Any] = {"did": did, "active": True, "accessJwt": "a", "refreshJwt": "r"}
        if request.url.host == "directory.test":
            told = {**document(service(), did=did), "alsoKnownAs": [f"at://{handle}" for handle in handles]}
        return httpx.Response(200, json=told)

    return Recorded(answer)


def adapter(network: Recorded, *, remote_id: str | None = DID) -> BlueskyPlatform:
    made = BlueskyPlatform(OUTSIDE, handle="trip.test", remote_id=remote_id, login=Login("trip.test", SECRET))
    made.transport = network
    return made


def test_the_password_goes_to_the_accounts_own_server_and_nowhere_else() -> None:
    network = network_of(["trip.test"])
    assert adapter(network).check_login() is True
    assert {request.url.host for request in network.asked if SECRET.encode() in request.content} == {"home.test"}


def test_a_document_is_asked_for_once_a_job() -> None:
    network = network_of(["trip.test"])
    keeper = adapter(network, remote_id=None)
    assert keeper.presence() is Presence.LIVE and keeper.presence() is Presence.LIVE
    assert [request.url.host for request in network.asked] == [
        "somewhere.test", "directory.test", "home.test", "home.test",
    ]  # fmt: skip


@pytest.mark.parametrize("handles", [[], ["other.test"], ["nottrip.test"]])
def test_a_handle_that_does_not_lead_back_is_nobodys(handles: list[str]) -> None:
    network = network_of(handles)
    with pytest.raises(PlatformError, match="does not use it"):
        adapter(network, remote_id=None).check_login()
    assert not [request for request in network.asked if SECRET.encode() in request.content]


def test_an_account_whose_identity_leads_into_the_school_is_not_signed_in_to() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        return httpx.Response(200, json=document(service("https://inside.test")))

    with pytest.raises(PlatformError, match="at a place where"):
        adapter(Recorded(answer)).check_login()
    assert asked == ["directory.test"]
