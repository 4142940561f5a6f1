"""Who sees a post while it waits: keepers, oversight, and the colleague who is asked to look; never a stranger."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from factories import NOW, staff
from flask.testing import FlaskClient
from people_school import permit, photo, pupil, trip

from socialgov.actions import posts
from socialgov.home import Home
from socialgov.models import Role, Staff


@pytest.mark.parametrize(
    ("role", "draft", "waiting", "named"),
    [
        (Role.TEACHER, 403, 200, True),
        (Role.DATA_MANAGER, 403, 200, True),
        (Role.HEAD, 200, 200, True),
        (Role.NETWORK_MANAGER, 200, 200, True),
        (Role.GOVERNOR, 403, 403, False),
    ],
)
@pytest.mark.asvs("8.2.2", "8.2.3")
def test_a_colleague_sees_a_post_only_while_it_waits_for_a_second_look(
    home: Home, browse: Callable[[Staff], FlaskClient], role: Role, draft: int, waiting: int, named: bool
) -> None:
    owner, child = staff(home), pupil(home, "Ann", "Lee")
    account = trip(home, owner)
    permit(home, child)
    post = posts.draft_post(home, owner, account.id, "At the top", now=NOW)
    posts.add_photo(home, owner, post.id, photo(), "A hill", now=NOW)
    posts.set_depictions(home, owner, post.id, shown=[child.id], people_in_picture=1, now=NOW)
    posts.confirm(home, owner, post.id, permanence=True, school_equipment=True, own_work=True, now=NOW)
    client, url = browse(staff(home, role)), f"/accounts/{account.id}/posts/{post.id}"
    answer = client.get(url)
    assert answer.status_code == draft
    assert "Ann Lee" not in answer.text  # who is shown in a draft is for its keepers
    posts.submit_post(home, owner, post.id, now=NOW)
    answer = client.get(url)
    assert answer.status_code == waiting
    assert ("Ann Lee" in answer.text) is named
    posts.second_check(home, staff(home), post.id, True, now=NOW)
    if role in (Role.TEACHER, Role.DATA_MANAGER):
        assert client.get(url).status_code == 403  # the looking is over
