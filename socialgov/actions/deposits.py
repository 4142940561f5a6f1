"""A login on its way into escrow: checked for form, strength and reuse, sealed, and put in place of the one before."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from socialgov import passwords, permissions
from socialgov.actions import throttle
from socialgov.actions.findings import evaluate_account
from socialgov.actions.machine_tokens import make_after_deposit
from socialgov.actions.request_checks import school_email_fault, text_faults, tidy
from socialgov.actions.stretching import bring_along
from socialgov.actions.unsealing import need_credential, need_spare, record
from socialgov.actions.vault import vault_key
from socialgov.errors import InvalidInput
from socialgov.escrow import near_forms
from socialgov.lifecycle import WrongState
from socialgov.models import AccountState, Credential, CredentialKind, Enforcement
from socialgov.rules.strength import length_kept
from socialgov.store import credentials as store
from socialgov.store.accounts import account_by_id
from socialgov.store.connect import write
from socialgov.store.credentials import current_credential
from socialgov.store.events import EventTag, actor_of
from socialgov.store.staff import current_staff

if TYPE_CHECKING:
    from datetime import datetime

    from sqlite_utils import Database

    from socialgov.home import Home
    from socialgov.models import Account, Staff

DEPOSIT_STATES = frozenset({AccountState.APPROVED, AccountState.LIVE, AccountState.SUSPENDED, AccountState.CLOSING})
LOGINS = frozenset({CredentialKind.PASSWORD, CredentialKind.API_TOKEN})
LONGEST_NAME = 200
LONGEST_TOKEN = 4_096


@dataclass(frozen=True, slots=True)
class _Draft:
    """A deposit on its way in. Only here does a secret have a name, and it is never part of a repr."""

    kind: CredentialKind
    username: str
    email: str | None
    secret: str = field(repr=False)
    fingerprints: tuple[str, ...] = field(repr=False)
    strength: int
    problems: tuple[str, ...]
    one_word: bool = False


def deposit(
    home: Home,
    actor: Staff,
    account_id: int,
    *,
    username: str,
    secret: str,
    email: str,
    now: datetime,
    kind: CredentialKind = CredentialKind.PASSWORD,
) -> Credential:
    """Take a login into escrow (SEC201) in place of the one before; nobody knows any more that it works (SEC205).

    A password that is weak (SEC202) or used for another account (SEC203) is refused, as far as the school enforces
    those rules, with the reason beside the field. The refusal is an event; the secret is kept nowhere. Raises
    Throttled for somebody who tried too many that are used already.
    """
    account = account_by_id(home.db, account_id)
    permissions.check_can_deposit(actor, account)
    throttle.check_person(home, actor.id, now=now, of=throttle.REUSE)
    draft = _draft(home, account, username=username, secret=secret, email=email, kind=kind)
    with write(home.db) as db:
        bring_along(home, db, secret, draft.fingerprints)
        account = account_by_id(db, account_id)
        permissions.check_can_deposit(actor, account)
        need_depositable(account)
        broken = _broken(db, account, draft)
        refused = _enforced(home, account, broken)
        if "SEC203" in broken:  # whoever tries many learns the password of another account
            throttle.note_wrong_person(home, actor.id, now=now, of=throttle.REUSE)
        if refused:
            record(db, EventTag.CREDENTIAL_REFUSED, account, actor_of(actor.id), now, data={"rules": sorted(refused)})
        else:
            credential = _keep(home, db, account, draft, actor=actor, now=now)
            evaluate_account(home, account.id, now=now, actor=actor_of(actor.id))
    if refused:
        raise InvalidInput(
            "This password cannot be taken.",
            {"secret": " ".join(refused.values())},
            "Choose another one, change it on the platform, and deposit that.",
        )
    make_after_deposit(home, credential, secret, now=now)
    return credential


def deposit_spare(home: Home, db: Database, account_id: int, secret: str, *, now: datetime) -> int:
    """The machine's own new password, laid beside the one in force before the platform is told; its id.

    Call inside `write()`. A crash in between locks nobody out: whichever of the two the platform takes is on record.
    """
    account = account_by_id(db, account_id)
    need_depositable(account)
    old = need_credential(db, account, CredentialKind.PASSWORD)
    prints = home.escrow.fingerprints(secret)
    draft = _Draft(old.kind, old.username, old.email, secret, prints, strength=4, problems=())
    return _insert(home, db, account, draft, deposited_by=None, secret_at=now, now=now, spare=True)


def adopt_spare(db: Database, spare_id: int, *, actor: str, now: datetime) -> None:
    """The platform takes the spare: it is the password in force now. Call inside `write()`."""
    spare = need_spare(db, spare_id)
    store.adopt(db, spare, now)
    account = account_by_id(db, spare.account_id)
    record(db, EventTag.CREDENTIAL_DEPOSITED, account, actor, now, spare_id, {"kind": spare.kind.value})


# --------------------------------------------------------------------------------------------------- taking in


def _draft(home: Home, account: Account, *, username: str, secret: str, email: str, kind: CredentialKind) -> _Draft:
    """What was typed, checked for form and strength. Slow (zxcvbn, Argon2id), so done before the transaction."""
    if kind not in LOGINS:
        raise ValueError(f"{kind} is no login: it is deposited by deposit_parts, and leaves no fingerprint")
    username, email = tidy(username), tidy(email)
    faults = text_faults({"username": username}, LONGEST_NAME)
    if kind is CredentialKind.PASSWORD and (fault := school_email_fault(home.settings, email)):
        faults["email"] = fault
    if fault := _form_fault(secret, kind):
        faults["secret"] = fault
    if faults:
        raise InvalidInput("The login cannot be deposited as it is.", faults, "Change what is marked.")
    found, prints = passwords.Assessment(4, ()), home.escrow.fingerprints(secret)
    if kind is CredentialKind.PASSWORD:
        found = assessed(home, account, secret, username=username, email=email)
    return _Draft(kind, username, email or None, secret, prints, found.strength, found.problems, found.one_word)


def assessed(home: Home, account: Account, secret: str, *, username: str, email: str) -> passwords.Assessment:
    """How strong a password is for this account, and what is wrong with it by the school's policy (SEC202)."""
    policy = home.settings.policy
    found = passwords.assess(
        secret,
        context=_context(home, account, username, email),
        min_length=policy.password_min_length,
        min_strength=policy.password_min_strength,
        signs=policy.password_signs,
    )
    if not _is_a_name(account, secret, username, email):
        return found
    words = "It is the user name, the handle or the e-mail address of the account, or one very like it."
    return replace(found, strength=0, problems=(words,), one_word=True)


