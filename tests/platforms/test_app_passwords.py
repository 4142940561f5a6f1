"""A key of the product's own on the simulated network: what it may do there, and how it ends."""

from __future__ import annotations

import pytest
from networks import Sandbox

from socialgov.models import Capability, Presence
from socialgov.platforms import Login, LoginRefused, PlatformError
from socialgov.platforms.sandbox import SandboxPlatform
from socialgov.sandbox.keys import Keys
from socialgov.sandbox.network import Member, NetworkError
from socialgov.sandbox.wall import Wall

SECRET, NAME = "canary-S3cret!", "socialgov"


@pytest.fixture
def trip(sandbox: Sandbox) -> Member:
    return sandbox.network.create_account("trip_wales", SECRET, email="trip@school.example", private=True)


def adapter(sandbox: Sandbox, member: Member, login: Login) -> SandboxPlatform:
    return SandboxPlatform(sandbox.info, handle=member.name, remote_id=member.id, login=login)


def holder(sandbox: Sandbox, trip: Member) -> SandboxPlatform:
    return adapter(sandbox, trip, Login(trip.name, SECRET))


@pytest.fixture
def token(sandbox: Sandbox, trip: Member) -> str:
    return holder(sandbox, trip).make_token(NAME)


def with_token(sandbox: Sandbox, trip: Member, token: str) -> SandboxPlatform:
    return adapter(sandbox, trip, Login(trip.name, token, is_token=True))


def names(sandbox: Sandbox, trip: Member) -> list[str]:
    return [key.name for key in Keys(sandbox.network).of(trip)]


def test_a_token_reads_and_posts_like_its_holder(sandbox: Sandbox, trip: Member, token: str) -> None:
    ours = with_token(sandbox, trip, token)
    assert ours.check_login() is True
    ours.publish("Boats", [], key="k")
    assert [post.text for post in ours.posts()] == ["Boats"]
    assert ours.profile().setup_email == "trip@school.example"


def test_making_it_again_leaves_one_and_ends_the_one_before(sandbox: Sandbox, trip: Member, token: str) -> None:
    Keys(sandbox.network).make(trip, "another program")
    second = holder(sandbox, trip).make_token(NAME)
    assert [name.split("-")[0] for name in names(sandbox, trip)] == ["another program", NAME]
    assert with_token(sandbox, trip, token).check_login() is False
    assert with_token(sandbox, trip, second).check_login() is True


def test_a_token_makes_no_tokens(sandbox: Sandbox, trip: Member, token: str) -> None:
    with pytest.raises(PlatformError, match="own password"):
        with_token(sandbox, trip, token).make_token("another")
    sly = adapter(sandbox, trip, Login(trip.name, token))  # without saying what it is: the network itself refuses
    with pytest.raises(PlatformError, match="own password"):
        sly.make_token(NAME)
    assert with_token(sandbox, trip, token).check_login() is True, "the one before lives on"


def test_a_token_sets_a_new_password_without_the_old_one_and_lives_on(
    sandbox: Sandbox, trip: Member, token: str
) -> None:
    with_token(sandbox, trip, token).change_password("new-S3cret!")
    assert holder(sandbox, trip).check_login() is False
    assert adapter(sandbox, trip, Login(trip.name, "new-S3cret!")).check_login() is True
    assert with_token(sandbox, trip, token).check_login() is True


def test_the_password_itself_is_not_changed_without_the_old_one(sandbox: Sandbox, trip: Member, token: str) -> None:
    liar = adapter(sandbox, trip, Login(trip.name, SECRET, is_token=True))
    with pytest.raises(PlatformError):
        liar.change_password("new-S3cret!")
    assert holder(sandbox, trip).check_login() is True


def test_a_token_deactivates_and_then_ends_itself_with_everything_else(
    sandbox: Sandbox, trip: Member, token: str
) -> None:
    other = Keys(sandbox.network).make(trip, "another program")
    ours = with_token(sandbox, trip, token)
    ours.deactivate()
    assert ours.presence() is Presence.DEACTIVATED
    ours.revoke_access()
    assert names(sandbox, trip) == []
    for secret in (token, other):
        assert with_token(sandbox, trip, secret).check_login() is False
    assert holder(sandbox, trip).check_login() is True


def test_a_revoked_token_says_what_it_was_and_never_answers_from_the_public_side(
    sandbox: Sandbox, trip: Member, token: str
) -> None:
    Wall(sandbox.network).publish(trip, "Boats")
    holder(sandbox, trip).end_token(NAME)
    holder(sandbox, trip).end_token(NAME)
    ours = with_token(sandbox, trip, token)
    assert ours.check_login() is False
    for read in (ours.posts, ours.followers):
        with pytest.raises(LoginRefused, match="socialgov's own key"):
            read()


def test_revoking_one_signs_out_whoever_is_in_with_it_and_nobody_else(
    sandbox: Sandbox, trip: Member, token: str
) -> None:
    keys, network = Keys(sandbox.network), sandbox.network
    inside, own = keys.sign_in(trip.name, token), network.make_token(trip)
    (name,) = names(sandbox, trip)
    keys.revoke(trip, name)
    assert network.token_member(inside) is None
    assert network.token_member(own) is not None
    with pytest.raises(NetworkError):
        keys.sign_in(trip.name, token)


def test_an_app_password_of_another_account_opens_nothing(sandbox: Sandbox, trip: Member, token: str) -> None:
    other = sandbox.network.create_account("another", SECRET)
    assert with_token(sandbox, other, token).check_login() is False


def test_nothing_of_it_outlives_the_account(sandbox: Sandbox, trip: Member, token: str) -> None:
    with_token(sandbox, trip, token).deactivate()
    sandbox.clock.pass_days(31)
    assert sandbox.network.member(trip.id).deleted_at is not None
    with sandbox.network.reading() as db:
        assert db.execute("select count(*) from app_password").fetchone()[0] == 0


def test_everything_but_a_further_token_is_a_tokens_to_do_here() -> None:
    assert SandboxPlatform.needs_password == {Capability.MAKE_TOKEN}
