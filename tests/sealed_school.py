"""A school with one sealed record of every kind, put there in a moment, and what tells whether each still opens."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count

from factories import NOW, VAULT_PASSPHRASE, manager_of, staff
from walk import approved, cast_of, form_of

from socialgov.actions.authenticators import FIELD
from socialgov.actions.blobs import read_blob, save_blob
from socialgov.actions.sessions import Visitor, start_session
from socialgov.actions.unsealing import unseal
from socialgov.actions.vault import vault_key
from socialgov.escrow import OpenVault
from socialgov.escrow.vault import Holder
from socialgov.home import Home
from socialgov.models import Account, CredentialKind
from socialgov.store import connections
from socialgov.store.connect import insert, write
from socialgov.store.rows import dicts, scalar
from socialgov.store.vault import current_holders

_numbers = count(1)


@dataclass
class Records:
    """What was sealed, in the clear, by the row it lies in."""

    credentials: dict[int, tuple[int, CredentialKind, str]] = field(default_factory=dict)
    blobs: dict[int, bytes] = field(default_factory=dict)
    seeds: dict[int, tuple[int, str]] = field(default_factory=dict)
    id_tokens: dict[int, str] = field(default_factory=dict)
    codes: dict[int, tuple[int, str]] = field(default_factory=dict)
    connections: dict[int, tuple[int, str]] = field(default_factory=dict)
    clients: dict[int, str] = field(default_factory=dict)


def account_of(home: Home) -> Account:
    cast = cast_of(home)
    return approved(home, cast, form=form_of(cast, handle_wished=f"account.{next(_numbers)}"))


def add_credential(
    home: Home, records: Records, account_id: int, kind: CredentialKind, secret: str, *, superseded: bool = False
) -> int:
    """Sealed as actions/deposits.py seals it (tests/actions/test_sealed_places.py compares)."""
    with write(home.db) as db:
        row = {"account_id": account_id, "kind": kind, "username": "u", "fingerprint": "f", "strength": 4}
        row |= {"problems": "[]", "deposited_at": NOW, "secret_at": NOW, "superseded_at": NOW if superseded else None}
        row_id = insert(db, "credential", row)
        place = {"account": str(account_id), "field": kind.value, "version": row_id}
        if kind.in_vault:
            sealed = home.escrow.seal_to(vault_key(home, db), secret.encode(), **place)
        else:
            sealed = home.escrow.seal(secret.encode(), **place)
        db.execute("update credential set sealed = ? where id = ?", [sealed, row_id])
    records.credentials[row_id] = (account_id, kind, secret)
    return row_id


def add_blob(home: Home, records: Records, content: bytes, account_id: int | None = None) -> int:
    blob_id = save_blob(home, content, mime="image/png", purpose="photo", account_id=account_id, made_by=None, now=NOW)
    records.blobs[blob_id] = content
    return blob_id


def add_seed(home: Home, records: Records, text: str) -> None:
    person = staff(home)
    with write(home.db) as db:
        row_id = insert(db, "authenticator", {"staff_id": person.id, "made_at": NOW, "confirmed_at": NOW})
        sealed = home.escrow.seal(text.encode(), account=f"staff:{person.id}", field=FIELD, version=row_id)
        db.execute("update authenticator set sealed = ? where id = ?", [sealed, row_id])
    records.seeds[row_id] = (person.id, text)


def add_id_token(home: Home, records: Records, text: str) -> None:
    with write(home.db) as db:
        start_session(db, home, manager_of(home).id, method="openid", visitor=Visitor(), now=NOW)
        row_id = scalar(db, "select max(id) from session")
        sealed = home.escrow.seal(text.encode(), account="session", field="id_token", version=row_id)
        db.execute("update session set id_token = ? where id = ?", [sealed, row_id])
    records.id_tokens[row_id] = text


def add_code(home: Home, records: Records, text: str) -> None:
    """A closing that has been handed the platform's mailed code."""
    account = account_of(home)
    with write(home.db) as db:
        closing = {"account_id": account.id, "reason": "r", "started_at": NOW}
        step = {"closing_id": insert(db, "closing", closing), "position": 1, "name": "delete", "doer": "machine"}
        step_id = insert(db, "closing_step", {**step, "state": "waiting"})
        sealed = home.escrow.seal(text.encode(), account=str(account.id), field="deletion_code", version=step_id)
        detail = json.dumps({"phase": "delete", "code": base64.b64encode(sealed).decode(), "done_by": 1})
        db.execute("update closing_step set detail = ? where id = ?", [detail, step_id])
    records.codes[step_id] = (account.id, text)


