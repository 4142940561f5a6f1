"""Who is in a post's pictures and whom its words name. Search keeps what is ticked, without any script."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, g, redirect, request, url_for
from flask_wtf import FlaskForm
from wtforms import BooleanField, IntegerField, SelectChoice, StringField
from wtforms.validators import Optional

from socialgov.actions.people import search_people
from socialgov.actions.post_changes import own_post
from socialgov.actions.post_facts import names_found
from socialgov.actions.posts import set_depictions
from socialgov.errors import NotFound
from socialgov.models import Person, PersonKind, Post
from socialgov.names import fold
from socialgov.permissions import check_can_post
from socialgov.store.people import audience_of, people_by_ids
from socialgov.store.posts import depictions_of, media_of, post_by_id
from socialgov.web.access import may_account
from socialgov.web.forms import ManyField, options, saved
from socialgov.web.forms import page as form_page
from socialgov.web.post_words import say_what_fell

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

bp = Blueprint("depictions", __name__, url_prefix="/accounts")

LISTED = 60  # of the audience before a search: a trip's pupils
FOUND = 30


class WhoForm(FlaskForm):
    q = StringField("Search for a name")
    shown = ManyField("Who can be recognised in the pictures?", coerce=int, validate_choice=False, choices=[])
    people_in_picture = IntegerField("How many people can be recognised?", validators=[Optional()])
    nobody_identifiable = BooleanField("Nobody can be recognised")
    named = ManyField("Whom do the words name?", coerce=int, validate_choice=False, choices=[])


@bp.route("/<int:account_id>/posts/<int:post_id>/who", methods=["GET", "POST"])
@may_account(check_can_post)
def who(account_id: int, post_id: int) -> ResponseReturnValue:
    """Tick who is in it; the audience's people first, then whoever a search finds."""
    post = own_post(g.home, g.staff, post_id)
    if post.account_id != account_id:
        raise NotFound("This post belongs to another account.", "Open the account's posts again.")
    form = WhoForm(data=_as_saved(post))
    searching = request.method == "POST" and request.form.get("do") == "search"

    def keep() -> None:
        set_depictions(
            g.home,
            g.staff,
            post_id,
            shown=set(form.shown.data or ()),
            named=set(form.named.data or ()),
            people_in_picture=form.people_in_picture.data,
            nobody_identifiable=form.nobody_identifiable.data,
            now=g.now,
        )

    if not searching and saved(form, keep):
        say_what_fell(post, post_by_id(g.home.db, post_id))
        return redirect(url_for("posts.post", account_id=account_id, post_id=post_id))
    found = names_found(g.home.db, post)
    form.shown.choices = _choices(_offered(form))
    form.named.choices = _choices(
        _unique([*people_by_ids(g.home.db, set(form.named.data or ())), *found.certain, *found.possible])
    )
    return form_page(
        "posts/who.html",
        form,
        account=g.account,
        post=post,
        photos=media_of(g.home.db, post_id),
        certain=[one.name for one in found.certain],
        possible=[one.name for one in found.possible],
        searched=searching,
    )


def _as_saved(post: Post) -> dict[str, object]:
    shown = depictions_of(g.home.db, [post.id])
    return {
        "shown": [one.person.id for one in shown if not one.in_text],
        "named": [one.person.id for one in shown if one.in_text],
        "people_in_picture": post.people_in_picture,
        "nobody_identifiable": post.nobody_identifiable,
    }


def _offered(form: WhoForm) -> list[Person]:
    """Those ticked, then those of the audience who match, then anybody in the school who does."""
    ticked = people_by_ids(g.home.db, set(form.shown.data or ()))
    audience = sorted(audience_of(g.home.db, g.account.id), key=lambda one: one.kind is not PersonKind.PUPIL)
    query = (form.q.data or "")[:100].strip()
    if not query:
        return _unique([*ticked, *audience[:LISTED]])
    parts = fold(query).split()
    near = [one for one in audience if all(part in fold(one.name) for part in parts)]
    return _unique([*ticked, *near, *search_people(g.home, query, limit=FOUND)])


def _unique(people: list[Person]) -> list[Person]:
    return list({one.id: one for one in people}.values())


def _choices(people: list[Person]) -> list[SelectChoice]:
    return options((one.id, f"{one.name} ({one.form or one.kind.value})") for one in people)
