"""Posts: what a change takes back, the gate at the last moment, published once, settled by reading, taken down."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from closing_school import PASSWORD, deposited, events, with_platform
from factories import NOW, staff
from networks import Clock, Sandbox, served
from people_school import carer, permit, person, photo, pupil, trip
from PIL import ExifTags, Image

from socialgov import platforms
from socialgov.actions import posts, publishing
from socialgov.actions.audience import set_audience
from socialgov.actions.blobs import read_blob
from socialgov.actions.grants import GrantForm, record_grant, withdraw_grant
from socialgov.actions.post_facts import blocking
from socialgov.errors import Conflict, GateRefused, InvalidInput, NotPermitted
from socialgov.home import Home
from socialgov.lifecycle import WrongState
from socialgov.models import Account, AccountState, Answer, Person, PersonKind, Post, PostState, Role, Staff, Use
from socialgov.platforms import CannotDo, PlatformError
from socialgov.sandbox import create_sandbox
from socialgov.sandbox.wall import Wall
from socialgov.store.connect import guarded_update, write
from socialgov.store.posts import media_of, post_by_id, posts_to_take_down
from socialgov.store.rows import scalar

SOON = NOW + timedelta(minutes=10)
WORDS = "We reached the top."


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Sandbox]:
    app = create_sandbox(tmp_path / "sandbox.db", Clock(NOW))
    with served(app) as url:
        yield Sandbox(app.extensions["network"], Clock(NOW), url)


@pytest.fixture
def school(home: Home, network: Sandbox) -> Home:
    """A school without second checker whose sandbox is running."""
    info = replace(home.settings.platforms["sandbox"], api_base=network.info.api_base)
    network.network.create_account("lakes2026", PASSWORD, private=True)
    return with_platform(home, info, second_checker=False)


@pytest.fixture
def account(school: Home, teacher: Staff) -> Account:
    made = trip(school, teacher, platform="sandbox")
    deposited(school, made)
    return made


@pytest.fixture
def child(school: Home, teacher: Staff, account: Account) -> Person:
    one = pupil(school, "Ann", "Lee")
    carer(school, "Mary", "Lee", of=[one])
    set_audience(school, teacher, account.id, [one.id], now=NOW)
    return one


def drafted(home: Home, actor: Staff, account: Account, *shown: Person, text: str = WORDS) -> Post:
    """A post with a photo of these people, everything filled in and confirmed."""
    post = posts.draft_post(home, actor, account.id, text, now=NOW)
    posts.add_photo(home, actor, post.id, photo(), "A class on a hill", now=NOW)
    posts.set_depictions(
        home,
        actor,
        post.id,
        shown=[one.id for one in shown],
        people_in_picture=len(shown),
        nobody_identifiable=not shown,
        now=NOW,
    )
    return confirmed(home, actor, post.id)


def confirmed(home: Home, actor: Staff, post_id: int) -> Post:
    given = {"permanence": True, "school_equipment": True, "own_work": True}
    return posts.confirm(home, actor, post_id, **given, now=NOW)


def on_the_wall(network: Sandbox) -> list[str]:
    return [one.text for one in Wall(network.network).entries(network.network.named("lakes2026"))]


def refused(home: Home, verb: Callable[[], Any]) -> dict[str, str]:
    with pytest.raises(GateRefused) as error:
        verb()
    return {finding.rule_id: finding.because for finding in error.value.findings}


# --------------------------------------------------------------------------------------------------- the draft


def test_what_was_uploaded_is_not_kept_only_the_cleaned_photo(school: Home, teacher: Staff, account: Account) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "KESTREL"
    post = posts.draft_post(school, teacher, account.id, WORDS, now=NOW)
    posts.add_photo(school, teacher, post.id, photo(exif=exif.tobytes(), comment=b"KESTREL"), "A hill", now=NOW)
    (media,) = media_of(school.db, post.id)
    content, mime = read_blob(school, media.blob_id)
    assert mime == "image/jpeg" and media.cleaned and b"KESTREL" not in content
    assert scalar(school.db, "select count(*) from blob") == 1
    for path in school.path.rglob("*"):
        assert not path.is_file() or b"KESTREL" not in path.read_bytes()


def test_a_bad_photo_leaves_no_file_and_no_row(school: Home, teacher: Staff, account: Account) -> None:
    post = posts.draft_post(school, teacher, account.id, WORDS, now=NOW)
    with pytest.raises(InvalidInput):
        posts.add_photo(school, teacher, post.id, photo()[:900], "A hill", now=NOW)
    assert scalar(school.db, "select count(*) from blob") == 0


def test_a_post_has_words_within_the_platforms_length_and_at_most_four_photos(
    school: Home, teacher: Staff, account: Account
) -> None:
    for text in ("  \n ", "x" * (school.settings.platforms["sandbox"].post_length + 1)):
        with pytest.raises(InvalidInput):
            posts.draft_post(school, teacher, account.id, text, now=NOW)
    post = posts.draft_post(school, teacher, account.id, WORDS, now=NOW)
    for _ in range(4):
        posts.add_photo(school, teacher, post.id, photo(), "A hill", now=NOW)
    with pytest.raises(InvalidInput, match="at most 4"):
        posts.add_photo(school, teacher, post.id, photo(), "A hill", now=NOW)


def test_an_accent_that_was_typed_in_two_signs_is_kept_as_one_as_platforms_keep_it(
    school: Home, teacher: Staff, account: Account
) -> None:
    assert posts.draft_post(school, teacher, account.id, "Cafe\u0301", now=NOW).text == "Caf\u00e9"


def test_every_change_takes_back_the_confirmation(
    school: Home, teacher: Staff, account: Account, child: Person
) -> None:
    post = drafted(school, teacher, account, child)
    changes: list[Callable[[], Post]] = [
        lambda: posts.edit_post(school, teacher, post.id, "Other words", now=NOW),
        lambda: posts.add_photo(school, teacher, post.id, photo(), "Another", now=NOW),
        lambda: posts.remove_photo(school, teacher, post.id, media_of(school.db, post.id)[-1].id, now=NOW),
        lambda: posts.set_depictions(school, teacher, post.id, shown=[child.id], people_in_picture=2, now=NOW),
    ]
    for change in changes:
        assert confirmed(school, teacher, post.id).permanence_confirmed_at is not None
        assert change().permanence_confirmed_at is None


def test_who_is_in_it_must_not_contradict_itself(school: Home, teacher: Staff, account: Account, child: Person) -> None:
    post = posts.draft_post(school, teacher, account.id, WORDS, now=NOW)

    def said(**more: Any) -> Post:
        return posts.set_depictions(school, teacher, post.id, now=NOW, **more)

    with pytest.raises(InvalidInput):
        said(shown=[child.id], people_in_picture=1)  # no picture
    posts.add_photo(school, teacher, post.id, photo(), "A hill", now=NOW)
    for wrong in (
        {"shown": [child.id], "people_in_picture": 1, "nobody_identifiable": True},
        {"shown": [child.id], "people_in_picture": None},
        {"shown": [], "people_in_picture": 3},
        {"shown": [9999], "people_in_picture": 1},
    ):
        with pytest.raises(InvalidInput):
            said(**wrong)
    assert said(shown=[], people_in_picture=None, nobody_identifiable=True).people_in_picture == 0


def test_without_its_last_photo_a_post_shows_nobody(
    school: Home, teacher: Staff, account: Account, child: Person
) -> None:
    post = drafted(school, teacher, account, child)
    posts.remove_photo(school, teacher, post.id, media_of(school.db, post.id)[0].id, now=NOW)
    confirmed(school, teacher, post.id)
    assert blocking(posts.check_post(school, post.id, NOW)) == []


def test_posts_are_written_on_live_accounts_by_keepers_only(school: Home, teacher: Staff, account: Account) -> None:
    with pytest.raises(NotPermitted):
        posts.draft_post(school, staff(school, Role.HEAD), account.id, WORDS, now=NOW)
    suspended = trip(school, teacher, state=AccountState.SUSPENDED, handle="b", handle_wished="b")
    with pytest.raises(WrongState):
        posts.draft_post(school, teacher, suspended.id, WORDS, now=NOW)


def test_two_who_change_the_same_draft_do_not_overwrite_each_other(
    school: Home, teacher: Staff, account: Account
) -> None:
    post = posts.draft_post(school, teacher, account.id, WORDS, now=NOW)
    with write(school.db) as db:
        guarded_update(db, "post", post.id, {"version": post.version + 1})
    from socialgov.actions.post_changes import change_post

    with pytest.raises(Conflict), write(school.db) as db:
        change_post(db, teacher, post, {"text": "Lost"}, NOW)
    assert post_by_id(school.db, post.id).text == WORDS


# --------------------------------------------------------------------------------------------------- the gate


def test_a_photo_of_a_child_without_permission_does_not_go_out_and_with_it_does(
    school: Home, network: Sandbox, teacher: Staff, account: Account, child: Person
) -> None:
    post = drafted(school, teacher, account, child)
    because = refused(school, lambda: posts.publish_post(school, teacher, post.id, now=NOW))
    assert because["MED501"] == "No parent or carer of Ann Lee has permitted this (photo)."
    assert on_the_wall(network) == [] and post_by_id(school.db, post.id).state is PostState.DRAFT
    log = events(school, "post:gate:refused")
    assert "MED501" in log[0]["data"] and "Lee" not in log[0]["data"]
    permit(school, child)
    done = posts.publish_post(school, teacher, post.id, now=NOW)
    assert done.state is PostState.PUBLISHED and done.remote_id
    assert on_the_wall(network) == [WORDS]


@pytest.mark.parametrize(
    ("spoil", "rule"),
    [
        ({"permanence": False}, "MED507"),
        ({"school_equipment": False}, "MED508"),
        ({"own_work": False}, "MED509"),
    ],
)
def test_nothing_goes_out_without_the_authors_word(
    school: Home, teacher: Staff, account: Account, child: Person, spoil: dict[str, bool], rule: str
) -> None:
    permit(school, child)
    post = drafted(school, teacher, account, child)
    given = {"permanence": True, "school_equipment": True, "own_work": True, **spoil}
    posts.confirm(school, teacher, post.id, **given, now=NOW)
    assert set(refused(school, lambda: posts.publish_post(school, teacher, post.id, now=NOW))) == {rule}


def test_one_who_is_not_named_keeps_the_picture_back(
    school: Home, teacher: Staff, account: Account, child: Person
) -> None:
    permit(school, child)
    post = drafted(school, teacher, account, child)
    posts.set_depictions(school, teacher, post.id, shown=[child.id], people_in_picture=2, now=NOW)
    confirmed(school, teacher, post.id)
    assert set(refused(school, lambda: posts.publish_post(school, teacher, post.id, now=NOW))) == {"MED505"}


def test_a_name_in_the_words_or_in_a_description_needs_its_own_permission(
    school: Home, teacher: Staff, account: Account, child: Person
) -> None:
    permit(school, child)
    stranger = pupil(school, "Zoë", "Quill")
    for text in ("Well done Zoe Quill", "#ZoeQuill"):
        post = drafted(school, teacher, account, child, text=text)
        because = refused(school, lambda post=post: posts.publish_post(school, teacher, post.id, now=NOW))
        assert "Zoë Quill" in because["MED503"]
    posts.set_depictions(school, teacher, post.id, shown=[child.id], named=[stranger.id], people_in_picture=1, now=NOW)
    confirmed(school, teacher, post.id)
    assert set(refused(school, lambda: posts.publish_post(school, teacher, post.id, now=NOW))) == {"MED503"}
    permit(school, stranger, use=Use.NAME)
    assert blocking(posts.check_post(school, post.id, NOW)) == []


def test_adults_are_asked_too(school: Home, teacher: Staff, account: Account) -> None:
    colleague = person(school, PersonKind.STAFF, "Sam", "Reed")
    post = drafted(school, teacher, account, colleague)
    assert "MED502" in refused(school, lambda: posts.publish_post(school, teacher, post.id, now=NOW))
    permit(school, colleague, by=colleague)
    assert posts.publish_post(school, teacher, post.id, now=NOW).state is PostState.PUBLISHED


def test_a_permission_withdrawn_between_the_look_and_the_claim_stops_the_post(
    school: Home, teacher: Staff, account: Account, child: Person, network: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gate is asked again inside the transaction that claims the post: nothing slips in between."""
    grant, data_manager = permit(school, child), staff(school, Role.DATA_MANAGER)
    post, look = drafted(school, teacher, account, child), publishing.refuse_unless_open

    def look_then_withdraw(*args: Any, **named: Any) -> None:
        look(*args, **named)
        monkeypatch.setattr(publishing, "refuse_unless_open", look)
        withdraw_grant(school, data_manager, grant, now=NOW)

    monkeypatch.setattr(publishing, "refuse_unless_open", look_then_withdraw)
    assert "MED504" in refused(school, lambda: posts.publish_post(school, teacher, post.id, now=NOW))
    assert on_the_wall(network) == []
    assert post_by_id(school.db, post.id).state is PostState.DRAFT


