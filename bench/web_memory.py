"""What the web server's process holds at rest, after its pages were shown: the resident set, in MB."""

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

from bench.lines import ROUNDS, report
from socialgov.actions.schools import create_school
from socialgov.escrow import PASSPHRASE_VARIABLE
from socialgov.home import wall_clock

LIMIT_MB = 150.0
PAGES = ("/", "/accounts/", "/request/", "/staff/", "/log/", "/people/", "/people/import")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        os.environ[PASSPHRASE_VARIABLE] = "only for this measurement, and long enough"
        create_school(
            home,
            name="Bench School",
            domains=["school.example"],
            manager_name="Mo Manager",
            manager_email="manager@school.example",
            now=wall_clock(),
        )
        values = [resident(home) for _ in range(ROUNDS)]
    report("web_memory", median(values), "MB", LIMIT_MB)


def resident(home: Path) -> float:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "socialgov", "serve", "--home", str(home), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        with httpx.Client(base_url=f"http://localhost:{port}", follow_redirects=True, trust_env=False) as browser:
            wait_for(browser)
            sign_in(browser, home)
            for page in PAGES * 10:
                assert browser.get(page).status_code == 200, page
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


def sign_in(browser: httpx.Client, home: Path) -> None:
    command = [sys.executable, "-m", "socialgov", "signin-link", "--home", str(home), "manager@school.example"]
    link = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    path = link[link.index("/signin/") :]
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', browser.get(path).text)
    assert token
    assert "Sign out" in browser.post(path, data={"csrf_token": token[1]}).text


if __name__ == "__main__":
    main()
