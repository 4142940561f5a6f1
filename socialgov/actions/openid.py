"""Sign-in, confirmation and sign-out at the school's sign-in service (OpenID Connect).

ASVS 5.0: 6.8.1 (issuer and subject), 6.8.2 (signature), 6.8.4 (auth_time), 7.4.1 (sign-out), 10.2.1, 10.5.1, 10.5.4.
An attempt is a ceremony: begun in one browser, finished by it once and within ten minutes. It is used up before the
service is asked, and no transaction is open while it is: a callback that is sent twice does nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from socialgov.actions import ceremonies
from socialgov.actions.ceremonies import Begun, CeremonyOver
from socialgov.actions.identities import recognise, tell_of_second
from socialgov.actions.sessions import Visitor, end_session, open_session, start_session, token_hash
from socialgov.actions.stepup import confirm_session
from socialgov.actions.throttle import check_address, note_wrong_address
from socialgov.errors import Conflict, EscrowError, NotFound, StepUpNeeded, Throttled
from socialgov.openid.claims import Identity, check_fresh, identity_of
from socialgov.openid.exchange import Attempt, authorize_url, check_state, code_of, logout_url, redeem
from socialgov.openid.provider import provider_of
from socialgov.openid.refusals import FAULTS_OF_THE_PROVIDER, Reason, SignInRefused
from socialgov.store import identities as rows
from socialgov.store import record_event, write
from socialgov.store.ceremonies import waiting_ceremonies
from socialgov.store.events import EventTag, actor_of
from socialgov.store.signin import session_by_hash

if TYPE_CHECKING:
    from sqlite_utils import Database

    from socialgov.config_signin import OpenIdSettings
    from socialgov.home import Home
    from socialgov.store.ceremonies import Ceremony

CALLBACK = "/signin/openid/callback"  # registered with the service: docs/installing.md
AFTERWARDS = "/signin"  # where its own sign-out sends people back to; registered too
SIGN_IN, CONFIRM = "openid", "openid_confirm"
LIFETIME = timedelta(minutes=10)
MOST_WAITING = 2_000  # a script that presses the button again and again must not fill the disk
VISITOR = "visitor"  # the actor in the log while nobody knows who it is
_GUESSES = (Reason.NOT_BEGUN_HERE, Reason.WRONG_STATE)


@dataclass(frozen=True, slots=True)
class Finished:
    """The session's new token, returned once; `confirmed` says that the session was there before."""

    session_token: str = field(repr=False)
    confirmed: bool


# --------------------------------------------------------------------------------------------------- begin


def begin_sign_in(home: Home, *, now: datetime, ask_again: bool = False) -> Begun:
    """Send somebody to the service. `ask_again`: this browser signed out here, so whoever is there now must show it.

    Raises SignInRefused, NotFound where the school has no service, Throttled.
    """
    settings = settings_of(home)
    again = "login" if settings.step_up else "select_account"  # Google knows no prompt=login
    return _begin(home, SIGN_IN, {"prompt": again} if ask_again else {}, now=now)


def begin_confirmation(home: Home, session_token: str, *, now: datetime) -> Begun:
    """Send somebody who is signed in to show once more who they are. Raises as begin_sign_in, and StepUpNeeded."""
    session = open_session(home, session_token, now=now)
    if session is None or not settings_of(home).step_up:
        raise StepUpNeeded
    asked = {"prompt": "login", "max_age": "0"}
    return _begin(home, CONFIRM, asked, now=now, staff_id=session.staff_id, session_id=session.id)


def settings_of(home: Home) -> OpenIdSettings:
    """The school's sign-in service. Raises NotFound where it has none."""
    if home.settings.openid is None:
        raise NotFound("This school has no sign-in service.", "Ask the network manager for a sign-in link.")
    return home.settings.openid


def _begin(
    home: Home,
    purpose: str,
    asked: Mapping[str, str],
    *,
    now: datetime,
    staff_id: int | None = None,
    session_id: int | None = None,
) -> Begun:
    settings = settings_of(home)
    if waiting_ceremonies(home.db, purpose, now) >= MOST_WAITING:
        raise Throttled("Too many sign-ins were begun and not finished.", "Try again in ten minutes.")
    try:
        description = provider_of(settings).describe(settings, now)
    except SignInRefused as refusal:
        _log_fault(home, settings, refusal, now)
        raise
    token = ceremonies.begin(home, purpose, {}, now=now, staff_id=staff_id, session_id=session_id, lifetime=LIFETIME)
    return Begun(authorize_url(settings, description, Attempt.of(token), _callback(home), **asked), token)


# --------------------------------------------------------------------------------------------------- finish


def finish(
    home: Home,
    token: str | None,
    answer: Mapping[str, str],
    *,
    session_token: str | None,
    visitor: Visitor,
    now: datetime,
) -> Finished:
    """What the browser brings back from the service, checked; a session begun, or confirmed.

    `token` is the browser's own, of `begin_…`; `session_token` that of its session, which ends or is confirmed.
    Raises SignInRefused, Throttled.
    """
    settings, ceremony = settings_of(home), None
    try:
        ceremony = _used_up(home, token, answer, now)
        identity, id_token = _asked(home, settings, token or "", answer, now)
        if ceremony.purpose == CONFIRM:
            return Finished(_confirm(home, ceremony, identity, session_token, now), confirmed=True)
        return Finished(_sign_in(home, settings, identity, id_token, session_token, visitor, now), confirmed=False)
    except SignInRefused as refusal:
        _note_refusal(home, settings, refusal, ceremony, visitor, now)
        raise


