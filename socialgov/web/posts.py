"""Posts: write, add the photo, say who is in it, confirm, have it looked at, publish, take down. Made for a phone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, flash, g, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import BooleanField

from socialgov.actions import posts as actions
from socialgov.actions.own_cause import writers_of
from socialgov.actions.post_changes import EDITABLE, check_can_see_post
from socialgov.actions.post_facts import blocking, check_post
from socialgov.actions.publishing import can_publish, may_find_out
from socialgov.errors import GateRefused, NotFound
from socialgov.lifecycle import WrongState
from socialgov.models import AccountState, Post, PostState
from socialgov.permissions import (
    can_post,
    can_second_check,
    can_set_up,
    check_can_post,
    check_can_view_posts,
    is_keeper,
)
from socialgov.platforms import NotReady, PlatformError
from socialgov.rules import CATALOGUE
from socialgov.store.posts import depictions_of, first_media, media_of, post_by_id, posts_of
from socialgov.store.staff import staff_names
from socialgov.web.access import may_account, signed_in
from socialgov.web.forms import optional_text, saved, text
from socialgov.web.forms import page as form_page
from socialgov.web.post_words import STATE_WORDS, answer_of, say_what_fell, tasks_of

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

bp = Blueprint("posts", __name__, url_prefix="/accounts")

PHOTO_TYPES = "image/jpeg,image/png,image/heic,image/heif,image/webp"


class TextForm(FlaskForm):
    text = text("What should the post say?", "Write what the post should say.", longest=5000, lines=True)


class PhotoForm(FlaskForm):
    photo = FileField("Photo", validators=[FileRequired("Choose a photo.")])
    alt = text("What does the photo show?", "Say what the photo shows.", longest=500, lines=True)


class ConfirmForm(FlaskForm):
    permanence = BooleanField("I know that what is online can be copied and cannot be taken back")
    school_equipment = BooleanField("The photos were taken on school equipment, for work")
    own_work = BooleanField("Everything in it is the school's own work")
    credit = optional_text("If it is somebody else's, who permitted it?", longest=200)


@bp.get("/<int:account_id>/posts")
@may_account(check_can_view_posts)
def page(account_id: int) -> ResponseReturnValue:
    """The account's posts, those that must come down first."""
    posts = posts_of(g.home.db, account_id)
    return render_template(
        "posts/page.html",
        account=g.account,
        posts=posts,
        photos=first_media(g.home.db, [post.id for post in posts]),
        take_down=[post for post in posts if post.take_down_by_at],
        names=staff_names(g.home.db),
        words=STATE_WORDS,
        can_write=can_post(g.staff, g.account) and g.account.state is AccountState.LIVE,
    )


@bp.route("/<int:account_id>/posts/new", methods=["GET", "POST"])
@may_account(check_can_post)
def write(account_id: int) -> ResponseReturnValue:
    """Begin a post with its words."""
    if g.account.state is not AccountState.LIVE:
        raise WrongState("Posts are written while the account is live.", "Open the account to see what it needs.")
    form, made = TextForm(), []
    if saved(form, lambda: made.append(actions.draft_post(g.home, g.staff, account_id, form.text.data, now=g.now))):
        return redirect(url_for("posts.photo", account_id=account_id, post_id=made[0].id))
    return _words_page(form, None)


@bp.get("/<int:account_id>/posts/<int:post_id>")
@signed_in
def post(account_id: int, post_id: int) -> ResponseReturnValue:
    """One post: what it says and shows, what is missing, and what can be done."""
    shown = _post(account_id, post_id)
    return _post_page(shown)


