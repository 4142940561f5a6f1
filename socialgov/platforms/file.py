"""Platforms as data: config/platforms.toml read into PlatformInfo. Raises ConfigError with file, line and mend."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from socialgov.models import PlatformInfo
from socialgov.platforms import ADAPTERS
from socialgov.tomlfile import Table, read_toml

if TYPE_CHECKING:
    from pathlib import Path

# What a guide of config/platforms.toml can serve: a step of the closing plan, a task before the gate, or a part of the
# change of a password.
GUIDED = frozenset(
    {
        "set_logo",
        "profile_text",
        "recovery",
        "make_private",
        "remove_follower",
        "take_content_down",
        "change_password",
        "end_sessions",
        "new_codes",
        "check_delegates",
        "revoke_access",
        "deactivate",
        "delete",
        "see_it_gone",
        "see_it_gone_for_good",
    }
)


def read_platforms(path: Path, chosen: Table) -> Mapping[str, PlatformInfo]:
    """The platforms of the file at `path` by key; in `chosen`, the school's [platforms], one may get another server."""
    shipped = read_toml(path)
    common, tables = _guides(shipped), shipped.table("platforms", required=True)
    platforms = {}
    for key in tables.names():
        info = _platform(key, tables.table(key), common)
        if chosen.has(key):
            own = chosen.table(key)
            info = replace(info, api_base=_api_base(own, info.api_base))
            own.close()
        platforms[key] = info
    chosen.asked |= set(platforms)
    shipped.close()
    return MappingProxyType(platforms)


def _platform(key: str, table: Table, common: Mapping[str, tuple[str, ...]]) -> PlatformInfo:
    age, name = table.table("minimum_age", required=True), table.text("name")
    password = table.table("password_change", required=True)
    info = PlatformInfo(
        key=key,
        name=name,
        adapter=table.text("adapter", pattern="|".join(ADAPTERS), hint=f"Adapters are {', '.join(sorted(ADAPTERS))}."),
        profile_url=table.text("profile_url", pattern=r"\S*\{handle\}\S*", hint="Put {handle} where the name goes."),
        can_be_private=table.flag("can_be_private"),
        minimum_age=age.whole("years", 0, 21),
        minimum_age_source=age.text("source"),
        minimum_age_on=age.day("looked_up_on"),
        deletion_delay_days=table.whole("deletion_delay_days", 0, 400),
        deletion_delay_source=table.text("deletion_delay_source"),
        handle_pattern=_pattern(table),
        guides=_named({**common, **_guides(table)}, name),
        post_length=table.whole("post_length", 1, 100_000),
        api_base=_api_base(table, None),
        simulated=table.flag("simulated", False),
        password_change_source=password.text("source"),
        password_change_on=password.day("looked_up_on"),
    )
    for used in (age, password, table):
        used.close()
    return info


def _guides(table: Table) -> dict[str, tuple[str, ...]]:
    """The guided steps of one table, by what they serve (GUIDED)."""
    guides = table.table("guides")
    steps = {step: guides.words(step) for step in GUIDED if guides.has(step)}
    guides.asked |= GUIDED
    guides.close()
    return steps


def _named(guides: Mapping[str, tuple[str, ...]], name: str) -> Mapping[str, tuple[str, ...]]:
    return MappingProxyType({step: tuple(one.replace("{name}", name) for one in said) for step, said in guides.items()})


def _pattern(table: Table) -> str:
    pattern = table.text("handle_pattern")
    try:
        re.compile(pattern)
    except re.error as error:
        raise table.refuse(
            "handle_pattern", f"`handle_pattern` is no regular expression: {error}.", "Mend it."
        ) from None
    return pattern


def _api_base(table: Table, default: str | None) -> str | None:
    hint = "Write an address with https:// (http:// only for localhost), without a slash at the end."
    pattern = r"https://[^\s?#@]*[^\s?#@/]|http://(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?(/[^\s?#]*[^\s?#/])?"
    return table.text("api_base", default or "", pattern=pattern, hint=hint) or None
