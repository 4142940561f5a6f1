"""Out and down again: publish a post, settle what became of it, hand it over where a person must post, take it down.

1. The gate is asked at the last moment, and in the same transaction the post is claimed as PUBLISHING.
2. The platform is asked outside any transaction, with a key by which it never publishes the same thing twice.
3. The answer is written. A clear refusal frees the claim. A lost answer leaves it, and `settle_publishing` reads the
   account to learn what happened: it never asks again blindly.
A crash between any two of these leaves a claimed post, which is the case of the lost answer. Where the account cannot
be read, a person looks and says what became of it.
"""

from __future__ import annotations

import hashlib
import threading
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from socialgov import platforms
from socialgov.actions.adapters import adapter_of, capabilities_of, note_refusal
from socialgov.actions.blobs import read_blob, save_blob
from socialgov.actions.evidence import POST_EVIDENCE
from socialgov.actions.post_changes import own_post, record_post, refuse_unless_open
from socialgov.actions.spending import may_be_asked, too_much_in_doubt
from socialgov.actions.unsealing import machine_login
from socialgov.errors import Conflict, InvalidInput, SocialgovError
from socialgov.models import Capability, PostState
from socialgov.permissions import check_can_post, check_can_set_up
from socialgov.pictures import image_mime
from socialgov.platforms import NotReady, PlatformError
from socialgov.platforms.hurry import within
from socialgov.store import posts as store
from socialgov.store.accounts import account_by_id
from socialgov.store.connect import guarded_update, write
from socialgov.store.events import EventTag

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlite_utils import Database

    from socialgov.home import Home
    from socialgov.models import Account, Media, Post, Staff
    from socialgov.platforms import Picture, Platform, RemotePost

PUBLISH_SECONDS = 50.0  # no request that could put a post out leaves later than that: somebody's page waits for it
LONGEST_WAIT = 10.0  # seconds of that, in which a platform may work on the pictures
SETTLE_AFTER = timedelta(minutes=5)  # well over PUBLISH_SECONDS and what the wire waits for the last answer
AGAIN_AFTER = timedelta(minutes=5)  # by then the platform is done with a picture, or never will be
FIND_OUT_AFTER = timedelta(hours=2)  # so long the machine tries alone
CLOCKS_DIFFER = timedelta(minutes=10)  # between us and a platform


def can_publish(home: Home, account: Account) -> bool:
    """Does the platform take posts from us? Where not, a person posts what was handed over."""
    return Capability.PUBLISH in capabilities_of(home, account)


def publish_post(home: Home, actor: Staff, post_id: int, *, now: datetime, again: bool = True) -> Post:
    """Put the post out. Raises GateRefused with what is missing, PlatformError when the platform did not take it.

    When the answer is lost the post stays PUBLISHING, and PlatformError says so (`outcome_unknown`). While the platform
    works on its pictures (NotReady) it is not out, and with `again` it is tried once more (`publish_held_back`).
    """
    post = own_post(home, actor, post_id)
    account = account_by_id(home.db, post.account_id)
    if not can_publish(home, account):
        raise Conflict("This platform takes no posts from here.", "Have the post handed over, and post it yourself.")
    pictures = [_picture(home, photo) for photo in store.media_of(home.db, post_id)]
    post = _claim(home, actor, post, now)
    login = machine_login(home, account.id, purpose="publish", now=now)
    adapter = adapter_of(home, account, login, now=now)
    try:
        with within(PUBLISH_SECONDS):
            remote_id = _put_out(adapter, post, pictures, _key(home, post))
    except PlatformError as error:
        note_refusal(home, account.id, error, now=now)
        if not error.outcome_unknown:
            _free(home, actor, post, now, again_by=actor.id if again and isinstance(error, NotReady) else None)
        raise
    return _published(home, actor, post, now, remote_id=remote_id)


def _put_out(adapter: Platform, post: Post, pictures: list[Picture], key: str) -> str:
    """The remote id. While the platform works on the pictures it is asked again, for a few seconds."""
    left = LONGEST_WAIT
    while True:
        try:
            return adapter.publish(post.text, pictures, key=key)
        except NotReady as error:
            seconds = max(error.seconds, 1.0)
            if not seconds <= left:  # too long, or no number at all
                raise
            left -= seconds
            _pause(seconds)


def _pause(seconds: float) -> None:
    threading.Event().wait(seconds)


def settle_publishing(home: Home, now: datetime) -> int:
    """Learn what became of posts whose answer was lost, by reading the account. Returns how many were settled.

    What cannot be read now is looked at again next time, and is a person's question after a while
    (`posts_to_find_out`). Posts in the hands of a person are left to them.
    """
    settled = 0
    for post in store.posts_being_published(home.db, now - SETTLE_AFTER):
        account = account_by_id(home.db, post.account_id)
        if post.handed_over or not _readable(home, account, now):
            continue
        try:
            there = _posts_there(home, account, now)
        except SocialgovError:
            continue  # one account that cannot be read never stops the rest
        found = _same_post(post, there, store.remote_ids_seen(home.db, account.id))
        try:
            if found:
                _published(home, "job:settle", post, now, remote_id=found.remote_id)
            else:
                _free(home, "job:settle", post, now)
        except Conflict:
            continue  # somebody settled it meanwhile
        settled += 1
    return settled


