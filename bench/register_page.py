"""What the register's page of 50 out of 10,000 accounts costs, against a bare Flask page with the same rows.

The bare page runs one plain query for the same 50 rows and fills a bare table with the same columns; nobody signs in,
nothing is searched, counted or checked. Both are asked through the WSGI interface, in one process, in turn.
"""

from __future__ import annotations

import sqlite3
import tempfile
from pathlib import Path

from flask import Flask, render_template
from jinja2 import DictLoader

from bench.lines import median_ratio, report, school_with_accounts
from bench.pages import seconds, signed_in

PATH, ACCOUNTS, LIMIT = "/accounts/", 10_000, 2.5

BARE_QUERY = """
    select a.id, a.platform, a.kind, a.state, a.handle, owner.name as owner, deputy.name as deputy, a.ends_on,
      (select count(*) from finding f where f.account_id = a.id and f.answer = 0) as broken,
      (select count(*) from finding f where f.account_id = a.id and f.answer is null) as unknown
    from account a join staff owner on owner.id = a.owner_id join staff deputy on deputy.id = a.deputy_id
    order by a.id desc limit 50"""
BARE_PAGE = """<!doctype html>
<html lang="en"><head><title>Register</title></head><body><h1>Register</h1>
<table><thead><tr><th>Account</th><th>State</th><th>Rules</th><th>Owner, deputy</th><th>Until</th></tr></thead><tbody>
{% for row in rows %}
<tr>
  <th><a href="/accounts/{{ row.id }}">{{ row.handle }}</a>
    <div>{{ row.platform }}, {{ row.kind }}</div></th>
  <td><strong>{{ row.state }}</strong></td>
  <td>{% if row.broken %}<strong>{{ row.broken }} broken</strong>{% endif %}
      {% if row.unknown %}<strong>{{ row.unknown }} not known</strong>{% endif %}</td>
  <td>{{ row.owner }}, {{ row.deputy }}</td>
  <td>{{ row.ends_on }}</td>
</tr>
{% endfor %}
</tbody></table></body></html>"""


def bare_app(path: Path) -> Flask:
    app = Flask("bare")
    app.jinja_loader = DictLoader({"register.html": BARE_PAGE})
    db = sqlite3.connect(path, check_same_thread=False)
    db.row_factory = sqlite3.Row

    @app.get(PATH)
    def register() -> str:
        rows = [dict(row) for row in db.execute(BARE_QUERY)]
        return render_template("register.html", rows=rows)

    @app.get("/accounts/<int:account_id>")
    def page(account_id: int) -> str:
        return str(account_id)

    return app


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = school_with_accounts(Path(folder) / "home", ACCOUNTS)
        ours, bare = signed_in(home), bare_app(home.path / "school.db").test_client()
        report("register_page", median_ratio(lambda: seconds(ours, PATH), lambda: seconds(bare, PATH)), "x", LIMIT)


if __name__ == "__main__":
    main()
