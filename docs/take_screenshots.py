"""`make screenshots`: the pictures of the README, taken from a fresh demonstration in a real browser."""

from __future__ import annotations

import io
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

FOLDER = Path(__file__).parent / "screenshots"
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1100, "height": 800}
COLOURS = 128  # a page has few, and the files stay small
# name, role, handle of the account (none: the address as it stands), address below it, window, colours of the system
PICTURES = (
    ("today-teacher-phone", "Teacher", "", "/", PHONE, "light"),
    ("today-manager", "Network manager", "", "/", DESK, "light"),
    ("register", "Head", "", "/accounts/", DESK, "light"),
    ("account-in-breach", "Network manager", "md_netball", "#rules", DESK, "light"),
    ("setting-up-phone", "Teacher", "md_museum_visit", "", PHONE, "dark"),
    ("deposit-phone", "Teacher", "md_museum_visit", "/deposit", PHONE, "light"),
    ("put-right-phone", "Network manager", "md_netball", "/put-right", PHONE, "light"),
    ("platforms", "Network manager", "", "/platforms/", DESK, "light"),
    ("logins", "Network manager", "", "/audit/", DESK, "light"),
    ("certificate", "Governor", "md_science_week", "/certificate", DESK, "light"),
)


@contextmanager
def demonstration() -> Iterator[dict[str, str]]:
    """A demonstration in a folder of its own; the sign-in link of each role."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
        probe.close()
        command = [sys.executable, "-m", "socialgov", "demo", "--port", port, "--folder", str(Path(folder) / "demo")]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
            try:
                yield _links(process)
            finally:
                process.terminate()


def _links(process: subprocess.Popen[str]) -> dict[str, str]:
    said = ""
    for line in process.stdout or ():
        said += line
        if "Ctrl-C ends it" in line:
            return dict(re.findall(r"^  ([\w ]+), .+\n\s+(http\S+)$", said, re.MULTILINE))
    sys.exit(f"The demonstration did not start.\n{said}")


def chromium() -> str:
    found = next(
        filter(None, map(shutil.which, ("chromium", "chromium-headless-shell", "chromium-browser", "google-chrome"))),
        None,
    )
    return found or sys.exit("There is no Chromium here. Install it: apt-get update && apt-get install -y chromium")


def signed_in(browser: Browser, link: str) -> Page:
    page = browser.new_context().new_page()
    page.goto(link)
    page.get_by_role("button").last.click()
    page.wait_for_url(lambda url: "/signin/" not in url)  # who has no passkey is first offered one
    return page


def take(page: Page, origin: str, picture: tuple[str, str, str, str, dict[str, int], str]) -> None:
    name, _, handle, address, window, colours = picture
    page.set_viewport_size({"width": window["width"], "height": window["height"]})
    page.emulate_media(color_scheme=colours, reduced_motion="reduce")  # type: ignore[arg-type]
    if handle:
        page.goto(f"{origin}/accounts/?search={handle}")
        page.get_by_role("link", name=handle, exact=True).click()
        page.goto(page.url + address)
    else:
        page.goto(origin + address)
    page.wait_for_timeout(500)  # until the page stands still
    content = page.screenshot()
    image = Image.open(io.BytesIO(content)).convert("RGB").quantize(COLOURS)
    image.save(FOLDER / f"{name}.png", optimize=True)
    print(f"{name}.png: {os.path.getsize(FOLDER / f'{name}.png') // 1000} kB")  # noqa: PTH202


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with demonstration() as links, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        pages = {role: signed_in(browser, links[role]) for role in sorted({picture[1] for picture in PICTURES})}
        for picture in PICTURES:
            origin = links[picture[1]].split("/signin/")[0]
            take(pages[picture[1]], origin, picture)
        browser.close()


if __name__ == "__main__":
    main()
