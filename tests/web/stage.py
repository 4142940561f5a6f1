"""One school with an account in every state, and the list of pages that a person can open there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from factories import NOW, staff
from walk import Cast, approved, cast_of, form_of, live, ready, requested, standing_form

from socialgov.actions import accounts
from socialgov.actions.closing import advance, start_closing
from socialgov.actions.extensions import ask_extension
from socialgov.actions.findings import evaluate_account
from socialgov.actions.observing import attest
from socialgov.actions.public_accounts import allow_public_account
from socialgov.actions.rotations import report_compromised
from socialgov.actions.waivers import PUBLIC_ACCOUNT_RULES, grant_waiver
from socialgov.home import Home
from socialgov.models import Account, Fact, Role, Staff, StepState
from socialgov.store.accounts import account_by_id
from socialgov.store.closings import steps_of
from socialgov.store.observations import newest_observation

STATES = (
    "requested",
    "returned",
    "declined",
    "approved",
    "ready",
    "live",
    "standing",
    "suspended",
    "closing",
    "closed",
)


@dataclass(frozen=True)
class Stage:
    """The school: who is who, one account a state, and what hangs on them."""

    home: Home
    cast: Cast
    people: dict[Role, Staff]
    outsider: Staff  # a teacher who has nothing to do with any of the accounts
    requested: Account
    returned: Account
    declined: Account
    approved: Account
    ready: Account
    live: Account
    standing: Account
    suspended: Account
    closing: Account
    closed: Account
    step_id: int
    blob_id: int
    allowance_id: int


def set_stage(home: Home) -> Stage:
    """Walk the real actions until every state has its account."""
    from PIL import Image

    cast = cast_of(home)

    def form(handle: str, **changes: Any) -> Any:
        return form_of(cast, handle_wished=handle, **changes)

    Image.new("RGB", (64, 64), "teal").save(home.path / "logo.png")
    people = {role: staff(home, role) for role in Role if role not in (Role.TEACHER, Role.NETWORK_MANAGER, Role.HEAD)}
    people |= {Role.TEACHER: cast.owner, Role.NETWORK_MANAGER: cast.manager, Role.HEAD: cast.head}
    returned = requested(home, cast, form=form("castle.visit"))
    accounts.return_request(home, cast.manager, returned.id, "Please say who the audience is.", now=NOW)
    declined = requested(home, cast, form=form("year.eight.fun"))
    accounts.decline(home, cast.manager, declined.id, "Not for school work.", now=NOW)
    waiting = approved(home, cast, form=form("science.week", ends_on=date(2026, 12, 18)))
    one_live = live(home, cast, form=form("ski.trip"))
    attest(home, cast.owner, one_live.id, Fact.PRIVATE, False, now=NOW, screenshot=picture(), note="It was open again.")
    evaluate_account(home, one_live.id, now=NOW)
    ask_extension(home, cast.owner, one_live.id, date(2026, 12, 14), "The coach comes a week later.", now=NOW)
    grant_waiver(home, cast.head, waiting.id, PUBLIC_ACCOUNT_RULES, "Parents asked for it.", None, now=NOW)
    suspended = live(home, cast, form=form("film.club"))
    accounts.suspend(home, cast.head, suspended.id, "A parent rang about a photo.", now=NOW)
    report_compromised(home, cast.deputy, suspended.id, "A pupil was seen with it.", now=NOW)
    closing = live(home, cast, form=form("theatre.trip"))
    begun = start_closing(home, cast.owner, closing.id, "The trip is over.", now=NOW)
    closed = approved(home, cast, form=form("zoo.visit"))
    advance(home, start_closing(home, cast.owner, closed.id, "The zoo has shut.", now=NOW).id, now=NOW)
    seen = newest_observation(home.db, one_live.id, Fact.PRIVATE)
    assert seen is not None
    assert seen.evidence_id is not None
    return Stage(
        home=home,
        cast=cast,
        people=people,
        outsider=staff(home, Role.TEACHER),
        requested=requested(home, cast, form=form("museum.visit")),
        returned=account_by_id(home.db, returned.id),
        declined=account_by_id(home.db, declined.id),
        approved=waiting,
        ready=ready(home, cast, form=form("choir.tour")),
        live=account_by_id(home.db, one_live.id),
        standing=live(home, cast, form=standing_form(cast)),
        suspended=account_by_id(home.db, suspended.id),
        closing=account_by_id(home.db, closing.id),
        closed=account_by_id(home.db, closed.id),
        step_id=next(step.id for step in steps_of(home.db, begun.id) if step.state is StepState.TASK),
        blob_id=seen.evidence_id,
        allowance_id=allow_public_account(
            home, cast.head, platform="bluesky", staff_id=cast.deputy.id, purpose="Films of the choir.",
            reason="Parents asked for it.", now=NOW,
        ).id,
    )  # fmt: skip


def picture(size: tuple[int, int] = (320, 640), colour: str = "white") -> bytes:
    """A screenshot as a phone takes it."""
    import io

    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


def pages_of(stage: Stage) -> Iterator[tuple[str, Staff | None, str]]:
    """(name, who looks, path) of every page of the product's own account pages."""
    owner, manager, head = stage.cast.owner, stage.cast.manager, stage.cast.head
    at = "/accounts/{}".format
    yield "signin", None, "/signin"
    yield "signin-refused", None, "/signin/guess"
    yield "signing-in", owner, "/signing-in/"
    yield "signing-in-ask", owner, "/signing-in/add"
    yield "signing-in-passkey", owner, "/signing-in/passkeys/add"
    yield "signing-in-app", owner, "/signing-in/authenticator/add"
    yield "signing-in-code", owner, "/signing-in/authenticator/confirm"
    yield "signing-in-people", manager, "/signing-in/people/"
    yield "signing-in-person", head, f"/signing-in/people/{owner.id}"
    yield "confirm-first", head, "/confirm"
    yield from ((f"start-{role.value}", person, "/") for role, person in stage.people.items())
    yield "register", manager, "/accounts/"
    yield "register-filtered", manager, "/accounts/?search=trip&broken=1"
    yield "request", owner, "/request/"
    yield from ((f"request-{step}", owner, f"/request/{step}") for step in ("platform", "kind", "purpose", "handle"))
    yield from ((f"request-{step}", owner, f"/request/{step}") for step in ("dates", "keepers"))
    yield "found", owner, "/found/"
    yield "public-accounts", head, "/public-accounts/"
    yield "public-accounts-allow", head, "/public-accounts/allow"
    yield "public-accounts-end", head, f"/public-accounts/{stage.allowance_id}/end"
    yield "amend", owner, at(f"{stage.returned.id}/amend/")
    yield "withdraw", owner, at(f"{stage.requested.id}/withdraw")
    for name in STATES:
        yield f"account-{name}", owner, at(getattr(stage, name).id)
    yield "account-live-head", head, at(stage.live.id)
    yield "decide", manager, at(f"{stage.requested.id}/decide")
    yield "setup", owner, at(f"{stage.approved.id}/setup")
    yield "facts", owner, at(f"{stage.live.id}/facts")
    yield "put-right", owner, at(f"{stage.live.id}/put-right")
    yield "fact-private", owner, at(f"{stage.live.id}/facts/private")
    yield "fact-text", owner, at(f"{stage.live.id}/facts/profile_text")
    yield "fact-logo", owner, at(f"{stage.live.id}/facts/logo")
    yield "export", owner, at(f"{stage.live.id}/export")
    yield "gate-shut", owner, at(f"{stage.approved.id}/gate")
    yield "gate-open", owner, at(f"{stage.ready.id}/gate")
    yield "deposit", owner, at(f"{stage.live.id}/deposit")
    for part in ("parts", "codes", "second-factor", "notes"):
        yield f"deposit-{part}", owner, at(f"{stage.live.id}/deposit/{part}")
    yield "recovery", owner, at(f"{stage.live.id}/recovery")
    yield "delegates", owner, at(f"{stage.live.id}/delegates")
    yield "connection", owner, at(f"{stage.live.id}/connection")
    yield "password", manager, at(f"{stage.live.id}/password")
    yield "looks", owner, at(f"{stage.live.id}/looks")
    yield "login-test", manager, at(f"{stage.live.id}/login-test")
    yield "rotation", owner, at(f"{stage.live.id}/rotation")
    yield "rotation-start", owner, at(f"{stage.live.id}/rotation/start")
    yield "rotation-open", manager, at(f"{stage.suspended.id}/rotation")
    yield "compromised", owner, at(f"{stage.live.id}/compromised")
    yield "suspend", owner, at(f"{stage.live.id}/suspend")
    yield "resume", head, at(f"{stage.suspended.id}/resume")
    yield "hand-over", owner, at(f"{stage.live.id}/hand-over")
    yield "confirm", owner, at(f"{stage.standing.id}/confirm")
    yield "review", head, at(f"{stage.standing.id}/review")
    yield "extend", owner, at(f"{stage.approved.id}/extend")
    yield "extension", manager, at(f"{stage.live.id}/extension")
    yield "exception", head, at(f"{stage.live.id}/exception")
    yield "close", owner, at(f"{stage.live.id}/close")
    yield "closing", owner, at(f"{stage.closing.id}/closing")
    yield "closing-task", owner, at(f"{stage.closing.id}/closing/{stage.step_id}")
    yield "closed", owner, at(f"{stage.closed.id}/closing")
    yield "certificate", owner, at(f"{stage.closed.id}/certificate")
    yield "platforms", head, "/platforms/"
    yield "audit", manager, "/audit/"
    yield "audit-needing", head, "/audit/?show=needing&platform=instagram"
    yield "log", head, "/log/"
    yield "log-filtered", head, "/log/?tag=account"
    yield "staff", manager, "/staff/"
    yield "staff-add", manager, "/staff/add"
    yield "staff-person", manager, f"/staff/{owner.id}"
    yield "staff-roles", manager, f"/staff/{owner.id}/roles"
    yield "staff-leaves", manager, f"/staff/{owner.id}/leaves"
    yield "leavers", head, "/staff/leavers"
    yield "leaver-report", manager, f"/staff/{owner.id}/leaving"
    yield "leaver-secure", manager, f"/staff/{owner.id}/secure"
    yield "vault", manager, "/vault/"
    yield "vault-passphrase", manager, "/vault/passphrase"
    yield "vault-head", head, "/vault/"
    yield "glass", head, "/vault/glass/"
    yield "not-found", owner, "/nothing-here"
    yield "not-permitted", owner, "/staff/"
