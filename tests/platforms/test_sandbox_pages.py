"""The simulated network's pages as a visitor meets them, and its own rules."""

from __future__ import annotations

import re
import threading
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from networks import Clock
from werkzeug.test import TestResponse

from socialgov.sandbox import Network, NetworkError, create_sandbox
from socialgov.sandbox.keys import Keys
from socialgov.sandbox.network import Shot
from socialgov.sandbox.wall import Wall

PASSWORD = "correct-horse-7"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(tmp_path: Path, clock: Clock) -> Flask:
    return create_sandbox(tmp_path / "sandbox.db", clock)


@pytest.fixture
def network(app: Flask) -> Network:
    found: Network = app.extensions["network"]
    return found


class Visitor:
    """A browser without script: every form is sent with the token of the page it stands on."""

    def __init__(self, app: Flask) -> None:
        self.client: FlaskClient = app.test_client()

    def get(self, path: str) -> TestResponse:
        return self.client.get(path)

    def send(self, page: str, action: str, **fields: object) -> TestResponse:
        shown = self.get(page).get_data(as_text=True)
        assert f'action="{action}"' in shown or page == action, f"{page} has no form for {action}"
        token = re.search(r'name="csrf_token" value="([^"]+)"', shown)
        assert token
        return self.client.post(action, data={"csrf_token": token[1], **fields}, follow_redirects=True)


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    return Visitor(app)


def text(response: TestResponse) -> str:
    return response.get_data(as_text=True)


def test_the_network_says_on_every_page_that_it_is_simulated(visitor: Visitor, network: Network) -> None:
    network.create_account("trip", PASSWORD)
    for path in ("/", "/sign-in", "/join", "/@trip", "/@nobody", "/settings", "/nowhere"):
        assert "simulated social network" in text(visitor.get(path))


def test_an_outsider_is_made_looks_at_a_public_account_follows_and_likes(visitor: Visitor, network: Network) -> None:
    trip = network.create_account("trip", PASSWORD, display_name="Trip to Wales")
    number = Wall(network).publish(trip, "Boats", [Shot(b"png", "image/png", "two boats")])
    assert "You are <strong>@dave32457" in text(visitor.send("/", "/outsiders", name="Dave32457"))
    page = text(visitor.get("/@trip"))
    assert "Boats" in page
    assert 'alt="two boats"' in page
    visitor.send("/@trip", "/@trip/follow")
    visitor.send("/@trip", f"/posts/{number}/like")
    dave = network.named("dave32457")
    assert network.follow_state(dave, trip) == "accepted"
    assert Wall(network).likes(dave) == [number]
    visitor.send("/", "/sign-out")
    assert "You are <strong>@dave32457" in text(visitor.send("/", "/be", name="dave32457"))


def test_an_outsider_sees_nothing_of_a_private_account_and_can_only_ask(visitor: Visitor, network: Network) -> None:
    trip = network.create_account("trip", PASSWORD, private=True)
    number = Wall(network).publish(trip, "Boats", [Shot(b"png", "image/png", "")])
    visitor.send("/", "/outsiders", name="dave")
    assert "Boats" not in text(visitor.get("/@trip"))
    assert visitor.get(f"/posts/{number}/0").status_code == 403
    assert "asked to follow" in text(visitor.send("/@trip", "/@trip/follow"))
    assert "Boats" not in text(visitor.get("/@trip"))
    network.accept(trip, network.named("dave").id)
    assert "Boats" in text(visitor.get("/@trip"))


def test_a_careless_teacher_signs_in_and_flips_the_privacy_switch(visitor: Visitor, network: Network) -> None:
    trip = network.create_account("trip", PASSWORD, private=True)
    assert "wrong" in text(visitor.send("/sign-in", "/sign-in", name="trip", password="guess"))
    assert visitor.send("/sign-in", "/sign-in", name="@trip", password=PASSWORD).status_code == 200
    assert "is public now" in text(visitor.send("/settings", "/settings/privacy", private="no"))
    assert network.member(trip.id).private is False
    visitor.send("/settings", "/settings/privacy", private="yes")
    assert network.member(trip.id).private is True


