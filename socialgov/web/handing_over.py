"""What a person does on the platform: post what was handed over, look at a colleague's post, take a post down."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, flash, g, redirect, url_for
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import RadioField
from wtforms.validators import InputRequired

from socialgov.actions import posts as actions
from socialgov.actions.own_cause import writers_of
from socialgov.actions.post_changes import check_can_see_post
from socialgov.actions.post_facts import blocking, check_post
from socialgov.actions.publishing import may_find_out
from socialgov.errors import Conflict, NotFound
from socialgov.models import Post, PostState
from socialgov.permissions import check_can_post, check_can_second_check, check_can_set_up
from socialgov.platforms import CannotDo, PlatformError
from socialgov.store.posts import depictions_of, media_of, post_by_id
from socialgov.store.staff import staff_by_id
from socialgov.web.access import may_account, signed_in
from socialgov.web.forms import ButtonForm, optional_text, options, saved
from socialgov.web.forms import page as form_page

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

bp = Blueprint("handing_over", __name__, url_prefix="/accounts")


class PostedForm(FlaskForm):
    link = optional_text("Link of the post", longest=500)
    screenshot = FileField("Or a screenshot of it")


class RemovedForm(FlaskForm):
    screenshot = FileField("A screenshot of the page without the post, if you have one")


class LookForm(FlaskForm):
    verdict = RadioField(
        "May it go out?",
        choices=options((("yes", "Yes, I have looked at it"), ("no", "No"))),
        validators=[InputRequired("Say whether it may go out.")],
    )
    reason = optional_text("If not, why?", longest=500, lines=True)


@bp.route("/<int:account_id>/posts/<int:post_id>/hand-over", methods=["GET", "POST"])
@may_account(check_can_post)
def page(account_id: int, post_id: int) -> ResponseReturnValue:
    """Copy the text, take the cleaned photos, post them on the platform, and show that it is out.

    Where the machine's answer was lost and it cannot find out either: look on the platform, and say what is there.
    """
    post = _post(account_id, post_id)
    if not may_find_out(post, g.now):
        raise Conflict("This post is not in your hands.", "Open it again to see where it stands.")
    form = PostedForm()

    def keep() -> None:
        actions.report_posted(g.home, g.staff, post_id, link=form.link.data or "", screenshot=_file(form), now=g.now)

    if saved(form, keep):
        flash("The post is recorded as out.", "success")
        return _to_post(post)
    info = g.home.settings.platforms[g.account.platform]
    return form_page(
        "posts/hand_over.html",
        form,
        account=g.account,
        post=post,
        photos=media_of(g.home.db, post_id),
        platform=info,
        # somebody may have withdrawn a permission since the gate opened
        missing=blocking(check_post(g.home, post_id, g.now)) if post.handed_over else [],
    )


@bp.post("/<int:account_id>/posts/<int:post_id>/give-up")
@may_account(check_can_post)
def give_up(account_id: int, post_id: int) -> ResponseReturnValue:
    """It was not posted after all, or is not there."""
    post = _post(account_id, post_id)
    actions.give_up_hand_over(g.home, g.staff, post_id, now=g.now)
    flash("The post is a draft again.", "info")
    return _to_post(post)


@bp.route("/<int:account_id>/posts/<int:post_id>/second-look", methods=["GET", "POST"])
@signed_in
def second_look(account_id: int, post_id: int) -> ResponseReturnValue:
    """A colleague's yes or no (MED506)."""
    post = _post(account_id, post_id)
    form = LookForm()

    def keep() -> None:
        approved = form.verdict.data == "yes"
        actions.second_check(g.home, g.staff, post_id, approved, form.reason.data or "", now=g.now)

    if saved(form, keep):
        flash("Thank you. The author is told.", "success")
        return redirect(url_for("start.page"))
    check_can_second_check(g.staff, writers_of(g.home.db, post))
    return form_page(
        "posts/second_look.html",
        form,
        account=g.account,
        post=post,
        photos=media_of(g.home.db, post_id),
        people=depictions_of(g.home.db, [post_id]),
        author=staff_by_id(g.home.db, post.author_id).name,
    )


@bp.route("/<int:account_id>/posts/<int:post_id>/remove", methods=["GET", "POST"])
@may_account(check_can_set_up)
def remove(account_id: int, post_id: int) -> ResponseReturnValue:
    """Take a published post down, by machine where the platform lets us; else a person does it, who always may."""
    post, form = _out(account_id, post_id), ButtonForm()
    try:
        if saved(form, lambda: actions.remove_post(g.home, g.staff, post_id, now=g.now)):
            flash("The post is taken down.", "success")
            return _to_post(post)
    except PlatformError as error:
        if not isinstance(error, CannotDo):
            flash(f"{error} You need not wait for that: take the post down yourself.", "warning")
        return redirect(url_for("handing_over.removed", account_id=account_id, post_id=post_id))
    return form_page("posts/remove.html", form, account=g.account, post=post)


@bp.route("/<int:account_id>/posts/<int:post_id>/removed", methods=["GET", "POST"])
@may_account(check_can_set_up)
def removed(account_id: int, post_id: int) -> ResponseReturnValue:
    """A person takes it down on the platform and says so here."""
    post, form = _out(account_id, post_id), RemovedForm()
    if saved(form, lambda: actions.report_removed(g.home, g.staff, post_id, screenshot=_file(form), now=g.now)):
        flash("The post is recorded as taken down.", "success")
        return _to_post(post)
    info = g.home.settings.platforms[g.account.platform]
    return form_page(
        "posts/removed.html",
        form,
        account=g.account,
        post=post,
        platform=info,
        guide=info.guides.get("remove_post", ()),
    )


def _file(form: FlaskForm) -> bytes | None:
    sent = form.screenshot.data
    return (sent.read() or None) if sent and sent.filename else None


def _post(account_id: int, post_id: int) -> Post:
    post = post_by_id(g.home.db, post_id)
    if post.account_id != account_id:
        raise NotFound("This post belongs to another account.", "Open the account's posts again.")
    check_can_see_post(g.home, g.staff, post)
    return post


def _out(account_id: int, post_id: int) -> Post:
    post = _post(account_id, post_id)
    if post.state is not PostState.PUBLISHED:
        raise Conflict("This post is not out.", "Open it again to see where it stands.")
    return post


def _to_post(post: Post) -> ResponseReturnValue:
    return redirect(url_for("posts.post", account_id=post.account_id, post_id=post.id))
