"""What the audit's page of 50 out of 10,000 logins costs, against a bare Flask page with the same query's rows.

The bare page runs one plain query that sorts the same accounts by the same urgency and looks up the same columns for
50 of them, and fills a bare table; nobody signs in and nothing is put into words. Both are asked through the WSGI
interface, in one process, in turn. Before that the secrets are made impossible to open, and the log is counted: the
page opens none of them.
"""

from __future__ import annotations

import sqlite3
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask, render_template
from jinja2 import DictLoader

from bench.lines import NOW, median_ratio, report, school_with_accounts
from bench.pages import seconds, signed_in
from socialgov.escrow import Escrow
from socialgov.home import Home
from socialgov.store.connect import write
from socialgov.store.rows import moment_text

PATH, ACCOUNTS, LIMIT = "/audit/", 10_000, 2.5
RULES = ("SEC201", "SEC202", "SEC203", "SEC204", "SEC205", "SEC206", "SEC207", "PPL704")

BARE_QUERY = """
    with trouble as (
      select account_id, sum(answer = 0) as broken, sum(answer is null) as unknown from finding
      where enforcement = 'enforced' and waived_by is null and answer is not 1
        and (rule_id like 'SEC%' or rule_id = 'PPL704') group by account_id)
    select a.id, a.platform, a.state, a.handle, owner.name as owner, c.secret_at, c.strength, t.broken, t.unknown,
      r.due_at, r.reason,
      (select group_concat(kind) from credential k where k.account_id = a.id and k.superseded_at is null) as kinds,
      exists (select 1 from credential_fingerprint mine
        join credential_fingerprint theirs on theirs.fingerprint = mine.fingerprint
          and theirs.credential_id <> mine.credential_id where mine.credential_id = c.id) as reused,
      (select observed_at || ' ' || value from observation o where o.account_id = a.id and o.fact = 'login_works'
        order by observed_at desc limit 1) as tried,
      (select group_concat(distinct staff.name) from reveal join staff on staff.id = reveal.staff_id
        where reveal.credential_id = c.id) as seen_by,
      (select group_concat(because, ' ') from finding f where f.account_id = a.id and f.answer is not 1
        and (f.rule_id like 'SEC%' or f.rule_id = 'PPL704')) as needs,
      (select count(*) from delegate d where d.account_id = a.id and d.ended_at is null) as delegates
    from account a join staff owner on owner.id = a.owner_id
      left join credential c on c.account_id = a.id and c.kind = 'password' and c.superseded_at is null
      left join trouble t on t.account_id = a.id
      left join rotation r on r.account_id = a.id and r.finished_at is null
    where a.state in ('approved', 'live', 'suspended', 'closing')
    order by r.due_at is null, r.due_at, t.broken desc, t.unknown desc, a.id limit 50"""
BARE_PAGE = """<!doctype html>
<html lang="en"><head><title>Logins</title></head><body><h1>Logins</h1>
<table><thead><tr><th>Account</th><th>Password</th><th>Tested</th><th>Seen by</th><th>Delegates</th><th>Needed</th></tr>
</thead><tbody>
{% for row in rows %}
<tr>
  <th><a href="/accounts/{{ row.id }}">{{ row.handle }}</a>
    <div>{{ row.platform }}, {{ row.owner }}, {{ row.state }}</div></th>
  <td>{{ row.secret_at }}, {{ row.strength }}{% if row.reused %} <strong>Used elsewhere</strong>{% endif %}
    {{ row.kinds }}</td>
  <td>{{ row.tried }}</td>
  <td>{{ row.seen_by }}</td>
  <td>{{ row.delegates }}</td>
  <td>{{ row.reason }} {{ row.due_at }} {{ row.needs }}</td>
</tr>
{% endfor %}
</tbody></table></body></html>"""


def with_logins(home: Home) -> Home:
    """A deposit for each account, some weak or seen or used twice, with findings, tests, looks and delegates."""
    sealed = home.escrow.seal(b"x" * 20, account="1", field="password", version=1)
    at, long_ago = moment_text(NOW - timedelta(days=20)), moment_text(NOW - timedelta(days=500))
    numbers = range(1, ACCOUNTS + 1)
    with write(home.db) as db:
        many = db.conn.executemany
        many(
            "insert into credential (id, account_id, kind, username, sealed, fingerprint, strength, problems,"
            " deposited_by, deposited_at, secret_at) values (?, ?, 'password', 'school', ?, ?, 4, '[]', 2, ?, ?)",
            [(n, n, sealed, f"{n - n % 97 % 2:064x}", long_ago if n % 11 == 0 else at, at) for n in numbers],
        )
        many(
            "insert into credential_fingerprint (fingerprint, credential_id) values (?, ?)",
            [(f"{n - (n % 97 == 1):064x}", n) for n in numbers],
        )
        many(
            "insert into observation (account_id, fact, value, observed_at, source, observed_by)"
            " values (?, 'login_works', ?, ?, 'attested', 2)",
            [(n, "false" if n % 50 == 0 else "true", at) for n in numbers],
        )
        many(
            "insert into reveal (credential_id, staff_id, reason, at) values (?, ?, 'To try it.', ?)",
            [(n, 2 + (n + k) % 90, at) for n in numbers for k in range(n % 4)],
        )
        many(
            "insert into delegate (account_id, name, rights, staff_id, recorded_at) values (?, 'D', 'posts', ?, ?)",
            [(n, 2 + n % 90 if n % 3 else None, at) for n in numbers if n % 9 == 0],
        )
        many("insert into finding values (?, ?, ?, 'Because of something.', 'enforced', null, null, null, null, ?, ?)",
             [_finding(n, rule, at) for n in numbers for rule in RULES])  # fmt: skip
        many(
            "insert into rotation (account_id, reason, started_at, due_at) values (?, 'left', ?, ?)",
            [(n, at, moment_text(NOW + timedelta(hours=n % 900 - 100))) for n in numbers if n % 40 == 0],
        )
    home.db.execute("analyze")
    return home


def _finding(number: int, rule: str, at: str) -> tuple[Any, ...]:
    place = RULES.index(rule)
    answer = False if (number + place) % 41 == 0 else None if (number + place) % 23 == 0 else True
    return (number, rule, answer, at, at)


def bare_app(path: Path) -> Flask:
    app = Flask("bare")
    app.jinja_loader = DictLoader({"audit.html": BARE_PAGE})
    db = sqlite3.connect(path, check_same_thread=False)
    db.row_factory = sqlite3.Row

    @app.get(PATH)
    def audit() -> str:
        return render_template("audit.html", rows=[dict(row) for row in db.execute(BARE_QUERY)])

    return app


def open_nothing() -> None:
    """From here on, opening a secret ends the bench."""

    def refused(*_: object, **__: object) -> None:
        raise AssertionError("the audit opened a secret")

    for name in ("open", "open_with"):
        setattr(Escrow, name, refused)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = with_logins(school_with_accounts(Path(folder) / "home", ACCOUNTS))
        ours, bare = signed_in(home), bare_app(home.path / "school.db").test_client()
        open_nothing()
        seconds(ours, PATH)  # who opens it is an event, once an hour
        events = home.db.execute("select count(*) from event").fetchone()
        ratio = median_ratio(lambda: seconds(ours, PATH), lambda: seconds(bare, PATH))
        assert home.db.execute("select count(*) from event").fetchone() == events
        report("audit_page", ratio, "x", LIMIT)


if __name__ == "__main__":
    main()
