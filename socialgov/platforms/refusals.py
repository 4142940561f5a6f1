"""How a platform says no: each refusal with its meaning, which decides what happens next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from socialgov.errors import SocialgovError

if TYPE_CHECKING:
    from datetime import datetime

    from socialgov.models import Capability


class PlatformError(SocialgovError):
    """The platform did not do it. `permanent` False: try again later (time-out, 5xx, rate limit until `retry_at`).

    `outcome_unknown` True: the request may have had its effect (the answer was lost). Read before doing it again.
    """

    status = 502

    def __init__(
        self,
        message: str,
        *,
        permanent: bool,
        mend: str = "",
        retry_at: datetime | None = None,
        outcome_unknown: bool = False,
    ) -> None:
        super().__init__(message, mend)
        self.permanent = permanent
        self.retry_at = retry_at
        self.outcome_unknown = outcome_unknown


class Unreachable(PlatformError):
    """The request did not leave this machine, so it had no effect and cost nothing."""

    def __init__(self, platform: str, why: str = "cannot be reached") -> None:
        super().__init__(f"{platform} {why}.", permanent=False, mend="It is tried again later.")


class NotReady(PlatformError):
    """The platform still works on a picture of the post, and nothing is out. Asking the same adapter for the same post
    again, in `seconds`, goes on where it stopped.
    """

    def __init__(self, platform: str, seconds: float) -> None:
        super().__init__(
            f"{platform} is not done with a picture yet, so the post is not out.",
            permanent=False,
            mend="Publish it again in a few minutes.",
        )
        self.seconds = seconds


class CannotDo(PlatformError):
    """This adapter does not have the capability; a person must do it."""

    def __init__(self, platform: str, capability: Capability) -> None:
        super().__init__(
            f"{platform} cannot {capability.value.replace('_', ' ')} by machine.",
            permanent=True,
            mend="A person must do it, guided by the task list.",
        )
        self.capability = capability


class LoginRefused(PlatformError):
    """User name or password are wrong, or the account does not let us in any more. `of_token`: it was our own key."""

    def __init__(
        self,
        message: str,
        mend: str = "Check the deposited password and deposit it again.",
        *,
        of_token: bool = False,
    ) -> None:
        super().__init__(message, permanent=True, mend=mend)
        self.of_token = of_token


class NotOffered(PlatformError):
    """The platform does not offer this to the school's plan or client: a person does it from now on."""

    def __init__(self, platform: str, capability: Capability) -> None:
        super().__init__(
            f"{platform} does not offer this to us any more: {capability.value.replace('_', ' ')}.",
            permanent=True,
            mend="A person must do it, guided by the task list.",
        )
        self.capability = capability


class BudgetUsedUp(PlatformError):
    """The month's money for this platform is spent: nothing more is asked until `retry_at`, or the budget is raised.

    `none_set`: it costs money and the school has set no budget at all, so nothing was ever asked.
    """

    def __init__(self, platform: str, retry_at: datetime, *, none_set: bool = False) -> None:
        why = f"{platform} costs money and no budget is set for it" if none_set else ""
        mend = "It is asked again next month, or when the school raises monthly_budget in school.toml."
        super().__init__(
            f"{why or f'The budget of the school for {platform} is used up'}, so it was not asked.",
            permanent=False,
            mend='Set monthly_budget = "20.00", or what it may cost, in school.toml.' if none_set else mend,
            retry_at=retry_at,
        )


class PaymentNeeded(PlatformError):
    """The platform wants money (402): nothing more is asked of it for the whole school until somebody has looked."""

    def __init__(self, platform: str) -> None:
        super().__init__(
            f"{platform} asks for payment, so it answers nothing for now.",
            permanent=False,
            mend="The network manager puts credit on the school's developer account there.",
        )
