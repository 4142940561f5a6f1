"""A school whose live account is the one of a world: what the product does with it goes over the world's network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from typing import Any

import httpx
import pytest
from closing_school import live_account, owner_of, with_platform
from faulty import Cut, Cutting, Shared, at_every_request
from killing import not_waiting_for_the_disk
from people_school import carer, photo, pupil
from world import World

from socialgov.actions import posts
from socialgov.actions.access import seal_tokens, token_hash
from socialgov.actions.audience import set_audience
from socialgov.actions.clients import need_client
from socialgov.errors import SocialgovError
from socialgov.home import Home
from socialgov.models import Account, Fact, Finding, Person, Post, Staff
from socialgov.platforms import adapter_class
from socialgov.platforms.grants import Tokens
from socialgov.store.accounts import account_by_id
from socialgov.store.connect import write
from socialgov.store.connections import insert_connection, keep_tokens
from socialgov.store.events import actor_of
from socialgov.store.observations import newest_observation
from socialgov.store.posts import post_by_id

BUDGET = 1_000_000_000  # micros: money is not what these tests are about


@dataclass
class There:
    """The school's side. `now` goes on with each thing that is done, as the world's clock may not."""

    home: Home
    world: World
    account: Account
    owner: Staff
    mother: Person
    monkeypatch: pytest.MonkeyPatch

    def through(self, network: httpx.BaseTransport) -> None:
        """From now on the product reaches the platform over this network."""
        adapter = adapter_class(self.home.settings.platforms[self.account.platform])
        self.monkeypatch.setattr(adapter, "transport", Shared(network), raising=False)

    def whole(self) -> None:
        """The network works."""
        self.through(self.world.network())

    def known(self) -> dict[str, Any]:
        """The last true picture: what is on record of the account, without when it was seen."""
        seen = {fact.value: newest_observation(self.home.db, self.account.id, fact) for fact in Fact}
        return {fact: one.value for fact, one in seen.items() if one is not None}

    def draft(self, text: str) -> Post:
        """A post that everything allows."""
        now = self.world.now
        post = posts.draft_post(self.home, self.owner, self.account.id, text, now=now)
        posts.add_photo(self.home, self.owner, post.id, photo(), "A hill", now=now)
        posts.set_depictions(
            self.home, self.owner, post.id, shown=[], people_in_picture=0, nobody_identifiable=True, now=now
        )
        posts.confirm(self.home, self.owner, post.id, permanence=True, school_equipment=True, own_work=True, now=now)
        return post_by_id(self.home.db, post.id)

    def fresh(self) -> Account:
        return account_by_id(self.home.db, self.account.id)


def school_there(
    home: Home, world: World, monkeypatch: pytest.MonkeyPatch, *, handed_over: bool = True, **changes: Any
) -> There:
    """The account is live, its machine has its key or token, and a mother belongs to its audience."""
    shown = world.info
    info = replace(
        home.settings.platforms[shown.key], api_base=shown.api_base, index_base=shown.index_base,
        directory_base=shown.directory_base, client=shown.client, monthly_budget=BUDGET,
    )  # fmt: skip
    home = not_waiting_for_the_disk(with_platform(home, info, second_checker=False, days_from_end_to_deletion=7))
    account = live_account(
        home, platform=info.key, handle=world.handle, handle_wished=world.handle, remote_id=world.remote_id,
        **{"ends_on": (world.now + timedelta(days=30)).date(), **changes},
    )  # fmt: skip
    owner, child = owner_of(home, account), pupil(home, "Ann", "Lee")
    mother = carer(home, "Mary", "Lee", of=[child])
    there = There(home, world, account, owner, mother, monkeypatch)
    there.whole()
    set_audience(home, owner, account.id, [child.id], now=world.now)
    if handed_over:
        world.hand_over(home, account)
    return there


def each_cut(there: There, do: Callable[[int], object], then: Callable[[str, int], None]) -> None:
    """`do` (with a number that is new each time) with each of its requests cut off in turn; what it raises is the
    product's own error. `then` looks, over a network that works again.
    """
    turns = count(1)

    def run(number: int, cut: Cut) -> Cutting:
        turn, network = next(turns), Cutting(there.world.network(), number, cut)
        there.through(network)
        try:
            do(turn)
        except SocialgovError as error:
            assert network.happened, f"request {number}: {error}"
        there.whole()
        then(f"request {number} {cut.value}", turn)
        return network

    at_every_request(run, () if there.world.sparing else Cut)


def broken(findings: list[Finding]) -> set[str]:
    return {one.rule_id for one in findings if one.answer is False}


def connected(home: Home, account: Account, world: World, tokens: Tokens) -> None:
    """As actions/connections.py leaves it when a person has confirmed on the platform; the stories walk those pages."""
    info, owner = home.settings.platforms[account.platform], actor_of(account.owner_id)
    known = need_client(home, info, info.api_base or "", actor=owner, now=world.now)
    with write(home.db) as db:
        number = insert_connection(
            db, account_id=account.id, server=info.api_base or "", remote_id=world.remote_id, handle=world.handle,
            scopes=tokens.scopes, token_hash=token_hash(tokens.access), token_until=tokens.until,
            connected_by=account.owner_id, app_id=known.app_id, now=world.now,
        )  # fmt: skip
        keep_tokens(db, number, seal_tokens(home, number, account.id, tokens))
