"""The stand-in as a web server: who asks, whether that is paid for and not too often, and which call it is."""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from networks import served
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from . import media, problems, reads, writes
from .asking import Ask, check
from .calls import CALLS, WINDOW_SECONDS, Call
from .media import Uploads
from .oauth import Doorkeeper, Grant, TokenRefused
from .pages import Pages
from .words import VOCABULARIES
from .world import User, World

Handler = Callable[["StandIn", Ask], dict[str, Any]]
HANDLERS: dict[str, Handler] = {
    "me": reads.me,
    "users": reads.users,
    "user": reads.user,
    "user_by_name": reads.user_by_name,
    "followers": reads.followers,
    "following": reads.following,
    "liked": reads.liked,
    "timeline": reads.timeline,
    "posts": reads.posts,
    "post": reads.post,
    "create": writes.create,
    "delete": writes.delete,
    "unlike": writes.unlike,
    "unfollow": writes.unfollow,
    "unrepost": writes.unrepost,
    "media_initialize": media.initialize,
    "media_append": media.append,
    "media_finalize": media.finalize,
    "media_status": media.status,
    "media_metadata": media.metadata,
}
_CALLS = {call.name: call for call in CALLS}
_ROUTES = Map([Rule(call.path, endpoint=call.name, methods=[call.method]) for call in CALLS], strict_slashes=True)


@dataclass(frozen=True)
class Asked:
    """One answered request, for a test to look at. No token is kept."""

    call: str
    user_id: str
    query: dict[str, str]
    status: int
    micros: int


