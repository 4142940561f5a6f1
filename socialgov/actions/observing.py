"""What is known about an account gets here: said by a person with a screenshot, or read from the platform.

Both end as observations with their time and source, and the rules do not care which it was. What the platform does
not answer leaves the last true picture as it is: it gets older, and in the end too old to count.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from socialgov import logo, permissions, pictures
from socialgov.actions.adapters import adapter_of, capabilities_of, note_refusal, shut_out
from socialgov.actions.attested_values import checked_value
from socialgov.actions.blobs import save_blob
from socialgov.actions.findings import evaluate_account
from socialgov.actions.followers import record_followers
from socialgov.actions.marks import tell_of_marks
from socialgov.actions.planned_looks import MONEY, keep_counts, look_at, shut_out_of, usual_next_look, was_checked
from socialgov.actions.reading import READ_BY, Reading, read_platform
from socialgov.actions.spending import costs_money, may_be_asked, too_much_in_doubt
from socialgov.actions.unsealing import machine_login
from socialgov.errors import InvalidInput
from socialgov.lifecycle import WrongState
from socialgov.models import AccountState, Fact, LogoMatch, Source
from socialgov.store.accounts import account_by_id
from socialgov.store.connect import guarded_update, write
from socialgov.store.events import EventTag, actor_of, record_event
from socialgov.store.observations import (
    insert_observation,
    newest_observation,
    note_outside_posts,
    observation_by_id,
    own_posts,
)

if TYPE_CHECKING:
    from datetime import datetime

    from sqlite_utils import Database

    from socialgov.home import Home
    from socialgov.models import Account, Finding, Observation, Staff
    from socialgov.platforms import RemotePost

CHECKER = "job:check"
S = AccountState
# there is something on the platform to look at
_THERE = frozenset({S.APPROVED, S.LIVE, S.SUSPENDED, S.CLOSING})
# looked at again and again; a closing has its own looks
_CHECKED = frozenset({S.APPROVED, S.LIVE, S.SUSPENDED})
_SOON = timedelta(hours=1)  # after a look that failed for now
_LONGEST_NOTE = 1000
# the network manager's own sign-in shows nothing to photograph; the logo is judged from a picture that is kept already
_NO_SCREENSHOT = frozenset({Fact.LOGIN_WORKS, Fact.LOGO})


# ---------------------------------------------------------------------------------------------------- recording


def record_observation(
    db: Database,
    *,
    account_id: int,
    fact: Fact,
    value: Any,
    now: datetime,
    source: Source,
    observed_by: int | None = None,
    evidence_id: int | None = None,
    note: str | None = None,
) -> int:
    """Keep one observation and return its id; call inside `write()`.

    A person's word is an event each time, the machine's only where it changes what was known. Texts stay out of the
    event: a profile or an address may hold a name.
    """
    before = None if source is Source.ATTESTED else newest_observation(db, account_id, fact)
    observation_id = insert_observation(
        db, account_id=account_id, fact=fact, value=value, source=source, observed_by=observed_by,
        evidence_id=evidence_id, note=note, now=now,
    )  # fmt: skip
    if source is Source.ATTESTED or before is None or before.value != value:
        shown = {} if fact in (Fact.PROFILE_TEXT, Fact.SETUP_EMAIL) else {"value": value}
        record_event(
            db,
            EventTag.FACT_ATTESTED if source is Source.ATTESTED else EventTag.FACT_OBSERVED,
            actor=CHECKER if observed_by is None else actor_of(observed_by),
            now=now,
            subject="observation",
            subject_id=observation_id,
            account_id=account_id,
            data={"fact": fact, "evidence": evidence_id, **shown},
        )
    return observation_id


def check_screenshot(content: bytes) -> str:
    """The MIME type of a screenshot, which is kept as it is: it is evidence. Raises InvalidInput for `screenshot`."""
    return pictures.image_mime(content, "screenshot")


# ---------------------------------------------------------------------------------------------------- attesting


def attest(
    home: Home,
    actor: Staff,
    account_id: int,
    fact: Fact,
    value: Any,
    *,
    now: datetime,
    screenshot: bytes | None = None,
    note: str = "",
) -> Observation:
    """A person says what is so, with a screenshot, which is sealed; the rules are asked again at once.

    Raises InvalidInput (`value`, `screenshot`, `note`), NotPermitted, or WrongState where there is nothing to look at.
    Only the network manager can say whether the deposited login works (SEC205).
    """
    account = _attestable(home, actor, account_id)
    if fact is Fact.LOGIN_WORKS:
        permissions.check_can_test_login(actor)
    value = checked_value(fact, value)
    mark = _judged_pictures(home, account) if fact is Fact.LOGO else ""
    _need_no_other_answer(home, actor, account, fact, value, now)
    note = _checked_note(note)
    if screenshot is None and fact not in _NO_SCREENSHOT:
        message = "Add a screenshot: without one a person's word is no evidence."
        raise InvalidInput("A screenshot is needed.", {"screenshot": message})
    evidence_id = None
    if screenshot is not None:
        mime = check_screenshot(screenshot)
        evidence_id = save_blob(
            home, screenshot, mime=mime, purpose="screenshot", account_id=account_id, made_by=actor.id, now=now
        )
    return _keep_word(home, actor, account_id, fact, value, evidence_id, f"{mark} {note}".strip() or None, now)


def attest_logo(home: Home, actor: Staff, account_id: int, avatar: bytes, *, now: datetime) -> Observation:
    """A person hands in the account's picture; it is compared with the school's logo here (ACC102).

    Raises InvalidInput (`avatar`) for what is no picture, and where the school has no logo yet.
    """
    account = _attestable(home, actor, account_id)
    ours = school_logo(home)
    if ours is None:
        raise InvalidInput(
            "The school's logo is not here yet, so nothing can be compared.",
            {"avatar": "The school's logo is missing."},
            "Ask the network manager to put it into the school's folder as logo.png.",
        )
    match, mime = logo.compare(ours, avatar), pictures.image_mime(avatar, "avatar")
    _need_no_other_answer(home, actor, account, Fact.LOGO, match, now, field="avatar")
    evidence_id = save_blob(home, avatar, mime=mime, purpose="avatar", account_id=account_id, made_by=actor.id, now=now)
    return _keep_word(home, actor, account_id, Fact.LOGO, match, evidence_id, logo.pair_mark(ours, avatar), now)


def school_logo(home: Home) -> bytes | None:
    """The school's logo, `logo.png` in its home; None where there is none."""
    path = home.path / "logo.png"
    return path.read_bytes() if path.is_file() else None