def test_whoever_holds_the_account_sees_its_app_passwords_and_revokes_one(visitor: Visitor, network: Network) -> None:
    keys, trip = Keys(network), network.create_account("trip", PASSWORD)
    secret = keys.make(trip, "socialgov")
    visitor.send("/sign-in", "/sign-in", name="trip", password=PASSWORD)
    page = text(visitor.get("/settings"))
    assert "Revoke socialgov" in page
    assert secret not in page
    assert "is revoked" in text(visitor.send("/settings", "/settings/app-passwords/revoke", name="socialgov"))
    assert keys.of(trip) == []


def test_an_app_password_does_not_open_the_pages(visitor: Visitor, network: Network) -> None:
    secret = Keys(network).make(network.create_account("trip", PASSWORD), "socialgov")
    assert "wrong" in text(visitor.send("/sign-in", "/sign-in", name="trip", password=secret))


def test_followers_gained_in_public_stay_when_the_account_turns_private(network: Network) -> None:
    trip, dave = network.create_account("trip", PASSWORD), network.create_account("dave", outsider=True)
    network.follow(dave, trip)
    network.change_profile(trip, private=True)
    assert network.can_see(dave, network.member(trip.id))


def test_a_school_account_is_not_entered_without_its_password(visitor: Visitor, network: Network) -> None:
    network.create_account("trip", PASSWORD)
    network.create_account("dave", outsider=True)
    assert "needs its password" in text(visitor.send("/", "/be", name="trip"))
    assert "wrong" in text(visitor.send("/sign-in", "/sign-in", name="dave", password=""))


def test_an_account_is_made_set_up_and_posted_to_by_hand(visitor: Visitor, network: Network) -> None:
    visitor.send("/join", "/join", name="Trip_Wales", email="trip@school.example", password=PASSWORD)
    logo = (BytesIO(b"logo"), "logo.png", "image/png")
    page = visitor.send("/settings", "/settings/profile", display_name="Trip", text="Official", picture=logo)
    assert "The profile is saved" in text(page)
    photo = (BytesIO(b"photo"), "photo.jpg", "image/jpeg")
    assert "two boats" in text(visitor.send("/@trip_wales", "/posts", text="Hello", picture=photo, alt="two boats"))
    trip = network.named("trip_wales")
    assert (trip.text, trip.has_picture) == ("Official", True)
    assert visitor.get("/@trip_wales/picture").data == b"logo"
    (entry,) = Wall(network).entries(trip)
    assert "two boats" not in text(visitor.send("/@trip_wales", f"/posts/{entry.id}/delete"))


@pytest.mark.parametrize(
    ("name", "password", "told"),
    [
        ("", PASSWORD, "A name has"),
        ("../etc", PASSWORD, "A name has"),
        ("a b", PASSWORD, "A name has"),
        ("trip", "short", "at least 8"),
        ("taken", PASSWORD, "is taken"),
    ],
)
def test_joining_says_what_is_wrong(visitor: Visitor, network: Network, name: str, password: str, told: str) -> None:
    network.create_account("taken", PASSWORD)
    page = visitor.send("/join", "/join", name=name, password=password)
    assert told in text(page)
    assert page.status_code in (400, 409)


def test_a_changed_password_signs_other_browsers_out(app: Flask, visitor: Visitor, network: Network) -> None:
    network.create_account("trip", PASSWORD)
    other = Visitor(app)
    for browser in (visitor, other):
        browser.send("/sign-in", "/sign-in", name="trip", password=PASSWORD)
    changed = visitor.send("/settings", "/settings/password", old=PASSWORD, new="another-horse-8")
    assert "password is changed" in text(changed)
    assert "You are <strong>@trip" in text(visitor.get("/"))
    assert "You are nobody" in text(other.get("/"))


