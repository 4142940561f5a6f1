"""What platforms cost, before they are switched on and after, and what is not checked since when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import walk
from connected import connectable
from factories import NOW, staff
from flask.testing import FlaskClient
from priced_platform import PricedShown, priced_home, with_budget

from socialgov.actions.adapters import note_refusal
from socialgov.actions.observing import check_account
from socialgov.actions.platform_states import about, amount
from socialgov.actions.signin import make_signin_link
from socialgov.actions.spending import meter_of, pause_for_payment
from socialgov.home import Home
from socialgov.models import Account, Capability, Role, Staff
from socialgov.platforms import Counts, NotOffered, PlatformError, RemoteFollower
from socialgov.store import spending
from socialgov.store.connect import write
from socialgov.store.connections import put_off
from socialgov.web import build_app

Browse = Callable[[Staff], FlaskClient]


@pytest.fixture
def priced(home: Home, cast: walk.Cast, monkeypatch: pytest.MonkeyPatch) -> tuple[Home, Account, PricedShown]:
    """A live account that was looked at once, on a platform where that costs money; five dollars a month."""
    account = walk.live(home, cast)
    school, shown = priced_home(home, monkeypatch, 500)
    shown.followers = [RemoteFollower("f1", "granny", "Granny")]
    check_account(school, account.id, now=NOW)
    return school, account, shown


@pytest.fixture
def visit() -> Callable[[Home, Staff], FlaskClient]:
    """A client that is signed in at the school as it is set up here."""

    def visited(school: Home, staff: Staff) -> FlaskClient:
        there = build_app(school)
        there.config.update(WTF_CSRF_ENABLED=False, PROPAGATE_EXCEPTIONS=False)
        client = there.test_client()
        assert client.post(make_signin_link(school, staff.id, actor="cli", now=school.now())).status_code == 302
        return client

    return visited


Visit = Callable[[Home, Staff], FlaskClient]


def text(client: FlaskClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return " ".join(answer.text.split())


def test_before_it_is_switched_on_the_page_says_what_it_would_cost(
    home: Home, cast: walk.Cast, monkeypatch: pytest.MonkeyPatch, visit: Visit
) -> None:
    for number in range(2):
        walk.live(home, cast, form=walk.form_of(cast, handle_wished=f"trip_{number}"))
    school, _ = priced_home(home, monkeypatch, None)
    page = text(visit(school, cast.manager), "/platforms/")
    assert "Not set, so nothing that costs money is asked" in page
    assert "2 accounts: about $" in page and "a month" in page
    assert "monthly_budget = &#34;20.00&#34;" in page or 'monthly_budget = "20.00"' in page
    assert "Source: a test. Looked up 22 November 2026." in page


def test_it_says_what_was_spent_and_what_is_in_doubt(
    priced: tuple[Home, Account, PricedShown], cast: walk.Cast, visit: Visit
) -> None:
    school, account, _ = priced
    before = spending.spent(school.db, "instagram", school.today(NOW), school.today(NOW)).micros
    meter_of(school, school.settings.platforms["instagram"], account.id, now=NOW).before("followers", 3)
    page = text(visit(school, cast.head), "/platforms/")
    assert "$5.00 a month" in page
    assert f"{amount(before + 30_000)}, $0.03 of it in doubt" in page


def test_when_the_budget_is_used_up_every_page_says_what_is_not_checked_since_when(
    priced: tuple[Home, Account, PricedShown], cast: walk.Cast, visit: Visit
) -> None:
    school, account, _ = priced
    poor = with_budget(school, 1)
    check_account(poor, account.id, now=NOW + timedelta(hours=13))
    client = visit(poor, cast.manager)
    about, register, page, today = (
        text(client, path) for path in (f"/accounts/{account.id}", "/accounts/", "/platforms/", "/")
    )
    since = "since 23 November 2026, 09:00"
    assert f"Not checked: the profile and whether it is private, {since}" in about
    assert f"Not checked: followers, {since}" in about
    assert "The month&#39;s budget for Instagram is used up." in about
    assert "Not all checked since 23 November 2026" in register
    assert "Not checked since" in page and "Followers" in page and "is asked again on 1 December 2026" in page
    assert f'Not all was checked of one account {since}. <a href="/platforms/">' in today
    owner = text(visit(poor, cast.owner), "/")
    assert f'Not all was checked of one account {since}. <a href="/accounts/?mine=1">' in owner
    assert "Not all was checked" not in text(visit(poor, staff(poor, Role.TEACHER)), "/")


def test_the_worst_of_several_accounts_stands_on_today(
    home: Home, priced: tuple[Home, Account, PricedShown], cast: walk.Cast, visit: Visit
) -> None:
    school, account, _ = priced
    poor, later = with_budget(school, 1), NOW + timedelta(hours=13)
    for number in range(2):
        check_account(poor, walk.live(home, cast, form=walk.form_of(cast, handle_wished=f"new_{number}")).id, now=later)
    client = visit(poor, cast.head)
    assert "Not all was checked of 2 accounts: never until now." in text(client, "/")
    check_account(poor, account.id, now=later)
    assert "Not all was checked of 3 accounts: 1 since 23 November 2026, 09:00, 2 never." in text(client, "/")


def test_the_gate_says_what_no_machine_has_checked(
    home: Home, cast: walk.Cast, monkeypatch: pytest.MonkeyPatch, visit: Visit
) -> None:
    account = walk.ready(home, cast)
    school, _ = priced_home(home, monkeypatch, None)
    client = visit(school, cast.owner)
    assert "not-checked" not in text(client, f"/accounts/{account.id}/gate")
    check_account(school, account.id, now=NOW)
    gate = text(client, f"/accounts/{account.id}/gate")
    assert "Not all was checked by machine.</strong> Never until now: followers, whom it follows, likes" in gate
    assert "Instagram costs money, and the school has set no budget for it." in gate


def test_check_now_never_says_that_it_looked_where_nothing_was_read(
    priced: tuple[Home, Account, PricedShown], cast: walk.Cast, visit: Visit
) -> None:
    school, account, shown = priced

    def pressed(there: Home, hours: float) -> str:
        moved = replace(there, clock=lambda: NOW + timedelta(hours=hours))
        client = visit(moved, cast.owner)
        assert client.post(f"/accounts/{account.id}/check").status_code == 302
        return text(client, f"/accounts/{account.id}")

    assert "The account was looked at just now." in pressed(school, 13)
    assert "It was looked at a moment ago, so nothing was asked again." in pressed(school, 13.05)
    page = pressed(with_budget(school, 1), 26)
    assert "Nothing was looked at. The month&#39;s budget for Instagram is used up." in page
    assert "Last checked just now" not in page
    shown.failing["likes"] = PlatformError("Instagram is tired.", permanent=False)
    shown.counts = Counts(1, 0, 4, 0)
    assert "Part of the account was looked at just now." in pressed(school, 39)


def test_check_now_of_an_account_that_people_look_at_says_so(home: Home, cast: walk.Cast, visit: Visit) -> None:
    account = walk.live(home, cast)
    client = visit(home, cast.owner)
    client.post(f"/accounts/{account.id}/check")
    assert "No machine looks at Instagram: people say what they see." in text(client, f"/accounts/{account.id}")


def test_an_account_that_its_platform_shuts_us_out_of_says_since_when(home: Home, tmp_path: Path, visit: Visit) -> None:
    with connectable(home, tmp_path) as one:
        one.connect()
        check_account(one.home, one.account.id, now=one.now)
        one.x.doors.revoke_by_user(one.there.id)
        for days in (2, 1):
            check_account(one.home, one.account.id, now=one.later(days=days), asked=True)
        client = visit(one.home, one.owner)
        page = text(client, f"/accounts/{one.account.id}")
        assert "X has not let socialgov into trip_wales since 25 November 2026. Connect it again." in page
        assert "Not checked: followers, since 23 November 2026, 09:00" in page
        client.post(f"/accounts/{one.account.id}/check")
        assert "Nothing was looked at. X has not let" in text(client, f"/accounts/{one.account.id}")


def test_an_account_that_was_wholly_looked_at_says_nothing_of_the_kind(
    priced: tuple[Home, Account, PricedShown], cast: walk.Cast, visit: Visit
) -> None:
    school, account, _ = priced
    client = visit(school, cast.manager)
    for path in (f"/accounts/{account.id}", "/accounts/", "/platforms/"):
        shown_there = text(client, path)
        assert "not-checked" not in shown_there and "Not all checked" not in shown_there


def test_a_list_that_was_only_counted_says_when_it_was_read(
    priced: tuple[Home, Account, PricedShown], cast: walk.Cast, visit: Visit
) -> None:
    school, account, _ = priced
    check_account(school, account.id, now=NOW + timedelta(days=1))
    about = text(visit(school, cast.owner), f"/accounts/{account.id}")
    told = "Not read again: Instagram tells the same number as at the full reading on 23 November 2026."
    assert f"Followers. {told}" in about
    assert "Likes. Not asked for: Instagram tells that there are none." in about


def test_the_network_manager_lets_a_paused_platform_be_asked_again_and_nobody_else_does(
    priced: tuple[Home, Account, PricedShown], cast: walk.Cast, visit: Visit
) -> None:
    school, _, _ = priced
    pause_for_payment(school, school.settings.platforms["instagram"], now=NOW)
    assert "Ask Instagram again" not in text(visit(school, cast.head), "/platforms/")
    assert visit(school, cast.head).post("/platforms/instagram/resume").status_code == 403
    client = visit(school, cast.manager)
    assert "Ask Instagram again" in text(client, "/platforms/")
    assert client.post("/platforms/instagram/resume").status_code == 302
    assert spending.pause_of(school.db, "instagram", NOW) is None
    assert client.post("/platforms/instagram/resume").status_code == 409
    assert client.post("/platforms/nowhere/resume").status_code == 404


def test_what_a_platform_does_not_offer_stands_there_and_a_server_is_named_where_there_are_many(
    priced: tuple[Home, Account, PricedShown], cast: walk.Cast, visit: Visit
) -> None:
    school, account, _ = priced
    note_refusal(school, account.id, NotOffered("Instagram", Capability.READ_LIKES), now=NOW)
    with write(school.db) as db:
        put_off(db, "instagram", "https://photos.example", Capability.SET_PICTURE, "not offered", NOW)
    page = text(visit(school, cast.manager), "/platforms/")
    assert "Not offered to us</dt> <dd>To see what it likes. People do this" in page
    assert "Not offered by photos.example</dt> <dd>To set the school" in page


def test_a_teacher_does_not_see_what_platforms_cost(home: Home, browse: Browse, teacher: Staff) -> None:
    assert Role.TEACHER in teacher.roles
    assert browse(teacher).get("/platforms/").status_code == 403


@pytest.mark.parametrize(
    ("micros", "words"),
    [(0, "$0.00"), (3_200_000, "$3.20"), (10_000, "$0.01"), (5_000, "$0.005"), (1_234_567_000, "$1,234.57")],
)
def test_an_amount_is_never_rounded_to_nothing(micros: int, words: str) -> None:
    assert amount(micros) == words
    assert amount(3_200_000, "CHF") == "CHF 3.20"


def test_a_sum_is_rounded_up_to_whole_cents() -> None:
    assert [about(micros) for micros in (0, 1, 361_428, 3_200_000)] == ["$0.00", "$0.01", "$0.37", "$3.20"]


def test_a_school_without_an_account_there_learns_what_one_would_cost(
    home: Home, cast: walk.Cast, monkeypatch: pytest.MonkeyPatch, visit: Visit
) -> None:
    school, _ = priced_home(home, monkeypatch, None)
    assert "There is no account on it yet. One with 30 followers: about $" in text(
        visit(school, cast.manager), "/platforms/"
    )
