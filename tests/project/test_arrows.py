"""The arrows of the design, read from the imports: web, cli, jobs → actions → {rules, lifecycle, permissions | store,
escrow, platforms} → models."""

from __future__ import annotations

import ast
import re

from source import Module, imports, modules

# each part may import those below it, and itself; helpers stand where their users need them
LAYERS = (
    {"models", "errors", ""},
    {
        "addresses",
        "lifecycle",
        "permissions",
        "planning",
        "prices",
        "rules",
        "tomlfile",
        "csvfiles",
        "exports",
        "names",
        "logo",
        "passwords",
        "generator",
        "pictures",
        "traces",
    },
    {"store", "escrow", "platforms", "openid", "config", "import", "importing"},
    {"home"},
    {"actions"},
    {"jobs", "web", "sandbox"},
    {"cli", "demo", "__main__"},
)
PURE = {"models", "errors", "lifecycle", "permissions", "planning", "prices", "rules"}
HARMLESS = {
    "__future__", "abc",
    "collections", "dataclasses", "datetime", "enum", "functools", "itertools", "math", "operator", "re",
    "string", "types", "typing", "unicodedata", "zoneinfo",
}  # fmt: skip
ONLY_IN = {
    "keyring": {"escrow"},
    "keyrings": {"escrow"},
    "cryptography": {"escrow"},
    "shamir_mnemonic": {"escrow"},
    "apscheduler": {"jobs"},
    "sqlite3": {"store", "sandbox"},
    "sqlite_utils": {"store"},
    "httpx": {"platforms", "openid"},
    "authlib": {"openid", "platforms"},
    "joserfc": {"openid"},
    "smtplib": {"actions"},
    "flask": {"web", "sandbox"},
    "click": {"cli"},
}
APART = ({"web", "jobs"}, {"store", "escrow", "platforms", "openid"})  # neighbours that do not know each other
WRITING = {"write", "guarded_update", "insert", "record_event", "migrate"}


def layer(part: str) -> int:
    """The layer of a part; `cli_school` belongs to cli. Raises AssertionError for a part that stands in none."""
    number = _place(family(part))
    assert number is not None, f"socialgov.{part} stands in no layer: say in LAYERS where it belongs"
    return number


def _place(part: str) -> int | None:
    return next((number for number, parts in enumerate(LAYERS) if part in parts), None)


def family(part: str) -> str:
    return part if any(part in parts for parts in LAYERS) else part.split("_", maxsplit=1)[0]


def part_of(name: str) -> str:
    return ([*name.split("."), ""])[1]


def test_every_module_stands_in_a_layer() -> None:
    homeless = [module.name for module in modules() if _place(family(module.part)) is None]
    assert homeless == [], "say in LAYERS where they belong"


def test_arrows_run_one_way() -> None:
    wrong = [
        f"{module.where(used.line)} imports {used.module}"
        for module in modules()
        for used in imports(module)
        if used.module.split(".")[0] == "socialgov" and not used.typing_only and _is_upwards(module, used.module)
    ]
    assert wrong == []


def _is_upwards(module: Module, used: str) -> bool:
    mine, theirs = family(module.part), family(part_of(used))
    if module.part == "" and theirs == "web":
        return False  # create_app, the one door from above
    return layer(theirs) > layer(mine)


def test_neighbours_do_not_know_each_other() -> None:
    wrong = [
        f"{module.where(used.line)} imports {used.module}"
        for module in modules()
        for used in imports(module)
        for group in APART
        if family(module.part) in group
        and family(part_of(used.module)) in group - {family(module.part)}
        and used.module.startswith("socialgov.")
    ]
    assert wrong == []


def test_what_decides_does_no_input_or_output() -> None:
    wrong = [
        f"{module.where(used.line)} imports {used.module}"
        for module in modules()
        if module.part in PURE
        for used in imports(module)
        if used.module.split(".")[0] not in HARMLESS
        and not (used.module.split(".")[0] == "socialgov" and part_of(used.module) in PURE)
    ]
    assert wrong == []


def test_each_dangerous_library_has_one_place() -> None:
    wrong = [
        f"{module.where(used.line)} imports {used.module}"
        for module in modules()
        for used in imports(module)
        if (places := ONLY_IN.get(used.module.split(".")[0]))
        and not used.typing_only
        and family(module.part) not in places | {"demo"}
    ]
    assert wrong == []


def test_the_simulated_network_stands_outside_the_product() -> None:
    wrong = [
        f"{module.where(used.line)} imports {used.module}"
        for module in modules()
        for used in imports(module)
        if family(module.part) == "sandbox"
        and used.module.startswith("socialgov")
        and part_of(used.module) != "sandbox"
    ]
    assert wrong == []


def test_the_demonstration_uses_no_key_and_no_sql_of_its_own() -> None:
    forbidden = {"keyring", "cryptography", "sqlite3", "sqlite_utils"}
    assert [
        module.where(used.line)
        for module in modules()
        if family(module.part) == "demo"
        for used in imports(module)
        if used.module.split(".")[0] in forbidden
    ] == []


def test_sql_is_asked_only_in_the_store() -> None:
    wrong = [
        module.where(node.lineno)
        for module in modules()
        if family(module.part) not in {"store", "sandbox"}
        for node in ast.walk(module.tree)
        if (isinstance(node, ast.Attribute) and node.attr in {"execute", "executescript", "executemany"})
        or (isinstance(node, ast.Constant) and isinstance(node.value, str) and _is_sql(node.value))
    ]
    assert wrong == []


def _is_sql(text: str) -> bool:
    return bool(re.match(r"\s*(select\s.+\sfrom\s|insert\s.*into\s|update\s\S+\sset\s|delete\sfrom\s)", text, re.S))


def test_only_actions_change_the_school() -> None:
    wrong = [
        f"{module.where(node.lineno)} imports {alias.name}"
        for module in modules()
        if family(module.part) in {"web", "cli", "jobs", "demo"}
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("socialgov.store")
        for alias in node.names
        if alias.name in WRITING
    ]
    assert wrong == []


def test_nothing_outside_platforms_compares_a_platform_by_name() -> None:
    wrong = [
        module.where(node.lineno)
        for module in modules()
        if family(module.part) != "platforms"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Compare)
        and re.search(r"\b(platform|adapter)(\.key|\.name|\.adapter)?$", ast.unparse(node.left))
        and any(isinstance(side, ast.Constant) and isinstance(side.value, str) for side in node.comparators)
    ]
    assert wrong == []


def test_the_clock_is_read_in_one_place() -> None:
    wrong = [
        module.where(node.lineno)
        for module in modules()
        if family(module.part) not in {"home", "cli", "demo"}
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"datetime.now", "datetime.utcnow", "date.today", "datetime.today", "time.time"}
    ]
    assert wrong == []


def test_files_stay_readable() -> None:
    long = [module.path.name for module in modules() if module.lines > 400]
    assert long == []


def test_functions_stay_readable() -> None:
    long = [
        f"{module.where(node.lineno)} {node.name}"
        for module in modules()
        if module.path.name != "migrations.py"  # a schema is one text
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (node.end_lineno or 0) - node.lineno + 1 > 60
    ]
    assert long == []
