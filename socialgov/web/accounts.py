"""The register (OVS805) and the page of one account: where it stands, what each rule says, and what you may do."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from markupsafe import Markup

from socialgov.actions.adapters import capabilities_of
from socialgov.actions.findings import current_findings
from socialgov.actions.observing import check_account
from socialgov.actions.platform_states import confirmed, unchecked
from socialgov.lifecycle import WATCHED_STATES
from socialgov.models import AccountKind, AccountState
from socialgov.permissions import can_review, can_waive, check_can_view_account, check_can_view_register
from socialgov.store.accounts import RegisterFilter, account_by_id, register_page
from socialgov.store.closings import certificate_of
from socialgov.store.events import EventTag, events_of_account
from socialgov.store.plans import not_checked_since
from socialgov.store.staff import staff_names
from socialgov.store.waivers import extensions_of, waivers_of
from socialgov.web.access import may, may_account
from socialgov.web.account_view import about, evidence_words, shown_tasks, shown_waivers
from socialgov.web.deeds import deeds_for
from socialgov.web.event_words import sentence
from socialgov.web.findings import grouped
from socialgov.web.putting_right import mend_links
from socialgov.web.words import KINDS, STATE_KIND, plain

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from socialgov.models import Account

bp = Blueprint("accounts", __name__, url_prefix="/accounts")

PAGE_SIZE = 50
LAST_PAGE = 1_000_000  # what lies further on is beyond what SQLite counts
LOG_EXCERPT = 8
ROUTINE = (EventTag.FACT_OBSERVED, EventTag.ACCOUNT_CHECKED)  # daily; the excerpt is for what people did and what broke
FILTERS = ("search", "state", "platform", "kind", "mine", "broken")  # what an address may carry on, and nothing else
JUDGED_STATES = WATCHED_STATES | {AccountState.APPROVED, AccountState.CLOSING}  # before and after, rules tell little
CHECKED_STATES = WATCHED_STATES | {AccountState.APPROVED}
# made once: a page of the register shows fifty of them
STATE_TAGS = {
    state: Markup('<strong class="tag tag-{}">{}</strong>').format(STATE_KIND[state], plain(state).capitalize())
    for state in AccountState
}
KIND_WORDS = {kind: words.lower() for kind, words in KINDS.items()}


@bp.get("/")
@may(check_can_view_register)
def register() -> ResponseReturnValue:
    """Every account, newest first; filters and search are in the address, so a view can be kept as a bookmark."""
    wanted = _filter()
    shown = register_page(g.home.db, wanted, page=min(request.args.get("page", 1, type=int), LAST_PAGE), size=PAGE_SIZE)
    return render_template(
        "accounts/register.html",
        shown=shown,
        not_checked=not_checked_since(g.home.db, [row.id for row in shown.rows]),
        wanted=wanted,
        address=_address,
        platforms=g.home.settings.platforms,
        states=AccountState,
        kinds=AccountKind,
        judged=JUDGED_STATES,
        state_tags=STATE_TAGS,
        kind_words=KIND_WORDS,
        narrowed=bool(wanted.state or wanted.platform or wanted.kind or wanted.keeper_id or wanted.broken_only),
    )


def _filter() -> RegisterFilter:
    """The filter in the address; a value nobody knows counts as none."""
    args = request.args
    return RegisterFilter(
        state=args.get("state", type=AccountState),
        platform=args.get("platform") if args.get("platform") in g.home.settings.platforms else None,
        kind=args.get("kind", type=AccountKind),
        keeper_id=g.staff.id if args.get("mine") else None,
        search=args.get("search", "")[:100],
        broken_only=bool(args.get("broken")),
    )


def _address(page: int) -> str:
    """This view at another page."""
    kept = {name: value for name in FILTERS if (value := request.args.get(name))}
    return f"{url_for('accounts.register')}?{urlencode({**kept, 'page': page})}"


@bp.get("/<int:account_id>")
@may_account(check_can_view_account)
def page(account_id: int) -> ResponseReturnValue:
    """Everything about one account that this person may see."""
    db, account = g.home.db, g.account
    policy, names, deeds = g.home.settings.policy, staff_names(db), deeds_for(g.staff, account)
    return render_template(
        "accounts/page.html",
        account=account,
        platform=g.home.settings.platforms[account.platform],
        groups=grouped(current_findings(g.home, account, g.now)),
        mends=mend_links(account),
        evidence=lambda finding: evidence_words(finding, names),
        tasks=shown_tasks(account),
        about=about(account, names),
        deeds=deeds,
        first_deeds=[deed for deed in deeds if deed.kind == "primary"],
        watched=WATCHED_STATES,
        can_check=account.state in CHECKED_STATES,
        may_waive=can_waive(g.staff),
        may_decide=can_review(g.staff, account, policy),
        waivers=shown_waivers(waivers_of(db, account_id)),
        extensions=extensions_of(db, account_id),
        certificate=certificate_of(db, account_id),
        events=events_of_account(db, account_id, LOG_EXCERPT, without=ROUTINE),
        sentence=sentence,
        names=names,
        confirmed=confirmed(g.home, account) if account.state in CHECKED_STATES else [],
        unchecked=unchecked(g.home, account, now=g.now) if account.state in CHECKED_STATES else None,
    )


@bp.post("/<int:account_id>/check")
@may_account(check_can_view_account)
def check(account_id: int) -> ResponseReturnValue:
    """Read the platform now and ask every rule again. Whoever sees the account may: it changes nothing there."""
    check_account(g.home, account_id, now=g.now, asked=True)
    flash(*_told_of_check(account_by_id(g.home.db, account_id)))
    return redirect(url_for("accounts.page", account_id=account_id))


def _told_of_check(account: Account) -> tuple[str, str]:
    """What that look came to: words, and how the page shows them. Never said to be looked at where nothing was read."""
    name = g.home.settings.platforms[account.platform].name
    missing = unchecked(g.home, account, now=g.now)
    if account.checked_at == g.now and not missing and not capabilities_of(g.home, account):
        return f"Every rule was asked again. No machine looks at {name}: people say what they see.", "success"
    if account.checked_at == g.now and not missing:
        return "The account was looked at just now. What follows from it is below.", "success"
    if account.checked_at == g.now:
        return "Part of the account was looked at just now. What was not, and why, is below.", "warning"
    if missing:
        return f"Nothing was looked at. {missing.why} Every rule was asked again about what is known.", "warning"
    return "It was looked at a moment ago, so nothing was asked again.", "info"
