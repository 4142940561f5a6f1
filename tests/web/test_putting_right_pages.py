"""The page that puts right by machine what is out of order: buttons where a machine can, else what a person does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import walk
from flask import Flask
from flask.testing import FlaskClient
from recording_platform import READS, RecordingPlatform, Shown
from walk import Cast

from socialgov import platforms
from socialgov.home import Home
from socialgov.models import Account, Capability, Staff
from socialgov.platforms import PlatformError


class Liking(RecordingPlatform):
    """Takes likes back and makes private, and nothing else."""

    capabilities = READS | {Capability.UNDO_LIKE, Capability.SET_PRIVATE}

    def undo_like(self, remote_id: str) -> None:
        if "undo_like" in self.shown.failing:
            raise self.shown.failing["undo_like"]
        self.shown.likes = [one for one in self.shown.likes if one != remote_id]

    def set_private(self) -> None:
        self.shown.profile = replace(self.shown.profile, private=True)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Shown:
    shown = Shown()
    monkeypatch.setattr(Liking, "shown", shown)
    monkeypatch.setitem(platforms.ADAPTERS, "liking", (__name__, "Liking"))
    return shown


@pytest.fixture
def account(app: Flask, home: Home, cast: Cast, shown: Shown, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    info = replace(home.settings.platforms[walk.PLATFORM], adapter="liking")
    school = replace(home, settings=replace(home.settings, platforms={**home.settings.platforms, info.key: info}))
    monkeypatch.setitem(app.extensions, "socialgov", school)
    yield walk.live(school, cast)


@pytest.fixture
def owner(browse: Callable[[Staff], FlaskClient], cast: Cast) -> FlaskClient:
    return browse(cast.owner)


def test_a_broken_rule_leads_to_the_button_that_puts_it_right(
    account: Account, owner: FlaskClient, shown: Shown
) -> None:
    shown.likes = ["1", "2"]
    owner.post(f"/accounts/{account.id}/check")
    assert f'href="/accounts/{account.id}/put-right#likes"' in owner.get(f"/accounts/{account.id}").text
    page = owner.get(f"/accounts/{account.id}/put-right").text
    assert "Take all likes back" in page
    assert "2 likes seen" in page
    told = owner.post(f"/accounts/{account.id}/put-right/likes/back", follow_redirects=True).text
    assert "2 likes taken back." in told
    assert "2 likes seen" not in told
    assert "#likes" not in owner.get(f"/accounts/{account.id}").text


def test_what_no_machine_can_do_says_so_and_how(account: Account, owner: FlaskClient) -> None:
    page = owner.get(f"/accounts/{account.id}/put-right").text
    assert "lets no machine do this" in page
    assert "Download the school" in page
    assert "Set the school&#39;s logo" not in page
    answer = owner.post(f"/accounts/{account.id}/put-right/picture")
    assert answer.status_code == 404
    assert "The machine cannot do this" in answer.text


def test_a_platform_that_stops_half_way_is_told_with_what_is_left(
    account: Account, owner: FlaskClient, shown: Shown
) -> None:
    shown.likes = ["1"]
    shown.failing["undo_like"] = PlatformError("It asks us to slow down.", permanent=False)
    told = owner.post(f"/accounts/{account.id}/put-right/likes/back", follow_redirects=True).text
    assert "0 likes taken back. 1 left" in told
    assert "slow down" in told


def test_it_is_made_private_by_one_press(account: Account, owner: FlaskClient, shown: Shown) -> None:
    shown.profile = replace(shown.profile, private=False)
    owner.post(f"/accounts/{account.id}/check")
    told = owner.post(f"/accounts/{account.id}/put-right/private", follow_redirects=True).text
    assert "It was made private." in told
    assert shown.profile.private is True


def test_there_is_nothing_else_to_take_back(account: Account, owner: FlaskClient) -> None:
    for what in ("picture", "private", "elsewhere"):
        assert owner.post(f"/accounts/{account.id}/put-right/{what}/back").status_code == 404


def test_who_only_looks_is_offered_no_button(
    account: Account, browse: Callable[[Staff], FlaskClient], cast: Cast, shown: Shown
) -> None:
    shown.likes = ["1"]
    head = browse(cast.head)
    head.post(f"/accounts/{account.id}/check")
    assert "put-right" not in head.get(f"/accounts/{account.id}").text
    assert head.post(f"/accounts/{account.id}/put-right/likes/back").status_code == 403
    assert shown.likes == ["1"]
