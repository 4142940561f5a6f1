"""Hand over, confirm, review, live longer, except from a rule; and what needs you today."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from factories import NOW, staff, vault_of
from walk import (
    SECRET,
    Cast,
    approved,
    deposited,
    form_of,
    live,
    put_on_record,
    ready,
    requested,
    standing_form,
    tags,
)

from socialgov.actions import accounts
from socialgov.actions.credentials import record_login_test, reveal
from socialgov.actions.extensions import ask_extension, decide_extension
from socialgov.actions.findings import evaluate_account, gate
from socialgov.actions.followers import record_followers
from socialgov.actions.staff import staff_leaves
from socialgov.actions.today import needs_today
from socialgov.actions.waivers import PUBLIC_ACCOUNT_RULES, end_waiver, grant_waiver
from socialgov.errors import Conflict, InvalidInput, NotFound, NotPermitted
from socialgov.home import Home
from socialgov.lifecycle import WrongState
from socialgov.models import Account, Fact, Role, RotationReason, Staff
from socialgov.platforms import RemoteFollower
from socialgov.store.connect import insert, write
from socialgov.store.findings import findings_of
from socialgov.store.outbox import notices_of
from socialgov.store.rotations import open_rotation
from socialgov.store.rows import moment_text
from socialgov.store.waivers import active_waivers, extensions_of

LONGER = date(2026, 12, 20)


@pytest.fixture
def trip(home: Home, cast: Cast) -> Account:
    return live(home, cast)


@pytest.fixture
def club(home: Home, cast: Cast) -> Account:
    return live(home, cast, form=standing_form(cast))


# --------------------------------------------------------------------------------------------------- hand over


def test_an_account_is_handed_to_two_others(home: Home, cast: Cast, trip: Account) -> None:
    one, two = staff(home), staff(home)
    account = accounts.hand_over(home, cast.owner, trip.id, owner_id=one.id, deputy_id=two.id, now=NOW)
    assert (account.owner_id, account.deputy_id) == (one.id, two.id)
    assert tags(home, trip)[-2:] == ["account:keepers:changed", "credential:rotation:started"]
    assert {n.kind for n in notices_of(home.db, one.id)} == {"account_handed_over", "rotation"}


def test_an_account_is_not_handed_to_one_person_nor_to_a_leaver(home: Home, cast: Cast, trip: Account) -> None:
    left = staff(home)
    staff_leaves(home, cast.manager, left.id, now=NOW)
    for owner, deputy, field in (
        (cast.owner.id, cast.owner.id, "deputy_id"),
        (left.id, cast.deputy.id, "owner_id"),
        (cast.owner.id, 999, "deputy_id"),
        (cast.owner.id, cast.deputy.id, "owner_id"),
    ):
        with pytest.raises(InvalidInput) as caught:
            accounts.hand_over(home, cast.manager, trip.id, owner_id=owner, deputy_id=deputy, now=NOW)
        assert field in caught.value.fields


def test_the_password_is_changed_when_an_outgoing_keeper_knows_it(home: Home, cast: Cast, trip: Account) -> None:
    one = staff(home)
    accounts.hand_over(home, cast.manager, trip.id, owner_id=one.id, deputy_id=cast.deputy.id, now=NOW)
    assert "rotation" in [n.kind for n in notices_of(home.db, cast.manager.id)]
    begun = open_rotation(home.db, trip.id)
    assert begun is not None
    assert (begun.reason, begun.due_at) == (RotationReason.HANDED_OVER, NOW + timedelta(days=7))


def test_nothing_is_changed_for_a_deputy_who_never_saw_a_secret(home: Home, cast: Cast, trip: Account) -> None:
    accounts.hand_over(home, cast.owner, trip.id, owner_id=cast.owner.id, deputy_id=staff(home).id, now=NOW)
    assert open_rotation(home.db, trip.id) is None


def test_a_request_is_amended_and_not_handed_over(home: Home, cast: Cast) -> None:
    account = requested(home, cast)
    with pytest.raises(WrongState):
        accounts.hand_over(home, cast.manager, account.id, owner_id=staff(home).id, deputy_id=cast.deputy.id, now=NOW)


# --------------------------------------------------------------------------------------------------- standing


def test_a_standing_account_is_confirmed_by_its_keepers(home: Home, cast: Cast, club: Account, trip: Account) -> None:
    later = NOW + timedelta(days=100)
    assert accounts.confirm_needed(home, cast.deputy, club.id, now=later).confirmed_at == later
    assert tags(home, club)[-1] == "account:need:confirmed"
    with pytest.raises(NotPermitted):
        accounts.confirm_needed(home, cast.manager, club.id, now=later)
    with pytest.raises(Conflict):
        accounts.confirm_needed(home, cast.owner, trip.id, now=later)


def test_a_review_moves_the_review_date(home: Home, cast: Cast, club: Account) -> None:
    later, until = NOW + timedelta(days=200), date(2028, 1, 1)
    account = accounts.review(home, cast.manager, club.id, until, "It is well kept.", now=later)
    assert account.review_on == until
    with pytest.raises(NotPermitted):
        accounts.review(home, cast.owner, club.id, until, "Mine.", now=later)
    for wrong in (date(2027, 1, 1), date(2030, 1, 1), date.max):
        with pytest.raises(InvalidInput) as caught:
            accounts.review(home, cast.manager, club.id, wrong, "Odd.", now=later)
        assert "review_on" in caught.value.fields


# --------------------------------------------------------------------------------------------------- longer lives


def test_a_longer_life_is_asked_for_and_granted(home: Home, cast: Cast, trip: Account) -> None:
    asked = ask_extension(home, cast.deputy, trip.id, LONGER, "The trip is put off.", now=NOW)
    assert "extension_waiting" in [n.kind for n in notices_of(home.db, cast.head.id)]
    decided = decide_extension(home, cast.head, asked.id, True, "", now=NOW)
    assert (decided.approved, decided.decided_by) == (True, cast.head.id)
    assert tags(home, trip)[-2:] == ["account:extension:asked", "account:extension:decided"]
    assert home.db.execute("select ends_on from account where id = ?", (trip.id,)).fetchone() == (LONGER.isoformat(),)


def test_a_refused_longer_life_changes_nothing(home: Home, cast: Cast, trip: Account) -> None:
    asked = ask_extension(home, cast.owner, trip.id, LONGER, "The trip is put off.", now=NOW)
    with pytest.raises(InvalidInput):
        decide_extension(home, cast.head, asked.id, False, " ", now=NOW)
    decide_extension(home, cast.head, asked.id, False, "Ask again in January.", now=NOW)
    assert home.db.execute("select ends_on from account where id = ?", (trip.id,)).fetchone() == ("2026-12-07",)
    with pytest.raises(Conflict):
        decide_extension(home, cast.manager, asked.id, True, "", now=NOW)
    assert len(extensions_of(home.db, trip.id)) == 1


def test_one_longer_life_at_a_time(home: Home, cast: Cast, trip: Account) -> None:
    ask_extension(home, cast.owner, trip.id, LONGER, "The trip is put off.", now=NOW)
    with pytest.raises(Conflict, match="waits"):
        ask_extension(home, cast.deputy, trip.id, LONGER, "And again.", now=NOW)


@pytest.mark.parametrize("until", [date(2026, 12, 7), date(2026, 11, 1), date(2027, 1, 7), date.max])
def test_a_longer_life_is_longer_but_not_by_more_than_the_policy_says(
    home: Home, cast: Cast, trip: Account, until: date
) -> None:
    with pytest.raises(InvalidInput) as caught:
        ask_extension(home, cast.owner, trip.id, until, "The trip is put off.", now=NOW)
    assert "until_on" in caught.value.fields


def test_after_the_end_it_is_too_late_to_ask_and_to_grant(home: Home, cast: Cast, trip: Account) -> None:
    asked = ask_extension(home, cast.owner, trip.id, LONGER, "The trip is put off.", now=NOW)
    over = NOW + timedelta(days=15)
    with pytest.raises(Conflict, match="over"):
        decide_extension(home, cast.head, asked.id, True, "", now=over)
    assert extensions_of(home.db, trip.id)[0].approved is None
    assert decide_extension(home, cast.head, asked.id, False, "Too late.", now=over).approved is False
    with pytest.raises(Conflict, match="over"):
        ask_extension(home, cast.owner, trip.id, LONGER, "Again.", now=over)


def test_the_last_day_counts_to_its_end_in_the_schools_zone(home: Home, cast: Cast, trip: Account) -> None:
    last_minute = NOW.replace(month=12, day=7, hour=23, minute=59)
    assert ask_extension(home, cast.owner, trip.id, LONGER, "Just in time.", now=last_minute)


def test_nobody_grants_what_they_asked_for_or_own(home: Home, cast: Cast) -> None:
    account = live(home, cast, form=form_of(cast, handle_wished="heads.trip", deputy_id=cast.head.id))
    asked = ask_extension(home, cast.head, account.id, LONGER, "Longer.", now=NOW)
    for barred in (cast.head, cast.owner):
        with pytest.raises(NotPermitted):
            decide_extension(home, barred, asked.id, True, "", now=NOW)
    assert decide_extension(home, cast.manager, asked.id, True, "", now=NOW).approved


def test_a_standing_account_needs_no_longer_life(home: Home, cast: Cast, club: Account) -> None:
    with pytest.raises(Conflict, match="standing"):
        ask_extension(home, cast.owner, club.id, LONGER, "Longer.", now=NOW)


# --------------------------------------------------------------------------------------------------- exceptions


def test_an_exception_opens_the_gate_but_does_not_make_the_rule_true(home: Home, cast: Cast) -> None:
    account = approved(home, cast)
    put_on_record(home, account, Fact.PRIVATE, False)
    grant_waiver(home, cast.head, account.id, ["ACC103"], "Open day.", date(2026, 12, 1), now=NOW)
    finding = next(f for f in gate(home, account.id, NOW) if f.rule_id == "ACC103")
    assert (finding.answer, finding.waived_by, finding.passes) == (False, cast.head.id, True)
    after = next(f for f in gate(home, account.id, NOW + timedelta(days=9)) if f.rule_id == "ACC103")
    assert not after.passes


def test_only_the_head_excepts(home: Home, cast: Cast, trip: Account) -> None:
    for other in (cast.manager, cast.owner):
        with pytest.raises(NotPermitted):
            grant_waiver(home, other, trip.id, ["ACC103"], "Open day.", None, now=NOW)


@pytest.mark.parametrize("rule_ids", [[], ["MED501"], ["ACC999"], ["ACC103", "MED504"]])
def test_what_parents_permit_is_not_the_heads_to_except(
    home: Home, cast: Cast, trip: Account, rule_ids: list[str]
) -> None:
    with pytest.raises(InvalidInput) as caught:
        grant_waiver(home, cast.head, trip.id, rule_ids, "Because.", None, now=NOW)
    assert "rule_ids" in caught.value.fields
    assert active_waivers(home.db, trip.id, home.today(NOW)) == []


def test_a_new_exception_takes_the_place_of_the_old(home: Home, cast: Cast, trip: Account) -> None:
    grant_waiver(home, cast.head, trip.id, PUBLIC_ACCOUNT_RULES, "Open day.", None, now=NOW)
    (newer,) = grant_waiver(home, cast.head, trip.id, ["ACC103"], "Two open days.", date(2026, 12, 2), now=NOW)
    active = active_waivers(home.db, trip.id, home.today(NOW))
    assert sorted(waiver.rule_id for waiver in active) == sorted(PUBLIC_ACCOUNT_RULES)
    assert [waiver.id for waiver in active if waiver.rule_id == "ACC103"] == [newer.id]


def test_an_exception_is_taken_back_once(home: Home, cast: Cast, trip: Account) -> None:
    (waiver,) = grant_waiver(home, cast.head, trip.id, ["ACC103"], "Open day.", None, now=NOW)
    assert end_waiver(home, cast.head, waiver.id, now=NOW).ended_at == NOW
    with pytest.raises(Conflict):
        end_waiver(home, cast.head, waiver.id, now=NOW)
    with pytest.raises(NotFound):
        end_waiver(home, cast.head, 999, now=NOW)
    assert tags(home, trip)[-2:] == ["account:exception:granted", "account:exception:ended"]


# --------------------------------------------------------------------------------------------------- today


def needs(home: Home, who: Staff, days: int = 0) -> list[str]:
    return [need.key for need in needs_today(home, who, NOW + timedelta(days=days))]


def test_today_shows_each_role_what_waits_for_it(home: Home, cast: Cast) -> None:
    account = requested(home, cast)
    assert needs(home, cast.manager) == needs(home, cast.head) == ["decide"]
    assert needs(home, cast.owner) == []
    accounts.return_request(home, cast.manager, account.id, "Say more.", now=NOW)
    assert (needs(home, cast.manager), needs(home, cast.owner)) == ([], ["amend"])
    accounts.amend_request(home, cast.owner, account.id, form_of(cast), now=NOW)
    accounts.approve(home, cast.manager, account.id, now=NOW)
    assert needs(home, cast.owner) == needs(home, cast.deputy) == ["set_up", "ending"]
    deposited(home, cast, account, secret=SECRET)
    assert needs(home, cast.manager) == ["login_test"]


def test_a_login_that_only_the_machine_tried_still_waits_for_the_network_manager(home: Home, cast: Cast) -> None:
    account = approved(home, cast)
    deposited(home, cast, account, secret=SECRET)
    put_on_record(home, account, Fact.LOGIN_WORKS, True)
    assert needs(home, cast.manager) == ["login_test"]
    record_login_test(home, cast.manager, account.id, True, now=NOW)
    assert needs(home, cast.manager) == []


def test_today_says_what_a_colleague_made_of_a_post(home: Home, cast: Cast, trip: Account) -> None:
    post = {"account_id": trip.id, "author_id": cast.owner.id, "text": "A photo.", "created_at": moment_text(NOW)}
    with write(home.db) as db:
        insert(db, "post", {**post, "state": "waiting"})
    assert not {"post_ready", "post_refused"} & set(needs(home, cast.owner))
    with write(home.db) as db:
        for state in ("waiting", "refused"):
            insert(db, "post", {**post, "state": state, "checked_by": cast.head.id, "checked_at": moment_text(NOW)})
    assert {"post_ready", "post_refused"} <= set(needs(home, cast.owner))


def test_today_asks_for_new_keepers_when_one_has_left(home: Home, cast: Cast, trip: Account) -> None:
    assert "hand_over" not in needs(home, cast.manager)
    staff_leaves(home, cast.manager, cast.deputy.id, now=NOW)
    assert "hand_over" in needs(home, cast.manager)
    assert "hand_over" in needs(home, cast.head)
    accounts.hand_over(home, cast.manager, trip.id, owner_id=cast.owner.id, deputy_id=staff(home).id, now=NOW)
    assert "hand_over" not in needs(home, cast.manager)


def test_today_leads_to_the_gate_once_every_check_holds(home: Home, cast: Cast) -> None:
    account = ready(home, cast)
    [need] = [need for need in needs_today(home, cast.owner, NOW) if need.account == account and need.key != "ending"]
    assert (need.key, need.href_endpoint) == ("go_live", "setup.gate")


def test_today_shows_the_keepers_who_knocks_and_what_must_come_down(home: Home, cast: Cast, trip: Account) -> None:
    record_followers(home, trip.id, [RemoteFollower("7", "granny.smith", "Granny", waiting=True)], now=NOW)
    assert "followers" in needs(home, cast.owner)
    assert "followers" not in needs(home, cast.manager)
    with write(home.db) as db:
        post = {"account_id": trip.id, "author_id": cast.owner.id, "text": "A photo.", "state": "published"}
        moments = {"created_at": moment_text(NOW), "take_down_by_at": moment_text(NOW + timedelta(days=1))}
        insert(db, "post", {**post, **moments})
    [need] = [need for need in needs_today(home, cast.deputy, NOW) if need.key == "take_down"]
    assert need.due_on == date(2026, 11, 24)


def test_a_notice_that_asks_for_a_decision_is_put_away_when_it_is_made(home: Home, cast: Cast) -> None:
    account = requested(home, cast)
    accounts.return_request(home, cast.manager, account.id, "Say more.", now=NOW)
    assert notices_of(home.db, cast.head.id) == []
    accounts.amend_request(home, cast.owner, account.id, form_of(cast), now=NOW)
    assert notices_of(home.db, cast.owner.id) == []
    assert [n.kind for n in notices_of(home.db, cast.head.id)] == ["request_waiting"]
    accounts.approve(home, cast.manager, account.id, now=NOW)
    assert notices_of(home.db, cast.head.id) == notices_of(home.db, cast.manager.id) == []


def test_today_shows_what_is_broken_and_what_ends(home: Home, cast: Cast, trip: Account, club: Account) -> None:
    put_on_record(home, trip, Fact.FOLLOWS, 3)
    evaluate_account(home, trip.id, now=NOW)
    before = needs(home, staff(home, Role.SAFEGUARDING_LEAD))
    assert "broken" in before
    assert "broken" in needs(home, cast.owner)
    assert "ending" in needs(home, cast.owner, days=10)
    assert "confirm" in needs(home, cast.owner, days=115)
    assert "review" in needs(home, cast.head, days=230)
    ask_extension(home, cast.owner, trip.id, LONGER, "Longer.", now=NOW)
    assert "extension" in needs(home, cast.head)
    accounts.suspend(home, cast.manager, trip.id, "Odd.", now=NOW)
    assert "suspended" in needs(home, staff(home, Role.SAFEGUARDING_LEAD))
    assert needs(home, staff(home, Role.GOVERNOR)) == []


def test_a_reveal_makes_the_manager_one_who_knows(home: Home, cast: Cast, trip: Account) -> None:
    from socialgov.store.credentials import knowers

    assert knowers(home.db, trip.id) == {cast.owner.id}
    reveal(home, cast.manager, vault_of(home), trip.id, "To sign in after a lock-out.", now=NOW)
    assert knowers(home.db, trip.id) == {cast.owner.id, cast.manager.id}


def test_the_rules_break_in_the_moment_somebody_leaves_and_not_at_the_next_check(
    home: Home, cast: Cast, trip: Account
) -> None:
    evaluate_account(home, trip.id, now=NOW)
    before = {finding.rule_id: finding.answer for finding in findings_of(home.db, trip.id)}
    assert before["ACC105"] is before["PPL704"] is True
    staff_leaves(home, cast.manager, cast.deputy.id, now=NOW + timedelta(hours=1))
    after = {finding.rule_id: finding.answer for finding in findings_of(home.db, trip.id)}
    assert after["ACC105"] is after["PPL704"] is False
