"""Every sealed field of the product is known to the rotation and the drill: none is left behind under an old key."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "project"))

from factories import NOW, VAULT_PASSPHRASE
from sealed_school import Records, add_one_of_each, sealed_columns
from source import modules

from socialgov.actions.sealed_places import FILES, check_all
from socialgov.actions.sessions import Visitor, open_session, start_session
from socialgov.actions.stepup import mark_strong
from socialgov.actions.vault import open_vault
from socialgov.home import Home
from socialgov.models import Staff
from socialgov.store.connect import write
from socialgov.store.sealed import PLACES

# Where something is sealed, what it is bound to there, and the place of store/sealed.py that it ends up in. Whoever
# seals a new field adds its place there, so that a rotation takes it over, and then its line here.
CALLS = {
    "actions/access.py": {("str(account_id)", "'connection'", "connection_id"): "connection.sealed"},
    "actions/authenticators.py": {("f'staff:{staff_id}'", "FIELD", "row_id"): "authenticator.sealed"},
    "actions/blobs.py": {("_bound_to(account_id)", "f'blob:{purpose}'", "1"): FILES},
    "actions/clients.py": {("'platform_app'", "'client'", "app_id"): "platform_app.sealed"},
    "actions/closing.py": {("str(account.id)", "'deletion_code'", "step.id"): "closing_step.detail"},
    "actions/deposits.py": {("**place", "", "credential_id"): "credential.sealed"},
    "actions/machine_tokens.py": {("str(account.id)", "kind.value", "new_id"): "credential.sealed"},
    "actions/openid.py": {("'session'", "'id_token'", "session.id"): "session.id_token"},
    "actions/vault.py": {
        ("'vault'", "'public'", "holder_id"): "vault_holder.sealed_public",
        ("kept_under",): "vault_opening.sealed",
        ("wrapped_for",): "vault_holder.wrapped",
    },
    "actions/key_rotation.py": {("wrapped_for",): "vault_holder.wrapped"},
}
SEALING = {"seal", "seal_to", "kept_under", "wrapped_for"}


def calls() -> dict[str, set[tuple[str, ...]]]:
    found: dict[str, set[tuple[str, ...]]] = {}
    for module in modules():
        if module.part in {"escrow", "demo"}:
            continue
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            if node.func.attr in SEALING:
                where = module.where(0).split("socialgov/")[-1].split(":")[0]
                found.setdefault(where, set()).add(_bound(node, node.func.attr))
    return found


def _bound(node: ast.Call, name: str) -> tuple[str, ...]:
    if name in {"kept_under", "wrapped_for"}:
        return (name,)
    words = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
    first = f"**{words[None]}" if None in words else words["account"]
    return (first, words.get("field", ""), words["version"])


def test_whatever_is_sealed_in_the_product_has_its_place_in_the_registry() -> None:
    assert calls() == {name: set(found) for name, found in CALLS.items()}, "see CALLS above"
    assert {place for found in CALLS.values() for place in found.values()} == {FILES, *(p.name for p in PLACES)}


def test_no_column_holds_anything_sealed_but_those_of_the_registry(home: Home, manager: Staff) -> None:
    records = Records()
    add_one_of_each(home, records)
    with write(home.db) as db:
        token = start_session(db, home, manager.id, method="link", visitor=Visitor(), now=NOW)
        session = open_session(home, token, now=NOW)
        assert session is not None
        mark_strong(db, session.id, "passkey", NOW)
    open_vault(home, manager, token, VAULT_PASSPHRASE, now=NOW)
    assert sealed_columns(home) == {place.name for place in PLACES}


def test_each_record_is_found_and_seen_to_open_without_its_content(home: Home) -> None:
    records = Records()
    add_one_of_each(home, records)
    found = check_all(home, home.db, home.escrow)
    kinds = len({kind for _, kind, _ in records.credentials.values() if kind.in_vault})
    assert (found.damaged, found.lost, found.vault) == ([], [], 2 * kinds)
    assert set(found.by_place) == {FILES, *(place.name for place in PLACES if place.lasting)}


def test_a_changed_record_and_a_lost_file_are_named(home: Home) -> None:
    records = Records()
    add_one_of_each(home, records)
    row_id = next(iter(records.credentials))
    home.db.execute("drop trigger credential_key_in_force")
    home.db.execute("update credential set sealed = zeroblob(200) where id = ?", [row_id])
    home.db.execute("update closing_step set detail = json_set(detail, '$.code', 'no base64')")
    name = home.db.execute("select name from blob where id = 1").fetchone()[0]
    (home.path / "blobs" / name[:2] / name).unlink()
    found = check_all(home, home.db, home.escrow)
    assert found.damaged == [f"credential.sealed {row_id}", f"closing_step.detail {next(iter(records.codes))}"]
    assert found.lost == ["blob 1"]
