"""What an account may be asked for as: every field checked, each fault with the sentence to show beside it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from socialgov.errors import InvalidInput
from socialgov.models import AccountKind, AccountRequest, Enforcement, Role
from socialgov.store.accounts import account_with_handle
from socialgov.store.public_allowances import open_allowance
from socialgov.store.staff import current_staff
from socialgov.store.waivers import active_waivers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlite_utils import Database

    from socialgov.config import Settings
    from socialgov.models import Account, PlatformInfo, Staff

_SCHEME = re.compile(r"^(https?://)?(www\.)?", re.IGNORECASE)
PRIVATE = "ACC103"
LONGEST_TEXT = 1_000
FURTHEST_START = timedelta(days=366)
MEND = "Change what is marked and send it again."


def request_faults(
    db: Database,
    settings: Settings,
    form: AccountRequest,
    *,
    today: date,
    account: Account | None = None,
    found: bool = False,
    asker: Staff | None = None,
) -> tuple[AccountRequest, dict[str, str]]:
    """`form` tidied, and what is wrong with it by field. No fault: an empty dict.

    `account` is the request that is being amended or decided: its own handle is not taken, and its start may have
    come meanwhile. `found` True: it exists already (ACC108), on whatever platform, since whenever. `asker`: who sends
    it, under whose permission for a public account; None when it is decided as it stands.
    """
    form = replace(
        form,
        purpose=tidy(form.purpose),
        audience=tidy(form.audience),
        handle_wished=tidy_handle(settings.platforms.get(form.platform), form.handle_wished),
    )
    faults = {
        **text_faults({"purpose": form.purpose, "audience": form.audience}),
        **({} if found else _public_faults(db, settings, form, account, asker, today)),
        **_platform_faults(db, settings, form, account, found),
        **_keeper_faults(db, form),
        **_start_faults(form, today, account, found),
    }
    if "starts_on" not in faults:
        faults |= _end_faults(settings, form, today, found)
    return form, faults


def checked_request(
    db: Database,
    settings: Settings,
    form: AccountRequest,
    *,
    today: date,
    account: Account | None = None,
    found: bool = False,
    asker: Staff | None = None,
) -> AccountRequest:
    """`form` tidied. Raises InvalidInput with a sentence for each field at fault."""
    form, faults = request_faults(db, settings, form, today=today, account=account, found=found, asker=asker)
    if faults:
        raise InvalidInput("The request cannot be made as it is.", faults, MEND)
    return form


def tidy(text: str) -> str:
    """One line, single spaces, without control characters or halves of characters that no file can keep."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def tidy_handle(platform: PlatformInfo | None, text: str) -> str:
    """The handle without @, or out of a pasted profile address; in small letters where the platform knows no others."""
    handle = tidy(text) if platform is None else _out_of_address(platform, tidy(text))
    handle = handle.removeprefix("@")
    if platform is not None and not handle_fits(platform, handle) and handle_fits(platform, handle.lower()):
        return handle.lower()
    return handle


def _out_of_address(platform: PlatformInfo, text: str) -> str:
    """What stands for {handle} when `text` is an address of the platform's profiles, else `text` itself."""
    if "{server}" in platform.profile_url:
        return _out_of_address_of_many(platform, text)
    before = _SCHEME.sub("", platform.profile_url.partition("{handle}")[0])
    address = _SCHEME.sub("", text).partition("?")[0].removesuffix("/")
    if before and address.lower().startswith(before):
        return address[len(before) :]
    return address if not before and address != text else text


def _out_of_address_of_many(platform: PlatformInfo, text: str) -> str:
    """The same on a network of many servers: `https://social.example/@trip` is trip@social.example."""
    pattern = re.escape(_SCHEME.sub("", platform.profile_url))
    for part in ("server", "name"):
        pattern = pattern.replace(re.escape(f"{{{part}}}"), f"(?P<{part}>[^/@?]+)")
    found = re.fullmatch(pattern, _SCHEME.sub("", text).partition("?")[0].removesuffix("/"))
    return f"{found['name']}@{found['server'].lower()}" if found else text


