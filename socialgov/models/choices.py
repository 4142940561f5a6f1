"""What the shipped files and the school chose: platforms, rules, thresholds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from socialgov.models.exports import ExportFormat
from socialgov.models.words import AccountKind, Capability, Enforcement, Role


@dataclass(frozen=True, slots=True)
class ApiClient:
    """What the school got when it registered this product with a platform ([platforms.x] client_id)."""

    client_id: str
    secret_file: str | None  # its path; None: a public client, which has no secret
    app_token_file: str | None = None  # the path of a token for looks that are made for no account


@dataclass(frozen=True, slots=True)
class CallCost:
    """What one kind of call costs and how often it may be made (config/platforms.toml, [platforms.x.calls.NAME]).

    `micros` are millionths of the tariff's currency for each `unit`: a "request", or one "item" that it answers with.
    At most `limit` requests in `window_minutes` minutes, counted for each account unless `shared` by the whole school.
    `page` is how many items one request brings at most; `says` is what the call is for, in words.
    """

    name: str
    unit: str
    micros: int
    limit: int
    window_minutes: int
    page: int = 1
    shared: bool = False
    serves: Capability | None = None  # the read of an account's check that is made of such calls
    says: str = ""

    def price(self, items: int, requests: int = 1) -> int:
        """What that many answered items, or requests, cost: in micros."""
        return self.micros * (items if self.unit == "item" else requests)


@dataclass(frozen=True, slots=True)
class Tariff:
    """A platform's prices and limits, whose word that is, and when it was looked up."""

    currency: str
    source: str
    looked_up_on: date
    calls: Mapping[str, CallCost]

    @property
    def costs_money(self) -> bool:
        return any(call.micros for call in self.calls.values())


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
    client: ApiClient | None = None
    index_base: str | None = None  # where followers are asked for, if that is another server
    directory_base: str | None = None  # where the server of each single account is looked up
    marks: Mapping[str, str] = field(default_factory=dict)  # what the words of its moderators mean, for people
    tariff: Tariff | None = None
    monthly_budget: int | None = None  # micros a calendar month for the whole school; None: none was set
    privacy: str = ""  # how private an account can be there
    checks: tuple[str, ...] = ()  # what a person looks at
    settings: Mapping[str, str] = field(default_factory=dict)  # where each setting is found, by what it sets
    settings_source: str = ""
    settings_on: date | None = None
    export: ExportFormat | None = None  # how its own export file is read
    no_export: str = ""  # why there is none that helps
    login_every_days: int | None = None  # how often it wants somebody to sign in

    def url_of(self, handle: str) -> str:
        """Where `handle` is seen; "" where its server is not known (a handle of a network of many: name@server)."""
        name, _, server = handle.removeprefix("@").partition("@")
        if "{server}" in self.profile_url and not server:
            return ""
        return self.profile_url.format(handle=handle, name=name, server=server)


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
    list_sweep_days: int
    budget_kept_percent: int
    expected_changes: int
    expected_followers: int
    asked_again_minutes: int
    not_offered_days: int
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
