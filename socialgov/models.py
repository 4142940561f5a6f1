"""The words of the product as frozen data: enumerations and dataclasses, no behaviour that needs the world.

Columns and fields share their names, so a row loads straight into its dataclass (store/rows.py). A moment is an
aware UTC datetime and its name ends in `_at`; a day is a `date` in the school's own zone and its name ends in `_on`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

# --------------------------------------------------------------------------------------------------- words


class Role(StrEnum):
    TEACHER = "teacher"
    NETWORK_MANAGER = "network_manager"
    HEAD = "head"
    SAFEGUARDING_LEAD = "safeguarding_lead"
    DATA_MANAGER = "data_manager"
    GOVERNOR = "governor"


class AccountState(StrEnum):
    REQUESTED = "requested"
    APPROVED = "approved"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    LIVE = "live"
    SUSPENDED = "suspended"
    CLOSING = "closing"
    CLOSED = "closed"


class AccountKind(StrEnum):
    """What the account is for, which decides how each rule is enforced for it (config/policy.toml)."""

    TRIP = "trip"
    STANDING = "standing"
    WHOLE_SCHOOL = "whole_school"


class PersonKind(StrEnum):
    PUPIL = "pupil"
    CARER = "carer"
    STAFF = "staff"


class Source(StrEnum):
    """Who says so: a platform's API, or a person with a screenshot."""

    API = "api"
    ATTESTED = "attested"


class Fact(StrEnum):
    """Something that can be observed about an account. The value's type stands behind each."""

    PRESENCE = "presence"  # Presence
    PRIVATE = "private"  # bool
    PROFILE_TEXT = "profile_text"  # str, what the profile says
    LOGO = "logo"  # LogoMatch
    SETUP_EMAIL = "setup_email"  # str, the address it was set up with
    LOGIN_WORKS = "login_works"  # bool, the network manager signed in with the deposit
    RECOVERY_WITH_SCHOOL = "recovery_with_school"  # bool
    FOLLOWERS = "followers"  # int, length of the complete follower list when it was read
    FOLLOWS = "follows"  # int
    LIKES = "likes"  # int
    SHARES = "shares"  # int, reposts and quotes
    CONVERSATIONS = "conversations"  # int, replies and messages to others
    OUTSIDE_POSTS = "outside_posts"  # int, posts that did not pass the gate here
    POSTS = "posts"  # int, everything that is on the account: posts and replies (seen while closing)
    OUR_ACCESS = "our_access"  # bool, sessions or tokens given to this product still work


class Presence(StrEnum):
    LIVE = "live"
    DEACTIVATED = "deactivated"
    GONE = "gone"


class LogoMatch(StrEnum):
    MATCH = "match"
    UNSURE = "unsure"  # a person looks
    DIFFERENT = "different"


class When(StrEnum):
    """When a rule is asked (rules.md, last column)."""

    REQUEST = "request"
    GATE = "gate"
    WATCH = "watch"
    DEPOSIT = "deposit"
    ACCEPT = "accept"
    PUBLISH = "publish"
    CLOSING = "closing"
    ALWAYS = "always"
    ANY_TIME = "any_time"
    WITHDRAWAL = "withdrawal"
    BEFORE_THE_END = "before_the_end"
    LEAVING = "leaving"
    ON_REQUEST = "on_request"
    TERMLY = "termly"
    REPORT = "report"
    GUIDANCE = "guidance"
    DAILY = "daily"
    EXPORT = "export"
    RECORDING = "recording"


class RuleSubject(StrEnum):
    ACCOUNT = "account"
    POST = "post"


class Enforcement(StrEnum):
    ENFORCED = "enforced"
    ADVISED = "advised"
    OFF = "off"


class Capability(StrEnum):
    """What a platform's adapter can do by itself. What is not declared is a guided task for a person."""

    READ_PROFILE = "read_profile"
    READ_POSTS = "read_posts"
    READ_FOLLOWERS = "read_followers"
    READ_FOLLOWS = "read_follows"
    READ_LIKES = "read_likes"
    READ_SHARES = "read_shares"
    CHECK_LOGIN = "check_login"
    MAKE_TOKEN = "make_token"  # noqa: S105 - a key of this product's own, made with the password and revocable alone
    PUBLISH = "publish"
    DELETE_POST = "delete_post"
    ACCEPT_FOLLOWER = "accept_follower"
    REMOVE_FOLLOWER = "remove_follower"
    CHANGE_PASSWORD = "change_password"  # noqa: S105
    REVOKE_ACCESS = "revoke_access"
    DEACTIVATE = "deactivate"
    DELETE = "delete"
    DELETE_BY_MAILED_CODE = "delete_by_mailed_code"
    SEE_PRESENCE = "see_presence"