def posts_to_find_out(home: Home, now: datetime) -> list[Post]:
    """Posts of which a person must say whether they are out: the machine cannot read it, or nobody said it for long."""
    return [
        post
        for post in store.posts_being_published(home.db, now - SETTLE_AFTER)
        if _older_than(post, FIND_OUT_AFTER, now)
        or not (post.handed_over or _readable(home, account_by_id(home.db, post.account_id), now))
    ]


def may_find_out(post: Post, now: datetime) -> bool:
    """May a person say whether it is out? What was handed over is theirs; else no answer can come any more."""
    return post.state is PostState.PUBLISHING and (post.handed_over or _older_than(post, SETTLE_AFTER, now))


def _older_than(post: Post, age: timedelta, now: datetime) -> bool:
    return post.publishing_at is not None and now >= post.publishing_at + age


def _readable(home: Home, account: Account, now: datetime) -> bool:
    """Is there a way, and money, to read the account by machine?"""
    info = home.settings.platforms[account.platform]
    if Capability.READ_POSTS not in capabilities_of(home, account) or not may_be_asked(home, info, now):
        return False
    return not too_much_in_doubt(home, info, account.id, now)


def _posts_there(home: Home, account: Account, now: datetime) -> list[RemotePost]:
    try:
        return _connected(home, account, "settle", now).posts()
    except PlatformError as error:
        note_refusal(home, account.id, error, now=now)
        raise


def hand_over_post(home: Home, actor: Staff, post_id: int, *, now: datetime) -> Post:
    """Where the platform takes no posts from us: pass the gate, then a person posts text and cleaned photos there."""
    post = own_post(home, actor, post_id)
    if can_publish(home, account_by_id(home.db, post.account_id)):
        raise Conflict("This platform takes posts from here.", "Publish the post.")
    return _claim(home, actor, post, now, handed_over=True)


def report_posted(
    home: Home, actor: Staff, post_id: int, *, link: str = "", screenshot: bytes | None = None, now: datetime
) -> Post:
    """A person posted it, or saw that it is out: its link, a screenshot, or both. Raises InvalidInput with neither."""
    post = _in_their_hands(home, actor, post_id, now)
    link = _checked_link(link)
    if not link and not screenshot:
        raise InvalidInput(
            "Show that it is out.", {"link": "Paste the link of the post, or choose a screenshot of it."}
        )
    evidence_id = _evidence(home, actor, post, screenshot, now) if screenshot else None
    return _published(home, actor, post, now, link=link or None, evidence_id=evidence_id)


def give_up_hand_over(home: Home, actor: Staff, post_id: int, *, now: datetime) -> Post:
    """A person did not post it after all, or saw that it is not out: it is a draft again."""
    post = _in_their_hands(home, actor, post_id, now)
    _free(home, actor, post, now)
    return store.post_by_id(home.db, post_id)


def remove_post(home: Home, actor: Staff, post_id: int, *, now: datetime) -> Post:
    """Take a published post down. Raises PlatformError where the platform does not do it (CannotDo: for no machine).

    Either way a person may do it (then `report_removed`); what a refusal says beyond this post is kept.
    """
    post = _published_post(home, actor, post_id)
    account = account_by_id(home.db, post.account_id)
    info = home.settings.platforms[account.platform]
    if Capability.DELETE_POST not in capabilities_of(home, account) or post.remote_id is None:
        raise platforms.CannotDo(info.name, Capability.DELETE_POST)
    try:
        _connected(home, account, "delete_post", now).delete_post(post.remote_id)
    except PlatformError as error:
        note_refusal(home, account.id, error, now=now)
        raise
    return _removed(home, actor, post, now)


def report_removed(home: Home, actor: Staff, post_id: int, *, screenshot: bytes | None = None, now: datetime) -> Post:
    """A person took the post down on the platform; a screenshot of the page without it is kept when given."""
    post = _published_post(home, actor, post_id)
    evidence_id = _evidence(home, actor, post, screenshot, now) if screenshot else None
    return _removed(home, actor, post, now, evidence_id=evidence_id)


def _connected(home: Home, account: Account, purpose: str, now: datetime) -> Platform:
    login = machine_login(home, account.id, purpose=purpose, now=now)
    return adapter_of(home, account, login, now=now)


def _claim(home: Home, actor: Staff, post: Post, now: datetime, *, handed_over: bool = False) -> Post:
    """PUBLISHING, if every rule holds at this very moment: the gate reads inside the transaction that claims."""
    refuse_unless_open(home, actor, post, now)
    with write(home.db) as db:
        current = store.post_by_id(db, post.id)
        check_can_post(actor, account_by_id(db, post.account_id))
        refuse_unless_open(home, actor, current, now)
        guarded_update(
            db,
            "post",
            post.id,
            {
                "state": PostState.PUBLISHING,
                "publishing_at": now,
                "handed_over": handed_over,
                "again_by": None,
                "again_at": None,
                "version": post.version + 1,
            },
            where={"state": post.state, "version": post.version},
        )
        record_post(db, EventTag.POST_PUBLISHING, actor, post, now)
        return store.post_by_id(db, post.id)


