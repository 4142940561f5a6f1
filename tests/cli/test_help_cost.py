"""`socialgov --help` costs little more than click: nothing heavy is imported before a command runs."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("flask", "rich", "keyring", "cryptography", "sqlite3", "sqlite_utils", "PIL", "httpx", "apscheduler", "zxcvbn",
         "socialgov.config", "socialgov.home", "socialgov.models", "tomllib")  # fmt: skip


def test_help_imports_nothing_heavy() -> None:
    code = f"import sys; import socialgov.cli; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