class CredentialKind(StrEnum):
    """API_TOKEN is the machine's and sealed under the school's key; the others only a network manager opens."""

    PASSWORD = "password"  # noqa: S105
    API_TOKEN = "api_token"  # noqa: S105
    RECOVERY_CODES = "recovery_codes"  # one a line
    SECOND_FACTOR = "second_factor"  # the seed as the platform shows it: base32, or an otpauth:// address
    NOTES = "notes"

    @property
    def in_vault(self) -> bool:
        """Sealed to the vault's public key: the server alone cannot open it."""
        return self is not CredentialKind.API_TOKEN


class Shown(StrEnum):
    """What one look shows (SEC207). Of a second factor it is the digits of the moment, the seed only if asked for."""

    PASSWORD = "password"  # noqa: S105
    RECOVERY_CODES = "recovery_codes"
    SECOND_FACTOR_CODE = "second_factor_code"
    SECOND_FACTOR_SEED = "second_factor_seed"
    NOTES = "notes"

    @property
    def kind(self) -> CredentialKind:
        """The deposit that is opened for it."""
        return CredentialKind(self.value.removesuffix("_code").removesuffix("_seed"))


class GlassState(StrEnum):
    """Breaking the glass of the vault: asked for, agreed to and waiting, open for the recovery sheets, ended."""

    ASKED = "asked"
    WAITING = "waiting"
    OPEN = "open"
    STOPPED = "stopped"
    OVER = "over"


class RotationReason(StrEnum):
    """Why a password must be changed (SEC204, PPL704), the gravest first."""

    COMPROMISED = "compromised"  # somebody has it who must not
    LEFT = "left"  # somebody who knew it left
    HANDED_OVER = "handed_over"  # somebody who knew it no longer keeps the account
    ASKED = "asked"  # a keeper or the network manager wants it changed
    SCHEDULE = "schedule"  # it has been in use as long as the school allows


class Use(StrEnum):
    """What a grant is for (MED501)."""

    PHOTO = "photo"
    VIDEO = "video"
    NAME = "name"
    WORK = "work"
    VOICE = "voice"


class Answer(StrEnum):
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Decision(StrEnum):
    ACCEPTED = "accepted"
    REFUSED = "refused"


class PostState(StrEnum):
    DRAFT = "draft"
    WAITING = "waiting"  # for the second checker (MED506)
    REFUSED = "refused"  # by the second checker
    PUBLISHING = "publishing"  # claimed, the platform is being asked; a crash here is settled by reading the account
    PUBLISHED = "published"
    REMOVED = "removed"
    DISCARDED = "discarded"


class StepName(StrEnum):
    """The closing plan's steps, in the order of design.md."""

    FREEZE_POSTING = "freeze_posting"
    TAKE_CONTENT_DOWN = "take_content_down"
    CHANGE_PASSWORD = "change_password"  # noqa: S105
    REVOKE_ACCESS = "revoke_access"
    DEACTIVATE = "deactivate"
    SEE_IT_GONE = "see_it_gone"
    WAIT_THE_DELAY = "wait_the_delay"
    DELETE = "delete"
    SEE_IT_GONE_FOR_GOOD = "see_it_gone_for_good"
    ERASE_PEOPLE = "erase_people"
    CERTIFICATE = "certificate"


class StepState(StrEnum):
    PENDING = "pending"  # its turn has not come
    WAITING = "waiting"  # the machine's, not before `not_before_at`
    TASK = "task"  # a person's turn
    DONE = "done"


class StepDoer(StrEnum):
    MACHINE = "machine"
    PERSON = "person"


# --------------------------------------------------------------------------------------------------- people


@dataclass(frozen=True, slots=True)
class Staff:
    id: int
    name: str
    email: str
    roles: frozenset[Role]
    left_at: datetime | None = None

    @property
    def current(self) -> bool:
        return self.left_at is None

    def has(self, *roles: Role) -> bool:
        return self.current and bool(self.roles.intersection(roles))


