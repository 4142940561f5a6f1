"""The pages about signing in: second step, step-up and interrupted forms, one's ways and sessions, helping others."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from conftest import make_strong
from factories import NOW, staff
from flask import Flask
from flask.testing import FlaskClient
from soft_passkey import SoftPasskey

from socialgov.actions.signin import make_signin_link
from socialgov.escrow.codes import Seed, code_at, read_seed
from socialgov.home import Home
from socialgov.models import Role, Staff
from socialgov.store.factors import authenticator_of, passkeys_of
from socialgov.web import build_app
from socialgov.web.access import fresh, fresh_keeping, signed_in

Browse = Callable[[Staff], FlaskClient]
STEP = timedelta(seconds=30)
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1"


@pytest.fixture
def clock(home: Home) -> Callable[[datetime], None]:
    """`clock(moment)` sets the school's clock."""

    def turn(moment: datetime) -> None:
        object.__setattr__(home, "clock", lambda: moment)

    return turn


def link_for(home: Home, person: Staff) -> str:
    return make_signin_link(home, person.id, actor="cli", now=home.now())


def here(home: Home) -> dict[str, str]:
    """At the school's own address, where passkeys work."""
    return {"Host": urlsplit(home.settings.base_url).netloc}


def add_app(home: Home, client: FlaskClient) -> Seed:
    """Walk the pages that add an authenticator app."""
    shown = client.post("/signing-in/authenticator/add").text
    found = re.search(r'id="seed">([A-Z2-7 ]+)<', shown)
    assert found is not None
    seed = read_seed(found[1])
    answer = client.post("/signing-in/authenticator/confirm", data={"code": code_at(seed, home.now())[0]})
    assert answer.status_code == 302
    return seed


def add_key(home: Home, client: FlaskClient, name: str = "Laptop") -> SoftPasskey:
    """Walk the pages that add a passkey, with a device made of a few lines."""
    key = SoftPasskey(origin=home.settings.base_url)
    options = client.post("/signing-in/passkeys/options")
    assert options.mimetype == "application/json"
    answer = client.post("/signing-in/passkeys/add", data={"answer": key.register(options.text), "name": name})
    assert answer.status_code == 302
    return key


# --------------------------------------------------------------------------------------------------- the way in


def test_a_passkey_signs_in_without_a_user_name(app: Flask, browse: Browse, home: Home, teacher: Staff) -> None:
    key = add_key(home, browse(teacher))
    stranger = app.test_client()
    options = stranger.post("/signin/passkey/options").text
    answer = stranger.post("/signin/passkey", data={"answer": key.use(options)})
    assert answer.location == "/"
    assert teacher.name in stranger.get("/").text


@pytest.mark.asvs("6.5.1")
def test_an_answer_in_another_browser_or_a_second_time_signs_nobody_in(
    app: Flask, browse: Browse, home: Home, teacher: Staff
) -> None:
    key = add_key(home, browse(teacher))
    mine, thief = app.test_client(), app.test_client()
    answer = key.use(mine.post("/signin/passkey/options").text)
    thief.post("/signin/passkey/options")
    for client in (thief, thief):
        assert client.post("/signin/passkey", data={"answer": answer}).location == "/signin"
        assert client.get("/").status_code == 302
    assert mine.post("/signin/passkey", data={"answer": answer}).location == "/"
    again = app.test_client()
    assert again.post("/signin/passkey", data={"answer": answer}).location == "/signin"
    assert again.get("/").status_code == 302


def test_it_grows_deaf_to_wrong_passkeys_and_hears_a_good_one(
    app: Flask, browse: Browse, home: Home, teacher: Staff
) -> None:
    key = add_key(home, browse(teacher))
    thief = app.test_client()
    said = {thief.post("/signin/passkey", data={"answer": "{}"}).status_code for _ in range(12)}
    assert said == {302, 429}
    options = thief.post("/signin/passkey/options").text
    assert thief.post("/signin/passkey", data={"answer": key.use(options)}).location == "/"


@pytest.mark.asvs("6.4.1", "6.3.1")
def test_a_link_asks_for_a_code_of_somebody_who_has_an_app(
    app: Flask, browse: Browse, home: Home, teacher: Staff, clock: Any
) -> None:
    seed = add_app(home, browse(teacher))
    clock(NOW + 2 * STEP)
    client = app.test_client()
    assert client.post(link_for(home, teacher)).location == "/signin/second"
    assert client.get("/").status_code == 302, "half signed in is not signed in"
    assert f"One more step, {teacher.name}" in client.get("/signin/second").text
    wrong = client.post("/signin/second", data={"code": "000000"})
    assert wrong.status_code == 422
    assert "This code is not right" in wrong.text
    assert client.post("/signin/second", data={"code": code_at(seed, home.now())[0]}).location == "/"
    assert teacher.name in client.get("/").text
    assert client.get("/signin/second").location == "/signin"
    codes = {
        browse_half(app, home, teacher).post("/signin/second", data={"code": "000000"}).status_code for _ in range(12)
    }
    assert codes == {422, 429}


