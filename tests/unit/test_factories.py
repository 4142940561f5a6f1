"""The factory of accounts reaches every state there is."""

from __future__ import annotations

import pytest
from factories import account_at

from socialgov.home import Home
from socialgov.models import AccountKind, AccountState


@pytest.mark.parametrize("state", AccountState)
def test_an_account_can_be_walked_to_every_state(home: Home, state: AccountState) -> None:
    assert account_at(home, state).state is state


def test_a_standing_account_goes_live_too_and_two_live_side_by_side(home: Home) -> None:
    first = account_at(home, AccountState.LIVE, kind=AccountKind.STANDING)
    second = account_at(home, AccountState.LIVE, platform="x", kind=AccountKind.WHOLE_SCHOOL)
    assert (first.kind, second.platform, second.id != first.id) == (AccountKind.STANDING, "x", True)
