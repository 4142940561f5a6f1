"""A browser in words, from what it says of itself: enough for its owner to know it again, and no more is kept."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from socialgov.actions.sessions import Visitor

if TYPE_CHECKING:
    from flask import Request

# the first that fits: each of these also calls itself by the names below it
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox|FxiOS", "Firefox"),
    ("Chrome|CriOS|Chromium", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "Chromebook"),
    ("Windows", "Windows"),
    ("Macintosh|Mac OS", "Mac"),
    ("Linux", "Linux"),
)


def browser_words(agent: str) -> str:
    """`Firefox on Windows`, or what is known of it."""
    browser = next((words for pattern, words in BROWSERS if re.search(pattern, agent)), "")
    system = next((words for pattern, words in SYSTEMS if re.search(pattern, agent)), "")
    if browser and system:
        return f"{browser} on {system}"
    return browser or system or "Another program"


def visitor_of(request: Request) -> Visitor:
    """Where this request comes from."""
    return Visitor(address_of(request), browser_words(request.user_agent.string))


def address_of(request: Request) -> str:
    return request.remote_addr or "unknown"
