"""`make demo`: an invented school that serves within a minute, in every state, and ends when it is told to."""

from __future__ import annotations

import re
import signal
import socket
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from pathlib import Path

import httpx
import psutil
import pytest
from running import Running, free_port, open_when_ready, running

from socialgov.actions.machine_tokens import accounts_without_key, key_since
from socialgov.config import package_folder
from socialgov.demo.people import CARERS, PUPILS, STAFF, invent
from socialgov.demo.school import PLATFORMS as DEMO_PLATFORMS
from socialgov.escrow import PASSPHRASE_FILE_VARIABLE, PASSPHRASE_VARIABLE
from socialgov.home import Home, open_home
from socialgov.models import Account, AccountState, Finding, Role
from socialgov.platforms import ADAPTERS, Platform
from socialgov.sandbox import create_sandbox
from socialgov.store.accounts import RegisterFilter, account_by_id, account_counts, register_page
from socialgov.store.events import verify_chain
from socialgov.store.findings import findings_of
from socialgov.store.people import count_people
from socialgov.store.staff import current_staff

SERVING_WITHIN = 60  # seconds of work; `make bench` measures the seconds that pass, on a machine that does nothing else
LAST_LINE = "Ctrl-C ends it"


def demo(port: int, folder: Path) -> list[str]:
    return [sys.executable, "-m", "socialgov", "demo", "--port", str(port), "--folder", str(folder)]


def links_in(text: str) -> list[str]:
    return re.findall(r"http://localhost:\d+/signin/\S+", text)


def sign_in(link: str) -> httpx.Client:
    """A browser that opened the link and pressed its button."""
    client = httpx.Client(follow_redirects=True, trust_env=False, timeout=30)
    page = client.get(link)
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)
    assert token, page.text
    assert client.post(link, data={"csrf_token": token[1]}).status_code == 200
    return client


@pytest.fixture(autouse=True)
def passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    """A demonstration brings its own passphrase, so none is given, unlike in other tests."""
    for variable in (PASSPHRASE_VARIABLE, PASSPHRASE_FILE_VARIABLE):
        monkeypatch.delenv(variable, raising=False)


@dataclass
class Demo:
    process: Running
    port: int
    folder: Path

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    port, folder = free_port(), tmp_path_factory.mktemp("demo") / "demo-home"
    with running(demo(port, folder)) as process:
        process.wait_for(LAST_LINE, seconds=240)
        yield Demo(process, port, folder)


@pytest.fixture(scope="module")
def school(started: Demo) -> Home:
    return open_home(started.folder / "school")


def test_it_asks_no_network_but_the_simulated_one() -> None:
    shipped = tomllib.loads((package_folder("config") / "platforms.toml").read_text(encoding="utf-8"))["platforms"]
    asked = {key for key in DEMO_PLATFORMS if shipped[key]["adapter"] != "attested"}
    without_client = {key for key in asked if import_adapter(shipped[key]["adapter"]).needs_client}  # it registers none
    assert asked - without_client == {"sandbox"}


def import_adapter(name: str) -> type[Platform]:
    module, adapter = ADAPTERS[name]
    return getattr(import_module(module), adapter)


def test_it_serves_after_less_than_a_minute_of_work(started: Demo) -> None:
    spent = psutil.Process(started.process.process.pid).cpu_times()
    assert spent.user + spent.system < SERVING_WITHIN
    assert open_when_ready(started.url).status_code == 200


def test_every_role_gets_a_link_that_signs_in(started: Demo) -> None:
    links = links_in(started.process.output)
    assert len(set(links)) == len(Role)
    for link in links:
        page = sign_in(link).get(started.url)
        assert page.status_code == 200
        assert "Demonstration" in page.text


def test_the_school_has_its_people(school: Home) -> None:
    assert count_people(school.db) == {"pupil": PUPILS, "carer": CARERS, "staff": STAFF}
    roles = Counter(role for staff in current_staff(school.db) for role in staff.roles)
    assert set(roles) == set(Role)


def test_accounts_stand_in_every_state_of_the_lifecycle(school: Home) -> None:
    counts = account_counts(school.db)
    assert {state for state, count in counts.items() if count} == set(AccountState)
    assert sum(counts.values()) >= 12


