"""A school's choices as frozen Settings, from the shipped config/*.toml and the home's school.toml.

Fails loudly: a key nobody knows or a value out of range is a ConfigError with file, line and mend, never ignored.
How the two files go together is told in docs/decisions/0005-configuration.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from socialgov.config_signin import OpenIdSettings, read_openid
from socialgov.config_values import domains, outside_file, secret_line
from socialgov.errors import ConfigError
from socialgov.models import AccountKind, Enforcement, PlatformInfo, Policy, Role, RuleChoice
from socialgov.platforms.file import read_platforms
from socialgov.tomlfile import Table, read_toml

ADDRESS = r"[^@\s<>,;\"]+@[^@\s<>,;\"]+"
KEY_BACKENDS = ("cryptfile", "secret-service", "kwallet", "macos", "windows")

# How far each number of config/policy.toml may be moved. Its meaning and rule id stand there, beside the value.
NEVER_BY_ZERO = frozenset({"password_max_age_days"})  # 0 switches these off
RANGES: Mapping[str, tuple[int, int]] = {
    "trip_longest_days": (1, 366),
    "standing_longest_review_days": (30, 1100),
    "confirmation_days": (7, 400),
    "days_from_end_to_deletion": (1, 400),
    "extension_longest_days": (1, 366),
    "attestation_days": (1, 200),
    "observation_days": (1, 60),
    "login_test_days": (1, 800),
    "follower_review_days": (1, 60),
    "check_every_hours": (1, 168),
    "list_sweep_days": (1, 60),
    "budget_kept_percent": (0, 50),
    "expected_changes": (0, 60),
    "expected_followers": (1, 100_000),
    "asked_again_minutes": (1, 1440),
    "not_offered_days": (1, 366),
    "password_min_length": (8, 64),
    "password_min_strength": (0, 4),
    "password_max_age_days": (30, 1100),
    "take_down_hours": (1, 336),
    "draft_days": (1, 200),
    "signin_link_minutes": (1, 60),
    "session_idle_minutes": (1, 480),
    "session_absolute_hours": (1, 48),
    "upload_max_mb": (1, 100),
    "signin_tries": (3, 100),
    "signin_tries_minutes": (1, 1440),
    "step_up_minutes": (1, 30),
    "vault_open_minutes": (1, 30),
    "vault_invitation_hours": (1, 336),
    "reveal_seconds": (5, 300),
    "rotation_hours": (1, 336),
    "break_glass_wait_hours": (0, 336),
    "break_glass_open_hours": (1, 48),
    "drill_days": (30, 800),
}


class MailTls(StrEnum):
    """How the way to the mail server is protected: from the first byte, after a greeting, or (localhost only) not."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class MailSettings:
    """The school's SMTP server. `host` "" means: mail waits in the outbox. The password is in a file, never here."""

    host: str = ""
    port: int = 587
    sender: str = ""
    username: str = ""
    password_file: Path | None = None
    tls: MailTls = MailTls.STARTTLS

    def password(self) -> str:
        """Read when needed and not kept. Raises ConfigError when the file cannot be read."""
        if self.password_file is None:
            return ""
        return secret_line(self.password_file, "[mail] password_file")


@dataclass(frozen=True, slots=True)
class Settings:
    """One school's choices. `platforms` holds every platform as data; `approved_platforms` those it allows (ACC104)."""

    school_name: str
    school_id: str
    email_domains: tuple[str, ...]
    zone: ZoneInfo
    base_url: str
    contact: str
    approved_platforms: frozenset[str]
    demonstration: bool
    key_backend: str
    key_id: str
    key_passphrase_file: Path | None
    checkpoint_to: str
    mail: MailSettings
    policy: Policy = field(repr=False)
    platforms: Mapping[str, PlatformInfo] = field(repr=False)
    trusted_proxies: int = 0
    openid: OpenIdSettings | None = None

    @property
    def secure_cookies(self) -> bool:
        """Cookies travel over HTTPS only, unless the school is served on this machine for a try."""
        return self.base_url.startswith("https://")


def package_folder(name: Literal["templates", "config"]) -> Path:
    """The folder of shipped files: inside the wheel, else beside the package in a checkout."""
    here = Path(__file__).resolve().parent
    for folder in (here / f"_{name}", here.parent / name):
        if folder.is_dir():
            return folder
    raise ConfigError(f"The installation has no {name} folder.", "Install socialgov again.")