def test_a_permission_withdrawn_after_the_check_stops_the_post_at_the_last_moment(
    school: Home, network: Sandbox, teacher: Staff, account: Account, child: Person
) -> None:
    grant = permit(school, child)
    post = drafted(school, teacher, account, child)
    assert blocking(posts.check_post(school, post.id, NOW)) == []
    assert withdraw_grant(school, staff(school, Role.DATA_MANAGER), grant, now=NOW) == []
    assert "MED504" in refused(school, lambda: posts.publish_post(school, teacher, post.id, now=NOW))
    assert on_the_wall(network) == []


def test_an_account_that_is_not_live_any_more_publishes_nothing(
    school: Home, network: Sandbox, teacher: Staff, account: Account
) -> None:
    post = drafted(school, teacher, account)
    with write(school.db) as db:
        guarded_update(db, "account", account.id, {"state": AccountState.CLOSING})
    assert "MED511" in refused(school, lambda: posts.publish_post(school, teacher, post.id, now=NOW))
    assert on_the_wall(network) == []


# --------------------------------------------------------------------------------------------------- second look


def test_a_colleague_looks_before_it_goes_out(
    school: Home, network: Sandbox, teacher: Staff, account: Account, child: Person
) -> None:
    school = with_platform(school, school.settings.platforms["sandbox"], second_checker=True)
    permit(school, child)
    post, colleague = drafted(school, teacher, account, child), staff(school)
    assert set(refused(school, lambda: posts.publish_post(school, teacher, post.id, now=NOW))) == {"MED506"}
    posts.submit_post(school, teacher, post.id, now=NOW)
    with pytest.raises(NotPermitted):
        posts.second_check(school, teacher, post.id, True, now=NOW)
    with pytest.raises(NotPermitted):
        posts.second_check(school, staff(school, Role.GOVERNOR), post.id, True, now=NOW)
    posts.second_check(school, colleague, post.id, True, now=NOW)
    assert posts.publish_post(school, teacher, post.id, now=NOW).state is PostState.PUBLISHED
    assert scalar(school.db, "select count(*) from notice where kind = 'post_waits'") == 1


