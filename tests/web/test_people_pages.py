"""The pages of people, imports, audiences and followers."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from closing_school import events
from factories import NOW, staff
from flask.testing import FlaskClient
from people_school import carer, permit, person, pupil, trip

from socialgov.actions.audience import audience_of, set_audience
from socialgov.actions.followers import add_follower_by_hand
from socialgov.actions.uploads import keep_upload
from socialgov.home import Home
from socialgov.models import Account, Decision, Person, PersonKind, Role, Staff
from socialgov.store.followers import follower_by_id, followers_of
from socialgov.store.people import count_people, grants_of
from socialgov.store.rows import scalar

Browse = Callable[[Staff], FlaskClient]
CSV = "Admission No,Forename,Surname,Reg\n1,Ann,Lee,9B\n2,=cmd,<b>Bo</b>,9C\n"


@pytest.fixture
def keeper(home: Home) -> Staff:
    return staff(home, Role.DATA_MANAGER)


@pytest.fixture
def account(home: Home, teacher: Staff) -> Account:
    return trip(home, teacher)


@pytest.fixture
def child(home: Home) -> Person:
    return pupil(home, "Ann", "Lee")


@pytest.fixture
def mother(home: Home, child: Person) -> Person:
    return carer(home, "Mary", "Lee", of=[child])


def sent(client: FlaskClient, content: bytes, **more: Any) -> Any:
    data = {"kind": "people", "full": "full", "file": (io.BytesIO(content), "people.csv"), **more}
    return client.post("/people/import", data=data, content_type="multipart/form-data")


def test_a_file_is_checked_first_and_imported_when_confirmed(home: Home, keeper: Staff, browse: Browse) -> None:
    client = browse(keeper)
    report = sent(client, CSV.encode("utf-16")).location
    page = client.get(report).text
    assert "Check before you import" in page and "<strong>2</strong> new" in page
    assert count_people(home.db) == {}
    done = client.post(report, follow_redirects=True)
    assert "The file was imported: 2 new." in done.text
    assert count_people(home.db) == {"pupil": 2}
    assert scalar(home.db, "select count(*) from blob where erased_at is null") == 0
    found = client.get("/people/?q=bo").text
    assert "=cmd &lt;b&gt;Bo&lt;/b&gt;" in found  # a formula and a tag are text


def test_the_report_names_each_bad_row_and_offers_no_import(home: Home, keeper: Staff, browse: Browse) -> None:
    client = browse(keeper)
    report = sent(client, (CSV + "3,,Day,9C\n4,Cy,,9C\n").encode()).location
    page = client.get(report).text
    assert "2 problems in the file" in page and "Row 4" in page and "Row 5" in page
    assert client.post(report).status_code == 422
    assert count_people(home.db) == {}


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\xff\xfe\x00", bytes(range(256)) * 4, b"a,b\n1,2\n"])
def test_no_file_makes_the_page_fall_over(home: Home, keeper: Staff, browse: Browse, content: bytes) -> None:
    client = browse(keeper)
    answer = sent(client, content)
    page = client.get(answer.location)
    assert page.status_code == 200 and "1 problem in the file" in page.text


def test_an_import_without_an_answer_says_what_to_choose(keeper: Staff, browse: Browse) -> None:
    page = browse(keeper).post("/people/import", data={}).text
    assert "Choose what the file holds." in page and "Not a valid choice" not in page


def test_a_file_that_waits_is_its_senders_only_and_gone_after_a_day(
    home: Home, keeper: Staff, manager: Staff, browse: Browse
) -> None:
    report = sent(browse(keeper), CSV.encode()).location
    assert browse(manager).get(report).status_code == 404
    assert browse(keeper).get("/people/import/people/999").status_code == 404
    assert browse(keeper).get(report.replace("/people/", "/wizards/")).status_code == 404
    keep_upload(home, manager, b"x", now=NOW + timedelta(days=2))
    assert browse(keeper).get(report).status_code == 404


def test_a_file_can_be_thrown_away(home: Home, keeper: Staff, browse: Browse) -> None:
    client = browse(keeper)
    report = sent(client, CSV.encode()).location
    client.post(f"/people/import/{report.split('/')[-1].split('?')[0]}/discard")
    assert client.get(report).status_code == 404


def test_the_page_of_a_person_says_what_is_permitted_and_looking_is_logged(
    home: Home, keeper: Staff, child: Person, mother: Person, browse: Browse
) -> None:
    permit(home, child, by=mother)
    page = browse(keeper).get(f"/people/{child.id}").text
    assert "Mary Lee" in page and "Permitted" in page and "Nobody has recorded a permission (video)" in page
    assert [event["subject_id"] for event in events(home, "people:person:seen")] == [child.id]


def test_the_data_manager_records_an_answer_and_a_withdrawal(
    home: Home, keeper: Staff, child: Person, mother: Person, browse: Browse
) -> None:
    client = browse(keeper)
    answer = {
        "use": "photo",
        "answer": "granted",
        "given_by": str(mother.id),
        "account_id": "0",
        "given_on-day": "1",
        "given_on-month": "9",
        "given_on-year": "2026",
        "basis": "consent",
    }
    assert client.post(f"/people/{child.id}/permission", data=answer).status_code == 302
    wrong = client.post(f"/people/{child.id}/permission", data={**answer, "given_on-year": "2030"})
    assert wrong.status_code == 422 and "This day is still to come." in wrong.text
    (grant,) = grants_of(home.db, [child.id])[child.id]
    url = f"/people/{child.id}/permissions/{grant.id}/withdraw"
    assert "Withdraw the permission for photo" in client.get(url).text
    assert client.post(url).status_code == 302
    assert [one.answer.value for one in grants_of(home.db, [child.id])[child.id]] == ["granted", "withdrawn"]
    assert client.get(f"/people/{mother.id}/permissions/{grant.id}/withdraw").status_code == 404


def test_pupils_are_ticked_form_by_form_and_others_stay(
    home: Home, teacher: Staff, account: Account, child: Person, mother: Person, browse: Browse
) -> None:
    other = pupil(home, "Ben", "Day", form="9C")
    client, url = browse(teacher), f"/accounts/{account.id}/audience/pupils"
    page = client.get(f"{url}?form=9B").text
    assert "Ann Lee" in page and "Ben Day" not in page
    client.post(url, data={"on_page": [child.id], "pupils": [child.id]})
    client.post(url, data={"on_page": [other.id], "pupils": [other.id]})
    assert {one.id for one in audience_of(home.db, account.id)} == {child.id, mother.id, other.id}
    client.post(url, data={"on_page": [child.id], "pupils": []})
    assert {one.id for one in audience_of(home.db, account.id)} == {other.id}
    assert client.post(url, data={"on_page": [1], "pupils": [999999]}).status_code == 422


def test_everybody_shown_can_be_ticked_with_one_link_and_nothing_is_saved_before_saving(
    home: Home, teacher: Staff, account: Account, child: Person, browse: Browse
) -> None:
    pupil(home, "Ben", "Day", form="9C")
    client, url = browse(teacher), f"/accounts/{account.id}/audience/pupils"
    assert "Tick everybody shown" in client.get(f"{url}?form=9B").text
    page = client.get(f"{url}?form=9B&tick=all").text
    assert page.count(" checked>") == page.count('name="pupils"') == 1
    assert audience_of(home.db, account.id) == []


def test_a_colleague_is_found_and_added(home: Home, teacher: Staff, account: Account, browse: Browse) -> None:
    colleague = person(home, PersonKind.STAFF, "Sam", "Reed")
    client, url = browse(teacher), f"/accounts/{account.id}/audience/staff"
    assert "Sam Reed" in client.get(f"{url}?q=reed").text
    assert client.post(url, data={}).status_code == 422
    assert client.post(url, data={"person_id": colleague.id}).status_code == 302
    page = client.get(f"/accounts/{account.id}/audience").text
    assert "Sam Reed" in page
    client.post(f"/accounts/{account.id}/audience/{colleague.id}/remove")
    assert audience_of(home.db, account.id) == []


def test_a_follower_is_put_on_the_list_and_accepted(
    home: Home, teacher: Staff, account: Account, child: Person, mother: Person, browse: Browse
) -> None:
    set_audience(home, teacher, account.id, [child.id], now=NOW)
    client, base = browse(teacher), f"/accounts/{account.id}/followers"
    url = client.post(f"{base}/add", data={"handle": "@mary_l", "name": "Mary"}).location
    page = client.get(url).text
    assert "Mary Lee (carer)" in page and "lets only parents, carers and staff follow" in page
    assert client.post(f"{url}/accept", data={"how": "Asked"}).status_code == 422
    refused = client.post(f"{url}/accept", data={"person_id": child.id, "how": "Asked"})
    assert refused.status_code == 422 and "Ann Lee is a pupil" in refused.text
    assert client.post(f"{url}/accept", data={"person_id": mother.id, "how": "Asked"}).status_code == 302
    assert "Every follower has been checked." in client.get(base).text


def test_a_refused_follower_is_a_task_until_somebody_removed_them(
    home: Home, teacher: Staff, account: Account, browse: Browse
) -> None:
    follower = add_follower_by_hand(home, teacher, account.id, "dave32457", "", now=NOW)
    client, base = browse(teacher), f"/accounts/{account.id}/followers"
    assert client.post(f"{base}/{follower.id}/refuse", data={"reason": ""}).status_code == 422
    page = client.post(f"{base}/{follower.id}/refuse", data={"reason": "Nobody knows them."}, follow_redirects=True)
    assert "To remove on" in page.text and "Nobody knows them." in page.text
    client.post(f"{base}/{follower.id}/removed")
    assert followers_of(home.db, account.id) == []
    assert follower_by_id(home.db, follower.id).decision is Decision.REFUSED


def test_an_accepted_follower_who_left_is_shown_as_one_to_remove(
    home: Home, teacher: Staff, account: Account, child: Person, mother: Person, browse: Browse
) -> None:
    from socialgov.actions.audience import remove_member
    from socialgov.actions.followers import accept_follower

    set_audience(home, teacher, account.id, [child.id], now=NOW)
    follower = add_follower_by_hand(home, teacher, account.id, "mary_l", "", now=NOW)
    accept_follower(home, teacher, follower.id, mother.id, now=NOW)
    remove_member(home, teacher, account.id, mother.id, now=NOW)
    page = browse(teacher).get(f"/accounts/{account.id}/followers").text
    assert "Mary Lee does not belong to this account&#39;s audience." in page


def test_a_follower_of_another_account_is_not_found(
    home: Home, teacher: Staff, account: Account, browse: Browse
) -> None:
    other = trip(home, teacher, handle="other", handle_wished="other")
    follower = add_follower_by_hand(home, teacher, account.id, "mary_l", "", now=NOW)
    client, url = browse(teacher), f"/accounts/{other.id}/followers/{follower.id}"
    assert [client.get(url).status_code, client.post(f"{url}/removed").status_code] == [404, 404]
    assert client.post(f"{url}/refuse", data={"reason": "x"}).status_code == 404
