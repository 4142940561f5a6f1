"""Who may do what. Pure. `check_can_x` raises NotPermitted with a sentence for the reader, `can_x` answers.

Rights come from a role, and for accounts from being its owner or deputy. Routes name one of these in
web/access.py, so that a page and its action share one answer (OVS806: those who look are logged too).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Concatenate, ParamSpec

from socialgov.errors import NotPermitted
from socialgov.models import Account, Extension, Policy, Role, Staff

P = ParamSpec("P")
R = Role


def _answers(check: Callable[Concatenate[Staff, P], None]) -> Callable[Concatenate[Staff, P], bool]:
    def can(staff: Staff, /, *args: P.args, **kwargs: P.kwargs) -> bool:
        try:
            check(staff, *args, **kwargs)
        except NotPermitted:
            return False
        return True

    can.__doc__ = f"True where {getattr(check, '__name__', 'the check')} does not raise."
    return can


def _need(staff: Staff, roles: tuple[Role, ...], what: str) -> None:
    if not staff.has(*roles):
        names = " or ".join(role.value.replace("_", " ") for role in roles)
        raise NotPermitted(f"Only the {names} can {what}.", "Ask them, or ask the network manager for the role.")


def is_keeper(staff: Staff, account: Account) -> bool:
    """Owner or deputy of the account, and still on the staff."""
    return staff.current and staff.id in (account.owner_id, account.deputy_id)


def check_can_request(staff: Staff) -> None:
    _need(staff, (R.TEACHER, R.NETWORK_MANAGER, R.HEAD, R.SAFEGUARDING_LEAD, R.DATA_MANAGER), "ask for an account")


def check_can_view_account(staff: Staff, account: Account) -> None:
    """Oversight roles see every account (OVS801); a teacher sees those they own, deputise for or asked for."""
    if is_keeper(staff, account) or (staff.current and staff.id == account.requested_by):
        return
    _need(
        staff,
        (R.NETWORK_MANAGER, R.HEAD, R.SAFEGUARDING_LEAD, R.DATA_MANAGER, R.GOVERNOR),
        "look at an account that is not theirs",
    )


def check_can_view_register(staff: Staff) -> None:
    """The inventory (OVS805) is open to all staff; governors see it too (OVS804)."""
    if not staff.current:
        raise NotPermitted("You no longer work here, so the register is closed to you.")


def check_can_amend_request(staff: Staff, account: Account) -> None:
    if staff.id != account.requested_by and not is_keeper(staff, account):
        raise NotPermitted(
            "Only the person who asked for this account, its owner or its deputy can change the request."
        )


def check_can_decide(staff: Staff, account: Account, policy: Policy) -> None:
    """Approve, decline or return a request: the policy's approver roles, and never one's own request."""
    _need(staff, policy.approver_roles, "decide on a request")
    if staff.id in (account.requested_by, account.owner_id):
        raise NotPermitted(
            "You asked for this account or own it, so somebody else must decide.", "Ask another approver."
        )


def check_can_set_up(staff: Staff, account: Account) -> None:
    """Fill in what was set up on the platform, deposit credentials, attest facts, keep followers."""
    if not is_keeper(staff, account):
        _need(staff, (R.NETWORK_MANAGER,), "do this for an account that is not theirs")


def check_can_attest(staff: Staff, account: Account) -> None:
    check_can_set_up(staff, account)


def check_can_deposit(staff: Staff, account: Account) -> None:
    check_can_set_up(staff, account)


def check_can_connect(staff: Staff, account: Account) -> None:
    """Let this product into the account on its platform, and end that: who has the login there confirms it."""
    check_can_set_up(staff, account)


def check_can_reveal(staff: Staff, *, glass: bool = False) -> None:
    """Nobody but the network manager sees a deposited password (SEC207), or a head who has broken the `glass`."""
    if staff.has(R.NETWORK_MANAGER) or (glass and staff.has(R.HEAD)):
        return
    raise NotPermitted(
        "Only the network manager can look at a password.",
        "Ask them. When none of them can open the vault, the head breaks the glass.",
    )


def check_can_view_looks(staff: Staff, account: Account) -> None:
    """Who looked at the account's secrets, and why: its keepers, network managers and heads (SEC207, OVS806)."""
    if not is_keeper(staff, account):
        _need(staff, (R.NETWORK_MANAGER, R.HEAD), "see who looked at the secrets of an account that is not theirs")