def load_settings(root: Path) -> Settings:
    """The settings of the home at `root`. Raises ConfigError with file, line and mend."""
    file = read_toml(root / "school.toml")
    school, keys = file.table("school", required=True), file.table("keys", required=True)
    chosen = file.table("platforms")
    platforms = read_platforms(package_folder("config") / "platforms.toml", chosen, root)
    email_domains, signin = domains(school, "email_domains"), file.table("signin")
    settings = Settings(
        school_name=school.text("name"),
        school_id=school.text("id", pattern=r"[0-9a-f]{32}", hint="It was written by `socialgov init`; put it back."),
        email_domains=email_domains,
        zone=_zone(school),
        base_url=_base_url(school),
        contact=school.text("contact", pattern=ADDRESS, hint="Write one e-mail address of the school."),
        approved_platforms=_approved(chosen, platforms),
        demonstration=school.flag("demonstration", False),
        key_backend=_backend(keys),
        key_id=keys.text(
            "key_id", "", pattern=r"[0-9a-f]{16}", hint="It was written by `socialgov init`; put it back."
        ),
        key_passphrase_file=outside_file(keys, "passphrase_file", root),
        checkpoint_to=school.text("checkpoint_to", "", pattern=ADDRESS, hint="Write one e-mail address."),
        mail=_mail(file.table("mail"), root),
        policy=_policy(file),
        platforms=platforms,
        trusted_proxies=_trusted_proxies(file.table("web")),
        openid=read_openid(signin, root, email_domains),
    )
    for table in (school, keys, chosen, signin, file):
        table.close()
    return settings


# --------------------------------------------------------------------------------------------------- the school


def _zone(school: Table) -> ZoneInfo:
    name = school.text("zone", "Europe/London")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise school.refuse("zone", f"There is no time zone {name!r}.", 'Write one such as "Europe/London".') from None


def _base_url(school: Table) -> str:
    url = school.text("base_url").rstrip("/")
    if re.fullmatch(r"https://[^\s/?#@]+(/[^\s?#]*)?", url) or re.fullmatch(
        r"http://(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?", url
    ):
        return url
    raise school.refuse(
        "base_url",
        f"`base_url` cannot be {url!r}.",
        "Write the address people open, with https:// (http:// only for localhost).",
    )


def _trusted_proxies(web: Table) -> int:
    """How many proxies in front set the forwarding headers that may be believed; 0: none."""
    count = web.whole("trusted_proxies", 0, 5, 0)
    web.close()
    return count


def _backend(keys: Table) -> str:
    backend = keys.text("backend")
    if backend not in KEY_BACKENDS:
        raise keys.refuse(
            "backend",
            f"The key cannot be kept in {backend!r}.",
            f"Write one of {', '.join(KEY_BACKENDS)}; which is right stands in docs/decisions/0004-keys.md.",
        )
    return backend


def _mail(mail: Table, root: Path) -> MailSettings:
    settings = MailSettings(
        host=mail.text("host", ""),
        port=mail.whole("port", 1, 65535, 587),
        sender=mail.text("sender", "", pattern=ADDRESS, hint="Write one e-mail address."),
        username=mail.text("username", ""),
        password_file=outside_file(mail, "password_file", root),
        tls=mail.word("tls", MailTls, MailTls.STARTTLS),
    )
    if settings.host and not settings.sender:
        raise mail.refuse("sender", "`sender` is missing in [mail].", 'Add sender = "…", the address mail comes from.')
    if settings.tls is MailTls.NONE and settings.host not in ("", "localhost", "127.0.0.1", "::1"):
        raise mail.refuse("tls", "Mail may not leave this machine unencrypted (DAT002).", 'Write "starttls" or "tls".')
    mail.close()
    return settings


def _approved(chosen: Table, platforms: Mapping[str, PlatformInfo]) -> frozenset[str]:
    approved = chosen.words("approved", ())
    for key in approved:
        if key not in platforms:
            raise chosen.refuse(
                "approved", f"There is no platform {key!r}.", f"Known are {', '.join(sorted(platforms))}."
            )
    return frozenset(approved)


# --------------------------------------------------------------------------------------------------- the policy


