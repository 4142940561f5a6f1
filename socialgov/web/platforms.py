"""What platforms cost before and after they are switched on, and what was not checked since when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, flash, g, redirect, render_template, url_for

from socialgov.actions import spending
from socialgov.actions.platform_states import NEEDS, about, amount, platform_states, why_not
from socialgov.errors import NotFound
from socialgov.permissions import can_run_platforms, check_can_run_platforms, check_can_view_platforms
from socialgov.planning import CHANGES_A_MONTH
from socialgov.store.plans import NotChecked, not_checked
from socialgov.web.access import may

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

bp = Blueprint("platforms", __name__, url_prefix="/platforms")

SHOWN = 200  # accounts of which not all was checked


@bp.get("/")
@may(check_can_view_platforms)
def page() -> ResponseReturnValue:
    """Each platform with its budget, what it cost and would cost, and whether it is paused."""
    missing: dict[int, list[NotChecked]] = {}
    for one in not_checked(g.home.db):
        missing.setdefault(one.account_id, []).append(one)
    return render_template(
        "platforms/page.html",
        states=platform_states(g.home, now=g.now),
        amount=amount,
        about=about,
        missing=list(missing.values())[:SHOWN],
        more=max(0, len(missing) - SHOWN),
        why=[
            why_not(g.home, g.home.settings.platforms[key], g.now)
            for key in sorted({some[0].platform for some in missing.values()})
        ],
        needs=NEEDS,
        platforms=g.home.settings.platforms,
        may_run=can_run_platforms(g.staff),
        changes=CHANGES_A_MONTH,
        policy=g.home.settings.policy,
    )


@bp.post("/<platform>/resume")
@may(check_can_run_platforms)
def resume(platform: str) -> ResponseReturnValue:
    """The network manager has put credit on the developer account: ask the platform again."""
    if platform not in g.home.settings.platforms:
        raise NotFound("There is no such platform.", "Choose one from the page Platforms.")
    spending.resume(g.home, g.staff, platform, now=g.now)
    flash(f"{g.home.settings.platforms[platform].name} is asked again from now on.", "success")
    return redirect(url_for("platforms.page"))
