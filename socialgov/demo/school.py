"""Building the demonstration school: people by the real import, accounts by the real actions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from httpx import WSGITransport
from werkzeug.exceptions import NotFound
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from socialgov.actions.people import apply_import, plan_import
from socialgov.actions.schools import create_school
from socialgov.actions.staff import add_staff
from socialgov.demo import people
from socialgov.demo.endings import ENDINGS
from socialgov.demo.pictures import logo
from socialgov.demo.stage import Stage, Story, tell
from socialgov.demo.stories import LIVING
from socialgov.home import Home, open_home, wall_clock
from socialgov.jobs import run_once
from socialgov.models import Role, Staff
from socialgov.platforms.sandbox import SandboxPlatform
from socialgov.store.connect import not_waiting_for_the_disk
from socialgov.store.staff import staff_by_email

if TYPE_CHECKING:
    from datetime import datetime

    from flask import Flask

    from socialgov.demo.clock import NetworkClock
    from socialgov.demo.pocket import Pocket

NAME = "Marrowdown Lantern School"
PLATFORMS = ("sandbox", "instagram", "facebook_page", "x")  # none but the simulated one is asked over a network
BEGINNING = -120  # days before today on which the school began with socialgov
PASSES = (-100, -91, -90, -60, -40, -12, -7, -3, -2, -1)
# who holds which role; everybody else among the 90 is a teacher
ROLES = (
    (Role.NETWORK_MANAGER,),
    (Role.HEAD,),
    (Role.SAFEGUARDING_LEAD,),
    (Role.DATA_MANAGER,),
    (Role.GOVERNOR,),
)


def build_school(
    root: Path, passphrase: Path, pocket: Pocket, base_url: str, network_app: Flask, clock: NetworkClock
) -> Home:
    """Make the whole school at `root`, with its accounts on the simulated network, whose time is `clock`."""
    today = wall_clock()
    began = today + timedelta(days=BEGINNING)
    invented = people.invent(today.date())
    manager = invented.staff[0]
    made = create_school(
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
    with not_waiting_for_the_disk(home.db), _network_in_process(network_app):
        staff = _add_everybody(home, invented.staff, began)
        pocket.given_to(home, staff[0], made.vault_code, now=began)
        stage = Stage(home, invented, staff, network_app.extensions["network"], clock, pocket, today)
        tell(stage, [school_begins(stage), passes(stage), *(story(stage) for story in (*LIVING, *ENDINGS))])
    return home


@contextmanager
def _network_in_process(network_app: Flask) -> Iterator[None]:
    """While the stories are told the adapter calls the network's application itself, which saves two thousand trips
    through a socket. Everything above the socket is the same.
    """
    mounted = DispatcherMiddleware(NotFound(), {"/sandbox": network_app})
    SandboxPlatform.transport = WSGITransport(mounted)
    try:
        yield
    finally:
        SandboxPlatform.transport = None


_SETTINGS = """
# The simulated network, in the demonstration's own web server.
[platforms.sandbox]
api_base = "{base_url}/sandbox/api"

[policy]
# a visitor should not have to hurry, nor look at the network manager's phone before the vault asks for it
signin_link_minutes = 60
link_needs_second_factor = false

# one rule that this school only advises, to show what that looks like
[rules.SEC202]
standing = "advised"
decided_by = "The governors"
decided_on = 2026-09-14
"""


def _add_everybody(home: Home, invented: Sequence[people.Named], began: datetime) -> list[Staff]:
    staff = []
    for number, who in enumerate(invented):
        roles = ROLES[number] if number < len(ROLES) else (Role.TEACHER,)
        known = staff_by_email(home.db, who.email)
        staff.append(known or add_staff(home, None, who.name, who.email, roles, now=began, person_ref=who.ref))
    return staff


def school_begins(stage: Stage) -> Story:
    """The information system's three files, as the data manager imports them, and outsiders on the network."""
    yield BEGINNING + 1, 9
    files = {
        "people": people.people_csv(stage.people),
        "carers": people.carers_csv(stage.people),
        "permissions": people.permissions_csv(stage.people, stage.day(BEGINNING - 30)),
    }
    for kind, content in files.items():
        apply_import(stage.home, stage.data_manager, plan_import(stage.home, kind, content), now=stage.now)
    for name, display_name in (("dave32457", "Dave"), ("kettle_fan", "Kettle Fan"), ("local_news_bot", "Local News")):
        stage.network.create_account(name, display_name=display_name, outsider=True)


def passes(stage: Stage) -> Story:
    """The scheduler, on the days on which it had something to do, and at last now."""
    for day, hour in (*((day, 6) for day in PASSES), (0, 24)):
        yield day, hour
        run_once(stage.home, stage.now)
