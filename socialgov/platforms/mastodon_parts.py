"""What a Mastodon server's answers mean: refusals as errors of ours, posts as words. Asks nothing itself."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from socialgov.names import unescaped
from socialgov.platforms.base import LoginRefused, PlatformError

if TYPE_CHECKING:
    from socialgov.platforms.wire import Reply, Wire

# the server's own words, which it says in English whatever its language (Mastodon's source, Api::ErrorHandling)
_NO_RECORD = frozenset({"Record not found", "Gone"})
_TOO_FEW_SCOPES = "This action is outside the authorized scopes"
CONNECT_AGAIN = "Connect the account again on its page here."


class Absent(PlatformError):
    """There is no such account, post or request, says the server itself."""


class UnknownCall(PlatformError):
    """The server is there and has no such call: too old, or other software that speaks the same way."""


class Unauthorised(LoginRefused):
    """The token is not taken any more, or a stranger was asked to sign in (401)."""


def verdict(wire: Wire, reply: Reply, *, effect: bool) -> None:
    """Raise for what the server refused (4xx); its own words are compared and never shown."""
    status, name = reply.status, wire.name
    if status < 400:
        return
    said = _error_of(reply)
    if said is None and status in (404, 410):  # perhaps a proxy's page, perhaps another server at this address
        raise wire.broken("answered with a page that is not its own")
    if status == 401:
        raise Unauthorised(f"{name} does not let us in with this connection.", CONNECT_AGAIN, of_token=True)
    if status == 403 and said == _TOO_FEW_SCOPES:
        raise LoginRefused(f"{name} was told to let us do less than this.", CONNECT_AGAIN, of_token=True)
    if status in (404, 410) and said in _NO_RECORD:
        raise Absent(f"{name} knows no such thing.", permanent=True, mend="Look at the list again.")
    if status == 404:
        raise UnknownCall(f"{name} does not know how to do this.", permanent=True, mend="A person must do it.")
    if status == 422:
        raise PlatformError(f"{name} does not take this.", permanent=True, mend="Make it shorter, or post it there.")
    mend = "Sign in there and look at what it says about the account." if status == 403 else ""
    raise PlatformError(f"{name} refused ({status}).", permanent=True, mend=mend)


def _error_of(reply: Reply) -> str | None:
    """The `error` of a JSON refusal, "" where it has none; None for what is no such answer."""
    try:
        body = json.loads(reply.content)
    except (ValueError, RecursionError):
        return None
    if not isinstance(body, dict):
        return None
    said = body.get("error")
    return said if isinstance(said, str) else ""


# ---------------------------------------------------------------------------------------------------- answers


def word(told: Any, name: str) -> str:
    """A text or number of an answer as text; "" where there is none. Halves of characters are replaced: no file can
    keep them, and one in a stranger's name must not blind a check."""
    value = told.get(name) if isinstance(told, dict) else None
    if type(value) is str and value.isascii():  # nearly all, and there may be thousands
        return value
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value).encode("utf-8", "replace").decode()


def moment_of(value: Any) -> datetime | None:
    """An aware UTC moment, as the library made it or as the server wrote it."""
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def is_quote(post: Any) -> bool:
    """A post with words of its own that shows another's (Mastodon 4.4)."""
    return isinstance(post, dict) and bool(post.get("quote"))


def is_share(post: Any) -> bool:
    """A repost, or a quote."""
    return isinstance(post, dict) and (bool(post.get("reblog")) or is_quote(post))


def is_reply(post: Any, own_id: str) -> bool:
    """An answer to somebody else. To whom it was is not told when theirs is gone: then it counts."""
    return bool(word(post, "in_reply_to_id")) and word(post, "in_reply_to_account_id") != own_id


# as a browser sees a tag. Python's own parser takes a day over a few megabytes of unclosed ones, and raises over others
_TAG = re.compile(r"(<[/!?a-zA-Z][^<>]*>)")
_NAME = re.compile(r"<(br|p)\b", re.IGNORECASE)


def text_of(content: str) -> str:
    """The words of a post or profile, which a server gives as HTML. What is no HTML comes out as it is.

    Paragraphs are set apart by an empty line, as they were written.
    """
    parts: list[str] = []
    for number, piece in enumerate(_TAG.split(content)):
        if number % 2 == 0:
            parts += [unescaped(piece)] if piece else []
        elif (tag := _NAME.match(piece)) is not None and (parts or tag[1].lower() == "br"):
            parts.append("\n" if tag[1].lower() == "br" else "\n\n")
    return "".join(parts).strip()