def _published(
    home: Home,
    actor: Staff | str,
    post: Post,
    now: datetime,
    *,
    remote_id: str | None = None,
    link: str | None = None,
    evidence_id: int | None = None,
) -> Post:
    with write(home.db) as db:
        changes = {
            "state": PostState.PUBLISHED,
            "published_at": now,
            "remote_id": remote_id,
            "link": link,
            "evidence_id": evidence_id,
        }
        _from_publishing(db, post, changes)
        if remote_id is not None:
            store.note_own_post(db, post.account_id, remote_id, post.id, now)
        record_post(db, EventTag.POST_PUBLISHED, actor, post, now)
        return store.post_by_id(db, post.id)


def _free(home: Home, actor: Staff | str, post: Post, now: datetime, *, again_by: int | None = None) -> None:
    """It is not out: back to what it was before it was claimed. `again_by`: for whom it is tried once more."""
    before = PostState.WAITING if post.checked_by is not None else PostState.DRAFT
    with write(home.db) as db:
        changes = {
            "state": before,
            "publishing_at": None,
            "handed_over": False,
            "take_down_by_at": None,
            "again_by": again_by,
            "again_at": now + AGAIN_AFTER if again_by else None,
        }
        _from_publishing(db, post, changes)
        record_post(db, EventTag.POST_FAILED, actor, post, now)


def _from_publishing(db: Database, post: Post, changes: Mapping[str, object]) -> None:
    where = {"state": PostState.PUBLISHING, "publishing_at": post.publishing_at, "version": post.version}
    guarded_update(db, "post", post.id, {**changes, "version": post.version + 1}, where=where)


def _removed(home: Home, actor: Staff, post: Post, now: datetime, *, evidence_id: int | None = None) -> Post:
    with write(home.db) as db:
        changes = {
            "state": PostState.REMOVED,
            "removed_at": now,
            "take_down_by_at": None,
            "version": post.version + 1,
        }
        if evidence_id is not None:
            changes["evidence_id"] = evidence_id
        guarded_update(db, "post", post.id, changes, where={"state": PostState.PUBLISHED, "version": post.version})
        record_post(db, EventTag.POST_REMOVED, actor, post, now)
        return store.post_by_id(db, post.id)


def _in_their_hands(home: Home, actor: Staff, post_id: int, now: datetime) -> Post:
    post = store.post_by_id(home.db, post_id)
    check_can_post(actor, account_by_id(home.db, post.account_id))
    if not may_find_out(post, now):
        raise Conflict("This post is not in your hands.", "Open it again to see where it stands.")
    return post


def _published_post(home: Home, actor: Staff, post_id: int) -> Post:
    """A published post, for its keepers or the network manager: whoever can must be able to take it down (MED513)."""
    post = store.post_by_id(home.db, post_id)
    check_can_set_up(actor, account_by_id(home.db, post.account_id))
    if post.state is not PostState.PUBLISHED:
        raise Conflict("This post is not out.", "Open it again to see where it stands.")
    return post


def _same_post(post: Post, there: list[RemotePost], seen: set[str]) -> RemotePost | None:
    """The post on the account that can only be ours: same words, not seen before, not older than the claim."""
    assert post.publishing_at is not None
    earliest = post.publishing_at - CLOCKS_DIFFER
    for remote in there:
        new = remote.remote_id not in seen
        if new and remote.text.strip() == post.text and (remote.posted_at is None or remote.posted_at >= earliest):
            return remote
    return None


def _key(home: Home, post: Post) -> str:
    """The same for the same words and photos of the same post, so that trying again never publishes twice."""
    photos = [photo.blob_id for photo in store.media_of(home.db, post.id)]
    content = hashlib.sha256(f"{post.text}\x00{photos}".encode()).hexdigest()[:24]
    return f"{home.escrow.school_id}:{post.id}:{content}"


def _picture(home: Home, photo: Media) -> Picture:
    content, mime = read_blob(home, photo.blob_id)
    return platforms.Picture(content, mime, photo.alt, photo.width, photo.height)


def _evidence(home: Home, actor: Staff, post: Post, screenshot: bytes, now: datetime) -> int:
    return save_blob(
        home,
        screenshot,
        mime=image_mime(screenshot),
        purpose=POST_EVIDENCE,
        account_id=post.account_id,
        made_by=actor.id,
        now=now,
    )


def _checked_link(link: str) -> str:
    link = link.strip()
    if not link:
        return ""
    try:
        parts = urlsplit(link)
        good = parts.scheme == "https" and bool(parts.hostname) and len(link) <= 500
    except ValueError:
        good = False
    if not good:
        raise InvalidInput(
            "That is not a link.", {"link": "Paste the whole address of the post, beginning with https://"}
        )
    return link
