"""`python -m socialgov`: the command line."""

from __future__ import annotations

from socialgov.cli import main

main(prog_name="socialgov")
