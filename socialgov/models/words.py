"""The enumerations: states, kinds, facts and answers. Their values stand in the database and in files."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    TEACHER = "teacher"
    NETWORK_MANAGER = "network_manager"
    HEAD = "head"
    SAFEGUARDING_LEAD = "safeguarding_lead"
    DATA_MANAGER = "data_manager"
    GOVERNOR = "governor"


class AccountState(StrEnum):
    REQUESTED = "requested"
    APPROVED = "approved"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    LIVE = "live"
    SUSPENDED = "suspended"
    CLOSING = "closing"
    CLOSED = "closed"


class AccountKind(StrEnum):
    """What the account is for, which decides how each rule is enforced for it (config/policy.toml)."""

    TRIP = "trip"
    STANDING = "standing"
    WHOLE_SCHOOL = "whole_school"


class PersonKind(StrEnum):
    PUPIL = "pupil"
    CARER = "carer"
    STAFF = "staff"


class Source(StrEnum):
    """Who says so: a platform's API, or a person with a screenshot."""

    API = "api"
    ATTESTED = "attested"


class Fact(StrEnum):
    """Something that can be observed about an account. The value's type stands behind each."""

    PRESENCE = "presence"  # Presence
    PRIVATE = "private"  # bool
    PROFILE_TEXT = "profile_text"  # str, what the profile says
    LOGO = "logo"  # LogoMatch
    SETUP_EMAIL = "setup_email"  # str, the address it was set up with
    LOGIN_WORKS = "login_works"  # bool, the network manager signed in with the deposit
    RECOVERY_WITH_SCHOOL = "recovery_with_school"  # bool
    FOLLOWERS = "followers"  # int, length of the complete follower list when it was read
    FOLLOWS = "follows"  # int
    LIKES = "likes"  # int
    SHARES = "shares"  # int, reposts and quotes
    CONVERSATIONS = "conversations"  # int, replies and messages to others
    OUTSIDE_POSTS = "outside_posts"  # int, posts that did not pass the gate here
    POSTS = "posts"  # int, everything that is on the account: posts and replies (seen while closing)
    OUR_ACCESS = "our_access"  # bool, sessions or tokens given to this product still work
    LABELS = "labels"  # list[str], what moderators of the platform have marked the account with


class Presence(StrEnum):
    LIVE = "live"
    DEACTIVATED = "deactivated"
    GONE = "gone"


class LogoMatch(StrEnum):
    MATCH = "match"
    UNSURE = "unsure"  # a person looks
    DIFFERENT = "different"


class When(StrEnum):
    """When a rule is asked (rules.md, last column)."""

    REQUEST = "request"
    GATE = "gate"
    WATCH = "watch"
    DEPOSIT = "deposit"
    ACCEPT = "accept"
    PUBLISH = "publish"
    CLOSING = "closing"
    ALWAYS = "always"
    ANY_TIME = "any_time"
    WITHDRAWAL = "withdrawal"
    BEFORE_THE_END = "before_the_end"
    LEAVING = "leaving"
    ON_REQUEST = "on_request"
    TERMLY = "termly"
    REPORT = "report"
    GUIDANCE = "guidance"
    DAILY = "daily"
    EXPORT = "export"
    RECORDING = "recording"


class RuleSubject(StrEnum):
    ACCOUNT = "account"
    POST = "post"


class Enforcement(StrEnum):
    ENFORCED = "enforced"
    ADVISED = "advised"
    OFF = "off"


class Capability(StrEnum):
    """What a platform's adapter can do by itself. What is not declared is a guided task for a person."""

    READ_PROFILE = "read_profile"
    READ_POSTS = "read_posts"
    READ_FOLLOWERS = "read_followers"
    READ_FOLLOWS = "read_follows"
    READ_LIKES = "read_likes"
    READ_SHARES = "read_shares"
    CHECK_LOGIN = "check_login"
    MAKE_TOKEN = "make_token"  # noqa: S105 - a key of this product's own, made with the password and revocable alone
    PUBLISH = "publish"
    DELETE_POST = "delete_post"
    ACCEPT_FOLLOWER = "accept_follower"
    REMOVE_FOLLOWER = "remove_follower"
    CHANGE_PASSWORD = "change_password"  # noqa: S105
    REVOKE_ACCESS = "revoke_access"
    DEACTIVATE = "deactivate"
    DELETE = "delete"
    DELETE_BY_MAILED_CODE = "delete_by_mailed_code"
    SEE_PRESENCE = "see_presence"
    SET_PICTURE = "set_picture"
    SET_PRIVATE = "set_private"
    UNDO_LIKE = "undo_like"
    UNDO_FOLLOW = "undo_follow"
    UNDO_SHARE = "undo_share"


