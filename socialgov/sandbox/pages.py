"""The simulated network's own pages, where a visitor plays the outsider, or the teacher careless with a password."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, current_app, flash, g, redirect, render_template, request, session, url_for
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as Answer

from socialgov.sandbox.keys import Keys
from socialgov.sandbox.network import Member, Network, NetworkError, Shot
from socialgov.sandbox.wall import Wall

bp = Blueprint("pages", __name__)


def _network() -> Network:
    return current_app.extensions["network"]  # type: ignore[no-any-return]


def _wall() -> Wall:
    return Wall(_network())


@bp.before_app_request
def know_the_visitor() -> None:
    """Who is signed in here: their sessions may have been ended, or the account deleted, since the cookie was set."""
    g.visitor = None
    if "id" in session:
        try:
            member = _network().member(session["id"])
        except NetworkError:
            return
        if member.deleted_at is None and member.sessions == session.get("sessions"):
            g.visitor = member


@bp.app_context_processor
def common() -> dict[str, Any]:
    return {"visitor": g.get("visitor"), "reversible_days": _network().reversible_days}


def _visitor() -> Member:
    if g.visitor is None:
        raise NetworkError("sign_in", "Choose who you are first.", 401)
    return g.visitor  # type: ignore[no-any-return]


def _enter(member: Member) -> None:
    session.clear()
    session.update(id=member.id, sessions=member.sessions)


def _profile(name: str) -> Answer:
    return redirect(url_for("pages.profile", name=name))


@bp.app_errorhandler(NetworkError)
def refused(error: NetworkError) -> tuple[str, int]:
    return render_template("refused.html", sentence=error.sentence), error.status


@bp.app_errorhandler(CSRFError)
def forged(error: CSRFError) -> tuple[str, int]:
    return render_template("refused.html", sentence="This form is out of date. Open the page again."), 400


@bp.app_errorhandler(HTTPException)
def not_here(error: HTTPException) -> tuple[str, int]:
    return render_template("refused.html", sentence=error.name + "."), error.code or 500


# ---- who you are


@bp.get("/")
def start() -> str:
    network = _network()
    return render_template(
        "start.html", outsiders=network.members(outsiders=True), accounts=network.members(outsiders=False)
    )


@bp.post("/outsiders")
def create_outsider() -> Answer:
    name = request.form.get("name", "").strip().lower()
    _enter(_network().create_account(name, outsider=True, display_name=name))
    return redirect(url_for("pages.start"))


@bp.post("/be")
def be_outsider() -> Answer:
    """Play identities have no password; every other account asks for its own."""
    member = _network().named(request.form.get("name", ""))
    if not member.outsider:
        raise NetworkError("wrong_login", "That account needs its password.", 403)
    _enter(member)
    return redirect(url_for("pages.start"))


@bp.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> Any:
    if request.method == "GET":
        return render_template("sign_in.html", name=request.args.get("name", ""), error="")
    name = request.form.get("name", "")
    try:
        member = _network().sign_in(name, request.form.get("password", ""))
    except NetworkError as error:
        return render_template("sign_in.html", name=name, error=error.sentence), error.status
    _enter(member)
    return redirect(url_for("pages.settings") if not member.active else url_for("pages.profile", name=member.name))


@bp.post("/sign-out")
def sign_out() -> Answer:
    session.clear()
    return redirect(url_for("pages.start"))


@bp.route("/join", methods=["GET", "POST"])
def join() -> Any:
    """Make an ordinary account, as a teacher does before an approved one can be checked."""
    if request.method == "GET":
        return render_template("join.html", form={}, error="")
    form = request.form
    try:
        member = _network().create_account(
            form.get("name", "").strip().lower(), form.get("password", ""), email=form.get("email", "").strip()
        )
    except NetworkError as error:
        return render_template("join.html", form=form, error=error.sentence), error.status
    _enter(member)
    return redirect(url_for("pages.settings"))


@bp.get("/phone")
def phone() -> str:
    """The phone of the school's network manager, where a demonstration has put one into `extensions["phone"]`:
    a function that gives the code of the moment, for how many seconds, and the passphrase they know by heart.
    """
    shown = current_app.extensions.get("phone")
    if shown is None:
        raise NetworkError("no_phone", "There is no phone here.", 404)
    code, seconds_left, passphrase = shown()
    return render_template("phone.html", code=code, seconds_left=seconds_left, passphrase=passphrase)


# ---- looking


@bp.get("/@<name>")
def profile(name: str) -> str:
    network, owner = _network(), _network().named(name)
    if not owner.active and (g.visitor is None or g.visitor.id != owner.id):
        raise NetworkError("deactivated", "This account is deactivated.", 404)
    entries = _wall().entries(owner) if network.can_see(g.visitor, owner) else None
    state = network.follow_state(g.visitor, owner) if g.visitor else ""
    liked = set(_wall().likes(g.visitor)) if g.visitor else set()
    accepted = sum(accepted for _, accepted in network.followers(owner))
    return render_template(
        "profile.html", owner=owner, entries=entries, state=state, liked=liked, follower_count=accepted
    )


@bp.get("/@<name>/picture")
def picture(name: str) -> Response:
    shot = _network().picture(_network().named(name))
    if shot is None:
        raise NetworkError("no_picture", "There is no such picture.", 404)
    return Response(shot.content, mimetype=shot.mime)


@bp.get("/posts/<int:number>/<int:position>")
def post_picture(number: int, position: int) -> Response:
    _seen_post(number)
    shot = _wall().shot(number, position)
    return Response(shot.content, mimetype=shot.mime)


def _seen_post(number: int) -> Member:
    """The account that posted it, if this visitor may see it."""
    owner = _network().member(_wall().entry(number).account_id)
    _network().check_can_see(g.visitor, owner)
    return owner


# ---- doing


@bp.post("/@<name>/follow")
def follow(name: str) -> Answer:
    _network().follow(_visitor(), _network().named(name))
    return _profile(name)


@bp.post("/@<name>/unfollow")
def unfollow(name: str) -> Answer:
    _network().unfollow(_visitor(), _network().named(name))
    return _profile(name)


@bp.post("/posts/<int:number>/<any(like, unlike, share, reply):verb>")
def react(number: int, verb: str) -> Answer:
    visitor, owner, wall = _visitor(), _seen_post(number), _wall()
    if verb == "like":
        wall.like(visitor, number)
    elif verb == "unlike":
        wall.unlike(visitor, number)
    elif verb == "share":
        wall.publish(visitor, "", key=f"share-{number}", share_of=number)
    else:
        wall.publish(visitor, request.form.get("text", ""), reply_to=number)
    return _profile(owner.name)


@bp.post("/posts")
def publish() -> Answer:
    shot = _uploaded("picture")
    _wall().publish(_visitor(), request.form.get("text", ""), [shot] if shot else [])
    return _profile(_visitor().name)


@bp.post("/posts/<int:number>/delete")
def remove(number: int) -> Answer:
    _wall().remove(_visitor(), number)
    return _profile(_visitor().name)


@bp.get("/followers")
def followers() -> str:
    return render_template("followers.html", followers=_network().followers(_visitor()))


@bp.post("/followers/<follower_id>/<any(accept, remove):verb>")
def decide(follower_id: str, verb: str) -> Answer:
    me = _visitor()
    if verb == "accept":
        _network().accept(me, follower_id)
    else:
        _network().unfollow(_network().member(follower_id), me)
    return redirect(url_for("pages.followers"))


# ---- settings


@bp.get("/settings")
def settings() -> str:
    me = _visitor()
    return render_template("settings.html", me=me, app_passwords=Keys(_network()).of(me))


@bp.post("/settings/privacy")
def set_privacy() -> Answer:
    private = request.form.get("private") == "yes"
    _network().change_profile(_visitor(), private=private)
    return _saved(f"This account is {'private' if private else 'public'} now.")


@bp.post("/settings/profile")
def set_profile() -> Answer:
    form = request.form
    _network().change_profile(
        _visitor(),
        display_name=form.get("display_name", "").strip() or _visitor().name,
        text=form.get("text", "").strip(),
        email=form.get("email", "").strip(),
        picture=_uploaded("picture"),
    )
    return _saved("The profile is saved.")


@bp.post("/settings/password")
def set_password() -> Answer:
    me = _visitor()
    _network().change_password(me, request.form.get("old", ""), request.form.get("new", ""))
    _enter(_network().member(me.id))
    return _saved("The password is changed, and everybody else is signed out.")


@bp.post("/settings/app-passwords/revoke")
def revoke_app_password() -> Answer:
    name = request.form.get("name", "")
    Keys(_network()).revoke(_visitor(), name)
    return _saved(f"The app password of {name} is revoked.")


@bp.post("/settings/deactivate")
def deactivate() -> Answer:
    _network().deactivate(_visitor())
    return _saved("The account is deactivated.")


@bp.post("/settings/reactivate")
def reactivate() -> Answer:
    _network().reactivate(_visitor())
    return _saved("The account is back.")


def _saved(sentence: str) -> Answer:
    flash(sentence)
    return redirect(url_for("pages.settings"))


def _uploaded(name: str) -> Shot | None:
    upload = request.files.get(name)
    if upload is None or not upload.filename:
        return None
    return Shot(upload.read(), upload.mimetype, request.form.get("alt", ""))