def _post_page(shown: Post, refused: GateRefused | None = None, status: int = 200) -> ResponseReturnValue:
    db = g.home.db
    findings = check_post(g.home, shown.id, g.now)
    keeper = is_keeper(g.staff, g.account)
    waits = shown.state is PostState.WAITING and shown.checked_by is None
    looks = waits and can_second_check(g.staff, writers_of(db, shown))
    missing = blocking(findings, before_second_look=shown.state is PostState.DRAFT or waits)
    html = render_template(
        "posts/post.html",
        account=g.account,
        platform=g.home.settings.platforms[g.account.platform],
        post=shown,
        photos=media_of(db, shown.id),
        # who is shown, and why a rule refuses, is for those who answer for the post
        people=depictions_of(db, [shown.id]) if keeper or looks else None,
        findings=findings,
        missing=missing,
        look_missing=bool(blocking(findings)) and shown.state is not PostState.REFUSED,
        answer_of=answer_of,
        reasons=keeper or looks,
        titles={rule_id: rule.title for rule_id, rule in CATALOGUE.items()},
        tasks=tasks_of(g.account, shown, media_of(db, shown.id), missing) if keeper and shown.state in EDITABLE else [],
        names=staff_names(db),
        words=STATE_WORDS,
        refused=refused,
        keeper=keeper,
        editable=keeper and shown.state in EDITABLE,
        looks=looks,
        waits=waits,
        second_checker=g.home.settings.policy.second_checker,
        by_machine=can_publish(g.home, g.account),
        in_hand=may_find_out(shown, g.now),
        may_remove=can_set_up(g.staff, g.account),
        state=PostState,
    )
    return html, status


# --------------------------------------------------------------------------------------------------- content


@bp.route("/<int:account_id>/posts/<int:post_id>/text", methods=["GET", "POST"])
@may_account(check_can_post)
def edit(account_id: int, post_id: int) -> ResponseReturnValue:
    """Other words."""
    shown = _post(account_id, post_id)
    form = TextForm(obj=shown)
    if saved(form, lambda: actions.edit_post(g.home, g.staff, post_id, form.text.data, now=g.now)):
        say_what_fell(shown, post_by_id(g.home.db, post_id))
        return _to_post(shown)
    return _words_page(form, shown)


def _words_page(form: TextForm, shown: Post | None) -> ResponseReturnValue:
    longest = g.home.settings.platforms[g.account.platform].post_length
    return form_page("posts/text.html", form, account=g.account, post=shown, longest=longest)


@bp.route("/<int:account_id>/posts/<int:post_id>/photo", methods=["GET", "POST"])
@may_account(check_can_post)
def photo(account_id: int, post_id: int) -> ResponseReturnValue:
    """Add a photo: it is cleaned at once, and what was sent is not kept (MED510)."""
    shown, form = _post(account_id, post_id), PhotoForm()

    def keep() -> None:
        actions.add_photo(g.home, g.staff, post_id, form.photo.data.read(), form.alt.data, now=g.now)

    if saved(form, keep):
        flash("The photo was cleaned: place, device and author are gone.", "success")
        say_what_fell(shown, post_by_id(g.home.db, post_id))
        return redirect(url_for("depictions.who", account_id=account_id, post_id=post_id))
    return form_page("posts/photo.html", form, account=g.account, post=shown, types=PHOTO_TYPES)


@bp.post("/<int:account_id>/posts/<int:post_id>/photos/<int:media_id>/remove")
@may_account(check_can_post)
def remove_photo(account_id: int, post_id: int, media_id: int) -> ResponseReturnValue:
    """Take a photo out of the draft."""
    shown = _post(account_id, post_id)
    actions.remove_photo(g.home, g.staff, post_id, media_id, now=g.now)
    flash("The photo is out of the post, and erased.", "success")
    say_what_fell(shown, post_by_id(g.home.db, post_id))
    return _to_post(shown)


