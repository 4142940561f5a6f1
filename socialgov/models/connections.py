"""An account that was connected with its platform (OAuth 2), and what a platform costs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from socialgov.models.words import Capability


@dataclass(frozen=True, slots=True)
class Connection:
    """A person let this product into the account. `lost_at`: the platform refused it; somebody must connect it anew.

    `server` is the address of the interface, without a last slash; `app_id` what we are registered as there, where
    the server gave us a client. The tokens are sealed and not here.
    """

    id: int
    account_id: int
    server: str
    remote_id: str
    handle: str
    scopes: tuple[str, ...]
    connected_by: int | None
    connected_at: datetime
    token_until: datetime | None = None
    renewed_at: datetime | None = None
    lost_at: datetime | None = None
    lost_why: str | None = None
    ended_at: datetime | None = None
    app_id: int | None = None

    @property
    def works(self) -> bool:
        return self.lost_at is None and self.ended_at is None


@dataclass(frozen=True, slots=True)
class PlatformApp:
    """A server that this product registered with by itself. Its secret is sealed and not here."""

    id: int
    platform: str
    server: str
    client_id: str
    redirect_uri: str
    scopes: tuple[str, ...]
    made_at: datetime


@dataclass(frozen=True, slots=True)
class ReadPlan:
    """What is read of one account on a day, from `at` on, for `micros` at most; `left_out` waits for money."""

    account_id: int
    day: date
    at: datetime
    reads: frozenset[Capability]
    left_out: frozenset[Capability]
    micros: int
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing is asked of this platform for the whole school. `until` None: until a person resumes it."""

    platform: str
    why: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class PublicAllowance:
    """The head allows this person one account that everybody can see, on this platform (ACC103)."""

    id: int
    platform: str
    staff_id: int
    purpose: str
    reason: str
    decided_by: int
    decided_at: datetime
    until_on: date | None
    used_by_account: int | None
    ended_at: datetime | None
