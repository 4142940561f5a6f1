"""What somebody tried who wanted into the vault, or to stay in it: each of these once worked, or nearly."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from conftest import make_strong
from factories import DOMAIN, ESCROW, NOW, VAULT_PASSPHRASE, invitation, sheets_of, staff, vault_of
from flask.testing import FlaskClient
from walk import SECRET, approved, cast_of, deposited, form_of

from socialgov.actions import break_glass as glass
from socialgov.actions.authenticators import begin_authenticator, confirm_authenticator, confirm_with_code
from socialgov.actions.credentials import deposit
from socialgov.actions.looking import look
from socialgov.actions.schools import create_school
from socialgov.actions.sessions import Visitor, open_session, start_session
from socialgov.actions.staff import set_roles
from socialgov.actions.stepup import mark_strong
from socialgov.actions.vault import invite, keep_open, open_vault, opened_vault, remove_holder, shut_expired
from socialgov.actions.vault_passphrase import change_passphrase, join
from socialgov.config import load_settings
from socialgov.errors import InvalidInput, NotPermitted, Throttled, VaultShut
from socialgov.escrow import Holder
from socialgov.escrow.codes import code_at
from socialgov.home import Home
from socialgov.models import Account, Role, Staff
from socialgov.store.connect import write
from socialgov.store.events import EventTag, record_event
from socialgov.store.looks import reveals_of
from socialgov.store.outbox import notices_of
from socialgov.store.staff import current_staff
from socialgov.store.vault import holder_of, openings_of_now
from socialgov.web.access import SESSION_KEY
from socialgov.web.in_hand import VAULT_KEY

Browse = Callable[[Staff], FlaskClient]
Opened = Callable[[FlaskClient, Staff], FlaskClient]
Meanwhile = Callable[[str, Callable[[], object]], None]
OWN = "bramble otter plywood sunrise mitten quarry"
NEWER = "walnut trellis cobalt ferry pebble saddle"
WHY = "The network manager is in hospital and an account must come down."
CHANGE = "/vault/passphrase/change"
LATER = NOW + timedelta(hours=24)


def strong_session(home: Home, person: Staff, now: datetime = NOW) -> str:
    """The token of somebody's session in which they have just shown who they are."""
    with write(home.db) as db:
        token = start_session(db, home, person.id, method="link", visitor=Visitor(), now=now)
        session = open_session(home, token, now=now)
        assert session is not None
        mark_strong(db, session.id, "passkey", now)
    return token


@pytest.fixture
def other(home: Home) -> Staff:
    """A second network manager, who is not let in yet."""
    return staff(home, Role.NETWORK_MANAGER)


@pytest.fixture
def code(home: Home, manager: Staff, other: Staff) -> str:
    """The six words of the invitation of `other`."""
    return invite(home, manager, vault_of(home), other.id, now=NOW)


@pytest.fixture
def deposit_of(home: Home) -> Account:
    """An account with a password in the vault."""
    cast = cast_of(home)
    account = approved(home, cast)
    deposited(home, cast, account)
    return account


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """`meanwhile(name, deed)`: the deed is done by somebody else right after `Holder.name` stretched a passphrase."""

    def happens(name: str, deed: Callable[[], object]) -> None:
        true = getattr(Holder, name)

        def stretched(self: Holder, passphrase: str) -> object:
            done = true(self, passphrase)
            monkeypatch.setattr(Holder, name, true)
            deed()
            return done

        monkeypatch.setattr(Holder, name, stretched)

    return happens


# --------------------------------------------------------------------------------------------------- staying in


@pytest.mark.asvs("6.2.3")
def test_whoever_finds_the_vault_open_does_not_make_themselves_a_way_in_for_good(
    home: Home, browse: Browse, open_vault_as: Opened, manager: Staff
) -> None:
    thief = open_vault_as(browse(manager), manager)
    new = {"passphrase": OWN, "again": OWN}
    assert thief.post(CHANGE, data=new).status_code == 422
    assert thief.post(CHANGE, data={**new, "old": "something else altogether"}).status_code == 422
    assert open_vault(home, manager, strong_session(home, manager), VAULT_PASSPHRASE, now=NOW)


@pytest.mark.asvs("6.3.7")
def test_a_new_passphrase_shuts_what_was_open_with_the_old_one_and_its_owner_is_told(
    home: Home, browse: Browse, open_vault_as: Opened, manager: Staff, deposit_of: Account
) -> None:
    thief, mine = (open_vault_as(browse(manager), manager) for _ in range(2))
    change = {"old": VAULT_PASSPHRASE, "passphrase": OWN, "again": OWN}
    assert mine.post(CHANGE, data=change).location == "/vault/"
    assert openings_of_now(home.db, NOW) == []
    looked = thief.post(f"/accounts/{deposit_of.id}/password", data={"reason": "To compare it once."})
    assert looked.location == "/vault/open"
    assert "vault_joined" in [notice.kind for notice in notices_of(home.db, manager.id)]


