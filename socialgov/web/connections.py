"""Connect an account with its platform (OAuth 2), see what that lets this product do, and end it.

It begins with a button (POST) and comes back to one address, the callback that is registered with the platform.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Blueprint, flash, g, redirect, render_template, request, session, url_for

from socialgov.actions.adapters import capabilities_of, not_offered
from socialgov.actions.ceremonies import CeremonyOver
from socialgov.actions.clients import CALLBACK
from socialgov.actions.connections import (
    CONNECTABLE,
    NotConnected,
    begin,
    disconnect,
    finish,
    oauth_for,
    people_go_to,
)
from socialgov.models import Capability
from socialgov.permissions import check_can_connect
from socialgov.platforms import PlatformError, wants_client
from socialgov.store.connections import connection_of
from socialgov.store.staff import staff_names
from socialgov.web.access import may_account, signed_in
from socialgov.web.forms import ButtonForm, saved
from socialgov.web.forms import page as form_page
from socialgov.web.security import allow_form_to
from socialgov.web.words import ago, day_words

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from flask.typing import ResponseReturnValue

    from socialgov.models import Account, Connection

bp = Blueprint("connections", __name__)

ATTEMPT_KEY = "connect"  # this browser's token of the attempt, in the signed cookie; one at a time

# read after "socialgov can"
WORDS: Mapping[Capability, str] = {
    Capability.READ_PROFILE: "see the profile, and whether it is private",
    Capability.READ_POSTS: "see what is posted, also past socialgov",
    Capability.READ_FOLLOWERS: "see who follows",
    Capability.READ_FOLLOWS: "see whom the account follows",
    Capability.READ_LIKES: "see what it likes",
    Capability.READ_SHARES: "see what it reposts and quotes",
    Capability.CHECK_LOGIN: "try whether the deposited login works",
    Capability.MAKE_TOKEN: "have a key of its own made",
    Capability.PUBLISH: "publish the posts that passed every check",
    Capability.DELETE_POST: "take a post down",
    Capability.ACCEPT_FOLLOWER: "accept those whom you accepted here",
    Capability.REMOVE_FOLLOWER: "remove those whom you refused here",
    Capability.CHANGE_PASSWORD: "change the password",
    Capability.REVOKE_ACCESS: "end its own access",
    Capability.DEACTIVATE: "deactivate the account when it is closed",
    Capability.DELETE: "delete the account when it is closed",
    Capability.DELETE_BY_MAILED_CODE: "delete the account with the code that the platform mails",
    Capability.SEE_PRESENCE: "see whether the account is there or gone",
    Capability.SET_PICTURE: "set the school's logo as its picture",
    Capability.SET_PRIVATE: "make it private",
    Capability.UNDO_LIKE: "take back a like",
    Capability.UNDO_FOLLOW: "stop following somebody",
    Capability.UNDO_SHARE: "take back a repost",
}
# what some platforms leave to people
OF_PEOPLE = frozenset(
    {
        Capability.ACCEPT_FOLLOWER,
        Capability.REMOVE_FOLLOWER,
        Capability.SET_PICTURE,
        Capability.SET_PRIVATE,
        Capability.DEACTIVATE,
    }
)


@bp.get("/accounts/<int:account_id>/connection")
@may_account(check_can_connect)
def show(account_id: int) -> ResponseReturnValue:
    """What socialgov may do there, since when, by whose hand; or the button that lets it in."""
    info, oauth = g.home.settings.platforms[g.account.platform], oauth_for(g.home, g.account)
    connection, trouble = connection_of(g.home.db, account_id), ""
    if oauth is not None and g.account.handle:
        try:
            _allow_form(people_go_to(g.home, g.account))
        except PlatformError as error:
            trouble = str(error)
    can = capabilities_of(g.home, g.account) if connection and connection.works else frozenset()
    off = not_offered(g.home, g.account)
    return render_template(
        "connections/show.html",
        account=g.account,
        platform=info,
        oauth=oauth,
        wants_client=wants_client(info),
        connection=connection,
        rows=_rows(connection, many_servers=bool(oauth and oauth.register_path)) if connection else [],
        can=in_words(can),
        not_offered=in_words(off),
        by_people=in_words(OF_PEOPLE - can - off),
        trouble=trouble,
        open=g.account.state in CONNECTABLE,
        form=ButtonForm(),
    )


def _allow_form(address: str) -> None:
    """Browsers hold the redirect that follows a form to the policy of the page with the form."""
    parts = urlsplit(address)
    if parts.scheme and parts.netloc:
        allow_form_to(f"{parts.scheme}://{parts.netloc}")


def in_words(capabilities: Collection[Capability]) -> list[str]:
    return [words for capability, words in WORDS.items() if capability in capabilities]


def _rows(connection: Connection, *, many_servers: bool) -> list[tuple[str, str]]:
    names = staff_names(g.home.db)
    who = names.get(connection.connected_by or 0, "somebody who left")
    rows = [
        ("Connected as", connection.handle),
        ("Since", f"{day_words(g.home.today(connection.connected_at))}, by {who}"),
    ]
    if many_servers:
        rows.append(("Server", urlsplit(connection.server).netloc))
    if connection.renewed_at:
        rows.append(("Key renewed", ago(connection.renewed_at)))
    return rows


@bp.post("/accounts/<int:account_id>/connection")
@may_account(check_can_connect)
def connect(account_id: int) -> ResponseReturnValue:
    """Off to the platform, to confirm there."""
    try:
        begun = begin(g.home, g.staff, account_id, now=g.now)
    except (NotConnected, PlatformError) as error:
        flash(str(error), "warning")
        return redirect(url_for("connections.show", account_id=account_id))
    session[ATTEMPT_KEY] = begun.token
    return redirect(begun.url, 303)


@bp.get(CALLBACK)
@signed_in
def callback() -> ResponseReturnValue:
    """Back from the platform. What it brings counts once, for the person and the browser that left.

    An answer to another attempt, as in a link that somebody else made, leaves this browser's as it is.
    """
    try:
        account: Account = finish(g.home, g.staff, session.get(ATTEMPT_KEY), request.args, now=g.now)
    except CeremonyOver as error:
        flash(str(error), "warning")
        return redirect(url_for("start.page"))
    except NotConnected as error:
        session.pop(ATTEMPT_KEY)
        flash(str(error), "warning")
        return redirect(url_for("connections.show", account_id=error.account_id))
    session.pop(ATTEMPT_KEY)
    name = g.home.settings.platforms[account.platform].name
    flash(f"Connected. From now on socialgov looks at {name} by itself; what people said stays on record.", "success")
    return redirect(url_for("connections.show", account_id=account.id))


@bp.route("/accounts/<int:account_id>/connection/end", methods=["GET", "POST"])
@may_account(check_can_connect)
def end(account_id: int) -> ResponseReturnValue:
    """End it, there and here."""
    info, form, told = g.home.settings.platforms[g.account.platform], ButtonForm(), []
    back = url_for("connections.show", account_id=account_id)
    if saved(form, lambda: told.append(disconnect(g.home, g.staff, account_id, now=g.now))):
        if told[0]:
            flash(f"Disconnected. {info.name} has ended socialgov's access.", "success")
        else:
            flash(
                f"Disconnected here. {info.name} did not answer, so take socialgov away there too:"
                " look for connected apps in its settings.",
                "warning",
            )
        return redirect(back)
    return form_page(
        "form.html",
        form,
        heading=f"Disconnect from {info.name}?",
        caption=g.account.handle,
        lead="Then people look at the account, and post by hand. Nothing that is on record here is lost, and the"
        " account itself is not touched.",
        button="Disconnect",
        button_kind="danger",
        back=back,
    )
