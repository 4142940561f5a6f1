"""The words of the product as frozen data: enumerations and dataclasses, no behaviour that needs the world.

Columns and fields share their names, so a row loads straight into its dataclass (store/rows.py). A moment is an
aware UTC datetime and its name ends in `_at`; a day is a `date` in the school's own zone and its name ends in `_on`.
"""

from __future__ import annotations

from socialgov.models.accounts import (
    Account,
    AccountRequest,
    Extension,
    Finding,
    Follower,
    Observation,
    Waiver,
)
from socialgov.models.choices import (
    ApiClient,
    CallCost,
    PlatformInfo,
    Policy,
    RuleChoice,
    Tariff,
)
from socialgov.models.closings import (
    Closing,
    ClosingStep,
)
from socialgov.models.connections import (
    Connection,
    Pause,
    PlatformApp,
    PublicAllowance,
    ReadPlan,
)
from socialgov.models.credentials import (
    Credential,
    Delegate,
    RecoveryContact,
    Rotation,
)
from socialgov.models.exports import (
    ExportEntry,
    ExportFormat,
    ExportList,
    ExportRead,
)
from socialgov.models.people import (
    Grant,
    Person,
    Staff,
)
from socialgov.models.posts import (
    Media,
    Post,
)
from socialgov.models.words import (
    AccountKind,
    AccountState,
    Answer,
    Capability,
    ContactKind,
    CredentialKind,
    Decision,
    Enforcement,
    Fact,
    GlassState,
    LogoMatch,
    PersonKind,
    PostState,
    Presence,
    Role,
    RotationReason,
    RuleSubject,
    Shown,
    Source,
    StepDoer,
    StepName,
    StepState,
    Use,
    When,
)

__all__ = [
    "Account",
    "AccountKind",
    "AccountRequest",
    "AccountState",
    "Answer",
    "ApiClient",
    "CallCost",
    "Capability",
    "Closing",
    "ClosingStep",
    "Connection",
    "ContactKind",
    "Credential",
    "CredentialKind",
    "Decision",
    "Delegate",
    "Enforcement",
    "ExportEntry",
    "ExportFormat",
    "ExportList",
    "ExportRead",
    "Extension",
    "Fact",
    "Finding",
    "Follower",
    "GlassState",
    "Grant",
    "LogoMatch",
    "Media",
    "Observation",
    "Pause",
    "Person",
    "PersonKind",
    "PlatformApp",
    "PlatformInfo",
    "Policy",
    "Post",
    "PostState",
    "Presence",
    "PublicAllowance",
    "ReadPlan",
    "RecoveryContact",
    "Role",
    "Rotation",
    "RotationReason",
    "RuleChoice",
    "RuleSubject",
    "Shown",
    "Source",
    "Staff",
    "StepDoer",
    "StepName",
    "StepState",
    "Tariff",
    "Use",
    "Waiver",
    "When",
]
