"""The task list that leads to the gate: what is still missing, and whose it is to do.

Every task but the first is the answer of one gate rule, so the list and the gate cannot disagree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from socialgov import rules
from socialgov.actions import findings
from socialgov.models import AccountState, Enforcement

if TYPE_CHECKING:
    from datetime import datetime

    from socialgov.home import Home
    from socialgov.models import Account, Finding, PlatformInfo

KEEPERS, MANAGER, HEAD, APPROVER = "Owner or deputy", "Network manager", "Head", "Approver"
S = AccountState


@dataclass(frozen=True, slots=True)
class Task:
    """One line of the list. `done` None: nobody can tell yet. `who` is whose task it is; `href_endpoint` its page."""

    key: str
    title: str
    done: bool | None
    href_endpoint: str | None
    hint: str
    who: str


@dataclass(frozen=True, slots=True)
class _Kind:
    """How the answer of one gate rule reads as a task."""

    rule_id: str
    key: str
    title: str
    endpoint: str
    who: str = KEEPERS


_KINDS = (
    _Kind("ACC104", "platform", "Have the platform approved by the school", "accounts.page", HEAD),
    _Kind("ACC101", "school_address", "Show that it was set up with a school e-mail address", "setup.facts"),
    _Kind("ACC102", "logo", "Show the school's logo", "setup.facts"),
    _Kind("ACC106", "profile", "Say in the profile that it is official, and whom to contact", "setup.facts"),
    _Kind("ACC103", "private", "Make it private", "setup.facts"),
    _Kind("AUD305", "followers", "Check everybody who follows it already", "followers.page"),
    _Kind("SEC206", "recovery", "Lead recovery address, phone and second factor to the school", "contacts.recovery"),
    _Kind("SEC201", "deposit", "Deposit user name and password", "deposits.hand_in"),
    _Kind("SEC204", "changed", "Change the password when that is due", "rotations.show"),
    _Kind("SEC205", "login_test", "Sign in once with what was deposited", "credentials.test", MANAGER),
)


def task_list(home: Home, account: Account, now: datetime) -> list[Task]:
    """The tasks from where the account stands up to being live; empty where none lead there."""
    if account.state is S.REQUESTED:
        return [_decision(account)]
    if account.state not in (S.APPROVED, S.SUSPENDED):
        return []
    platform = home.settings.platforms[account.platform]
    answers = {f.rule_id: f for f in findings.gate(home, account.id, now) if f.enforcement is not Enforcement.OFF}
    known = [kind for kind in _KINDS if kind.rule_id in answers]
    others = [_plain_kind(rule_id) for rule_id in answers if rule_id not in {kind.rule_id for kind in known}]
    tasks = [_rule_task(kind, answers[kind.rule_id], platform) for kind in (*known, *others)]
    first = _set_up(account, platform)
    left = sum(not finding.passes for finding in answers.values()) + (not first.done)
    return [first, *tasks, _opening(account, left)]


def _decision(account: Account) -> Task:
    if account.returned_at is not None:
        hint = f"It was sent back: {account.return_reason}"
        return Task("amend", "Change the request and send it again", False, "requests.check_amended", hint, KEEPERS)
    return Task("decide", "Decide on the request", False, "decisions.decide", "It waits for a decision.", APPROVER)


def _set_up(account: Account, platform: PlatformInfo) -> Task:
    done = account.handle is not None and account.school_email is not None
    hint = "" if done else "Use a school e-mail address, then record the handle and the address here."
    return Task("set_up", f"Set it up on {platform.name}", done, "setup.record", hint, KEEPERS)


def _rule_task(kind: _Kind, finding: Finding, platform: PlatformInfo) -> Task:
    """The rule's answer as a task; what the school only advises says so."""
    done = True if finding.waived_by is not None else finding.answer
    title, endpoint, who = kind.title, kind.endpoint, kind.who
    if kind.rule_id == "ACC103" and not platform.can_be_private:
        title = f"Get the head's exception: {platform.name} has no private accounts"
        endpoint, who = "lifetime.waive", HEAD
    hint = finding.because
    if finding.waived_by is not None and finding.answer is not True:
        hint = f"The head made an exception. {hint}"
    if finding.enforcement is Enforcement.ADVISED:
        hint = f"Advice only. {hint}"
    return Task(kind.key, title, done, endpoint, hint, who)


def _plain_kind(rule_id: str) -> _Kind:
    """A gate rule that has no words of its own above."""
    return _Kind(rule_id, rule_id.lower(), rules.CATALOGUE[rule_id].title, "accounts.page")


def _opening(account: Account, left: int) -> Task:
    """The last line: the gate itself, and how many tasks are left before it opens."""
    hint = "Every check holds." if left == 0 else f"{left} to go." if left > 1 else "One to go."
    if account.state is S.SUSPENDED:
        return Task("resume", "Let the account go on", False, "lifetime.go_on", hint, f"{MANAGER} or head")
    return Task("go_live", "Go live", False, "setup.gate", hint, KEEPERS)
