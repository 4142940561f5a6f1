"""tweepy's client as the adapter of X uses it: over our own wire: a token is renewed once, and every call counted.

tweepy is short-lived here (one client for each token) because it is not safe for threads. It never sees an answer that
is no success: the wire's bounds and the meaning of X's refusals are settled below it, in `_judge`.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import requests
import tweepy

from socialgov.platforms.base import LoginRefused, NotOffered, PlatformError, Unreachable
from socialgov.platforms.bridge import WireAdapter, session_over
from socialgov.platforms.wire import Reply, Wire
from socialgov.platforms.x_answers import Problem, Unreadable, at, problem_of

if TYPE_CHECKING:
    from datetime import datetime

    from socialgov.models import Capability
    from socialgov.platforms.base import Access, Meter

Send = Callable[[tweepy.Client], requests.Response]


class Refused(PlatformError):
    """X understood and said no. `problem` is for comparing only."""

    def __init__(self, platform: str, problem: Problem) -> None:
        self.problem = problem
        told, mend = _told(problem)
        super().__init__(f"{platform} {told}.", permanent=True, mend=mend)


class _Unauthorised(PlatformError):
    """401: this token is not accepted. Never leaves this module."""

    def __init__(self) -> None:
        super().__init__("The token is not accepted.", permanent=True)


class XClient:
    """One account's calls for one job. Raises nothing but PlatformError, and never a token in it."""

    def __init__(self, wire: Wire, access: Access, meter: Meter) -> None:
        self.name, self.base = wire.name, wire.base
        self.meter, self._wire, self._access = meter, wire, access
        self._adapter = WireAdapter(wire, self._judge)
        self._session = session_over(self._adapter)
        self._tweepy: tweepy.Client | None = None
        self._serves: Capability | None = None
        self._answered_with_nothing = False
        self.clock: datetime | None = None  # X's own, as of the newest answer

    def ask(
        self, call: str, send: Send, *, serves: Capability, most: int = 1, repeatable: bool = False
    ) -> dict[str, Any]:
        """One call, counted as `call` of the tariff with `most` items at most; the JSON object that it answers with.

        `serves` is what is not offered where X says so. `repeatable`: a lost answer is a failure and no more.
        Raises Refused for an answer that holds `errors` and no data.
        """
        token = self._access.token()
        try:
            return self._counted(call, most, token, send, serves, repeatable)
        except _Unauthorised:
            token = self._access.renew(token)
        try:
            return self._counted(call, most, token, send, serves, repeatable)
        except _Unauthorised:
            self._access.renew(token)  # refused although it is new: that goes on record there, which raises
            raise LoginRefused(
                f"{self._wire.name} does not let socialgov into this account any more.",
                "Connect the account again on its page.",
                of_token=True,
            ) from None

    @contextmanager
    def readable(self, *, effect: bool = False) -> Iterator[None]:
        """What is made of an answer: one of another shape than any we know is broken."""
        try:
            yield
        except Unreadable:
            raise self.broken("answered with something we do not understand", effect=effect) from None

    def broken(self, what: str, *, effect: bool = False) -> PlatformError:
        return self._wire.broken(what, effect=effect)

    def _counted(
        self, call: str, most: int, token: str, send: Send, serves: Capability, repeatable: bool
    ) -> dict[str, Any]:
        """What is not answered at all stays reserved at its dearest: X may have counted it."""
        self.meter.before(call, most)
        self._serves, self._answered_with_nothing = serves, False
        try:
            with _harmless(repeatable), self._adapter.unwrapped(tweepy.TweepyException):
                body = self._body(send(self._client(token)))
        except PlatformError as error:
            if isinstance(error, Unreachable) or (self._answered_with_nothing and not error.outcome_unknown):
                self.meter.after(call, 0)
            raise
        self.meter.after(call, _items(body))
        return body

    def _client(self, token: str) -> tweepy.Client:
        if self._tweepy is None or self._tweepy.bearer_token != token:
            keep_quiet()
            self._tweepy = tweepy.Client(bearer_token=token, return_type=requests.Response, wait_on_rate_limit=False)
            self._tweepy.session = self._session
        return self._tweepy

    def _judge(self, reply: Reply, effect: bool) -> None:
        """Every refusal becomes a PlatformError here, so that tweepy has none to make sense of."""
        self.clock = reply.sent_at or self.clock
        if reply.ok:
            return
        self._answered_with_nothing = reply.status < 500  # after a fault of its own X may have counted it
        problem = problem_of(reply.status, _object(reply.content))
        if reply.status == 429 and problem.capped:
            raise Refused(self._wire.name, problem)
        self._wire.judge(reply, effect=effect)
        if reply.status == 401:
            raise _Unauthorised
        self._refuse(problem)

    def _body(self, response: requests.Response) -> dict[str, Any]:
        """The answer's object; `errors` alone are a refusal, though its status says success."""
        effect = response.request.method != "GET"
        if effect and response.status_code == 204:
            return {}
        body = self._wire.json(Reply(response.status_code, {}, response.content, None), effect=effect)
        if body.get("errors") and not body.get("data"):
            self._answered_with_nothing = True
            self._refuse(problem_of(response.status_code, body))
        return body

    def _refuse(self, problem: Problem) -> None:
        if problem.not_offered and self._serves is not None:
            raise NotOffered(self._wire.name, self._serves)
        raise Refused(self._wire.name, problem)


def keep_quiet() -> None:
    """At DEBUG tweepy logs the Authorization header of every request."""
    for name in ("tweepy", "tweepy.client"):
        logging.getLogger(name).setLevel(logging.INFO)


@contextmanager
def _harmless(repeatable: bool) -> Iterator[None]:
    """Doing it again does no harm, so that the answer was lost is no doubt about what is there."""
    try:
        yield
    except PlatformError as error:
        if repeatable:
            error.outcome_unknown = False
        raise


def _items(body: dict[str, Any]) -> int:
    """What is paid for: what was asked for, and the posts that an expansion brings along."""
    data, brought = body.get("data"), at(body, "includes", "posts")
    asked = len(data) if isinstance(data, list) else 1 if data or not body else 0
    return asked + (len(brought) if isinstance(brought, list) else 0)


def _object(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _told(problem: Problem) -> tuple[str, str]:
    """(what X says, what to do about it), in our own words only: what it sends might repeat a secret."""
    if problem.capped:
        return (
            "says that this month's cap on reading is reached",
            "Raise the cap on the school's developer account there.",
        )
    if problem.suspended:
        return "has suspended the account, which is not deleted by that", "Ask the platform why."
    if problem.missing:
        return "knows no such account or post any more", ""
    if problem.said_already:
        return "takes the same words only once", "Look whether it is out already, or change a word."
    if problem.status == 403 or problem.kinds & {"not-authorized-for-resource", "not-authorized-for-field"}:
        return "does not allow that to us", "Connect the account again, and allow everything that is asked for."
    return f"refused ({problem.status})", ""
