"""A post from draft to the moment it may go out: text, cleaned photos, who is in it, confirmation, second checker.

Publishing stands in actions/publishing.py. Whatever changes a post takes back its confirmation and its second look:
both were given to what the post was then.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

from socialgov.actions.blobs import erase_blob, read_blob, save_blob
from socialgov.actions.post_changes import change_post, check_can_see_post, own_post, record_post
from socialgov.actions.post_facts import check_post
from socialgov.actions.publishing import (
    give_up_hand_over,
    hand_over_post,
    publish_post,
    remove_post,
    report_posted,
    report_removed,
    settle_publishing,
)
from socialgov.actions.second_look import second_check, submit_post
from socialgov.errors import Conflict, InvalidInput, SocialgovError
from socialgov.lifecycle import WrongState
from socialgov.models import AccountState, PostState
from socialgov.permissions import check_can_post
from socialgov.pictures import clean_photo
from socialgov.store import people as people_store
from socialgov.store import posts as store
from socialgov.store.accounts import account_by_id
from socialgov.store.connect import guarded_update, write
from socialgov.store.events import EventTag

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from socialgov.home import Home
    from socialgov.models import Account, Post, Staff
    from socialgov.pictures import CleanPhoto

__all__ = [
    "add_photo",
    "check_post",
    "confirm",
    "discard_post",
    "draft_post",
    "edit_post",
    "give_up_hand_over",
    "hand_over_post",
    "publish_post",
    "remove_photo",
    "remove_post",
    "report_posted",
    "report_removed",
    "second_check",
    "see_photo",
    "set_depictions",
    "settle_publishing",
    "submit_post",
]

MAX_PHOTOS = 4
ALT_LONGEST = 500


def draft_post(home: Home, actor: Staff, account_id: int, text: str, *, now: datetime) -> Post:
    """Begin a post on a live account. Raises InvalidInput for a text that is too long for the platform."""
    account = account_by_id(home.db, account_id)
    check_can_post(actor, account)
    if account.state is not AccountState.LIVE:
        raise WrongState(
            "Posts are written while the account is live (MED511).", "Open the account's page to see what it needs."
        )
    text = _checked_text(home, account, text)
    with write(home.db) as db:
        post_id = store.insert_post(
            db,
            {
                "account_id": account_id,
                "author_id": actor.id,
                "state": PostState.DRAFT,
                "text": text,
                "created_at": now,
            },
        )
        record_post(db, EventTag.POST_DRAFTED, actor, store.post_by_id(db, post_id), now)
        return store.post_by_id(db, post_id)


def edit_post(home: Home, actor: Staff, post_id: int, text: str, *, now: datetime) -> Post:
    """Another text for a post that is not out."""
    post = own_post(home, actor, post_id)
    text = _checked_text(home, account_by_id(home.db, post.account_id), text)
    with write(home.db) as db:
        return change_post(db, actor, post, {"text": text} if text != post.text else {}, now)


def add_photo(home: Home, actor: Staff, post_id: int, content: bytes, alt: str, *, now: datetime) -> Post:
    """Clean a photo and put it into the post; what was uploaded is not kept (MED510).

    `alt` says in words what the photo shows. Raises InvalidInput for a file that is no photo, too large, damaged, or a
    fifth one.
    """
    post = own_post(home, actor, post_id)
    alt = _checked_alt(alt)
    if len(store.media_of(home.db, post_id)) >= MAX_PHOTOS:
        raise InvalidInput(f"A post has at most {MAX_PHOTOS} photos.", {"photo": "Take another photo out first."})
    photo = clean_photo(content)
    blob_id = save_blob(
        home,
        photo.content,
        mime=photo.mime,
        purpose="photo",
        account_id=post.account_id,
        made_by=actor.id,
        now=now,
    )
    try:
        return _with_photo(home, actor, post, photo, alt, blob_id, now)
    except SocialgovError:
        erase_blob(home, blob_id, now)
        raise


def _with_photo(home: Home, actor: Staff, post: Post, photo: CleanPhoto, alt: str, blob_id: int, now: datetime) -> Post:
    with write(home.db) as db:
        store.insert_media(
            db,
            {
                "post_id": post.id,
                "blob_id": blob_id,
                "mime": photo.mime,
                "width": photo.width,
                "height": photo.height,
                "alt": alt,
                "cleaned": True,
            },
        )
        # whoever was named was named for other pictures
        return change_post(db, actor, post, {"people_in_picture": None, "nobody_identifiable": False}, now)


def remove_photo(home: Home, actor: Staff, post_id: int, media_id: int, *, now: datetime) -> Post:
    """Take a photo out of a post that is not out, and erase it."""
    post = own_post(home, actor, post_id)
    media = store.media_by_id(home.db, media_id)
    if media.post_id != post_id:
        raise Conflict("This photo belongs to another post.", "Open the post again.")
    with write(home.db) as db:
        store.delete_media(db, media_id)
        if not store.media_of(db, post_id):  # nobody is in a picture that is not there; the words may name somebody
            named = [one.person.id for one in store.depictions_of(db, [post_id]) if one.in_text]
            store.replace_depictions(db, post_id, (), named, actor.id)
        post = change_post(db, actor, post, {"people_in_picture": None, "nobody_identifiable": False}, now)
    erase_blob(home, media.blob_id, now)
    return post


def set_depictions(
    home: Home,
    actor: Staff,
    post_id: int,
    *,
    shown: Collection[int],
    named: Collection[int] = (),
    people_in_picture: int | None,
    nobody_identifiable: bool = False,
    now: datetime,
) -> Post:
    """Who is in the pictures (`shown`), whom the text names (`named`), and how many can be recognised.

    Raises InvalidInput where that contradicts itself: somebody shown in a picture of nobody, no number, no picture.
    """
    post = own_post(home, actor, post_id)
    has_photo = bool(store.media_of(home.db, post_id))
    problems = _depiction_problems(has_photo, set(shown), people_in_picture, nobody_identifiable)
    if nobody_identifiable:
        people_in_picture = 0
    with write(home.db) as db:
        if len(people_store.people_by_ids(db, {*shown, *named})) != len({*shown, *named}):
            problems["shown"] = "Somebody chosen is not on record any more. Search again."
        if problems:
            raise InvalidInput("Say who is in the picture.", problems)
        store.replace_depictions(db, post_id, shown, named, actor.id)
        changes: dict[str, Any] = {
            "people_in_picture": people_in_picture if has_photo else None,
            "nobody_identifiable": nobody_identifiable,
        }
        return change_post(db, actor, post, changes, now)


def _depiction_problems(
    has_photo: bool, shown: set[int], people_in_picture: int | None, nobody_identifiable: bool
) -> dict[str, str]:
    if not has_photo:
        return {"shown": "There is no photo that could show anybody."} if shown else {}
    if nobody_identifiable:
        return {"nobody_identifiable": "You named somebody, so somebody can be recognised."} if shown else {}
    if people_in_picture is None or not 0 <= people_in_picture <= 1000:
        return {"people_in_picture": "Count the people who can be recognised, and enter the number."}
    if not shown:
        return {"shown": "Choose who is in the picture, or say that nobody can be recognised."}
    return {}


def confirm(
    home: Home,
    actor: Staff,
    post_id: int,
    *,
    permanence: bool,
    school_equipment: bool,
    own_work: bool,
    credit: str = "",
    now: datetime,
) -> Post:
    """The author's word, given each time: it cannot be taken back, school equipment, own work (MED507 to MED509).

    What is not confirmed is saved as not confirmed, and the gate then says so.
    """
    post = own_post(home, actor, post_id)
    credit = " ".join(credit.split())
    if len(credit) > 200:
        raise InvalidInput("The credit is too long.", {"credit": "Use 200 characters or fewer."})
    with write(home.db) as db:
        changes = {"school_equipment": school_equipment, "own_work": own_work, "credit": credit or None}
        changed = any(getattr(post, name) != value for name, value in changes.items())
        post = change_post(db, actor, post, changes if changed else {}, now)
        moment = (post.permanence_confirmed_at or now) if permanence else None
        if post.permanence_confirmed_at == moment:
            return post
        return change_post(db, actor, post, {"permanence_confirmed_at": moment}, now, keep_confirmation=True)


def discard_post(home: Home, actor: Staff, post_id: int, *, now: datetime) -> None:
    """Throw a post away that was never out; its photos are erased."""
    post = own_post(home, actor, post_id)
    media = store.media_of(home.db, post_id)
    with write(home.db) as db:
        guarded_update(
            db,
            "post",
            post_id,
            {"state": PostState.DISCARDED, "version": post.version + 1},
            where={"state": post.state, "version": post.version},
        )
        store.replace_depictions(db, post_id, (), (), actor.id)
        for photo in media:
            store.delete_media(db, photo.id)
        record_post(db, EventTag.POST_DISCARDED, actor, post, now)
    for photo in media:
        erase_blob(home, photo.blob_id, now)


def see_photo(home: Home, actor: Staff, post_id: int, media_id: int, *, now: datetime) -> tuple[bytes, str]:
    """A photo's bytes and type for somebody who may see it; looking is logged before it is shown (OVS806)."""
    post, media = store.post_by_id(home.db, post_id), store.media_by_id(home.db, media_id)
    if media.post_id != post_id:
        raise Conflict("This photo belongs to another post.", "Open the post again.")
    check_can_see_post(home, actor, post)
    with write(home.db) as db:
        record_post(db, EventTag.MEDIA_SEEN, actor, post, now, data={"media": media_id})
    return read_blob(home, media.blob_id)


def _checked_text(home: Home, account: Account, text: str) -> str:
    text = unicodedata.normalize("NFC", text)  # as platforms keep it: the post is known again by its words
    text = "\n".join(line.rstrip() for line in text.replace("\r\n", "\n").strip().split("\n"))
    longest = home.settings.platforms[account.platform].post_length
    if len(text) > longest:
        raise InvalidInput(
            "The text is too long.",
            {"text": f"The text has {len(text)} characters, and the platform allows {longest}."},
        )
    if not text:
        raise InvalidInput("A post needs words.", {"text": "Write what the post should say."})
    return text


def _checked_alt(alt: str) -> str:
    alt = " ".join(alt.split())
    if not alt or len(alt) > ALT_LONGEST:
        raise InvalidInput(
            "The photo needs a description.",
            {"alt": f"Say what the photo shows, without names, in up to {ALT_LONGEST} characters."},
        )
    return alt
