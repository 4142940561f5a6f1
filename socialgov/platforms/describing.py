"""What config/platforms.toml says of a platform for people: privacy, settings, checks, and its own export file."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from socialgov.models import ExportFormat, ExportList, Fact

if TYPE_CHECKING:
    from socialgov.tomlfile import Table

# what a person may have to find in a platform's settings
SETTINGS = frozenset(
    {
        "private", "picture", "profile_text", "address", "password", "second_factor", "sessions", "apps", "delegates",
        "followers", "messages", "export", "delete",
    }
)  # fmt: skip
FILE = "."  # the place of a list that is the whole file
# the facts that a list in an export file can answer
LISTED = (Fact.FOLLOWERS, Fact.FOLLOWS, Fact.LIKES, Fact.SHARES, Fact.POSTS)


def described(table: Table, name: str) -> dict[str, Any]:
    """The fields of PlatformInfo that are for people. Raises ConfigError for a setting or list that nobody asks for."""
    where, export = table.table("settings"), table.table("export")
    has_where, why_none = bool(where.names()), table.text("no_export", "")
    if export.names() and why_none:
        raise table.refuse("no_export", "`no_export` stands beside an [export].", "Keep one of the two.")
    found: dict[str, Any] = {
        "privacy": table.text("privacy", ""),
        "checks": _named(table, "checks", name),
        "settings": MappingProxyType({key: where.text(key) for key in sorted(SETTINGS) if where.has(key)}),
        "settings_source": where.text("source") if has_where else "",
        "settings_on": where.day("looked_up_on") if has_where else None,
        "export": _format(export, name) if export.names() else None,
        "no_export": why_none,
        "login_every_days": table.whole("login_every_days", 1, 400) if table.has("login_every_days") else None,
    }
    where.asked |= SETTINGS
    table.asked.add("login_every_days")
    where.close()
    export.close()
    return found


def _format(table: Table, name: str) -> ExportFormat:
    lists = table.table("lists", required=True)
    found = {fact: _list(fact, lists.table(fact.value)) for fact in LISTED if lists.has(fact.value)}
    lists.asked |= {fact.value for fact in LISTED}
    lists.close()
    places = ("about", "made_at", "partial", "whose", "owner_id", "owner_name")
    return ExportFormat(
        source=table.text("source"),
        looked_up_on=table.day("looked_up_on"),
        ask=_named(table, "ask", name),
        lists=MappingProxyType(found),
        archive_name=_expression(table, "archive_name"),
        **{place: table.text(place, "") or None for place in places},
    )


def _list(fact: Fact, table: Table) -> ExportList:
    found = ExportList(
        fact=fact,
        files=table.words("files"),
        at=tuple("" if place == FILE else place for place in table.words("at", (FILE,))),
        id=table.words("id", ()),
        name=table.words("name", ()),
        time=table.words("time", ()),
        links=_expression(table, "links"),
        counted=table.text("counted", "") or None,
    )
    table.close()
    return found


def _named(table: Table, key: str, name: str) -> tuple[str, ...]:
    return tuple(one.replace("{name}", name) for one in table.words(key, ()))


def _expression(table: Table, key: str) -> str | None:
    pattern = table.text(key, "")
    try:
        re.compile(pattern)
    except re.error as error:
        raise table.refuse(key, f"`{key}` is no regular expression: {error}.", "Mend it.") from None
    return pattern or None
