"""What people see in a browser: the question whether an app may come in, and a profile as strangers see it."""

from __future__ import annotations

import secrets
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from .oauth import Wish
from .reads import NO_PICTURE
from .world import User, shown_picture

if TYPE_CHECKING:
    from .app import StandIn

COOKIE = "x_standin_session"
SMALL = 48
_NOBODY = bytes.fromhex("89504e470d0a1a0a")  # what it serves where somebody has no picture is not looked at


class Pages:
    """`signed_in`: session → account."""

    def __init__(self, x: StandIn) -> None:
        self.x = x
        self._signed_in: dict[str, str] = {}

    def answer(self, request: Request) -> Response | None:
        """None: there is no such page."""
        if request.path == "/i/oauth2/authorize":
            return self._authorize(request)
        if request.path == "/i/oauth2/sign-in" and request.method == "POST":
            return self._sign_in(request)
        if request.path == NO_PICTURE:
            return Response(_NOBODY, mimetype="image/png")
        if request.path.startswith("/profile_images/"):
            return self._picture(request.path)
        if request.method == "GET" and request.path.count("/") == 1:
            return self._profile(request.path[1:])
        return None

    def _authorize(self, request: Request) -> Response:
        asked = (request.form if request.method == "POST" else request.args).to_dict()
        answer = asked.pop("answer", "")
        try:
            wish = self.x.doors.wish(asked)
        except ValueError as error:
            text = f"<h1>Something went wrong</h1><p>You weren’t able to give access to the App: {error}.</p>"
            return _page(text, status=400)
        user = self._of(request)
        if user is None:
            return _page(_sign_in_form(asked))
        if request.method == "POST":
            return redirect(self._back(wish, user, allowed=answer == "allow"), 302)
        return _page(_question(wish, user, asked))

    def _back(self, wish: Wish, user: User, *, allowed: bool) -> str:
        told = {"code": self.x.doors.code(wish, user.id)} if allowed else {"error": "access_denied"}
        joint = "&" if "?" in wish.redirect_uri else "?"
        return wish.redirect_uri + joint + urlencode({"state": wish.state, **told})

    def _sign_in(self, request: Request) -> Response:
        asked = request.form.to_dict()
        username, password = asked.pop("username", ""), asked.pop("password", "")
        user = self.x.world.sign_in(username, password)
        if user is None:
            return _page("<p>Wrong name or password.</p>" + _sign_in_form(asked))
        session = secrets.token_urlsafe(24)
        self._signed_in[session] = user.id
        response = redirect(f"/i/oauth2/authorize?{urlencode(asked)}", 303)
        response.set_cookie(COOKIE, session, httponly=True)
        return response

    def _of(self, request: Request) -> User | None:
        id = self._signed_in.get(request.cookies.get(COOKIE, ""), "")
        user = self.x.world.user(id)
        return None if user is None or user.suspended else user

    def _profile(self, username: str) -> Response:
        """Signed out."""
        user = self.x.world.named(username)
        if user is None or user.deactivated_at is not None:
            return _page("<h1>This account doesn’t exist</h1>", status=404)
        if user.suspended:
            return _page("<h1>Account suspended</h1>")
        head = f"<h1>{escape(user.name)} @{escape(user.username)}</h1><p>{escape(user.description)}</p>"
        if user.protected:
            return _page(f"{head}<p>These posts are protected.</p>")
        return _page(head + "".join(f"<p>{escape(post.text)}</p>" for post in self.x.world.posts_of(user)))

    def _picture(self, path: str) -> Response:
        parts = path.split("/")
        user = self.x.world.users.get(parts[2]) if len(parts) == 4 else None
        if user is None or user.picture is None:
            return Response("not found", 404)
        mime = "image/png" if user.picture.startswith(b"\x89PNG") else "image/jpeg"
        return Response(shown_picture(user.picture, mime, SMALL if "_normal." in path else None), mimetype=mime)


def _sign_in_form(asked: dict[str, str]) -> str:
    return (
        '<h1>Sign in to X</h1><form method="post" action="/i/oauth2/sign-in">'
        f'{_hidden(asked)}<label for="u">Username</label><input id="u" name="username">'
        '<label for="p">Password</label><input id="p" name="password" type="password">'
        "<button>Sign in</button></form>"
    )


def _question(wish: Wish, user: User, asked: dict[str, str]) -> str:
    wants = "".join(f"<li>{escape(scope)}</li>" for scope in sorted(wish.scopes))
    return (
        f"<h1>An app wants to access your X account @{escape(user.username)}</h1><ul>{wants}</ul>"
        f'<form method="post" action="/i/oauth2/authorize">{_hidden(asked)}'
        '<button name="answer" value="allow">Authorize app</button>'
        '<button name="answer" value="no">Cancel</button></form>'
    )


def _hidden(asked: dict[str, str]) -> str:
    return "".join(f'<input type="hidden" name="{escape(k)}" value="{escape(v)}">' for k, v in asked.items())


def _page(text: str, status: int = 200) -> Response:
    return Response(f"<!doctype html><title>X (a stand-in)</title>{text}", status, mimetype="text/html")
