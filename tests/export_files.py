"""Export files as the platforms make them, as small as they can be and still be whole."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

MADE = "2026-11-20T08:30:00.000Z"


def zipped(files: Mapping[str, bytes | str], day: tuple[int, int, int] = (2026, 11, 20)) -> bytes:
    """An archive of these files, each of that day."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            member = zipfile.ZipInfo(name, (*day, 12, 0, 0))
            member.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(member, content)
    return out.getvalue()


def x_archive(
    followers: Sequence[str] = (),
    follows: Sequence[str] = (),
    likes: int = 0,
    posts: int = 0,
    *,
    owner: tuple[str, str] = ("77", "trip_2026"),
    made: str = MADE,
    partial: bool = False,
) -> dict[str, str]:
    """The files of X's folder `data` that tell of followers, follows, likes and posts."""
    lists: dict[str, list[dict[str, Any]]] = {
        "follower": [{"follower": {"accountId": one, "userLink": f"https://twitter.com/{one}"}} for one in followers],
        "following": [{"following": {"accountId": one}} for one in follows],
        "like": [{"like": {"tweetId": str(one), "fullText": "Nice."}} for one in range(likes)],
        "tweets": [{"tweet": {"id_str": str(one), "full_text": "Boats"}} for one in range(posts)],
    }
    files = {f"data/{name}.js": f"window.YTD.{name}.part0 = {json.dumps(rows)}" for name, rows in lists.items()}
    about = {
        "userInfo": {"accountId": owner[0], "userName": owner[1]},
        "archiveInfo": {"generationDate": made, "isPartialArchive": partial},
        "dataTypes": {name: {"files": [{"count": str(len(rows))}]} for name, rows in lists.items()},
    }
    return {**files, "data/manifest.js": f"window.__THAR_CONFIG = {json.dumps(about)}"}


def meta_entry(name: str, at: int = 1_700_000_000) -> dict[str, Any]:
    """One line of a list in a download of Instagram or Threads."""
    link = {"href": f"https://www.instagram.com/{name}", "value": name, "timestamp": at}
    return {"title": "", "media_list_data": [], "string_list_data": [link]}


def instagram(followers: Sequence[str], follows: Sequence[str] | None = None, likes: int | None = None) -> bytes:
    """Instagram's download as JSON. None: it has no such file, as when the account never did such a thing."""
    at = "connections/followers_and_following"
    files: dict[str, str] = {f"{at}/followers_1.json": json.dumps([meta_entry(one) for one in followers])}
    if follows is not None:
        files[f"{at}/following.json"] = json.dumps({"relationships_following": [meta_entry(one) for one in follows]})
    if likes is not None:
        liked = {"likes_media_likes": [meta_entry("somebody") for _ in range(likes)]}
        files["your_instagram_activity/likes/liked_posts.json"] = json.dumps(liked)
    return zipped(files)


def tiktok(followers: Sequence[str], *, owner: str = "trip.2026", newer: bool = True) -> dict[str, Any]:
    """TikTok's one file, with the names of 2025 or the older ones."""
    fans = [{"Date": "2026-10-01 09:30:00", "UserName": one} for one in followers]
    if not newer:
        return {"Activity": {"Follower List": {"FansList": fans}, "Following List": {"Following": None}}}
    profile = {"Profile Info": {"ProfileMap": {"userName": owner}}}
    lists = {"Follower": {"FansList": fans}, "Following": {"Following": []}}
    return {"Profile And Settings": {**profile, **lists}, "Post": {"Posts": {"VideoList": []}}}
