"""What the demonstration's network manager carries: a vault passphrase in the head, an authenticator on the phone.

A real school's are nobody's but their owner's. These are printed, and shown on the simulated network's page "phone",
because whoever tries the demonstration plays the network manager.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from socialgov.actions.authenticators import confirm_with_code, give_authenticator
from socialgov.actions.sessions import end_session
from socialgov.actions.signin import make_signin_link, use_signin_link
from socialgov.actions.vault import open_vault, opened_vault, shut_vault
from socialgov.actions.vault_passphrase import join
from socialgov.escrow.codes import code_at, new_seed, read_seed
from socialgov.generator import random_words

if TYPE_CHECKING:
    from datetime import datetime

    from socialgov.escrow import OpenVault
    from socialgov.home import Home
    from socialgov.models import Staff


@dataclass(frozen=True, slots=True)
class Pocket:
    passphrase: str = field(repr=False)
    seed: str = field(repr=False)

    @classmethod
    def at(cls, path: Path) -> Pocket:
        """The one in this file, or a new one, kept there for the next start."""
        if path.exists():
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        made = cls(random_words(), new_seed().text)
        path.touch(mode=0o600)
        path.write_text(json.dumps(asdict(made)), encoding="utf-8")
        return made

    def code(self, now: datetime) -> tuple[str, int]:
        """(the six digits that count now, seconds until the next)."""
        return code_at(read_seed(self.seed), now)

    def given_to(self, home: Home, manager: Staff, vault_code: str, *, now: datetime) -> None:
        """The network manager joins the vault with the code of the first day, and has the app on the phone."""
        join(home, manager, vault_code, self.passphrase, now=now)
        give_authenticator(home, manager.id, self.seed, now=now)

    @contextmanager
    def vault_open(self, home: Home, manager: Staff, *, now: datetime) -> Iterator[OpenVault]:
        """As in a browser: sign in, confirm with a code, open with the passphrase; then shut it and sign out."""
        link = make_signin_link(home, manager.id, actor="cli", now=now).removeprefix("/signin/")
        begun = use_signin_link(home, link, now=now).session
        if begun is None:
            raise RuntimeError("the demonstration's links ask for no second factor")
        session = confirm_with_code(home, manager, begun, self.code(now)[0], now=now)
        opening = open_vault(home, manager, session, self.passphrase, now=now)
        try:
            yield opened_vault(home, session, opening, now=now)
        finally:
            shut_vault(home, session, now=now)
            end_session(home, session, now=now)
