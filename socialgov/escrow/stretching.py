"""Argon2id: makes each guess at what is stretched cost a moment and a lot of memory (RFC 9106)."""

from __future__ import annotations

import threading

from socialgov.escrow.sealing import KEY

SALT = 16
# RFC 9106, second recommended choice: 64 MiB, three passes, four lanes. About 0.15 s; 64 MiB while it lasts.
PASSES, MEMORY, LANES = 3, 65_536, 4
# OpenSSL's lanes share one pool of threads: two that are stretched at once wait for each other for ever. One at a time
# also keeps the memory at 64 MiB, however many come.
_ONE_AT_A_TIME = threading.Lock()


def stretch(secret: bytes, salt: bytes, passes: int, memory: int, lanes: int) -> bytes:
    """32 bytes from `secret`, the same each time. `memory` in KiB."""
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    kdf = Argon2id(salt=salt, length=KEY, iterations=passes, lanes=lanes, memory_cost=memory)
    with _ONE_AT_A_TIME:
        return kdf.derive(secret)
