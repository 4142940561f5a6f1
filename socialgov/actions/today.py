"""What needs you today: the open questions about accounts that wait for this person, by role and by account."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from socialgov import permissions, rules
from socialgov.actions.break_glass import under_way
from socialgov.actions.closing_steps import OPEN_AND
from socialgov.actions.findings import gate
from socialgov.actions.machine_tokens import accounts_without_key
from socialgov.actions.publishing import posts_to_find_out
from socialgov.actions.rotation_progress import rotation_progress
from socialgov.lifecycle import WATCHED_STATES
from socialgov.models import AccountState, GlassState, PostState, Role
from socialgov.rules.secrets import ROTATION_WORDS
from socialgov.store import accounts as store
from socialgov.store.closings import accounts_waiting_for_vault
from socialgov.store.connections import lost_connections
from socialgov.store.followers import accounts_with_unchecked_followers
from socialgov.store.leavers import accounts_letting_leavers_in
from socialgov.store.posts import posts_of, posts_to_take_down
from socialgov.store.rotations import open_rotations
from socialgov.store.vault import current_holders, managers_who_open
from socialgov.store.waivers import extensions_waiting

if TYPE_CHECKING:
    from datetime import datetime

    from socialgov.home import Home
    from socialgov.models import Account, Staff

S = AccountState
_LOOKED_AT = frozenset({PostState.WAITING, PostState.REFUSED})
OVERSIGHT = (Role.NETWORK_MANAGER, Role.HEAD, Role.SAFEGUARDING_LEAD)


@dataclass(frozen=True, slots=True)
class Need:
    """One thing to do: about which account (None: about the school), on which page, and by when (None: now)."""

    key: str
    title: str
    account: Account | None
    href_endpoint: str
    due_on: date | None = None


def needs_today(home: Home, staff: Staff, now: datetime) -> list[Need]:
    """Decisions first, then what is out of order, then what is coming; each once, though one may wear several hats."""
    needs: dict[tuple[str, int | None], Need] = {}
    for source in (
        _way_in,
        _glass,
        _decisions,
        _rotations,
        _vault,
        _logins,
        _connections,
        _of_keeper,
        _oversight,
        _coming,
    ):
        for need in source(home, staff, now):
            needs.setdefault((need.key, need.account.id if need.account else None), need)
    return list(needs.values())


def _way_in(home: Home, staff: Staff, now: datetime) -> Iterator[Need]:
    """The vault: a network manager without a passphrase of their own, and a vault that nobody opens."""
    mine = {row.kind for row in current_holders(home.db) if row.staff_id == staff.id}
    if permissions.can_open_vault(staff) and "manager" not in mine:
        if "invitation" in mine:
            yield Need("join", "Set your vault passphrase with the code you were given", None, "vault.join")
        else:
            yield Need("join", "Have another network manager let you into the vault", None, "vault.show")
    if permissions.can_view_vault(staff) and not managers_who_open(home.db):
        yield Need("vault_nobody", "Nobody can open the vault: see what can be done", None, "vault.show")


def _glass(home: Home, staff: Staff, now: datetime) -> Iterator[Need]:
    """A glass that is being broken: to agree to, to stop, or to use."""
    found = under_way(home, now=now)
    if found is None:
        return
    state, due = found.state(now), home.today(found.closes_at)
    if state is GlassState.ASKED and permissions.can_agree_glass(staff, found.asked_by):
        yield Need("glass", "Breaking the glass of the vault: say whether you agree", None, "glass.show", due)
    elif state is GlassState.OPEN and staff.id == found.asked_by:
        yield Need("glass", "The recovery sheets open the vault now", None, "glass.show", due)
    elif permissions.can_stop_glass(staff):
        yield Need("glass", "Breaking the glass of the vault: stop it if that is wrong", None, "glass.show", due)


def _decisions(home: Home, staff: Staff, now: datetime) -> Iterator[Need]:
    """For approvers: requests, longer lives, reviews."""
    db, policy = home.db, home.settings.policy
    if not staff.has(*policy.approver_roles):
        return
    for account in store.requests_waiting(db):
        if permissions.can_decide(staff, account, policy):
            yield Need("decide", "Decide on a request", account, "decisions.decide")
    for extension in extensions_waiting(db):
        account = store.account_by_id(db, extension.account_id)
        if permissions.can_decide_extension(staff, account, extension, policy):
            yield Need("extension", "Decide on a longer life", account, "lifetime.answer_extension", account.ends_on)
    for account in store.reviews_due_by(db, home.today(now)):
        if permissions.can_review(staff, account, policy):
            yield Need("review", "Review a standing account", account, "lifetime.review", account.review_on)


def _vault(home: Home, staff: Staff, now: datetime) -> Iterator[Need]:
    """For network managers: what waits for the vault, and accounts that the machine cannot look into by itself."""
    if not permissions.can_open_vault(staff):
        return
    for account, step in accounts_waiting_for_vault(home.db):
        title = f"Open the vault, then socialgov {OPEN_AND.get(step.name, 'goes on')}"
        yield Need("vault", title, account, "closing.progress")
    for account in accounts_without_key(home):
        yield Need("own_key", "Have socialgov given a key of its own", account, "credentials.test")


def _logins(home: Home, staff: Staff, now: datetime) -> Iterator[Need]:
    if permissions.can_test_login(staff):
        for account in store.logins_to_test(home.db):
            yield Need("login_test", "Sign in once with what was deposited", account, "credentials.test")


def _connections(home: Home, staff: Staff, now: datetime) -> Iterator[Need]:
    """For keepers and network managers: accounts that their platform no longer lets us into."""
    for connection in lost_connections(home.db):
        account = store.account_by_id(home.db, connection.account_id)
        if account.state is not S.CLOSED and permissions.can_connect(staff, account):
            name = home.settings.platforms[account.platform].name
            yield Need("connect", f"Connect it with {name} again", account, "connections.show")


def _rotations(home: Home, staff: Staff, now: datetime) -> Iterator[Need]:
    """Passwords that must be changed: for keepers and network managers; for heads once it is late."""
    for rotation, account in open_rotations(home.db):
        late = now >= rotation.due_at
        if permissions.can_rotate(staff, account):
            progress = rotation_progress(home, account, now)
            if progress is not None and progress.deposited and not progress.refused and not progress.older:
                continue  # nothing is left to do but the network manager's test, which stands in their list (_logins)
            what = f"change the password, because {ROTATION_WORDS[rotation.reason]}"
            if progress is not None and progress.only_the_rest:
                what = "deposit anew what people who left still know"
            title = f"Overdue: {what}" if late else f"{what[0].upper()}{what[1:]}"
            yield Need("rotation", title, account, "rotations.show", home.today(rotation.due_at))
        elif late and staff.has(Role.HEAD):
            yield Need("rotation", "A password was not changed in time", account, "accounts.page")


def _of_keeper(home: Home, staff: Staff, now: datetime) -> Iterator[Need]:
    """For owner and deputy, and for who asked: the next step of each of their accounts."""
    broken = {account.id: number for account, number in store.accounts_in_trouble(home.db, keeper_id=staff.id)}
    unchecked = accounts_with_unchecked_followers(home.db)
    unsettled = {post.account_id for post in posts_to_find_out(home, now)}
    for account in store.accounts_of_keeper(home.db, staff.id):
        if account.state is S.REQUESTED and account.returned_at is not None:
            yield Need("amend", "Change a request that was sent back", account, "requests.check_amended")
        if not permissions.is_keeper(staff, account):
            continue
        if account.state is S.APPROVED:
            yield _to_the_gate(home, account, now)
        if account.id in unsettled:
            yield Need("find_out", "Find out whether a post is out", account, "posts.page")
        if account.state in WATCHED_STATES:
            yield from _of_running(home, account, unchecked)
        if account.state in WATCHED_STATES and account.id in broken:
            yield Need("broken", _broken(broken[account.id]), account, "accounts.page")


def _to_the_gate(home: Home, account: Account, now: datetime) -> Need:
    """What is next for an approved account: its task list; once every check holds, the gate, from its first day on."""
    first = account.starts_on
    if account.handle is None or rules.blocking(gate(home, account.id, now)):
        return Need("set_up", "Set up an approved account", account, "accounts.page")
    if home.today(now) < first:
        return Need("go_live", f"Ready: put it live on {first.day} {first:%B %Y}", account, "setup.gate")
    return Need("go_live", "Ready: put it live", account, "setup.gate")


def _of_running(home: Home, account: Account, unchecked: set[int]) -> Iterator[Need]:
    """What cannot wait on a live account: posts that must come down, and whoever knocks at its door."""
    if posts := posts_to_take_down(home.db, account.id):
        due = posts[0].take_down_by_at
        yield Need("take_down", "Take a post down", account, "posts.page", home.today(due) if due else None)
    looked_at = [post for post in posts_of(home.db, account.id) if post.state in _LOOKED_AT and post.checked_by]
    if any(post.state is PostState.REFUSED for post in looked_at):
        yield Need("post_refused", "Change a post that a colleague sent back", account, "posts.page")
    if any(post.state is PostState.WAITING for post in looked_at):
        yield Need("post_ready", "Publish a post that a colleague has looked at", account, "posts.page")
    if account.id in unchecked:
        yield Need("followers", "Check who asks to follow, or follows", account, "followers.page")


def _oversight(home: Home, staff: Staff, now: datetime) -> Iterator[Need]:
    """For those responsible for safety: accounts that stand still, and rules that are broken."""
    if not staff.has(*OVERSIGHT):
        return
    for account in store.accounts_of_leavers(home.db):
        if permissions.can_hand_over(staff, account):
            yield Need("hand_over", "Hand over: its owner or deputy has left", account, "lifetime.hand_over")
    if permissions.can_manage_staff(staff):
        for account in accounts_letting_leavers_in(home.db):
            yield Need("let_in", "End it: somebody who left is still let in", account, "contacts.delegates")
    for account in store.suspended_accounts(home.db):
        yield Need("suspended", "Decide about a suspended account", account, "accounts.page")
    for account, number in store.accounts_in_trouble(home.db):
        yield Need("broken", _broken(number), account, "accounts.page")


def _coming(home: Home, staff: Staff, now: datetime) -> Iterator[Need]:
    """For owner and deputy: lives that end, and confirmations that fall due."""
    policy = home.settings.policy
    ahead = timedelta(days=max(policy.reminder_days, default=0))
    for account in store.accounts_ending_by(home.db, home.today(now) + ahead):
        if permissions.is_keeper(staff, account) and account.starts_on <= home.today(now):
            yield Need("ending", "Its time is over soon", account, "accounts.page", account.ends_on)
    since = now + ahead - timedelta(days=policy.confirmation_days)
    for account in store.confirmations_due_since(home.db, since):
        if permissions.can_confirm(staff, account):
            last = account.confirmed_at or account.live_at or now
            due = home.today(last + timedelta(days=policy.confirmation_days))
            yield Need("confirm", "Confirm that it is still needed", account, "lifetime.confirm", due)


def _broken(number: int) -> str:
    return "One rule is broken" if number == 1 else f"{number} rules are broken"