@dataclass(frozen=True, slots=True)
class Person:
    """A pupil, carer or member of staff as the school's information system knows them. `ref` is its id there."""

    id: int
    kind: PersonKind
    ref: str
    first_name: str
    last_name: str
    email: str | None
    born_on: date | None
    year_group: str | None
    form: str | None
    left_on: date | None

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}"


@dataclass(frozen=True, slots=True)
class Grant:
    """One recorded answer about one person: who said what, for which use and channel, for which days (MED501-MED504).

    `account_id` None means every account of the school. `given_by` is the person who answered: a carer, or the
    person themself. `basis` is the lawful basis recorded beside it (DAT005).
    """

    id: int
    person_id: int
    use: Use
    account_id: int | None
    answer: Answer
    given_by: int | None
    given_on: date
    valid_until_on: date | None
    basis: str
    recorded_at: datetime


# --------------------------------------------------------------------------------------------------- accounts


@dataclass(frozen=True, slots=True)
class Account:
    """A managed social media account. `remote_id` is the platform's lasting id (a name can be taken by another)."""

    id: int
    platform: str
    kind: AccountKind
    state: AccountState
    handle_wished: str
    handle: str | None
    remote_id: str | None
    purpose: str
    audience: str
    owner_id: int
    deputy_id: int
    requested_by: int
    requested_at: datetime
    starts_on: date
    ends_on: date | None
    review_on: date | None
    school_email: str | None
    return_reason: str | None
    returned_at: datetime | None
    decided_by: int | None
    decided_at: datetime | None
    decision_reason: str | None
    live_at: datetime | None
    suspended_at: datetime | None
    suspend_reason: str | None
    confirmed_at: datetime | None
    closed_at: datetime | None
    found_unregistered: bool
    check_due_at: datetime | None
    checked_at: datetime | None
    version: int
    set_up_at: datetime | None = None  # since when `handle` is this one: older observations are of another account

    @property
    def name(self) -> str:
        """What it is called: its handle, or the one wished for while it has none."""
        return self.handle or self.handle_wished


@dataclass(frozen=True, slots=True)
class AccountRequest:
    """What a teacher asks for on the check-your-answers page."""

    platform: str
    kind: AccountKind
    handle_wished: str
    purpose: str
    audience: str
    owner_id: int
    deputy_id: int
    starts_on: date
    ends_on: date | None
    review_on: date | None


@dataclass(frozen=True, slots=True)
class Observation:
    """A fact's value, when it was so, and who says it. `evidence_id` is a sealed blob (a screenshot)."""

    id: int
    account_id: int
    fact: Fact
    value: Any
    observed_at: datetime
    source: Source
    observed_by: int | None
    evidence_id: int | None
    note: str | None


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule's answer for an account: True holds, False broken, None cannot tell. `because` is one plain sentence.

    `evidence_at` and `evidence_source` tell the oldest observation it rests on; None when it rests on the school's
    own records. `waived_by` is the head's exception, which lets a gate open although the rule does not hold.
    """

    rule_id: str
    answer: bool | None
    because: str
    enforcement: Enforcement
    evidence_at: datetime | None = None
    evidence_source: Source | None = None
    evidence_by: int | None = None
    waived_by: int | None = None
    evaluated_at: datetime | None = None

    @property
    def passes(self) -> bool:
        """True where a gate may open: it holds, is excepted by the head, or the school does not enforce it."""
        return self.answer is True or self.waived_by is not None or self.enforcement is not Enforcement.ENFORCED


@dataclass(frozen=True, slots=True)
class Waiver:
    """The head's exception from one rule for one account, with reason and end."""

    id: int
    account_id: int
    rule_id: str
    reason: str
    decided_by: int
    decided_at: datetime
    until_on: date | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Extension:
    """A longer life, asked for before the end (LIF605). `approved` None while nobody has decided."""

    id: int
    account_id: int
    until_on: date
    reason: str
    asked_by: int
    asked_at: datetime
    approved: bool | None
    decided_by: int | None
    decided_at: datetime | None
    decision_reason: str | None


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


class ContactKind(StrEnum):
    """What lets its holder into an account past the password."""

    ADDRESS = "address"
    PHONE = "phone"
    SECOND_FACTOR = "second_factor"  # an authenticator app, a key, a phone that gets codes


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


