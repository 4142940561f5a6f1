"""Every page opens for whom it is meant, with one heading, and never shows a gap of the template."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from stage import Stage, pages_of, set_stage

from socialgov.home import Home
from socialgov.models import Staff

EXPECTED = {"signin-refused": 410, "not-found": 404, "not-permitted": 403}


@pytest.fixture
def stage(home: Home) -> Stage:
    return set_stage(home)


def test_it_opens_every_page(stage: Stage, browse: Callable[[Staff], FlaskClient], client: FlaskClient) -> None:
    clients: dict[int, FlaskClient] = {}
    for name, person, path in pages_of(stage):
        visitor = client if person is None else clients.setdefault(person.id, browse(person))
        answer = visitor.get(path)
        assert answer.status_code == EXPECTED.get(name, 200), f"{name}: {answer.status_code}\n{answer.text[-1500:]}"
        assert len(re.findall(r"<h1[ >]", answer.text)) == 1, name
        assert "<script" not in answer.text, name
        assert not re.search(r"<[^>]+ style=", answer.text), name
        assert "None" not in re.sub(r"<[^>]+>", "", answer.text), name
