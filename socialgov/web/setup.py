"""From approved to live: record the set-up, say what is seen on the platform with a screenshot, and the gate."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from flask import Blueprint, abort, flash, g, redirect, render_template, send_file, url_for
from flask_wtf import FlaskForm

from socialgov.actions.adapters import capabilities_of
from socialgov.actions.evidence import see_evidence
from socialgov.actions.findings import gate as ask_gate
from socialgov.actions.gate import go_live, record_setup
from socialgov.actions.observing import attest, attest_logo, school_logo
from socialgov.actions.platform_states import unchecked
from socialgov.errors import NotFound
from socialgov.models import PlatformInfo
from socialgov.permissions import check_can_attest, check_can_go_live, check_can_set_up, check_can_view_account
from socialgov.rules import CATALOGUE
from socialgov.store.observations import newest_observations
from socialgov.store.staff import staff_names
from socialgov.web.access import may_account, signed_in
from socialgov.web.account_view import fact_rows, guide
from socialgov.web.attest_forms import QUESTIONS, LogoForm, attest_form
from socialgov.web.forms import ButtonForm, page, saved, text

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

bp = Blueprint("setup", __name__, url_prefix="/accounts")

SETTING_WORDS = {
    "private": "Private",
    "picture": "Picture",
    "profile_text": "Text of the profile",
    "address": "E-mail address",
    "password": "Password",
    "second_factor": "Second factor",
    "sessions": "Devices signed in",
    "apps": "Connected apps",
    "delegates": "Who else gets in",
    "followers": "Followers",
    "messages": "Messages",
    "export": "Its own export file",
    "delete": "Deletion",
}


class SetupForm(FlaskForm):
    handle = text("Handle on the platform", "Enter the handle.", longest=255)
    school_email = text("E-mail address it was set up with", "Enter the e-mail address.", longest=254)


@bp.route("/<int:account_id>/setup", methods=["GET", "POST"])
@may_account(check_can_set_up)
def record(account_id: int) -> ResponseReturnValue:
    account = g.account
    form = SetupForm(data={"handle": account.handle or account.handle_wished, "school_email": account.school_email})
    form.handle.description = "As it is written there, without @."
    form.school_email.description = "Only an address of the school (ACC101): " + ", ".join(
        f"…@{domain}" for domain in g.home.settings.email_domains
    )

    def keep() -> None:
        record_setup(
            g.home, g.staff, account_id, handle=form.handle.data, school_email=form.school_email.data, now=g.now
        )

    if saved(form, keep):
        flash("The set-up is recorded.", "success")
        return redirect(url_for("accounts.page", account_id=account_id))
    return page(
        "setup/record.html",
        form,
        account=account,
        platform=_platform(),
        guide=guide(_platform(), "set_up"),
        heading="Record the set-up",
        button="Record it",
        back=url_for("accounts.page", account_id=account_id),
    )


# --------------------------------------------------------------------------------------------------- what is seen


@bp.get("/<int:account_id>/facts")
@may_account(check_can_attest)
def facts(account_id: int) -> ResponseReturnValue:
    """Each fact: what is known, how old, whose; and the way to say it anew."""
    names = staff_names(g.home.db)
    seen = newest_observations(g.home.db, account_id, g.account.set_up_at)
    return render_template(
        "setup/facts.html",
        account=g.account,
        platform=_platform(),
        by_machine=bool(capabilities_of(g.home, g.account)),
        rows=fact_rows(g.account, seen, names),
        places=[(SETTING_WORDS[key], where) for key, where in _platform().settings.items()],
    )


@bp.route("/<int:account_id>/facts/<fact>", methods=["GET", "POST"])
@may_account(check_can_attest)
def say(account_id: int, fact: str) -> ResponseReturnValue:
    """A person says what is so, with a screenshot."""
    asked = next((one for one in QUESTIONS if one.value == fact), None) or abort(404)
    question, form = QUESTIONS[asked], attest_form(asked)

    def keep() -> None:
        attest(
            g.home,
            g.staff,
            account_id,
            asked,
            question.value(form.value.data),
            now=g.now,
            screenshot=form.screenshot.data.read(),
            note=form.note.data or "",
        )

    if saved(form, keep):
        flash("Recorded, with your name, the time and the screenshot.", "success")
        return redirect(url_for("accounts.page", account_id=account_id))
    return page(
        "setup/say.html",
        form,
        heading=question.title,
        guide=guide(_platform(), question.guide),
        back=url_for("setup.facts", account_id=account_id),
        button="Record it",
        upload=True,
    )


@bp.route("/<int:account_id>/facts/logo", methods=["GET", "POST"])
@may_account(check_can_attest)
def say_logo(account_id: int) -> ResponseReturnValue:
    form = LogoForm()
    if saved(form, lambda: attest_logo(g.home, g.staff, account_id, form.avatar.data.read(), now=g.now)):
        flash("The picture was compared with the school's logo. The answer is below.", "success")
        return redirect(url_for("accounts.page", account_id=account_id))
    return page(
        "setup/say.html",
        form,
        heading="Does it show the school's logo?",
        guide=guide(_platform(), "set_logo"),
        back=url_for("setup.facts", account_id=account_id),
        button="Compare it",
        upload=True,
    )


@bp.get("/<int:account_id>/evidence/<int:blob_id>")
@may_account(check_can_view_account)
def evidence(account_id: int, blob_id: int) -> ResponseReturnValue:
    """A screenshot of this account. The look is in the log before the picture is shown (OVS806)."""
    content, mime = see_evidence(g.home, g.staff, account_id, blob_id, now=g.now)
    return send_file(io.BytesIO(content), mimetype=mime, download_name=f"evidence-{blob_id}", max_age=0)


@bp.get("/logo.png")
@signed_in
def logo() -> ResponseReturnValue:
    """The school's logo, to be set on the platform: the very picture that the check compares with."""
    content = school_logo(g.home)
    if content is None:
        raise NotFound("The school has not put its logo here yet.", "The network manager saves it as logo.png.")
    return send_file(io.BytesIO(content), mimetype="image/png", as_attachment=True, download_name="logo.png", max_age=0)


# --------------------------------------------------------------------------------------------------- the gate


@bp.route("/<int:account_id>/gate", methods=["GET", "POST"])
@may_account(check_can_go_live)
def gate(account_id: int) -> ResponseReturnValue:
    """Live only when every gate rule answers True; else what is missing."""
    form = ButtonForm()
    if saved(form, lambda: go_live(g.home, g.staff, account_id, now=g.now)):
        flash("The account is live.", "success")
        return redirect(url_for("accounts.page", account_id=account_id))
    findings = ask_gate(g.home, account_id, g.now)
    return page(
        "setup/gate.html",
        form,
        account=g.account,
        early=g.home.today(g.now) < g.account.starts_on,
        missing=[(CATALOGUE[one.rule_id], one) for one in findings if not one.passes],
        passed=[(CATALOGUE[one.rule_id], one) for one in findings if one.passes],
        unchecked=unchecked(g.home, g.account, now=g.now),
    )


def _platform() -> PlatformInfo:
    return g.home.settings.platforms[g.account.platform]
