"""What was deposited for an account, who can recover it, whom the platform lets in, and when it must change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from socialgov.models.words import ContactKind, CredentialKind, RotationReason


@dataclass(frozen=True, slots=True)
class Credential:
    """A deposit as the store keeps it: the secret is `sealed` and never part of a listing.

    `deposited_by` None: the machine made it up while it changed the password.
    """

    id: int
    account_id: int
    kind: CredentialKind
    username: str
    email: str | None
    strength: int
    problems: tuple[str, ...]
    reused: bool
    deposited_by: int | None
    deposited_at: datetime
    superseded_at: datetime | None
    secret_at: datetime | None = None  # since when it is in use: a corrected user name does not make it younger
    length_at_least: int | None = None  # of a password, as far as a policy has to know; None: never measured
    signs: tuple[str, ...] | None = None  # which of letters, numbers, symbols are in it
    one_word: bool | None = None  # built on a single word, or on a name of the account (P2.6)
    codes: int | None = None  # how many recovery codes were deposited …
    struck: tuple[int, ...] = ()  # … and the numbers, from 1, of those that were used


@dataclass(frozen=True, slots=True)
class RecoveryContact:
    """Where a platform sends what lets somebody back in (SEC206). `staff_id` None: nobody on the staff list."""

    id: int
    account_id: int
    kind: ContactKind
    value: str
    of_school: bool
    staff_id: int | None
    recorded_by: int | None
    recorded_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Delegate:
    """Somebody whom the platform itself lets in without the password, as it calls them: a delegate, a page role."""

    id: int
    account_id: int
    name: str
    rights: str
    staff_id: int | None
    recorded_by: int | None
    recorded_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Rotation:
    """A change of an account's password that is due, or was done (SEC204).

    `old_credential_id` is the newest deposit that must give way; None where there was none. `new_credential_id` is what
    took its place and was seen to work: only then there is a `finished_at` (SEC205). `detail` is a person's reason.
    """

    id: int
    account_id: int
    reason: RotationReason
    detail: str
    started_at: datetime
    started_by: int | None
    due_at: datetime
    leaver_id: int | None
    old_credential_id: int | None
    new_credential_id: int | None
    finished_at: datetime | None