def _attestable(home: Home, actor: Staff, account_id: int) -> Account:
    account = account_by_id(home.db, account_id)
    permissions.check_can_attest(actor, account)
    if account.state not in _THERE:
        raise WrongState(
            f"This account is {account.state.value}, so there is nothing to look at on the platform.",
            "Open the account again to see where it stands.",
        )
    return account


def _need_no_other_answer(
    home: Home, actor: Staff, account: Account, fact: Fact, value: Any, now: datetime, *, field: str = "value"
) -> None:
    """Where the platform itself has lately told the machine otherwise, that stands, and not a person's word.

    Else whoever keeps an account could talk it through the gate while everybody can see what is wrong with it. They
    cannot by ending the connection either: then the network manager looks.
    """
    info = home.settings.platforms[account.platform]
    told = newest_observation(home.db, account.id, fact, source=Source.API)
    if told is None:
        return
    can_look = READ_BY.get(fact) in capabilities_of(home, account) and may_be_asked(home, info, now)
    if not can_look and not (shut_out(home, account) and permissions.is_keeper(actor, account)):
        return
    fresh = now - told.observed_at <= timedelta(days=home.settings.policy.observation_days)
    about_this_one = account.set_up_at is None or told.observed_at >= account.set_up_at
    if fresh and about_this_one and told.value not in (value, LogoMatch.UNSURE):
        message = f"{info.name} itself says otherwise, so this cannot be recorded."
        mend = "Put it right there, then have the account checked now." if can_look else "Connect the account again."
        raise InvalidInput(message, {field: message}, mend)