def _form_fault(secret: str, kind: CredentialKind) -> str | None:
    """What no setting of the school may let through."""
    words = "password" if kind is CredentialKind.PASSWORD else "token"
    if not secret:
        return f"Enter the {words}."
    if len(secret) > (passwords.LONGEST if kind is CredentialKind.PASSWORD else LONGEST_TOKEN):
        return f"The {words} is too long. Was something else pasted here?"
    if secret != secret.strip() or not secret.replace(" ", "x").isprintable():
        return f"The {words} begins or ends with a space, or holds a line break. Enter it without."
    return None


def _context(home: Home, account: Account, username: str, email: str) -> Iterable[str]:
    """What anybody could guess a password for this account from."""
    settings = home.settings
    platform = settings.platforms[account.platform]
    yield from (settings.school_name, *settings.email_domains, platform.key, platform.name)
    yield from (account.handle or "", account.handle_wished, account.purpose, account.audience, username)
    yield email.partition("@")[0]
    for staff in current_staff(home.db):
        yield staff.name


def _is_a_name(account: Account, secret: str, username: str, email: str) -> bool:
    """What everybody can read about the account, in one of the forms by which passwords count as alike (SEC203)."""
    forms = set(near_forms(secret))
    names = {username, email, email.partition("@")[0], account.handle or "", account.handle_wished}
    return any(not forms.isdisjoint(near_forms(name)) for name in names if name)