def _policy(school_file: Table) -> Policy:
    """The shipped policy.toml, every value of it required, with the school's own [policy] and [rules] on top."""
    shipped = read_toml(package_folder("config") / "policy.toml")
    thresholds = shipped.table("policy", required=True)
    policy = _thresholds(thresholds, None)
    rules = _shipped_rules(shipped.table("rules", required=True))
    for table in (thresholds, shipped):
        table.close()
    own = school_file.table("policy")
    policy = _thresholds(own, policy)
    own.close()
    rules |= _own_rules(school_file.table("rules"), rules)
    return replace(policy, rules=MappingProxyType(rules))


def _thresholds(table: Table, base: Policy | None) -> Policy:
    """Each threshold from `table`; what it does not say comes from `base`, or is refused when there is none."""

    def whole(key: str) -> int:
        return table.whole(key, *RANGES[key], getattr(base, key, None), zero=key in NEVER_BY_ZERO)

    numbers: dict[str, Any] = {key: whole(key) for key in RANGES}
    policy = Policy(
        **numbers,
        reminder_days=table.numbers("reminder_days", 1, 90, getattr(base, "reminder_days", None)),
        approver_roles=_approvers(table, getattr(base, "approver_roles", None)),
        password_signs=_password_signs(table, getattr(base, "password_signs", None)),
        authenticator_codes=table.flag("authenticator_codes", getattr(base, "authenticator_codes", None)),
        link_needs_second_factor=table.flag(
            "link_needs_second_factor", getattr(base, "link_needs_second_factor", None)
        ),
        second_checker=table.flag("second_checker", getattr(base, "second_checker", None)),
        pupil_followers=table.flag("pupil_followers", getattr(base, "pupil_followers", None)),
    )
    if policy.check_every_hours > 24 * policy.observation_days:
        raise table.refuse(
            "check_every_hours",
            "Accounts would be checked more rarely than an observation stays good, so every answer would go unknown.",
            "Lower `check_every_hours` or raise `observation_days`.",
        )
    if policy.session_idle_minutes > 60 * policy.session_absolute_hours:
        raise table.refuse(
            "session_idle_minutes",
            "A session cannot be idle for longer than it may last.",
            "Lower `session_idle_minutes` or raise `session_absolute_hours`.",
        )
    return policy


def _password_signs(table: Table, default: tuple[str, ...] | None) -> tuple[str, ...]:
    hint = 'Write some of these: password_signs = ["letters", "numbers", "symbols"]; [] asks for none.'
    kinds = table.words("password_signs", default, hint=hint)
    if not {*kinds} <= {"letters", "numbers", "symbols"}:
        raise table.refuse("password_signs", "`password_signs` knows letters, numbers and symbols (SEC202).", hint)
    return tuple(kinds)


def _approvers(table: Table, default: tuple[Role, ...] | None) -> tuple[Role, ...]:
    hint = 'Write roles: approver_roles = ["network_manager", "head"].'
    names = table.words("approver_roles", None if default is None else tuple(default), hint=hint)
    allowed = {Role.NETWORK_MANAGER, Role.HEAD, Role.SAFEGUARDING_LEAD}
    if not names or not {*names} <= allowed:
        raise table.refuse("approver_roles", "Only network_manager, head and safeguarding_lead can approve.", hint)
    return tuple(Role(name) for name in names)


def _shipped_rules(rules: Table) -> dict[str, RuleChoice]:
    return {rule_id: _rule(rules.table(rule_id), None) for rule_id in rules.names()}


def _own_rules(rules: Table, known: Mapping[str, RuleChoice]) -> dict[str, RuleChoice]:
    """The school's own choices. Who decided and when must stand beside each, or it is nobody's decision."""
    choices = {rule_id: _rule(rules.table(rule_id), base) for rule_id, base in known.items() if rules.has(rule_id)}
    rules.asked |= set(known)
    rules.close()
    return choices


def _rule(table: Table, base: RuleChoice | None) -> RuleChoice:
    kinds = {
        kind: table.word(kind.value, Enforcement, base.enforcement[kind] if base else None) for kind in AccountKind
    }
    choice = RuleChoice(MappingProxyType(kinds), table.text("decided_by"), table.day("decided_on"))
    table.close()
    return choice
