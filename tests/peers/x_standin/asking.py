"""One request as its call understands it: every parameter known and within its limits, or 400."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .calls import Call
from .problems import invalid
from .words import MEDIA_FIELDS, USER_FIELDS, Vocabulary
from .world import User

ID = re.compile(r"[0-9]{1,19}")
USERNAME = re.compile(r"[A-Za-z0-9_]{1,15}")
MOST_IDS = 100


@dataclass
class Ask:
    """`user` is whose token it is; None for an app's own. `items` are what the answer holds and what is charged."""

    call: Call
    words: Vocabulary
    user: User | None
    scopes: frozenset[str]
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: dict[str, Any] = field(default_factory=dict, repr=False)
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    items: int = 0
    micros: int = 0

    def names(self, parameter: str) -> frozenset[str]:
        """The entries of a parameter that is a list."""
        return frozenset(filter(None, self.query.get(parameter, "").split(",")))

    @property
    def page(self) -> int:
        """How many it wants at once: where nothing is said, 100 of accounts and 10 of a timeline."""
        return int(self.query.get("max_results", 10 if self.call.name == "timeline" else 100))

    def wants(self, value: str) -> bool:
        """Is this of a post asked for, in a way in which it is served?"""
        asked = value in self.names(self.words.fields) and value not in self.words.by_expansion
        return asked or value in self.names("expansions") or f"{value}.id" in self.names("expansions")

    @property
    def owner(self) -> User:
        assert self.user is not None
        return self.user


def check(ask: Ask) -> None:
    """Raises Problem for the first thing that is not as its call takes it."""
    known = {ask.words.fields if name == "posts" else name: kind for name, kind in ask.call.parameters.items()}
    for name, value in ask.query.items():
        if name not in known:
            listed = ",".join(sorted({*known, *ask.path}))
            raise invalid(name, value, f"The query parameter [{name}] is not one of [{listed}]")
        _check_value(ask.words, name, value, known[name])
    for name, kind in known.items():
        if kind in ("ids", "command") and name not in ask.query:
            raise invalid(name, "", f"The `{name}` query parameter can not be empty")
    for name, value in ask.path.items():
        pattern = USERNAME if name == "username" else ID
        if not pattern.fullmatch(value):
            raise invalid(name, value, f"The `{name}` query parameter value [{value}] is not valid")


def _check_value(words: Vocabulary, name: str, value: str, kind: str) -> None:
    listed = value.split(",")
    sets = {
        "user.fields": USER_FIELDS,
        "media.fields": MEDIA_FIELDS,
        "post fields": words.values,
        "expansions": words.expansions,
        "exclude": frozenset({"retweets", "replies"}),
        "command": frozenset({"STATUS"}),
    }
    if kind in sets:
        for entry in listed:
            if entry not in sets[kind]:
                allowed = ",".join(sorted(sets[kind]))
                raise invalid(name, entry, f"The `{name}` query parameter value [{entry}] is not one of [{allowed}]")
    elif kind == "ids":
        if len(listed) > MOST_IDS:
            raise invalid(name, value, f"The number of values in the `{name}` query parameter list [{len(listed)}]")
        for entry in listed:
            if not ID.fullmatch(entry):
                raise invalid(name, entry, f"The `{name}` query parameter value [{entry}] is not valid")
    elif kind == "id":
        if not ID.fullmatch(value):
            raise invalid(name, value, f"The `{name}` query parameter value [{value}] is not valid")
    elif kind == "moment":
        moment(name, value)
    elif "-" in kind:
        low, high = map(int, kind.split("-"))
        if not (value.isascii() and value.isdigit() and low <= int(value) <= high):
            raise invalid(name, value, f"The `{name}` query parameter value [{value}] is not between {low} and {high}")


def moment(name: str, value: str) -> datetime:
    """An RFC 3339 moment in UTC, as X wants it."""
    try:
        return datetime.strptime(value, "%Y-%m-%dT%H:%M:%S%z")
    except ValueError:
        raise invalid(name, value, f"The `{name}` query parameter value [{value}] is not a valid date") from None


def only(body: Mapping[str, Any], where: str, **kinds: type) -> None:
    """Refuse a field of a body that is not known, or not of its kind."""
    for name, value in body.items():
        if name not in kinds:
            raise invalid(f"{where}{name}", str(value), f"$.{where}{name}: is not defined in the schema")
        if not isinstance(value, kinds[name]) or (kinds[name] is int and isinstance(value, bool)):
            raise invalid(f"{where}{name}", str(value), f"$.{where}{name}: is of the wrong type")