def browse_half(app: Flask, home: Home, person: Staff) -> FlaskClient:
    client = app.test_client()
    client.post(link_for(home, person))
    return client


def test_a_link_asks_for_the_passkey_of_somebody_who_has_one(
    app: Flask, browse: Browse, home: Home, teacher: Staff
) -> None:
    key = add_key(home, browse(teacher))
    client = app.test_client()
    client.post(link_for(home, teacher))
    assert "Use a passkey" in client.get("/signin/second", headers=here(home)).text
    options = client.post("/signin/second/options").text
    assert client.post("/signin/second/passkey", data={"answer": key.use(options)}).location == "/"


def test_nobody_takes_the_second_step_without_the_first(client: FlaskClient) -> None:
    assert client.get("/signin/second").location == "/signin"
    assert client.post("/signin/second/options").status_code == 403
    assert client.post("/signin/second/passkey", data={"answer": "{}"}).location == "/signin/second"


def test_where_passkeys_cannot_work_the_page_says_so_and_loads_no_script(home: Home) -> None:
    plain = replace(home, settings=replace(home.settings, base_url="http://192.0.2.4"))
    answer = build_app(plain).test_client().get("/signin", base_url="http://192.0.2.4")
    assert "Passkeys cannot work here" in answer.text
    assert "<script" not in answer.text
    assert "script-src" not in answer.headers["Content-Security-Policy"]


def test_only_the_pages_that_need_it_may_load_our_script(
    app: Flask, browse: Browse, home: Home, teacher: Staff
) -> None:
    client = browse(teacher)
    for path, script in (("/signing-in/passkeys/add", True), ("/signing-in/", False), ("/", False)):
        answer = client.get(path, headers=here(home))
        assert ("<script" in answer.text) is script
        policy = answer.headers["Content-Security-Policy"]
        assert ("script-src 'self'" in policy) is script, path
        assert "unsafe" not in policy


# --------------------------------------------------------------------------------------------------- the seed


@pytest.mark.asvs("3.5.3", "14.3.2")
def test_no_get_ever_shows_the_seed_of_an_app(browse: Browse, home: Home, teacher: Staff) -> None:
    client = browse(teacher)
    shown = client.post("/signing-in/authenticator/add")
    seed = re.search(r'id="seed">([A-Z2-7 ]+)<', shown.text)
    assert seed is not None
    assert len(seed[1]) == 39, "groups of four"
    assert "data:image/svg+xml" in shown.text
    assert shown.headers["Cache-Control"] == "no-store"
    packed = seed[1].replace(" ", "")
    for path in ("/signing-in/authenticator/add", "/signing-in/authenticator/confirm", "/signing-in/", "/"):
        text = client.get(path).text
        assert packed not in text
        assert seed[1] not in text
    wrong = client.post("/signing-in/authenticator/confirm", data={"code": "000000"})
    assert wrong.status_code == 422
    assert packed not in wrong.text
    assert seed[1] not in wrong.text


def test_the_school_may_switch_codes_off(app: Flask, browse: Browse, home: Home, teacher: Staff) -> None:
    policy = replace(home.settings.policy, authenticator_codes=False)
    object.__setattr__(home, "settings", replace(home.settings, policy=policy))
    client = browse(teacher)
    assert "authenticator" not in client.get("/signing-in/").text
    assert client.get("/signing-in/authenticator/add").status_code == 403


# --------------------------------------------------------------------------------------------------- step-up


@pytest.fixture
def guarded(app: Flask) -> Flask:
    """The application with a form that matters most."""
    from flask import request

    @fresh_keeping("reason")
    @signed_in
    def form() -> str:
        return (
            f"done: {request.form['reason']} {request.form.get('passphrase')}" if request.method == "POST" else "form"
        )

    @signed_in
    @fresh
    def press() -> str:
        return "pressed"

    app.add_url_rule("/important", "important", form, methods=["GET", "POST"])
    app.add_url_rule("/press", "press", press, methods=["POST"])
    return app