def _used_up(home: Home, token: str | None, answer: Mapping[str, str], now: datetime) -> Ceremony:
    """The attempt of this browser, of which nothing more can be made. A forged state leaves it as it is."""
    for purpose in (SIGN_IN, CONFIRM):
        try:
            ceremony = ceremonies.look(home, purpose, token, now=now)
            check_state(Attempt.of(token or ""), answer)
            with write(home.db) as db:
                ceremonies.finish(db, purpose, token, now=now)
            return ceremony
        except (CeremonyOver, Conflict):
            continue
    raise SignInRefused(Reason.NOT_BEGUN_HERE)


def _asked(
    home: Home, settings: OpenIdSettings, token: str, answer: Mapping[str, str], now: datetime
) -> tuple[Identity, str]:
    """Who the service says it is, and its own words for it. Asks over the network."""
    description = provider_of(settings).describe(settings, now)
    code = code_of(description, answer)
    checked = redeem(settings, description, Attempt.of(token), code, _callback(home), now)
    return identity_of(checked.claims, settings), checked.id_token


def _sign_in(
    home: Home,
    settings: OpenIdSettings,
    identity: Identity,
    id_token: str,
    previous: str | None,
    visitor: Visitor,
    now: datetime,
) -> str:
    with write(home.db) as db:
        staff, identity_id = recognise(db, identity, settings, now=now)
        started = start_session(db, home, staff.id, method="openid", visitor=visitor, now=now, previous=previous)
        session = session_by_hash(db, token_hash(started))
        assert session is not None
        sealed = home.escrow.seal(id_token.encode(), account="session", field="id_token", version=session.id)
        rows.keep_id_token(db, session.id, identity_id, sealed)
        return started


def _confirm(home: Home, ceremony: Ceremony, identity: Identity, session_token: str | None, now: datetime) -> str:
    """The very person of the very session showed who they are since it was asked. The session's new token."""
    session = open_session(home, session_token, now=now)
    if session is None or session.id != ceremony.session_id:
        raise SignInRefused(Reason.NOT_BEGUN_HERE)
    linked = rows.current_identity(home.db, identity.issuer, identity.subject)
    if linked is None or linked.staff_id != session.staff_id:
        raise SignInRefused(Reason.OTHER_PERSON)
    check_fresh(identity, ceremony.made_at, timedelta(minutes=home.settings.policy.step_up_minutes), now)
    return confirm_session(home, session_token or "", "openid", now=now)


def _callback(home: Home) -> str:
    return home.settings.base_url + CALLBACK


# --------------------------------------------------------------------------------------------------- refuse


def _note_refusal(
    home: Home,
    settings: OpenIdSettings,
    refusal: SignInRefused,
    ceremony: Ceremony | None,
    visitor: Visitor,
    now: datetime,
) -> None:
    """Log it and count it, as long as this address was not refused too often: then nobody fills the log.

    Guesses are answered with Throttled from then on; whoever comes from the service itself still reads why.
    """
    if refusal.reason in FAULTS_OF_THE_PROVIDER:
        _log_fault(home, settings, refusal, now)
        return
    try:
        check_address(home, visitor.address, now=now)
    except Throttled:
        if refusal.reason in _GUESSES:
            raise
        return
    note_wrong_address(home, visitor.address, now=now)
    if ceremony is None and refusal.reason is Reason.NOT_BEGUN_HERE:
        return  # a guess, or a page that was loaded twice: anybody could fill the log with those
    with write(home.db) as db:
        _record(db, refusal, ceremony, now)
        if refusal.reason is Reason.OTHER_IDENTITY and refusal.staff_id is not None:
            tell_of_second(db, refusal.staff_id, now)


def _record(db: Database, refusal: SignInRefused, ceremony: Ceremony | None, now: datetime) -> None:
    data, tag, staff_id = {"reason": refusal.reason.value}, EventTag.IDENTITY_REFUSED, refusal.staff_id
    if ceremony is not None and ceremony.purpose == CONFIRM and ceremony.staff_id is not None:
        data["method"] = "openid"
        tag, staff_id = EventTag.STEP_UP_REFUSED, ceremony.staff_id
    actor = VISITOR if staff_id is None else actor_of(staff_id)
    record_event(db, tag, actor=actor, now=now, subject="staff", subject_id=staff_id, data=data)


def _log_fault(home: Home, settings: OpenIdSettings, refusal: SignInRefused, now: datetime) -> None:
    """The service is down or wrong: one line a minute is enough, however many press the button."""
    if provider_of(settings).worth_a_line(refusal.reason, now):
        with write(home.db) as db:
            _record(db, refusal, None, now)


# --------------------------------------------------------------------------------------------------- sign out


def leave(home: Home, session_token: str, *, now: datetime) -> str | None:
    """Sign out here, whatever happens; then where the service's own sign-out is, if the session began there.

    RP-Initiated Logout 1.0, by GET: services leave its POST switched off, as it needs cookies that travel between
    sites. The ID token in it goes to its own issuer alone. It tells who signed out, and opens nothing.
    """
    session, settings = open_session(home, session_token, now=now), home.settings.openid
    sealed = rows.kept_id_token(home.db, session.id, settings.issuer) if session and settings else None
    end_session(home, session_token, now=now)
    if session is None or settings is None or sealed is None:
        return None
    try:
        end = provider_of(settings).describe(settings, now).end_session
    except SignInRefused as refusal:
        _log_fault(home, settings, refusal, now)
        return None
    if not end:
        return None
    told = {"client_id": settings.client_id, "post_logout_redirect_uri": home.settings.base_url + AFTERWARDS}
    try:
        hint = home.escrow.open(sealed, account="session", field="id_token", version=session.id)
    except EscrowError:  # the school's key was changed meanwhile: the service asks instead of knowing
        return logout_url(end, told)
    return logout_url(end, {"id_token_hint": hint.decode(), **told})
