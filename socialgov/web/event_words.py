"""Each event as a plain sentence. A test holds that every EventTag has one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from socialgov.store.events import Event, EventTag

T = EventTag

# what the log can be narrowed down to: the first part of the tags
SUBJECTS = {
    "account": "Accounts",
    "credential": "Passwords",
    "connection": "Connections to platforms",
    "post": "Posts",
    "follower": "Followers",
    "audience": "Audiences",
    "people": "People and permissions",
    "closing": "Closings",
    "staff": "Staff",
    "signin": "Signing in",
    "mail": "Mail",
    "log": "The log itself",
    "school": "The school",
    "vault": "The vault",
}

# read after who did it: "Mo Manager approved the request"
WORDS: Mapping[EventTag, str] = {
    T.SCHOOL_CREATED: "set the school up",
    T.SCHOOL_CLOCK_MOVED: "moved the demonstration's clock",
    T.SCHOOL_KEY_ROTATED: "changed the school's key",
    T.VAULT_MADE: "made the vault's key",
    T.VAULT_ROTATED: "changed the vault's key",
    T.VAULT_INVITED: "invited a network manager to the vault",
    T.VAULT_JOINED: "set a vault passphrase",
    T.VAULT_REMOVED: "took somebody's way into the vault",
    T.VAULT_PASSPHRASE_CHANGED: "changed their vault passphrase",
    T.VAULT_OPENED: "opened the vault",
    T.VAULT_REFUSED: "could not open the vault",
    T.VAULT_SHUT: "shut the vault",
    T.GLASS_ASKED: "asked to break the glass of the vault",
    T.GLASS_APPROVED: "agreed to breaking the glass of the vault",
    T.GLASS_STOPPED: "stopped the breaking of the glass",
    T.GLASS_BROKEN: "opened the vault with the recovery sheets",
    T.GLASS_ENDED: "ended the time of the broken glass",
    T.RECOVERY_MADE: "made new recovery sheets",
    T.RECOVERY_DRILLED: "rehearsed the recovery",
    T.RECOVERY_USED: "used the recovery sheets",
    T.STAFF_ADDED: "entered a member of staff",
    T.STAFF_ROLES_CHANGED: "changed somebody's roles",
    T.STAFF_LEFT: "recorded that somebody left",
    T.LEAVER_SECURED: "had everything changed that somebody who leaves has seen",
    T.ACCESS_REFUSED: "was refused something that is not theirs to do",
    T.LINK_MADE: "made a sign-in link",
    T.LINK_USED: "used a sign-in link",
    T.LINK_REFUSED: "was refused with a sign-in link that is no longer good",
    T.SIGNIN_THROTTLED: "was kept from trying to sign in for a while",
    T.SESSION_STARTED: "signed in",
    T.SESSION_ENDED: "ended a session",
    T.STEP_UP_DONE: "showed once more who they are",
    T.STEP_UP_REFUSED: "could not show who they are",
    T.IDENTITY_LINKED: "was linked with an identity of the school's sign-in service",
    T.IDENTITY_REFUSED: "was refused with an identity of the sign-in service",
    T.IDENTITY_ENDED: "ended an identity",
    T.PASSKEY_ADDED: "added a passkey",
    T.PASSKEY_REFUSED: "was refused with a passkey",
    T.PASSKEY_REMOVED: "removed a passkey",
    T.AUTHENTICATOR_ADDED: "added an authenticator app",
    T.AUTHENTICATOR_REFUSED: "was refused with an authenticator code",
    T.AUTHENTICATOR_REMOVED: "removed an authenticator app",
    T.ACCOUNT_REQUESTED: "asked for an account",
    T.ACCOUNT_AMENDED: "changed the request",
    T.ACCOUNT_RETURNED: "sent the request back",
    T.ACCOUNT_APPROVED: "approved the account",
    T.ACCOUNT_DECLINED: "declined the request",
    T.ACCOUNT_WITHDRAWN: "withdrew the request",
    T.ACCOUNT_FOUND: "registered an account that was found",
    T.ACCOUNT_SET_UP: "recorded the set-up",
    T.ACCOUNT_LIVE: "put the account live",
    T.ACCOUNT_GATE_REFUSED: "tried the gate, which stayed shut",
    T.ACCOUNT_SUSPENDED: "suspended the account",
    T.ACCOUNT_RESUMED: "let the account go on",
    T.ACCOUNT_HANDED_OVER: "handed the account over",
    T.ACCOUNT_CONFIRMED: "confirmed that the account is still needed",
    T.ACCOUNT_REVIEWED: "reviewed the account",
    T.ACCOUNT_CHECKED: "checked the account",
    T.ACCOUNT_CHECK_FAILED: "could not check the account",
    T.ACCOUNT_CLOSING: "began to close the account",
    T.ACCOUNT_CLOSED: "closed the account for good",
    T.FINDING_CHANGED: "got new answers from the rules",
    T.WAIVER_GRANTED: "made an exception from a rule",
    T.WAIVER_ENDED: "ended an exception",
    T.EXTENSION_ASKED: "asked for a longer life",
    T.EXTENSION_DECIDED: "decided on a longer life",
    T.FACT_ATTESTED: "recorded what they saw on the platform",
    T.FACT_OBSERVED: "read a fact from the platform",
    T.EVIDENCE_SEEN: "looked at a screenshot",
    T.CREDENTIAL_DEPOSITED: "deposited a login",
    T.CREDENTIAL_REFUSED: "tried to deposit a password that was refused",
    T.CREDENTIAL_REVEALED: "looked at a password",
    T.CREDENTIAL_MACHINE_USE: "used a deposited login",
    T.CREDENTIAL_TESTED: "recorded a login test",
    T.TOKEN_FAILED: "could not have a key of its own made",
    T.TOKEN_ENDED: "ended its own key on the platform",
    T.CREDENTIAL_COPIED: "copied a secret",
    T.CREDENTIAL_RECHECKED: "measured the deposits by a changed policy",
    T.CREDENTIAL_COMPROMISED: "reported the password as compromised",
    T.CREDENTIAL_AUDITED: "took the password audit as a file",
    T.CREDENTIAL_AUDIT_SEEN: "looked through the password audit",
    T.CREDENTIAL_ENDED: "said that the platform has no such code, factor or note any more",
    T.RECOVERY_CODE_STRUCK: "struck a recovery code as used",
    T.RECOVERY_CONTACTS: "recorded who can recover the account",
    T.DELEGATES_RECORDED: "recorded who else the platform lets in",
    T.ROTATION_STARTED: "began to have the password changed",
    T.ROTATION_FINISHED: "finished changing the password",
    T.CREDENTIAL_DESTROYED: "destroyed a deposited login",
    T.CONNECTION_BEGUN: "began to connect the account with its platform",
    T.CONNECTION_MADE: "connected the account with its platform",
    T.CONNECTION_REFUSED: "could not connect the account with its platform",
    T.CONNECTION_LOST: "found that the platform no longer lets this product in",
    T.CONNECTION_ENDED: "ended the account's connection with its platform",
    T.CAPABILITY_FOUND: "found that the platform offers something by machine",
    T.CAPABILITY_LOST: "found that the platform does not offer something by machine",
    T.SERVER_REGISTERED: "registered this product with a platform's server",
    T.PLATFORM_PAUSED: "stopped asking a platform",
    T.PLATFORM_RESUMED: "began to ask a platform again",
    T.BUDGET_USED_UP: "found the month's budget for a platform used up",
    T.READS_PLANNED: "planned what is read of a platform this day",
    T.ACCOUNT_SIGNED_IN: "signed in on the platform, so that it keeps the account",
    T.PUBLIC_ALLOWED: "allowed a public account",
    T.PUBLIC_USED: "asked for it under the head's permission for a public account",
    T.PUBLIC_ENDED: "ended the permission for a public account",
    T.EXPORT_READ: "handed in the platform's own export file as evidence",
    T.INTERACTION_UNDONE: "took back a like, a follow or a repost",
    T.PICTURE_SET: "set the account's picture",
    T.PRIVATE_SET: "made the account private",
    T.IMPORT_APPLIED: "imported a file",
    T.GRANT_RECORDED: "recorded a permission",
    T.PERSON_SEEN: "looked at a person's record",
    T.AUDIENCE_CHANGED: "changed the audience",
    T.FOLLOWER_SEEN: "read the list of followers",
    T.FOLLOWER_ACCEPTED: "accepted a follower",
    T.FOLLOWER_REFUSED: "refused a follower",
    T.FOLLOWER_REMOVED: "saw that a follower is gone",
    T.POST_DRAFTED: "began a post",
    T.POST_CHANGED: "changed a post",
    T.POST_REFUSED: "tried to publish a post that was refused",
    T.POST_SUBMITTED: "asked for a second look at a post",
    T.POST_CHECKED: "looked at a post as second checker",
    T.POST_PUBLISHING: "began to publish a post",
    T.POST_PUBLISHED: "published a post",
    T.POST_FAILED: "could not publish a post",
    T.POST_REMOVED: "took a post down",
    T.POST_DISCARDED: "discarded a post",
    T.POST_TAKE_DOWN: "found that a post must come down",
    T.MEDIA_SEEN: "looked at a photo",
    T.CLOSING_STEP_DONE: "did a step of the closing",
    T.CLOSING_STEP_WAITS: "reached a step that waits",
    T.CLOSING_STEP_FAILED: "could not do a step of the closing",
    T.PEOPLE_ERASED: "erased what was held about people",
    T.CERTIFICATE_ISSUED: "issued the certificate of deletion",
    T.MAIL_QUEUED: "queued a message",
    T.MAIL_SENT: "sent a message",
    T.MAIL_FAILED: "could not send a message",
    T.CHECKPOINT_SIGNED: "signed a checkpoint of the log",
    T.LOG_VERIFIED: "checked that the log is whole",
    T.LOG_EXPORTED: "exported the log",
}


@dataclass(frozen=True, slots=True)
class Sentence:
    """Who, what, and the event's details as one line."""

    who: str
    what: str
    more: str


