"""Whatever is done in whatever order: a rotation is finished by another secret that somebody signed in with."""

from __future__ import annotations

import tempfile
from pathlib import Path

from factories import NOW, make_home, staff
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from test_rotations import advise
from walk import cast_of, live

from socialgov.actions import accounts
from socialgov.actions.credentials import deposit, record_login_test
from socialgov.actions.rotations import begin_scheduled, report_compromised, start_rotation
from socialgov.errors import GateRefused, SocialgovError
from socialgov.models import AccountState, Role
from socialgov.store.accounts import account_by_id
from socialgov.store.rotations import open_rotation, rotations_of

# the second differs from the first only as people differ passwords: by a number at the end
SECRETS = ("Qz7!lantern-mosaic-Vw1", "Qz7!lantern-mosaic-Vw2", "Jk4#barnacle-trumpet-Px", "Mt9?orchard-velcro-Ld")
LIKE = {SECRETS[0]: 0, SECRETS[1]: 0, SECRETS[2]: 1, SECRETS[3]: 2}


class Rotating(RuleBasedStateMachine):
    """The model knows the secrets that are kept, the one in force, and those that must give way, by their likeness."""

    @initialize()
    def school(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.home = make_home(Path(self.folder.name))
        advise(self.home)
        self.cast = cast_of(self.home)
        self.account = live(self.home, self.cast)
        self.in_force, self.kept, self.must_go, self.finished = "", {99}, set[int](), 0
        self.put(SECRETS[2])

    def put(self, secret: str) -> None:
        deposit(
            self.home, self.cast.manager, self.account.id, username="a", secret=secret, email="trips@school.example",
            now=NOW,
        )  # fmt: skip
        self.in_force = secret
        self.kept = self.kept | {LIKE[secret]}

    def begun(self) -> None:
        self.must_go = set(self.kept)

    @rule(secret=st.sampled_from(SECRETS))
    def deposit(self, secret: str) -> None:
        self.put(secret)

    @rule(works=st.booleans())
    def sign_in(self, works: bool) -> None:
        open_before = open_rotation(self.home.db, self.account.id)
        record_login_test(self.home, self.cast.manager, self.account.id, works, now=NOW)
        if works and LIKE[self.in_force] not in self.must_go:
            self.finished, self.must_go = self.finished + (open_before is not None), set()
            self.kept = {LIKE[self.in_force]}

    @rule()
    def compromise(self) -> None:
        report_compromised(self.home, self.cast.owner, self.account.id, "Seen.", now=NOW)
        self.begun()

    @rule()
    def ask(self) -> None:
        before = open_rotation(self.home.db, self.account.id)
        start_rotation(self.home, self.cast.owner, self.account.id, "To be safe.", now=NOW)
        self.begun()
        assert before is None or len(rotations_of(self.home.db, self.account.id)) == self.finished + 1

    @rule()
    @precondition(lambda self: not self.must_go)
    def schedule(self) -> None:
        if begin_scheduled(self.home, self.account.id, now=NOW):
            self.begun()

    @rule()
    def hand_over(self) -> None:
        account = account_by_id(self.home.db, self.account.id)
        accounts.hand_over(
            self.home, self.cast.manager, account.id, owner_id=self.cast.owner.id,
            deputy_id=staff(self.home, Role.TEACHER).id, now=NOW,
        )  # fmt: skip

    @rule()
    def resume(self) -> None:
        try:
            accounts.resume(self.home, self.cast.manager, self.account.id, now=NOW)
        except GateRefused:
            return
        except SocialgovError:
            assert account_by_id(self.home.db, self.account.id).state is not AccountState.SUSPENDED
            return
        found = open_rotation(self.home.db, self.account.id)
        assert found is None or found.reason != "compromised"

    @invariant()
    def never_finished_otherwise(self) -> None:
        done = [one for one in rotations_of(self.home.db, self.account.id) if one.finished_at]
        assert len(done) == self.finished
        assert all(one.new_credential_id and one.new_credential_id > (one.old_credential_id or 0) for one in done)
        assert (open_rotation(self.home.db, self.account.id) is not None) is bool(self.must_go)

    def teardown(self) -> None:
        self.home.db.close()
        self.folder.cleanup()


TestRotating = Rotating.TestCase
TestRotating.settings = settings(
    max_examples=12, stateful_step_count=14, deadline=None, suppress_health_check=list(HealthCheck)
)
