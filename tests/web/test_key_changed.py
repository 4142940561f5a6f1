"""The school's key is changed while the school is served: the next request opens the new one, nobody is signed out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from threading import local

import pytest
from factories import NOW, vault_of
from flask.testing import FlaskClient
from sealed_school import Records, account_of, add_blob, add_credential

from socialgov.actions.blobs import read_blob
from socialgov.actions.key_rotation import Change, take_over_all
from socialgov.actions.unsealing import unseal
from socialgov.errors import EscrowError
from socialgov.home import Home
from socialgov.jobs import run_once
from socialgov.models import CredentialKind, Staff
from socialgov.store.rows import scalar

Browse = Callable[[Staff], FlaskClient]


@pytest.fixture
def rotate(home: Home, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Another process changes the key: this one's home does not hear of it."""

    def from_outside() -> None:
        to = home.escrow.with_next_key(bytes([9]) * 32)
        take_over_all(replace(home, _local=local()), to, Change(), now=NOW)
        monkeypatch.setattr("socialgov.home.open_escrow", lambda root, settings, in_force: to)

    return from_outside


def test_the_next_request_opens_the_new_key_and_nobody_is_signed_out(
    home: Home, manager: Staff, browse: Browse, rotate: Callable[[], None]
) -> None:
    records, client = Records(), browse(manager)
    blob_id = add_blob(home, records, b"a photo")
    before = home.escrow.key_id
    rotate()
    assert client.get("/accounts/").status_code == 200
    assert home.escrow.key_id != before
    assert read_blob(home, blob_id)[0] == b"a photo"
    account = account_of(home)
    row_id = add_credential(home, records, account.id, CredentialKind.PASSWORD, "deposited since")
    sealed = scalar(home.db, "select sealed from credential where id = ?", (row_id,))
    assert unseal(home, account.id, CredentialKind.PASSWORD, row_id, sealed, vault_of(home)) == "deposited since"


def test_a_pass_of_the_jobs_opens_the_new_key_too(home: Home, rotate: Callable[[], None]) -> None:
    before = home.escrow.key_id
    rotate()
    assert run_once(home, NOW).whole
    assert home.escrow.key_id != before


def test_a_new_key_that_cannot_be_opened_is_told_and_nothing_is_saved(
    home: Home, manager: Staff, browse: Browse, rotate: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = browse(manager)
    rotate()

    def refuse(root: object, settings: object, in_force: str) -> None:
        raise EscrowError("The keyring did not answer (Locked).", "Unlock it, or choose another backend.")

    monkeypatch.setattr("socialgov.home.open_escrow", refuse)
    answer = client.get("/accounts/")
    assert answer.status_code == 503
    assert "Unlock it" in answer.text