def test_what_is_changed_after_the_second_look_needs_another(
    school: Home, teacher: Staff, account: Account, child: Person
) -> None:
    school = with_platform(school, school.settings.platforms["sandbox"], second_checker=True)
    permit(school, child)
    post = drafted(school, teacher, account, child)
    posts.submit_post(school, teacher, post.id, now=NOW)
    posts.second_check(school, staff(school), post.id, True, now=NOW)
    changed = posts.edit_post(school, teacher, post.id, "Other words", now=NOW)
    assert (changed.state, changed.checked_by) == (PostState.DRAFT, None)
    confirmed(school, teacher, post.id)
    assert "MED506" in refused(school, lambda: posts.publish_post(school, teacher, post.id, now=NOW))


def test_a_no_needs_a_reason_and_sends_the_post_back(
    school: Home, teacher: Staff, account: Account, child: Person
) -> None:
    school = with_platform(school, school.settings.platforms["sandbox"], second_checker=True)
    post, colleague = drafted(school, teacher, account), staff(school)
    posts.submit_post(school, teacher, post.id, now=NOW)
    with pytest.raises(InvalidInput):
        posts.second_check(school, colleague, post.id, False, now=NOW)
    sent_back = posts.second_check(school, colleague, post.id, False, "Ben is behind the tree", now=NOW)
    assert (sent_back.state, sent_back.check_reason) == (PostState.REFUSED, "Ben is behind the tree")
    assert "Ben" not in str(events(school, "post:check:decided"))
    assert "MED506" in refused(school, lambda: posts.publish_post(school, teacher, post.id, now=NOW))
    assert posts.edit_post(school, teacher, post.id, "Mended", now=NOW).state is PostState.DRAFT


