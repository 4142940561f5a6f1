"""What platforms cost before and after they are switched on, and what was not checked since when."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Blueprint, flash, g, redirect, render_template, url_for

from socialgov.actions import spending
from socialgov.actions.platform_states import about, amount, need_of, platform_states, reasons
from socialgov.errors import NotFound
from socialgov.permissions import can_run_platforms, check_can_run_platforms, check_can_view_platforms
from socialgov.store.plans import NotChecked, not_checked
from socialgov.web.access import may
from socialgov.web.connections import in_words

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from socialgov.actions.platform_states import PlatformState

bp = Blueprint("platforms", __name__, url_prefix="/platforms")

SHOWN = 200  # accounts of which not all was checked


@bp.get("/")
@may(check_can_view_platforms)
def page() -> ResponseReturnValue:
    """Each platform with its budget, what it cost and would cost, and whether it is paused."""
    everything = not_checked(g.home.db)
    missing: dict[int, list[NotChecked]] = {}
    for one in everything:
        missing.setdefault(one.account_id, []).append(one)
    return render_template(
        "platforms/page.html",
        states=platform_states(g.home, now=g.now),
        amount=amount,
        about=about,
        missing=list(missing.values())[:SHOWN],
        more=max(0, len(missing) - SHOWN),
        why=reasons(g.home, everything, g.now),
        need_of=need_of,
        not_offered=_not_offered,
        platforms=g.home.settings.platforms,
        may_run=can_run_platforms(g.staff),
        changes=g.home.settings.policy.expected_changes,
        policy=g.home.settings.policy,
    )


def _not_offered(state: PlatformState) -> list[tuple[str, str]]:
    """What the platform was found not to offer us, a row a server where there are many."""
    rows = []
    for server in sorted({server for server, _ in state.off}):
        words = in_words([capability for where, capability in state.off if where == server])
        title = f"Not offered by {urlsplit(server).netloc}" if server else "Not offered to us"
        rows.append((title, f"To {', to '.join(words)}. People do this, and each month socialgov tries again."))
    return rows


@bp.post("/<platform>/resume")
@may(check_can_run_platforms)
def resume(platform: str) -> ResponseReturnValue:
    """The network manager has put credit on the developer account: ask the platform again."""
    if platform not in g.home.settings.platforms:
        raise NotFound("There is no such platform.", "Choose one from the page Platforms.")
    spending.resume(g.home, g.staff, platform, now=g.now)
    flash(f"{g.home.settings.platforms[platform].name} is asked again from now on.", "success")
    return redirect(url_for("platforms.page"))