def check_can_open_vault(staff: Staff) -> None:
    """The vault holds what people deposited; its ways in are the network managers' alone (SEC201, SEC207)."""
    _need(staff, (R.NETWORK_MANAGER,), "open the vault")


def check_can_manage_vault(staff: Staff) -> None:
    _need(staff, (R.NETWORK_MANAGER,), "say who opens the vault")


def check_can_view_vault(staff: Staff) -> None:
    """Who opens the vault, and when its recovery was last rehearsed; nothing of what is in it."""
    _need(staff, (R.NETWORK_MANAGER, R.HEAD), "see who opens the vault")


def check_can_view_glass(staff: Staff) -> None:
    """Breaking the glass: those who can ask, agree or stop it."""
    _need(staff, (R.NETWORK_MANAGER, R.HEAD, R.SAFEGUARDING_LEAD, R.GOVERNOR), "see who breaks the glass")


def check_can_ask_glass(staff: Staff) -> None:
    """Only the head asks, and only the head who asked opens the vault then: one person answers for it."""
    _need(staff, (R.HEAD,), "ask to break the glass")


def check_can_agree_glass(staff: Staff, asked_by: int | None = None) -> None:
    """The second person: another head, the safeguarding lead or a governor, and never whoever asked.

    Not a network manager, whatever else they are: the glass is broken because none of them can open the vault, and
    they could give themselves the other role. They are told, and may stop it.
    """
    if staff.has(R.NETWORK_MANAGER):
        raise NotPermitted("A network manager cannot agree to breaking the glass.", "They can stop it.")
    _need(staff, (R.HEAD, R.SAFEGUARDING_LEAD, R.GOVERNOR), "agree to breaking the glass")
    if staff.id == asked_by:
        raise NotPermitted(
            "You asked for it, so somebody else must agree.", "Ask another head, the safeguarding lead or a governor."
        )


def check_can_stop_glass(staff: Staff) -> None:
    _need(staff, (R.NETWORK_MANAGER, R.HEAD), "stop the breaking of the glass")


def check_can_use_glass(staff: Staff, *, glass: bool = False) -> None:
    """Name a new network manager: a head in whose session the recovery sheets opened the vault."""
    _need(staff, (R.HEAD,), "name a network manager for the vault")
    if not glass:
        raise NotPermitted("The recovery sheets have not opened the vault here.", "Type in two of them first.")


def check_can_test_login(staff: Staff) -> None:
    _need(staff, (R.NETWORK_MANAGER,), "record the login test")


def check_can_rotate(staff: Staff, account: Account) -> None:
    """See what a change of the password needs, and ask for one (SEC204)."""
    check_can_set_up(staff, account)


def check_can_report_compromised(staff: Staff, account: Account) -> None:
    """One button for whoever may notice it: owner, deputy, network manager (SEC204)."""
    if not is_keeper(staff, account):
        _need(staff, (R.NETWORK_MANAGER,), "report the password of an account that is not theirs")


def check_can_view_audit(staff: Staff) -> None:
    """How the logins stand, over all accounts; no secret is in it. Heads and governors see it too (OVS803, OVS804)."""
    _need(staff, (R.NETWORK_MANAGER, R.HEAD, R.GOVERNOR), "see the audit of the logins")


def check_can_export_audit(staff: Staff) -> None:
    """A file leaves the house: governors read the page instead."""
    _need(staff, (R.NETWORK_MANAGER, R.HEAD), "take the audit of the logins as a file")


def check_can_view_leavers(staff: Staff) -> None:
    """What somebody who leaves has seen and keeps (PPL704)."""
    _need(staff, (R.NETWORK_MANAGER, R.HEAD), "see what somebody who leaves has in hand")


def check_can_go_live(staff: Staff, account: Account) -> None:
    check_can_set_up(staff, account)


def check_can_suspend(staff: Staff, account: Account) -> None:
    """An account can be stopped at once (SAF904), by its keepers and by those responsible for safety."""
    if not is_keeper(staff, account):
        _need(staff, (R.NETWORK_MANAGER, R.HEAD, R.SAFEGUARDING_LEAD), "suspend an account that is not theirs")


