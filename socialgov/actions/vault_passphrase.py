"""What may be a vault passphrase: long, and not to be guessed by a machine that has all the time it wants."""

from __future__ import annotations

from typing import TYPE_CHECKING

from socialgov.errors import InvalidInput
from socialgov.passwords import assess

if TYPE_CHECKING:
    from socialgov.home import Home
    from socialgov.models import Staff

SHORTEST = 15  # characters: NIST SP 800-63B-4, 3.1.1.2, for a secret that stands alone
LONGEST = 200
STRENGTH = 4  # zxcvbn's best: more than ten thousand million guesses


def check_passphrase(home: Home, actor: Staff, passphrase: str) -> None:
    """Raise InvalidInput with `fields` for one that is short, over-long or easy to guess."""
    context = (home.settings.school_name, actor.name, actor.email)
    fault = ""
    if not SHORTEST <= len(passphrase) <= LONGEST:
        fault = f"Take {SHORTEST} to {LONGEST} characters: six random words are right."
    elif assess(passphrase, context=context, min_length=1, min_strength=STRENGTH).strength < STRENGTH:
        fault = "This is too easy to guess. Take six words at random."
    if fault:
        raise InvalidInput("This passphrase cannot be taken.", {"passphrase": fault})
