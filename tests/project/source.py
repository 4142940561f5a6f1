"""The project's own source, parsed: what the tests of its shape read."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "socialgov"


@dataclass(frozen=True, slots=True)
class Import:
    """One imported module, as a dotted name; `typing_only` when it stands under `if TYPE_CHECKING`."""

    module: str
    line: int
    typing_only: bool


@dataclass(frozen=True)
class Module:
    """One file of the package: `name` is its dotted name, `part` the first name below socialgov."""

    path: Path
    name: str
    tree: ast.Module
    lines: int

    @property
    def part(self) -> str:
        names = self.name.split(".")
        return names[1] if len(names) > 1 else ""

    def where(self, line: int) -> str:
        return f"{self.path.relative_to(ROOT)}:{line}"


@cache
def modules() -> tuple[Module, ...]:
    """Every file of the package, in order."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        names = path.relative_to(ROOT).with_suffix("").parts
        text = path.read_text(encoding="utf-8")
        name = ".".join(names[:-1] if names[-1] == "__init__" else names)
        found.append(Module(path, name, ast.parse(text, str(path)), len(text.splitlines())))
    return tuple(found)


def imports(module: Module) -> Iterator[Import]:
    """Everything `module` imports, inside functions too. `from a import b` counts as `a.b` where that is a module."""
    yield from _imports(module.tree, typing_only=False)


def _imports(node: ast.AST, *, typing_only: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(alias.name, child.lineno, typing_only) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            for alias in child.names:
                whole = f"{child.module}.{alias.name}"
                yield Import(whole if _is_module(whole) else str(child.module), child.lineno, typing_only)
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            yield from _imports(child, typing_only=True)
        else:
            yield from _imports(child, typing_only=typing_only)


def _is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()
