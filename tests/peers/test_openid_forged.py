"""What an honest provider never sends: a forger changes the answers of the real one before we see them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import real_openid
from forger import Change, Forger, port_of, unchanged
from mailbox_sink import free_port
from networks import served
from openid_school import OpenIdSchool, open_openid_school
from real_openid import SECRET, RealProvider, go_through

pytestmark = pytest.mark.peer


@pytest.fixture(scope="session")
def forged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RealProvider, Forger]]:
    """A real provider that believes it has the forger's address, and the forger there."""
    if why := real_openid.missing():
        pytest.skip(why)
    issuer = f"http://localhost:{free_port()}"
    with real_openid.running(tmp_path_factory.mktemp("forged"), issuer=issuer) as provider:
        forger = Forger(provider.address)
        with served(forger, port_of(issuer)):
            yield provider, forger


@pytest.fixture
def forger(forged: tuple[RealProvider, Forger]) -> Forger:
    forged[1].change, forged[1].add_key = unchanged, True
    return forged[1]


@pytest.fixture
def school(tmp_path: Path, forged: tuple[RealProvider, Forger], forger: Forger) -> Iterator[OpenIdSchool]:
    provider = forged[0]
    with open_openid_school(tmp_path, provider.issuer, SECRET, port=provider.our_port) as school:
        yield school


def refused(school: OpenIdSchool, forger: Forger, change: Change) -> str:
    """Why the answer that `change` makes of the teacher's is refused."""
    forger.change = change
    visitor = go_through(school.at_the_service(), "teacher")
    assert visitor.sees("You are not signed in")
    assert visitor.status == 403
    assert school.sessions() == []
    (reason,) = school.reasons()
    return reason


def test_the_forger_changes_nothing_by_itself(school: OpenIdSchool) -> None:
    assert go_through(school.at_the_service(), "teacher").sees("Tess Teacher")


def test_a_token_that_the_services_own_new_key_signed_is_taken(school: OpenIdSchool, forger: Forger) -> None:
    """So every refusal below is for what it says, not for the key."""
    forger.change = forger.forge()
    assert go_through(school.at_the_service(), "teacher").sees("Tess Teacher")


@pytest.mark.asvs("6.8.2")
def test_a_tampered_signature_is_refused(school: OpenIdSchool, forger: Forger) -> None:
    assert refused(school, forger, forger.break_signature) == "wrong_signature"


@pytest.mark.asvs("6.8.2")
def test_a_claim_that_was_changed_under_the_signature_is_refused(school: OpenIdSchool, forger: Forger) -> None:
    assert refused(school, forger, forger.break_claim) == "wrong_signature"


@pytest.mark.asvs("6.8.2")
def test_a_key_that_is_not_the_services_is_refused(school: OpenIdSchool, forger: Forger) -> None:
    forger.add_key = False
    assert refused(school, forger, forger.forge()) == "wrong_signature"


@pytest.mark.asvs("6.8.2")
def test_a_token_without_signature_is_refused(school: OpenIdSchool, forger: Forger) -> None:
    assert refused(school, forger, forger.forge_without_signature()) == "wrong_signature"


@pytest.mark.asvs("6.8.2")
def test_a_token_signed_with_the_clients_secret_is_refused(school: OpenIdSchool, forger: Forger) -> None:
    assert refused(school, forger, forger.forge_with_the_clients_secret()) == "wrong_signature"


@pytest.mark.asvs("6.8.2")
def test_a_token_signed_with_the_public_key_as_a_secret_is_refused(school: OpenIdSchool, forger: Forger) -> None:
    assert refused(school, forger, forger.forge_with_the_public_key()) == "wrong_signature"


@pytest.mark.asvs("6.8.1", "6.8.2")
def test_another_issuer_is_refused(school: OpenIdSchool, forger: Forger) -> None:
    assert refused(school, forger, forger.forge(iss="https://accounts.elsewhere.example")) == "wrong_issuer"


@pytest.mark.asvs("10.5.4")
def test_a_token_for_another_client_is_refused(school: OpenIdSchool, forger: Forger) -> None:
    assert refused(school, forger, forger.forge(aud="another-client")) == "wrong_audience"


@pytest.mark.asvs("10.5.4")
def test_a_token_for_another_client_that_names_us_beside_is_refused(school: OpenIdSchool, forger: Forger) -> None:
    assert refused(school, forger, forger.forge(aud="another-client", azp="socialgov")) == "wrong_audience"


@pytest.mark.asvs("10.5.4")
def test_a_token_for_us_and_another_says_that_it_was_made_for_us(school: OpenIdSchool, forger: Forger) -> None:
    both = ["another-client", "socialgov"]
    assert refused(school, forger, forger.forge(aud=both, azp="another-client")) == "wrong_audience"


@pytest.mark.asvs("10.5.1")
def test_a_token_without_our_nonce_is_refused(school: OpenIdSchool, forger: Forger) -> None:
    assert refused(school, forger, forger.forge(nonce=None)) == "wrong_nonce"


def test_a_token_that_ran_out_is_refused(school: OpenIdSchool, forger: Forger) -> None:
    assert refused(school, forger, forger.forge(exp=int(time.time()) - 120)) == "wrong_time"


def test_a_token_of_the_future_is_refused(school: OpenIdSchool, forger: Forger) -> None:
    assert refused(school, forger, forger.forge(iat=int(time.time()) + 300)) == "wrong_time"


def test_an_access_token_that_is_not_the_tokens_own_is_refused(school: OpenIdSchool, forger: Forger) -> None:
    assert refused(school, forger, forger.forge(at_hash="AAAAAAAAAAAAAAAAAAAAAA")) == "wrong_token"


@pytest.mark.parametrize("change", [{"sub": None}, {"sub": ""}, {"sub": 7}, {"exp": None}, {"iat": "now"}])
def test_a_token_that_lacks_what_it_must_say_is_refused(
    school: OpenIdSchool, forger: Forger, change: dict[str, object]
) -> None:
    assert refused(school, forger, forger.forge(**change)) in ("wrong_token", "wrong_time")


@pytest.mark.parametrize("verified", [None, False, "true", 1])
def test_only_true_says_that_an_address_is_verified(school: OpenIdSchool, forger: Forger, verified: object) -> None:
    assert refused(school, forger, forger.forge(email_verified=verified)) == "email_not_verified"


def test_an_address_that_only_looks_like_the_schools_is_refused(school: OpenIdSchool, forger: Forger) -> None:
    address = "teacher@school.example.elsewhere.example"
    assert refused(school, forger, forger.forge(email=address)) == "wrong_domain"


def test_an_answer_that_is_no_token_is_refused(school: OpenIdSchool, forger: Forger) -> None:
    assert refused(school, forger, lambda answer: {**answer, "id_token": "a.b.c"}) == "wrong_token"
