"""A browser without script, over real HTTP: follows links and fills in forms by the words that a person reads.

It sends what a browser would send (the form's own hidden token included) and fails with the page's text when a word is
not there, so a story reads as what people do, and a changed address or field name breaks nothing.
"""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

import httpx

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
NO_TEXT = {"script", "style", "title"}


@cache
def tls() -> ssl.SSLContext:
    """One for all visitors: making one takes longer than most pages."""
    return httpx.create_ssl_context()


def plain(text: str) -> str:
    return " ".join(text.split())


@dataclass
class Control:
    """A field as the page shows it: its label, the legend it stands under, and what would be sent."""

    name: str
    type: str
    value: str
    id: str = ""
    group: str = ""
    label: str = ""
    chosen: bool = False
    multiple: bool = False
    options: list[tuple[str, str, bool]] = field(default_factory=list)
    file: tuple[str, bytes, str] | None = None

    def sent(self) -> list[tuple[str, str]]:
        if not self.name or self.type in ("file", "submit", "button", "image", "reset"):
            return []
        if self.type in ("radio", "checkbox"):
            return [(self.name, self.value)] if self.chosen else []
        if self.type == "select":
            chosen = [value for value, _, picked in self.options if picked]
            if not chosen and self.options and not self.multiple:
                chosen = [self.options[0][0]]
            return [(self.name, value) for value in chosen]
        return [(self.name, self.value)]


@dataclass
class Form:
    action: str
    method: str
    multipart: bool
    controls: list[Control] = field(default_factory=list)
    buttons: list[tuple[str, str, str]] = field(default_factory=list)  # words, name, value


