"""A school served over HTTP, with a clock that a story moves, and the people in it, each with a browser."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from types import MappingProxyType

from factories import DOMAIN, ESCROW
from mailbox_sink import Mailbox, free_port, mailbox_on
from networks import Clock, served
from PIL import Image, ImageDraw
from visitor import Visitor

from socialgov.actions.schools import create_school
from socialgov.actions.signin import make_signin_link
from socialgov.actions.staff import add_staff
from socialgov.config import load_settings
from socialgov.escrow.codes import Seed
from socialgov.home import Home
from socialgov.jobs import run_once
from socialgov.models import Role, Staff
from socialgov.store.findings import findings_of
from socialgov.store.staff import staff_by_email
from socialgov.web import build_app

NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass
class School:
    """`as_(staff)` is a browser in which this person is signed in now; after a jump in time they sign in anew.

    `vault_code` was given to the network manager when the school was made; `phone` is the seed in their app, once it
    is there (acts.open_the_vault).
    """

    home: Home
    url: str
    clock: Clock
    logo: bytes
    people: dict[str, Staff]
    mailbox: Mailbox
    vault_code: str = ""
    phone: Seed | None = None
    _visitors: list[Visitor] = field(default_factory=list)

    def as_(self, who: str) -> Visitor:
        visitor = Visitor(self.url)
        self._visitors.append(visitor)
        visitor.open(make_signin_link(self.home, self.people[who].id, actor="cli", now=self.clock.now))
        visitor.press("Sign in")
        assert visitor.sees(self.people[who].name)
        return visitor

    def pass_days(self, days: float) -> None:
        self.clock.pass_days(days)

    def run_jobs(self) -> None:
        """One pass of the scheduler at this moment; nothing may go wrong in it."""
        report = run_once(self.home, self.clock.now)
        assert report.whole, report

    def answers(self, account_id: int) -> dict[str, bool | None]:
        """What each rule answered for the account when it was last asked."""
        return {finding.rule_id: finding.answer for finding in findings_of(self.home.db, account_id)}


def drawn_logo() -> bytes:
    """A shield that looks like nobody else's."""
    image = Image.new("RGB", (256, 256), "white")
    pen = ImageDraw.Draw(image)
    pen.polygon([(30, 20), (226, 20), (226, 130), (128, 240), (30, 130)], fill="#14387f")
    pen.rectangle((60, 50, 196, 100), fill="#f2c230")
    pen.ellipse((100, 120, 156, 176), fill="white")
    return as_png(image)


def as_png(image: Image.Image) -> bytes:
    out = BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def photo_with_place() -> bytes:
    """A photo as a camera makes it: with its place, its device and a name."""
    image = Image.effect_noise((640, 480), 60).convert("RGB")
    exif = Image.Exif()
    exif[0x010F], exif[0x013B] = "Some Camera", "Tess Teacher"
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 24.0, 30.0), 3: "W", 4: (4.0, 5.0, 0.0)})
    out = BytesIO()
    image.save(out, "JPEG", quality=90, exif=exif)
    return out.getvalue()


STAFF = {
    "teacher": ("Tess Teacher", Role.TEACHER),
    "deputy": ("Dev Deputy", Role.TEACHER),
    "head": ("Hana Head", Role.HEAD),
    "data manager": ("Dan Data", Role.DATA_MANAGER),
}


@contextmanager
def open_school(
    folder: Path, clock: Clock, servers: Mapping[str, str], *, port: int = 0, settings_of: Mapping[str, str] = NOTHING
) -> Iterator[School]:
    """A new school that has approved the platforms of `servers`; its mail goes to the test's mailbox.

    `settings_of`: more lines of a platform's table in school.toml. With a `port` it is served there and knows its own
    address, to which other sites can send people back.
    """
    logo, root = drawn_logo(), folder / "home"
    # without https, where an authenticator's code opens the vault (actions/factors.py)
    own = {"base_url": f"http://127.0.0.1:{port or 5000}"}
    made = create_school(
        root,
        name="Test School",
        domains=[DOMAIN],
        contact=f"office@{DOMAIN}",
        manager_name="Mo Manager",
        manager_email=f"manager@{DOMAIN}",
        approved=list(servers),
        servers=servers,
        logo=logo,
        escrow=ESCROW,
        now=clock.now,
        **own,
    )
    for key, lines in settings_of.items():
        head, text = f"\n[platforms.{key}]\n", (root / "school.toml").read_text()
        (root / "school.toml").write_text(text.replace(head, f"{head}{lines}\n"))
    smtp = free_port()
    with (root / "school.toml").open("a") as settings:
        # people of a story sign in by a link alone; what opens the vault is asked for all the same
        settings.write("\n[policy]\nlink_needs_second_factor = false\n")
        settings.write(f'\n[mail]\nhost = "127.0.0.1"\nport = {smtp}\ntls = "none"\nsender = "socialgov@{DOMAIN}"\n')
    home = Home(root, load_settings(root), ESCROW, clock=clock)
    manager = staff_by_email(home.db, f"manager@{DOMAIN}")
    assert manager is not None
    people = {"network manager": manager}
    for who, (name, role) in STAFF.items():
        address = f"{name.split()[0].lower()}@{DOMAIN}"
        people[who] = add_staff(home, None, name, address, [role], now=clock.now)
    with mailbox_on(smtp) as mailbox, served(build_app(home), port) as url:
        school = School(home, url, clock, logo, people, mailbox, made.vault_code)
        try:
            yield school
        finally:
            for visitor in school._visitors:
                visitor.close()
