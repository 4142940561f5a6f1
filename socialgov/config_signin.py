"""[signin.openid] of school.toml: the school's sign-in service (OpenID Connect), or none.

What each provider needs stands in docs/installing.md. Groups are names or ids exactly as the provider sends them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

from socialgov.addresses import is_loopback
from socialgov.config_values import DOMAIN, domains, outside_file, secret_line
from socialgov.errors import ConfigError
from socialgov.models import Role
from socialgov.tomlfile import Table

GOOGLE = "https://accounts.google.com"
SCOPES = ("openid", "email", "profile")


class EmailProof(StrEnum):
    """The claim by which the provider says that the e-mail address is this person's.

    Microsoft Entra sends no `email_verified`; its optional claim `xms_edov` says that the tenant owns the domain.
    """

    EMAIL_VERIFIED = "email_verified"
    XMS_EDOV = "xms_edov"


@dataclass(frozen=True, slots=True)
class OpenIdSettings:
    """The school's sign-in service. The client's secret is in a file, never here.

    `label` is its name after "Sign in with". `form_origins` are the places to which the
    sign-in button may send the browser (Content-Security-Policy).
    `groups` maps the provider's group to roles; the roles it names are given and taken at each sign-in.
    """

    issuer: str
    client_id: str
    secret_file: Path
    label: str
    domains: tuple[str, ...]
    hosted_domain: str
    email_proof: EmailProof
    scopes: tuple[str, ...]
    form_origins: tuple[str, ...]
    step_up: bool
    enter_staff: bool
    groups_claim: str
    groups: Mapping[str, tuple[Role, ...]] = field(default_factory=dict)

    @property
    def mapped_roles(self) -> frozenset[Role]:
        """The roles that the provider's groups decide; all others are given by hand."""
        return frozenset(role for roles in self.groups.values() for role in roles)

    def client_secret(self) -> str:
        """Read when needed and not kept. Raises ConfigError when the file cannot be read or is empty."""
        secret = secret_line(self.secret_file, "[signin.openid] client_secret_file")
        if not secret:
            raise ConfigError(f"The file {self.secret_file} is empty.", "Write the client's secret into it.")
        return secret


def read_openid(signin: Table, root: Path, school_domains: tuple[str, ...]) -> OpenIdSettings | None:
    """The sign-in service of the school, or None when school.toml names none. Raises ConfigError."""
    if not signin.has("openid"):
        signin.asked.add("openid")
        return None
    table = signin.table("openid")
    issuer = _issuer(table)
    settings = OpenIdSettings(
        issuer=issuer,
        client_id=table.text("client_id"),
        secret_file=_secret_file(table, root),
        label=table.text("label", "your school account"),
        domains=domains(table, "domains", school_domains),
        hosted_domain=_hosted_domain(table, issuer),
        email_proof=table.word("email_proof", EmailProof, EmailProof.EMAIL_VERIFIED),
        scopes=_scopes(table),
        form_origins=(origin_of(issuer), *_more_origins(table)),
        step_up=table.flag("step_up", issuer != GOOGLE),
        enter_staff=table.flag("enter_staff", False),
        groups_claim=table.text("groups_claim", "groups"),
        groups=_groups(table.table("groups")),
    )
    _check_whole(table, settings, school_domains)
    table.close()
    return settings


def is_safe_address(url: str) -> bool:
    """https, or http on this machine: secrets and identities travel."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    if not host or parts.username is not None or not url.isascii() or not url.isprintable() or " " in url:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))


def origin_of(url: str) -> str:
    """Scheme, host and port, as a Content-Security-Policy names them."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _issuer(table: Table) -> str:
    """Character for character as the provider writes it, a slash at its end included: it is compared so."""
    issuer = table.text("issuer")
    parts = urlsplit(issuer) if is_safe_address(issuer) else None
    if parts is None or parts.query or parts.fragment or re.search(r"[;,'\"\\]", issuer):
        raise table.refuse(
            "issuer",
            f"`issuer` cannot be {issuer!r}.",
            "Write the provider's address with https:// (http:// only for localhost), exactly as the provider does.",
        )
    if re.search(r"/(common|organizations|consumers)(/|$)", parts.path):
        raise table.refuse(
            "issuer",
            "With this address anybody's Microsoft account would be asked, not the school's.",
            "Write your own tenant: https://login.microsoftonline.com/TENANT-ID/v2.0.",
        )
    return issuer


def _secret_file(table: Table, root: Path) -> Path:
    path = outside_file(table, "client_secret_file", root)
    if path is None:
        raise table.refuse(
            "client_secret_file",
            "`client_secret_file` is missing in [signin.openid].",
            "Put the client's secret into a file outside the home and write its full path.",
        )
    return path


def _hosted_domain(table: Table, issuer: str) -> str:
    """Google's `hd`: without it anybody could make a private Google account with an address of the school."""
    hosted = table.text("hosted_domain", "", pattern=DOMAIN, hint='Write a domain: hosted_domain = "school.example".')
    if issuer == GOOGLE and not hosted:
        raise table.refuse(
            "hosted_domain",
            "With Google, `hosted_domain` must say which Workspace is the school's.",
            'Write its first domain: hosted_domain = "school.example".',
        )
    return hosted


def _scopes(table: Table) -> tuple[str, ...]:
    scopes = table.words("scopes", SCOPES)
    if not {"openid", "email"} <= {*scopes} or any(not re.fullmatch(r"[!#-\[\]-~]+", one) for one in scopes):
        raise table.refuse(
            "scopes", "`scopes` must hold openid and email.", f"Write scopes = {list(SCOPES)} and what else is needed."
        )
    return scopes


def _more_origins(table: Table) -> tuple[str, ...]:
    more = table.words("form_origins", ())
    for one in more:
        if not is_safe_address(one) or one != origin_of(one) or re.search(r"[;,'*\"]", one):
            raise table.refuse(
                "form_origins", f"`form_origins` cannot hold {one!r}.", 'Write only the start: "https://login.example".'
            )
    return more


def _groups(table: Table) -> Mapping[str, tuple[Role, ...]]:
    hint = 'Write roles: "the group" = ["teacher"]; there are ' + ", ".join(Role) + "."
    groups = {}
    for group in table.names():
        roles = table.words(group, hint=hint)
        if not roles or not {*roles} <= {*Role}:
            raise table.refuse(group, f"Group {group!r} cannot give {', '.join(roles) or 'nothing'}.", hint)
        groups[group] = tuple(Role(role) for role in roles)
    table.close()
    return MappingProxyType(groups)


def _check_whole(table: Table, settings: OpenIdSettings, school_domains: tuple[str, ...]) -> None:
    if not {*settings.domains} <= {*school_domains}:
        raise table.refuse(
            "domains",
            "`domains` of the sign-in service must be among the school's own (ACC101).",
            "Add the domain to `email_domains` in [school], or leave it out here.",
        )
    if settings.enter_staff and not settings.groups:
        raise table.refuse(
            "enter_staff",
            "Nobody can be entered by the sign-in service without groups that say who is staff.",
            "Add [signin.openid.groups], or set enter_staff = false.",
        )
    if settings.groups and settings.issuer == GOOGLE:
        raise table.refuse(
            "groups",
            "Google's sign-in tells no groups, so nobody could ever sign in.",
            "Leave [signin.openid.groups] out and give roles on the page Staff.",
        )
