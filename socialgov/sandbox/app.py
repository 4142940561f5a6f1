"""The simulated network as a Flask application: pages for people, JSON for programs, one file to keep it in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from flask import Flask, Response, jsonify, request
from flask.typing import ResponseReturnValue
from flask_wtf import CSRFProtect
from werkzeug.exceptions import MethodNotAllowed, NotFound

from socialgov.sandbox import api, pages
from socialgov.sandbox.network import REVERSIBLE_DAYS, Network

# No script at all, nothing from elsewhere, in nobody's frame.
CONTENT_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def create_sandbox(path: str | Path, clock: Callable[[], datetime], *, reversible_days: int = REVERSIBLE_DAYS) -> Flask:
    """The simulated network kept in the file `path`, living by `clock` (aware UTC). May be mounted below any path.

    `app.extensions["network"]` is its Network, for those who fill it.
    """
    app = Flask(__name__)
    network = Network(Path(path), clock, reversible_days=reversible_days)
    app.extensions["network"] = network
    app.config.update(
        SECRET_KEY=network.secret_key(),
        SESSION_COOKIE_NAME="sandbox_session",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_TIME_LIMIT=None,
        MAX_CONTENT_LENGTH=32_000_000,
        MAX_FORM_MEMORY_SIZE=1_000_000,
    )
    CSRFProtect(app).exempt(api.bp)
    app.register_blueprint(api.bp)
    app.register_blueprint(pages.bp)
    app.register_error_handler(NotFound, _nowhere)
    app.register_error_handler(MethodNotAllowed, _nowhere)
    app.after_request(_harden)
    return app


def _nowhere(error: NotFound | MethodNotAllowed) -> ResponseReturnValue:
    """Programs are answered in JSON even where there is no route; people get the page."""
    return (jsonify(error="no_route"), error.code) if request.path.startswith("/api/") else pages.not_here(error)


def _harden(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = CONTENT_POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers.setdefault("Cache-Control", "no-store")
    return response
