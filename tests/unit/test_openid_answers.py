"""What a sign-in service says of itself and of people: pure, so that anything at all can be tried."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as trying
from hypothesis import strategies as st

from socialgov.config_signin import EmailProof, OpenIdSettings
from socialgov.models import Role
from socialgov.openid.claims import AUTH_LEEWAY, Identity, check_fresh, identity_of
from socialgov.openid.provider import ALGORITHMS
from socialgov.openid.provider import _checked as checked_description
from socialgov.openid.provider import _key_set as key_set
from socialgov.openid.refusals import WORDS, Reason, SignInRefused

unhurried = trying(deadline=None)  # the first use imports a library
BEGUN = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
GOOD = {"sub": "110248495921238986420", "email": "tess@school.example", "email_verified": True, "name": "Tess Teacher"}


def settings(**choices: Any) -> OpenIdSettings:
    values: dict[str, Any] = {
        "issuer": "https://sign-in.example",
        "client_id": "socialgov",
        "secret_file": Path("/nowhere"),
        "label": "your school account",
        "domains": ("school.example",),
        "hosted_domain": "",
        "email_proof": EmailProof.EMAIL_VERIFIED,
        "scopes": ("openid", "email"),
        "form_origins": (),
        "step_up": True,
        "enter_staff": False,
        "groups_claim": "groups",
        "groups": {},
    }
    return OpenIdSettings(**{**values, **choices})


def reason_of(claims: dict[str, Any], chosen: OpenIdSettings) -> Reason | None:
    try:
        identity_of(claims, chosen)
    except SignInRefused as refusal:
        return refusal.reason
    return None


@pytest.mark.asvs("6.8.1")
def test_an_identity_is_the_issuer_and_the_subject() -> None:
    found = identity_of(GOOD, settings())
    assert (found.issuer, found.subject) == ("https://sign-in.example", "110248495921238986420")
    assert (found.email, found.name, found.groups) == ("tess@school.example", "Tess Teacher", None)
    assert "tess" not in repr(found).lower()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"email": "tess@elsewhere.example"}, Reason.WRONG_DOMAIN),
        ({"email": "tess@sub.school.example"}, Reason.WRONG_DOMAIN),
        ({"email": "tess@school.example.evil.example"}, Reason.WRONG_DOMAIN),
        ({"email": "tess@evil.example@school.example"}, Reason.EMAIL_NOT_VERIFIED),
        ({"email": "tess@sсhool.example"}, Reason.EMAIL_NOT_VERIFIED),  # a Cyrillic letter
        ({"email": "tess@school.example\n"}, Reason.EMAIL_NOT_VERIFIED),
        ({"email": ["tess@school.example"]}, Reason.EMAIL_NOT_VERIFIED),
        ({"email": None}, Reason.EMAIL_NOT_VERIFIED),
        ({"email_verified": False}, Reason.EMAIL_NOT_VERIFIED),
        ({"email_verified": "true"}, Reason.EMAIL_NOT_VERIFIED),
        ({"email_verified": 1}, Reason.EMAIL_NOT_VERIFIED),
        ({"email": "TESS@School.Example"}, None),
    ],
)
def test_only_a_verified_address_of_the_school_is_taken(change: dict[str, Any], reason: Reason | None) -> None:
    assert reason_of({**GOOD, **change}, settings()) == reason


@pytest.mark.parametrize(
    ("said", "reason"),
    [(True, None), ("1", None), (1, None), ("true", None), (False, Reason.EMAIL_NOT_VERIFIED)]
    + [(wrong, Reason.EMAIL_NOT_VERIFIED) for wrong in (None, 0, "0", "", [], "yes")],
)
def test_entra_says_by_xms_edov_that_the_tenant_owns_the_domain(said: object, reason: Reason | None) -> None:
    claims = {name: value for name, value in GOOD.items() if name != "email_verified"}
    assert reason_of({**claims, "xms_edov": said}, settings(email_proof=EmailProof.XMS_EDOV)) == reason


def test_email_verified_is_no_proof_where_the_school_asks_for_another() -> None:
    assert reason_of(GOOD, settings(email_proof=EmailProof.XMS_EDOV)) == Reason.EMAIL_NOT_VERIFIED


@pytest.mark.parametrize("hosted", [None, "elsewhere.example", "School.Example", ["school.example"], True])
def test_google_must_say_that_the_account_is_of_the_schools_workspace(hosted: object) -> None:
    chosen = settings(hosted_domain="school.example")
    assert reason_of({**GOOD, "hd": hosted}, chosen) == Reason.WRONG_DOMAIN
    assert reason_of({**GOOD, "hd": "school.example"}, chosen) is None


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"groups": None},
        {"groups": "staff"},
        {"groups": ["staff", 7]},
        {"hasgroups": True},
        {"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": "https://graph.example"}}},
    ],
)
def test_groups_that_are_not_all_there_are_refused_and_not_guessed(told: dict[str, Any]) -> None:
    assert reason_of({**GOOD, **told}, settings(groups={"staff": (Role.TEACHER,)})) == Reason.GROUPS_UNKNOWN


def test_no_group_at_all_is_an_answer() -> None:
    assert reason_of({**GOOD, "groups": []}, settings(groups={"staff": (Role.TEACHER,)})) is None


ROLES = st.frozensets(st.sampled_from(list(Role)))
MAPPING = st.dictionaries(st.sampled_from("abcd"), st.lists(st.sampled_from(list(Role)), min_size=1).map(tuple))


@unhurried
@given(ROLES, MAPPING, st.frozensets(st.sampled_from("abcdef")))
def test_groups_decide_the_mapped_roles_and_no_others(
    by_hand: frozenset[Role], mapping: dict[str, tuple[Role, ...]], groups: frozenset[str]
) -> None:
    chosen = settings(groups=mapping)
    identity = Identity("i", "s", "e", "n", groups if mapping else None, None)
    found = identity.roles_with(by_hand, chosen)
    mapped = {role for roles in mapping.values() for role in roles}
    assert found - mapped == by_hand - mapped
    assert found & mapped == {role for group in groups for role in mapping.get(group, ())}
    if Role.HEAD not in mapped:
        assert (Role.HEAD in found) is (Role.HEAD in by_hand)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
NAMES = st.sampled_from(["email", "email_verified", "xms_edov", "hd", "name", "groups", "auth_time", "_claim_names"])


@unhurried
@given(st.dictionaries(NAMES, JSON | st.sampled_from(["tess@school.example", True]), max_size=6))
def test_any_claims_are_an_identity_of_the_school_or_refused(claims: dict[str, Any]) -> None:
    chosen = settings(groups={"staff": (Role.TEACHER,)})
    try:
        found = identity_of({"sub": "someone", **claims}, chosen)
    except SignInRefused:
        return
    assert found.email.endswith("@school.example")
    assert claims["email_verified"] is True
    assert 0 < len(found.name) <= 100
    assert found.groups is not None


PLACES = ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint", "end_session_endpoint"]
LISTS = ["id_token_signing_alg_values_supported", "token_endpoint_auth_methods_supported"]
WHERE = st.sampled_from(["https://sign-in.example/x", "http://sign-in.example/x", "https://[", "//x", "https://u:p@x"])


@unhurried
@given(st.dictionaries(st.sampled_from([*PLACES, *LISTS, "issuer"]), JSON | WHERE | st.just(["RS256", "none"])))
def test_any_description_is_used_as_the_schools_or_refused(document: dict[str, Any]) -> None:
    chosen = settings(form_origins=("https://sign-in.example",))
    base = {"issuer": chosen.issuer, **dict.fromkeys(PLACES[:3], "https://sign-in.example/x")}
    try:
        found = checked_description({**base, **document}, chosen)
    except SignInRefused:
        return
    assert found.issuer == chosen.issuer
    assert found.authorize.startswith("https://sign-in.example/")
    assert all(url.startswith("https://") for url in (found.token, found.keys))
    assert set(found.algorithms) <= ALGORITHMS


@unhurried
@given(
    st.lists(st.dictionaries(st.sampled_from(["kty", "n", "e", "k", "x", "crv", "kid", "d"]), JSON), max_size=3) | JSON
)
def test_any_keys_are_public_ones_or_refused(keys: Any) -> None:
    with pytest.raises(SignInRefused):
        key_set({"keys": keys})


def test_a_shared_secret_among_the_keys_is_left_out() -> None:
    from joserfc.jwk import OctKey, RSAKey

    public = RSAKey.generate_key(2048, {"kid": "public"})
    secret = OctKey.generate_key(256, {"kid": "secret"})
    found = key_set({"keys": [public.as_dict(private=True), secret.as_dict(private=True)]})
    assert [key.kid for key in found.keys] == ["public"]
    assert not any(key.is_private for key in found.keys)


# --------------------------------------------------------------------------------------------------- auth_time


def fresh(auth_time: object, now: datetime = BEGUN + timedelta(seconds=40)) -> bool:
    identity = identity_of({**GOOD, "auth_time": auth_time}, settings())
    try:
        check_fresh(identity, BEGUN, timedelta(minutes=5), now)
    except SignInRefused as refusal:
        assert refusal.reason is Reason.STALE
        return False
    return True


@pytest.mark.asvs("6.8.4")
def test_only_who_was_asked_since_the_confirmation_began_confirms() -> None:
    begun = int(BEGUN.timestamp())
    leeway = int(AUTH_LEEWAY.total_seconds())
    assert fresh(begun)
    assert fresh(begun + 40)
    assert fresh(begun - leeway)
    assert not fresh(begun - leeway - 1)
    assert not fresh(begun + 40 + leeway + 1)  # a moment that is yet to come
    assert not fresh(begun, BEGUN + timedelta(minutes=5, seconds=leeway + 1))  # longer ago than a confirmation counts


@pytest.mark.asvs("6.8.4")
@pytest.mark.parametrize("auth_time", [None, "", "1795424400", True, 0, -1, 1e300, [], {}])
def test_a_service_that_does_not_say_when_it_asked_confirms_nothing(auth_time: object) -> None:
    assert not fresh(auth_time)


def test_each_reason_has_its_words_and_a_next_step() -> None:
    assert set(WORDS) == set(Reason)
    for message, mend in WORDS.values():
        assert message.endswith(".")
        assert mend.endswith(".")
