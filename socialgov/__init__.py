"""socialgov makes a school's social media policy run. One Flask application serves one school's home."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask

__version__ = "0.3.0"


def create_app(home: str | Path) -> Flask:
    """One application for one school.

    `home` is the school's folder (school.toml, school.db, blobs/). Raises ConfigError, KeyringError or StoreError
    with the mend in the message when the home cannot be served.
    """
    from socialgov.web import build_app  # imported late: `socialgov --help` must not pay for Flask

    return build_app(home)
