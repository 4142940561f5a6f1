"""Changing an account's password: what is due and why, step by step, and the button for a compromised one (SEC204)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Blueprint, flash, g, redirect, render_template, url_for

from socialgov.actions.rotation_progress import known_besides, rotation_progress
from socialgov.actions.rotations import report_compromised, start_rotation
from socialgov.models import CredentialKind
from socialgov.permissions import check_can_report_compromised, check_can_rotate
from socialgov.rules.secrets import ROTATION_WORDS
from socialgov.store.rotations import rotations_of
from socialgov.store.staff import staff_names
from socialgov.web.access import may_account, may_open
from socialgov.web.account_view import guide
from socialgov.web.forms import ReasonForm, page, saved
from socialgov.web.setup import SETTING_WORDS

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from socialgov.models import PlatformInfo

bp = Blueprint("rotations", __name__, url_prefix="/accounts")


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the change. `settings`: the platform's own, of which it says where they are; `endpoint` and `words`:
    where it is said here that it is done.
    """

    guide: str
    title: str
    settings: tuple[str, ...]
    endpoint: str = ""
    words: str = ""


PARTS = (
    Part("change_password", "Change the password on the platform", ("password",)),
    Part("end_sessions", "End every other session", ("sessions", "apps")),
    Part("new_codes", "Make new recovery codes", ("second_factor",), "deposits.parts",
         "Deposit new codes, or a new second factor"),
    Part("check_delegates", "Look who else is let in", ("delegates",), "contacts.delegates", "Say who is let in"),
)  # fmt: skip
KIND_WORDS = {
    CredentialKind.RECOVERY_CODES: "Recovery codes",
    CredentialKind.SECOND_FACTOR: "Second factor",
    CredentialKind.NOTES: "Notes",
}


@bp.get("/<int:account_id>/rotation")
@may_account(check_can_rotate)
def show(account_id: int) -> ResponseReturnValue:
    """What is due, and the way through it; without an open rotation, the earlier ones and how to ask for one."""
    platform = g.home.settings.platforms[g.account.platform]
    return render_template(
        "rotations/page.html",
        account=g.account,
        platform=platform,
        progress=rotation_progress(g.home, g.account, g.now),
        known=known_besides(g.home.db, account_id),
        earlier=[one for one in rotations_of(g.home.db, account_id) if one.finished_at],
        parts=[(part, guide(platform, part.guide), _places(platform, part)) for part in PARTS],
        why=ROTATION_WORDS,
        kinds=KIND_WORDS,
        may_test=may_open("credentials.test", g.staff, g.account),
        names=staff_names(g.home.db),
    )


def _places(platform: PlatformInfo, part: Part) -> list[tuple[str, str]]:
    """Where the platform has what is changed in this part, as far as somebody looked that up."""
    found = platform.settings
    return [(SETTING_WORDS[key], found[key]) for key in part.settings if key in found]


@bp.route("/<int:account_id>/rotation/start", methods=["GET", "POST"])
@may_account(check_can_rotate)
def start(account_id: int) -> ResponseReturnValue:
    form = ReasonForm()
    form.reason.description = "Why it should be changed, though nothing has happened. Kept with the account."
    if saved(form, lambda: start_rotation(g.home, g.staff, account_id, form.reason.data, now=g.now)):
        flash("The change of the password has begun. Work through the steps below.", "success")
        return redirect(url_for("rotations.show", account_id=account_id))
    return page(
        "form.html",
        form,
        caption=g.account.name,
        heading="Have the password changed",
        lead="It ends with a new deposit and the network manager's word that it works.",
        button="Begin",
        back=url_for("rotations.show", account_id=account_id),
    )


@bp.route("/<int:account_id>/compromised", methods=["GET", "POST"])
@may_account(check_can_report_compromised)
def compromised(account_id: int) -> ResponseReturnValue:
    """One button: the account stops, its password must be changed, and those who must know are told."""
    form = ReasonForm()
    form.reason.label.text = "What happened?"
    form.reason.description = "In a sentence. Do not write the password here."
    if saved(form, lambda: report_compromised(g.home, g.staff, account_id, form.reason.data, now=g.now)):
        flash("The account is stopped and everybody who must know has been told. Change the password now.", "success")
        return redirect(url_for("rotations.show", account_id=account_id))
    return page("rotations/compromised.html", form, account=g.account)