def test_nobody_is_asked_to_look_at_what_cannot_go_out(
    school: Home, teacher: Staff, account: Account, child: Person
) -> None:
    school = with_platform(school, school.settings.platforms["sandbox"], second_checker=True)
    post = drafted(school, teacher, account, child)
    assert set(refused(school, lambda: posts.submit_post(school, teacher, post.id, now=NOW))) == {"MED501", "MED504"}


# --------------------------------------------------------------------------------------------------- publishing


class Interrupted(Exception):
    """Stands for the process dying at that point."""


def test_a_lost_answer_is_settled_by_reading_and_the_post_is_out_once(
    school: Home, network: Sandbox, teacher: Staff, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = drafted(school, teacher, account)
    adapter = platforms.adapter_class(school.settings.platforms["sandbox"])
    publish = adapter.publish

    def answer_lost(self: Any, *args: Any, **kwargs: Any) -> str:
        publish(self, *args, **kwargs)
        raise PlatformError("No answer.", permanent=False, outcome_unknown=True)

    monkeypatch.setattr(adapter, "publish", answer_lost)
    with pytest.raises(PlatformError):
        posts.publish_post(school, teacher, post.id, now=NOW)
    assert post_by_id(school.db, post.id).state is PostState.PUBLISHING
    with pytest.raises(Conflict):
        posts.publish_post(school, teacher, post.id, now=NOW)
    assert posts.settle_publishing(school, NOW + timedelta(minutes=1)) == 0  # too early: it may still be going out
    assert posts.settle_publishing(school, SOON) == 1
    settled = post_by_id(school.db, post.id)
    assert settled.state is PostState.PUBLISHED and settled.remote_id
    assert on_the_wall(network) == [WORDS]
    assert posts.settle_publishing(school, SOON) == 0


def test_a_post_that_never_arrived_is_a_draft_again_and_can_go_out(
    school: Home, network: Sandbox, teacher: Staff, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = drafted(school, teacher, account)
    adapter = platforms.adapter_class(school.settings.platforms["sandbox"])
    with monkeypatch.context() as patch:
        patch.setattr(adapter, "publish", lambda *args, **kwargs: (_ for _ in ()).throw(Interrupted()))
        with pytest.raises(Interrupted):
            posts.publish_post(school, teacher, post.id, now=NOW)
    assert post_by_id(school.db, post.id).state is PostState.PUBLISHING
    assert posts.settle_publishing(school, SOON) == 1
    assert post_by_id(school.db, post.id).state is PostState.DRAFT
    assert posts.publish_post(school, teacher, post.id, now=SOON).state is PostState.PUBLISHED
    assert on_the_wall(network) == [WORDS]


def test_what_cannot_be_read_yet_stays_unsettled(
    school: Home, teacher: Staff, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = drafted(school, teacher, account)
    with write(school.db) as db:
        guarded_update(db, "post", post.id, {"state": PostState.PUBLISHING, "publishing_at": NOW})
    dead = with_platform(school, replace(school.settings.platforms["sandbox"], api_base="http://127.0.0.1:9/api"))
    assert posts.settle_publishing(dead, SOON) == 0
    assert post_by_id(school.db, post.id).state is PostState.PUBLISHING


def test_a_clear_refusal_frees_the_post_at_once(school: Home, teacher: Staff, account: Account) -> None:
    post = drafted(school, teacher, account)
    dead = with_platform(school, replace(school.settings.platforms["sandbox"], api_base="http://127.0.0.1:9/api"))
    with pytest.raises(PlatformError):
        posts.publish_post(dead, teacher, post.id, now=NOW)
    assert post_by_id(school.db, post.id).state is PostState.DRAFT
    assert len(events(school, "post:publish:failed")) == 1


def test_two_who_press_publish_at_once_publish_once(
    school: Home, network: Sandbox, teacher: Staff, account: Account
) -> None:
    post = drafted(school, teacher, account)
    outcomes: list[object] = []

    def press() -> None:
        try:
            outcomes.append(posts.publish_post(school, teacher, post.id, now=NOW).state)
        except Conflict as error:
            outcomes.append(type(error))

    threads = [threading.Thread(target=press) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count(PostState.PUBLISHED) == 1 and outcomes.count(Conflict) == 3
    assert on_the_wall(network) == [WORDS]


def test_a_published_post_is_taken_down_on_the_platform(
    school: Home, network: Sandbox, teacher: Staff, account: Account
) -> None:
    post = posts.publish_post(school, teacher, drafted(school, teacher, account).id, now=NOW)
    with pytest.raises(NotPermitted):
        posts.remove_post(school, staff(school), post.id, now=NOW)
    assert posts.remove_post(school, teacher, post.id, now=NOW).state is PostState.REMOVED
    assert on_the_wall(network) == []
    with pytest.raises(Conflict):
        posts.remove_post(school, teacher, post.id, now=NOW)


def test_where_a_person_posts_the_gate_opens_a_hand_over(school: Home, teacher: Staff, child: Person) -> None:
    account = trip(school, teacher, handle="hills", handle_wished="hills")  # on a platform that takes no posts
    post = drafted(school, teacher, account, child)
    assert "MED501" in refused(school, lambda: posts.hand_over_post(school, teacher, post.id, now=NOW))
    grant = permit(school, child)
    assert posts.hand_over_post(school, teacher, post.id, now=NOW).state is PostState.PUBLISHING
    assert posts.settle_publishing(school, SOON) == 0  # it is in a person's hands
    due = withdraw_grant(school, staff(school, Role.DATA_MANAGER), grant, now=NOW)
    assert [one.id for one in due] == [post.id]
    back = posts.give_up_hand_over(school, teacher, post.id, now=NOW)
    assert (back.state, back.take_down_by_at) == (PostState.DRAFT, None)
    permit(school, child, on=date(2026, 11, 23), by=None)
    with write(school.db) as db:
        db.execute("delete from grant_of where answer = 'withdrawn'")
    posts.hand_over_post(school, teacher, post.id, now=NOW)
    with pytest.raises(InvalidInput):
        posts.report_posted(school, teacher, post.id, screenshot=b"no picture", now=NOW)
    out = posts.report_posted(school, teacher, post.id, screenshot=photo(fmt="PNG"), now=NOW)
    assert out.state is PostState.PUBLISHED and out.evidence_id
    with pytest.raises(CannotDo):
        posts.remove_post(school, teacher, post.id, now=NOW)
    assert posts.report_removed(school, teacher, post.id, now=NOW).state is PostState.REMOVED


# --------------------------------------------------------------------------------------------------- withdrawal


def test_a_withdrawal_lists_every_post_that_shows_the_child_and_tells_the_keepers(
    school: Home, teacher: Staff, account: Account, child: Person
) -> None:
    grant, other = permit(school, child), pupil(school, "Ben", "Day")
    permit(school, other)
    published = [
        posts.publish_post(school, teacher, drafted(school, teacher, account, *who, text=text).id, now=NOW).id
        for who, text in (((child,), "One"), ((child, other), "Two"), ((other,), "Three"))
    ]
    draft = drafted(school, teacher, account, child)
    data_manager = staff(school, Role.DATA_MANAGER)
    due = withdraw_grant(school, data_manager, grant, now=NOW)
    assert [one.id for one in due] == published[:2]
    hours = school.settings.policy.take_down_hours
    assert {one.take_down_by_at for one in posts_to_take_down(school.db)} == {NOW + timedelta(hours=hours)}
    assert draft.id not in {one.id for one in due}
    told = scalar(school.db, "select group_concat(text) from notice where kind = 'take_down'")
    assert told and "Ann" not in told and "Lee" not in told
    assert len(events(school, "post:takedown:due")) == 2
    posts.remove_post(school, teacher, published[0], now=NOW)
    assert [one.id for one in posts_to_take_down(school.db)] == [published[1]]


def test_a_permission_given_again_lifts_the_deadline(
    school: Home, teacher: Staff, account: Account, child: Person
) -> None:
    mother = carer(school, "Mo", "Lee", of=[child])
    grant, data_manager = permit(school, child, by=mother), staff(school, Role.DATA_MANAGER)
    posts.publish_post(school, teacher, drafted(school, teacher, account, child).id, now=NOW)
    assert withdraw_grant(school, data_manager, grant, now=NOW)
    again = GrantForm(child.id, Use.PHOTO, Answer.GRANTED, school.today(NOW), given_by=mother.id)
    assert record_grant(school, data_manager, again, now=NOW + timedelta(minutes=1)) == []
    assert posts_to_take_down(school.db) == []


def test_a_refusal_of_one_parent_wins_over_the_grant_of_the_other(
    school: Home, teacher: Staff, account: Account, child: Person
) -> None:
    mother, father = carer(school, "Mo", "Lee", of=[child]), carer(school, "Fa", "Lee", of=[child])
    permit(school, child, by=mother)
    posts.publish_post(school, teacher, drafted(school, teacher, account, child).id, now=NOW)
    no = GrantForm(child.id, Use.PHOTO, Answer.REFUSED, school.today(NOW), given_by=father.id)
    assert len(record_grant(school, staff(school, Role.DATA_MANAGER), no, now=NOW)) == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"given_on": date(2027, 1, 1)}, "given_on"),
        ({"valid_until_on": date(2020, 1, 1)}, "valid_until_on"),
        ({"basis": " "}, "basis"),
    ],
)
def test_an_answer_that_cannot_be_so_is_refused(
    school: Home, child: Person, changes: dict[str, Any], field: str
) -> None:
    form = replace(GrantForm(child.id, Use.PHOTO, Answer.GRANTED, date(2026, 11, 1)), **changes)
    with pytest.raises(InvalidInput) as error:
        record_grant(school, staff(school, Role.DATA_MANAGER), form, now=NOW)
    assert set(error.value.fields) == {field}