def _keep_word(
    home: Home,
    actor: Staff,
    account_id: int,
    fact: Fact,
    value: Any,
    evidence_id: int | None,
    note: str | None,
    now: datetime,
) -> Observation:
    with write(home.db) as db:
        _attestable(home, actor, account_id)
        observation_id = record_observation(
            db,
            account_id=account_id,
            fact=fact,
            value=value,
            now=now,
            source=Source.ATTESTED,
            observed_by=actor.id,
            evidence_id=evidence_id,
            note=note,
        )
        evaluate_account(home, account_id, now=now, actor=actor_of(actor.id))
        return observation_by_id(db, observation_id)


def _judged_pictures(home: Home, account: Account) -> str:
    """A person judges the pictures that the machine was not sure about; where it was sure, it stands.

    The mark of those pictures goes with the judgement, which then holds for as long as they are the same ones.
    """
    seen = newest_observation(home.db, account.id, Fact.LOGO)
    if seen is None or not _mark(seen):
        return ""
    if seen.value == LogoMatch.DIFFERENT:
        raise InvalidInput(
            "The account's picture was compared with the school's logo, and it is another picture.",
            {"value": "The pictures were compared and are different."},
            "Change the picture on the platform, then have it compared again.",
        )
    return _mark(seen)


def _mark(seen: Observation) -> str:
    """The mark of the two pictures that a logo observation is about, "" where none is noted."""
    words = (seen.note or "").split()
    return " ".join(words[:3]) if words[:1] == ["pictures"] else ""


def _checked_note(note: str) -> str:
    note = " ".join(note.split())
    if len(note) > _LONGEST_NOTE:
        raise InvalidInput(
            "The note is too long.", {"note": f"Use {_LONGEST_NOTE} characters at most."}, "Say it in fewer words."
        )
    return note


# ---------------------------------------------------------------------------------------------------- observing


def observe(home: Home, account_id: int, *, now: datetime) -> list[Fact]:
    """Read what the platform tells by itself, keep it, and return the facts that were read. Asks no rule."""
    account = account_by_id(home.db, account_id)
    reading = _look(home, account, now)
    with write(home.db) as db:
        return keep_reading(home, db, account, reading, now)


def look_before_gate(home: Home, account_id: int, *, now: datetime) -> None:
    """Read the platform at the last moment before the gate, so that nothing older is believed where it can be read.

    Raises PlatformError where it could not be read: what the gate asks about would then be anybody's word. Where only
    the money is missing, the gate rests on people's word with screenshots, as on a platform without an interface.
    """
    account = account_by_id(home.db, account_id)
    reading = _look(home, account, now, whole=True)
    with write(home.db) as db:
        keep_reading(home, db, account, reading, now)
    unpaid = MONEY if costs_money(home.settings.platforms[account.platform]) else ()
    for capability in READ_BY.values():
        if capability in reading.failed and not isinstance(reading.failed[capability], unpaid):
            raise reading.failed[capability]


def check_account(home: Home, account_id: int, *, now: datetime, asked: bool = False) -> list[Finding]:
    """Look at the account, ask every rule, and say when to look again. The job's unit of work; `asked` by a person.

    It counts as checked only where something was told, or where nothing but people's word is asked for.

    The platform is asked first, with no transaction open; all that follows from it is one transaction.
    """
    account = account_by_id(home.db, account_id)
    reading = _look(home, account, now, asked=asked)
    with write(home.db) as db:
        keep_reading(home, db, account, reading, now)
        findings = evaluate_account(home, account_id, now=now, actor=CHECKER)
        due = _next_look(home, account, reading, now) if account_by_id(db, account_id).state in _CHECKED else None
        looked = {"checked_at": now} if was_checked(home, account, reading) else {}
        guarded_update(db, "account", account_id, {"check_due_at": due, **looked})
    return findings


def _look(home: Home, account: Account, now: datetime, *, whole: bool = False, asked: bool = False) -> Reading:
    """Ask the platform: for everything if `whole`, else what the day's plan and the money allow.

    Nothing is asked about an account that is not there, or by an adapter that can do nothing: if that is because the
    platform shut us out, all that it would read is left out.
    """
    set_up = account.handle is not None or account.remote_id is not None
    if account.state not in _THERE or not set_up:
        return Reading()
    if not capabilities_of(home, account):
        return Reading(left_out=shut_out_of(home, account))
    login = machine_login(home, account.id, purpose="check", now=now)
    adapter = adapter_of(home, account, login, now=now)
    return read_platform(adapter) if whole else look_at(home, account, adapter, asked=asked, now=now)


