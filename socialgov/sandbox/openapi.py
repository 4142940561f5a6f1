"""The JSON interface described as OpenAPI 3.1: what a program may send, and every answer it must be ready for.

Served at /api/openapi.json. tests/platforms/test_sandbox_api.py holds every route of api.py to it with schemathesis.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
NAME: Schema = {"type": "string", "pattern": r"^[a-z0-9]([a-z0-9_.-]{0,38}[a-z0-9])?$", "minLength": 1}
PASSWORD: Schema = {"type": "string", "minLength": 8}
NUMBER: Schema = {"type": "integer", "minimum": 0, "maximum": 2**63 - 1}
CURSOR: Schema = {"type": ["string", "null"]}


def _object(required: tuple[str, ...] = (), **properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(required)}


def _whole(**properties: Schema) -> Schema:
    """An object of an answer: exactly these, all of them."""
    return {**_object(tuple(properties), **properties), "additionalProperties": False}


PICTURE = _object(
    ("content", "mime"),
    content={"type": "string", "contentEncoding": "base64"},
    mime={"enum": ["image/jpeg", "image/png"]},
    alt=TEXT,
)
PROFILE = {
    "id": TEXT,
    "name": TEXT,
    "display_name": TEXT,
    "text": TEXT,
    "private": {"type": "boolean"},
    "has_picture": {"type": "boolean"},
    "presence": {"enum": ["live", "deactivated"]},
}
SCHEMAS: dict[str, Schema] = {
    "Error": _whole(error=TEXT),
    "Done": _whole(done={"const": True}),
    "Session": _whole(id=TEXT, token=TEXT),
    "Account": {**_object(tuple(PROFILE), **PROFILE, email=TEXT), "additionalProperties": False},
    "Post": _whole(
        id=TEXT,
        text=TEXT,
        posted_at={"type": "string", "format": "date-time"},
        reply_to=CURSOR,
        reply_to_account=CURSOR,
        share_of=CURSOR,
        pictures={"type": "array", "items": TEXT},
    ),
    "Posts": _whole(items={"type": "array", "items": {"$ref": "#/components/schemas/Post"}}, cursor=CURSOR),
    "Names": _whole(items={"type": "array", "items": TEXT}, cursor=CURSOR),
    "AppPassword": _whole(name=TEXT, password=TEXT),
    "AppPasswords": _whole(
        items={"type": "array", "items": _whole(name=TEXT, made_at={"type": "string", "format": "date-time"})},
        cursor=CURSOR,
    ),
    "Followers": _whole(
        items={
            "type": "array",
            "items": _whole(id=TEXT, name=TEXT, display_name=TEXT, waiting={"type": "boolean"}),
        },
        cursor=CURSOR,
    ),
}


def _json(schema: str) -> Schema:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}


def _does(summary: str, answer: str, *refusals: int, status: int = 200, body: Schema | None = None) -> Schema:
    """One operation: what it answers, and with which refusals."""
    answers: Schema = {str(status): {"description": "Done.", "content": _json(answer)}}
    answers |= {str(code): {"description": "Refused.", "content": _json("Error")} for code in refusals}
    operation: Schema = {"summary": summary, "responses": answers}
    if body is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return operation


def _picture(summary: str, *refusals: int) -> Schema:
    operation = _does(summary, "Error", *refusals)
    binary = {mime: {"schema": {}} for mime in PICTURE["properties"]["mime"]["enum"]}
    operation["responses"]["200"] = {"description": "The picture.", "content": binary}
    return operation


def _at(inside: dict[str, Schema], **operations: Schema) -> Schema:
    """A path, the parts of it that vary, and what can be done there."""
    parts = [{"name": name, "in": "path", "required": True, "schema": schema} for name, schema in inside.items()]
    return {"parameters": parts, **operations}


def _paged(operation: Schema) -> Schema:
    page = {"name": "cursor", "in": "query", "required": False, "schema": NUMBER}
    return {**operation, "parameters": [page]}


ACCOUNT = "/accounts/{account_id}"
CHANGES = _object(display_name=TEXT, text=TEXT, email=TEXT, private={"type": "boolean"}, picture=PICTURE)
NEW = _object(
    ("name", "password"),
    name=NAME,
    password=PASSWORD,
    email=TEXT,
    display_name=TEXT,
    text=TEXT,
    private={"type": "boolean"},
)
ID: Schema = {"type": "string", "pattern": "^[0-9a-f]{16}$"}
SIGN_IN = _object(("name", "password"), name=TEXT, password=TEXT)
PASSWORDS = _object(("old", "new"), old=TEXT, new=PASSWORD)
KEY = _object(("name",), name={"type": "string", "maxLength": 40})
POST = _object(("text",), text=TEXT, pictures={"type": "array", "items": PICTURE})
PATHS: dict[str, Schema] = {
    "/accounts": {"post": _does("Make an account", "Account", 400, 409, status=201, body=NEW)},
    "/session": {
        "post": _does("Sign in", "Session", 400, 401, body=SIGN_IN),
        "delete": _does("Sign out", "Done"),
    },
    "/sessions": {"delete": _does("Sign out everywhere", "Done", 401)},
    "/access": {"delete": _does("End every session and every app password", "Done", 401)},
    "/names/{name}": _at({"name": TEXT}, get=_does("Look an account up by its name", "Account", 401, 404)),
    ACCOUNT: _at(
        {"account_id": ID},
        get=_does("Look at an account", "Account", 401, 404, 410),
        patch=_does("Change what the profile shows", "Account", 400, 401, 403, body=CHANGES),
    ),
    f"{ACCOUNT}/picture": _at({"account_id": ID}, get=_picture("Its picture", 404)),
    f"{ACCOUNT}/password": _at(
        {"account_id": ID}, post=_does("Change the password", "Done", 400, 401, 403, body=PASSWORDS)
    ),
    f"{ACCOUNT}/app-passwords": _at(
        {"account_id": ID},
        get=_paged(_does("Its app passwords, by name", "AppPasswords", 401, 403)),
        post=_does("Make an app password", "AppPassword", 400, 401, 403, 409, status=201, body=KEY),
    ),
    f"{ACCOUNT}/app-passwords/{{name}}": _at(
        {"account_id": ID, "name": TEXT}, delete=_does("Revoke an app password", "Done", 401, 403)
    ),
    f"{ACCOUNT}/deactivate": _at({"account_id": ID}, post=_does("Hide it, then delete it", "Done", 401, 403)),
    f"{ACCOUNT}/posts": _at(
        {"account_id": ID}, get=_paged(_does("What it posted, newest first", "Posts", 401, 403, 404, 410))
    ),
    f"{ACCOUNT}/posts/{{key}}": _at(
        {"account_id": ID, "key": TEXT},
        put=_does("Post; the same key is the same post", "Post", 400, 401, 403, body=POST),
    ),
    f"{ACCOUNT}/posts/{{number}}": _at(
        {"account_id": ID, "number": NUMBER}, delete=_does("Take a post down", "Done", 401, 403, 404, 405)
    ),
    f"{ACCOUNT}/likes": _at({"account_id": ID}, get=_paged(_does("What it likes", "Names", 401, 403, 404, 410))),
    f"{ACCOUNT}/likes/{{number}}": _at(
        {"account_id": ID, "number": NUMBER},
        put=_does("Like a post", "Done", 401, 403, 404, 410),
        delete=_does("Take a like back", "Done", 401, 403, 404),
    ),
    f"{ACCOUNT}/follows": _at({"account_id": ID}, get=_paged(_does("Whom it follows", "Names", 401, 403, 404, 410))),
    f"{ACCOUNT}/follows/{{other_id}}": _at(
        {"account_id": ID, "other_id": ID},
        put=_does("Follow, or ask to", "Done", 400, 401, 403, 404),
        delete=_does("Follow no more", "Done", 401, 403, 404),
    ),
    f"{ACCOUNT}/followers": _at(
        {"account_id": ID}, get=_paged(_does("Who follows it", "Followers", 401, 403, 404, 410))
    ),
    f"{ACCOUNT}/followers/{{follower_id}}": _at(
        {"account_id": ID, "follower_id": ID}, delete=_does("Remove a follower", "Done", 401, 403, 404)
    ),
    f"{ACCOUNT}/followers/{{follower_id}}/accept": _at(
        {"account_id": ID, "follower_id": ID}, post=_does("Let a follower in", "Done", 401, 403, 404)
    ),
}


def description() -> Schema:
    """The whole document."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "The simulated network", "version": "1"},
        "servers": [{"url": "/api"}],
        "security": [{"token": []}, {}],
        "paths": PATHS,
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }
