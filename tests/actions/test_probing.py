"""Trying an account's reads: each really asked, its answer in counts only, its price counted, nothing kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from closing_school import PASSWORD, live_account, owner_of, with_platform
from connected import Connected, connectable
from factories import NOW
from networks import Clock, Sandbox, served_sandbox

from socialgov.actions.credentials import deposit
from socialgov.actions.probing import Probe, ProbeReport, probe_account
from socialgov.home import Home
from socialgov.models import Account, Capability
from socialgov.store.followers import followers_of
from socialgov.store.observations import newest_observations

C = Capability


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with served_sandbox(tmp_path / "sandbox.db", Clock(NOW)) as sandbox:
        yield sandbox


@pytest.fixture
def school(home: Home, sandbox: Sandbox) -> Home:
    return with_platform(home, replace(sandbox.info, key="sandbox"))


@pytest.fixture
def account(school: Home, sandbox: Sandbox) -> Account:
    network = sandbox.network
    member = network.create_account(
        "lakes2026", PASSWORD, email="trips@school.example", private=False, text="Ada Birch was here."
    )
    network.follow(network.create_account("carer_one", "Otter+91+harbour?"), member)
    found = live_account(school, remote_id=member.id)
    deposit(
        school, owner_of(school, found), found.id, username="lakes2026", secret=PASSWORD, email="trips@school.example",
        now=NOW,
    )  # fmt: skip
    return found


def by_capability(report: ProbeReport) -> dict[Capability, Probe]:
    return {probe.capability: probe for probe in report.probes}


def test_every_read_is_tried_and_told_in_counts(school: Home, account: Account) -> None:
    before = newest_observations(school.db, account.id)
    report = probe_account(school, account.id, now=NOW)
    found = by_capability(report)
    assert report.works
    assert found[C.READ_FOLLOWERS].found == "1 follower, 0 waiting"
    assert found[C.READ_PROFILE].found.startswith("public, a text, no picture")
    assert found[C.SEE_PRESENCE].found == "live"
    assert found[C.CHECK_LOGIN].found == "it works"
    assert found[C.READ_FOLLOWERS].requests > 0, "what costs nothing is counted too"
    assert report.micros == 0
    assert C.PUBLISH in report.not_tried
    assert "carer_one" not in repr(report.probes)
    assert "Ada" not in repr(report.probes)
    assert newest_observations(school.db, account.id) == before, "nothing that was read is kept"
    assert followers_of(school.db, account.id) == []


def test_a_read_that_fails_is_told_with_its_reason_and_the_others_go_on(
    school: Home, account: Account, sandbox: Sandbox
) -> None:
    away = with_platform(school, replace(school.settings.platforms["sandbox"], api_base="http://127.0.0.1:9"))
    report = probe_account(away, account.id, now=NOW)
    assert not report.works
    assert all("cannot be reached" in probe.found for probe in report.probes if probe.works is False)


@pytest.fixture
def on_x(home: Home, tmp_path: Path) -> Iterator[Connected]:
    with connectable(home, tmp_path) as connected:
        yield connected


def test_each_read_of_x_tells_its_price_and_the_platform_is_not_changed(on_x: Connected) -> None:
    account = on_x.connect()
    info = replace(on_x.home.settings.platforms["x"], monthly_budget=5_000_000)
    on_x.line.asked.clear()
    report = probe_account(with_platform(on_x.home, info), account.id, now=on_x.now)
    found = by_capability(report)
    assert report.works, report.probes
    assert found[C.READ_PROFILE].micros == 10_000
    assert report.micros == sum(probe.micros for probe in report.probes)
    assert sum(probe.requests for probe in report.probes) == len(on_x.line.asked)
    assert {request.method for request in on_x.line.asked} == {"GET"}


def test_without_money_nothing_is_asked(on_x: Connected) -> None:
    account = on_x.connect()
    info = replace(on_x.home.settings.platforms["x"], monthly_budget=0)
    on_x.line.asked.clear()
    report = probe_account(with_platform(on_x.home, info), account.id, now=on_x.now)
    assert not report.works
    assert report.micros == 0
    assert on_x.line.asked == []


def test_before_it_is_connected_people_look(on_x: Connected) -> None:
    report = probe_account(on_x.home, on_x.account.id, now=on_x.now)
    assert {probe.works for probe in report.probes} == {None}
    assert "not connected" in by_capability(report)[C.READ_PROFILE].found
