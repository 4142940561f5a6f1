"""The head's permission for a public account: refused at the request without it, recorded with it (ACC103)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from types import MappingProxyType

import pytest
from factories import NOW, make_home, staff
from walk import Cast, allowed, cast_of, form_of, ready, requested, standing_form

from socialgov.actions import accounts
from socialgov.actions.public_accounts import allow_public_account, end_allowance
from socialgov.actions.waivers import PUBLIC_ACCOUNT_RULES, end_waiver
from socialgov.errors import Conflict, InvalidInput, NotPermitted
from socialgov.home import Home
from socialgov.models import AccountKind, AccountRequest, AccountState, Enforcement, Role, RuleChoice, Waiver
from socialgov.store.events import events_of_account, events_page
from socialgov.store.outbox import notices_of
from socialgov.store.public_allowances import allowance_by_id, unused_allowances
from socialgov.store.waivers import active_waivers

DAY = timedelta(days=1)


def public_form(cast: Cast, **changes: object) -> AccountRequest:
    return form_of(cast, **{"platform": "bluesky", "handle_wished": "trip.bsky.social", **changes})


def exceptions(home: Home, account_id: int) -> list[Waiver]:
    return active_waivers(home.db, account_id, home.today(NOW))


def test_a_platform_without_private_accounts_is_refused_with_the_reason(home: Home, cast: Cast) -> None:
    for asker in (cast.owner, cast.manager):
        with pytest.raises(InvalidInput) as caught:
            accounts.request_account(home, asker, public_form(cast), now=NOW)
        assert list(caught.value.fields) == ["platform"]
        assert "Bluesky has no private accounts" in caught.value.fields["platform"]
        assert "ask the head" in caught.value.fields["platform"]


def test_a_request_under_the_heads_permission_has_the_heads_exceptions(home: Home, cast: Cast) -> None:
    allowance = allowed(home, cast, "bluesky", reason="Only views.", until_on=date(2026, 12, 20))
    account = accounts.request_account(home, cast.owner, public_form(cast), now=NOW)
    found = exceptions(home, account.id)
    assert {waiver.rule_id for waiver in found} == set(PUBLIC_ACCOUNT_RULES)
    assert {(one.decided_by, one.reason, one.until_on) for one in found} == {
        (cast.head.id, "Only views.", date(2026, 12, 20))
    }
    used = next(event for event in events_of_account(home.db, account.id) if event.tag == "account:public:used")
    assert (used.actor, used.data["allowance"]) == (f"staff:{cast.owner.id}", allowance.id)
    assert allowance_by_id(home.db, allowance.id).used_by_account == account.id
    assert accounts.approve(home, cast.manager, account.id, now=NOW).state is AccountState.APPROVED


def test_it_goes_live_without_a_further_word_of_the_head(tmp_path: Path) -> None:
    home = make_home(tmp_path, approved=("youtube",))
    cast = cast_of(home)
    account = ready(home, cast, form=form_of(cast, platform="youtube", handle_wished="trip-2026"))
    assert accounts.go_live(home, cast.owner, account.id, now=NOW).state is AccountState.LIVE


def test_one_permission_is_for_one_account(home: Home, cast: Cast) -> None:
    allowed(home, cast, "bluesky")
    accounts.request_account(home, cast.owner, public_form(cast), now=NOW)
    with pytest.raises(InvalidInput, match="cannot be made"):
        accounts.request_account(home, cast.owner, public_form(cast, handle_wished="two.bsky.social"), now=NOW)


def test_a_permission_is_for_its_person_platform_and_time(home: Home, cast: Cast) -> None:
    allowed(home, cast, "bluesky", until_on=date(2026, 11, 25))
    other = staff(home)
    for asker, form, now in (
        (other, public_form(cast, owner_id=other.id), NOW),
        (cast.owner, public_form(cast, starts_on=date(2026, 11, 27)), NOW + 4 * DAY),
    ):
        with pytest.raises(InvalidInput):
            accounts.request_account(home, asker, form, now=now)
    account = accounts.request_account(
        home, other, public_form(cast), now=NOW
    )  # asked for by a colleague, for its owner
    assert exceptions(home, account.id)


def test_a_dropped_request_gives_the_permission_back(home: Home, cast: Cast) -> None:
    allowance = allowed(home, cast, "bluesky")
    first = accounts.request_account(home, cast.owner, public_form(cast), now=NOW)
    accounts.withdraw(home, cast.owner, first.id, now=NOW)
    second = accounts.request_account(home, cast.owner, public_form(cast), now=NOW)
    accounts.decline(home, cast.manager, second.id, "Not this term.", now=NOW)
    assert allowance.id in unused_allowances(home.db)
    third = accounts.request_account(home, cast.owner, public_form(cast), now=NOW)
    assert exceptions(home, third.id)


def test_another_platform_ends_the_exceptions_and_gives_the_permission_back(home: Home, cast: Cast) -> None:
    allowance = allowed(home, cast, "bluesky")
    account = accounts.request_account(home, cast.owner, public_form(cast), now=NOW)
    accounts.amend_request(home, cast.owner, account.id, form_of(cast), now=NOW)
    assert exceptions(home, account.id) == []
    assert allowance.id in unused_allowances(home.db)
    accounts.amend_request(home, cast.owner, account.id, public_form(cast), now=NOW)
    assert exceptions(home, account.id)


def test_a_change_to_a_public_platform_needs_the_permission_as_well(home: Home, cast: Cast) -> None:
    account = requested(home, cast)
    with pytest.raises(InvalidInput):
        accounts.amend_request(home, cast.owner, account.id, public_form(cast), now=NOW)


def test_a_head_asks_directly_and_somebody_else_decides(home: Home, cast: Cast) -> None:
    account = accounts.request_account(home, cast.head, public_form(cast), now=NOW)
    found = exceptions(home, account.id)
    assert {one.decided_by for one in found} == {cast.head.id}
    assert account.purpose in found[0].reason
    with pytest.raises(NotPermitted):
        accounts.approve(home, cast.head, account.id, now=NOW)
    accounts.approve(home, cast.manager, account.id, now=NOW)


def test_it_cannot_be_approved_once_the_exception_is_over(home: Home, cast: Cast) -> None:
    allowed(home, cast, "bluesky")
    account = accounts.request_account(home, cast.owner, public_form(cast), now=NOW)
    private = next(one for one in exceptions(home, account.id) if one.rule_id == "ACC103")
    end_waiver(home, cast.head, private.id, now=NOW)
    with pytest.raises(Conflict, match="no private accounts"):
        accounts.approve(home, cast.manager, account.id, now=NOW)


def test_a_found_account_is_taken_in_hand_without_a_permission(home: Home, cast: Cast) -> None:
    form = public_form(cast)
    account = accounts.register_found(home, cast.manager, form, handle=form.handle_wished, now=NOW)
    assert account.state is AccountState.APPROVED
    assert exceptions(home, account.id) == []


def test_where_the_school_only_advises_private_accounts_no_permission_is_needed(home: Home) -> None:
    cast = cast_of(home)
    advised = dict.fromkeys(AccountKind, Enforcement.ENFORCED) | {AccountKind.STANDING: Enforcement.ADVISED}
    rules = {**home.settings.policy.rules, "ACC103": RuleChoice(advised, "Governors", date(2026, 11, 1))}
    policy = replace(home.settings.policy, rules=MappingProxyType(rules))
    home = replace(home, settings=replace(home.settings, policy=policy))
    standing = standing_form(cast, platform="bluesky", handle_wished="drama.bsky.social")
    account = accounts.request_account(home, cast.owner, standing, now=NOW)
    assert exceptions(home, account.id) == []
    with pytest.raises(InvalidInput) as caught:
        accounts.request_account(home, cast.owner, public_form(cast), now=NOW)
    assert "An account of this kind must be private" in caught.value.fields["kind"]


# --------------------------------------------------------------------------------------------------- the head's part


def test_the_head_allows_and_takes_back_and_the_person_is_told(home: Home, cast: Cast) -> None:
    allowance = allowed(home, cast, "bluesky")
    end_allowance(home, cast.head, allowance.id, now=NOW)
    assert {notice.kind for notice in notices_of(home.db, cast.owner.id)} == {"public_allowed", "public_ended"}
    with pytest.raises(InvalidInput):
        accounts.request_account(home, cast.owner, public_form(cast), now=NOW)
    with pytest.raises(Conflict, match="already"):
        end_allowance(home, cast.head, allowance.id, now=NOW)
    events = events_page(home.db, before=None, tag="account:public", actor=None, limit=10)
    assert [event.tag for event in events] == ["account:public:ended", "account:public:allowed"]
    assert allowance.reason not in str([event.data for event in events])


def test_a_permission_in_use_ends_with_the_exceptions_of_its_account(home: Home, cast: Cast) -> None:
    allowance = allowed(home, cast, "bluesky")
    accounts.request_account(home, cast.owner, public_form(cast), now=NOW)
    with pytest.raises(Conflict, match="asked for under"):
        end_allowance(home, cast.head, allowance.id, now=NOW)


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("platform", "instagram"),
        ("platform", "youtube"),
        ("staff_id", 99),
        ("purpose", " "),
        ("reason", ""),
        ("until_on", date(2026, 11, 23)),
    ],
)
def test_what_cannot_be_allowed_is_said_beside_its_field(home: Home, cast: Cast, field: str, wrong: object) -> None:
    with pytest.raises(InvalidInput) as caught:
        allowed(home, cast, **{"platform": "bluesky", field: wrong})
    assert list(caught.value.fields) == [field]


def test_only_the_head_allows(home: Home, cast: Cast) -> None:
    allowance = allowed(home, cast, "bluesky")
    for other in (cast.owner, cast.manager, staff(home, Role.GOVERNOR)):
        with pytest.raises(NotPermitted):
            allow_public_account(
                home, other, platform="bluesky", staff_id=cast.owner.id, purpose="News.", reason="So.", now=NOW
            )
        with pytest.raises(NotPermitted):
            end_allowance(home, other, allowance.id, now=NOW)
