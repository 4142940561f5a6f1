"""Which test holds which item of the OWASP ASVS 5.0: read from the tests' own marks, written to docs/asvs.md.

`make asvs` (or `python tests/project/asvs.py`) writes the page; tests/project/test_asvs.py keeps it true.
Nothing is run: the marks are read from the source.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"
PAGE = ROOT / "docs" / "asvs.md"

CHAPTERS = {
    1: "Encoding and sanitisation",
    2: "Validation and business logic",
    3: "Web frontend",
    5: "File handling",
    6: "Authentication",
    7: "Sessions",
    8: "Authorisation",
    10: "OAuth and OpenID Connect",
    11: "Cryptography",
    13: "Configuration",
    14: "Data protection",
    15: "Secure coding",
    16: "Logging and errors",
}

# the items that a test can hold, in our own words; the standard itself has the exact ones
ITEMS: Mapping[str, str] = {
    "1.2.4": "What people type reaches the database as parameters, never as part of a statement.",
    "2.3.3": "A deed and its event happen together or not at all.",
    "3.3.1": "Over https the cookie is Secure and its name says so.",
    "3.3.2": "The cookie has a SameSite value that fits what it is for.",
    "3.3.3": "Over https the cookie is bound to this very host (`__Host-`).",
    "3.3.4": "No script reads the cookie, and the session's token leaves the server in no other way.",
    "3.4.1": "Over https every answer says that only https will do, for a year and for all below.",
    "3.4.3": "Every answer carries a content policy that allows no plug-in, no other base and only what is listed.",
    "3.4.4": "Every answer forbids the browser to guess another type.",
    "3.4.5": "Every answer keeps our addresses from other sites' logs.",
    "3.4.6": "No other site can show our pages in a frame.",
    "3.5.1": "A form that another site sends is refused.",
    "3.5.3": "What changes or shows something that matters takes a POST; no GET shows a secret.",
    "5.2.3": "An archive is unpacked up to limits of size and number, which count what really comes out of it.",
    "6.2.3": "Whoever changes a passphrase enters the present one too.",
    "6.3.1": "Guessing is slowed by person and by address, as documented.",
    "6.3.2": "There is no account that comes with the product.",
    "6.3.7": "People are told when what they sign in with, or open the vault with, was changed.",
    "6.4.1": "A first code is random, short-lived and never becomes the lasting secret.",
    "6.5.1": "A link, a code or an authenticator's number is good once.",
    "6.5.5": "A link and a code have a life of minutes.",
    "6.8.1": "A person is known by issuer and subject together, so that no other provider can pose as them.",
    "6.8.2": "An ID token without a valid signature is refused.",
    "6.8.4": "Where a fresh sign-in is asked for, the provider's `auth_time` is checked.",
    "7.2.4": "Each sign-in begins a new session and ends the one before it.",
    "7.3.1": "A session that lies idle ends.",
    "7.3.2": "A session ends after its longest life, however busy.",
    "7.4.1": "After signing out, a copy of the cookie opens nothing.",
    "7.4.2": "The sessions of somebody who leaves end at once.",
    "7.4.5": "Those responsible can end somebody's sessions.",
    "7.5.1": "Before a way to sign in is changed, the person shows again who they are.",
    "7.5.2": "Everybody sees where they are signed in, and ends it there.",
    "8.2.1": "What is not permitted to a role is refused, route by route; a new route is refused to all.",
    "8.2.2": "The number of another account in the address opens nothing.",
    "8.2.3": "Fields are given only to those who may have them.",
    "8.4.1": "One school never reaches another, though one server serves both.",
    "10.2.1": "A sign-in that this browser did not begin is refused (state and PKCE).",
    "10.2.3": "A platform is asked for no more than its adapter needs.",
    "10.5.1": "An ID token of another sign-in is refused (nonce).",
    "10.5.4": "An ID token for somebody else's application is refused (audience).",
    "11.3.2": "Secrets are sealed with approved ciphers and modes only.",
    "11.3.3": "What was sealed cannot be changed, moved or put back without being noticed.",
    "13.3.1": "Keys live in the keyring: none in the database, the configuration, the source or the wheel.",
    "13.4.2": "Debug modes are off.",
    "14.2.1": "No secret is in an address.",
    "14.3.2": "Answers are not kept by browsers or in between.",
    "15.3.1": "A listing has the fields it needs, and no secret is among them.",
    "16.2.5": "No secret is in a log.",
    "16.3.1": "Each sign-in of somebody known is in the log with its way, also one that failed. "
    "Guesses that belong to nobody are counted, not listed.",
    "16.3.2": "Each refusal of access is in the log, and each look at a secret.",
    "16.5.1": "An error shows a plain message: no trace, no statement, no secret.",
    "16.5.3": "When something fails, nothing opens: no event written, no secret shown.",
}


@dataclass(frozen=True, order=True, slots=True)
class Holder:
    """One test: its file, its name, and the items it is marked with."""

    path: str
    name: str
    items: tuple[str, ...]

    @property
    def sentence(self) -> str:
        words = self.name.removeprefix("test_").replace("_", " ")
        return words[0].upper() + words[1:]


def holders() -> list[Holder]:
    """Every marked test, in the order of its file."""
    found = []
    for path in sorted(TESTS.rglob("test_*.py")):
        if "node_modules" not in path.parts:
            found += _holders_of(path)
    return found


def _holders_of(path: Path) -> Iterator[Holder]:
    text = path.read_text(encoding="utf-8")
    if "mark.asvs(" not in text:
        return
    tree = ast.parse(text, str(path))
    whole_file = tuple(item for node in tree.body if _is_pytestmark(node) for item in _marks(node))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            items = (*whole_file, *(item for decorator in node.decorator_list for item in _marks(decorator)))
            if items:
                yield Holder(path.relative_to(ROOT).as_posix(), node.name, items)


def _is_pytestmark(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and any(getattr(target, "id", "") == "pytestmark" for target in node.targets)


def _marks(node: ast.AST) -> Iterator[str]:
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.mark.asvs":
            yield from (str(ast.literal_eval(argument)) for argument in call.args)


def page() -> str:
    """docs/asvs.md as it must be."""
    by_item: dict[str, list[Holder]] = defaultdict(list)
    for holder in holders():
        for item in holder.items:
            by_item[item].append(holder)
    lines = [
        "# What the tests hold of OWASP ASVS 5.0",
        "",
        "Written by `make asvs` from the tests' own marks (`@pytest.mark.asvs`). A test fails when this page is out of",
        "date, when an item has no test, or when a mark names an item that is not here. The wording is ours and short;",
        "that of the standard, the [OWASP ASVS 5.0](https://github.com/OWASP/ASVS), is what counts.",
        "The list is of items that a test can hold. It is no certificate: nobody outside the project has verified it.",
    ]
    chapter = 0
    for item, words in ITEMS.items():
        if chapter != (chapter := int(item.split(".")[0])):
            lines += ["", f"## V{chapter} {CHAPTERS[chapter]}"]
        lines += ["", f"**{item}** {words}", ""]
        lines += [f"- {one.sentence} ([{Path(one.path).name}](../{one.path}))" for one in by_item[item]]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