def test_some_accounts_are_in_breach(started: Demo) -> None:
    manager = sign_in(fresh_link(started, "network_manager"))
    page = manager.get(started.url).text
    for account in ("md_netball", "md_choir_tour"):
        assert account in page


def test_the_log_of_the_story_is_whole(school: Home) -> None:
    report = verify_chain(school.db)
    assert report.whole
    assert report.count > 500


def test_the_accounts_exist_on_the_simulated_network(started: Demo) -> None:
    page = httpx.get(f"{started.url}/sandbox/@md_netball", trust_env=False)
    assert page.status_code == 200
    assert "Marrowdown" in page.text


def test_the_manager_opens_the_vault_with_the_printed_passphrase_and_the_phone(started: Demo, school: Home) -> None:
    """As a visitor who plays the network manager: a link, the phone's code, the passphrase, a reason, a password."""
    manager = sign_in(fresh_link(started, "network_manager"))
    assert "Your phone and passphrase" in manager.get(started.url).text
    asked = manager.get(f"{started.url}/vault/open")
    assert asked.url.path == "/confirm"
    phone = httpx.get(f"{started.url}/sandbox/phone", trust_env=False).text
    code = re.search(r"digits\">(\d{3} \d{3})<", phone)
    words = re.search(r"passphrase</h2>\s*<p><strong>([a-z -]+)<", phone)
    assert code and words
    assert words[1] in started.process.output
    press(manager, str(asked.url), str(asked.url), code=code[1])
    press(manager, f"{started.url}/vault/open", f"{started.url}/vault/open", passphrase=words[1])
    assert "The vault is open" in manager.get(started.url).text
    look = f"{started.url}/accounts/{account_named(school, 'md_harbour_trip').id}/password"
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', manager.get(look).text)
    assert token
    answer = manager.post(look, data={"csrf_token": token[1], "reason": "To see what a visitor sees."})
    secret = re.search(r'class="secret[^"]*"[^>]*>\s*([^<\s]+)', answer.text)
    assert secret, answer.text
    network = create_sandbox(started.folder / "network.db", school.now).extensions["network"]
    assert network.sign_in("md_harbour_trip", secret[1]).name == "md_harbour_trip"


def test_every_account_on_the_network_gave_the_machine_a_key(school: Home) -> None:
    assert accounts_without_key(school) == []
    assert key_since(school, account_named(school, "md_harbour_trip").id) is not None


def fresh_link(started: Demo, role: str) -> str:
    """What `socialgov signin-link` prints, for the first one of that role."""
    from socialgov.actions.signin import make_signin_link
    from socialgov.store.staff import staff_with_role

    home = open_home(started.folder / "school")
    staff = min(staff_with_role(home.db, Role(role)), key=lambda one: one.id)
    return started.url + make_signin_link(home, staff.id, actor="cli", now=home.now())


def test_a_second_one_on_the_same_port_says_so_and_how_to_mend_it(started: Demo, tmp_path: Path) -> None:
    with running(demo(started.port, tmp_path / "other")) as second:
        assert second.process.wait(timeout=30) == 1
        assert f"Port {started.port} cannot be used" in second.output
        assert f"make demo PORT={started.port + 1}" in second.output
        assert "Traceback" not in second.output


def test_what_an_outsider_does_is_caught_and_a_moved_clock_ends_an_account(started: Demo, school: Home) -> None:
    """The visitor's two plays, over HTTP: flip a private account to public, and move the clock past an end date."""
    manager = sign_in(fresh_link(started, "network_manager"))
    network = create_sandbox(started.folder / "network.db", school.now).extensions["network"]
    network.change_profile(network.named("md_harbour_trip"), private=False)
    page = f"{started.url}/accounts/{account_named(school, 'md_harbour_trip').id}"
    press(manager, page, f"{page}/check")
    assert finding(school, "md_harbour_trip", "ACC103").answer is False

    press(manager, started.url, f"{started.url}/demonstration/clock", hours=24 * 5)
    assert account_named(school, "md_market_day").state is AccountState.LIVE
    deadline = time.monotonic() + 60  # the scheduler of a demonstration looks every few seconds
    while account_named(school, "md_market_day").state is AccountState.LIVE:
        assert time.monotonic() < deadline, "the scheduler did not close an account whose time is over"
        time.sleep(0.5)


