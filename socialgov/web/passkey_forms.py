"""What every page with a passkey shares: the form whose answer web/static/passkey.js fills in, and its challenge.

The script asks for the challenge by POST when the button is pressed, hands it to the browser, puts the answer into
the form and sends it like any other. The challenge's token stays in this browser's cookie.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import Response, flash, g, request, session
from flask_wtf import FlaskForm
from wtforms import HiddenField
from wtforms.validators import DataRequired, Length

from socialgov.actions.factors import passkeys_work
from socialgov.actions.passkeys import LONGEST_ANSWER
from socialgov.web.security import allow_script

if TYPE_CHECKING:
    from socialgov.actions.passkeys import Options

CEREMONY_KEY = "ceremony"  # the challenge's token in the signed cookie; one at a time


class PasskeyForm(FlaskForm):
    """Nothing to fill in: the browser does."""

    answer = HiddenField(validators=[DataRequired(), Length(max=LONGEST_ANSWER)])


def options_answer(options: Options) -> Response:
    """The options as JSON for the script, and the token into the cookie."""
    session[CEREMONY_KEY] = options.token
    return Response(options.json, mimetype="application/json")


def ceremony_token() -> str | None:
    """This browser's, taken out of the cookie: it is good once."""
    return session.pop(CEREMONY_KEY, None)


def passkey_context(*, script: bool = True) -> dict[str, Any]:
    """For a page about passkeys: may one work here, and if not, where. `script`: it has a passkey button.

    Only the host is compared: a proxy that ends https and is not named in school.toml shows us http.
    """
    works = passkeys_work(g.home.settings)
    here = works and request.host == urlsplit(g.home.settings.base_url).netloc.lower()
    if here and script:
        allow_script()
    return {"passkeys_work": works, "passkeys_here": here}


def nothing_came() -> None:
    """The form came without an answer: no script, or the browser's question was closed."""
    flash("The passkey was not used. Try again, or choose another way.", "warning")
