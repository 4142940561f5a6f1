"""Passwords that the product proposes, and names that are none."""

from __future__ import annotations

import pytest
from factories import DOMAIN, NOW, staff
from walk import Cast, approved, set_up

from socialgov.actions.credentials import deposit
from socialgov.actions.proposals import Make, propose_password
from socialgov.errors import Conflict, InvalidInput, NotPermitted
from socialgov.generator import random_password
from socialgov.home import Home
from socialgov.models import Account, CredentialKind


@pytest.fixture
def account(home: Home, cast: Cast) -> Account:
    return set_up(home, cast, approved(home, cast))


@pytest.mark.parametrize("make", Make)
def test_what_is_proposed_is_taken_and_kept_nowhere_before(
    home: Home, cast: Cast, account: Account, make: Make
) -> None:
    proposed = propose_password(home, cast.owner, account.id, make)
    assert list(home.db.query("select * from credential")) == []
    assert proposed not in "\n".join(home.db.iterdump())
    kept = deposit(home, cast.owner, account.id, username="x", secret=proposed, email=f"trips@{DOMAIN}", now=NOW)
    assert (kept.strength, kept.problems) == (4, ())


def test_one_that_holds_the_schools_own_words_is_thrown_away(
    home: Home, cast: Cast, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = iter(["Geography-field-trip-instagram-407", random_password(Make.WORDS, 8)])
    monkeypatch.setattr("socialgov.actions.proposals.random_password", lambda *_: next(made))
    assert "eography" not in propose_password(home, cast.owner, account.id, Make.WORDS)
    monkeypatch.setattr("socialgov.actions.proposals.random_password", lambda *_: "Password1!")
    with pytest.raises(Conflict):
        propose_password(home, cast.owner, account.id, Make.WORDS)


def test_whoever_cannot_deposit_is_proposed_nothing(home: Home, account: Account) -> None:
    with pytest.raises(NotPermitted):
        propose_password(home, staff(home), account.id, Make.WORDS)


@pytest.mark.parametrize(
    "name",
    ["geography.field.trip", "Geography.Field.Trip26!", "Qz7vintage-Ferry", "qz7Vintage-ferry-88", f"trips@{DOMAIN}"],
)
def test_a_name_of_the_account_is_no_password_however_strong(
    home: Home, cast: Cast, account: Account, name: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        deposit(
            home, cast.owner, account.id, username="Qz7vintage-Ferry", secret=name, email=f"trips@{DOMAIN}", now=NOW
        )
    assert "user name, the handle or the e-mail" in caught.value.fields["secret"]


def test_a_password_is_compared_with_whatever_else_is_deposited(home: Home, cast: Cast, account: Account) -> None:
    token = "abcd-efgh-ijkl-mnop-7"
    values = {"username": "x", "email": f"trips@{DOMAIN}", "now": NOW}
    deposit(home, cast.owner, account.id, secret=token, kind=CredentialKind.API_TOKEN, **values)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput) as caught:
        deposit(home, cast.owner, account.id, secret=token.upper() + "!", **values)  # type: ignore[arg-type]
    assert "before" in caught.value.fields["secret"]
