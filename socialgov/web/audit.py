"""The audit of the logins: one page and one file over all accounts, and nothing secret in either (OVS801, OVS804)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from flask import Blueprint, Response, g, render_template, request, url_for

from socialgov.actions import credential_audit
from socialgov.permissions import (
    can_export_audit,
    can_test_login,
    can_view_leavers,
    check_can_export_audit,
    check_can_view_audit,
)
from socialgov.store.audit import AuditFilter
from socialgov.web.access import may
from socialgov.web.accounts import LAST_PAGE, PAGE_SIZE, STATE_TAGS

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

bp = Blueprint("audit", __name__, url_prefix="/audit")


@bp.get("/")
@may(check_can_view_audit)
def page() -> ResponseReturnValue:
    """The most urgent account first; filters are in the address, so a view can be kept as a bookmark."""
    wanted = _filter()
    number = min(request.args.get("page", 1, type=int), LAST_PAGE)
    found = credential_audit.audit(g.home, g.staff, wanted, page=number, size=PAGE_SIZE, now=g.now)
    return render_template(
        "audit/page.html",
        shown=found.page,
        lines=found.lines,
        wanted=wanted,
        platforms=g.home.settings.platforms,
        state_tags=STATE_TAGS,
        may_export=can_export_audit(g.staff),
        may_rotate=can_test_login(g.staff),
        may_see_leavers=can_view_leavers(g.staff),
        address=lambda page: f"{url_for('audit.page')}?{urlencode({**_kept(wanted), 'page': page})}",
    )


@bp.post("/file")
@may(check_can_export_audit)
def file() -> ResponseReturnValue:
    """The same as CSV. That it was taken is in the log."""
    content = credential_audit.audit_file(g.home, g.staff, _filter(), now=g.now)
    name = f"logins-{g.home.today(g.now).isoformat()}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, mimetype="text/csv", headers=headers)


def _filter() -> AuditFilter:
    """The filter in the address or the form; a value nobody knows counts as none."""
    platform = request.values.get("platform")
    known = platform if platform in g.home.settings.platforms else None
    return AuditFilter(needing_only=request.values.get("show") == "needing", platform=known)


def _kept(wanted: AuditFilter) -> dict[str, str]:
    kept = {"show": "needing" if wanted.needing_only else "", "platform": wanted.platform or ""}
    return {name: value for name, value in kept.items() if value}
