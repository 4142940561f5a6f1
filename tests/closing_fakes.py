"""A platform that deletes with a mailed code, kept in one file so that it outlives a killed process; it records.

Like Bluesky it wants the account's password for what ends an account; unlike it, a key changes the password.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from networks import INFO

from socialgov import platforms
from socialgov.models import Capability, PlatformInfo, Presence
from socialgov.platforms import Platform, PlatformError, RemotePost

MAILED = "mailed"


def _pass_by() -> None:
    """Nobody watches."""


crossing: Callable[[], None] = _pass_by  # called before and after each deed; killing.py puts its own here


def arrange(path: Path, **state: Any) -> PlatformInfo:
    """A network in `path` with one account that has two posts; the platform's data, whose api_base names the file."""
    start = {"presence": "live", "posts": ["1", "2"], "password": "", "token": "", "codes": [], "deeds": [], **state}
    path.write_text(json.dumps(start))
    platforms.ADAPTERS[MAILED] = ("closing_fakes", "MailedCodePlatform")
    return replace(INFO, key="sandbox", adapter=MAILED, api_base=str(path), deletion_delay_days=0)


def change(info: PlatformInfo, **state: Any) -> None:
    """Somebody changes something over there."""
    path = Path(info.api_base or "")
    path.write_text(json.dumps({**json.loads(path.read_text()), **state}))


def deeds(info: PlatformInfo) -> list[str]:
    """What had an effect there, in order."""
    return json.loads(Path(info.api_base or "").read_text())["deeds"]


class MailedCodePlatform(Platform):
    capabilities = frozenset(
        {
            Capability.READ_POSTS,
            Capability.CHECK_LOGIN,
            Capability.DELETE_POST,
            Capability.CHANGE_PASSWORD,
            Capability.REVOKE_ACCESS,
            Capability.DEACTIVATE,
            Capability.DELETE_BY_MAILED_CODE,
            Capability.SEE_PRESENCE,
            Capability.MAKE_TOKEN,
        }
    )
    needs_password = frozenset({Capability.MAKE_TOKEN, Capability.DEACTIVATE, Capability.DELETE_BY_MAILED_CODE})

    @contextmanager
    def _network(self, deed: str | None = None):
        path = Path(self.info.api_base or "")
        state = json.loads(path.read_text())
        yield state
        if deed:
            crossing()
            state["deeds"].append(deed)
            beside = path.with_suffix(".new")
            beside.write_text(json.dumps(state))
            beside.replace(path)
            crossing()

    def _opens(self, state: dict[str, Any]) -> bool:
        if self.login is None:
            return False
        return self.login.secret == (state["token"] if self.login.is_token else state["password"])

    def _signed_in(self, state: dict[str, Any], need: Capability | None = None) -> None:
        if not self._opens(state):
            raise self._refused_login()
        if need is not None:
            self._need_password(need)

    def make_token(self, name: str) -> str:
        with self._network("make token") as state:
            self._signed_in(state, Capability.MAKE_TOKEN)
            state["token"] = secrets.token_hex(12)
        return state["token"]

    def end_token(self, name: str) -> None:
        with self._network("end token") as state:
            self._signed_in(state)
            state["token"] = ""

    def presence(self) -> Presence:
        with self._network() as state:
            return Presence(state["presence"])

    def posts(self) -> list[RemotePost]:
        with self._network() as state:
            return [RemotePost(one, "text", None) for one in state["posts"]]

    def conversations(self) -> list[str]:
        return []

    def check_login(self) -> bool:
        with self._network() as state:
            return self._opens(state)

    def delete_post(self, remote_id: str) -> None:
        with self._network() as state:
            there = remote_id in state["posts"]
        if there:
            with self._network(f"delete post {remote_id}") as state:
                self._signed_in(state)
                state["posts"].remove(remote_id)

    def change_password(self, new_secret: str) -> None:
        with self._network("change password") as state:
            self._signed_in(state)
            state["password"] = new_secret

    def revoke_access(self) -> None:
        with self._network("revoke") as state:
            self._signed_in(state)
            state["token"] = ""

    def deactivate(self) -> None:
        with self._network("deactivate") as state:
            self._signed_in(state, Capability.DEACTIVATE)
            state["presence"] = "deactivated"

    def ask_deletion_code(self) -> None:
        with self._network("mail code") as state:
            self._signed_in(state, Capability.DELETE_BY_MAILED_CODE)
            state["codes"].append(f"CODE-{len(state['codes']) + 1}")

    def delete(self, code: str | None = None) -> None:
        if self.presence() is Presence.GONE:
            return
        with self._network() as state:
            if not state["codes"] or code != state["codes"][-1]:
                raise PlatformError("That is not the code that was mailed.", permanent=True)
        with self._network("delete") as state:
            self._signed_in(state, Capability.DELETE_BY_MAILED_CODE)
            state["presence"] = "gone"
