"""What the shipped files and the school chose: platforms, rules, thresholds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from socialgov.models.words import AccountKind, Enforcement, Role


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
