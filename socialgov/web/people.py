"""People: find one, see what is permitted for them, record an answer, and import what the school's system exports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import RadioField, SelectField
from wtforms.validators import InputRequired

from socialgov.actions.grants import GrantForm, grants_about, record_grant, withdraw_grant
from socialgov.actions.people import apply_import, plan_import, search_people, view_person
from socialgov.actions.uploads import forget_upload, keep_upload, read_upload
from socialgov.csvfiles import MAX_BYTES
from socialgov.errors import InvalidInput, NotFound
from socialgov.import_columns import COLUMNS, ImportKind
from socialgov.models import Answer, Use
from socialgov.permissions import (
    can_import,
    can_record_grant,
    can_view_posts,
    check_can_import,
    check_can_record_grant,
    check_can_view_people,
)
from socialgov.rules.grants import covers
from socialgov.store.accounts import account_by_id
from socialgov.store.people import accounts_by_handle, accounts_of_person, count_people, grant_by_id
from socialgov.store.posts import posts_to_take_down
from socialgov.web.access import may
from socialgov.web.forms import ButtonForm, DayField, DayNeeded, options, saved, text
from socialgov.web.forms import page as form_page

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from socialgov.models import Post

bp = Blueprint("people", __name__, url_prefix="/people")

FOUND_AT_MOST = 50
PROBLEMS_SHOWN = 200
WORDS = {
    "new": "New",
    "changed": "Changed",
    "unchanged": "Unchanged",
    "leaving": "Marked as left",
    "links_ended": "Carer no longer linked to a pupil",
}


@bp.get("/")
@may(check_can_view_people)
def page() -> ResponseReturnValue:
    """Search, numbers, and the posts that must come down."""
    query = request.args.get("q", "")[:100].strip()
    found = search_people(g.home, query, limit=FOUND_AT_MOST) if query else []
    take_down = posts_to_take_down(g.home.db)
    return render_template(
        "people/page.html",
        query=query,
        found=found,
        many=len(found) == FOUND_AT_MOST,
        counts=count_people(g.home.db),
        take_down=[
            (post, account, can_view_posts(g.staff, account))
            for post in take_down
            for account in [account_by_id(g.home.db, post.account_id)]
        ],
        can_import=can_import(g.staff),
    )


@bp.get("/<int:person_id>")
@may(check_can_view_people)
def person(person_id: int) -> ResponseReturnValue:
    """One person: carers or pupils, what is permitted today, and every answer on record. Looking is logged."""
    view = view_person(g.home, g.staff, person_id, now=g.now)
    grants = grants_about(g.home.db, person_id)
    names = {one.person.id: one.person.name for one in view.carers} | {person_id: view.person.name}
    today = g.home.today(g.now)
    return render_template(
        "people/person.html",
        view=view,
        grants=grants,
        givers=names,
        handles={number: name for name, number in accounts_by_handle(g.home.db).items() if ":" not in name},
        # account 0 is none: what holds for every account of the school
        today=[(use, covers(grants, person_id, use, 0, today, kind=view.person.kind)) for use in Use],
        accounts=accounts_of_person(g.home.db, person_id),
        can_record=can_record_grant(g.staff),
        granted=Answer.GRANTED,
    )


# --------------------------------------------------------------------------------------------------- permission


class PermissionForm(FlaskForm):
    use = RadioField(
        "What is it for?",
        choices=options((use.value, use.value.capitalize()) for use in Use),
        validators=[InputRequired("Choose what it is for.")],
    )
    answer = RadioField(
        "What was the answer?",
        choices=options(
            ((Answer.GRANTED.value, "Permitted"), (Answer.REFUSED.value, "Refused"), ("withdrawn", "Withdrawn"))
        ),
        validators=[InputRequired("Choose the answer.")],
    )
    given_by = SelectField("Who answered?", coerce=int, choices=[])
    account_id = SelectField("For which account?", coerce=int, choices=[])
    given_on = DayField("When was it given?", validators=[DayNeeded("Enter the day on which it was given.")])
    valid_until_on = DayField("Until when does it hold?", description="Leave empty if no end was agreed.")
    basis = text("Lawful basis", "Say on which lawful basis the use rests.", longest=200)


@bp.route("/<int:person_id>/permission", methods=["GET", "POST"])
@may(check_can_record_grant)
def permission(person_id: int) -> ResponseReturnValue:
    """Record one answer (MED501 to MED504, DAT005)."""
    view = view_person(g.home, g.staff, person_id, now=g.now)
    form = PermissionForm(data={"basis": "consent", "given_on": g.home.today(g.now)})
    carers = [(one.person.id, f"{one.person.name} ({one.relation})") for one in view.carers]
    others = [(0, "A parent or carer, not said who"), (person_id, f"{view.person.name} themself")]
    form.given_by.choices = options([*carers, *others])
    handles = accounts_by_handle(g.home.db)
    accounts = [(number, name) for name, number in sorted(handles.items()) if ":" not in name]
    form.account_id.choices = options([(0, "Every account of the school"), *accounts])
    taken_down: list[Post] = []

    def keep() -> None:
        answer = GrantForm(
            person_id,
            Use(form.use.data),
            Answer(form.answer.data),
            form.given_on.data,
            form.given_by.data or None,
            form.account_id.data or None,
            form.valid_until_on.data,
            form.basis.data,
        )
        taken_down.extend(record_grant(g.home, g.staff, answer, now=g.now))

    if saved(form, keep):
        _flash_take_down(taken_down)
        return redirect(url_for("people.person", person_id=person_id))
    return form_page("people/permission.html", form, view=view)


@bp.route("/<int:person_id>/permissions/<int:grant_id>/withdraw", methods=["GET", "POST"])
@may(check_can_record_grant)
def withdraw(person_id: int, grant_id: int) -> ResponseReturnValue:
    """Whoever gave a permission takes it back, from now on (MED513)."""
    view = view_person(g.home, g.staff, person_id, now=g.now)
    grant = grant_by_id(g.home.db, grant_id)
    if grant.person_id != person_id:
        raise NotFound("This permission is about somebody else.", "Open the person's page again.")
    form, taken_down = ButtonForm(), []
    if saved(form, lambda: taken_down.extend(withdraw_grant(g.home, g.staff, grant_id, now=g.now))):
        _flash_take_down(taken_down)
        return redirect(url_for("people.person", person_id=person_id))
    return form_page("people/withdraw.html", form, view=view, grant=grant)


def _flash_take_down(posts: list[Post]) -> None:
    if not posts:
        flash("The answer is recorded. No post has to come down because of it.", "success")
        return
    links = "1 post" if len(posts) == 1 else f"{len(posts)} posts"
    flash(f"The answer is recorded. {links} must come down: they are listed on the page People.", "warning")


# --------------------------------------------------------------------------------------------------- import


FILES = {
    "people": "People: pupils and staff",
    "carers": "Parents and carers",
    "permissions": "Permissions",
    "accounts": "Social media accounts that exist already",
}


class ImportForm(FlaskForm):
    kind = RadioField(
        "What does the file hold?",
        choices=options(FILES.items()),
        validators=[InputRequired("Choose what the file holds.")],
    )
    full = RadioField(
        "Is it the full list?",
        choices=options((("full", "Yes: whoever is not in it has left"), ("part", "No: only additions and changes"))),
        default="part",
        description="Matters for people and carers only.",
    )
    file = FileField("CSV file", validators=[FileRequired("Choose a file.")])


@bp.route("/import", methods=["GET", "POST"])
@may(check_can_import)
def import_file() -> ResponseReturnValue:
    """Choose a file. Nothing is imported before the report was read and confirmed."""
    form, kept = ImportForm(), []

    def keep() -> None:
        content = form.file.data.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise InvalidInput("The file is too large.", {"file": f"Use a file below {MAX_BYTES // 1_000_000} MB."})
        kept.append(keep_upload(g.home, g.staff, content, now=g.now))

    if saved(form, keep):
        return redirect(
            url_for("people.report", kind=form.kind.data, upload_id=kept[0], part=form.full.data == "part" or None)
        )
    return form_page("people/import.html", form, columns=COLUMNS)


@bp.route("/import/<kind>/<int:upload_id>", methods=["GET", "POST"])
@may(check_can_import)
def report(kind: str, upload_id: int) -> ResponseReturnValue:
    """The dry run: what the file would change, and each row that is wrong. Confirming imports all of it or nothing."""
    if kind not in {one.value for one in ImportKind}:
        abort(404)
    content = read_upload(g.home, g.staff, upload_id)
    plan = plan_import(g.home, kind, content, full="part" not in request.args, now=g.now)
    form, done = ButtonForm(), {}

    def keep() -> None:
        done.update(apply_import(g.home, g.staff, plan, now=g.now))
        forget_upload(g.home, g.staff, upload_id, now=g.now)

    if saved(form, keep):
        words = ", ".join(f"{count} {WORDS[word].lower()}" for word, count in done.items() if count)
        flash(f"The file was imported: {words or 'nothing in it was new'}.", "success")
        return redirect(url_for("people.page"))
    return form_page(
        "people/report.html",
        form,
        plan=plan,
        words=WORDS,
        shown=plan.problems[:PROBLEMS_SHOWN],
        upload_id=upload_id,
        title=FILES[kind],
    )


@bp.post("/import/<int:upload_id>/discard")
@may(check_can_import)
def discard(upload_id: int) -> ResponseReturnValue:
    """Do not import the file."""
    forget_upload(g.home, g.staff, upload_id, now=g.now)
    flash("The file was not imported, and is erased here.", "info")
    return redirect(url_for("people.import_file"))
