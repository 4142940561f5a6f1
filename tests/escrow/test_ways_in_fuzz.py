"""Ways into the vault, and vaults that are open, as somebody who can write to the database would have them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import walk
from factories import ESCROW, NOW, VAULT_PASSPHRASE, give_way_in, make_home, staff, vault_of
from test_ciphertext_fuzz import OTHER, VAULT, refused, session_of, untied

from socialgov.actions.vault import open_vault, opened_vault, shut_vault
from socialgov.escrow import Escrow, Holder
from socialgov.home import Home
from socialgov.models import Role


def holder_rows(home: Home) -> list[dict[str, object]]:
    found = home.db.execute("select id, salt, cost, wrapped from vault_holder where ended_at is null order by id")
    return [dict(zip(("id", "salt", "cost", "wrapped"), row, strict=True)) for row in found]


HOLDER_CHANGES: dict[str, Callable[[dict[str, object], dict[str, object]], dict[str, object]]] = {
    "another's": lambda _, other: {"wrapped": other["wrapped"]},
    "another's, with its salt": lambda _, other: {"wrapped": other["wrapped"], "salt": other["salt"]},
    "a flipped bit": lambda own, _: {"wrapped": bytes([*bytes(own["wrapped"])[:-1], bytes(own["wrapped"])[-1] ^ 1])},  # type: ignore[arg-type]
    "cut": lambda own, _: {"wrapped": bytes(own["wrapped"])[:50]},  # type: ignore[arg-type]
    "empty": lambda *_: {"wrapped": b""},
    "another salt": lambda *_: {"salt": bytes(16)},
    "no salt": lambda *_: {"salt": b""},
    "a cheap cost": lambda *_: {"cost": "argon2id:1:1024:1"},
    "a dear cost": lambda *_: {"cost": "argon2id:99:99999999:9"},
    "no cost": lambda *_: {"cost": "free"},
    "a forged one": lambda own, _: {
        "wrapped": OTHER.wrapped_for(
            Escrow.from_key(bytes(32), ESCROW.school_id), Holder(bytes(16)).public_of("theirs"), int(str(own["id"]))
        )
    },
}


@pytest.mark.asvs("11.3.3")
def test_ways_into_the_vault_that_were_changed_or_swapped_open_nothing(tmp_path: Path) -> None:
    """Two managers with one passphrase: even so, the row of one does not serve the other."""
    home = untied(make_home(tmp_path))
    second = staff(home, Role.NETWORK_MANAGER)
    give_way_in(home, second)
    session = session_of(home, second)
    assert open_vault(home, second, session, VAULT_PASSPHRASE, now=NOW)
    other, own = holder_rows(home)
    for minute, change in enumerate(HOLDER_CHANGES.values(), start=1):
        for column, value in change(own, other).items():
            home.db.execute(f"update vault_holder set {column} = ? where id = ?", (value, own["id"]))
        home.db.execute("delete from signin_failure")  # or the throttle would answer
        refused(lambda: open_vault(home, second, session, VAULT_PASSPHRASE, now=NOW), VAULT_PASSPHRASE)
        for column in ("salt", "cost", "wrapped"):
            home.db.execute(f"update vault_holder set {column} = ? where id = ?", (own[column], own["id"]))
        assert minute
    home.db.execute("delete from signin_failure")
    assert open_vault(home, second, session, VAULT_PASSPHRASE, now=NOW)


@pytest.mark.asvs("11.3.3", "7.4.1")
def test_openings_that_were_forged_swapped_or_made_longer_open_nothing(tmp_path: Path) -> None:
    home = untied(make_home(tmp_path))
    second = staff(home, Role.NETWORK_MANAGER)
    give_way_in(home, second)
    one, two = session_of(home, walk.cast_of(home).manager), session_of(home, second)
    token = open_vault(home, walk.cast_of(home).manager, one, VAULT_PASSPHRASE, now=NOW)
    other = open_vault(home, second, two, VAULT_PASSPHRASE, now=NOW)
    rows = [bytes(row[0]) for row in home.db.execute("select sealed from vault_opening order by id")]

    def put(sealed: bytes | None) -> None:
        home.db.execute("update vault_opening set sealed = ? where id = 1", (sealed,))

    for forged in (rows[1], rows[0][:-1], rows[0][:30] + b"\0" + rows[0][31:], b"", VAULT.kept_under(ESCROW, token, 1)):
        put(forged)
        for key in (token, other, "", "guessed"):
            refused(lambda key=key: opened_vault(home, one, key, now=NOW))
    put(rows[0])
    for session, key in ((one, other), (two, token), ("made up", token)):
        refused(lambda session=session, key=key: opened_vault(home, session, key, now=NOW))
    assert opened_vault(home, one, token, now=NOW).key_id == vault_of(home).key_id
    shut_vault(home, one, now=NOW)
    later = (NOW + timedelta(days=1)).isoformat()
    home.db.execute("update vault_opening set ended_at = null, expires_at = ? where id = 1", (later,))
    refused(lambda: opened_vault(home, one, token, now=NOW))
