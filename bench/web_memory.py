"""What the web server's process holds at rest, in MB: after its pages were shown and the vault was opened once.

Stretching a vault passphrase takes 64 MB while it lasts (Argon2id); they must be given back.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import httpx
import psutil
from sqlite_utils import Database

from bench.lines import ROUNDS, report
from socialgov.actions.schools import create_school
from socialgov.actions.stepup import mark_strong
from socialgov.actions.vault_passphrase import join
from socialgov.escrow import PASSPHRASE_VARIABLE
from socialgov.home import Home, open_home, wall_clock
from socialgov.models import Role, Staff
from socialgov.store.connect import write
from socialgov.store.rows import scalar
from socialgov.store.staff import staff_with_role

LIMIT_MB = 150.0
PASSPHRASE = "bramble otter plywood sunrise mitten quarry"
PAGES = ("/", "/accounts/", "/request/", "/staff/", "/log/", "/people/", "/people/import")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        os.environ[PASSPHRASE_VARIABLE] = "only for this measurement, and long enough"
        made = create_school(
            home,
            name="Bench School",
            domains=["school.example"],
            manager_name="Mo Manager",
            manager_email="manager@school.example",
            now=wall_clock(),
        )
        opened = open_home(home)
        join(opened, manager_of(opened), made.vault_code, PASSPHRASE, now=wall_clock())
        values = [resident(opened) for _ in range(ROUNDS)]
    report("web_memory", median(values), "MB", LIMIT_MB)


def manager_of(home: Home) -> Staff:
    return staff_with_role(home.db, Role.NETWORK_MANAGER)[0]


def resident(home: Home) -> float:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "socialgov", "serve", "--home", str(home.path), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        with httpx.Client(base_url=f"http://localhost:{port}", follow_redirects=True, trust_env=False) as browser:
            wait_for(browser)
            sign_in(browser, home)
            for page in PAGES * 10:
                assert browser.get(page).status_code == 200, page
            open_the_vault(browser, home)
        time.sleep(1)
        return psutil.Process(process.pid).memory_info().rss / 1e6
    finally:
        process.terminate()
        process.wait()


def wait_for(browser: httpx.Client) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            browser.get("/")
            return
        except httpx.TransportError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def open_the_vault(browser: httpx.Client, home: Home) -> None:
    """With the passphrase, as a network manager does; that they just used a passkey is put on record by hand."""
    with write(home.db) as db:
        mark_strong(db, newest_session(db), "passkey", wall_clock())
    page = browser.get("/vault/open")
    answer = browser.post("/vault/open", data={"csrf_token": token_of(page), "passphrase": PASSPHRASE})
    assert "open until" in answer.text.lower() or "shut" in answer.text.lower(), answer.text


def newest_session(db: Database) -> int:
    return int(scalar(db, "select max(id) from session"))


def token_of(page: httpx.Response) -> str:
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)
    assert token, page.text
    return token[1]


def sign_in(browser: httpx.Client, home: Home) -> None:
    command = [sys.executable, "-m", "socialgov", "signin-link", "--home", str(home.path), "manager@school.example"]
    link = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    path = link[link.index("/signin/") :]
    assert "Sign out" in browser.post(path, data={"csrf_token": token_of(browser.get(path))}).text


if __name__ == "__main__":
    main()
