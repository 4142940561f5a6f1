"""Cookies, headers and CSRF: the same on every answer, errors included (ASVS 5.0 chapter 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import g
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

if TYPE_CHECKING:
    from flask import Flask, Response

    from socialgov.config import Settings

LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")

# No script is needed for any task (asking for a passkey apart, see allow_script), so none is allowed. `data:` is for
# the small drawings inside Bootstrap's stylesheet (the tick of a checkbox, the arrow of a list).
CONTENT_POLICY = "; ".join(
    (
        "default-src 'none'",
        "object-src 'none'",  # said by default-src already; ASVS 3.4.3 wants it by name
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)

# For the few pages that cannot do without: a passkey is asked for by script (passkey.js), and what is shown is copied
# and hidden again by one (shown.js). Both are our own and lie in web/static; `connect-src` lets them answer here.
WITH_SCRIPT = f"{CONTENT_POLICY}; script-src 'self'; connect-src 'self'"

HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # same-origin, not no-referrer: over https Flask-WTF compares the referrer as a second guard against forged forms
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

YEAR = 365 * 24 * 3600
STATIC_KINDS = ("text/css", "text/javascript", "font/woff2", "image/svg+xml")


def install(app: Flask, settings: Settings) -> None:
    """Set up cookies, trusted hosts and proxies, CSRF and headers."""
    https = settings.secure_cookies
    host = urlsplit(settings.base_url).hostname or "localhost"
    app.config.update(
        SESSION_COOKIE_NAME="__Host-socialgov" if https else "socialgov",
        SESSION_COOKIE_SECURE=https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        TRUSTED_HOSTS=[host, *LOCAL_HOSTS],
    )
    _trust_proxies(app, settings.trusted_proxies)
    CSRFProtect(app)

    @app.after_request
    def add_headers(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if g.get("script") or g.get("form_origins"):
            response.headers["Content-Security-Policy"] = _policy_of_this_answer()
        if https:
            response.headers["Strict-Transport-Security"] = f"max-age={YEAR}; includeSubDomains"
        if not _is_static(response):
            response.headers["Cache-Control"] = "no-store"
        return response


def allow_script() -> None:
    """Let this one answer load a script of web/static. Called by its view; every other answer stays without."""
    g.script = True


def allow_form_to(*origins: str) -> None:
    """Let the forms of this one answer lead to the school's sign-in service: browsers hold its redirect to that too."""
    g.form_origins = origins


def _policy_of_this_answer() -> str:
    policy = WITH_SCRIPT if g.get("script") else CONTENT_POLICY
    return policy.replace("form-action 'self'", " ".join(("form-action 'self'", *g.get("form_origins", ()))))


def _is_static(response: Response) -> bool:
    """Files of our own come with an ETag; every other answer may show something about somebody."""
    return response.mimetype in STATIC_KINDS and response.status_code in (200, 304)


def _trust_proxies(app: Flask, count: int) -> None:
    """Believe the forwarding headers of exactly `count` proxies in front; of none unless the school says so."""
    if count:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]
