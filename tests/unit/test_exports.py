"""Platforms' own export files: what is read, what stays unknown, and everything else that may be in an upload."""

from __future__ import annotations

import io
import json
import time
import zipfile
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

import export_files
import pytest
from export_files import instagram, meta_entry, tiktok, x_archive, zipped
from hypothesis import given
from hypothesis import strategies as st

from socialgov import exports
from socialgov.config import package_folder
from socialgov.errors import InvalidInput
from socialgov.exports import ExportReading, read_export
from socialgov.models import ExportFormat, Fact
from socialgov.platforms.file import read_platforms
from socialgov.tomlfile import Source, Table

INSTAGRAM_NAME = "instagram-trip.2026-2026-11-21-a1b2c3.zip"


@cache
def form(key: str) -> ExportFormat:
    """The shipped format: what is tested is the file that people get."""
    chosen = Table(Source(Path("school.toml"), ""), ("platforms",), {})
    found = read_platforms(package_folder("config") / "platforms.toml", chosen, Path("/nowhere"))[key].export
    assert found is not None
    return found


def read(key: str, *files: tuple[str, bytes | str]) -> ExportReading:
    return read_export(form(key), [(name, text.encode() if isinstance(text, str) else text) for name, text in files])


def refusal(key: str, *files: tuple[str, bytes | str]) -> str:
    with pytest.raises(InvalidInput) as caught:
        read(key, *files)
    assert caught.value.mend
    return caught.value.fields["files"]


def names(reading: ExportReading, fact: Fact) -> list[str | None]:
    return [entry.name for entry in reading.lists[fact]]


# --------------------------------------------------------------------------------------------------- each platform


def test_x_as_its_single_files() -> None:
    files = x_archive(["11", "12"], ["13"], likes=2, posts=3)
    found = read("x", *((name.removeprefix("data/"), text) for name, text in files.items()))
    assert [entry.id for entry in found.lists[Fact.FOLLOWERS]] == ["11", "12"]
    assert {fact: len(entries) for fact, entries in found.lists.items()} == {
        Fact.FOLLOWERS: 2, Fact.FOLLOWS: 1, Fact.LIKES: 2, Fact.POSTS: 3,
    }  # fmt: skip
    assert (found.owner_id, found.owner_name) == ("77", "trip_2026")
    assert found.made_at == datetime(2026, 11, 20, 8, 30, tzinfo=UTC)


def test_x_as_the_whole_archive_of_which_only_the_named_parts_are_kept() -> None:
    files = {**x_archive(), "data/direct-messages.js": "window.YTD.direct_messages.part0 = []", "index.html": "<html>"}
    found = read("x", ("twitter.zip", zipped(files)))
    assert found.lists[Fact.FOLLOWERS] == ()
    assert set(found.parts) == set(x_archive())


def test_x_in_parts_is_whole_only_with_all_of_them() -> None:
    files = x_archive(["11", "12", "13"])
    first = 'window.YTD.follower.part0 = [{"follower": {"accountId": "11"}}]'
    second = 'window.YTD.follower.part1 = [{"follower": {"accountId": "12"}}, {"follower": {"accountId": "13"}}]'
    whole = {**files, "data/follower.js": first, "data/follower-part1.js": second}
    assert len(read("x", *whole.items()).lists[Fact.FOLLOWERS]) == 3
    assert "shorter or longer" in refusal("x", *{**files, "data/follower.js": first}.items())
    assert "one part of an export" in refusal("x", *x_archive(partial=True).items())


def test_instagram_says_whose_it_is_and_of_which_day_in_its_name() -> None:
    found = read("instagram", (INSTAGRAM_NAME, instagram(["carer.one", "carer.two"], follows=[])))
    assert names(found, Fact.FOLLOWERS) == ["carer.one", "carer.two"]
    assert found.lists[Fact.FOLLOWERS][0].at == datetime.fromtimestamp(1_700_000_000, UTC)
    assert found.lists[Fact.FOLLOWS] == ()
    assert found.missing == (Fact.LIKES,)
    assert (found.owner_name, found.made_on) == ("trip.2026", date(2026, 11, 21))


def test_a_list_that_is_not_in_the_file_stays_unknown() -> None:
    found = read("instagram", ("download.zip", instagram(["carer.one"])))
    assert Fact.FOLLOWS not in found.lists
    assert set(found.missing) == {Fact.FOLLOWS, Fact.LIKES}
    assert found.made_on == date(2026, 11, 20)  # the day of the files in the archive


def test_instagram_as_web_pages() -> None:
    page = (
        "<html><body><h1>Followers</h1><div><a href='https://www.instagram.com/carer.one'>carer.one</a><div>1 Nov</div>"
        "</div><a target='_blank' href='https://www.instagram.com/_u/carer_two'>x</a><a href='/help'>Help</a></body>"
    )
    found = read("instagram", ("followers_1.html", page))
    assert names(found, Fact.FOLLOWERS) == ["carer.one", "carer_two"]
    assert "no list in it" in refusal("instagram", ("followers_1.html", "<html><p>carer.one</p>"))


