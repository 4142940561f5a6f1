"""What an account may do through the interface: post, take down, take back. Nothing that X keeps for its own app."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from . import problems
from .asking import ID, Ask, only
from .calls import LINK_MICROS
from .reads import written
from .world import LINK, MOST_WEIGHT, Media, Post, weight

if TYPE_CHECKING:
    from .app import StandIn

Body = dict[str, Any]
MOST_PICTURES = 4
SAME_TEXT_WITHIN = timedelta(days=1)  # X says "duplicate", not how long it remembers


def create(x: StandIn, ask: Ask) -> Body:
    """A post of this account. The same text twice is refused; a link makes it dear."""
    body = ask.body
    only(body, "", text=str, media=dict, reply=dict, quote_tweet_id=str, reply_settings=str)
    only(body.get("media", {}), "media.", media_ids=list, tagged_user_ids=list)
    only(body.get("reply", {}), "reply.", in_reply_to_tweet_id=str, exclude_reply_user_ids=list)
    text, media = body.get("text", ""), _media(x, ask)
    if not text and not media:
        raise problems.invalid("text", "", "One or more of text, media must be given.")
    if weight(text) > MOST_WEIGHT:
        raise problems.plain(403, "Forbidden", "Your Tweet text is too long.")
    since = x.clock() - SAME_TEXT_WITHIN
    if any(post.text == text and post.made_at > since for post in x.world.posts_of(ask.owner)):
        raise problems.plain(403, "Forbidden", "You are not allowed to create a Tweet with duplicate content.")
    quotes = _other(x, "quote_tweet_id", body.get("quote_tweet_id"))
    answers = _other(x, "reply.in_reply_to_tweet_id", body.get("reply", {}).get("in_reply_to_tweet_id"))
    made = x.world.post(ask.owner, text, quotes=quotes, answers=answers, media=media)
    x.uploads.used(media)
    if LINK.search(text):
        ask.micros = LINK_MICROS - ask.call.request_micros
    return {"data": {"id": made.id, "text": written(x, made)[0], ask.words.history: [made.id]}}


def _media(x: StandIn, ask: Ask) -> tuple[Media, ...]:
    ids = ask.body.get("media", {}).get("media_ids", [])
    if "media" in ask.body and not 1 <= len(ids) <= MOST_PICTURES:
        raise problems.invalid("media.media_ids", str(ids), "$.media.media_ids: must hold 1 to 4 items")
    ready = [x.uploads.ready(str(id), ask.owner) for id in ids]
    if any(one is None for one in ready) or len(set(ids)) != len(ids):
        raise problems.invalid("media.media_ids", ",".join(map(str, ids)), "Your media IDs are invalid.")
    return tuple(one for one in ready if one is not None)


def _other(x: StandIn, field: str, id: str | None) -> Post | None:
    if id is None:
        return None
    if not ID.fullmatch(id) or id not in x.world.posts:
        raise problems.invalid(field, id, f"The post {field} names was deleted or is not visible to you.")
    return x.world.posts[id]


def delete(x: StandIn, ask: Ask) -> Body:
    """Its own only; what is not there is not found."""
    post = x.world.posts.get(ask.path["id"])
    if post is None:
        raise problems.Problem(404, {"errors": [problems.missing("tweet", "id", ask.path["id"])]})
    if post.author_id != ask.owner.id:
        raise problems.plain(403, "Forbidden", "You are not authorized to delete this Tweet.")
    x.world.delete(post)
    return {"data": {"deleted": True}}


def unlike(x: StandIn, ask: Ask) -> Body:
    """What is not liked is not liked afterwards either."""
    own_path(ask)
    if ask.path["post_id"] in ask.owner.likes:
        ask.owner.likes.remove(ask.path["post_id"])
    return {"data": {"liked": False}}


def unfollow(x: StandIn, ask: Ask) -> Body:
    own_path(ask)
    other = x.world.user(ask.path["other_id"])
    if other is not None:
        x.world.remove_follower(other, ask.owner)
    return {"data": {"following": False}}


def unrepost(x: StandIn, ask: Ask) -> Body:
    """By the id of the post that was reposted, not of the repost."""
    own_path(ask)
    for post in x.world.posts_of(ask.owner):
        if post.refers("retweeted") == ask.path["post_id"]:
            x.world.delete(post)
    return {"data": {"retweeted": False}}


def own_path(ask: Ask) -> None:
    if ask.path["id"] != ask.owner.id:
        why = f"The `id` query parameter value [{ask.path['id']}] must be the same as the authenticating user"
        raise problems.invalid("id", ask.path["id"], f"{why} [{ask.owner.id}]")
