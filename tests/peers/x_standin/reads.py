"""What is answered about accounts and posts."""

from __future__ import annotations

import html
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from . import problems
from .asking import Ask, moment
from .calls import POST_MICROS, USER_MICROS
from .world import LINK, Media, Post, User

if TYPE_CHECKING:
    from .app import StandIn

Body = dict[str, Any]
SHORT = "https://t.co/"
NO_PICTURE = "/sticky/default_profile_images/default_profile_normal.png"


# ---- accounts


def me(x: StandIn, ask: Ask) -> Body:
    return _one_user(x, ask, ask.owner.id, "id")


def user(x: StandIn, ask: Ask) -> Body:
    return _one_user(x, ask, ask.path["id"], "id")


def user_by_name(x: StandIn, ask: Ask) -> Body:
    found = x.world.named(ask.path["username"])
    return _one_user(x, ask, found.id if found else "", "username")


def users(x: StandIn, ask: Ask) -> Body:
    """Those who are there; the others are errors beside them."""
    data: list[Body] = []
    errors: list[Body] = []
    for id in ask.query["ids"].split(","):
        found, error = _looked_up(x, id, "ids", id)
        data += [shown_user(x, ask, found, errors)] if found else []
        errors += [error] if error else []
    ask.items = len(data)
    return {**({"data": data} if data else {}), **({"errors": errors} if errors else {})}


def _one_user(x: StandIn, ask: Ask, id: str, parameter: str) -> Body:
    found, error = _looked_up(x, id, parameter, ask.path.get(parameter, id))
    if found is None:
        assert error is not None
        raise problems.Problem(404 if x.missing_as_404 else 200, {"errors": [error]})
    errors: list[Body] = []
    ask.items = 1
    body = {"data": shown_user(x, ask, found, errors)}
    return {**body, "errors": errors} if errors else body


def _looked_up(x: StandIn, id: str, parameter: str, value: str) -> tuple[User | None, Body | None]:
    found = x.world.user(id)
    if found is None:
        return None, problems.missing("user", parameter, value)
    if found.suspended:
        return None, problems.suspended(parameter, value)
    return found, None


def shown_user(x: StandIn, ask: Ask, user: User, errors: list[Body]) -> Body:
    """What was asked of an account. `confirmed_email` is its own business, and wants its scope."""
    wanted = ask.names("user.fields")
    counts = {
        "followers_count": len(user.followers),
        "following_count": len(x.world.following(user)),
        "tweet_count": len(x.world.posts_of(user)),
        "listed_count": 0,
        "like_count": len(user.likes),
        "media_count": sum(bool(post.media) for post in x.world.posts_of(user)),
    }
    everything: Body = {
        "created_at": shown_moment(ask, user.made_at),
        "description": user.description,
        "profile_image_url": x.url + picture_path(user),
        "protected": user.protected,
        "public_metrics": counts,
        "verified": False,
        "verified_type": "none",
    }
    if "confirmed_email" in wanted:
        if ask.user is user and "users.email" in ask.scopes:
            everything["confirmed_email"] = user.email
        else:
            errors.append(problems.field_refused("confirmed_email", user.id))
    default: Body = {"id": user.id, "name": user.name, "username": user.username}
    return default | {name: value for name, value in everything.items() if name in wanted}


def picture_path(user: User) -> str:
    """Of the small one; without `_normal` it is the whole one."""
    if user.picture is None:
        return NO_PICTURE
    ending = "png" if user.picture.startswith(b"\x89PNG") else "jpg"
    return f"/profile_images/{user.id}/{sha256(user.picture).hexdigest()[:8]}_normal.{ending}"


# ---- lists


def followers(x: StandIn, ask: Ask) -> Body:
    return _user_list(x, ask, lambda whose: whose.followers)


def following(x: StandIn, ask: Ask) -> Body:
    return _user_list(x, ask, x.world.following)


def _user_list(x: StandIn, ask: Ask, ids_of: Any) -> Body:
    whose = _readable(x, ask)
    page, meta = _page(x, ask, list(reversed(ids_of(whose))))
    there = [found for id in page if (found := x.world.user(id)) is not None and not found.suspended]
    errors: list[Body] = []
    return _listed(ask, [shown_user(x, ask, one, errors) for one in there], meta, errors)


