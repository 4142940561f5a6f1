"""The home page: what needs you today, what is new for you, and the accounts in your hands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from flask import Blueprint, current_app, g, redirect, render_template, url_for

from socialgov import permissions
from socialgov.actions.notices import open_notices, read_notice
from socialgov.actions.own_cause import writers_of
from socialgov.actions.platform_states import left_out_words
from socialgov.actions.today import needs_today
from socialgov.models import Account, AccountState, Role
from socialgov.store.accounts import account_by_id, accounts_of_keeper, count_by_state
from socialgov.store.closings import tasks_of_keeper
from socialgov.store.plans import left_out
from socialgov.store.posts import posts_waiting_for_check
from socialgov.web.access import signed_in
from socialgov.web.closing import TITLES
from socialgov.web.forms import ButtonForm, saved

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from socialgov.store.outbox import Notice

bp = Blueprint("start", __name__)

SHOWN = 30
NEWS_SHOWN = 8  # the rest is folded away
OVERSIGHT = (Role.NETWORK_MANAGER, Role.HEAD, Role.SAFEGUARDING_LEAD, Role.DATA_MANAGER, Role.GOVERNOR)
COUNTED = (AccountState.REQUESTED, AccountState.LIVE, AccountState.SUSPENDED, AccountState.CLOSING)


@dataclass(frozen=True, slots=True)
class Line:
    """One thing to do: its words, which account (None: none), where, and by when."""

    title: str
    account: Account | None
    href: str
    due_on: date | None = None


@bp.get("/")
@signed_in
def page() -> ResponseReturnValue:
    staff = g.staff
    lines = [*_needs(), *_closing_tasks(), *_second_looks()]
    return render_template(
        "start/page.html",
        lines=lines[:SHOWN],
        more=max(0, len(lines) - SHOWN),
        notices=_news(open_notices(g.home.db, staff.id)),
        news_shown=NEWS_SHOWN,
        kept=accounts_of_keeper(g.home.db, staff.id),
        counts=count_by_state(g.home.db) if staff.has(*OVERSIGHT) else None,
        counted=COUNTED,
        may_request=permissions.can_request(staff),
        not_checked=_not_checked(),
        today=g.home.today(g.now),
        platforms=g.home.settings.platforms,
    )


@dataclass(frozen=True, slots=True)
class NotChecked:
    """In one line: of how many accounts not all was looked at, since when at the worst, and where to read more."""

    words: str
    href: str


def _not_checked() -> NotChecked | None:
    """Of the whole school for those who see what platforms cost, else of the accounts in your own hands."""
    of_school = permissions.can_view_platforms(g.staff)
    out = left_out(g.home.db, None if of_school else g.staff.id)
    if not out.accounts:
        return None
    words = left_out_words(g.home, out)
    return NotChecked(words, url_for("platforms.page") if of_school else url_for("accounts.register", mine=1))


def _news(notices: Sequence[Notice]) -> list[tuple[Notice, int]]:
    """What was told again and again stands there once: the newest, and how many times it was told."""
    times = Counter((one.account_id, one.text) for one in notices)
    newest: dict[tuple[int | None, str], Notice] = {}
    for one in notices:
        newest.setdefault((one.account_id, one.text), one)
    return [(one, times[key]) for key, one in newest.items()]


@bp.post("/notices/<int:notice_id>/read")
@signed_in
def read(notice_id: int) -> ResponseReturnValue:
    """Put away one of your own notices."""
    saved(ButtonForm(), lambda: read_notice(g.home, g.staff, notice_id, now=g.now))
    return redirect(url_for("start.page"))


def _needs() -> Iterator[Line]:
    for need in needs_today(g.home, g.staff, g.now):
        if need.href_endpoint in current_app.view_functions:
            of = {"account_id": need.account.id} if need.account else {}
            href = url_for(need.href_endpoint, **of)
            yield Line(need.title, need.account, href, need.due_on)


def _closing_tasks() -> Iterator[Line]:
    for step, account_id in tasks_of_keeper(g.home.db, g.staff.id):
        account = account_by_id(g.home.db, account_id)
        href = url_for("closing.task", account_id=account_id, step_id=step.id)
        yield Line(f"Closing: {TITLES[step.name].lower()}", account, href)


def _second_looks() -> Iterator[Line]:
    """MED506: any colleague but the author."""
    for post in posts_waiting_for_check(g.home.db):
        if permissions.can_second_check(g.staff, writers_of(g.home.db, post)):
            account = account_by_id(g.home.db, post.account_id)
            href = url_for("handing_over.second_look", account_id=post.account_id, post_id=post.id)
            yield Line("Look at a post as second checker", account, href)
