"""Headers on every answer, forged forms refused, and errors that tell the reader what to do and nothing else."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from factories import NOW, make_home
from flask import Flask
from flask.testing import FlaskClient
from stage import Stage, set_stage
from test_access import address, routes

from socialgov.actions.signin import make_signin_link
from socialgov.errors import StoreError
from socialgov.home import Home
from socialgov.models import Staff
from socialgov.web import accounts as account_pages
from socialgov.web import build_app
from socialgov.web.security import HEADERS

Browse = Callable[[Staff], FlaskClient]


@pytest.fixture
def stage(home: Home) -> Stage:
    return set_stage(home)


@pytest.mark.asvs("3.4.3", "3.4.4", "3.4.5", "3.4.6", "14.3.2")
def test_every_answer_carries_the_headers(app: Flask, browse: Browse, client: FlaskClient, stage: Stage) -> None:
    for visitor in (client, browse(stage.cast.manager)):
        for rule, method in routes(app):
            answer = visitor.open(address(app, rule, stage.closing.id), method=method)
            for name, value in HEADERS.items():
                assert answer.headers[name] == value, f"{method} {rule.rule}: {name}"
            assert answer.headers["Cache-Control"] == "no-store", rule.rule


@pytest.mark.parametrize("path", ["/nothing", "/static/socialgov.css", "/static/nothing", "/bootstrap/static/x"])
@pytest.mark.asvs("3.4.3", "3.4.4", "3.4.5", "3.4.6")
def test_errors_and_files_carry_the_headers_too(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS


@pytest.mark.asvs("3.4.3", "3.4.6")
def test_the_policy_allows_no_script_and_nothing_inline() -> None:
    policy = HEADERS["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "frame-ancestors 'none'" in policy


def test_a_stylesheet_may_be_kept(client: FlaskClient) -> None:
    assert "no-store" not in client.get("/static/socialgov.css").headers["Cache-Control"]


@pytest.mark.asvs("3.3.1", "3.3.3", "3.4.1")
def test_https_makes_the_cookie_secure_and_bound_to_the_host(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    settings = replace(home.settings, base_url="https://social.school.example")
    app = build_app(replace(home, settings=settings))
    client = app.test_client()
    link = make_signin_link(home, 1, actor="cli", now=NOW)
    app.config["WTF_CSRF_ENABLED"] = False
    answer = client.post(link, base_url="https://social.school.example")
    assert answer.headers["Set-Cookie"].startswith("__Host-socialgov=")
    assert "Secure" in answer.headers["Set-Cookie"]
    assert "max-age=" in answer.headers["Strict-Transport-Security"]


@pytest.mark.asvs("16.5.1")
def test_another_host_name_is_refused_without_a_trace(client: FlaskClient) -> None:
    answer = client.get("/signin", headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert "evil.example" not in answer.text


def test_forwarding_headers_are_believed_only_when_the_school_says_so(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    forwarded = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
    for proxies, seen in ((0, "127.0.0.1"), (1, "203.0.113.9")):
        app = build_app(replace(home, settings=replace(home.settings, trusted_proxies=proxies)))
        heard: list[str | None] = []
        app.before_request_funcs[None].insert(
            0, lambda heard=heard: heard.append(__import__("flask").request.remote_addr)
        )
        app.test_client().get("/signin", headers=forwarded)
        assert heard == [seen]


# --------------------------------------------------------------------------------------------------- forged forms


@pytest.mark.asvs("3.5.1")
def test_every_form_is_refused_without_its_token(app: Flask, browse: Browse, stage: Stage) -> None:
    client = browse(stage.cast.manager)
    app.config["WTF_CSRF_ENABLED"] = True
    for rule, method in routes(app):
        if method == "POST":
            answer = client.post(address(app, rule, stage.live.id), data={"reason": "x"})
            assert answer.status_code in (400, 403), rule.rule
            if answer.status_code == 400:
                assert "open too long" in answer.text


@pytest.mark.asvs("3.5.1")
def test_a_link_is_not_used_up_by_another_site(app: Flask, home: Home, teacher: Staff) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    link = make_signin_link(home, teacher.id, actor="cli", now=NOW)
    client = app.test_client()
    assert client.post(link).status_code == 400
    assert teacher.name in client.get(link).text


# --------------------------------------------------------------------------------------------------- errors


@pytest.mark.asvs("16.5.1")
def test_a_fault_of_ours_shows_no_trace(
    app: Flask, browse: Browse, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(*_: object) -> None:
        raise RuntimeError("the secret is hunter2")

    monkeypatch.setattr(account_pages, "current_findings", explode)
    answer = browse(stage.cast.owner).get(f"/accounts/{stage.live.id}")
    assert answer.status_code == 500
    assert "Something went wrong on our side" in answer.text
    assert "hunter2" not in answer.text
    assert "Traceback" not in answer.text


@pytest.mark.asvs("16.5.1")
def test_a_lost_database_is_told_in_words(browse: Browse, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object) -> None:
        raise StoreError("The database is busy, so nothing was saved.", "Try again in a moment.")

    monkeypatch.setattr(account_pages, "current_findings", busy)
    answer = browse(stage.cast.owner).get(f"/accounts/{stage.live.id}")
    assert answer.status_code == 503
    assert "Try again in a moment." in answer.text


def test_a_file_that_is_too_large_is_refused_with_the_limit(app: Flask, browse: Browse, stage: Stage) -> None:
    app.config["MAX_CONTENT_LENGTH"] = 1024 * 1024
    file = (io.BytesIO(b"x" * (1024 * 1024 + 1)), "big.png")
    answer = browse(stage.cast.owner).post(
        f"/accounts/{stage.live.id}/facts/private", data={"value": "yes", "screenshot": file}
    )
    assert answer.status_code == 413
    assert "larger than the 1 MB" in answer.text


def test_it_says_what_mends_a_refusal(browse: Browse, stage: Stage) -> None:
    text = browse(stage.cast.owner).get("/staff/").text
    assert "Only the network manager can" in text
    assert "Ask them" in text
