"""Every way in which a sign-in at the school's service can fail, with what the visitor reads and does next."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from socialgov.errors import SocialgovError


class Reason(StrEnum):
    """The log holds this word and no name or address."""

    NOT_BEGUN_HERE = "not_begun_here"
    WRONG_STATE = "wrong_state"
    ABORTED = "aborted"
    PROVIDER_UNREACHABLE = "provider_unreachable"
    PROVIDER_BROKEN = "provider_broken"
    PROVIDER_REFUSED = "provider_refused"
    CLIENT_REFUSED = "client_refused"
    OTHER_SERVICE = "other_service"
    CODE_REFUSED = "code_refused"
    WRONG_ISSUER = "wrong_issuer"
    WRONG_AUDIENCE = "wrong_audience"
    WRONG_NONCE = "wrong_nonce"
    WRONG_SIGNATURE = "wrong_signature"
    WRONG_TIME = "wrong_time"
    WRONG_TOKEN = "wrong_token"  # noqa: S105
    EMAIL_NOT_VERIFIED = "email_not_verified"
    WRONG_DOMAIN = "wrong_domain"
    GROUPS_UNKNOWN = "groups_unknown"
    NOT_ON_STAFF = "not_on_staff"
    LEFT = "left"
    OTHER_IDENTITY = "other_identity"
    OTHER_PERSON = "other_person"
    STALE = "stale"


_AGAIN = "Go to the sign-in page and start again."
_LATER = "Try again in a few minutes, or ask the network manager for a sign-in link."
_FALSE = ("What the school's sign-in service sent cannot be trusted.", "Tell the network manager. Do not try again.")
_SETTINGS = ("The sign-in service is not set up as it must be.", "Tell the network manager; the log names the reason.")
_MANAGER = "Ask the network manager."

WORDS: Mapping[Reason, tuple[str, str]] = {
    Reason.NOT_BEGUN_HERE: ("This sign-in was finished already, took too long, or began in another browser.", _AGAIN),
    Reason.WRONG_STATE: ("This answer belongs to another sign-in.", _AGAIN),
    Reason.ABORTED: ("You did not finish at the school's sign-in service, so you are not signed in.", _AGAIN),
    Reason.PROVIDER_UNREACHABLE: ("The school's sign-in service does not answer.", _LATER),
    Reason.PROVIDER_BROKEN: ("The school's sign-in service answers with something that cannot be used.", _LATER),
    Reason.PROVIDER_REFUSED: ("The school's sign-in service refused.", _LATER),
    Reason.CLIENT_REFUSED: _SETTINGS,
    Reason.CODE_REFUSED: ("The school's sign-in service does not know this sign-in any more.", _AGAIN),
    Reason.OTHER_SERVICE: _SETTINGS,
    Reason.WRONG_ISSUER: _FALSE,
    Reason.WRONG_AUDIENCE: _FALSE,
    Reason.WRONG_NONCE: _FALSE,
    Reason.WRONG_SIGNATURE: _FALSE,
    Reason.WRONG_TIME: (
        "The answer of the school's sign-in service is out of date.",
        "Start again. If it happens again, the clock of this server is wrong: tell the network manager.",
    ),
    Reason.WRONG_TOKEN: _FALSE,
    Reason.EMAIL_NOT_VERIFIED: (
        "The school's sign-in service does not say that your e-mail address is yours.",
        _MANAGER,
    ),
    Reason.WRONG_DOMAIN: ("This is not an account of the school.", "Sign in with your school account."),
    Reason.GROUPS_UNKNOWN: (
        "The school's sign-in service does not say which groups you are in, so your roles are not known.",
        "Tell the network manager: the service must send the groups (docs/installing.md).",
    ),
    Reason.NOT_ON_STAFF: ("Nobody with your school address is entered here.", "Ask the network manager to enter you."),
    Reason.LEFT: ("You have left the staff, so this is not open to you.", _MANAGER),
    Reason.OTHER_IDENTITY: (
        "Another account of the sign-in service is linked with your school address, so this one is refused.",
        "The network manager has been told. Ask them to unlink the old one, then sign in again.",
    ),
    Reason.OTHER_PERSON: (
        "You confirmed with an account that is not linked with you.",
        "Confirm again with the account that you signed in with.",
    ),
    Reason.STALE: (
        "The school's sign-in service did not ask you for your password just now, so it confirms nothing.",
        "Confirm again and enter your password, or use your passkey.",
    ),
}

# nobody tried to get in: the service itself, or how it is set up
FAULTS_OF_THE_PROVIDER = {
    Reason.PROVIDER_UNREACHABLE,
    Reason.PROVIDER_BROKEN,
    Reason.PROVIDER_REFUSED,
    Reason.CLIENT_REFUSED,
    Reason.OTHER_SERVICE,
}


class SignInRefused(SocialgovError):
    """Nobody is signed in or confirmed. `reason` and `staff_id` are for the log, the words are for the visitor."""

    status = 403

    def __init__(self, reason: Reason, staff_id: int | None = None) -> None:
        super().__init__(*WORDS[reason])
        self.reason, self.staff_id = reason, staff_id
        if reason in FAULTS_OF_THE_PROVIDER:
            self.status = 503
