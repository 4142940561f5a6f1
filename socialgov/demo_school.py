"""Building the demonstration school: its people by the real import, its accounts by the real actions (demo_stories)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from socialgov import demo_people as people
from socialgov.actions.people import apply_import, plan_import
from socialgov.actions.schools import create_school
from socialgov.actions.staff import add_staff
from socialgov.home import Home, open_home, wall_clock
from socialgov.models import Role, Staff

if TYPE_CHECKING:
    from socialgov.demo import NetworkClock

NAME = "Marrowdown Lantern School"
PLATFORMS = ("sandbox", "instagram", "facebook_page", "x", "bluesky")
STORY_DAYS = 120  # how long before today the school began with socialgov
# who holds which role; everybody else among the 90 is a teacher
ROLES = (
    (Role.NETWORK_MANAGER,),
    (Role.HEAD,),
    (Role.SAFEGUARDING_LEAD, Role.TEACHER),
    (Role.DATA_MANAGER,),
    (Role.GOVERNOR,),
)


@dataclass
class Cast:
    """The school while its story is told: who plays, and the moment it is."""

    home: Home
    people: people.InventedSchool
    staff: Sequence[Staff]
    clock: NetworkClock
    today: datetime
    manager: Staff = field(init=False)
    head: Staff = field(init=False)
    lead: Staff = field(init=False)
    data_manager: Staff = field(init=False)

    def __post_init__(self) -> None:
        self.manager, self.head, self.lead, self.data_manager = self.staff[:4]

    def teacher(self, number: int) -> Staff:
        """The teachers, from 0."""
        return self.staff[len(ROLES) + number]


def build_school(root: Path, passphrase: Path, base_url: str, clock: NetworkClock) -> Home:
    """Make the whole school at `root`. The simulated network must answer at `base_url`/sandbox meanwhile."""
    from socialgov.demo_pictures import logo
    from socialgov.demo_stories import tell

    today = wall_clock()
    began = today - timedelta(days=STORY_DAYS)
    invented = people.invent(today.date())
    manager = invented.staff[0]
    create_school(
        root,
        name=NAME,
        domains=[people.DOMAIN],
        manager_name=manager.name,
        manager_email=manager.email,
        now=began,
        base_url=base_url,
        contact=f"office@{people.DOMAIN}",
        approved=PLATFORMS,
        passphrase_file=str(passphrase),
        demonstration=True,
        logo=logo(),
    )
    with (root / "school.toml").open("a", encoding="utf-8") as file:
        file.write(_SETTINGS.format(base_url=base_url))
    home = open_home(root)
    staff = _add_everybody(home, invented.staff, began)
    tell(Cast(home, invented, staff, clock, today))
    return home


_SETTINGS = """
# The simulated network, in the demonstration's own web server.
[platforms.sandbox]
api_base = "{base_url}/sandbox/api"

[policy]
# a visitor should not have to hurry
signin_link_minutes = 60
"""


def _add_everybody(home: Home, invented: Sequence[people.Named], began: datetime) -> list[Staff]:
    from socialgov.store.staff import staff_by_email

    staff = []
    for number, who in enumerate(invented):
        roles = ROLES[number] if number < len(ROLES) else (Role.TEACHER,)
        known = staff_by_email(home.db, who.email)
        staff.append(known or add_staff(home, None, who.name, who.email, roles, now=began, person_ref=who.ref))
    return staff


def import_people(cast: Cast, *, now: datetime) -> None:
    """The information system's three files, as the data manager imports them."""
    files = {
        "people": people.people_csv(cast.people),
        "carers": people.carers_csv(cast.people),
        "permissions": people.permissions_csv(cast.people, (now - timedelta(days=30)).date()),
    }
    for kind, content in files.items():
        apply_import(cast.home, cast.data_manager, plan_import(cast.home, kind, content), now=now)
