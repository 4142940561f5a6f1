"""Marked secrets, and every form in which one might lie about: plain, base64, hex, backwards, in another encoding.

A canary that is found where nobody is shown it has escaped.
"""

from __future__ import annotations

import base64
import html
import io
import json
import logging
import urllib.parse
import zlib
from collections.abc import Iterable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from flask.testing import FlaskClient
from sqlite_utils import Database
from werkzeug.test import TestResponse


def forms_of(secret: str) -> dict[str, bytes]:
    """How → the bytes to look for. base64 in its three alignments, without the letters that depend on neighbours."""
    plain = secret.encode()
    found = {
        "plain": plain,
        "backwards": plain[::-1],
        "hex": plain.hex().encode(),
        "HEX": plain.hex().upper().encode(),
        "utf-16": secret.encode("utf-16-le"),
        "utf-16 of the other end": secret.encode("utf-16-be"),
        "utf-32": secret.encode("utf-32-le"),
        "in an address": urllib.parse.quote(secret, safe="").encode(),
        "in a form": urllib.parse.quote_plus(secret).encode(),
        "in HTML": html.escape(secret).encode(),
        "in JSON": json.dumps(secret)[1:-1].encode(),
        "in Python": repr(secret)[1:-1].encode(),
        "folded": secret.casefold().encode(),
    }
    for shift in range(3):
        for name, alphabet in (("base64", base64.b64encode), ("base64url", base64.urlsafe_b64encode)):
            inner = alphabet(b"\0" * shift + plain).rstrip(b"=")
            found[f"{name}, {shift} after"] = inner[-(-8 * shift // 6) : len(inner) - 1]
    return found


def found_in(secrets: Mapping[str, str], heap: bytes) -> list[str]:
    """`name of the secret, how it lies there` for each that is in `heap`."""
    return [
        f"{name}, {how}" for name, secret in secrets.items() for how, look in forms_of(secret).items() if look in heap
    ]


# --------------------------------------------------------------------------------------------------- where to look


def files_of(folder: Path) -> Iterable[tuple[str, bytes]]:
    """Every file, as it lies there."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield str(path.relative_to(folder)), path.read_bytes()


def rows_of(db: Database) -> Iterable[tuple[str, bytes]]:
    """Every value of every table: a page of the file may cut a text in two."""
    names = [row[0] for row in db.execute("select name from sqlite_master where type = 'table'")]
    for name in names:
        for row in db.execute(f"select * from [{name}]"):
            yield f"table {name}", b"\n".join(v if isinstance(v, bytes) else str(v).encode() for v in row)


def what_cookies_say(headers: Iterable[tuple[str, str]]) -> bytes:
    """The content of the signed session cookies: anybody who has one can read it."""
    told = []
    for name, value in headers:
        if name.lower() == "set-cookie":
            signed = value.split("=", 1)[1].split(";")[0]
            text = signed.removeprefix(".").split(".")[0]  # a dot in front: it is compressed
            raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            told.append(zlib.decompress(raw) if signed.startswith(".") else raw)
    return b"\n".join(told)


@dataclass(frozen=True)
class Answer:
    """One answer: the request's method and address, all that came back, and what it was allowed to show."""

    where: str
    heap: bytes
    shows: frozenset[str]


@dataclass
class Journal:
    """Everything that any browser of the story was answered, and where every request went."""

    answers: list[Answer] = field(default_factory=list)

    def keep(self, answer: TestResponse, shows: Iterable[str] = ()) -> None:
        request = answer.request
        heads = "\n".join(f"{name}: {value}" for name, value in answer.headers if name.lower() != "set-cookie")
        heap = b"\n".join((request.url.encode(), heads.encode(), what_cookies_say(answer.headers), answer.data))
        self.answers.append(Answer(f"{request.method} {request.path}", heap, frozenset(shows)))

    def escaped(self, secrets: Mapping[str, str]) -> list[str]:
        """What was answered where it was not asked for."""
        return [
            f"{answer.where}: {found}"
            for answer in self.answers
            for found in found_in(
                {name: value for name, value in secrets.items() if name not in answer.shows}, answer.heap
            )
        ]


@dataclass
class Browser:
    """A client whose every answer is kept in the journal. `shows` names the canaries that this answer is for."""

    client: FlaskClient
    journal: Journal

    def get(self, path: str, *, shows: Iterable[str] = (), **options: Any) -> TestResponse:
        answer = self.client.get(path, **options)
        self.journal.keep(answer, shows)
        return answer

    def post(self, path: str, data: Mapping[str, Any], *, shows: Iterable[str] = ()) -> TestResponse:
        answer = self.client.post(path, data=dict(data))
        self.journal.keep(answer, shows)
        return answer


class Listening:
    """Everything that Python's logging says at DEBUG, from any library, and what is printed, while the block runs."""

    def __init__(self) -> None:
        self.said = io.StringIO()
        self._handler = logging.StreamHandler(self.said)
        self._handler.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s"))
        self._printed = (redirect_stdout(self.said), redirect_stderr(self.said))

    def __enter__(self) -> Self:
        root = logging.getLogger()
        self._level = root.level
        root.setLevel(logging.DEBUG)
        root.addHandler(self._handler)
        for redirected in self._printed:
            redirected.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for redirected in self._printed:
            redirected.__exit__(kind, error, trace)
        root = logging.getLogger()
        root.removeHandler(self._handler)
        root.setLevel(self._level)

    @property
    def heap(self) -> bytes:
        return self.said.getvalue().encode()
