"""Platforms as data: config/platforms.toml read into PlatformInfo. Raises ConfigError with file, line and mend."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING

from socialgov.config_values import outside_file
from socialgov.models import ApiClient, CallCost, Capability, PlatformInfo, Tariff
from socialgov.platforms import ADAPTERS
from socialgov.platforms.describing import described
from socialgov.tomlfile import Table, read_toml

if TYPE_CHECKING:
    from pathlib import Path

# with {handle}, or with {name} and {server} on a network of many servers, and nothing else in braces
PROFILE_URL = r"[^\s{}]*(\{handle\}|\{server\}[^\s{}]*\{name\})[^\s{}]*"
# What a guide of config/platforms.toml can serve: a step of the closing plan, a task before the gate, a part of the
# change of a password, or the sign-in that some platforms want from time to time.
GUIDED = frozenset(
    {
        "set_up",
        "set_logo",
        "profile_text",
        "recovery",
        "keep_login",
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


def read_platforms(path: Path, chosen: Table, root: Path) -> Mapping[str, PlatformInfo]:
    """The platforms of the file at `path` by key; in `chosen`, the school's [platforms], one may get another server,
    a client and a budget. `root` is the school's home, in which no secret may lie.
    """
    shipped = read_toml(path)
    common, tables = _guides(shipped), shipped.table("platforms", required=True)
    platforms = {}
    for key in tables.names():
        info = _platform(key, tables.table(key), common)
        if chosen.has(key):
            own = chosen.table(key)
            info = _own_choices(info, own, root)
            own.close()
        platforms[key] = info
    chosen.asked |= set(platforms)
    shipped.close()
    return MappingProxyType(platforms)


def _own_choices(info: PlatformInfo, own: Table, root: Path) -> PlatformInfo:
    client_id = own.text("client_id", "")
    files = [outside_file(own, key, root) for key in ("client_secret_file", "app_token_file")]
    if any(files) and not client_id:
        raise own.refuse("client_id", "`client_id` is missing beside its file.", "Write both, or neither.")
    secret, token = (None if file is None else str(file) for file in files)
    # Another server is another network: what belongs to the shipped one knows nothing of its accounts, and is not told.
    shipped = info if not own.has("api_base") else replace(info, index_base=None, directory_base=None)
    return replace(
        info,
        api_base=_address(own, "api_base", info.api_base),
        index_base=_address(own, "index_base", shipped.index_base),
        directory_base=_address(own, "directory_base", shipped.directory_base),
        client=ApiClient(client_id, secret, token) if client_id else None,
        monthly_budget=_money(own, "monthly_budget") if own.has("monthly_budget") else None,
    )


def _platform(key: str, table: Table, common: Mapping[str, tuple[str, ...]]) -> PlatformInfo:
    age, name = table.table("minimum_age", required=True), table.text("name")
    password = table.table("password_change", required=True)
    info = PlatformInfo(
        key=key,
        name=name,
        adapter=table.text("adapter", pattern="|".join(ADAPTERS), hint=f"Adapters are {', '.join(sorted(ADAPTERS))}."),
        profile_url=table.text("profile_url", pattern=PROFILE_URL, hint="Put {handle} where the name goes."),
        can_be_private=table.flag("can_be_private"),
        minimum_age=age.whole("years", 0, 21),
        minimum_age_source=age.text("source"),
        minimum_age_on=age.day("looked_up_on"),
        deletion_delay_days=table.whole("deletion_delay_days", 0, 400),
        deletion_delay_source=table.text("deletion_delay_source"),
        handle_pattern=_pattern(table),
        guides=_named({**common, **_guides(table)}, name),
        post_length=table.whole("post_length", 1, 100_000),
        api_base=_address(table, "api_base", None),
        index_base=_address(table, "index_base", None),
        directory_base=_address(table, "directory_base", None),
        marks=_marks(table),
        tariff=_tariff(table),
        simulated=table.flag("simulated", False),
        password_change_source=password.text("source"),
        password_change_on=password.day("looked_up_on"),
        **described(table, name),
    )
    for used in (age, password, table):
        used.close()
    return info


def _marks(table: Table) -> Mapping[str, str]:
    """[platforms.KEY.marks]: a word that moderators mark an account with, and what it means."""
    told = table.table("marks")
    marks = MappingProxyType({word: told.text(word) for word in told.names()})
    told.close()
    return marks


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


def _address(table: Table, key: str, default: str | None) -> str | None:
    hint = "Write an address with https:// (http:// only for localhost), without a slash at the end."
    pattern = r"https://[^\s?#@]*[^\s?#@/]|http://(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?(/[^\s?#]*[^\s?#/])?"
    return table.text(key, default or "", pattern=pattern, hint=hint) or None


def _tariff(table: Table) -> Tariff | None:
    """[platforms.KEY.tariff] and [platforms.KEY.calls.NAME]: prices and limits, with whose word and of which day."""
    if not table.has("tariff"):
        return None
    told, calls = table.table("tariff"), table.table("calls", required=True)
    tariff = Tariff(
        currency=told.text("currency", "USD", pattern="[A-Z]{3}", hint="Write three letters, such as USD."),
        source=told.text("source"),
        looked_up_on=told.day("looked_up_on"),
        calls=MappingProxyType({name: _call(name, calls.table(name)) for name in calls.names()}),
    )
    told.close()
    calls.close()
    return tariff


def _call(name: str, table: Table) -> CallCost:
    cost = CallCost(
        name=name,
        says=table.text("says", name.replace("_", " ")),
        unit=table.text("unit", "request", pattern="request|item", hint='Write "request" or "item".'),
        micros=_money(table, "price"),
        limit=table.whole("limit", 1, 1_000_000),
        window_minutes=table.whole("window_minutes", 1, 44_640, 15),
        page=table.whole("page", 1, 100_000, 1),
        shared=table.flag("shared", False),
        serves=table.word("serves", Capability, None) if table.has("serves") else None,
    )
    table.close()
    return cost


def _money(table: Table, key: str) -> int:
    """An amount such as "0.010", in millionths: written as text, for no binary fraction is a price."""
    text = table.text(key, "0", pattern=r"\d{1,6}(\.\d{1,6})?", hint='Write it in quotes, such as "20.00".')
    return int(Decimal(text) * 1_000_000)