@pytest.mark.parametrize("unclosed", ["<a ", "<!--", "<![", "<a href='", "&#" + "9" * 5_000])
def test_a_web_page_that_is_all_unclosed_tags_is_refused_at_once(unclosed: str) -> None:
    began = time.monotonic()
    assert refusal("instagram", ("followers_1.html", unclosed * (1_000_000 // len(unclosed))))
    assert time.monotonic() - began < 2


def test_a_gap_in_numbered_parts_is_no_whole_list() -> None:
    second = json.dumps([meta_entry("carer.two")])
    assert "part of one of its lists is missing" in refusal("instagram", ("followers_2.json", second))


@pytest.mark.parametrize("newer", [True, False])
def test_tiktok_under_both_names_of_its_parts(newer: bool) -> None:
    found = read("tiktok", ("user_data_tiktok.json", json.dumps(tiktok(["carer.one"], newer=newer))))
    assert names(found, Fact.FOLLOWERS) == ["carer.one"]
    assert found.lists[Fact.FOLLOWERS][0].at == datetime(2026, 10, 1, 9, 30, tzinfo=UTC)
    assert found.lists[Fact.FOLLOWS] == ()
    assert found.owner_name == ("trip.2026" if newer else None)
    assert found.made_on is None


def test_of_a_file_that_has_everything_in_it_only_the_lists_are_kept() -> None:
    whole = {**tiktok(["carer.one"]), "Direct Messages": {"Chat History": {"carer.one": ["Where is the coach?"]}}}
    (kept,) = read("tiktok", ("user_data_tiktok.json", json.dumps(whole))).parts.values()
    assert b"coach" not in kept
    again = read("tiktok", ("user_data_tiktok.json", kept))
    assert names(again, Fact.FOLLOWERS) == ["carer.one"]
    assert again.owner_name == "trip.2026"


def test_youtube_tells_what_the_channel_subscribes_to() -> None:
    table = "Channel Id,Channel Url,Channel Title\nUC1,http://www.youtube.com/channel/UC1,The News\n"
    files = {"Takeout/YouTube and YouTube Music/subscriptions/subscriptions.csv": table}
    found = read("youtube", ("takeout-20261119T101112Z-001.zip", zipped(files)))
    assert [(entry.id, entry.name) for entry in found.lists[Fact.FOLLOWS]] == [("UC1", "The News")]
    assert found.made_on == date(2026, 11, 19)
    assert read("youtube", ("subscriptions.csv", table.splitlines()[0])).lists[Fact.FOLLOWS] == ()
    assert "other columns" in refusal("youtube", ("subscriptions.csv", "Kanal-ID,Kanaltitel\nUC1,x\n"))


def test_facebook_and_threads_are_read_as_far_as_they_are_known() -> None:
    follows = {"following_v3": [{"name": "The Town", "timestamp": 1_700_000_000}]}
    archive = zipped({"connections/followers/who_you_follow.json": json.dumps(follows)})
    assert names(read("facebook_page", ("facebook-school.page-2026-11-20.zip", archive)), Fact.FOLLOWS) == ["The Town"]
    threads = {"text_post_app_text_post_app_followers": [meta_entry("carer.one")]}
    archive = zipped({"your_instagram_activity/threads/followers.json": json.dumps(threads)})
    assert names(read("threads", ("threads.zip", archive)), Fact.FOLLOWERS) == ["carer.one"]


# --------------------------------------------------------------------------------------------------- refusals


def test_what_is_no_export_is_refused_in_words() -> None:
    assert "not a file of such an export" in refusal("x", ("holiday.jpg", b"\xff\xd8\xff"))
    assert "Nothing in it" in refusal("x", ("a.zip", zipped({"cat.txt": "miaow"})))
    assert "damaged" in refusal("x", ("a.zip", b"PK\x03\x04 and nothing else"))
    assert "cannot be read" in refusal("x", ("follower.js", "window.YTD.follower.part0 = [{"))
    assert "not a file of such" in refusal("x", ("follower.js", "alert(1); x = []"))
    assert "not UTF-8" in refusal("tiktok", ("user_data.json", b"\xff\xfe\x00"))
    assert "cannot be read" in refusal("tiktok", ("user_data.json", "[" * 100_000))
    assert "Nothing in it is a list" in refusal("tiktok", ("user_data.json", "{}"))
    assert "neither a name nor a number" in refusal("instagram", ("followers_1.json", '[{"title": ""}]'))


@pytest.mark.asvs("5.2.3")
def test_a_bomb_does_not_go_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "MOST_OF_ONE", 1_000_000)
    bomb = zipped({"data/follower.js": b"0" * 20_000_000})
    assert len(bomb) < 100_000
    assert "larger than what is read" in refusal("x", ("a.zip", bomb))


@pytest.mark.asvs("5.2.3")
def test_all_parts_together_have_a_limit_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "MOST_OF_ALL", 1_500_000)
    part = b"window.YTD.follower.part0 = [" + b" " * 1_000_000 + b"]"
    files = {"data/follower.js": part, "data/follower-part1.js": part}
    assert "larger" in refusal("x", ("a.zip", zipped(files)))
    assert "larger" in refusal("x", *files.items())


@pytest.mark.asvs("5.2.3")
def test_too_many_names_or_lines_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "MOST_PARTS", 3)
    assert "larger" in refusal("x", ("a.zip", zipped({f"{one}.txt": "" for one in range(4)})))
    monkeypatch.setattr(exports, "MOST_ENTRIES", 2)
    assert "larger" in refusal("instagram", ("followers_1.json", json.dumps([meta_entry("a")] * 3)))


