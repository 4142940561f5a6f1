"""Questions about when somebody last signed in to an account on its platform."""

from __future__ import annotations

from typing import TYPE_CHECKING

from socialgov.models import Account
from socialgov.store.events import EventTag
from socialgov.store.rows import dicts, load, moment, to_column

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlite_utils import Database

# by hand: when it was set up, when the deposited login was tried (SEC205), and when a keeper said so
_SIGNED_IN = """
    with said as (select account_id, max(at) as at from event where tag = :tag group by account_id)
    select a.*, max(
      a.set_up_at, coalesce(said.at, ''),
      coalesce((select max(observed_at) from observation
                where account_id = a.id and fact = 'login_works' and value = 'true' and source = 'attested'), '')
      ) as signed_in_at
    from account a left join said on said.account_id = a.id
    where a.platform in (select value from json_each(:platforms)) and a.set_up_at is not null
      and a.state in ('approved', 'live', 'suspended')"""


def signed_in(db: Database, platforms: Collection[str]) -> list[tuple[Account, datetime]]:
    """Every account that is set up on one of these platforms, and when a person last signed in to it."""
    params = {"tag": EventTag.ACCOUNT_SIGNED_IN.value, "platforms": to_column(sorted(platforms))}
    rows = dicts(db, f"{_SIGNED_IN} order by a.id", params)
    return [(load(Account, row), moment(row["signed_in_at"])) for row in rows]