def add_connection(home: Home, records: Records, text: str) -> None:
    """An account that is connected with a server which gave us a client. Sealed as actions/access.py seals it."""
    account, server = account_of(home), "https://social.example"
    with write(home.db) as db:
        app_id = connections.insert_app(
            db, platform="mastodon", server=server, client_id="c", redirect_uri="r", scopes=(), now=NOW
        )
        sealed = home.escrow.seal(text.encode(), account="platform_app", field="client", version=app_id)
        connections.keep_client(db, app_id, sealed)
        row_id = connections.insert_connection(
            db, account_id=account.id, server=server, remote_id="1", handle="h", scopes=(), token_hash="t",
            token_until=None, connected_by=manager_of(home).id, app_id=app_id, now=NOW,
        )  # fmt: skip
        sealed = home.escrow.seal(text.encode(), account=str(account.id), field="connection", version=row_id)
        connections.keep_tokens(db, row_id, sealed)
    records.connections[row_id], records.clients[app_id] = (account.id, text), text


def add_one_of_each(home: Home, records: Records) -> None:
    account = account_of(home)
    for kind in CredentialKind:
        number = next(_numbers)
        add_credential(home, records, account.id, kind, f"old secret {number}", superseded=True)
        add_credential(home, records, account.id, kind, f"secret {number}")
    add_blob(home, records, b"a photo", account.id)
    add_blob(home, records, b"the school's own")
    add_seed(home, records, "GEZDGNBVGY3TQOJQ")
    add_id_token(home, records, "header.claims.signature")
    add_code(home, records, "ABC-123")
    add_connection(home, records, "a key to an account")


def opened_by(home: Home, passphrase: str = VAULT_PASSPHRASE) -> OpenVault:
    """The vault, as the school's network manager opens it."""
    held = next(row for row in current_holders(home.db) if row.kind == "manager")
    assert held.wrapped is not None
    return Holder(held.salt, held.cost).open(home.escrow, held.wrapped, passphrase, held.id)


def assert_all_open(home: Home, records: Records, vault: OpenVault) -> None:
    """Everything that was sealed opens with the home's key and, where it is the vault's, with the vault."""
    for row_id, (account_id, kind, secret) in records.credentials.items():
        sealed = scalar(home.db, "select sealed from credential where id = ?", (row_id,))
        assert unseal(home, account_id, kind, row_id, sealed, vault) == secret
    for blob_id, content in records.blobs.items():
        assert read_blob(home, blob_id)[0] == content
    for row_id, (staff_id, text) in records.seeds.items():
        sealed = scalar(home.db, "select sealed from authenticator where id = ?", (row_id,))
        assert home.escrow.open(sealed, account=f"staff:{staff_id}", field=FIELD, version=row_id).decode() == text
    for row_id, text in records.id_tokens.items():
        sealed = scalar(home.db, "select id_token from session where id = ?", (row_id,))
        assert home.escrow.open(sealed, account="session", field="id_token", version=row_id).decode() == text
    for row_id, (account_id, text) in records.connections.items():
        sealed = scalar(home.db, "select sealed from connection where id = ?", (row_id,))
        place = {"account": str(account_id), "field": "connection", "version": row_id}
        assert home.escrow.open(sealed, **place).decode() == text
    for row_id, text in records.clients.items():
        sealed = scalar(home.db, "select sealed from platform_app where id = ?", (row_id,))
        assert home.escrow.open(sealed, account="platform_app", field="client", version=row_id).decode() == text
    for row_id, (account_id, text) in records.codes.items():
        detail = json.loads(scalar(home.db, "select detail from closing_step where id = ?", (row_id,)))
        place = {"account": str(account_id), "field": "deletion_code", "version": row_id}
        assert home.escrow.open(base64.b64decode(detail["code"]), **place).decode() == text
        assert (detail["phase"], detail["done_by"]) == ("delete", 1)


def sealed_columns(home: Home) -> set[str]:
    """Every column of every table in which something sealed lies, whoever put it there."""
    found = set()
    for table in home.db.table_names():
        for column in [row["name"] for row in dicts(home.db, f"select name from pragma_table_info('{table}')")]:
            base64_too = f"[{column}] like '%U0cB%' or [{column}] like '%U0cC%'"  # SG and the scheme, as base64
            plain = f"substr(cast([{column}] as blob), 1, 2) = x'5347'"
            if scalar(home.db, f"select 1 from [{table}] where {plain} or {base64_too} limit 1"):
                found.add(f"{table}.{column}")
    return found


LATER = NOW + timedelta(days=1)
