"""The deposited login: one secret shown once for a reason, tried, and who looked at it (SEC205, SEC207)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, flash, g, make_response, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from wtforms import RadioField
from wtforms.validators import InputRequired

from socialgov.actions.credentials import record_login_test
from socialgov.actions.looking import SHORTEST_REASON, Look, look, record_copy, what_can_be_shown
from socialgov.actions.machine_tokens import key_since, make_machine_token, makes_keys
from socialgov.actions.trying import can_try, try_login
from socialgov.models import CredentialKind, Shown
from socialgov.permissions import can_test_login, check_can_reveal, check_can_test_login, check_can_view_looks
from socialgov.store.credentials import current_credential
from socialgov.store.looks import Kept, reveals_of
from socialgov.store.staff import staff_names
from socialgov.web.access import keeping, may, may_account
from socialgov.web.browsers import address_of
from socialgov.web.forms import ButtonForm, ReasonForm, options, page, saved
from socialgov.web.in_hand import glass_in_hand, need_vault, vault_in_hand
from socialgov.web.security import allow_script
from socialgov.web.vault import come_back_here
from socialgov.web.words import day_words

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from socialgov.models import Credential

bp = Blueprint("credentials", __name__, url_prefix="/accounts")

WORDS = {
    Shown.PASSWORD: "The password",
    Shown.RECOVERY_CODES: "The recovery codes",
    Shown.SECOND_FACTOR_CODE: "The second factor's code of this moment",
    Shown.SECOND_FACTOR_SEED: "The second factor's key itself",
    Shown.NOTES: "The notes",
}
HINTS = {
    Shown.SECOND_FACTOR_CODE: "Six digits, enough for signing in.",
    Shown.SECOND_FACTOR_SEED: "For setting up another authenticator app. Whoever has seen it can always make codes.",
}


class LookForm(ReasonForm):
    """Which one secret, and why."""

    what = RadioField("What do you need to see?")


class LoginTestForm(FlaskForm):
    works = RadioField(
        "Did the login work?",
        choices=options((("yes", "Yes, it let me in"), ("no", "No, it was refused"))),
        validators=[InputRequired("Say whether the login worked.")],
    )


# --------------------------------------------------------------------------------------------------- look


@bp.route("/<int:account_id>/password", methods=["GET", "POST"])
@keeping("what", "reason")
@may(check_can_reveal, glass=True)
def show(account_id: int) -> ResponseReturnValue:
    """SEC207: a reason first, then one secret, once. Only the answer to the POST ever holds it (ASVS 3.5.3)."""
    there = {f"{shown.value}-{kept.id}": (shown, kept) for shown, kept in what_can_be_shown(g.home, account_id)}
    form, seen = _look_form(there), list[Look]()

    def verb() -> None:
        shown, kept = there[form.what.data]
        seen.append(
            look(
                g.home, g.staff, need_vault(), account_id, form.reason.data or "", now=g.now, shown=shown,
                credential_id=kept.id, address=address_of(request), glass=glass_in_hand(),
            )
        )  # fmt: skip

    if there and saved(form, verb):
        return _shown(account_id, seen[0])
    shut = vault_in_hand() is None
    if shut:
        come_back_here()
    return page("credentials/show.html", form, account=g.account, there=there, shut=shut, glass=glass_in_hand())


def _look_form(there: dict[str, tuple[Shown, Kept]]) -> LookForm:
    """What is in force first. The choice of a form that was open while a deposit was replaced stays what it was."""
    form = LookForm(what=next(iter(there), None))
    form.what.choices = options((key, WORDS[shown] + _before(kept)) for key, (shown, kept) in there.items())
    form.what.hints = {
        key: HINTS[shown] for key, (shown, kept) in there.items() if shown in HINTS and not _before(kept)
    }
    form.reason.description = (
        f"In a few words, {SHORTEST_REASON} letters or more. The reason is kept, and the owner is told that you looked."
    )
    return form


def _before(kept: Kept) -> str:
    """Marks a deposit that is not the one in force."""
    if kept.spare:
        return " that is being changed to"
    return f" before, replaced on {day_words(g.home.today(kept.superseded_at))}" if kept.superseded_at else ""


def _shown(account_id: int, seen: Look) -> ResponseReturnValue:
    """The one answer that holds the secret. The browser leaves it by itself, with or without script."""
    allow_script()
    seconds = g.home.settings.policy.reveal_seconds
    tested = seen.shown is Shown.PASSWORD and seen.deposit.superseded_at is None and can_test_login(g.staff)
    after = url_for("credentials.test" if tested else "credentials.show", account_id=account_id)
    answer = make_response(
        render_template(
            "credentials/shown.html",
            account=g.account,
            look=seen,
            title=WORDS[seen.shown],
            before=_before(seen.deposit),
            seconds=seconds,
            after=after,
            tested=tested,
            struck=_struck(account_id, seen),
        )
    )
    answer.headers["Refresh"] = f"{seconds}; url={after}"
    return answer


def _struck(account_id: int, seen: Look) -> tuple[int, ...]:
    """The numbers of the recovery codes that were used already."""
    now = current_credential(g.home.db, account_id, CredentialKind.RECOVERY_CODES)
    return now.struck if now and seen.shown is Shown.RECOVERY_CODES and now.id == seen.deposit.id else ()


@bp.post("/<int:account_id>/looks/<int:reveal_id>/copied")
@may(check_can_reveal, glass=True)
def copied(account_id: int, reveal_id: int) -> ResponseReturnValue:
    """The copy button says so before it copies; what cannot be written down is not copied."""
    if not saved(ButtonForm(), lambda: record_copy(g.home, g.staff, account_id, reveal_id, now=g.now)):
        return "", 400
    return "", 204


@bp.get("/<int:account_id>/looks")
@may_account(check_can_view_looks)
def looks(account_id: int) -> ResponseReturnValue:
    """Who looked at what, when, why and from where (OVS806)."""
    return render_template(
        "credentials/looks.html",
        account=g.account,
        looks=[(one, WORDS[Shown(one.shown)]) for one in reveals_of(g.home.db, account_id)],
        names=staff_names(g.home.db),
    )


# --------------------------------------------------------------------------------------------------- try


@bp.route("/<int:account_id>/login-test", methods=["GET", "POST"])
@may(check_can_test_login)
def test(account_id: int) -> ResponseReturnValue:
    """SEC205: the network manager has signed in with the deposit once, and says so."""
    form = LoginTestForm()
    if saved(form, lambda: record_login_test(g.home, g.staff, account_id, form.works.data == "yes", now=g.now)):
        flash("The login test is recorded.", "success")
        return redirect(url_for("accounts.page", account_id=account_id))
    shut = vault_in_hand() is None
    if shut:
        come_back_here()
    return page(
        "credentials/test.html",
        form,
        account=g.account,
        login=_current(account_id),
        platform=g.home.settings.platforms[g.account.platform],
        may_try=can_try(g.home, g.account),
        makes_keys=makes_keys(g.home, g.account),
        key_since=key_since(g.home, account_id),
        shut=shut,
    )


@bp.post("/<int:account_id>/login-test/try")
@may(check_can_test_login)
def try_it(account_id: int) -> ResponseReturnValue:
    """Let the product sign in, with the vault open; the answer is recorded in the network manager's name."""
    worked: list[bool] = []
    if saved(ButtonForm(), lambda: worked.append(try_login(g.home, g.staff, need_vault(), account_id, now=g.now))):
        said = ("It works. That is recorded.", "success") if worked[0] else ("The platform refused it.", "warning")
        flash(*said)
        return redirect(url_for("accounts.page" if worked[0] else "credentials.test", account_id=account_id))
    return redirect(url_for("credentials.test", account_id=account_id))


@bp.post("/<int:account_id>/login-test/key")
@may(check_can_test_login)
def make_key(account_id: int) -> ResponseReturnValue:
    """Have the platform give the product a key of its own, so that it opens no password from then on."""
    made: list[bool] = []

    def verb() -> None:
        made.append(make_machine_token(g.home, account_id, need_vault(), now=g.now, actor=g.staff))

    if saved(ButtonForm(), verb):
        words = "socialgov has a key of its own now." if made[0] else "This platform gives no such keys."
        flash(words, "success" if made[0] else "warning")
    return redirect(url_for("credentials.test", account_id=account_id))


def _current(account_id: int) -> Credential | None:
    return current_credential(g.home.db, account_id, CredentialKind.PASSWORD)