class CredentialKind(StrEnum):
    """API_TOKEN is the machine's and sealed under the school's key; the others only a network manager opens."""

    PASSWORD = "password"  # noqa: S105
    API_TOKEN = "api_token"  # noqa: S105
    RECOVERY_CODES = "recovery_codes"  # one a line
    SECOND_FACTOR = "second_factor"  # the seed as the platform shows it: base32, or an otpauth:// address
    NOTES = "notes"

    @property
    def in_vault(self) -> bool:
        """Sealed to the vault's public key: the server alone cannot open it."""
        return self is not CredentialKind.API_TOKEN


class Shown(StrEnum):
    """What one look shows (SEC207). Of a second factor it is the digits of the moment, the seed only if asked for."""

    PASSWORD = "password"  # noqa: S105
    RECOVERY_CODES = "recovery_codes"
    SECOND_FACTOR_CODE = "second_factor_code"
    SECOND_FACTOR_SEED = "second_factor_seed"
    NOTES = "notes"

    @property
    def kind(self) -> CredentialKind:
        """The deposit that is opened for it."""
        return CredentialKind(self.value.removesuffix("_code").removesuffix("_seed"))


class GlassState(StrEnum):
    """Breaking the glass of the vault: asked for, agreed to and waiting, open for the recovery sheets, ended."""

    ASKED = "asked"
    WAITING = "waiting"
    OPEN = "open"
    STOPPED = "stopped"
    OVER = "over"


class RotationReason(StrEnum):
    """Why a password must be changed (SEC204, PPL704), the gravest first."""

    COMPROMISED = "compromised"  # somebody has it who must not
    LEFT = "left"  # somebody who knew it left
    HANDED_OVER = "handed_over"  # somebody who knew it no longer keeps the account
    ASKED = "asked"  # a keeper or the network manager wants it changed
    SCHEDULE = "schedule"  # it has been in use as long as the school allows


class Use(StrEnum):
    """What a grant is for (MED501)."""

    PHOTO = "photo"
    VIDEO = "video"
    NAME = "name"
    WORK = "work"
    VOICE = "voice"


class Answer(StrEnum):
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Decision(StrEnum):
    ACCEPTED = "accepted"
    REFUSED = "refused"


class PostState(StrEnum):
    DRAFT = "draft"
    WAITING = "waiting"  # for the second checker (MED506)
    REFUSED = "refused"  # by the second checker
    PUBLISHING = "publishing"  # claimed, the platform is being asked; a crash here is settled by reading the account
    PUBLISHED = "published"
    REMOVED = "removed"
    DISCARDED = "discarded"


class StepName(StrEnum):
    """The closing plan's steps, in the order of design.md."""

    FREEZE_POSTING = "freeze_posting"
    TAKE_CONTENT_DOWN = "take_content_down"
    CHANGE_PASSWORD = "change_password"  # noqa: S105
    REVOKE_ACCESS = "revoke_access"
    DEACTIVATE = "deactivate"
    SEE_IT_GONE = "see_it_gone"
    WAIT_THE_DELAY = "wait_the_delay"
    DELETE = "delete"
    SEE_IT_GONE_FOR_GOOD = "see_it_gone_for_good"
    ERASE_PEOPLE = "erase_people"
    CERTIFICATE = "certificate"


class StepState(StrEnum):
    PENDING = "pending"  # its turn has not come
    WAITING = "waiting"  # the machine's, not before `not_before_at`
    TASK = "task"  # a person's turn
    DONE = "done"


class StepDoer(StrEnum):
    MACHINE = "machine"
    PERSON = "person"


class ContactKind(StrEnum):
    """What lets its holder into an account past the password."""

    ADDRESS = "address"
    PHONE = "phone"
    SECOND_FACTOR = "second_factor"  # an authenticator app, a key, a phone that gets codes
