"""Mastodon through Mastodon.py, over our own wire, on whatever server the account is."""

from __future__ import annotations

from socialgov.platforms.base import Platform


class MastodonPlatform(Platform):
    needs_connection = True