class StandIn:
    """A network with its interface. What is set here is what a test, or X itself, would change from outside.

    `not_offered`: call → "client" or "code", the two ways to say that the plan does not have it. `answers_lost`:
    call → how often it is carried out and then answered with a fault of the server's own.
    """

    def __init__(self, clock: Callable[[], datetime], vocabulary: str = "tweet") -> None:
        self.clock = clock
        self.words = VOCABULARIES[vocabulary]
        self.world = World(clock)
        self.doors = Doorkeeper(clock)
        self.uploads = Uploads(self.world)
        self.pages = Pages(self)
        self.url = ""
        self.out_of_credit = False
        self.usage_capped = False
        self.missing_as_404 = False
        self.not_offered: dict[str, str] = {}
        self.answers_lost: dict[str, int] = {}
        self.limits: dict[str, int] = {}  # where a test wants another than X's
        self.asked: list[Asked] = []
        self._windows: dict[tuple[str, str], tuple[float, int]] = {}
        self._page_tokens: dict[str, tuple[str, str, int]] = {}
        self._lock = threading.RLock()

    @property
    def spent_micros(self) -> int:
        return sum(asked.micros for asked in self.asked)

    def calls(self, name: str) -> list[Asked]:
        return [asked for asked in self.asked if asked.call == name]

    def new_window(self) -> None:
        """A quarter of an hour is over: as many may be asked as before."""
        self._windows.clear()

    # ---- pages of a list

    def page_token(self, ask: Ask, start: int) -> str:
        token = secrets.token_hex(8)
        self._page_tokens[token] = (ask.call.name, ask.path["id"], start)
        return token

    def page_at(self, token: str, ask: Ask) -> int:
        """Where it goes on. Raises Problem for a token of another list."""
        name, id, start = self._page_tokens.get(token, ("", "", 0))
        if (name, id) != (ask.call.name, ask.path["id"]):
            why = f"The `pagination_token` query parameter value [{token}] is not valid"
            raise problems.invalid("pagination_token", token, why)
        return start

    # ---- the server

    def __call__(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        with self._lock:
            response = self._answer(request)
        response.headers["Date"] = format_datetime(self.clock(), usegmt=True)
        return response(environ, start_response)

    def _answer(self, request: Request) -> Response:
        if request.path in ("/2/oauth2/token", "/2/oauth2/revoke"):
            return self._oauth(request)
        if not request.path.startswith("/2/"):
            return self.pages.answer(request) or Response("not found", 404, mimetype="text/html")
        try:
            name, path = _ROUTES.bind_to_environ(request.environ).match()
        except HTTPException as error:
            return _json(error.code or 404, problems.plain(error.code or 404, "Not Found").body)
        return self._call(request, _CALLS[name], path)

    def _oauth(self, request: Request) -> Response:
        """Its two endpoints take a form and nothing in the address."""
        name = request.path.rpartition("/")[2]
        basic = request.authorization
        pair = (basic.username or "", basic.password or "") if basic and basic.type == "basic" else None
        form = request.form.to_dict()
        if request.method != "POST" or request.args or request.mimetype != "application/x-www-form-urlencoded":
            return _json(400, {"error": "invalid_request", "error_description": "A form must be posted."})
        try:
            body = (self.doors.token if name == "token" else self.doors.revoke)(form, pair)
        except TokenRefused as error:
            return self._told(name, "", {}, error.status, error.body)
        return self._told(name, "", {}, 200, body)

    def _call(self, request: Request, call: Call, path: dict[str, Any]) -> Response:
        query = request.args.to_dict()
        user_id, headers, micros = "", {}, 0
        try:
            user, scopes, holder = self._who(request)
            user_id = user.id if user else ""
            self._may(call, user, scopes)
            headers = self._count(call, holder)
            if call.scopes - scopes and user is not None:
                raise problems.plain(403, "Forbidden")
            ask = Ask(call, self.words, user, scopes, path, query, *_sent(request))
            if len(request.args) != len(list(request.args.items(multi=True))):
                raise problems.invalid("query", "", "A query parameter is given twice")
            check(ask)
            body, status = HANDLERS[call.name](self, ask), 201 if call.name == "create" else 200
            micros = ask.micros + call.request_micros + call.item_micros * ask.items
        except problems.Problem as problem:
            body, status, headers = problem.body, problem.status, {**headers, **problem.headers}
        return self._told(call.name, user_id, query, status, body, headers=headers, micros=micros)

    def _told(
        self,
        name: str,
        user_id: str,
        query: dict[str, str],
        status: int,
        body: dict[str, Any],
        *,
        headers: dict[str, str] | None = None,
        micros: int = 0,
    ) -> Response:
        """The answer on its way out, which may be lost there."""
        self.asked.append(Asked(name, user_id, query, status, micros))
        if self.answers_lost.get(name, 0):
            self.answers_lost[name] -= 1
            return Response("<html>Over capacity</html>", 503, mimetype="text/html")
        return _json(status, body, headers)

    def _who(self, request: Request) -> tuple[User | None, frozenset[str], str]:
        """Account, scopes, and under whose name it is counted. An app's own token has no account and no scopes."""
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind == "Bearer" and token in self.doors.app_tokens:
            return None, frozenset(), "app"
        grant: Grant | None = self.doors.holder(token) if kind == "Bearer" else None
        user = self.world.user(grant.user_id) if grant else None
        if grant is None or user is None:
            raise problems.unauthorized()
        if user.suspended:
            raise problems.plain(403, "Forbidden", "Your account is suspended.")
        return user, grant.scopes, user.id

    def _may(self, call: Call, user: User | None, scopes: frozenset[str]) -> None:
        if self.out_of_credit:
            raise problems.out_of_credit()
        if self.usage_capped:
            raise problems.usage_capped()
        if call.name in self.not_offered:
            raise problems.not_offered(self.not_offered[call.name])
        if user is None and not call.app:
            raise problems.wrong_kind_of_token()

    def _count(self, call: Call, holder: str) -> dict[str, str]:
        """One more in this quarter of an hour. Raises Problem over the limit; the headers tell either way."""
        now, limit = self.clock().timestamp(), self.limits.get(call.name, call.limit)
        start, used = self._windows.get((holder, call.name), (now, 0))
        if now >= start + WINDOW_SECONDS:
            start, used = now, 0
        headers = {
            "x-rate-limit-limit": str(limit),
            "x-rate-limit-remaining": str(max(0, limit - used - 1)),
            "x-rate-limit-reset": str(int(start) + WINDOW_SECONDS),
            "x-access-level": "read-write",
        }
        if used >= limit:
            raise problems.too_many(headers)
        self._windows[holder, call.name] = (start, used + 1)
        return headers


def _sent(request: Request) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The body: a JSON object, or a form's fields and files. Nothing at all is an empty object."""
    if request.mimetype == "multipart/form-data":
        return request.form.to_dict(), {name: file.read() for name, file in request.files.items()}
    raw = request.get_data()
    if not raw:
        return {}, {}
    if request.method != "POST" or request.mimetype != "application/json":
        raise problems.invalid("body", "", "Requests with bodies must have content-type of application/json.")
    try:
        body = json.loads(raw)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise problems.invalid("body", "", "The body is not a JSON object.")
    return body, {}


def _json(status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    return Response(json.dumps(body), status, headers=headers, mimetype="application/json")


@contextmanager
def standing_in(clock: Callable[[], datetime], vocabulary: str = "tweet") -> Iterator[StandIn]:
    """A stand-in of its own, served on this machine until the block ends."""
    x = StandIn(clock, vocabulary)
    with served(x) as x.url:
        yield x
