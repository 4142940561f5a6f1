"""Hand in the export file that a platform gives to an account's holder: followers and activity, as old as the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, flash, g, redirect, url_for
from flask_wtf import FlaskForm
from flask_wtf.file import MultipleFileField
from wtforms.validators import ValidationError

from socialgov.actions.exporting import ExportResult, hand_in_export
from socialgov.errors import NotFound
from socialgov.models import Fact
from socialgov.permissions import check_can_attest
from socialgov.store.exports import exports_of
from socialgov.store.staff import staff_names
from socialgov.web.access import may_account
from socialgov.web.forms import DayField, page, saved
from socialgov.web.words import day_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask.typing import ResponseReturnValue

bp = Blueprint("exports", __name__, url_prefix="/accounts")

MOST_FILES = 20
# what a list in a file is a list of, for one and for many
LIST_WORDS = {
    Fact.FOLLOWERS: ("follower", "followers"),
    Fact.FOLLOWS: ("account that it follows", "accounts that it follows"),
    Fact.LIKES: ("like", "likes"),
    Fact.SHARES: ("share", "shares"),
    Fact.POSTS: ("post", "posts"),
}


class ExportForm(FlaskForm):
    files = MultipleFileField(
        "Export file",
        description="The archive, or the files that are named above. Only what is read out of it is kept, sealed.",
        render_kw={"accept": ".zip,.json,.js,.csv,.html"},
    )
    made_on = DayField(
        "Day on which it was made",
        description="Only if the file does not say so itself, or if it is older than it says. For example, 27 3 2027",
    )

    def validate_files(self, field: MultipleFileField) -> None:
        handed = [file for file in field.data or () if getattr(file, "filename", "")]
        if not handed:
            raise ValidationError("Add the export file.")
        if len(handed) > MOST_FILES:
            raise ValidationError(f"Add {MOST_FILES} files at most.")


@bp.route("/<int:account_id>/export", methods=["GET", "POST"])
@may_account(check_can_attest)
def hand_in(account_id: int) -> ResponseReturnValue:
    """What to do to get the file, handing it in, and what came of earlier ones."""
    info = g.home.settings.platforms[g.account.platform]
    if info.export is None:
        raise NotFound(f"No export file of {info.name} can be read here.", "Say what is seen, with a screenshot.")
    form = ExportForm()
    results: list[ExportResult] = []

    def read() -> None:
        files = [(file.filename, file.read()) for file in form.files.data if file.filename]
        results.append(
            hand_in_export(g.home, g.staff, account_id, files, made_on=form.made_on.data, now=g.now)
        )  # fmt: skip

    if saved(form, read):
        flash(said(results[0]), "success")
        return redirect(url_for("setup.facts", account_id=account_id))
    return page(
        "exports/hand_in.html",
        form,
        account=g.account,
        platform=info,
        tells=[LIST_WORDS[fact][1] for fact in info.export.lists],
        before=[(one, _lists(one.counts)) for one in exports_of(g.home.db, account_id)],
        names=staff_names(g.home.db),
    )


def said(result: ExportResult) -> str:
    """What a file brought, in words."""
    sentences = [f"Read, as of {day_words(g.home.today(result.made_at))}: {_lists(result.counted)}."]
    if result.listed:
        sentences.append("The list of followers here was brought in line with it.")
    elif Fact.FOLLOWERS in result.counted:
        sentences.append("It has no names, so only the number of followers counts.")
    if result.older:
        sentences.append(f"Known from later already: {_lists(result.older)}.")
    if result.missing:
        missing = ", ".join(LIST_WORDS[fact][1] for fact in result.missing)
        sentences.append(f"Not in the file, so still for a person to look at: {missing}.")
    return " ".join(sentences)


def _lists(counts: Mapping[Fact, int] | Mapping[str, int]) -> str:
    return ", ".join(f"{number} {LIST_WORDS[Fact(fact)][number != 1]}" for fact, number in counts.items()) or "nothing"
