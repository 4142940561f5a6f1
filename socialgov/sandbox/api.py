"""The simulated network's JSON interface. Signed in by bearer token only, never by cookie, so nothing can be forged.

Every refusal is `{"error": word}`. Lists come in pages: `items`, and `cursor` while there are more.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, request

from socialgov.sandbox.keys import Keys
from socialgov.sandbox.network import Member, Network, NetworkError, Shot
from socialgov.sandbox.openapi import description
from socialgov.sandbox.wall import Entry, Wall

bp = Blueprint("api", __name__, url_prefix="/api")
PAGE = 50
LARGEST = 2**63 - 1  # what the database can count to


def _network() -> Network:
    return current_app.extensions["network"]  # type: ignore[no-any-return]


def _wall() -> Wall:
    return Wall(_network())


def _keys() -> Keys:
    return Keys(_network())


def _body() -> dict[str, Any]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise NetworkError("bad_request", "Send a JSON object.")
    return body


def _string(body: dict[str, Any], name: str, default: str | None = None) -> str:
    value = body.get(name, default)
    if not isinstance(value, str):
        raise NetworkError("bad_request", f"`{name}` must be a text.")
    return value


def _cursor() -> int | None:
    """Where the page begins; what is no number that we gave out begins at the beginning."""
    number = request.args.get("cursor", type=int)
    return number if number is not None and 0 <= number <= LARGEST else None


def _post(number: int) -> int:
    if number > LARGEST:
        raise NetworkError("no_post", "There is no such post.", 404)
    return number


def _token() -> str:
    return request.headers.get("Authorization", "").removeprefix("Bearer ").strip()


def _viewer() -> Member | None:
    """Who asks; None for the public. A token that is not ours is refused rather than taken for the public."""
    token = _token()
    if not token:
        return None
    member = _network().token_member(token)
    if member is None:
        raise NetworkError("sign_in", "Sign in again.", 401)
    return member


def _me() -> Member:
    viewer = _viewer()
    if viewer is None:
        raise NetworkError("sign_in", "Sign in first.", 401)
    return viewer


def _seen(account_id: str) -> Member:
    owner = _network().member(account_id)
    _network().check_can_see(_viewer(), owner)
    return owner


def _own(account_id: str) -> Member:
    me = _me()
    if me.id != account_id:
        raise NetworkError("not_yours", "That is another account.", 403)
    return me


def _public(member: Member) -> dict[str, Any]:
    """The public face: told to everybody, private account or not."""
    viewer = _viewer()
    shown: dict[str, Any] = {
        "id": member.id,
        "name": member.name,
        "display_name": member.display_name,
        "text": member.text,
        "private": member.private,
        "has_picture": member.has_picture,
        "presence": "live" if member.active else "deactivated",
    }
    if viewer is not None and viewer.id == member.id:
        shown["email"] = member.email
    return shown


@bp.errorhandler(NetworkError)
def refused(error: NetworkError) -> tuple[Response, int]:
    return jsonify(error=error.word), error.status


@bp.get("/openapi.json")
def openapi() -> Response:
    return jsonify(description())


@bp.post("/accounts")
def create_account() -> tuple[Response, int]:
    body = _body()
    member = _network().create_account(
        _string(body, "name"),
        _string(body, "password"),
        email=_string(body, "email", ""),
        display_name=_string(body, "display_name", ""),
        text=_string(body, "text", ""),
        private=body.get("private") is True,
    )
    return jsonify(_public(member)), 201


@bp.post("/session")
def sign_in() -> Response:
    """With the account's own password, or with an app password."""
    network, body = _network(), _body()
    name, password = _string(body, "name"), _string(body, "password")
    try:
        token = _keys().sign_in(name, password)
    except NetworkError:
        token = network.make_token(network.sign_in(name, password))
    member = network.token_member(token)
    return jsonify(id=member.id if member else None, token=token)


@bp.delete("/session")
def sign_out() -> Response:
    _network().end_token(_token())
    return jsonify(done=True)


@bp.delete("/sessions")
def sign_out_everywhere() -> Response:
    _network().end_all_sessions(_me())
    return jsonify(done=True)


@bp.delete("/access")
def revoke_all() -> Response:
    """Nobody stays signed in, by browser, program or app password."""
    _keys().revoke_all(_me())
    return jsonify(done=True)


@bp.get("/accounts/<account_id>/app-passwords")
def app_passwords(account_id: str) -> Response:
    return _page([{"name": key.name, "made_at": key.made_at.isoformat()} for key in _keys().of(_own(account_id))])


@bp.post("/accounts/<account_id>/app-passwords")
def make_app_password(account_id: str) -> tuple[Response, int]:
    me, name = _own(account_id), _string(_body(), "name")
    if _keys().is_app_session(_token()):
        raise NetworkError("needs_password", "An app password cannot make another one.", 403)
    return jsonify(name=name, password=_keys().make(me, name)), 201


@bp.delete("/accounts/<account_id>/app-passwords/<path:name>")
def revoke_app_password(account_id: str, name: str) -> Response:
    _keys().revoke(_own(account_id), name)
    return jsonify(done=True)


@bp.get("/names/<name>")
def by_name(name: str) -> Response:
    return jsonify(_public(_network().named(name)))


@bp.get("/accounts/<account_id>")
def by_id(account_id: str) -> Response:
    member = _network().member(account_id)
    if member.deleted_at is not None:
        raise NetworkError("gone", "This account was deleted.", 410)
    return jsonify(_public(member))


