"""The next check catches what anybody did on the simulated network, over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import walk
from factories import DOMAIN, NOW
from networks import Clock, served

from socialgov.actions.notices import open_notices
from socialgov.actions.observing import check_account
from socialgov.home import Home
from socialgov.models import Account
from socialgov.sandbox import Network, create_sandbox
from socialgov.sandbox.keys import Keys
from socialgov.sandbox.network import Member
from socialgov.sandbox.wall import Wall
from socialgov.store.events import EventTag, events_page

NAME = "trip_wales"
Stage = tuple[Home, Network, Member, Account, walk.Cast]


@pytest.fixture
def stage(home: Home, tmp_path: Path) -> Iterator[Stage]:
    """A live, private account on the network, with its login deposited, checked once and in order."""
    app = create_sandbox(tmp_path / "sandbox.db", Clock())
    network: Network = app.extensions["network"]
    with served(app) as url:
        info = replace(home.settings.platforms["sandbox"], api_base=f"{url}/api")
        home = replace(home, settings=replace(home.settings, platforms={**home.settings.platforms, "sandbox": info}))
        cast = walk.cast_of(home)
        member = network.create_account(
            NAME,
            f"{walk.SECRET}1-selaw_pirt",
            email=f"trips@{DOMAIN}",
            text=f"Official account of Test School. Contact office@{DOMAIN}.",
            private=True,
        )
        form = walk.form_of(cast, platform="sandbox", handle_wished=NAME)
        account = walk.live(home, cast, form=form)
        assert account.remote_id == member.id
        yield home, network, member, account, cast


def broken(stage: Stage, hours: int) -> set[str]:
    home, _, _, account, _ = stage
    findings = check_account(home, account.id, now=NOW + timedelta(hours=hours))
    return {one.rule_id for one in findings if one.answer is False}


def test_in_order_then_each_breach_is_caught_by_the_next_check_and_told(stage: Stage) -> None:
    home, network, member, _, cast = stage
    wall = Wall(network)
    assert broken(stage, 1) == set()
    stranger = network.create_account("dave32457", "password 1")
    wall.like(member, wall.publish(stranger, "Look at me"))
    wall.publish(member, "Put up on the platform itself")
    assert broken(stage, 2) == {"INT402", "MED512"}
    network.follow(stranger, member)
    assert broken(stage, 3) == {"INT402", "MED512"}, "who waits sees nothing yet"
    network.change_profile(member, private=False, text="My holidays")
    network.accept(member, stranger.id)
    assert broken(stage, 4) == {"INT402", "MED512", "ACC103", "ACC106", "AUD301", "AUD305"}
    told = [one.text for one in open_notices(home.db, cast.manager.id) if one.kind == "rule_broken"]
    assert len(told) == 2 and "ACC103" in told[0] and "INT402" in told[1]


def test_a_key_revoked_behind_the_schools_back_is_seen_and_the_rest_stays_as_it_was(stage: Stage) -> None:
    home, network, member, account, _ = stage
    assert broken(stage, 1) == set()
    Keys(network).revoke_all(member)
    assert broken(stage, 2) == {"OVS801"}
    failed = events_page(home.db, before=None, tag=EventTag.ACCOUNT_CHECK_FAILED, actor=None, limit=5)
    assert failed[0].account_id == account.id


def test_a_password_changed_behind_the_schools_back_does_not_blind_the_machine(stage: Stage) -> None:
    """Nor does the machine notice it, for it opens no password; the network manager's next test does (SEC205)."""
    _, network, member, _, _ = stage
    network.change_password(member, f"{walk.SECRET}1-selaw_pirt", "another password 1")
    assert broken(stage, 2) == set()
