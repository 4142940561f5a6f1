"""Put right by machine what is out of order on the platform: the picture, who may see it, what it likes and follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Blueprint, abort, flash, g, redirect, render_template, url_for

from socialgov import rules
from socialgov.actions.findings import current_findings
from socialgov.actions.putting_right import (
    MOST_AT_ONCE,
    WAYS,
    Mend,
    TakenBack,
    make_private,
    mends_of,
    set_picture,
    take_back,
)
from socialgov.errors import NotFound
from socialgov.permissions import can_set_up, check_can_set_up
from socialgov.web.access import may_account
from socialgov.web.account_view import guide
from socialgov.web.forms import ButtonForm, saved

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from socialgov.models import Account, Finding

bp = Blueprint("putting_right", __name__, url_prefix="/accounts")


@dataclass(frozen=True, slots=True)
class Words:
    """A mend on the page: its heading, what its button does, and the button. `things`: one and several of them."""

    title: str
    text: str
    button: str
    things: tuple[str, str] = ("", "")
    guide: str = ""


WORDS = {
    Mend.PICTURE: Words(
        "The picture",
        "Its picture becomes the school's logo, exactly the one that the check compares with.",
        "Set the school's logo",
        guide="set_logo",
    ),
    Mend.PRIVATE: Words(
        "Who sees it",
        "From then on each new follower must be accepted, and only followers see what it posts. Who follows already "
        "stays: go through the list of followers as well. What was posted for everybody stays so: take that down.",
        "Make it private",
        guide="make_private",
    ),
    Mend.FOLLOWS: Words(
        "Whom it follows", "The account stops following everybody.", "Unfollow everybody", ("follow", "follows")
    ),
    Mend.LIKES: Words(
        "What it likes", "Every like of the account is taken back.", "Take all likes back", ("like", "likes")
    ),
    Mend.SHARES: Words(
        "What it shares",
        "Every repost is taken back. A quote is a post of its own and is deleted.",
        "Take all reposts back",
        ("repost", "reposts"),
    ),
}


@dataclass(frozen=True, slots=True)
class Shown:
    mend: Mend
    words: Words
    finding: Finding | None
    href: str | None  # where its button leads; None: a person does it
    guide: tuple[str, ...]

    @property
    def in_order(self) -> bool:
        """So it was seen at the last check: there is most likely nothing to press."""
        return self.finding is not None and self.finding.passes


@bp.get("/<int:account_id>/put-right")
@may_account(check_can_set_up)
def page(account_id: int) -> ResponseReturnValue:
    """Each thing with what the last check said about it: a button where the machine can, else what a person does."""
    info = g.home.settings.platforms[g.account.platform]
    found = {one.rule_id: one for one in current_findings(g.home, g.account, g.now)}
    can = mends_of(g.home, g.account)
    shown = [
        Shown(
            mend,
            words,
            found.get(WAYS[mend].rule_id),
            _address(account_id, mend) if mend in can else None,
            guide(info, words.guide),
        )
        for mend, words in WORDS.items()
    ]
    return render_template(
        "putting_right/page.html", account=g.account, platform=info, shown=shown, catalogue=rules.CATALOGUE, ways=WAYS
    )


@bp.post("/<int:account_id>/put-right/picture")
@may_account(check_can_set_up)
def picture(account_id: int) -> ResponseReturnValue:
    _need_button(Mend.PICTURE)
    if saved(ButtonForm(), lambda: set_picture(g.home, g.staff, account_id, now=g.now)):
        flash("The school's logo is its picture now. What was seen afterwards is below.", "success")
    return _back(account_id)


@bp.post("/<int:account_id>/put-right/private")
@may_account(check_can_set_up)
def private(account_id: int) -> ResponseReturnValue:
    _need_button(Mend.PRIVATE)
    if saved(ButtonForm(), lambda: make_private(g.home, g.staff, account_id, now=g.now)):
        flash("It was made private. What was seen afterwards is below.", "success")
    return _back(account_id)


@bp.post("/<int:account_id>/put-right/<what>/back")
@may_account(check_can_set_up)
def back(account_id: int, what: str) -> ResponseReturnValue:
    """Likes, follows or reposts."""
    mend = next((one for one, words in WORDS.items() if one.value == what and words.things[0]), None) or abort(404)
    _need_button(mend)
    taken: list[TakenBack] = []
    if saved(ButtonForm(), lambda: taken.append(take_back(g.home, g.staff, account_id, mend, now=g.now))):
        flash(*_told(mend, taken[0]))
    return _back(account_id)


def _need_button(mend: Mend) -> None:
    """Where a person must do it the page has no button: whoever presses one all the same asks for what is not there."""
    if mend not in mends_of(g.home, g.account):
        raise NotFound("The machine cannot do this for the account.", "Follow the steps on the page.")


def _told(mend: Mend, taken: TakenBack) -> tuple[str, str]:
    one, several = WORDS[mend].things
    done = f"{taken.done} {one if taken.done == 1 else several} taken back."
    if taken.stopped_by is not None:
        return f"{done} {taken.left} left, for then it went no further: {taken.stopped_by}", "warning"
    if taken.left:
        return f"{done} {taken.left} left: press again, for {MOST_AT_ONCE} are done at a time.", "warning"
    return done if taken.done else f"There was no {one} to take back.", "success"


def _address(account_id: int, mend: Mend) -> str:
    if WORDS[mend].things[0]:
        return url_for("putting_right.back", account_id=account_id, what=mend.value)
    return url_for(f"putting_right.{mend.value}", account_id=account_id)


def _back(account_id: int) -> ResponseReturnValue:
    return redirect(url_for("putting_right.page", account_id=account_id))


def mend_links(account: Account) -> dict[str, str]:
    """Rule → where a button puts it right for this account, for links beside what the rules found."""
    if not can_set_up(g.staff, account):
        return {}
    page_at = url_for("putting_right.page", account_id=account.id)
    return {WAYS[mend].rule_id: f"{page_at}#{mend.value}" for mend in mends_of(g.home, account)}