def _broken(db: Database, account: Account, draft: _Draft) -> dict[str, str]:
    """Rule id → sentence, for each rule that the deposit breaks."""
    broken = {"SEC202": " ".join(draft.problems)} if draft.problems else {}
    if store.accounts_sharing(db, draft.fingerprints, other_than=account.id):
        broken["SEC203"] = "This password, or one very like it, is used for another account."
    elif _is_old(db, account, draft):
        broken["SEC203"] = "This password, or one very like it, was deposited for this account before."
    return broken


def _enforced(home: Home, account: Account, broken: dict[str, str]) -> dict[str, str]:
    """Of the broken rules those that the school enforces."""
    policy = home.settings.policy
    return {
        rule_id: words
        for rule_id, words in broken.items()
        if policy.enforcement(rule_id, account.kind) is Enforcement.ENFORCED
    }


def _is_old(db: Database, account: Account, draft: _Draft) -> bool:
    """True for an earlier secret of this account; depositing the one in force again corrects its user name."""
    if _unchanged_since(db, account, draft) is not None:
        return False
    return store.deposited_before(db, account.id, draft.fingerprints)


def _unchanged_since(db: Database, account: Account, draft: _Draft) -> datetime | None:
    """Since when exactly this secret has been in force; None when it is another one."""
    current = current_credential(db, account.id, draft.kind)
    if current is None or not store.has_fingerprint(db, current.id, draft.fingerprints[0]):
        return None
    return current.secret_at


def _keep(home: Home, db: Database, account: Account, draft: _Draft, *, actor: Staff, now: datetime) -> Credential:
    """The deposit in place of the one before, with its event."""
    secret_at = _unchanged_since(db, account, draft) or now
    store.supersede(db, account.id, draft.kind, now)
    new_id = _insert(home, db, account, draft, deposited_by=actor.id, secret_at=secret_at, now=now)
    data = {"kind": draft.kind.value}
    record(db, EventTag.CREDENTIAL_DEPOSITED, account, actor_of(actor.id), now, new_id, data)
    return need_credential(db, account, draft.kind)


def _insert(
    home: Home,
    db: Database,
    account: Account,
    draft: _Draft,
    *,
    deposited_by: int | None,
    secret_at: datetime,
    now: datetime,
    spare: bool = False,
) -> int:
    """The row, and then its secret sealed to account, field and the row's own id as its version."""
    new_id = store.insert_credential(
        db,
        account_id=account.id,
        kind=draft.kind,
        username=draft.username,
        email=draft.email,
        fingerprints=draft.fingerprints,
        strength=draft.strength,
        problems=draft.problems,
        deposited_by=deposited_by,
        secret_at=secret_at,
        now=now,
        spare=spare,
        measured=_measured(home, draft),
    )
    store.keep_sealed(db, new_id, seal(home, db, account.id, draft.kind, new_id, draft.secret))
    return new_id


def _measured(home: Home, draft: _Draft) -> dict[str, object]:
    """What a later policy is asked of (rules/strength.py), and no more: docs/decisions/0012-deposits.md."""
    if draft.kind is not CredentialKind.PASSWORD:
        return {}
    text = unicodedata.normalize("NFKC", draft.secret)
    length = length_kept(len(text), home.settings.policy.password_min_length)
    return {"length_at_least": length, "signs": passwords.signs_in(text), "one_word": draft.one_word}


def seal(home: Home, db: Database, account_id: int, kind: CredentialKind, credential_id: int, secret: str) -> bytes:
    """To the vault, which only a network manager opens; the machine's own tokens under the school's key."""
    place = {"account": str(account_id), "field": kind.value}
    if kind.in_vault:
        return home.escrow.seal_to(vault_key(home, db), secret.encode(), **place, version=credential_id)
    return home.escrow.seal(secret.encode(), **place, version=credential_id)


# --------------------------------------------------------------------------------------------------- shared


def need_depositable(account: Account) -> None:
    """Raises WrongState where nothing is kept for the account yet, or any more."""
    if account.state not in DEPOSIT_STATES:
        raise WrongState(
            f"This account is {account.state.value}, so no login can be deposited for it.",
            "A login is deposited after the request was approved, and until the account is closed.",
        )
