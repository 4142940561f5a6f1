"""A fingerprint is stretched for a sixth of a second, and the suite deposits thousands of passwords: here it is made
as the product makes it, with the smallest numbers that Argon2id takes. tests/escrow/test_fingerprints.py has the real.
"""

from __future__ import annotations

from socialgov.escrow import fingerprints

REAL = fingerprints.COST

fingerprints.COST = (1, 8, 1)
