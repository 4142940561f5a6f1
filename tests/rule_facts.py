"""Plain data for rules: an account about which everything is in order, a post likewise, and what to change in them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from socialgov.models import (
    Account,
    AccountKind,
    AccountState,
    Answer,
    ContactKind,
    Credential,
    CredentialKind,
    Extension,
    Fact,
    Grant,
    LogoMatch,
    Media,
    Observation,
    PersonKind,
    PlatformInfo,
    Policy,
    Post,
    PostState,
    Presence,
    RecoveryContact,
    Role,
    Rotation,
    RotationReason,
    Source,
    Staff,
    Use,
)
from socialgov.rules.facts import AccountFacts, ClosingSummary, FollowerSummary, PostFacts, Shown

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
TODAY = NOW.date()
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
OWNER = Staff(1, "Owner", "owner@school.example", frozenset({Role.TEACHER}))
DEPUTY = Staff(2, "Deputy", "deputy@school.example", frozenset({Role.TEACHER}))
LEAVER = replace(DEPUTY, left_at=NOW - DAY)
ABOUT_TEXT = "Official account of the school's Alps trip. Contact: office@school.example"

PLATFORM = PlatformInfo(
    key="sandbox",
    name="Sandbox",
    adapter="attested",
    profile_url="https://sandbox.example/{handle}",
    can_be_private=True,
    minimum_age=13,
    minimum_age_source="its terms",
    minimum_age_on=date(2026, 1, 1),
    deletion_delay_days=30,
    handle_pattern=".*",
    guides={},
)
POLICY = Policy(
    trip_longest_days=60,
    standing_longest_review_days=365,
    confirmation_days=120,
    days_from_end_to_deletion=45,
    extension_longest_days=30,
    attestation_days=30,
    observation_days=3,
    check_every_hours=24,
    list_sweep_days=14,
    budget_kept_percent=10,
    expected_changes=4,
    expected_followers=30,
    asked_again_minutes=10,
    not_offered_days=30,
    login_test_days=180,
    follower_review_days=3,
    reminder_days=(14, 7, 1),
    approver_roles=(Role.NETWORK_MANAGER, Role.HEAD),
    second_checker=True,
    pupil_followers=False,
    password_min_length=8,
    password_min_strength=3,
    password_max_age_days=365,
    take_down_hours=24,
    draft_days=14,
    signin_link_minutes=10,
    session_idle_minutes=30,
    session_absolute_hours=10,
    upload_max_mb=25,
    password_signs=("letters", "numbers", "symbols"),
    signin_tries=10,
    signin_tries_minutes=15,
    step_up_minutes=5,
    authenticator_codes=True,
    link_needs_second_factor=True,
    vault_open_minutes=5,
    vault_invitation_hours=72,
    reveal_seconds=30,
    rotation_hours=24,
    break_glass_wait_hours=24,
    break_glass_open_hours=4,
    drill_days=365,
)
ACCOUNT = Account(
    id=7,
    platform="sandbox",
    kind=AccountKind.TRIP,
    state=AccountState.LIVE,
    handle_wished="alps",
    handle="alps",
    remote_id="r7",
    purpose="Pictures of the trip",
    audience="Pupils of the trip and their parents",
    owner_id=1,
    deputy_id=2,
    requested_by=1,
    requested_at=NOW - 10 * DAY,
    starts_on=TODAY - 10 * DAY,
    ends_on=TODAY + 10 * DAY,
    review_on=None,
    school_email="alps@school.example",
    return_reason=None,
    returned_at=None,
    decided_by=3,
    decided_at=NOW - 9 * DAY,
    decision_reason=None,
    live_at=NOW - 8 * DAY,
    suspended_at=None,
    suspend_reason=None,
    confirmed_at=None,
    closed_at=None,
    found_unregistered=False,
    check_due_at=None,
    checked_at=None,
    version=1,
)
CREDENTIAL = Credential(
    id=1,
    account_id=7,
    kind=CredentialKind.PASSWORD,
    username="alps",
    email=None,
    strength=4,
    problems=(),
    reused=False,
    deposited_by=1,
    deposited_at=NOW - 5 * DAY,
    superseded_at=None,
    secret_at=NOW - 5 * DAY,
    length_at_least=20,
    signs=("letters", "numbers", "symbols"),
    one_word=False,
)
IN_ORDER: dict[Fact, Any] = {
    Fact.PRESENCE: Presence.LIVE,
    Fact.PRIVATE: True,
    Fact.PROFILE_TEXT: ABOUT_TEXT,
    Fact.LOGO: LogoMatch.MATCH,
    Fact.SETUP_EMAIL: "alps@school.example",
    Fact.LOGIN_WORKS: True,
    Fact.RECOVERY_WITH_SCHOOL: True,
    Fact.FOLLOWERS: 0,
    Fact.FOLLOWS: 0,
    Fact.LIKES: 0,
    Fact.SHARES: 0,
    Fact.CONVERSATIONS: 0,
    Fact.OUTSIDE_POSTS: 0,
}


def seen(fact: Fact, value: Any, ago: timedelta = HOUR, source: Source = Source.ATTESTED) -> Observation:
    return Observation(1, 7, fact, value, NOW - ago, source, 1 if source is Source.ATTESTED else None, None, None)


def account_facts(
    *,
    look: dict[Fact, Any] | None = None,
    ago: timedelta = HOUR,
    without: tuple[Fact, ...] = (),
    account: dict[str, Any] | None = None,
    policy: dict[str, Any] | None = None,
    **changes: Any,
) -> AccountFacts:
    """Everything in order but: `look` sees other values, nobody looked at `without`, and other fields differ.

    A value of `look` may be an Observation, for its own time and source.
    """
    values = {fact: value for fact, value in (IN_ORDER | (look or {})).items() if fact not in without}
    observations = {
        fact: value if isinstance(value, Observation) else seen(fact, value, ago) for fact, value in values.items()
    }
    base = AccountFacts(
        account=replace(ACCOUNT, **(account or {})),
        platform=PLATFORM,
        platform_approved=True,
        policy=replace(POLICY, **(policy or {})),
        email_domains=("school.example",),
        contact="office@school.example",
        now=NOW,
        today=TODAY,
        owner=OWNER,
        deputy=DEPUTY,
        observations=observations,
        credential=CREDENTIAL,
        followers=FollowerSummary(read_at=NOW - ago),
        log_whole=True,
        unrecorded_looks=0,
        retention_ran_at=NOW - HOUR,
    )
    return replace(base, **changes)


def credential(**changes: Any) -> Credential:
    return replace(CREDENTIAL, **changes)


def contact(**changes: Any) -> RecoveryContact:
    """A phone that is not the school's, of nobody on the staff."""
    phone = RecoveryContact(1, 7, ContactKind.PHONE, "+44 7700 900123", False, None, 1, NOW - DAY)
    return replace(phone, **changes)


