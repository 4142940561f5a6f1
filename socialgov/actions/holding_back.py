"""Posts that were held back because the platform was not done with their pictures: tried once more, by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from socialgov.actions.notices import notify
from socialgov.actions.publishing import publish_post
from socialgov.errors import SocialgovError, StoreError
from socialgov.models import PostState
from socialgov.store import posts as store
from socialgov.store.accounts import account_by_id
from socialgov.store.connect import guarded_update, write
from socialgov.store.staff import staff_by_id

if TYPE_CHECKING:
    from datetime import datetime

    from socialgov.home import Home
    from socialgov.models import Post

BEFORE = frozenset({PostState.DRAFT, PostState.WAITING})


def publish_held_back(home: Home, now: datetime) -> int:
    """Publish them for whoever wanted it, once; returns how many are out.

    Every rule is asked anew at that moment, the right to publish too. What does not go out now is its keepers' again,
    who are told.
    """
    out = 0
    for post in store.posts_held_back(home.db, now):
        assert post.again_by is not None
        try:
            publish_post(home, staff_by_id(home.db, post.again_by), post.id, now=now, again=False)
            out += 1
        except StoreError:  # ours to mend: the next pass tries it
            continue
        except SocialgovError:
            if store.post_by_id(home.db, post.id).state in BEFORE:  # else it is out, or is settled by reading
                _give_back(home, post, now)
    return out


def _give_back(home: Home, post: Post, now: datetime) -> None:
    account = account_by_id(home.db, post.account_id)
    name = home.settings.platforms[account.platform].name
    text = (
        f"A post on {account.handle or account.handle_wished} is not out."
        f" {name} was not done with its pictures, and it could not be put out a few minutes later either."
        " Open the post to see what it needs, and publish it again."
    )
    key = f"not-out:{post.id}:{post.version}"
    with write(home.db) as db:
        guarded_update(db, "post", post.id, {"again_by": None, "again_at": None})
        for staff_id in sorted({account.owner_id, account.deputy_id}):
            notify(
                db, staff_id=staff_id, kind="post_not_out", text=text, dedupe_key=key, now=now, account_id=account.id
            )