def test_the_cookie_of_an_opening_before_is_dead_when_the_vault_is_opened_anew(
    browse: Browse, open_vault_as: Opened, manager: Staff, deposit_of: Account
) -> None:
    client, look_at = open_vault_as(browse(manager), manager), f"/accounts/{deposit_of.id}/password"
    with client.session_transaction() as cookie:
        copied = cookie[VAULT_KEY]
    open_vault_as(client, manager)
    assert SECRET in client.post(look_at, data={"reason": "To compare it once."}).text
    with client.session_transaction() as cookie:
        cookie[VAULT_KEY] = copied
    assert client.post(look_at, data={"reason": "To compare it once."}).location == "/vault/open"


def test_a_way_in_that_is_taken_away_while_its_passphrase_is_stretched_opens_nothing(
    home: Home, manager: Staff, other: Staff, code: str, meanwhile: Meanwhile
) -> None:
    join(home, other, code, OWN, now=NOW)
    session = strong_session(home, other)
    meanwhile("private_of", lambda: remove_holder(home, manager, other.id, now=NOW))
    with pytest.raises(VaultShut):
        open_vault(home, other, session, OWN, now=NOW)
    assert openings_of_now(home.db, NOW) == []


@pytest.mark.parametrize("still_manager", [True, False])
def test_an_invitation_that_is_taken_back_while_it_is_used_lets_nobody_in(
    home: Home, manager: Staff, other: Staff, code: str, meanwhile: Meanwhile, still_manager: bool
) -> None:
    def taken_back() -> None:
        if still_manager:
            remove_holder(home, manager, other.id, now=NOW)
        else:
            set_roles(home, manager, other.id, {Role.TEACHER}, now=NOW)

    meanwhile("public_of", taken_back)
    with pytest.raises((VaultShut, NotPermitted)):
        join(home, other, code, OWN, now=NOW)
    assert holder_of(home.db, other.id, "manager") is None


def test_who_is_network_manager_no_more_does_not_come_back_by_a_change_that_was_under_way(
    home: Home, manager: Staff, other: Staff, code: str, meanwhile: Meanwhile
) -> None:
    join(home, other, code, OWN, now=NOW)
    meanwhile("public_of", lambda: set_roles(home, manager, other.id, {Role.TEACHER}, now=NOW))
    with pytest.raises(NotPermitted):
        change_passphrase(home, other, OWN, NEWER, now=NOW)
    assert holder_of(home.db, other.id, "manager") is None


def test_a_role_that_was_lost_since_the_request_began_counts_no_more(
    home: Home, manager: Staff, other: Staff, code: str, deposit_of: Account
) -> None:
    """`other` is who they were when the request began, with the vault in hand."""
    join(home, other, code, OWN, now=NOW)
    opened, third = vault_of(home), staff(home, Role.NETWORK_MANAGER)
    remove_holder(home, manager, other.id, now=NOW)
    with pytest.raises(VaultShut):
        invite(home, other, opened, third.id, now=NOW)
    set_roles(home, manager, other.id, {Role.TEACHER}, now=NOW)
    for deed in (
        lambda: invite(home, other, opened, third.id, now=NOW),
        lambda: remove_holder(home, other, manager.id, now=NOW),
        lambda: look(home, other, opened, deposit_of.id, "To compare it once.", now=NOW),
    ):
        with pytest.raises(NotPermitted):
            deed()
    assert reveals_of(home.db, deposit_of.id) == []


def test_the_code_of_an_invitation_that_ran_out_opens_nothing_that_a_backup_holds(
    home: Home, browse: Browse, manager: Staff, other: Staff, code: str
) -> None:
    """A backup, the school's key and a slip of paper that nobody thought worth anything any more."""
    over = NOW + timedelta(hours=home.settings.policy.vault_invitation_hours)
    assert shut_expired(home, now=over - timedelta(seconds=1)) == 0
    assert shut_expired(home, now=over) == 1
    held = holder_of(home.db, other.id, "invitation")
    assert held is not None
    assert (held.wrapped, held.sealed_public) == (None, None)
    with pytest.raises(InvalidInput, match="time is over"):
        join(home, other, code, OWN, now=over)
    assert browse(manager).get("/vault/").status_code == 200
    assert invite(home, manager, vault_of(home), other.id, now=over)


