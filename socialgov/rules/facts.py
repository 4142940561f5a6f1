"""What a rule may read: everything known about one account, or about one post, as frozen data.

Gathered from the store by actions/findings.py and actions/posts.py; pure from there on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

from socialgov.models import (
    Account,
    Credential,
    Extension,
    Fact,
    Grant,
    Media,
    Observation,
    PersonKind,
    PlatformInfo,
    Policy,
    Post,
    RecoveryContact,
    Rotation,
    Source,
    Staff,
    Use,
    Waiver,
)


@dataclass(frozen=True, slots=True)
class FollowerSummary:
    """Counts over the followers on record that have not gone. `read_at` is when the complete list was last read."""

    total: int = 0
    unchecked: int = 0
    refused_still_there: int = 0
    outside_audience: int = 0
    left_audience: int = 0
    under_age: int = 0
    age_unknown: int = 0
    first_seen_before_private_unchecked: int = 0
    oldest_unchecked_at: datetime | None = None
    read_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ClosingSummary:
    """Where the account's closing stands: moments at which a step was verified, None while it was not."""

    started_at: datetime
    deactivated_seen_at: datetime | None = None
    gone_seen_at: datetime | None = None
    erased_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """All that is known about one account at `now`. `today` is the school's own day."""

    account: Account
    platform: PlatformInfo
    platform_approved: bool
    policy: Policy
    email_domains: tuple[str, ...]
    now: datetime
    today: date
    owner: Staff | None
    deputy: Staff | None
    decided_by: Staff | None = None
    observations: Mapping[Fact, Observation] = field(default_factory=dict)
    credential: Credential | None = None
    followers: FollowerSummary = field(default_factory=FollowerSummary)
    waivers: Mapping[str, Waiver] = field(default_factory=dict)
    extensions: tuple[Extension, ...] = ()
    closing: ClosingSummary | None = None
    audience_size: int = 0
    log_whole: bool | None = None
    unrecorded_looks: int | None = None
    contact: str = ""  # whom the school wants to be named in a profile (ACC106)
    zone: tzinfo = UTC
    contacts: tuple[RecoveryContact, ...] = ()  # where recovery leads, as far as it is on record (SEC206)
    delegates_left: int = 0  # people who left and whom the platform still lets in by itself (PPL704)
    knowers_left: int = 0  # staff who deposited or saw the current secret and have left since (SEC204, PPL704)
    rotation: Rotation | None = None  # the change of the password that is due and not done (SEC204, PPL704)
    followers_not_on_record: int = 0  # how many more the platform counted than the register of followers has
    take_down_due_at: tuple[datetime, ...] = ()  # of each published post that must come down, by when (MED513)
    retention_ran_at: datetime | None = None  # the daily erasure's last whole run (DAT001)

    def day(self, moment: datetime) -> date:
        """The school's own day at `moment`."""
        return moment.astimezone(self.zone).date()

    def fresh(self, fact: Fact) -> Observation | None:
        """The newest observation of `fact` if it is still good evidence, else None.

        An attestation is good for `policy.attestation_days`, an answer by an API for `policy.observation_days`.
        """
        seen = self.observations.get(fact)
        if seen is None:
            return None
        days = self.policy.attestation_days if seen.source is Source.ATTESTED else self.policy.observation_days
        return seen if self.now - seen.observed_at <= timedelta(days=days) else None

    def value(self, fact: Fact) -> Any:
        """The value of fresh(fact), or None when there is no fresh evidence."""
        seen = self.fresh(fact)
        return None if seen is None else seen.value


@dataclass(frozen=True, slots=True)
class Shown:
    """One person a post shows or names: in the picture, in the text, or both, and what is on record about them."""

    person_id: int
    kind: PersonKind
    name: str
    use: Use
    in_text: bool
    grants: tuple[Grant, ...]


@dataclass(frozen=True, slots=True)
class PostFacts:
    """All that is known about one post at `now`. `people_counted_in_picture` None: nobody counted."""

    post: Post
    account: Account
    policy: Policy
    now: datetime
    today: date
    media: tuple[Media, ...] = ()
    shown: tuple[Shown, ...] = ()
    people_in_picture: int | None = None
    names_in_text_not_listed: tuple[str, ...] | None = None