def test_a_deactivated_account_can_be_brought_back_until_its_days_are_over(
    visitor: Visitor, network: Network, clock: Clock
) -> None:
    trip = network.create_account("trip", PASSWORD)
    visitor.send("/sign-in", "/sign-in", name="trip", password=PASSWORD)
    assert "Bring it back" in text(visitor.send("/settings", "/settings/deactivate"))
    clock.pass_days(20)
    visitor.send("/settings", "/settings/reactivate")
    assert network.member(trip.id).active
    visitor.send("/settings", "/settings/deactivate")
    clock.pass_days(20)
    assert network.member(trip.id).deleted_at is None, "the days began anew"
    clock.pass_days(10)
    assert network.member(trip.id).deleted_at is not None
    assert "You are nobody" in text(visitor.get("/"))
    assert visitor.get("/@trip").status_code == 404


def test_deletion_leaves_nothing_but_the_fact_that_it_once_was(network: Network, clock: Clock) -> None:
    trip, dave = (
        network.create_account("trip", PASSWORD, email="a@b.test"),
        network.create_account("dave", outsider=True),
    )
    wall = Wall(network)
    number = wall.publish(trip, "Boats", [Shot(b"png", "image/png", "")])
    wall.like(dave, number)
    network.follow(dave, trip)
    network.make_token(trip)
    network.deactivate(trip)
    clock.pass_days(30)
    gone = network.member(trip.id)
    assert (gone.name, gone.email, gone.text, gone.has_picture) == ("", "", "", False)
    with network.reading() as db:
        for table in ("post", "picture", "liked", "follow", "token"):
            assert db.execute(f"select count(*) from {table}").fetchone()[0] == 0, table
    assert network.create_account("trip", PASSWORD).id != trip.id


def test_a_form_without_its_token_changes_nothing(app: Flask, network: Network) -> None:
    trip = network.create_account("trip", PASSWORD, private=True)
    visitor = Visitor(app)
    visitor.send("/sign-in", "/sign-in", name="trip", password=PASSWORD)
    for path in [known.rule for known in app.url_map.iter_rules() if "POST" in (known.methods or ())]:
        if not path.startswith("/api/"):
            filled = re.sub(r"<[^>]*any\((\w+)[^>]*>", r"\1", path).replace("<int:number>", "1")
            assert visitor.client.post(re.sub(r"<[^>]+>", "trip", filled), data={"private": "no"}).status_code == 400
    assert network.member(trip.id).private is True


def test_a_cookie_opens_no_door_of_the_interface(visitor: Visitor, network: Network) -> None:
    trip = network.create_account("trip", PASSWORD, private=True)
    visitor.send("/sign-in", "/sign-in", name="trip", password=PASSWORD)
    assert visitor.client.patch(f"/api/accounts/{trip.id}", json={"private": False}).status_code == 401
    assert network.member(trip.id).private is True


def test_a_token_opens_its_own_account_only(app: Flask, network: Network) -> None:
    trip, other = network.create_account("trip", PASSWORD), network.create_account("other", PASSWORD)
    headers = {"Authorization": f"Bearer {network.make_token(other)}"}
    client = app.test_client()
    for path in (f"/api/accounts/{trip.id}/deactivate", f"/api/accounts/{trip.id}/password"):
        answer = client.post(path, json={"old": PASSWORD, "new": PASSWORD}, headers=headers)
        assert (answer.status_code, answer.json) == (403, {"error": "not_yours"})
    assert client.get(f"/api/accounts/{trip.id}", headers={"Authorization": "Bearer nonsense"}).status_code == 401


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'{"name": 5}', b"{", b'{"name": "x"}'])
def test_nonsense_sent_to_the_interface_is_refused_with_a_word(app: Flask, body: bytes) -> None:
    for path in ("/api/session", "/api/accounts"):
        answer = app.test_client().post(path, data=body, content_type="application/json")
        assert answer.status_code == 400
        assert answer.json == {"error": "bad_request"}


