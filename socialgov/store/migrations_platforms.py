"""The schema of what concerns platforms: connections, money, plans, public accounts. Continues migrations.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

from socialgov.store.migrations import migrations, under_key_in_force

if TYPE_CHECKING:
    from sqlite_utils import Database


_INDEXES = """
        create index connection_account on connection(account_id);
        create index read_plan_left_out on read_plan(account_id) where left_out <> '[]';
        create index list_read_at on list_read(capability, read_at);
        create index public_allowance_staff on public_allowance(staff_id, platform);
        create index export_read_account on export_read(account_id);
"""


# the sums of `spending` by day: the meter asks for a month's before each request
_DAYS_SUMS = """
        create table spending_day (
          platform text not null, day text not null, requests integer not null, items integer not null,
          micros integer not null, reserved integer not null, primary key (platform, day)) strict;
        create trigger spending_added after insert on spending begin
          insert into spending_day (platform, day, requests, items, micros, reserved)
            values (new.platform, new.day, new.requests, new.items, new.micros, new.reserved)
            on conflict (platform, day) do update set
              requests = requests + excluded.requests, items = items + excluded.items,
              micros = micros + excluded.micros, reserved = reserved + excluded.reserved;
          end;
        create trigger spending_changed after update on spending begin
          update spending_day set
            requests = requests - old.requests + new.requests, items = items - old.items + new.items,
            micros = micros - old.micros + new.micros, reserved = reserved - old.reserved + new.reserved
            where platform = new.platform and day = new.day;
          end;
        create trigger spending_taken after delete on spending begin
          update spending_day set
            requests = requests - old.requests, items = items - old.items,
            micros = micros - old.micros, reserved = reserved - old.reserved
            where platform = old.platform and day = old.day;
          end;
"""


_POSTS = """
        -- being published by a person, not by the machine
        alter table post add column handed_over integer not null default 0;
        -- held back because the platform was not done with a picture: for whom it is tried once more, and when
        alter table post add column again_by integer references staff;
        alter table post add column again_at text;
"""


@migrations()
def m0008_platforms(db: Database) -> None:
    """Connected accounts, servers this product registered with, what was spent and planned, public accounts."""
    db.executescript(
        """
        -- a person let this product into the account (OAuth 2); `sealed` is JSON of access and refresh token
        create table connection (
          id integer primary key, account_id integer not null references account, server text not null,
          remote_id text not null, handle text not null, scopes text not null, sealed blob, token_hash text not null,
          token_until text, connected_by integer references staff, connected_at text not null, renewed_at text,
          claimed_until text, lost_at text, lost_why text, ended_at text,
          app_id integer references platform_app) strict;
        create unique index connection_current on connection(account_id) where ended_at is null;
        -- what an adapter declares and the platform does not offer to our client there (server: of how many, else
        -- empty): probed once, remembered for every account of that client
        create table capability_off (
          platform text not null, server text not null, capability text not null, found_at text not null,
          why text not null, primary key (platform, server, capability)) strict;
        -- a server that this product registered with by itself
        create table platform_app (
          id integer primary key, platform text not null, server text not null, client_id text not null, sealed blob,
          redirect_uri text not null, scopes text not null, made_at text not null, ended_at text) strict;
        create unique index platform_app_current on platform_app(platform, server) where ended_at is null;
        -- a row a day, account (0: none) and kind of call; micros: spent, reserved: the part of it that is in doubt
        create table spending (
          platform text not null, day text not null, account_id integer not null, call text not null,
          requests integer not null default 0, items integer not null default 0, micros integer not null default 0,
          reserved integer not null default 0, primary key (platform, day, account_id, call)) strict;
        create table platform_pause (
          platform text primary key, why text not null, since text not null, until text) strict;
        -- what is read of one account today, and what is not because the money or the limit does not reach
        create table read_plan (
          account_id integer primary key references account, day text not null, at text not null, reads text not null,
          left_out text not null, micros integer not null, made_at text not null) strict;
        -- the newest complete list of each kind, and what the platform said then and says now that there are
        create table list_read (
          account_id integer not null references account, capability text not null, read_at text,
          told_then integer, told integer, told_at text, primary key (account_id, capability)) strict;
        -- the head's permission for an account that everybody can see (ACC103)
        create table public_allowance (
          id integer primary key, platform text not null, staff_id integer not null references staff,
          purpose text not null, reason text not null, decided_by integer not null references staff,
          decided_at text not null, until_on text, used_by_account integer references account, ended_at text) strict;
        -- a platform's own export file that a person handed in: what was read out of it, and the sealed file
        create table export_read (
          id integer primary key, account_id integer not null references account, blob_id integer references blob,
          made_on text not null, read_at text not null, read_by integer not null references staff,
          counts text not null) strict;
        -- on a network of many servers a lasting id is one only together with the server that the handle names
        drop index account_remote;
        create unique index account_remote on account(platform, remote_id,
          lower(substr(coalesce(handle, ''), instr(coalesce(handle, '') || '@', '@') + 1))) where remote_id is not null;
        """
        + _INDEXES
        + _POSTS
        + _DAYS_SUMS
        + under_key_in_force("connection", "sealed")
        + under_key_in_force("platform_app", "sealed")
    )