def check_can_resume(staff: Staff) -> None:
    _need(staff, (R.NETWORK_MANAGER, R.HEAD, R.SAFEGUARDING_LEAD), "let a suspended account go on")


def check_can_hand_over(staff: Staff, account: Account) -> None:
    if not is_keeper(staff, account):
        _need(staff, (R.NETWORK_MANAGER, R.HEAD), "hand over an account")


def check_can_waive(staff: Staff) -> None:
    """An exception from a rule is the head's alone."""
    _need(staff, (R.HEAD,), "make an exception from a rule")


def check_can_allow_public(staff: Staff) -> None:
    """Whether an account may be open to everybody is the head's to say, before it is asked for (ACC103)."""
    _need(staff, (R.HEAD,), "allow a public account")


def check_can_ask_extension(staff: Staff, account: Account) -> None:
    if not is_keeper(staff, account):
        raise NotPermitted("Only the owner or deputy can ask for a longer life.")


def check_can_confirm(staff: Staff, account: Account) -> None:
    """LIF604: the owner (or deputy) confirms a standing account each term."""
    if not is_keeper(staff, account):
        raise NotPermitted("Only the owner or deputy can confirm that the account is still needed.")


def check_can_review(staff: Staff, account: Account, policy: Policy) -> None:
    """LIF601: let a standing account go on, or grant a longer life; never for an account one owns."""
    _need(staff, policy.approver_roles, "let an account live longer")
    if staff.id == account.owner_id:
        raise NotPermitted("You own this account, so somebody else must decide.", "Ask another approver.")


def check_can_decide_extension(staff: Staff, account: Account, extension: Extension, policy: Policy) -> None:
    """LIF605: an approver who neither owns the account nor asked for its longer life."""
    check_can_review(staff, account, policy)
    if staff.id == extension.asked_by:
        raise NotPermitted("You asked for the longer life, so somebody else must decide.", "Ask another approver.")


def check_can_close(staff: Staff, account: Account) -> None:
    if not is_keeper(staff, account):
        _need(staff, (R.NETWORK_MANAGER, R.HEAD), "close an account that is not theirs")


def check_can_do_closing_task(staff: Staff, account: Account) -> None:
    check_can_set_up(staff, account)


def check_can_check_followers(staff: Staff, account: Account) -> None:
    """P1.S3: the owner checks followers; the network manager may step in."""
    check_can_set_up(staff, account)


def check_can_set_audience(staff: Staff, account: Account) -> None:
    if not is_keeper(staff, account):
        _need(staff, (R.DATA_MANAGER, R.NETWORK_MANAGER), "set the audience of an account that is not theirs")


def check_can_post(staff: Staff, account: Account) -> None:
    if not is_keeper(staff, account):
        raise NotPermitted("Only the owner or deputy can post.")


def check_can_view_posts(staff: Staff, account: Account) -> None:
    """Drafts show children: keepers, the network manager (OVS801), the head and the safeguarding lead."""
    if not is_keeper(staff, account):
        _need(staff, (R.NETWORK_MANAGER, R.HEAD, R.SAFEGUARDING_LEAD), "look at the posts of an account")


def check_can_second_check(staff: Staff, writers: Collection[int]) -> None:
    """MED506: any member of staff but those who wrote or changed the post; governors do not check photos."""
    if not staff.current or staff.id in writers:
        raise NotPermitted("The second checker must be somebody who neither wrote nor changed the post.")
    _need(
        staff,
        (R.TEACHER, R.NETWORK_MANAGER, R.HEAD, R.SAFEGUARDING_LEAD, R.DATA_MANAGER),
        "be the second checker",
    )


def check_can_import(staff: Staff) -> None:
    _need(staff, (R.DATA_MANAGER, R.NETWORK_MANAGER), "import people and permissions")


def check_can_view_people(staff: Staff) -> None:
    _need(staff, (R.DATA_MANAGER, R.NETWORK_MANAGER, R.SAFEGUARDING_LEAD), "look at people and permissions")


def check_can_record_grant(staff: Staff) -> None:
    _need(staff, (R.DATA_MANAGER,), "record what a parent permits")