def test_every_page_forbids_script_and_frames(visitor: Visitor, network: Network) -> None:
    network.create_account("trip", PASSWORD)
    for path in ("/", "/@trip", "/static/sandbox.css", "/api/names/trip", "/nowhere"):
        headers = visitor.get(path).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
    templates = Path(create_sandbox.__code__.co_filename).parent / "templates"
    for template in templates.glob("*.html"):
        assert not re.search(r"<script|style=|\son\w+=|https?://", template.read_text()), template.name


def test_text_of_a_post_is_shown_as_text(visitor: Visitor, network: Network) -> None:
    trip = network.create_account("trip", PASSWORD, display_name="<b>Trip</b>", text="<script>1</script>")
    Wall(network).publish(trip, "<img src=x>", [Shot(b"png", "image/png", '" onerror="x')])
    page = text(visitor.get("/@trip"))
    assert not re.search(r"<b>|<script>|<img src=x>| onerror=\"", page)


def test_pages_work_below_a_path_of_another_application(tmp_path: Path, clock: Clock) -> None:
    from werkzeug.middleware.dispatcher import DispatcherMiddleware

    app = create_sandbox(tmp_path / "below.db", clock)
    app.wsgi_app = DispatcherMiddleware(Flask("above"), {"/sandbox": app.wsgi_app})  # type: ignore[method-assign]
    visitor = Visitor(app)
    page = visitor.send("/sandbox/", "/sandbox/outsiders", name="dave")
    assert "You are <strong>@dave" in text(page)
    assert 'href="/sandbox/static/sandbox.css"' in text(page)
    assert 'href="/">Leave the simulated network' in text(page)


def test_eight_likers_at_once_lose_no_like(network: Network) -> None:
    trip = network.create_account("trip", PASSWORD)
    number = Wall(network).publish(trip, "Boats")
    likers = [network.create_account(f"fan{n}", outsider=True) for n in range(8)]
    threads = [threading.Thread(target=Wall(network).like, args=(liker, number)) for liker in likers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Wall(network).entry(number).likes == 8


class Relations(RuleBasedStateMachine):
    """Whatever two accounts do to each other, a stranger never sees a private one and the owner's word decides."""

    @initialize()
    def begin(self) -> None:
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        self.network = Network(Path(self.folder.name) / "sandbox.db", Clock())
        self.trip = self.network.create_account("trip", PASSWORD)
        self.dave = self.network.create_account("dave", outsider=True)
        self.private, self.state = False, ""

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.folder.cleanup()

    @rule(private=st.booleans())
    def flip(self, private: bool) -> None:
        self.network.change_profile(self.trip, private=private)
        self.private = private

    @rule()
    def follow(self) -> None:
        self.network.follow(self.dave, self.network.member(self.trip.id))
        self.state = self.state or ("waiting" if self.private else "accepted")

    @rule()
    def unfollow(self) -> None:
        self.network.unfollow(self.dave, self.trip)
        self.state = ""

    @rule()
    def accept(self) -> None:
        try:
            self.network.accept(self.trip, self.dave.id)
            self.state = "accepted"
        except NetworkError as error:
            assert (error.word, self.state) == ("no_follower", "")

    @invariant()
    def only_those_who_may_see(self) -> None:
        if not hasattr(self, "network"):
            return
        trip = self.network.member(self.trip.id)
        assert self.network.follow_state(self.dave, trip) == self.state
        assert self.network.can_see(None, trip) is (not self.private)
        assert self.network.can_see(self.dave, trip) is (not self.private or self.state == "accepted")
        assert self.network.can_see(trip, trip)


Relations.TestCase.settings = settings(max_examples=15, stateful_step_count=15, deadline=None)
TestRelations = Relations.TestCase
