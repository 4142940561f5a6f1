"""How the machine looks whether a step of a closing has had its effect: always afresh, and kept as an observation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from socialgov.actions.adapters import is_connected, needs_connection
from socialgov.actions.closing_steps import Work, finish_step
from socialgov.actions.observing import record_observation
from socialgov.actions.unsealing import machine_login
from socialgov.lifecycle import PROOFS, proves
from socialgov.models import Capability, CredentialKind, Fact, Presence, Source, StepName
from socialgov.platforms import LoginRefused, PlatformError, connect
from socialgov.store.connect import write
from socialgov.store.credentials import current_credential
from socialgov.store.observations import newest_observation

if TYPE_CHECKING:
    from socialgov.models import Observation
    from socialgov.platforms import Platform

LOOKS_BEFORE_ASKING = 3  # a platform may take a while to show what was done


class NotYet(PlatformError):
    """Done or asked for, but not to be seen yet: look again later."""

    def __init__(self, message: str) -> None:
        super().__init__(message, permanent=False)


def see_it_done(work: Work) -> None:
    """The fresh look that every step ends with, kept as an observation in the step's own transaction."""
    fact = PROOFS[work.step.name].fact
    done_by = work.step.detail.get("done_by")
    if (seen := _seen_already(work, fact)) is not None:
        with write(work.home.db) as db:
            finish_step(work, db, seen.id, done_by=done_by)
        return
    value = LOOKS[fact](work)
    if not proves(work.step.name, value, work.platform):
        raise _unproved(work, value)
    with write(work.home.db) as db:
        observation_id = record_observation(
            db, account_id=work.account.id, fact=fact, value=value, now=work.now, source=Source.API
        )
        finish_step(work, db, observation_id, done_by=done_by)


def _seen_already(work: Work, fact: Fact) -> Observation | None:
    """The new password was tried when it was deposited, by the machine or by the network manager, and it worked.

    Trying it again would need the vault. Any other look is made afresh.
    """
    if fact is not Fact.LOGIN_WORKS:
        return None
    held = current_credential(work.home.db, work.account.id, CredentialKind.PASSWORD)
    seen = newest_observation(work.home.db, work.account.id, fact)
    return seen if held and seen and seen.value is True and seen.observed_at >= held.deposited_at else None


def _unproved(work: Work, value: Any) -> PlatformError:
    """What the look showed instead: a person's task where only a person can mend it, else look again later."""
    seen = f"{work.platform.name} was asked, and the step is not done: {_in_words(work.step.name, value)}."
    takes_time = work.step.name is StepName.SEE_IT_GONE_FOR_GOOD and value is Presence.DEACTIVATED
    by_person = work.step.detail.get("phase") == "look" and not takes_time
    back_again = (
        work.step.name in (StepName.SEE_IT_GONE, StepName.SEE_IT_GONE_FOR_GOOD)
        and value is Presence.LIVE
        and work.step.attempts >= LOOKS_BEFORE_ASKING
    )
    if by_person or back_again:
        return PlatformError(
            seen, permanent=True, mend="Do it on the platform, then say so here: it is looked at again."
        )
    return NotYet(seen)


def _in_words(name: StepName, value: Any) -> str:
    if isinstance(value, Presence):
        return {
            Presence.LIVE: "the account is still there for everybody",
            Presence.DEACTIVATED: "the account is deactivated but not deleted yet",
            Presence.GONE: "the account is gone",
        }[value]
    return {
        StepName.TAKE_CONTENT_DOWN: f"{value} posts are still on the account",
        StepName.CHANGE_PASSWORD: "the deposited password does not open the account",
        StepName.REVOKE_ACCESS: "a token given to this product still works",
    }.get(name, "it shows otherwise")


def _posts_left(work: Work) -> int:
    return len(posts_and_replies(work.adapter(Capability.READ_POSTS)))


def posts_and_replies(adapter: Platform) -> list[str]:
    """Everything the account put out: posts, replies and, where they can be read, shares of what others posted."""
    found = [post.remote_id for post in adapter.posts()] + adapter.conversations()
    if adapter.can(Capability.READ_SHARES):
        found += adapter.shares()
    return list(dict.fromkeys(found))


def presence_seen(work: Work) -> Presence:
    """As an outsider sees it: without signing in."""
    return work.as_outsider().presence()


def _deposit_opens(work: Work) -> bool:
    """Raises VaultShut while nobody has the vault open."""
    login = machine_login(
        work.home, work.account.id, purpose=work.purpose, now=work.now, needs_password=True, vault=work.vault,
        actor=work.actor,
    )  # fmt: skip
    return login is not None and connect(work.platform, work.account, login).check_login()


def our_key_opens(work: Work) -> bool:
    """Does the key of our own still open it? Without one on record there is nothing that could."""
    if needs_connection(work.home, work.account):
        return _still_connected(work)
    adapter = work.with_own_key()
    return adapter is not None and adapter.check_login()


def _still_connected(work: Work) -> bool:
    """Asked of the platform, while anything is left here to ask with."""
    if not is_connected(work.home, work.account):
        return False
    try:
        work.adapter(Capability.READ_PROFILE).profile()
    except LoginRefused:
        return False
    return True


LOOKS: Mapping[Fact, Callable[[Work], Any]] = {
    Fact.POSTS: _posts_left,
    Fact.PRESENCE: presence_seen,
    Fact.LOGIN_WORKS: _deposit_opens,
    Fact.OUR_ACCESS: our_key_opens,
}
