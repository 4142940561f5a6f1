"""The web application: one Flask app that serves one school's home, deny by default.

A view declares who may see it with a decorator of web/access.py; one without is refused. Blueprints carry one noun
each and are listed in BLUEPRINTS. Nothing here decides anything: views read, ask an action, and show.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask
from flask_bootstrap import Bootstrap5
from jinja2 import BytecodeCache, StrictUndefined
from werkzeug.routing import IntegerConverter

from socialgov.config import package_folder
from socialgov.home import Home, open_home
from socialgov.web import access, errors, in_hand, navigation, security, words

if TYPE_CHECKING:
    from types import CodeType

    from jinja2.bccache import Bucket

BLUEPRINTS = (
    "signin",
    "confirm",
    "signing_in",
    "signing_in_people",
    "openid",
    "start",
    "demonstration",
    "requests",
    "public_accounts",
    "accounts",
    "decisions",
    "setup",
    "exports",
    "sign_ins",
    "putting_right",
    "deposits",
    "contacts",
    "connections",
    "vault",
    "break_glass",
    "credentials",
    "rotations",
    "lifetime",
    "closing",
    "audit",
    "platforms",
    "log",
    "staff",
    "leavers",
    "people",
    "audience",
    "followers",
    "posts",
    "depictions",
    "handing_over",
)

MB = 1024 * 1024


class Number(IntegerConverter):
    """`<int:…>` in an address, as far as the database counts; beyond that there is nothing to be found."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"max": 2**63 - 1, **kwargs})


class Compiled(BytecodeCache):
    """Templates compiled once in a process, not once a school: several schools are as many applications."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._codes[bucket.key, bucket.checksum] = bucket.code


_COMPILED = Compiled()


def build_app(home: Home | str | Path) -> Flask:
    """The application of one school: an opened Home, or the folder to open.

    Raises ConfigError, StoreError or EscrowError with their mend when the home cannot be served.
    """
    home = home if isinstance(home, Home) else open_home(home)
    app = Flask(
        "socialgov",
        template_folder=str(package_folder("templates")),
        static_folder=str(Path(__file__).parent / "static"),
    )
    app.extensions["socialgov"] = home
    app.url_map.converters["int"] = Number
    app.config.update(
        DEBUG=False,  # whatever the environment says: no debugger, no reloader, no trace on a page
        SECRET_KEY=home.escrow.derive("web.session"),
        MAX_CONTENT_LENGTH=home.settings.policy.upload_max_mb * MB,
        MAX_FORM_MEMORY_SIZE=1 * MB,
        BOOTSTRAP_SERVE_LOCAL=True,
        WTF_CSRF_TIME_LIMIT=None,  # the token lives as long as the session, which has its own time-outs
    )
    app.jinja_env.bytecode_cache = _COMPILED
    app.jinja_env.undefined = StrictUndefined  # a misspelt name is an error in the tests, not a gap on the page
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    Bootstrap5(app)
    words.install(app, home)
    navigation.install(app)
    in_hand.install(app)
    errors.install(app)
    access.install(app)  # before CSRF, so that a signed-out visitor is told to sign in
    security.install(app, home.settings)
    access.install_fresh(app)
    for name in BLUEPRINTS:
        app.register_blueprint(import_module(f"socialgov.web.{name}").bp)
    return app