def timeline(x: StandIn, ask: Ask) -> Body:
    whose = _readable(x, ask)
    posts = [post for post in x.world.posts_of(whose) if _in_range(ask, post)]
    left_out = {"retweets": "retweeted", "replies": "replied_to"}
    for name in ask.names("exclude"):
        posts = [post for post in posts if post.refers(left_out[name]) is None]
    page, meta = _page(x, ask, [post.id for post in posts])
    return _post_list(x, ask, page, meta)


def liked(x: StandIn, ask: Ask) -> Body:
    whose = _readable(x, ask)
    page, meta = _page(x, ask, list(reversed(whose.likes)))
    return _post_list(x, ask, page, meta)


def _readable(x: StandIn, ask: Ask) -> User:
    """The account of the path; 200 with errors and no data where it is not there, or not for the one who asks."""
    found, error = _looked_up(x, ask.path["id"], "id", ask.path["id"])
    if found is not None and not x.world.may_see(ask.user, found):
        error = problems.not_authorised("user", "id", found.id)
    if found is None or error is not None:
        raise problems.Problem(200, {"errors": [error]})
    return found


def _in_range(ask: Ask, post: Post) -> bool:
    """Between since_id and until_id (both left out), from start_time until before end_time."""
    query = ask.query
    low, high = int(query.get("since_id", 0)), int(query.get("until_id", 2**63))
    if not low < int(post.id) < high:
        return False
    if "start_time" in query and post.made_at < moment("start_time", query["start_time"]):
        return False
    return not ("end_time" in query and post.made_at >= moment("end_time", query["end_time"]))


def _page(x: StandIn, ask: Ask, ids: list[str]) -> tuple[list[str], Body]:
    """One page and what leads to the next. What is hidden is hidden afterwards, so a page may be short, even empty."""
    start = 0
    if token := ask.query.get("pagination_token"):
        start = x.page_at(token, ask)
    page = ids[start : start + ask.page]
    meta: Body = {"next_token": x.page_token(ask, start + ask.page)} if start + ask.page < len(ids) else {}
    return page, meta


def _listed(ask: Ask, data: list[Body], meta: Body, errors: list[Body] | None = None) -> Body:
    """An empty page has no `data`."""
    ask.items = len(data)
    return {
        **({"data": data} if data else {}),
        **({"errors": errors} if errors else {}),
        "meta": {"result_count": len(data), **meta},
    }


# ---- posts


def post(x: StandIn, ask: Ask) -> Body:
    found, error = _visible(x, ask, ask.path["id"], "id")
    if found is None:
        raise problems.Problem(404 if x.missing_as_404 else 200, {"errors": [error]})
    ask.items = 1
    return {"data": shown_post(x, ask, found), **_includes(x, ask, [found])}


def posts(x: StandIn, ask: Ask) -> Body:
    looked = [_visible(x, ask, id, "ids") for id in ask.query["ids"].split(",")]
    found = [post for post, _ in looked if post is not None]
    errors = [error for _, error in looked if error is not None]
    ask.items = len(found)
    body: Body = {"data": [shown_post(x, ask, post) for post in found], **_includes(x, ask, found)} if found else {}
    return {**body, "errors": errors} if errors else body


def _visible(x: StandIn, ask: Ask, id: str, parameter: str) -> tuple[Post | None, Body | None]:
    found = x.world.posts.get(id)
    author = x.world.user(found.author_id) if found else None
    if found is None or author is None or author.suspended:
        return None, problems.missing("tweet", parameter, id)
    if not x.world.may_see(ask.user, author):
        return None, problems.not_authorised("tweet", parameter, id)
    return found, None


def _post_list(x: StandIn, ask: Ask, ids: list[str], meta: Body) -> Body:
    there = [found for id in ids if (found := _visible(x, ask, id, "ids")[0]) is not None]
    body = _listed(ask, [shown_post(x, ask, post) for post in there], meta)
    return {**body, **_includes(x, ask, there)}