def test_an_answer_comes_from_a_carer_of_the_child_or_the_child(school: Home, child: Person) -> None:
    stranger = carer(school, "Kit", "Page", of=[pupil(school, "Cy", "Page")])
    form = GrantForm(child.id, Use.PHOTO, Answer.GRANTED, date(2026, 11, 1), given_by=stranger.id)
    with pytest.raises(InvalidInput) as error:
        record_grant(school, staff(school, Role.DATA_MANAGER), form, now=NOW)
    assert set(error.value.fields) == {"given_by"}
    with pytest.raises(NotPermitted):
        record_grant(school, staff(school), form, now=NOW)


def test_a_discarded_draft_leaves_nothing(school: Home, teacher: Staff, account: Account, child: Person) -> None:
    post = drafted(school, teacher, account, child)
    posts.discard_post(school, teacher, post.id, now=NOW)
    assert scalar(school.db, "select count(*) from depiction") == 0
    assert scalar(school.db, "select count(*) from blob where erased_at is null") == 0
    assert [path for path in (school.path / "blobs").rglob("*") if path.is_file()] == []


def test_published_photos_carry_nothing_on_the_platform_either(
    school: Home, network: Sandbox, teacher: Staff, account: Account
) -> None:
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "N"
    post = posts.draft_post(school, teacher, account.id, WORDS, now=NOW)
    posts.add_photo(school, teacher, post.id, photo(exif=exif.tobytes()), "A hill", now=NOW)
    posts.set_depictions(school, teacher, post.id, shown=[], people_in_picture=0, nobody_identifiable=True, now=NOW)
    confirmed(school, teacher, post.id)
    done = posts.publish_post(school, teacher, post.id, now=NOW)
    shot = Wall(network.network).shot(int(done.remote_id or 0), 0)
    with Image.open(io.BytesIO(shot.content)) as there:
        assert not there.getexif() and b"Exif" not in shot.content
