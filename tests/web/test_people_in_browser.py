"""The pages of people, audience, followers and posts in a real browser: axe, and a post written on a phone."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from factories import NOW, staff
from people_school import carer, permit, person, photo, pupil, trip
from plugin_browser import follow
from test_axe import AXE, LOOKS, OF_LOOKS, TAGS, faults

from socialgov.actions import posts
from socialgov.actions.audience import add_member, set_audience
from socialgov.actions.followers import accept_follower, add_follower_by_hand, refuse_follower
from socialgov.actions.grants import withdraw_grant
from socialgov.actions.uploads import keep_upload
from socialgov.home import Home
from socialgov.models import Person, PersonKind, Post, PostState, Role, Staff
from socialgov.store.connect import guarded_update, write
from socialgov.store.posts import posts_of

pytestmark = pytest.mark.browser


def full_post(home: Home, owner: Staff, account_id: int, *shown: Person, text: str) -> Post:
    post = posts.draft_post(home, owner, account_id, text, now=NOW)
    posts.add_photo(home, owner, post.id, photo(1200, 900), "A class on a hill", now=NOW)
    ids = [one.id for one in shown]
    posts.set_depictions(home, owner, post.id, shown=ids, people_in_picture=len(ids), now=NOW)
    return posts.confirm(home, owner, post.id, permanence=True, school_equipment=True, own_work=True, now=NOW)


def pages(home: Home, owner: Staff, keeper: Staff) -> list[tuple[Staff, str]]:
    """(who looks, path) of every page, with something on it."""
    account, colleague = trip(home, owner), staff(home)
    ann, zoe = pupil(home, "Ann", "Lee"), pupil(home, "Zoë", "Quill")
    mary, sam = carer(home, "Mary", "Lee", of=[ann]), person(home, PersonKind.STAFF, "Sam", "Reed")
    set_audience(home, owner, account.id, [ann.id, zoe.id], now=NOW)
    add_member(home, owner, account.id, sam.id, now=NOW)
    followers = [add_follower_by_hand(home, owner, account.id, name, "", now=NOW) for name in ("mary_l", "dave", "sam")]
    accept_follower(home, owner, followers[0].id, mary.id, now=NOW)
    refuse_follower(home, owner, followers[1].id, "Nobody knows them.", now=NOW)
    grant = permit(home, ann, by=mary)
    out = full_post(home, owner, account.id, ann, text="At the top")
    handed = full_post(home, owner, account.id, ann, text="At the lake")
    waiting = full_post(home, owner, account.id, ann, text="In the hut")
    for post in (out, handed, waiting):
        posts.submit_post(home, owner, post.id, now=NOW)
    for post in (out, handed):
        posts.second_check(home, colleague, post.id, True, now=NOW)
        posts.hand_over_post(home, owner, post.id, now=NOW)
    posts.report_posted(home, owner, out.id, link="https://instagram.example/p/1", now=NOW)
    draft = full_post(home, owner, account.id, zoe, text="Zoe Quill on the ridge")
    lost = full_post(home, owner, account.id, ann, text="Its answer was lost")
    with write(home.db) as db:
        guarded_update(db, "post", lost.id, {"state": PostState.PUBLISHING, "publishing_at": NOW - timedelta(hours=3)})
    withdraw_grant(home, keeper, permit(home, ann), now=NOW)
    good = keep_upload(home, keeper, b"id,forename,surname,hat\n9,Bo,Day,red\n", now=NOW)
    bad = keep_upload(home, keeper, b"id,forename,surname\n9,,Day\n", now=NOW)
    at = f"/accounts/{account.id}"
    people = [
        "/people/",
        "/people/?q=lee",
        "/people/?q=xyz",
        "/people/import",
        f"/people/{ann.id}",
        f"/people/{mary.id}",
    ]
    people += [f"/people/{ann.id}/permission", f"/people/{ann.id}/permissions/{grant}/withdraw"]
    people += [f"/people/import/people/{good}", f"/people/import/people/{bad}"]
    owned = ["audience", "audience/pupils", "audience/pupils?form=9B", "audience/staff?q=sam", "followers"]
    owned += ["followers/add", f"followers/{followers[2].id}", "posts", "posts/new"]
    owned += [f"posts/{post.id}" for post in (out, handed, waiting, draft)]
    owned += [f"posts/{draft.id}/{page}" for page in ("text", "photo", "who", "confirm")]
    owned += [f"posts/{lost.id}", f"posts/{lost.id}/hand-over"]
    owned += [f"posts/{handed.id}/hand-over", f"posts/{out.id}/remove", f"posts/{out.id}/removed"]
    looks = [(colleague, f"{at}/posts/{waiting.id}"), (colleague, f"{at}/posts/{waiting.id}/second-look")]
    return [(keeper, path) for path in people] + [(owner, f"{at}/{path}") for path in owned] + looks


def test_no_page_of_people_or_posts_has_a_fault_that_axe_knows(site: Any) -> None:
    home: Home = site.home
    owner, keeper = staff(home), staff(home, Role.DATA_MANAGER)
    tabs: dict[int, Any] = {}
    wrong: list[str] = []
    for who, path in pages(home, owner, keeper):
        tab = tabs.get(who.id) or tabs.setdefault(who.id, site.open(who))
        answer = tab.goto(path)
        if answer.status != 200:
            wrong.append(f"{path}: {answer.status}")
        tab.evaluate(AXE)
        tab.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        for number, (width, scheme) in enumerate(LOOKS):
            tab.set_viewport_size({"width": width, "height": 900})
            tab.emulate_media(color_scheme=scheme)
            wrong += [f"{path} at {width} {scheme}: {fault}" for fault in faults(tab, OF_LOOKS if number else TAGS)]
            wide = tab.evaluate("document.documentElement.scrollWidth")
            if wide > width:
                wrong.append(f"{path} at {width}: it is {wide} px wide and must be scrolled sideways")
    assert wrong == []


def test_a_teacher_on_a_phone_is_told_which_photo_may_go_out(site: Any, tmp_path: Path) -> None:
    home: Home = site.home
    owner, colleague = staff(home), staff(home)
    account = trip(home, owner)
    ann, ben = pupil(home, "Ann", "Lee"), pupil(home, "Ben", "Day")
    permit(home, ann)
    set_audience(home, owner, account.id, [ann.id, ben.id], now=NOW)
    picture = tmp_path / "IMG_0001.jpg"
    picture.write_bytes(photo(1600, 1200))
    phone = site.open(owner, width=390)
    phone.goto(f"/accounts/{account.id}/posts")
    phone.get_by_role("link", name="Write a post").click()
    phone.get_by_label("What should the post say?").fill("We reached the top.")
    phone.get_by_role("button", name="Save and go on").click()
    phone.get_by_label("Photo", exact=True).set_input_files(picture)
    phone.get_by_label("What does the photo show?").fill("Two children on a hill")
    phone.get_by_role("button", name="Add the photo").click()
    phone.get_by_label("How many people can be recognised?").fill("2")
    phone.get_by_label("Ann Lee (9B)").check()
    phone.get_by_label("Ben Day (9B)").check()
    follow(phone.get_by_role("button", name="Save"))
    assert phone.get_by_text("No parent or carer of Ben Day has permitted this (photo).").count() >= 1
    follow(phone.get_by_role("link", name="Your confirmation"))
    for words in ("I know that what is online", "The photos were taken", "Everything in it"):
        phone.get_by_label(words).check()
    phone.get_by_role("button", name="Confirm").click()
    follow(phone.get_by_role("button", name="Ask a colleague to look"))
    assert "This post cannot go out yet." in phone.get_by_role("alert").inner_text()
    permit(home, ben)
    phone.goto(f"/accounts/{account.id}/posts/{posts_of(home.db, account.id)[0].id}")
    follow(phone.get_by_role("button", name="Ask a colleague to look"))
    posts.second_check(home, colleague, posts_of(home.db, account.id)[0].id, True, now=NOW)
    phone.reload()
    follow(phone.get_by_role("button", name="Hand over for posting"))
    with phone.expect_download() as download:
        phone.get_by_role("link", name="Save photo 1").click()
    assert download.value.path().read_bytes()[:3] == b"\xff\xd8\xff"
    phone.get_by_label("Link of the post").fill("https://instagram.example/p/1")
    follow(phone.get_by_role("button", name="It is out"))
    assert posts_of(home.db, account.id)[0].state is PostState.PUBLISHED
