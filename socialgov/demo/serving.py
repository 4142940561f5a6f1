"""`socialgov demo`: an invented school, the simulated network beside it, and the scheduler, until Ctrl-C.

One folder holds all of it: `school/` is the home, `network.db` the simulated network, `passphrase` opens the key, and
`pocket` is what the network manager carries (pocket.py). A restart keeps it; deleting the folder starts afresh. The
web server is up at once, so that a port that is taken shows before anything else, and says so while the school is
being built.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from rich.console import Console

from socialgov.demo.clock import NetworkClock
from socialgov.demo.pocket import Pocket
from socialgov.errors import SocialgovError
from socialgov.escrow import PASSPHRASE_FILE_VARIABLE, PASSPHRASE_VARIABLE
from socialgov.home import Home, open_home

if TYPE_CHECKING:
    from flask import Flask
    from waitress.server import BaseWSGIServer

HOST = "127.0.0.1"
FOLDER = Path("demo-home")
_TICK = timedelta(seconds=5)  # whoever moves the clock does not wait a minute to see what that brings
LINK_HOLDERS = (
    ("teacher", "Teacher"),
    ("network_manager", "Network manager"),
    ("head", "Head"),
    ("safeguarding_lead", "Safeguarding lead"),
    ("data_manager", "Data manager"),
    ("governor", "Governor"),
)
_BUILDING = (
    b"<!doctype html><html lang=en><meta charset=utf-8><meta http-equiv=refresh content=2><title>One moment</title>"
    b"<p>The demonstration school is being built. This page looks again by itself."
)

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class PortTaken(SocialgovError):
    """Something else listens there."""


class Folder:
    """Where a demonstration keeps its things. `ready` is written last, so a half-built school is never served."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.school = self.root / "school"
        self.network = self.root / "network.db"
        self.passphrase = self.root / "passphrase"
        self.pocket = self.root / "pocket"
        self.ready = self.root / "ready-0.2"  # one of an earlier version has no vault, and is built anew

    def clear(self) -> None:
        """Remove what an interrupted build left, and only that."""
        shutil.rmtree(self.school, ignore_errors=True)
        for path in self.root.glob("network.db*"):
            path.unlink()

    def prepare(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        if not self.passphrase.exists():
            self.passphrase.touch(mode=0o600)
            self.passphrase.write_text(secrets.token_hex(16) + "\n", encoding="utf-8")

    def point_to(self, base_url: str) -> None:
        """Tell school.toml where it is today: the port and the folder may be others than when it was made."""
        path = self.school / "school.toml"
        text = path.read_text(encoding="utf-8")
        for key, value in (
            ("base_url", base_url),
            ("api_base", f"{base_url}/sandbox/api"),
            ("passphrase_file", str(self.passphrase)),
        ):
            text = re.sub(rf"(?m)^{key} = .*$", lambda _, key=key, value=value: f'{key} = "{value}"', text)
        path.write_text(text, encoding="utf-8")


class Doors:
    """The application that the one web server serves; replaced once the school is ready."""

    def __init__(self, app: WsgiApp) -> None:
        self.app = app

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        return self.app(environ, start_response)


def main(port: int = 5000, folder: Path = FOLDER) -> None:
    """Serve the demonstration on `port` until Ctrl-C. Raises PortTaken, ConfigError, StoreError, EscrowError."""
    signal.signal(signal.SIGTERM, _stop)
    for variable in (PASSPHRASE_VARIABLE, PASSPHRASE_FILE_VARIABLE):
        os.environ.pop(variable, None)  # that of a real school on this machine, if any, is none of ours
    console, place, base_url = Console(highlight=False), Folder(folder), f"http://localhost:{port}"
    place.prepare()
    if not place.ready.exists():
        place.clear()
    clock = NetworkClock()
    network = _network(place, clock)
    doors = Doors(_being_built)
    with _serving(doors, port):
        try:
            pocket = Pocket.at(place.pocket)
            home = _school(place, pocket, base_url, network, clock, console)
            clock.follow(home)
            network.extensions["phone"] = lambda: (*pocket.code(home.now()), pocket.passphrase)
            doors.app = _with_network(_web(home), network)
            with _scheduler(home.path):
                _welcome(console, home, base_url, place, pocket)
                _until_stopped(console, home, base_url)
        except KeyboardInterrupt:
            console.print("\nThe demonstration has ended. The school is kept; the same command starts it again.")


def _stop(*_: object) -> NoReturn:
    raise KeyboardInterrupt


# ------------------------------------------------------------------------------------------------------- parts


def _network(place: Folder, clock: Callable[[], datetime]) -> Flask:
    from socialgov.sandbox import create_sandbox

    return create_sandbox(place.network, clock)


def _web(home: Home) -> Flask:
    from socialgov.web import build_app

    return build_app(home)


def _with_network(app: WsgiApp, network: WsgiApp) -> WsgiApp:
    from werkzeug.middleware.dispatcher import DispatcherMiddleware

    return DispatcherMiddleware(app, {"/sandbox": network})


def _being_built(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("503 Service Unavailable", [("Content-Type", "text/html"), ("Retry-After", "2")])
    return [_BUILDING]


@contextmanager
def _serving(app: WsgiApp, port: int) -> Iterator[None]:
    """The web server in a thread of its own, for this machine only."""
    server = _listen(app, port)
    thread = threading.Thread(target=server.run, name="web", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.close()


def _listen(app: WsgiApp, port: int) -> BaseWSGIServer:
    from waitress import create_server

    try:
        return create_server(app, host=HOST, port=port, threads=8, ident="socialgov")
    except OSError as error:
        raise PortTaken(
            f"Port {port} cannot be used: {error.strerror or error}.",
            f"Choose another one: make demo PORT={port + 1 if port < 65535 else 5000}",
        ) from None


def _school(
    place: Folder, pocket: Pocket, base_url: str, network: Flask, clock: NetworkClock, console: Console
) -> Home:
    """The school as it was left, or a new one."""
    if place.ready.exists():
        place.point_to(base_url)
        return open_home(place.school)
    from socialgov.demo.school import build_school

    with console.status("Building the demonstration school …"):
        home = build_school(place.school, place.passphrase, pocket, base_url, network, clock)
    place.ready.touch()
    return home


@contextmanager
def _scheduler(home: Path) -> Iterator[None]:
    """The scheduler as a second process. It ends with us even when we are killed: its standard input closes then."""
    command = [sys.executable, "-c", "from socialgov.demo.serving import schedule; schedule()", str(home)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)  # noqa: S603
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def schedule() -> None:
    """The scheduler's process, watching the process that started it."""

    def watch() -> None:
        sys.stdin.read()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()
    from socialgov.jobs import run_scheduler

    run_scheduler(open_home(sys.argv[1]), _TICK)


# ------------------------------------------------------------------------------------------------------ words


def _welcome(console: Console, home: Home, base_url: str, place: Folder, pocket: Pocket) -> None:
    say = partial(console.print, soft_wrap=True)
    say(f"\n[bold]{home.settings.school_name}[/bold], an invented school, is open at {base_url}")
    say(f"Play the outsider on the simulated network: {base_url}/sandbox/")
    _print_links(console, home, base_url)
    say("The network manager opens the vault, where the passwords are, with two things:")
    say(f"  the passphrase [bold]{pocket.passphrase}[/bold]\n  and the code on their phone: {base_url}/sandbox/phone")
    say("For breaking the glass the head needs two recovery sheets. That passphrase has them made:")
    say(f"  socialgov escrow sheets --home {place.school}\n")
    say(f"Ctrl-C ends it. To start afresh, delete {place.root}.")


def _print_links(console: Console, home: Home, base_url: str) -> None:
    """A fresh one-time link for each role."""
    minutes = home.settings.policy.signin_link_minutes
    console.print(f"\nSign in as one of them. Each link works once, within {minutes} minutes:")
    for title, name, path in links(home):
        console.print(f"  [bold]{title}[/bold], {name}\n    {base_url}{path}", soft_wrap=True)
    console.print()


def links(home: Home) -> Iterator[tuple[str, str, str]]:
    """Role, name and the path of a new sign-in link, for one member of staff of each role."""
    from socialgov.actions.signin import make_signin_link
    from socialgov.models import Role
    from socialgov.store.staff import staff_with_role

    for role, title in LINK_HOLDERS:
        staff = min(staff_with_role(home.db, Role(role)), key=lambda staff: staff.id)
        yield title, staff.name, make_signin_link(home, staff.id, actor="cli", now=home.now())


def _until_stopped(console: Console, home: Home, base_url: str) -> None:
    """Wait for Ctrl-C; at a terminal, Enter prints fresh links."""
    if not sys.stdin.isatty():
        threading.Event().wait()
    while True:
        console.print("Enter prints fresh links.")
        if not sys.stdin.readline():
            threading.Event().wait()
        _print_links(console, home, base_url)
