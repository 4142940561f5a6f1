"""Let the product try a deposited login: as that person's use, with the vault open, and no transaction meanwhile."""

from __future__ import annotations

from typing import Any

import pytest
from factories import DOMAIN, NOW, vault_of
from recording_platform import Shown, recorded_home
from walk import SECRET, Cast, approved, deposited, form_of, live, set_up, tags

from socialgov.actions.credentials import deposit
from socialgov.actions.trying import can_try, try_login
from socialgov.errors import Conflict, NotFound, NotPermitted
from socialgov.home import Home
from socialgov.models import Account, Fact, Source
from socialgov.platforms import LoginRefused, PlatformError
from socialgov.store.events import events_of_account
from socialgov.store.findings import findings_of
from socialgov.store.observations import newest_observation


@pytest.fixture
def fake(home: Home, monkeypatch: pytest.MonkeyPatch) -> tuple[Home, Shown]:
    return recorded_home(home, monkeypatch)


@pytest.fixture
def account(home: Home, cast: Cast) -> Account:
    account = set_up(home, cast, approved(home, cast))
    deposited(home, cast, account)
    return account


def tried(home: Home, account: Account) -> Any:
    return newest_observation(home.db, account.id, Fact.LOGIN_WORKS)


def test_what_works_counts_as_the_network_managers_word(fake: tuple[Home, Shown], cast: Cast, account: Account) -> None:
    home, shown = fake
    inside: list[bool] = []
    shown.meanwhile = lambda: inside.append(home.db.conn.in_transaction)
    assert try_login(home, cast.manager, vault_of(home), account.id, now=NOW)
    assert (shown.asked, inside) == (["check_login"], [False])
    seen = tried(home, account)
    assert (seen.value, seen.source, seen.observed_by) == (True, Source.ATTESTED, cast.manager.id)
    assert {one.rule_id: one.answer for one in findings_of(home.db, account.id)}["SEC205"] is True
    used = next(one for one in events_of_account(home.db, account.id) if one.tag.endswith("used_by_machine"))
    assert (used.actor, used.data) == (f"staff:{cast.manager.id}", {"purpose": "login test"})


@pytest.mark.parametrize("refusal", [None, LoginRefused("Wrong password.")])
def test_what_is_refused_is_recorded_and_told(
    fake: tuple[Home, Shown], cast: Cast, account: Account, refusal: LoginRefused | None
) -> None:
    home, shown = fake
    shown.check_login = False
    if refusal:
        shown.failing = {"check_login": refusal}
    assert not try_login(home, cast.manager, vault_of(home), account.id, now=NOW)
    assert tried(home, account).value is False


def test_a_platform_that_does_not_answer_says_nothing_about_the_login(
    fake: tuple[Home, Shown], cast: Cast, account: Account
) -> None:
    home, shown = fake
    shown.failing = {"check_login": PlatformError("It timed out.", permanent=False)}
    with pytest.raises(PlatformError):
        try_login(home, cast.manager, vault_of(home), account.id, now=NOW)
    assert tried(home, account) is None
    assert tags(home, account)[-1] == "credential:secret:used_by_machine"


def test_a_login_that_is_replaced_meanwhile_does_not_pass_untried(
    fake: tuple[Home, Shown], cast: Cast, account: Account
) -> None:
    home, shown = fake
    shown.meanwhile = lambda: deposit(
        home, cast.owner, account.id, username="trip", secret="Ueb9!perky-Lantern-07", email=f"t@{DOMAIN}", now=NOW
    )
    with pytest.raises(Conflict):
        try_login(home, cast.manager, vault_of(home), account.id, now=NOW)
    assert tried(home, account) is None


def test_only_the_network_manager_and_only_where_a_program_may_sign_in(
    home: Home, fake: tuple[Home, Shown], cast: Cast, account: Account
) -> None:
    watched, _ = fake
    for other in (cast.owner, cast.head):
        with pytest.raises(NotPermitted):
            try_login(watched, other, vault_of(home), account.id, now=NOW)
    assert not can_try(home, account)  # Instagram as it is: people sign in, programs do not
    with pytest.raises(Conflict):
        try_login(home, cast.manager, vault_of(home), account.id, now=NOW)
    bare = set_up(home, cast, approved(home, cast, form=form_of(cast, handle_wished="history.trip")))
    with pytest.raises(NotFound):
        try_login(watched, cast.manager, vault_of(home), bare.id, now=NOW)
    assert SECRET not in str([event.data for event in events_of_account(home.db, account.id)])


def test_an_account_that_was_never_set_up_has_nothing_to_sign_in_to(fake: tuple[Home, Shown], cast: Cast) -> None:
    home, _ = fake
    assert not can_try(home, approved(home, cast))
    assert can_try(home, live(home, cast, form=form_of(cast, handle_wished="choir.tour")))
