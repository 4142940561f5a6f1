"""The simulated network's JSON interface, held to its own description with data that nobody would think of."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, settings
from networks import Clock
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from socialgov.sandbox import create_sandbox
from socialgov.sandbox.openapi import PATHS, description

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
FAST = settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)


def test_every_route_is_described_and_nothing_else(tmp_path: Path) -> None:
    app = create_sandbox(tmp_path / "network.db", Clock())
    routes = {
        (re.sub(r"<(?:[^:<>]+:)?(\w+)>", r"{\1}", rule.rule.removeprefix("/api")), method.lower())
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("api.") and rule.endpoint != "api.openapi"
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    described = {(path, method) for path, ways in PATHS.items() for method in ways if method != "parameters"}
    assert routes == described


@dataclass(frozen=True)
class Served:
    """The network, with an account in it."""

    app: Flask
    other_id: str


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Served:
    app = create_sandbox(tmp_path_factory.mktemp("network") / "network.db", Clock())
    return Served(app, app.extensions["network"].create_account("other", "Trains-8-boats!").id)


schema = schemathesis.openapi.from_dict(description())


@schema.parametrize()
@FAST
def test_whatever_a_stranger_sends_is_answered_as_described(case: schemathesis.Case, network: Served) -> None:
    case.call_and_validate(app=network.app, checks=CHECKS)


@schema.exclude(path=["/session", "/sessions", "/access"]).parametrize()
@FAST
def test_whatever_a_member_sends_is_answered_as_described(case: schemathesis.Case, network: Served) -> None:
    """About their own account, except where two accounts meet: a new one each time, for it may be deactivated."""
    kept = network.app.extensions["network"]
    me = kept.create_account(token_hex(8), "Boats-and-7-trains!")
    for name in case.path_parameters:
        if name.endswith("_id"):
            case.path_parameters[name] = me.id if name == "account_id" else network.other_id
    case.call_and_validate(app=network.app, checks=CHECKS, headers={"Authorization": f"Bearer {kept.make_token(me)}"})


def test_what_is_no_json_is_refused_in_json(network: Served) -> None:
    client = network.app.test_client()
    for body in (b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe", b"1" * 10_000):
        answer = client.post("/api/session", data=body, content_type="application/json")
        assert (answer.status_code, answer.json) == (400, {"error": "bad_request"})