class _Reader(HTMLParser):
    """Forms, links and words of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[Form] = []
        self.links: list[tuple[str, str]] = []
        self.words: list[str] = []
        self._labels: dict[str, str] = {}
        self._groups: list[str] = []
        self._open: list[tuple[str, dict[str, str], int]] = []
        self._form: Form | None = None
        self._control: Control | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value if value is not None else "" for name, value in attrs}
        if tag == "form":
            multipart = "multipart" in named.get("enctype", "")
            self._form = Form(named.get("action", ""), named.get("method", "get").lower(), multipart)
            self.forms.append(self._form)
        elif tag == "fieldset":
            self._groups.append("")
        elif tag in ("input", "select", "textarea") and self._form is not None:
            self._take(tag, named)
        if tag not in VOID:
            self._open.append((tag, named, len(self.words)))

    def _take(self, tag: str, named: dict[str, str]) -> None:
        kind = named.get("type", "text").lower() if tag == "input" else tag
        self._control = Control(
            name=named.get("name", ""),
            type=kind,
            value=named.get("value", "on" if kind in ("checkbox", "radio") else ""),
            id=named.get("id", ""),
            group=self._groups[-1] if self._groups else "",
            chosen="checked" in named,
            multiple="multiple" in named,
        )
        assert self._form is not None
        self._form.controls.append(self._control)
        if kind == "submit":
            self._form.buttons.append((self._control.value, self._control.name, self._control.value))

    def handle_data(self, data: str) -> None:
        if not any(tag in NO_TEXT for tag, _, _ in self._open):
            self.words.append(data)

    def handle_endtag(self, tag: str) -> None:
        while self._open:
            opened, named, start = self._open.pop()
            if opened == tag:
                self._close(tag, named, start)
                return

    def _close(self, tag: str, named: dict[str, str], start: int) -> None:
        words = plain(" ".join(self.words[start:]))
        if tag == "a" and "href" in named:
            self.links.append((words, named["href"]))
        elif tag == "label" and "for" in named:
            self._labels[named["for"]] = words
        elif tag == "legend" and self._groups:
            self._groups[-1] = words
        elif tag == "fieldset" and self._groups:
            self._groups.pop()
        elif tag == "option" and self._control is not None:
            self._control.options.append((named.get("value", words), words, "selected" in named))
        elif tag == "textarea" and self._control is not None:
            self._control.value = "".join(self.words[start:]).removeprefix("\n")
        elif tag == "button" and self._form is not None and named.get("type", "submit") == "submit":
            self._form.buttons.append((words, named.get("name", ""), named.get("value", "")))
        elif tag == "form":
            self._form = None

    def finish(self) -> None:
        for form in self.forms:
            for control in form.controls:
                control.label = self._labels.get(control.id, "")


class Visitor:
    """One person's browser at the site `url`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._client = httpx.Client(base_url=url, follow_redirects=True, trust_env=False, timeout=60, verify=tls())
        self.status = 0
        self.address = url
        self.content = b""
        self.text = ""
        self.forms: list[Form] = []
        self.links: list[tuple[str, str]] = []

    def close(self) -> None:
        self._client.close()

    # ---- going

    def open(self, path: str) -> Visitor:
        return self._show(self._client.get(urljoin(self.address, path)))

    def follow(self, words: str) -> Visitor:
        """Click a link by its words."""
        return self.open(self._found(words, self.links, "link")[1])

    def press(self, words: str, **hidden: str) -> Visitor:
        """Press a button by its words, and send the form it stands in."""
        for form in self._ranked(words):
            label = self._found(words, form.buttons, "button")
            return self._submit(form, label)
        raise self._missing("button", words, [label for form in self.forms for label, _, _ in form.buttons])

    # ---- filling in

    def fill(self, words: str, value: str, *, group: str = "") -> Visitor:
        for control in self._controls(words, group, {"hidden", "radio", "checkbox", "file", "submit"}):
            if control.type == "select":
                self._select(control, value)
            else:
                control.value = value
        return self

    def fill_day(self, group: str, day: date) -> Visitor:
        """Day, month and year under one legend."""
        for words, number in (("Day", day.day), ("Month", day.month), ("Year", day.year)):
            self.fill(words, str(number), group=group)
        return self

    def choose(self, words: str, *, group: str = "") -> Visitor:
        """A radio button or a tick box by its label."""
        matches = [c for c in self._controls(words, group, set()) if c.type in ("radio", "checkbox")]
        if not matches:
            raise self._missing("choice", words, [])
        control = matches[0]
        for form in self.forms:
            if control in form.controls and control.type == "radio":
                for other in form.controls:
                    other.chosen = other.chosen and other.name != control.name
        control.chosen = True
        return self

    def attach(self, words: str, content: bytes, *, name: str = "picture.png", mime: str = "image/png") -> Visitor:
        for control in self._controls(words, "", set()):
            if control.type == "file":
                control.file = (name, content, mime)
        return self

    # ---- looking

    def sees(self, *words: str) -> bool:
        """Does the page say all of this, whatever its capitals and spaces?"""
        return all(plain(word).casefold() in self.text.casefold() for word in words)

    def must_see(self, *words: str) -> Visitor:
        """Fail with the page's text unless it says all of this."""
        missing = [word for word in words if not self.sees(word)]
        if missing:
            raise self._missing("word", " … ".join(missing), [])
        return self

    def has_button(self, words: str) -> bool:
        return bool(self._ranked(words))

    def has_link(self, words: str) -> bool:
        return any(_matches(words, label) for label, _ in self.links)

    # ---- within

    def _show(self, response: httpx.Response) -> Visitor:
        self.status, self.address, self.content = response.status_code, str(response.url), response.content
        assert self.status < 500, f"{self.address} answered {self.status}: {response.text[:2000]}"
        reader = _Reader()
        if "html" in response.headers.get("content-type", ""):
            reader.feed(response.text)
        reader.finish()
        self.forms, self.links = reader.forms, reader.links
        self.text = plain(" ".join(reader.words))
        return self

    def _submit(self, form: Form, button: tuple[str, str, str]) -> Visitor:
        address = urljoin(self.address, form.action) if form.action else self.address
        data: dict[str, Any] = {}
        for name, value in [pair for control in form.controls for pair in control.sent()] + [button[1:]]:
            if name:
                data.setdefault(name, []).append(value)
        if form.method == "get":
            return self._show(self._client.get(address.split("?")[0], params=data))
        files = {c.name: c.file or ("", b"", "application/octet-stream") for c in form.controls if c.type == "file"}
        headers = {"Referer": self.address}
        if form.multipart:
            return self._show(self._client.post(address, data=data, files=files or None, headers=headers))
        return self._show(self._client.post(address, data=data, headers=headers))

    def _ranked(self, words: str) -> list[Form]:
        """Forms with such a button; those that say exactly so first."""
        having = [form for form in self.forms if any(_matches(words, label) for label, _, _ in form.buttons)]
        return sorted(having, key=lambda form: not any(label == words for label, _, _ in form.buttons))

    def _controls(self, words: str, group: str, without: set[str]) -> list[Control]:
        shown = [c for form in self.forms for c in form.controls if c.type not in without and c.type != "hidden"]
        there = [c for c in shown if not group or _matches(group, c.group)]
        for test in (lambda label: label.casefold() == words.casefold(), lambda label: _matches(words, label)):
            found = [c for c in there if c.label and test(c.label)]
            if found:
                return found
        raise self._missing("field", f"{group} {words}", [f"{c.group} {c.label}".strip() for c in shown])

    def _select(self, control: Control, value: str) -> None:
        if not any(_matches(value, label) for _, label, _ in control.options):
            raise self._missing("option", value, [label for _, label, _ in control.options])
        exact = any(label == value for _, label, _ in control.options)
        control.options = [
            (sent, label, label == value if exact else _matches(value, label)) for sent, label, _ in control.options
        ]

    def _found(self, words: str, among: list[Any], what: str) -> Any:
        for test in (lambda label: label.casefold() == words.casefold(), lambda label: _matches(words, label)):
            for entry in among:
                if test(entry[0]):
                    return entry
        raise self._missing(what, words, [entry[0] for entry in among])

    def _missing(self, what: str, words: str, there: list[str]) -> AssertionError:
        text = re.sub(r"^.*?(?=Sign out|Sign in)", "", self.text)
        return AssertionError(f"no {what} {words!r} at {self.address}; there are {there}\n\n{text[:12000]}")


def _matches(words: str, label: str) -> bool:
    return plain(words).casefold() in plain(label).casefold()
