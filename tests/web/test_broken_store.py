"""The pages, over a database in which somebody has changed what is sealed: an error page that says what mends it.

tests/escrow/test_ciphertext_fuzz.py has every kind of change at the actions; here each is met by a person in a browser.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import walk
from canary import Listening
from factories import DOMAIN, NOW, VAULT_PASSPHRASE
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from socialgov.actions.credentials import deposit
from socialgov.escrow import make_vault_key
from socialgov.home import Home
from socialgov.models import Account, Staff

Browse = Callable[[Staff], FlaskClient]
OpenVaultAs = Callable[[FlaskClient, Staff], FlaskClient]
SECRET = "Np5!dunlin-Haraldskaer-28"
REASON = "To see whether it opens."


@pytest.fixture
def cast(home: Home) -> walk.Cast:
    for (name,) in list(home.db.execute("select name from sqlite_master where name like '%_key_in_force'")):
        home.db.execute(f"drop trigger {name}")  # whoever has the file can do that
    return walk.cast_of(home)


@pytest.fixture
def account(home: Home, cast: walk.Cast) -> Account:
    return deposited(home, cast, "ski.trip", SECRET)


def deposited(home: Home, cast: walk.Cast, handle: str, secret: str) -> Account:
    account = walk.approved(home, cast, form=walk.form_of(cast, handle_wished=handle))
    account = walk.set_up(home, cast, account)
    deposit(home, cast.owner, account.id, username=handle, email=f"trips@{DOMAIN}", secret=secret, now=NOW)
    return account


@pytest.fixture
def manager(browse: Browse, open_vault_as: OpenVaultAs, cast: walk.Cast) -> FlaskClient:
    return open_vault_as(browse(cast.manager), cast.manager)


def looked(manager: FlaskClient, account: Account) -> tuple[int, str]:
    """What a look at the password is answered: the page names what can be asked for, unless the vault is shut."""
    found = re.search(r'value="(password-\d+)"', manager.get(f"/accounts/{account.id}/password").text)
    choice = found[1] if found else "password-1"
    answer = manager.post(f"/accounts/{account.id}/password", data={"reason": REASON, "what": choice})
    return answer.status_code, answer.text


def tells_nothing(text: str, said: bytes = b"") -> None:
    assert SECRET not in text
    assert "Traceback" not in text
    assert ".py" not in re.sub(r'name="csrf_token"[^>]*>', "", text)  # a token is chance, and may have it in it
    assert SECRET.encode() not in said


def put(home: Home, account: Account, sealed: bytes) -> None:
    home.db.execute("update credential set sealed = ? where account_id = ?", (sealed, account.id))


def sealed_of(home: Home, account: Account) -> bytes:
    return bytes(home.db.execute("select sealed from credential where account_id = ?", (account.id,)).fetchone()[0])


@pytest.mark.asvs("11.3.3", "16.5.1", "16.5.3")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_look_at_a_changed_deposit_is_an_error_page_with_its_mend(
    home: Home, manager: FlaskClient, account: Account, data: st.DataObject
) -> None:
    whole = sealed_of(home, account)
    at, bit = data.draw(st.integers(0, len(whole) - 1)), data.draw(st.integers(0, 7))
    cut, more = data.draw(st.integers(0, len(whole))), data.draw(st.binary(max_size=4))
    flipped = whole[:at] + bytes([whole[at] ^ (1 << bit)]) + whole[at + 1 :]
    put(home, account, data.draw(st.sampled_from([flipped, whole[:cut] + more + b"!", more])))
    with Listening() as listening:
        status, text = looked(manager, account)
    put(home, account, whole)
    assert status == 503
    assert "Restore" in text or "Update" in text or "key" in text
    tells_nothing(text, listening.heap)


@pytest.mark.asvs("11.3.3", "16.5.1")
def test_a_deposit_moved_from_another_account_is_not_shown(
    home: Home, manager: FlaskClient, cast: walk.Cast, account: Account
) -> None:
    other = deposited(home, cast, "zoo.visit", "Quince-44-otter!Wharf")
    status, text = looked(manager, account)
    assert status == 200 and SECRET in text
    put(home, account, sealed_of(home, other))
    status, text = looked(manager, account)
    assert status == 503
    assert "Quince-44" not in text
    tells_nothing(text)


@pytest.mark.asvs("11.3.3", "16.5.1")
def test_nothing_is_handed_in_to_a_public_key_that_was_swapped(
    home: Home, browse: Browse, cast: walk.Cast, account: Account
) -> None:
    theirs, owner = make_vault_key().public, browse(cast.owner)
    home.db.execute("update vault_key set public_key = ?", (theirs.public,))
    before = list(home.db.execute("select count(*) from credential"))
    for part, data in (
        ("", {"username": "ski.trip", "email": f"trips@{DOMAIN}", "secret": "Marmot-77-gravel!Yde"}),
        ("/notes", {"notes": "Where the key is."}),
        ("/codes", {"codes": "1111-aaaa"}),
        ("/second-factor", {"seed": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"}),
    ):
        answer = owner.post(f"/accounts/{account.id}/deposit{part}", data=data)
        assert answer.status_code == 503, part
        assert "evidence" in answer.text
        tells_nothing(answer.text)
        assert not [value for value in data.values() if len(value) > 14 and "@" not in value and value in answer.text]
    assert list(home.db.execute("select count(*) from credential")) == before


@pytest.mark.asvs("11.3.3", "16.5.1")
@pytest.mark.parametrize(
    "change",
    [
        "wrapped = zeroblob(200)",
        "wrapped = zeroblob(0)",
        "salt = zeroblob(16)",
        "salt = zeroblob(0)",
        "cost = 'argon2id:3:999999999:4'",
        "cost = ''",
        "wrapped = sealed_public",
    ],
)
def test_a_way_in_that_was_changed_opens_nothing(
    home: Home, browse: Browse, open_vault_as: OpenVaultAs, cast: walk.Cast, account: Account, change: str
) -> None:
    client = open_vault_as(browse(cast.manager), cast.manager)
    client.post("/vault/shut")
    home.db.execute(f"update vault_holder set {change}")
    answer = client.post("/vault/open", data={"passphrase": VAULT_PASSPHRASE})
    assert answer.status_code in (422, 503)
    assert VAULT_PASSPHRASE not in answer.text
    tells_nothing(answer.text)
    assert looked(client, account)[0] in (302, 403)


@pytest.mark.asvs("11.3.3", "16.5.1")
@pytest.mark.parametrize("change", ["sealed = zeroblob(150)", "sealed = zeroblob(0)", "sealed = null", "id = 99"])
def test_an_opening_that_was_changed_is_shut(home: Home, manager: FlaskClient, account: Account, change: str) -> None:
    home.db.execute(f"update vault_opening set {change}")
    status, text = looked(manager, account)
    assert status in (302, 403)
    tells_nothing(text)


@pytest.mark.asvs("16.5.1")
@pytest.mark.parametrize("path", ["", "/password", "/looks", "/deposit/parts", "/rotation", "/login-test"])
def test_pages_that_only_tell_of_a_deposit_do_not_mind(
    home: Home, manager: FlaskClient, account: Account, path: str
) -> None:
    put(home, account, b"broken")
    answer = manager.get(f"/accounts/{account.id}{path}")
    assert answer.status_code == 200
    tells_nothing(answer.text)
