"""Signing in at the school's own sign-in service, against a real, certified OpenID provider."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from openid_school import OpenIdSchool, open_openid_school
from real_openid import SECRET, RealProvider, go_through

from socialgov.store.events import EventTag
from socialgov.store.identities import current_identities

pytestmark = pytest.mark.peer


@pytest.fixture
def school(tmp_path: Path, provider: RealProvider) -> Iterator[OpenIdSchool]:
    with open_openid_school(tmp_path, provider.issuer, SECRET, port=provider.our_port) as school:
        yield school


@pytest.mark.asvs("6.8.1")
def test_a_teacher_signs_in_with_their_school_account(school: OpenIdSchool, provider: RealProvider) -> None:
    visitor = go_through(school.at_the_service(), "teacher")
    assert visitor.sees("Tess Teacher")
    (identity,) = current_identities(school.home.db, school.teacher.id)
    assert (identity.issuer, identity.subject, identity.linked_by) == (provider.issuer, "teacher", None)
    assert school.sessions() == [(school.teacher.id, "openid", None)]
    assert [event.subject_id for event in school.events(EventTag.IDENTITY_LINKED)] == [school.teacher.id]
    assert school.told(school.teacher) == ["identity_linked"]
    assert school.told(school.head) == ["identity_linked"]