# --------------------------------------------------------------------------------------------------- guessing


@pytest.mark.asvs("6.3.1")
def test_right_codes_make_no_room_for_guesses_at_the_passphrase(home: Home, manager: Staff) -> None:
    """A thief with somebody's code app was forgiven nine wrong passphrases by each code: 25,000 guesses a day."""
    home = replace(home, settings=replace(home.settings, base_url="http://192.0.2.4"))  # where a code is enough
    session = strong_session(home, manager)
    seed = begin_authenticator(home, manager, session, now=NOW)
    session = confirm_authenticator(home, manager, session, code_at(seed, NOW)[0], now=NOW)
    guesses, now = home.settings.policy.signin_tries, NOW + timedelta(minutes=1)
    for number in range(1, guesses + 1):
        with pytest.raises(InvalidInput):
            open_vault(home, manager, session, "something else altogether", now=NOW if number < guesses else now)
        if number == guesses - 1:
            session = confirm_with_code(home, manager, session, code_at(seed, now)[0], now=now)
    with pytest.raises(Throttled):
        open_vault(home, manager, session, VAULT_PASSPHRASE, now=now)


@pytest.mark.asvs("6.3.1")
def test_of_many_guesses_at_once_no_more_are_looked_at_than_one_after_another(home: Home, manager: Staff) -> None:
    session, answers = strong_session(home, manager), list[str]()

    def guess() -> None:
        for _ in range(4):
            try:
                open_vault(home, manager, session, "something else altogether", now=NOW)
            except (InvalidInput, Throttled) as error:
                answers.append(type(error).__name__)

    crowd = [threading.Thread(target=guess) for _ in range(6)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()
    assert len(answers) == 24
    assert answers.count("InvalidInput") == home.settings.policy.signin_tries


def test_wrong_codes_shut_nobody_out_of_the_vault(home: Home, manager: Staff) -> None:
    session = strong_session(home, manager)
    seed = begin_authenticator(home, manager, session, now=NOW)
    confirm_authenticator(home, manager, session, code_at(seed, NOW)[0], now=NOW)
    session = strong_session(home, manager)
    for _ in range(home.settings.policy.signin_tries):
        with pytest.raises(InvalidInput):
            confirm_with_code(home, manager, session, "000000", now=NOW)
    with pytest.raises(Throttled):
        confirm_with_code(home, manager, session, "000000", now=NOW)
    assert open_vault(home, manager, session, VAULT_PASSPHRASE, now=NOW)


def test_a_teacher_does_not_find_another_accounts_password_by_depositing_guesses(
    home: Home, deposit_of: Account
) -> None:
    """That a password is used elsewhere is said, so it can be asked: not more often than any other guess."""
    cast = cast_of(home)
    own = approved(home, cast, form=form_of(cast, handle_wished="another.trip"))

    def guess() -> None:
        deposit(home, cast.owner, own.id, username="u", secret=SECRET, email=f"trips@{DOMAIN}", now=NOW)

    for _ in range(home.settings.policy.signin_tries):
        with pytest.raises(InvalidInput) as caught:
            guess()
        assert "another account" in caught.value.fields["secret"]
    with pytest.raises(Throttled):
        guess()
    assert "throttled" in [notice.kind for notice in notices_of(home.db, cast.owner.id)]


@pytest.mark.parametrize("reason", ["......... ..", "- - - - - - -", "\u2800" * 6 + " " + "\u2800" * 6])
def test_dots_and_blanks_are_no_reason_for_a_look(home: Home, manager: Staff, deposit_of: Account, reason: str) -> None:
    with pytest.raises(InvalidInput):
        look(home, manager, vault_of(home), deposit_of.id, reason, now=NOW)
    assert reveals_of(home.db, deposit_of.id) == []


# --------------------------------------------------------------------------------------------------- the glass


def test_a_network_manager_does_not_agree_by_giving_themselves_a_second_role(
    home: Home, browse: Browse, manager: Staff, other: Staff, head: Staff
) -> None:
    glass_id = glass.ask(home, head, strong_session(home, head), WHY, now=NOW)
    for role in (Role.GOVERNOR, Role.SAFEGUARDING_LEAD, Role.HEAD):
        both = set_roles(home, other, other.id, {Role.NETWORK_MANAGER, role}, now=NOW)
        with pytest.raises(NotPermitted, match="cannot agree"):
            glass.agree(home, both, strong_session(home, both), glass_id, now=NOW)
    assert browse(other).get(f"/vault/glass/{glass_id}/agree").status_code in (302, 403)


def broken(home: Home, head: Staff) -> tuple[int, str, str, Staff]:
    """(its id, the head's session, the token of the opening, who agreed): the sheets opened the vault."""
    lead = staff(home, Role.SAFEGUARDING_LEAD)
    glass_id = glass.ask(home, head, strong_session(home, head), WHY, now=NOW)
    glass.agree(home, lead, strong_session(home, lead), glass_id, now=NOW)
    session = strong_session(home, head, LATER)
    token = glass.open_with_sheets(home, head, session, glass_id, sheets_of(home)[:2], now=LATER)
    return glass_id, session, token, lead


def test_a_head_who_broke_the_glass_does_not_name_themselves(home: Home, head: Staff) -> None:
    glass_id, session, token, _ = broken(home, head)
    opened = opened_vault(home, session, token, now=LATER)
    with pytest.raises(NotPermitted, match="yourself"):
        glass.name_manager(home, head, opened, glass_id, head.id, now=LATER)
    assert holder_of(home.db, head.id, "invitation") is None


def test_the_second_person_must_still_be_there_when_the_sheets_were_joined(
    home: Home, manager: Staff, head: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    glass_id, session, _, lead = broken(home, head)
    joined = glass.join_shares

    def slowly(sheets: tuple[str, str]) -> bytes:
        set_roles(home, manager, lead.id, {Role.TEACHER}, now=LATER)
        return joined(sheets)

    monkeypatch.setattr(glass, "join_shares", slowly)
    with pytest.raises(NotPermitted, match="second person"):
        glass.open_with_sheets(home, head, session, glass_id, sheets_of(home)[:2], now=LATER)


def test_naming_somebody_with_the_sheets_asks_once_more_who_it_is(home: Home, browse: Browse, head: Staff) -> None:
    client = browse(head)
    with client.session_transaction() as cookie:
        glass_id = glass.ask(home, head, strong_session(home, head), WHY, now=NOW)
        token, opened = cookie[SESSION_KEY], vault_of(home)
        cookie[VAULT_KEY] = keep_open(home, head, token, opened, now=NOW, break_glass_id=glass_id)
    assert client.post(f"/vault/glass/{glass_id}/name", data={"staff_id": "1"}).location == "/confirm"


# --------------------------------------------------------------------------------------------------- on the machine


def test_no_other_user_of_the_machine_reads_a_home_in_a_folder_that_was_there(tmp_path: Path) -> None:
    root, before = tmp_path / "home", os.umask(0o022)
    try:
        root.mkdir(mode=0o755)
        create_school(
            root, name="Test School", domains=[DOMAIN], contact=f"office@{DOMAIN}", manager_name="Mo Manager",
            manager_email=f"manager@{DOMAIN}", approved=["instagram"], escrow=ESCROW, now=NOW, invitation=invitation(),
        )  # fmt: skip
        with write(Home(root, load_settings(root), ESCROW, clock=lambda: NOW).db) as db:
            record_event(db, EventTag.STAFF_ADDED, actor="cli", now=NOW, subject="staff")
    finally:
        os.umask(before)
    files = [path for path in root.rglob("*") if path.is_file()]
    assert "school.db" in {path.name for path in files}
    assert [path.name for path in files if stat.S_IMODE(path.stat().st_mode) & 0o077] == []


def test_two_who_type_their_passphrase_at_once_do_not_stop_the_server() -> None:
    """Each waited for the other for ever: four double clicks and no page was served any more."""
    done: list[bytes] = []

    def stretch() -> None:
        done.append(Holder.new().public_of(OWN))

    both = [threading.Thread(target=stretch, daemon=True) for _ in range(3)]
    for one in both:
        one.start()
    for one in both:
        one.join(timeout=10)
    assert len(done) == len(both)


# --------------------------------------------------------------------------------------------------- somebody else


@pytest.mark.asvs("7.5.1")
def test_whoever_finds_a_network_managers_browser_open_does_not_become_somebody_else(
    home: Home, browse: Browse, manager: Staff, head: Staff, teacher: Staff
) -> None:
    """A link for the head, used on the finder's own phone, took an authenticator of theirs: they were the head."""
    found = browse(manager)
    assert found.post(f"/staff/{head.id}/link").location == "/confirm"
    assert found.post(f"/staff/{teacher.id}/roles", data={"roles": ["network_manager"]}).location == "/confirm"
    new = {"name": "Nobody", "email": f"nobody@{DOMAIN}", "roles": ["network_manager"]}
    assert found.post("/staff/add", data=new).location == "/confirm"
    assert current_staff(home.db) == sorted((manager, head, teacher), key=lambda one: one.name)
    make_strong(home, found)
    assert 'name="email" value="nobody@' in found.get("/confirm", follow_redirects=True).text