@dataclass(frozen=True, slots=True)
class Follower:
    id: int
    account_id: int
    remote_id: str
    handle: str
    display_name: str
    first_seen_at: datetime
    last_seen_at: datetime
    gone_at: datetime | None
    decision: Decision | None
    person_id: int | None
    decided_by: int | None
    decided_at: datetime | None
    reason: str | None
    waiting: bool = False  # asked to follow, and the platform has not let them in yet


@dataclass(frozen=True, slots=True)
class Post:
    id: int
    account_id: int
    author_id: int
    state: PostState
    text: str
    created_at: datetime
    permanence_confirmed_at: datetime | None
    school_equipment: bool
    own_work: bool
    credit: str | None
    nobody_identifiable: bool
    checked_by: int | None
    checked_at: datetime | None
    check_reason: str | None
    publishing_at: datetime | None
    published_at: datetime | None
    remote_id: str | None
    removed_at: datetime | None
    version: int
    people_in_picture: int | None = None  # as stated by the author (MED505)
    link: str | None = None  # where a person posted it by hand
    evidence_id: int | None = None  # the screenshot of that, a sealed blob
    take_down_by_at: datetime | None = None  # a permission no longer covers it (MED513)


@dataclass(frozen=True, slots=True)
class Media:
    """A photo of a post as kept: cleaned of place, device and author (MED510), sealed as blob `blob_id`."""

    id: int
    post_id: int
    blob_id: int
    mime: str
    width: int
    height: int
    alt: str
    cleaned: bool


@dataclass(frozen=True, slots=True)
class ClosingStep:
    id: int
    closing_id: int
    position: int
    name: StepName
    doer: StepDoer
    state: StepState
    not_before_at: datetime | None
    attempts: int
    last_error: str | None
    done_at: datetime | None
    done_by: int | None
    observation_id: int | None
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Closing:
    id: int
    account_id: int
    reason: str
    started_at: datetime
    started_by: int | None
    finished_at: datetime | None


# --------------------------------------------------------------------------------------------------- choices


@dataclass(frozen=True, slots=True)
class PlatformInfo:
    """A platform as data (config/platforms.toml). `guides` maps a step's name to the sentences a person follows."""

    key: str
    name: str
    adapter: str
    profile_url: str
    can_be_private: bool
    minimum_age: int
    minimum_age_source: str
    minimum_age_on: date
    deletion_delay_days: int
    handle_pattern: str
    guides: Mapping[str, tuple[str, ...]]
    post_length: int = 500
    api_base: str | None = None
    deletion_delay_source: str = ""
    simulated: bool = False
    password_change_source: str = ""
    password_change_on: date | None = None

    def url_of(self, handle: str) -> str:
        return self.profile_url.replace("{handle}", handle)


@dataclass(frozen=True, slots=True)
class RuleChoice:
    """How the school runs one rule for each kind of account, who decided it and when."""

    enforcement: Mapping[AccountKind, Enforcement]
    decided_by: str
    decided_on: date | None


@dataclass(frozen=True, slots=True)
class Policy:
    """Every threshold of config/policy.toml, in days unless the name says otherwise."""

    trip_longest_days: int
    standing_longest_review_days: int
    confirmation_days: int
    days_from_end_to_deletion: int
    extension_longest_days: int
    attestation_days: int
    observation_days: int
    login_test_days: int
    follower_review_days: int
    check_every_hours: int
    reminder_days: tuple[int, ...]
    approver_roles: tuple[Role, ...]
    second_checker: bool
    pupil_followers: bool
    password_min_length: int
    password_min_strength: int
    password_max_age_days: int
    take_down_hours: int
    draft_days: int
    signin_link_minutes: int
    session_idle_minutes: int
    session_absolute_hours: int
    upload_max_mb: int
    password_signs: tuple[str, ...]
    signin_tries: int
    signin_tries_minutes: int
    step_up_minutes: int
    authenticator_codes: bool
    link_needs_second_factor: bool
    vault_open_minutes: int
    vault_invitation_hours: int
    reveal_seconds: int
    rotation_hours: int
    break_glass_wait_hours: int
    break_glass_open_hours: int
    drill_days: int
    rules: Mapping[str, RuleChoice] = field(default_factory=dict)

    def enforcement(self, rule_id: str, kind: AccountKind) -> Enforcement:
        """What the school chose; a rule it says nothing about is enforced (rules.md is the default)."""
        choice = self.rules.get(rule_id)
        return choice.enforcement.get(kind, Enforcement.ENFORCED) if choice else Enforcement.ENFORCED
