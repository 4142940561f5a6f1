"""What is deposited for an account, in words: kinds, since when and by whom, codes left. Never a secret."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import g, url_for

from socialgov.actions.contacts import contacts_of, delegates_of
from socialgov.actions.findings import current_findings
from socialgov.models import Account, AccountKind, AccountState, Credential, CredentialKind, Delegate, Policy
from socialgov.rules.strength import wanted_words
from socialgov.store.credentials import held_credentials
from socialgov.store.staff import staff_names
from socialgov.web.words import ago, day_words

if TYPE_CHECKING:
    Row = tuple[str, ...]

K = CredentialKind
# as the account's page lists them
TITLES = {
    K.PASSWORD: "Login",
    K.RECOVERY_CODES: "Recovery codes",
    K.SECOND_FACTOR: "Second factor",
    K.NOTES: "Notes",
}
NEEDED, OPTIONAL, DONE = ("Needed", "blue"), ("Optional", "grey"), ("Done", "green")
REFUSED = ("Refused", "red")


@dataclass(frozen=True, slots=True)
class Part:
    """One line of the list: `tag` is words and colour."""

    title: str
    hint: str
    tag: tuple[str, str]
    href: str


def held_rows(account: Account, names: Mapping[int, str]) -> list[Row]:
    """For the account's page: what is held, and by how many other ways somebody gets in."""
    held = {one.kind: one for one in held_credentials(g.home.db, account.id)}
    rows: list[Row] = [("Login", _nothing(account))] if K.PASSWORD not in held else []
    rows += [(TITLES[kind], held_words(held[kind], names)) for kind in TITLES if kind in held]
    contacts, delegates = contacts_of(g.home.db, account.id), delegates_of(g.home.db, account.id)
    if contacts:
        rows.append(("Recovery leads to", _contacts(len(contacts), sum(not one.of_school for one in contacts))))
    if delegates:
        rows.append(("Delegates", _delegates(delegates)))
    return rows


def held_words(held: Credential, names: Mapping[int, str]) -> str:
    """`Deposited 3 days ago by Tess Teacher`; of codes, how many are left."""
    if held.deposited_by is None:
        return f"Made by socialgov {ago(held.deposited_at)}"
    words = f"Deposited {ago(held.deposited_at)} by {names.get(held.deposited_by, 'somebody')}"
    if held.codes is not None:
        return f"{held.codes - len(held.struck)} of {held.codes} left. {words}"
    return words


def parts_of(account: Account) -> list[Part]:
    """Everything that belongs to a login; what the gate asks for says so."""
    names, db = staff_names(g.home.db), g.home.db
    held = {one.kind: held_words(one, names) for one in held_credentials(db, account.id)}
    answers = {one.rule_id: one for one in current_findings(g.home, account, g.now)}
    contacts, delegates = contacts_of(db, account.id), delegates_of(db, account.id)

    def gate(rule_id: str) -> tuple[str, str]:
        return DONE if rule_id in answers and answers[rule_id].passes else NEEDED

    def optional(there: object) -> tuple[str, str]:
        return DONE if there else OPTIONAL

    def part(title: str, hint: str, tag: tuple[str, str], endpoint: str) -> Part:
        return Part(title, hint, tag, url_for(endpoint, account_id=account.id))

    led = _contacts(len(contacts), sum(not one.of_school for one in contacts)) + ". " if contacts else ""
    recovery = answers["SEC206"].because if "SEC206" in answers else "" if contacts else "Nothing on record."
    tried = answers.get("SEC205")
    login = REFUSED if tried and tried.answer is False else gate("SEC201")
    return [
        part("User name and password", held.get(K.PASSWORD, "Not deposited"), login, "deposits.hand_in"),
        part("Who can recover it", f"{led}{recovery}".strip(), gate("SEC206"), "contacts.recovery"),
        part("Recovery codes", held.get(K.RECOVERY_CODES, "If the platform gave you a list."),
             optional(K.RECOVERY_CODES in held), "deposits.codes"),
        part("Second factor", held.get(K.SECOND_FACTOR, "If it asks for a code from a phone."),
             optional(K.SECOND_FACTOR in held), "deposits.second_factor"),
        part("Delegates", _delegates(delegates) if delegates else "If the platform lets others in by itself.",
             optional(delegates), "contacts.delegates"),
        part("Notes", held.get(K.NOTES, "What else the network manager must know."),
             optional(K.NOTES in held), "deposits.notes"),
    ]  # fmt: skip


def wishes(policy: Policy, kind: AccountKind) -> str:
    """What the school asks of a password, and where that comes from (SEC202)."""
    choice = policy.rules.get("SEC202")
    said = f"{policy.enforcement('SEC202', kind)} by {choice.decided_by}" if choice else "enforced"
    on = f", {day_words(choice.decided_on)}" if choice and choice.decided_on else ""
    return (
        f"The school asks for {wanted_words(policy)} (rule SEC202, {said}{on}), and for one used nowhere else (SEC203)."
    )


def _nothing(account: Account) -> str:
    return "Destroyed when it was closed" if account.state is AccountState.CLOSED else "Not deposited"


def _contacts(there: int, strangers: int) -> str:
    words = f"{there} on record"
    return f"{words}, all the school's" if not strangers else f"{words}, {strangers} of them not the school's"


def _delegates(there: Sequence[Delegate]) -> str:
    strangers = sum(one.staff_id is None for one in there)
    return f"{len(there)} on record" + (f", {strangers} of them not on the staff" if strangers else "")