@bp.get("/<int:account_id>/posts/<int:post_id>/photos/<int:media_id>")
@signed_in
def media(account_id: int, post_id: int, media_id: int) -> ResponseReturnValue:
    """The cleaned photo itself. Looking is logged; nobody's cache keeps it."""
    _post(account_id, post_id)
    content, mime = actions.see_photo(g.home, g.staff, post_id, media_id, now=g.now)
    response = Response(content, mimetype=mime)
    response.headers["Cache-Control"] = "no-store"
    if "download" in request.args:
        response.headers["Content-Disposition"] = f'attachment; filename="photo-{media_id}.jpg"'
    return response


@bp.route("/<int:account_id>/posts/<int:post_id>/confirm", methods=["GET", "POST"])
@may_account(check_can_post)
def confirm(account_id: int, post_id: int) -> ResponseReturnValue:
    """The author's word, each time (MED507 to MED509)."""
    shown = _post(account_id, post_id)
    form = ConfirmForm(
        data={
            "permanence": shown.permanence_confirmed_at is not None,
            "school_equipment": shown.school_equipment,
            "own_work": shown.own_work,
            "credit": shown.credit,
        }
    )

    def keep() -> None:
        actions.confirm(
            g.home,
            g.staff,
            post_id,
            permanence=form.permanence.data,
            school_equipment=form.school_equipment.data,
            own_work=form.own_work.data,
            credit=form.credit.data or "",
            now=g.now,
        )

    if saved(form, keep):
        return _to_post(shown)
    return form_page("posts/confirm.html", form, account=g.account, post=shown, photos=media_of(g.home.db, post_id))


# --------------------------------------------------------------------------------------------------- out


@bp.post("/<int:account_id>/posts/<int:post_id>/publish")
@may_account(check_can_post)
def publish(account_id: int, post_id: int) -> ResponseReturnValue:
    """Put it out; every rule is asked once more at this moment."""
    shown = _post(account_id, post_id)
    verb = actions.publish_post if can_publish(g.home, g.account) else actions.hand_over_post
    try:
        verb(g.home, g.staff, post_id, now=g.now)
    except GateRefused as error:
        return _post_page(shown, error, error.status)
    except NotReady as error:
        flash(f"{error.message} It is tried once more in a few minutes, and you are told if that fails too.", "warning")
        return _to_post(shown)
    except PlatformError as error:
        if not error.outcome_unknown:
            raise
        flash(
            "The platform's answer was lost. The next check reads the account and settles whether it is out.", "warning"
        )
        return _to_post(shown)
    if verb is actions.hand_over_post:
        return redirect(url_for("handing_over.page", account_id=account_id, post_id=post_id))
    flash("The post is out.", "success")
    return _to_post(shown)


@bp.post("/<int:account_id>/posts/<int:post_id>/submit")
@may_account(check_can_post)
def submit(account_id: int, post_id: int) -> ResponseReturnValue:
    """Ask a colleague to look (MED506)."""
    shown = _post(account_id, post_id)
    try:
        actions.submit_post(g.home, g.staff, post_id, now=g.now)
    except GateRefused as error:
        return _post_page(shown, error, error.status)
    flash("The post waits for a second look. Your deputy is told; any colleague may do it.", "success")
    return _to_post(shown)


@bp.post("/<int:account_id>/posts/<int:post_id>/discard")
@may_account(check_can_post)
def discard(account_id: int, post_id: int) -> ResponseReturnValue:
    """Throw the draft away."""
    _post(account_id, post_id)
    actions.discard_post(g.home, g.staff, post_id, now=g.now)
    flash("The draft is thrown away, and its photos are erased.", "success")
    return redirect(url_for("posts.page", account_id=account_id))


def _post(account_id: int, post_id: int) -> Post:
    """The post of this account, for somebody who may see it."""
    shown = post_by_id(g.home.db, post_id)
    if shown.account_id != account_id:
        raise NotFound("This post belongs to another account.", "Open the account's posts again.")
    check_can_see_post(g.home, g.staff, shown)
    return shown


def _to_post(shown: Post) -> ResponseReturnValue:
    return redirect(url_for("posts.post", account_id=shown.account_id, post_id=shown.id))