def check_can_manage_staff(staff: Staff) -> None:
    _need(staff, (R.NETWORK_MANAGER,), "manage staff and sign-in links")


def check_can_end_sessions(staff: Staff) -> None:
    _need(staff, (R.NETWORK_MANAGER, R.HEAD), "see who is signed in, and sign somebody out")


def check_can_remove_factors(staff: Staff, of: Staff) -> None:
    """Somebody lost their device: the network manager takes their passkeys and codes away, never their own here."""
    _need(staff, (R.NETWORK_MANAGER,), "remove how somebody signs in")
    if staff.id == of.id:
        raise NotPermitted("You remove your own on the page Signing in.", "Or ask another network manager.")


def check_can_view_log(staff: Staff) -> None:
    """OVS803: the log goes to the head and leadership on request; the network manager and governors see it too."""
    _need(staff, (R.NETWORK_MANAGER, R.HEAD, R.SAFEGUARDING_LEAD, R.GOVERNOR), "look at the log")


def check_can_view_platforms(staff: Staff) -> None:
    """What platforms cost, and what is not checked (OVS801, OVS804)."""
    _need(staff, (R.NETWORK_MANAGER, R.HEAD, R.SAFEGUARDING_LEAD, R.GOVERNOR), "see what platforms cost")


def check_can_run_platforms(staff: Staff) -> None:
    _need(staff, (R.NETWORK_MANAGER,), "say that a platform may be asked again")


def check_can_view_certificate(staff: Staff, account: Account) -> None:
    check_can_view_account(staff, account)


can_request = _answers(check_can_request)
can_view_account = _answers(check_can_view_account)
can_view_register = _answers(check_can_view_register)
can_amend_request = _answers(check_can_amend_request)
can_decide = _answers(check_can_decide)
can_set_up = _answers(check_can_set_up)
can_attest = _answers(check_can_attest)
can_deposit = _answers(check_can_deposit)
can_connect = _answers(check_can_connect)
can_reveal = _answers(check_can_reveal)
can_open_vault = _answers(check_can_open_vault)
can_manage_vault = _answers(check_can_manage_vault)
can_view_looks = _answers(check_can_view_looks)
can_view_vault = _answers(check_can_view_vault)
can_view_glass = _answers(check_can_view_glass)
can_ask_glass = _answers(check_can_ask_glass)
can_agree_glass = _answers(check_can_agree_glass)
can_stop_glass = _answers(check_can_stop_glass)
can_use_glass = _answers(check_can_use_glass)
can_test_login = _answers(check_can_test_login)
can_rotate = _answers(check_can_rotate)
can_report_compromised = _answers(check_can_report_compromised)
can_view_audit = _answers(check_can_view_audit)
can_export_audit = _answers(check_can_export_audit)
can_view_leavers = _answers(check_can_view_leavers)
can_go_live = _answers(check_can_go_live)
can_suspend = _answers(check_can_suspend)
can_resume = _answers(check_can_resume)
can_hand_over = _answers(check_can_hand_over)
can_waive = _answers(check_can_waive)
can_allow_public = _answers(check_can_allow_public)
can_ask_extension = _answers(check_can_ask_extension)
can_confirm = _answers(check_can_confirm)
can_review = _answers(check_can_review)
can_decide_extension = _answers(check_can_decide_extension)
can_close = _answers(check_can_close)
can_do_closing_task = _answers(check_can_do_closing_task)
can_check_followers = _answers(check_can_check_followers)
can_set_audience = _answers(check_can_set_audience)
can_post = _answers(check_can_post)
can_view_posts = _answers(check_can_view_posts)
can_second_check = _answers(check_can_second_check)
can_import = _answers(check_can_import)
can_view_people = _answers(check_can_view_people)
can_record_grant = _answers(check_can_record_grant)
can_manage_staff = _answers(check_can_manage_staff)
can_end_sessions = _answers(check_can_end_sessions)
can_remove_factors = _answers(check_can_remove_factors)
can_view_log = _answers(check_can_view_log)
can_view_platforms = _answers(check_can_view_platforms)
can_run_platforms = _answers(check_can_run_platforms)
can_view_certificate = _answers(check_can_view_certificate)