def handle_fits(platform: PlatformInfo, handle: str) -> bool:
    return len(handle) <= 255 and re.fullmatch(platform.handle_pattern, handle) is not None


def text_faults(fields: Mapping[str, str], longest: int = LONGEST_TEXT) -> dict[str, str]:
    """What is wrong with texts that must be there, by field."""
    faults = {}
    for name, text in fields.items():
        words = name.replace("_", " ")
        if not text:
            faults[name] = f"Enter the {words}."
        elif len(text) > longest:
            faults[name] = f"The {words} must be {longest} characters or fewer."
    return faults


def checked_reason(text: str, field: str = "reason") -> str:
    """A reason a person gave, tidied. Raises InvalidInput when it is empty or over-long."""
    reason = tidy(text)
    if faults := text_faults({field: reason}):
        raise InvalidInput("A reason is needed.", faults, "Say why in a sentence.")
    return reason


def request_notes(settings: Settings, platform_key: str) -> tuple[str, ...]:
    """What somebody who asks for an account on this platform should know before, and those who decide on it too."""
    platform = settings.platforms.get(platform_key)
    if platform is None:
        return ()
    notes = []
    if not platform.can_be_private:
        notes.append(
            f"{platform.name} has no private accounts, so anybody can see what is posted (ACC103). "
            "It can be asked for only where the head has allowed a public account, with a reason."
        )
    elif platform.privacy:
        notes.append(f"How private an account can be on {platform.name}: {platform.privacy}")
    notes.append(
        f"Nobody under {platform.minimum_age} may follow on {platform.name} "
        f"({platform.minimum_age_source}, as of {platform.minimum_age_on.day} {platform.minimum_age_on:%B %Y})."
    )
    if not settings.policy.pupil_followers:
        notes.append("Pupils do not follow school accounts here: the audience is their parents and carers.")
    return tuple(notes)


def must_be_private(settings: Settings, kind: AccountKind) -> bool:
    """Does the school hold accounts of this kind to ACC103? Where it only advises it, no permission is needed."""
    return settings.policy.enforcement(PRIVATE, kind) is Enforcement.ENFORCED


def _public_faults(
    db: Database,
    settings: Settings,
    form: AccountRequest,
    account: Account | None,
    asker: Staff | None,
    today: date,
) -> dict[str, str]:
    """ACC103: where a platform has no private accounts, only the head lets somebody ask for one."""
    platform = settings.platforms.get(form.platform)
    if platform is None or platform.can_be_private or not must_be_private(settings, form.kind):
        return {}
    kept = account is not None and account.platform == form.platform
    if account is not None and kept and PRIVATE in {one.rule_id for one in active_waivers(db, account.id, today)}:
        return {}
    if asker is not None and (
        asker.has(Role.HEAD) or open_allowance(db, form.platform, {asker.id, form.owner_id}, today) is not None
    ):
        return {}
    fault = f"{platform.name} has no private accounts, so anybody could see what is posted (ACC103). "
    mend = "Choose another platform, or ask the head to allow a public account."
    if all(must_be_private(settings, kind) for kind in AccountKind):
        return {"platform": fault + mend}
    return {"kind": fault + "An account of this kind must be private. " + mend}


def _platform_faults(
    db: Database, settings: Settings, form: AccountRequest, account: Account | None, found: bool
) -> dict[str, str]:
    platform = settings.platforms.get(form.platform)
    if platform is None or (platform.simulated and form.platform not in settings.approved_platforms):
        return {"platform": "Choose one of the platforms in the list."}  # nothing is found on a simulated network
    if not found and form.platform not in settings.approved_platforms:
        return {"platform": f"The school has not approved {platform.name} (ACC104). Choose another platform."}
    faults = text_faults({"handle_wished": form.handle_wished})
    if not faults and not handle_fits(platform, form.handle_wished):
        faults["handle_wished"] = f"{platform.name} does not allow this handle. Check the letters and signs in it."
    elif not faults and account_with_handle(
        db, form.platform, form.handle_wished, other_than=account.id if account else None
    ):
        faults["handle_wished"] = "Another account in the register has this handle, or asks for it."
    return faults