def rotation(reason: RotationReason, **changes: Any) -> Rotation:
    """A change of the password that began an hour ago and has a day left."""
    base = Rotation(1, 7, reason, "", NOW - HOUR, 1, NOW + DAY, None, 1, None, None)
    return replace(base, **changes)


def followers(**counts: Any) -> FollowerSummary:
    return replace(FollowerSummary(total=5, read_at=NOW - HOUR), **counts)


def closing(**seen_at: Any) -> ClosingSummary:
    return ClosingSummary(started_at=NOW - 2 * DAY, **seen_at)


def extension(approved: bool | None, until_on: date) -> Extension:
    return Extension(1, 7, until_on, "snow", 1, NOW - DAY, approved, 3, NOW, None)


def grant(
    answer: Answer = Answer.GRANTED,
    *,
    person_id: int = 50,
    use: Use = Use.PHOTO,
    account_id: int | None = None,
    given_by: int | None = 60,
    given_on: date = TODAY - 30 * DAY,
    valid_until_on: date | None = None,
    basis: str = "consent",
    recorded_at: datetime | None = None,
) -> Grant:
    at = recorded_at or datetime(given_on.year, given_on.month, given_on.day, tzinfo=UTC)
    return Grant(1, person_id, use, account_id, answer, given_by, given_on, valid_until_on, basis, at)


def shown(
    *grants: Grant,
    use: Use = Use.PHOTO,
    kind: PersonKind = PersonKind.PUPIL,
    in_text: bool = False,
    person_id: int = 50,
) -> Shown:
    return Shown(person_id, kind, "Sam Sample", use, in_text, grants)


PHOTO = Media(1, 9, 1, "image/jpeg", 100, 100, "A mountain", True)
POST = Post(
    id=9,
    account_id=7,
    author_id=1,
    state=PostState.WAITING,
    text="We reached the top.",
    created_at=NOW - HOUR,
    permanence_confirmed_at=NOW - MINUTE,
    school_equipment=True,
    own_work=True,
    credit=None,
    nobody_identifiable=False,
    checked_by=2,
    checked_at=NOW - MINUTE,
    check_reason=None,
    publishing_at=None,
    published_at=None,
    remote_id=None,
    removed_at=None,
    version=1,
)


def post_facts(
    *,
    post: dict[str, Any] | None = None,
    account: dict[str, Any] | None = None,
    policy: dict[str, Any] | None = None,
    **changes: Any,
) -> PostFacts:
    """A photo of one pupil whose parent permitted it, with everything else in order too."""
    base = PostFacts(
        post=replace(POST, **(post or {})),
        account=replace(ACCOUNT, **(account or {})),
        policy=replace(POLICY, **(policy or {})),
        now=NOW,
        today=TODAY,
        media=(PHOTO,),
        shown=(shown(grant()),),
        people_in_picture=1,
        names_in_text_not_listed=(),
    )
    return replace(base, **changes)
