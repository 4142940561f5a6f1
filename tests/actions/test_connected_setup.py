"""What was set up is recorded for an account whose platform lets us look only once it is connected."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from connected import Connected, connectable
from factories import DOMAIN

from socialgov.actions.accounts import record_setup
from socialgov.errors import InvalidInput
from socialgov.home import Home
from socialgov.models import Account, AccountState
from socialgov.store.connect import write


@pytest.fixture
def one(home: Home, tmp_path: Path) -> Iterator[Connected]:
    with connectable(home, tmp_path) as found:
        yield found


def recorded(one: Connected, handle: str) -> Account:
    with write(one.home.db) as db:
        db["account"].update(one.account.id, {"state": AccountState.APPROVED.value})
    return record_setup(one.home, one.owner, one.account.id, handle=handle, school_email=f"trip@{DOMAIN}", now=one.now)


def test_before_it_is_connected_nothing_is_looked_up(one: Connected) -> None:
    account = recorded(one, "another_name")
    assert (account.handle, account.remote_id) == ("another_name", None)
    assert one.line.asked == []


def test_connected_it_keeps_its_lasting_id_under_a_new_name(one: Connected) -> None:
    one.connect()
    one.there.username = "new_name"
    account = recorded(one, "new_name")
    assert (account.handle, account.remote_id) == ("new_name", one.there.id)


def test_connected_with_one_account_it_does_not_become_another(one: Connected) -> None:
    """Else what is read of the one would count for the other."""
    one.connect()
    one.x.world.join("another_name")
    with pytest.raises(InvalidInput, match="another account"):
        recorded(one, "another_name")