@bp.get("/accounts/<account_id>/picture")
def picture(account_id: str) -> Response:
    shot = _network().picture(_network().member(account_id))
    if shot is None:
        raise NetworkError("no_picture", "It has no picture.", 404)
    return Response(shot.content, mimetype=shot.mime)


@bp.patch("/accounts/<account_id>")
def change_profile(account_id: str) -> Response:
    me, body = _own(account_id), _body()
    private = body.get("private")
    _network().change_profile(
        me,
        display_name=_string(body, "display_name") if "display_name" in body else None,
        text=_string(body, "text") if "text" in body else None,
        email=_string(body, "email") if "email" in body else None,
        private=private if isinstance(private, bool) else None,
        picture=_shot(body["picture"]) if "picture" in body else None,
    )
    return jsonify(_public(_network().member(me.id)))


@bp.post("/accounts/<account_id>/password")
def change_password(account_id: str) -> Response:
    """An app password sets a new one without the old one (keys.py)."""
    me, body = _own(account_id), _body()
    if _keys().is_app_session(_token()):
        _network().set_password(me, _string(body, "new"))
    else:
        _network().change_password(me, _string(body, "old"), _string(body, "new"))
    return jsonify(done=True)


@bp.post("/accounts/<account_id>/deactivate")
def deactivate(account_id: str) -> Response:
    _network().deactivate(_own(account_id))
    return jsonify(done=True)


@bp.get("/accounts/<account_id>/posts")
def posts(account_id: str) -> Response:
    owner = _seen(account_id)
    before = _cursor()
    entries = _wall().entries(owner, before=before, limit=PAGE)
    cursor = str(entries[-1].id) if len(entries) == PAGE else None
    return jsonify(items=[_entry(entry) for entry in entries], cursor=cursor)


@bp.put("/accounts/<account_id>/posts/<path:key>")
def publish(account_id: str, key: str) -> Response:
    """The same key again is the same post: a repeated request publishes nothing twice."""
    me, body = _own(account_id), _body()
    shots = body.get("pictures", [])
    if not isinstance(shots, list):
        raise NetworkError("bad_request", "`pictures` must be a list.")
    number = _wall().publish(me, _string(body, "text"), [_shot(shot) for shot in shots], key=key)
    return jsonify(_entry(_wall().entry(number)))


@bp.delete("/accounts/<account_id>/posts/<int:number>")
def remove(account_id: str, number: int) -> Response:
    _wall().remove(_own(account_id), _post(number))
    return jsonify(done=True)


@bp.get("/accounts/<account_id>/likes")
def likes(account_id: str) -> Response:
    return _page([str(number) for number in _wall().likes(_seen(account_id))])


@bp.get("/accounts/<account_id>/follows")
def follows(account_id: str) -> Response:
    return _page(_network().follows(_seen(account_id)))


@bp.get("/accounts/<account_id>/followers")
def followers(account_id: str) -> Response:
    """Accepted ones for whoever may see the account, those who wait for its owner too."""
    owner, viewer = _seen(account_id), _viewer()
    own = viewer is not None and viewer.id == owner.id
    found = [
        {"id": member.id, "name": member.name, "display_name": member.display_name, "waiting": not accepted}
        for member, accepted in _network().followers(owner)
        if accepted or own
    ]
    return _page(found)


@bp.post("/accounts/<account_id>/followers/<follower_id>/accept")
def accept(account_id: str, follower_id: str) -> Response:
    _network().accept(_own(account_id), follower_id)
    return jsonify(done=True)


@bp.delete("/accounts/<account_id>/followers/<follower_id>")
def remove_follower(account_id: str, follower_id: str) -> Response:
    me = _own(account_id)
    _network().unfollow(_network().member(follower_id), me)
    return jsonify(done=True)


@bp.put("/accounts/<account_id>/follows/<other_id>")
def follow(account_id: str, other_id: str) -> Response:
    _network().follow(_own(account_id), _network().member(other_id))
    return jsonify(done=True)


@bp.delete("/accounts/<account_id>/follows/<other_id>")
def unfollow(account_id: str, other_id: str) -> Response:
    _network().unfollow(_own(account_id), _network().member(other_id))
    return jsonify(done=True)


@bp.put("/accounts/<account_id>/likes/<int:number>")
def like(account_id: str, number: int) -> Response:
    me = _own(account_id)
    _network().check_can_see(me, _network().member(_wall().entry(_post(number)).account_id))
    _wall().like(me, number)
    return jsonify(done=True)


@bp.delete("/accounts/<account_id>/likes/<int:number>")
def unlike(account_id: str, number: int) -> Response:
    _wall().unlike(_own(account_id), _post(number))
    return jsonify(done=True)


def _page(items: list[Any]) -> Response:
    start = _cursor() or 0
    end = start + PAGE
    return jsonify(items=items[start:end], cursor=str(end) if end < len(items) else None)


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "id": str(entry.id),
        "text": entry.text,
        "posted_at": entry.posted_at.isoformat(),
        "reply_to": None if entry.reply_to is None else str(entry.reply_to),
        "reply_to_account": entry.reply_to_account,
        "share_of": None if entry.share_of is None else str(entry.share_of),
        "pictures": [alt for _, alt in entry.pictures],
    }


def _shot(value: Any) -> Shot:
    if not isinstance(value, dict):
        raise NetworkError("bad_request", "A picture is an object.")
    try:
        content = base64.b64decode(_string(value, "content"), validate=True)
    except (binascii.Error, ValueError):
        raise NetworkError("bad_picture", "A picture's content is base64.") from None
    return Shot(content, _string(value, "mime"), _string(value, "alt", ""))