@pytest.mark.asvs("7.5.1", "7.2.4")
def test_it_asks_before_the_form_and_comes_back(
    guarded: Flask, browse: Browse, home: Home, teacher: Staff, clock: Any
) -> None:
    client = browse(teacher)
    seed = add_app(home, client)
    clock(NOW + timedelta(minutes=home.settings.policy.step_up_minutes))
    assert client.get("/important?page=2").location == "/confirm"
    assert "Show that it is you" in client.get("/confirm").text
    with client.session_transaction() as cookie:
        before = cookie["session"]
    assert client.post("/confirm", data={"code": "000000"}).status_code == 422
    assert client.post("/confirm", data={"code": code_at(seed, home.now())[0]}).location == "/important?page=2"
    assert client.get("/important").text == "form"
    with client.session_transaction() as cookie:
        assert cookie["session"] != before
    assert client.get("/confirm").location == "/", "who is fresh is not asked again"


def test_a_passkey_confirms_too(guarded: Flask, browse: Browse, home: Home, teacher: Staff, clock: Any) -> None:
    client = browse(teacher)
    key = add_key(home, client)
    clock(NOW + timedelta(minutes=home.settings.policy.step_up_minutes))
    client.get("/important")
    assert "Use a passkey" in client.get("/confirm", headers=here(home)).text
    options = client.post("/confirm/passkey/options").text
    wrong = client.post("/confirm/passkey", data={"answer": key.use(options, origin="https://evil.example")})
    assert wrong.location == "/confirm"
    options = client.post("/confirm/passkey/options").text
    assert client.post("/confirm/passkey", data={"answer": key.use(options)}).location == "/important"


def test_before_the_vault_an_app_is_not_enough_and_leads_to_a_passkey(
    browse: Browse, home: Home, manager: Staff, clock: Any
) -> None:
    client = browse(manager)
    seed = add_app(home, client)
    assert client.get("/vault/open").location == "/confirm"
    asked = client.get("/confirm").text
    assert "does not open the vault" in asked
    assert "Code from your authenticator app" not in asked
    later = NOW + timedelta(minutes=home.settings.policy.step_up_minutes)
    clock(later)
    assert client.get("/signing-in/passkeys/add").location == "/confirm"
    assert "Code from your authenticator app" in client.get("/confirm").text, "for a passkey the app is enough"
    digits = code_at(seed, later)[0]
    assert client.post("/confirm", data={"code": digits}).location == "/signing-in/passkeys/add"
    add_key(home, client)
    assert client.get("/vault/open").status_code == 200, "whoever just used the new passkey is let on"


def test_an_interrupted_form_is_kept_without_its_secrets(
    guarded: Flask, browse: Browse, home: Home, teacher: Staff, clock: Any
) -> None:
    client = browse(teacher)
    seed = add_app(home, client)
    clock(NOW + timedelta(minutes=home.settings.policy.step_up_minutes))
    sent = {"reason": 'A "long" <b>reason', "passphrase": "hunter2 canary"}
    assert client.post("/important", data=sent).location == "/confirm"
    on = client.post("/confirm", data={"code": code_at(seed, home.now())[0]})
    assert on.location == "/confirm/carry-on"
    text = client.get("/confirm/carry-on").text
    assert 'action="/important"' in text
    assert "A &#34;long&#34; &lt;b&gt;reason" in text
    assert "canary" not in text
    assert "canary" not in str(list(home.db.query("select * from ceremony")))
    assert client.post("/important", data={"reason": sent["reason"]}).text.startswith("done")
    assert client.get("/confirm/carry-on").location == "/", "once"


def test_a_button_that_was_interrupted_is_pressed_again(
    guarded: Flask, browse: Browse, home: Home, teacher: Staff, clock: Any
) -> None:
    client = browse(teacher)
    seed = add_app(home, client)
    clock(NOW + timedelta(minutes=home.settings.policy.step_up_minutes))
    assert client.post("/press").location == "/confirm"
    client.post("/confirm", data={"code": code_at(seed, home.now())[0]})
    assert 'action="/press"' in client.get("/confirm/carry-on").text


def test_somebody_without_any_way_adds_one_or_is_told_how(
    guarded: Flask, browse: Browse, home: Home, teacher: Staff, clock: Any
) -> None:
    client = browse(teacher)
    client.get("/important")
    assert "Add a way to sign in" in client.get("/confirm").text
    add_app(home, client)
    late = browse(other := staff(home))
    clock(NOW + timedelta(minutes=home.settings.policy.step_up_minutes))
    late.get("/important")
    text = late.get("/confirm").text
    assert "Ask the network manager for a new sign-in link" in text
    assert authenticator_of(home.db, other.id) is None


