"""Who may open a page: deny by default.

Every view carries one of the decorators below, which only mark it; `guard` runs before each request, refuses a view
without a mark, and sets `g.home`, `g.now`, `g.staff`, `g.session_token` and, where the address has an `account_id`,
`g.account`.
The checks are those of permissions.py, so a page and its action share one answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from flask import current_app, flash, g, redirect, request, session, url_for

from socialgov.actions.sessions import session_staff
from socialgov.actions.stepup import need_fresh
from socialgov.errors import NotFound, NotPermitted
from socialgov.store.accounts import account_by_id
from socialgov.web.in_hand import glass_in_hand

if TYPE_CHECKING:
    from flask import Flask
    from flask.typing import ResponseReturnValue

    from socialgov.home import Home
    from socialgov.models import Account, Policy, Staff

View = TypeVar("View", bound=Callable[..., Any])

PUBLIC_ENDPOINTS = frozenset({"static", "bootstrap.static"})
SESSION_KEY = "session"  # the token's place in the signed cookie; the store keeps only its hash
NEXT_KEY = "next"


@dataclass(frozen=True, slots=True)
class Access:
    """What a view demands. `check` None: anybody (public) or anybody signed in."""

    public: bool = False
    check: Callable[..., None] | None = None
    of_account: bool = False
    with_policy: bool = False
    with_glass: bool = False


def _mark(access: Access) -> Callable[[View], View]:
    def mark(view: View) -> View:
        view.access = access  # type: ignore[attr-defined]
        return view

    return mark


def public(view: View) -> View:
    """Open to everybody, signed in or not."""
    return _mark(Access(public=True))(view)


def signed_in(view: View) -> View:
    """Open to all current staff and governors; what the page shows is still theirs only."""
    return _mark(Access())(view)


def may(check: Callable[..., None], *, glass: bool = False) -> Callable[[View], View]:
    """Open to those for whom `check(staff)` does not raise. Loads `g.account` where the address names one.

    `glass=True`: `check(staff, glass=…)`, whether the vault is open in this session because the glass was broken.
    """
    return _mark(Access(check=check, with_glass=glass))


def may_account(check: Callable[..., None], *, policy: bool = False) -> Callable[[View], View]:
    """Open to those for whom `check(staff, account)` does not raise; `policy=True`: `check(staff, account, policy)`.

    The address must have `<int:account_id>`.
    """
    return _mark(Access(check=check, of_account=True, with_policy=policy))


def fresh(view: View) -> View:
    """Open only to those who showed lately who they are (ASVS 7.5.1); the others confirm first and come back.

    Stands beside one of the marks above, in either order. A GET is asked too, so that nobody fills in a form in vain;
    a form that was open too long is kept for them (see `fresh_keeping`) and sent on after the confirmation.
    """
    return fresh_keeping()(view)


def fresh_for_vault(view: View) -> View:
    """`fresh`, and an authenticator code is not enough where passkeys work (actions/stepup.py)."""
    return fresh_keeping(for_vault=True)(view)


def fresh_keeping(*fields: str, for_vault: bool = False) -> Callable[[View], View]:
    """`fresh`, and these fields of an interrupted form are kept until it goes on. Never name a field with a secret."""

    def mark(view: View) -> View:
        view.fresh, view.fresh_for_vault = frozenset(fields), for_vault  # type: ignore[attr-defined]
        return view

    return mark


def keeping(*fields: str) -> Callable[[View], View]:
    """These fields of a form are kept where the vault was shut meanwhile. Never name a field with a secret.

    `owner_*` stands for all whose names begin so.
    """

    def mark(view: View) -> View:
        view.keeps = frozenset(fields)  # type: ignore[attr-defined]
        return view

    return mark


def interrupted_fields(view: Callable[..., Any] | None) -> frozenset[str]:
    """What is kept of a form that was sent too late, whatever for (see `fresh_keeping` and `keeping`)."""
    return (kept_fields(view) or frozenset()) | getattr(view, "keeps", frozenset())


def kept_fields(view: Callable[..., Any] | None) -> frozenset[str] | None:
    """The fields that a `fresh` view keeps, or None for a view that asks for no confirmation."""
    return getattr(view, "fresh", None)


def access_of(view: Callable[..., Any] | None) -> Access | None:
    """The view's mark, or None: then nobody gets in."""
    return getattr(view, "access", None)


def install(app: Flask) -> None:
    """Before anything else, so that a signed-out visitor is told to sign in."""
    app.before_request(guard)


def install_fresh(app: Flask) -> None:
    """After the check for forged forms (web/security.py)."""
    app.before_request(ask_fresh)


def guard() -> ResponseReturnValue | None:
    """Let the request through, send the visitor to sign in, or raise NotPermitted or NotFound."""
    if request.endpoint in PUBLIC_ENDPOINTS:
        return None
    home: Home = current_app.extensions["socialgov"]
    home.refresh()
    g.home, g.now = home, home.now()
    token = session.get(SESSION_KEY)
    g.staff = session_staff(home, token, now=g.now) if token else None
    g.session_token = token if g.staff else None
    if request.endpoint is None:
        return None  # no such page: the error page says so, with the menu of whoever is signed in
    access = access_of(current_app.view_functions.get(request.endpoint))
    if access is None:
        raise NotPermitted("Nobody has said who may open this page, so nobody may.", "Tell the network manager.")
    if access.public:
        return None
    if g.staff is None:
        return _to_signin(token)
    _check(access)
    return None


def ask_fresh() -> None:
    """Raise StepUpNeeded before a `fresh` view. After the check for forged forms: only our own forms are kept."""
    view = current_app.view_functions.get(request.endpoint or "")
    if kept_fields(view) is not None:
        need_fresh(g.home, g.session_token, now=g.now, for_vault=view.fresh_for_vault)  # type: ignore[union-attr]


def _to_signin(token: str | None) -> ResponseReturnValue:
    session.pop(SESSION_KEY, None)
    if token:
        flash("You were signed out because you were away for a while. Nothing you had saved is lost.", "info")
    if request.method == "GET" and request.endpoint != "start.page":
        session[NEXT_KEY] = request.full_path.removesuffix("?")
    return redirect(url_for("signin.page"))


def _check(access: Access) -> None:
    account_id = (request.view_args or {}).get("account_id")
    if account_id is not None:
        g.account = account_by_id(g.home.db, account_id)
    elif access.of_account:
        raise NotFound("This page belongs to an account, and none was named.", "Look in the register.")
    _ask(access, g.staff, g.get("account"), g.home.settings.policy)


def _ask(access: Access, staff: Staff, account: Account | None, policy: Policy) -> None:
    if access.check is None:
        return
    if access.with_glass:
        access.check(staff, glass=glass_in_hand() is not None)
    elif access.with_policy:
        access.check(staff, account, policy)
    elif access.of_account:
        access.check(staff, account)
    else:
        access.check(staff)


def may_open(endpoint: str, staff: Staff, account: Account | None = None) -> bool:
    """Would `guard` let this person open the page? False for a page that does not exist."""
    access = access_of(current_app.view_functions.get(endpoint))
    if access is None:
        return False
    try:
        _ask(access, staff, account, current_app.extensions["socialgov"].settings.policy)
    except NotPermitted:
        return False
    return True
