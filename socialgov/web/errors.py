"""Error pages: what is wrong, what mends it, and never a trace."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from flask import current_app, g, render_template, request
from flask_wtf.csrf import CSRFError
from markupsafe import escape
from werkzeug.exceptions import HTTPException, SecurityError

from socialgov.actions.log import record_refusal
from socialgov.errors import NotPermitted, SocialgovError, StepUpNeeded
from socialgov.permissions import can_view_account
from socialgov.traces import without_words

if TYPE_CHECKING:
    from flask import Flask
    from flask.typing import ResponseReturnValue

log = logging.getLogger(__name__)

# HTTP status → heading, message, mend
WORDS = {
    400: ("This request cannot be used", "The page sent something that cannot be read.", "Go back and try again."),
    403: ("You cannot do this", "This page is not open to you.", "Ask the network manager."),
    404: ("Page not found", "There is nothing at this address.", "Start from the home page or look in the register."),
    405: ("This does not work that way", "This address is used by a button.", "Go back and use the button."),
    413: ("The file is too large", "", ""),
    429: ("Too many tries", "There were too many tries from here.", "Wait ten minutes, then try again."),
    500: (
        "Something went wrong on our side",
        "Nothing you had saved is lost.",
        "Try again. If it happens again, tell the network manager what you were doing and at what time.",
    ),
}
HEADINGS = {
    403: "You cannot do this",
    404: "Not found",
    409: "This cannot be done now",
    422: "This cannot be used as it is",
    429: "Too many tries",
    502: "The platform did not answer as it should",
    503: "The service cannot do this now",
}

# not a template: what fills templates with the menu and the names may be what is broken
BARE = """<!doctype html><html lang="en-GB"><title>{heading}</title>
<h1>{heading}</h1><p>{message}</p><p>{mend}</p></html>"""


def install(app: Flask) -> None:
    app.register_error_handler(SocialgovError, socialgov_error)
    app.register_error_handler(CSRFError, forged)
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(Exception, unexpected)


def socialgov_error(error: SocialgovError) -> ResponseReturnValue:
    """Our own errors say what is wrong and what mends it."""
    if isinstance(error, NotPermitted) and not isinstance(error, StepUpNeeded):
        _keep_on_record()
    heading = HEADINGS.get(error.status, "This cannot be done")
    return _page(error.status, heading, error.message, error.mend, findings=getattr(error, "findings", ()))


def _keep_on_record() -> None:
    """A refusal of access goes into the log; that it cannot be written there opens nothing."""
    staff, account = g.get("staff"), g.get("account")
    if staff is None:
        return
    try:
        record_refusal(g.home, staff, str(request.endpoint), account.id if account else None, now=g.now)
    except SocialgovError as error:
        log.error("a refusal could not be kept on record: %s", error)


def forged(_: CSRFError) -> ResponseReturnValue:
    """The form's token does not fit the session: an old page, or a form of another site."""
    return _page(
        400,
        "This page was open too long",
        "Nothing was saved, because the page belongs to an earlier sign-in.",
        "Go back, load the page again and repeat.",
    )


def http_error(error: HTTPException) -> ResponseReturnValue:
    if isinstance(error, SecurityError):  # no address of ours can be built under a host that is not ours
        return "This is not the address of the school's service.", 400
    status = error.code or 500
    if status < 400:
        return error
    heading, message, mend = WORDS.get(status, ("This cannot be done", error.description or "", "Go back."))
    if status == 413:
        megabytes = current_app.config["MAX_CONTENT_LENGTH"] // (1024 * 1024)
        message = f"What you sent is larger than the {megabytes} MB that the school allows, so nothing was saved."
        mend = "Send a smaller picture: a screenshot, or a photo in a lower quality."
    return _page(status, heading, message, mend)


def unexpected(error: Exception) -> ResponseReturnValue:
    """A fault of ours. Where it happened goes to the server's log and not to the reader, its words go nowhere."""
    log.error("fault at %s %s: %s", request.method, request.endpoint, without_words(error))
    return _page(500, *WORDS[500])


def _page(status: int, heading: str, message: str, mend: str, findings: object = ()) -> ResponseReturnValue:
    g.setdefault("staff", None)
    account = g.get("account")  # the page it is about, where the reader may open it
    if account is None or g.staff is None or not can_view_account(g.staff, account):
        account = None
    words = {"heading": heading, "message": message, "mend": mend}
    try:
        html = render_template("error.html", findings=findings, account=account, **words)
    except Exception as error:  # the page around the message needs the database or a known host: say it without them
        log.error("the error page itself failed: %s", without_words(error))
        html = BARE.format(**{name: escape(text) for name, text in words.items()})
    return html, status
