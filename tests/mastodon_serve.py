"""Serves `mastodon_mock`, a third party's stand-in for a Mastodon server. Run by its own Python (.venv-mastodon).

    .venv-mastodon/bin/python tests/mastodon_serve.py PORT

Says `{"ready": true}` once it answers, and ends when its standard input closes. Two things are mended, to be as a real
server is: with the versions of its framework that are installed, 0.6.1 keeps no picture that is uploaded for a profile;
and it lets in whoever is named, asked or not.
"""

from __future__ import annotations

import json
import os
import sys
import threading

import uvicorn
from fastapi import HTTPException, Request
from mastodon_mock.app import create_app
from mastodon_mock.config import MastodonMockConfig
from mastodon_mock.db.models import OAuthToken, Relationship
from mastodon_mock.routers import accounts
from sqlalchemy import select
from starlette.datastructures import UploadFile
from starlette.responses import JSONResponse

accounts.UploadFile = UploadFile  # it looks for a class of the framework's that an upload no longer is


class Announcing(uvicorn.Server):
    async def startup(self, sockets: list[object] | None = None) -> None:
        await super().startup(sockets)
        print(json.dumps({"ready": True}), flush=True)


def build(port: int) -> object:
    config = MastodonMockConfig(domain=f"127.0.0.1:{port}", url_scheme="http")
    config.database.path = ":memory:"
    app = create_app(config)

    @app.middleware("http")
    async def only_who_asked(request: Request, call_next):  # type: ignore[no-untyped-def]
        """A real server answers 404 for a request to follow that is not there."""
        parts = request.url.path.split("/")
        if request.url.path.startswith("/api/v1/follow_requests/") and not asked(app, request, parts[4]):
            return JSONResponse({"error": "Record not found"}, 404)
        return await call_next(request)

    return app


def asked(app, request: Request, requester: str) -> bool:  # type: ignore[no-untyped-def]
    with app.state.session_factory() as session:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        owner = session.scalar(select(OAuthToken.account_id).where(OAuthToken.access_token == token))
        if owner is None or not requester.isdigit():
            raise HTTPException(401)
        wanted = (Relationship.source_account_id == int(requester), Relationship.target_account_id == owner)
        return session.scalar(select(Relationship).where(*wanted, Relationship.requested.is_(True))) is not None


def end_with_parent() -> None:
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=end_with_parent, daemon=True).start()
    number = int(sys.argv[1])
    Announcing(uvicorn.Config(build(number), host="127.0.0.1", port=number, log_level="error")).run()
