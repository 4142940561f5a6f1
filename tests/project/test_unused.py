"""What lies in the product is asked for by the product: a function that only tests call is not tried by anybody."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache

from source import PACKAGE, ROOT, modules

PAGES = (ROOT / "templates", PACKAGE / "sandbox" / "templates")
# what tests alone ask for, and why it stays
FOR_TESTS = {
    "credentials_of": "every version of a deposit, the older ones too",
    "diagram": "the README's diagram is compared with it",
    "forget_providers": "a process of the product has one provider for as long as it runs",
    "observe": "one look, with neither its plan nor its job",
    "plan_of": "a plan as the store keeps it",
    "reveal": "the password of a look, without what else it tells",
}


def unused() -> Iterator[str]:
    """`module: name` of functions and classes that nothing reads. What is decorated is called by the decorator."""
    read = names_read()
    for module in modules():
        for node in module.tree.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.decorator_list and node.name not in read:
                yield f"{module.name}: {node.name}"


@cache
def names_read() -> frozenset[str]:
    """In code, in templates, and in the two kinds of text that are code: a class's name, and `from socialgov …`."""
    found: set[str] = set()
    for module in modules():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Name | ast.Attribute):
                found.add(node.id if isinstance(node, ast.Name) else node.attr)
            elif isinstance(node, ast.Constant) and re.match(r"[A-Z]\w+$|from socialgov", str(node.value)):
                found.update(re.findall(r"\w+", str(node.value)))
    for folder in PAGES:
        for path in folder.rglob("*.html"):
            found.update(re.findall(r"\w+", path.read_text(encoding="utf-8")))
    return frozenset(found)


def test_the_product_asks_for_whatever_lies_in_it() -> None:
    assert [one for one in unused() if one.rpartition(" ")[2] not in FOR_TESTS] == []


def test_what_tests_alone_ask_for_is_there_and_no_more_than_that() -> None:
    assert {one.rpartition(" ")[2] for one in unused()} >= set(FOR_TESTS)