def shown_post(x: StandIn, ask: Ask, post: Post) -> Body:
    """A post in the words of the question. Its text comes back with links made short and signs of HTML escaped."""
    words = ask.words
    text, links = written(x, post)
    reposts = sum(other.refers("retweeted") == post.id for other in x.world.posts.values())
    likes = sum(post.id in user.likes for user in x.world.users.values())
    everything: Body = {
        "created_at": shown_moment(ask, post.made_at),
        "author_id": post.author_id,
        "conversation_id": post.refers("replied_to") or post.id,
        "lang": "en",
        "possibly_sensitive": False,
        "reply_settings": "everyone",
        "public_metrics": {words.reposts: reposts, "reply_count": 0, "like_count": likes, "quote_count": 0},
    }
    if post.answers_user_id:
        everything["in_reply_to_user_id"] = post.answers_user_id
    if post.references:
        everything[words.referenced] = [{"type": kind, "id": id} for kind, id in post.references]
    if post.media:
        everything["attachments"] = {"media_keys": [media.key for media in post.media]}
    if links:
        everything["entities"] = {"urls": links}
    default: Body = {"id": post.id, "text": text, words.history: [post.id]}
    return default | {name: value for name, value in everything.items() if ask.wants(name)}


def written(x: StandIn, post: Post) -> tuple[str, list[Body]]:
    """The text as it is shown, and what its short links stand for; the last one stands for the pictures."""
    links: list[Body] = []
    parts, at = [], 0
    for match in LINK.finditer(post.text):
        parts += [html.escape(post.text[at : match.start()], quote=False), _link(links, post, match.group())]
        at = match.end()
    parts.append(html.escape(post.text[at:], quote=False))
    text = "".join(parts)
    if post.media:
        author = x.world.users[post.author_id].username
        for media in post.media:
            short = _link(links, post, f"https://x.com/{author}/status/{post.id}/photo/1", media)
        text = f"{text} {short}".strip()
    return text, links


def _link(links: list[Body], post: Post, address: str, media: Media | None = None) -> str:
    full = address if "://" in address else f"http://{address}"
    short = SHORT + sha256(f"{post.id} {full}".encode()).hexdigest()[:10]
    entry = {"url": short, "expanded_url": full, "display_url": full.partition("://")[2]}
    links.append(entry | ({"media_key": media.key} if media else {}))
    return short


def _includes(x: StandIn, ask: Ask, found: list[Post]) -> Body:
    """What `expansions` asks for beside the posts, charged as if it had been asked for by itself."""
    expansions, includes = ask.names("expansions"), {}
    people = {post.author_id for post in found if "author_id" in expansions}
    people |= {post.answers_user_id for post in found if "in_reply_to_user_id" in expansions and post.answers_user_id}
    if people:
        shown = [one for id in sorted(people) if (one := x.world.user(id)) is not None]
        includes["users"] = [shown_user(x, ask, one, []) for one in shown]
        ask.micros += USER_MICROS * len(shown)
    if expansions & {"referenced_tweets.id", "referenced_posts", "referenced_posts.id"}:
        others = {id for post in found for _, id in post.references}
        visible = [other for id in sorted(others) if (other := _visible(x, ask, id, "ids")[0]) is not None]
        if visible:
            includes[ask.words.includes] = [shown_post(x, ask, other) for other in visible]
            ask.micros += POST_MICROS * len(visible)
    if "attachments.media_keys" in expansions and (media := [one for post in found for one in post.media]):
        wanted = ask.names("media.fields") | {"media_key", "type"}
        includes["media"] = [
            {name: value for name, value in _shown_media(one).items() if name in wanted} for one in media
        ]
    return {"includes": includes} if includes else {}


def _shown_media(media: Media) -> Body:
    shown = {"media_key": media.key, "type": "photo", "url": f"https://pbs.twimg.com/media/{media.id}.jpg"}
    return {**shown, "alt_text": media.alt} if media.alt else shown


def shown_moment(ask: Ask, at: datetime) -> str:
    whole = at.strftime("%Y-%m-%dT%H:%M:%S")
    return f"{whole}.{at.microsecond // 1000:03d}Z" if ask.words.fractions else f"{whole}Z"