def test_adding_the_first_way_leads_on_to_what_one_came_for(
    guarded: Flask, browse: Browse, home: Home, teacher: Staff
) -> None:
    client = browse(teacher)
    assert client.get("/important").location == "/confirm"
    shown = client.post("/signing-in/authenticator/add").text
    found = re.search(r'id="seed">([A-Z2-7 ]+)<', shown)
    assert found is not None
    code = code_at(read_seed(found[1]), NOW)[0]
    assert client.post("/signing-in/authenticator/confirm", data={"code": code}).location == "/important"
    assert client.get("/important").text == "form"


# --------------------------------------------------------------------------------------------------- one's own ways


def test_one_sees_names_and_removes_ones_passkeys(browse: Browse, home: Home, teacher: Staff) -> None:
    client = browse(teacher)
    add_key(home, client, "Laptop in the staff room")
    add_key(home, client, "Phone")
    text = client.get("/signing-in/").text
    assert "Laptop in the staff room" in text
    first, second = passkeys_of(home.db, teacher.id)
    page = client.get(f"/signing-in/passkeys/{first.id}/remove").text
    assert "your only way" not in page
    client.post(f"/signing-in/passkeys/{first.id}/remove")
    assert "your only way" in client.get(f"/signing-in/passkeys/{second.id}/remove").text
    client.post(f"/signing-in/passkeys/{second.id}/remove")
    assert "You sign in by links alone" in client.get("/signing-in/").text


@pytest.mark.asvs("7.5.2")
def test_one_sees_where_one_is_signed_in_and_signs_out_elsewhere(app: Flask, home: Home, teacher: Staff) -> None:
    here, there = app.test_client(), app.test_client()
    for client, agent in ((there, PHONE), (here, "Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/140.0")):
        client.post(link_for(home, teacher), headers={"User-Agent": agent}, environ_base={"REMOTE_ADDR": "192.0.2.7"})
    text = here.get("/signing-in/").text
    assert "Safari on iPhone" in text
    assert "Firefox on Windows" in text
    assert "from 192.0.2.7" in text
    assert "This one" in text
    assert "erased 90 days after its end" in text
    number = re.search(r"/signing-in/sessions/(\d+)/end", text)
    assert number is not None
    here.post(f"/signing-in/sessions/{number[1]}/end")
    assert there.get("/").status_code == 302
    there.post(link_for(home, teacher))
    assert here.post("/signing-in/sessions/end-others").status_code == 302
    assert there.get("/").status_code == 302
    assert here.get("/").status_code == 200


def test_a_strange_browser_is_called_another_program() -> None:
    from socialgov.web.browsers import browser_words

    assert browser_words("") == "Another program"
    assert browser_words("curl/8.0") == "Another program"
    assert browser_words("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit Chrome/140 Safari Edg/140") == "Edge on Linux"


# --------------------------------------------------------------------------------------------------- others


@pytest.mark.asvs("7.5.1", "7.4.5")
def test_the_head_signs_somebody_out_after_showing_who_they_are(
    browse: Browse, home: Home, teacher: Staff, head: Staff
) -> None:
    theirs, client = browse(teacher), browse(head)
    assert "Links alone" in client.get("/signing-in/people/").text
    path = f"/signing-in/people/{teacher.id}/end-sessions"
    assert client.get(path).location == "/confirm"
    make_strong(home, client)
    assert "out everywhere?" in client.get(path).text
    client.post(path)
    assert theirs.get("/").status_code == 302


def test_the_manager_removes_the_ways_of_somebody_who_lost_their_device(
    browse: Browse, home: Home, teacher: Staff, manager: Staff, head: Staff
) -> None:
    add_key(home, browse(teacher))
    client = make_strong(home, browse(manager))
    assert "They lost their device" in client.get(f"/signing-in/people/{teacher.id}").text
    assert "every head are told" in client.get(f"/signing-in/people/{teacher.id}/remove").text
    client.post(f"/signing-in/people/{teacher.id}/remove")
    assert passkeys_of(home.db, teacher.id) == []
    assert "were removed, as after a lost device" in browse(head).get("/").text
    assert client.get(f"/signing-in/people/{manager.id}/remove").status_code == 403
    assert make_strong(home, browse(head)).get(f"/signing-in/people/{teacher.id}/remove").status_code == 403


def test_a_teacher_does_not_see_how_others_sign_in(browse: Browse, home: Home, teacher: Staff) -> None:
    assert browse(teacher).get("/signing-in/people/").status_code == 403
    assert "How others sign in" not in browse(teacher).get("/signing-in/").text
    assert "How others sign in" in browse(staff(home, Role.HEAD)).get("/signing-in/").text
