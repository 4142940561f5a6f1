"""X through tweepy, over our own wire. Without a registered client, or before an account is connected, people do it."""

from __future__ import annotations

from socialgov.platforms.base import Platform


class XPlatform(Platform):
    needs_client = True
    needs_connection = True
