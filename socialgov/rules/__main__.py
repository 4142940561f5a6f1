"""`python -m socialgov.rules` prints docs/rules.md."""

from socialgov.rules.catalogue import as_markdown

print(as_markdown(), end="")