def press(browser: httpx.Client, page: str, action: str, **fields: object) -> None:
    """A button of `page`, with its token."""
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', browser.get(page).text)
    assert token
    data = {"csrf_token": token[1], **{name: str(value) for name, value in fields.items()}}
    assert browser.post(action, data=data).status_code == 200


def account_named(school: Home, handle: str) -> Account:
    row = next(row for row in register_page(school.db, RegisterFilter(search=handle)).rows if row.handle == handle)
    return account_by_id(school.db, row.id)


def finding(school: Home, handle: str, rule_id: str) -> Finding:
    found = findings_of(school.db, account_named(school, handle).id)
    return next(one for one in found if one.rule_id == rule_id)


def test_ctrl_c_ends_everything_and_a_restart_keeps_the_school(started: Demo) -> None:
    before = (started.folder / "school" / "school.toml").read_text(encoding="utf-8")
    family = [started.process.process.pid, *(c.pid for c in psutil.Process(started.process.process.pid).children())]
    assert len(family) == 2, "the web server and the scheduler"
    started.process.process.send_signal(signal.SIGINT)
    assert started.process.process.wait(timeout=30) == 0
    assert not [pid for pid in family if psutil.pid_exists(pid)]

    port = free_port()
    with running(demo(port, started.folder)) as again:
        links = links_in(again.wait_for(LAST_LINE))
        assert all(link.startswith(f"http://localhost:{port}/") for link in links)
        assert sign_in(links[0]).get(f"http://localhost:{port}").status_code == 200
        after = (started.folder / "school" / "school.toml").read_text(encoding="utf-8")
        assert after == before.replace(str(started.port), str(port))
        scheduler = psutil.Process(again.process.pid).children()[0]
        again.process.kill()
        scheduler.wait(timeout=30)  # nobody is left behind even when the first process is killed outright


def test_a_half_built_school_is_built_anew_and_no_passphrase_of_a_real_one_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PASSPHRASE_VARIABLE, "that of the real school of this machine")
    folder = tmp_path / "demo-home"
    (folder / "school").mkdir(parents=True)
    (folder / "school" / "school.db").write_bytes(b"half of a database")
    (folder / "network.db").write_bytes(b"half of another")
    port = free_port()
    with running(demo(port, folder)) as process:
        process.wait_for(LAST_LINE, seconds=240)
        assert open_when_ready(f"http://localhost:{port}").status_code == 200
    monkeypatch.delenv(PASSPHRASE_VARIABLE)
    open_home(folder / "school")


def test_nobody_hears_of_a_port_that_is_taken_only_after_the_building(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with running(demo(taken.getsockname()[1], tmp_path / "demo-home")) as process:
            assert process.process.wait(timeout=30) == 1
    assert not (tmp_path / "demo-home" / "school").exists()


def test_the_same_day_invents_the_same_people() -> None:
    today = date(2026, 11, 22)
    one, other = invent(today), invent(today)
    assert one == other
    assert (len(one.pupils), len(one.carers), len(one.staff)) == (PUPILS, CARERS, STAFF)
    assert len({carer.ref for carer in one.carers}) == CARERS
    assert len({who.email for who in one.staff}) == STAFF


def test_invented_addresses_can_belong_to_nobody() -> None:
    people = invent(date(2026, 11, 22))
    assert all(who.email.endswith(".example") for who in (*people.carers, *people.staff))


@pytest.mark.parametrize("today", [date(2026, 8, 31), date(2026, 9, 1), date(2028, 2, 29)])
def test_pupils_are_as_old_as_their_year_group(today: date) -> None:
    september = date(today.year if today.month >= 9 else today.year - 1, 9, 1)
    for pupil in invent(today).pupils:
        before_september = (pupil.born_on.month, pupil.born_on.day) < (9, 1)
        assert september.year - pupil.born_on.year + before_september == pupil.year + 5