def _keeper_faults(db: Database, form: AccountRequest) -> dict[str, str]:
    return keeper_faults(db, owner_id=form.owner_id, deputy_id=form.deputy_id)


def keeper_faults(db: Database, *, owner_id: int, deputy_id: int) -> dict[str, str]:
    """ACC105: one owner and one deputy, two people, both current staff."""
    current = {staff.id for staff in current_staff(db)}
    faults = {}
    if owner_id not in current:
        faults["owner_id"] = "The owner must be somebody who works here now."
    if deputy_id not in current:
        faults["deputy_id"] = "The deputy must be somebody who works here now."
    elif deputy_id == owner_id:
        faults["deputy_id"] = "The deputy must be somebody other than the owner."
    return faults


def _start_faults(form: AccountRequest, today: date, account: Account | None, found: bool) -> dict[str, str]:
    kept = account is not None and account.starts_on == form.starts_on
    if form.starts_on < today and not kept and not found:
        return {"starts_on": "The first day must be today or later."}
    if form.starts_on > today + FURTHEST_START:
        return {"starts_on": "The first day must be within a year from now."}
    return {}


def _end_faults(settings: Settings, form: AccountRequest, today: date, found: bool) -> dict[str, str]:
    """LIF601: an end for a trip, a review for a standing account, neither further away than the policy allows."""
    start = max(form.starts_on, today) if found else form.starts_on
    policy = settings.policy
    if form.kind is AccountKind.TRIP:
        faults = _last_day_faults("ends_on", "last day", form.ends_on, start, today, policy.trip_longest_days)
        if form.review_on is not None:
            faults["review_on"] = "A trip account has a last day and no review date. Leave this empty."
        return faults
    longest = policy.standing_longest_review_days
    faults = _last_day_faults("review_on", "review date", form.review_on, start, today, longest)
    if form.ends_on is not None:
        faults["ends_on"] = "A standing account has a review date and no last day. Leave this empty."
    return faults


def _last_day_faults(
    field: str, words: str, day: date | None, start: date, today: date, longest: int
) -> dict[str, str]:
    if day is None:
        return {field: f"Enter the {words}."}
    if day <= today:
        return {field: f"The {words} must be in the future."}
    if day <= start:
        return {field: f"The {words} must be after the first day."}
    if day - start > timedelta(days=longest):
        furthest = start + timedelta(days=longest)
        return {field: f"The {words} can be {furthest.day} {furthest:%B %Y} at the latest ({longest} days, LIF601)."}
    return {}


def review_faults(settings: Settings, day: date, today: date) -> dict[str, str]:
    """What is wrong with `day` as the next review date of a standing account."""
    longest = settings.policy.standing_longest_review_days
    return _last_day_faults("review_on", "review date", day, today, today, longest)


def school_email_fault(settings: Settings, email: str) -> str | None:
    """What is wrong with `email` as the address an account is set up with (ACC101); None when it is the school's."""
    from email_validator import EmailNotValidError, validate_email

    if not email:
        return "Enter the school e-mail address."
    try:
        domain = validate_email(email, check_deliverability=False, test_environment=True).ascii_domain.lower()
    except EmailNotValidError:
        return "Enter an e-mail address, such as trips@" + settings.email_domains[0] + "."
    if domain not in {name.lower() for name in settings.email_domains}:
        return f"Use an address of the school (ACC101): it ends in @{' or @'.join(settings.email_domains)}."
    return None