def sentence(event: Event, names: Mapping[int, str]) -> Sentence:
    """The event in words. Names come from the staff list: the log itself holds ids only."""
    more = _rules(event.data) if event.tag == T.FINDING_CHANGED else _more(event.data)
    return Sentence(_who(event.actor, names), _what(event), more)


def _who(actor: str, names: Mapping[int, str]) -> str:
    source, _, rest = actor.partition(":")
    if source == "staff" and rest.isdecimal():
        return names.get(int(rest), f"Somebody (staff {rest})")
    if source == "job":
        return f"The machine ({rest.replace('_', ' ')})"
    return "The command line" if source == "cli" else actor


def _what(event: Event) -> str:
    if event.tag == T.CREDENTIAL_MACHINE_USE and event.subject == "connection":
        return "used the account's connection with its platform"  # a token: no password was opened
    try:
        return WORDS[EventTag(event.tag)]
    except ValueError:
        return event.tag  # written by another version


def _rules(data: Mapping[str, Any]) -> str:
    """FINDING_CHANGED holds the answer before and after, by rule: say what is so now, trouble first."""
    now: dict[str, list[str]] = {"Broken": [], "Not known": [], "Holds": []}
    for rule_id, answers in data.items():
        answer = answers[-1] if isinstance(answers, list) and answers else None
        now["Broken" if answer is False else "Holds" if answer else "Not known"].append(rule_id)
    return ". ".join(f"{words}: {', '.join(rule_ids)}" for words, rule_ids in now.items() if rule_ids)


def _more(data: Mapping[str, Any]) -> str:
    return ", ".join(f"{name.replace('_', ' ')}: {_value(value)}" for name, value in data.items())


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(_value, value)) or "none"
    if isinstance(value, dict):
        return _more(value)
    return "not known" if value is None else str(value)
