"""What a page of a long list costs, asked for through the WSGI interface."""

from __future__ import annotations

import re
import time
from statistics import median

from flask.testing import FlaskClient

from bench.lines import NOW
from socialgov.actions.signin import make_signin_link
from socialgov.home import Home
from socialgov.models import Role
from socialgov.store.staff import staff_with_role
from socialgov.web import build_app

ROWS, PAGES = 50, 20


def signed_in(home: Home) -> FlaskClient:
    """The product, with its network manager signed in."""
    client = build_app(home).test_client()
    manager = staff_with_role(home.db, Role.NETWORK_MANAGER)[0]
    link = make_signin_link(home, manager.id, actor="cli", now=NOW)
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get(link).text)
    assert token
    assert client.post(link, data={"csrf_token": token[1]}).status_code == 302
    return client


def seconds(client: FlaskClient, path: str) -> float:
    """The median page of PAGES, so that one moment in which the machine did something else does not count."""
    return median(one_page(client, path) for _ in range(PAGES))


def one_page(client: FlaskClient, path: str) -> float:
    """Seconds for one answer. Raises AssertionError when it does not list ROWS accounts."""
    begun = time.perf_counter()
    answer = client.get(path)
    spent = time.perf_counter() - begun
    assert answer.status_code == 200
    assert answer.text.count("<tr>") == ROWS + 1, answer.text.count("<tr>")
    return spent