def test_the_same_file_twice_is_refused() -> None:
    text = json.dumps([meta_entry("a")])
    assert "twice" in refusal("instagram", ("followers_1.json", text), ("followers_1.json", text))


def test_a_locked_archive_is_refused() -> None:
    content = bytearray(zipped(x_archive()))
    for at in range(len(content) - 4):  # the flag that says so, in each header
        if content[at : at + 4] == b"PK\x03\x04":
            content[at + 6] |= 1
        elif content[at : at + 4] == b"PK\x01\x02":
            content[at + 8] |= 1
    assert "locked" in refusal("x", ("a.zip", bytes(content)))


def test_a_method_of_packing_that_nobody_uses_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("data/follower.js", "window.YTD.follower.part0 = []")
    assert "locked or packed" in refusal("x", ("a.zip", out.getvalue()))


def test_a_name_is_one_short_line_whatever_is_in_it() -> None:
    entry = meta_entry("a\u202e\r\nb\x00" + "c" * 500)
    found = read("instagram", ("followers_1.json", json.dumps([entry])))
    (name,) = names(found, Fact.FOLLOWERS)
    assert name is not None
    assert (name[:5], len(name)) == ("a b c", 200)


# --------------------------------------------------------------------------------------------------- anything at all

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
KEYS = st.sampled_from(["x", "instagram", "tiktok", "youtube", "facebook_page", "threads"])
PARTS = st.sampled_from(
    [
        "data/follower.js", "data/manifest.js", "followers_1.json", "followers_1.html", "following.json",
        "liked_posts.json", "user_data.json", "subscriptions.csv", "who_you_follow.json", "followers.json", "x.zip",
    ]
)  # fmt: skip


@given(KEYS, PARTS, st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(key: str, name: str, content: bytes) -> None:
    try:
        found = read(key, (name, content))
    except InvalidInput as error:
        assert error.fields["files"]
    else:
        assert found.lists


@given(KEYS, PARTS, JSON)
def test_any_json_is_read_or_refused(key: str, name: str, tree: object) -> None:
    text = json.dumps(tree)
    try:
        found = read(key, (name, f"window.YTD.a.part0 = {text}" if name.endswith(".js") else text))
    except InvalidInput as error:
        assert error.fields["files"]
    else:
        for entries in found.lists.values():
            assert all(len(entry.name or "") <= exports.MOST_NAME for entry in entries)


@given(st.lists(st.from_regex(r"[a-z0-9._]{1,30}", fullmatch=True), unique=True, max_size=30))
def test_every_follower_is_found_in_every_form(handles: list[str]) -> None:
    as_json = read("instagram", ("a.zip", instagram(handles)))
    assert names(as_json, Fact.FOLLOWERS) == handles
    links = "".join(f"<a href='https://www.instagram.com/{one}'>{one}</a>" for one in handles)
    assert names(read("instagram", ("followers_1.html", f"{links}<a href='#'>Top</a>")), Fact.FOLLOWERS) == handles


@given(st.binary(min_size=1, max_size=60), st.integers(0, 400))
def test_a_damaged_archive_is_read_or_refused(noise: bytes, at: int) -> None:
    content = bytearray(zipped(export_files.x_archive(["11"])))
    content[at : at + len(noise)] = noise
    try:
        found = read("x", ("a.zip", bytes(content)))
    except InvalidInput as error:
        assert error.fields["files"]
    else:
        assert found.lists


def test_a_file_that_was_left_out_does_not_hide_whose_the_others_are() -> None:
    files = x_archive(["11"])
    del files["data/manifest.js"]
    assert "manifest.js" in refusal("x", *files.items())


def test_an_archive_that_is_nothing_but_a_list_of_names_is_refused_before_the_list_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """25 MB of it would become 300 MB and take six seconds."""
    monkeypatch.setattr(exports, "MOST_PARTS", 10)
    monkeypatch.setattr(zipfile, "ZipFile", None)
    assert "larger" in refusal("x", ("a.zip", b"PK\x03\x04" + 11 * (b"PK\x01\x02" + 46 * b"\x00")))