def _next_look(home: Home, account: Account, reading: Reading, now: datetime) -> datetime:
    """At the school's interval; sooner where a look failed only for now, and when the platform says so."""
    usual = usual_next_look(home, account, now)
    failed = [error for error in reading.failed.values() if not error.permanent and not isinstance(error, MONEY)]
    if too_much_in_doubt(home, home.settings.platforms[account.platform], account.id, now):
        failed = []
    passing = [error.retry_at or now + _SOON for error in failed]
    return min(usual, max(passing)) if passing else usual


def keep_reading(home: Home, db: Database, looked_at: Account, reading: Reading, now: datetime) -> list[Fact]:
    """Write what a look brought, unless the account became another one on the platform meanwhile."""
    account = account_by_id(db, looked_at.id)
    if reading.nothing or (account.handle, account.remote_id) != (looked_at.handle, looked_at.remote_id):
        return []
    values, notes = dict(reading.values), dict(reading.notes)
    if reading.posts is not None:
        values[Fact.OUTSIDE_POSTS] = _outside_posts(db, account.id, reading.posts, now)
    if reading.picture is not None and (judged := _judge_picture(home, db, account.id, reading.picture)):
        values[Fact.LOGO], notes[Fact.LOGO] = judged
    if reading.followers is not None:
        record_followers(home, account.id, reading.followers, now=now, actor=CHECKER)
    tell_of_marks(home, db, account, values.get(Fact.LABELS), now)
    for fact, value in values.items():
        record_observation(
            db, account_id=account.id, fact=fact, value=value, now=now, source=Source.API, note=notes.get(fact) or None
        )
    keep_counts(home, db, account, reading, now)
    for error in reading.failed.values():
        note_refusal(home, account.id, error, now=now)
    _tell_of_look(db, account.id, reading, list(values), now)
    return list(values)


def _outside_posts(db: Database, account_id: int, posts: list[RemotePost], now: datetime) -> int:
    """How many of these did not pass the gate here (MED512).

    A post on its way out has no lasting id here yet: it is known by its words, and is not noted as seen, because
    that is how its publishing finds out later what became of it.
    """
    ours = own_posts(db, account_id)
    on_the_way = {_plain(text) for text in ours.texts_on_the_way}
    outside = [
        one.remote_id for one in posts if one.remote_id not in ours.remote_ids and _plain(one.text) not in on_the_way
    ]
    note_outside_posts(db, account_id, outside, now)
    return len(outside)


def _plain(text: str) -> str:
    return " ".join(text.split())


def _judge_picture(home: Home, db: Database, account_id: int, picture: bytes) -> tuple[LogoMatch, str] | None:
    """Compare with the school's logo; the same two pictures as last time get the same answer, a person's too."""
    ours = school_logo(home)
    if ours is None:
        return None
    if not picture:
        return LogoMatch.DIFFERENT, ""  # it shows no picture at all
    mark, seen = logo.pair_mark(ours, picture), newest_observation(db, account_id, Fact.LOGO)
    if seen is not None and _mark(seen) == mark:
        return LogoMatch(seen.value), mark
    try:
        return logo.compare(ours, picture), mark
    except InvalidInput:
        return LogoMatch.UNSURE, mark  # the platform gave what cannot be read as a picture: a person looks


def _tell_of_look(db: Database, account_id: int, reading: Reading, facts: list[Fact], now: datetime) -> None:
    failed = {capability: error.permanent for capability, error in reading.failed.items()}
    for tag, name, told in (
        (EventTag.ACCOUNT_CHECKED, "facts", sorted(facts)),
        (EventTag.ACCOUNT_CHECK_FAILED, "permanent", failed),
    ):
        if told:
            record_event(
                db, tag, actor=CHECKER, now=now, subject="account", subject_id=account_id, account_id=account_id,
                data={name: told},
            )  # fmt: skip
