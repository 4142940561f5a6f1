"""What sealing and opening a record costs, against the bare calls of `cryptography` that it consists of.

Two schemes (docs/decisions/0010-vault.md): the machine's is two AES-GCM calls a record; the vault's is these, and HPKE
with a third AES-GCM around it. The bare side makes the same calls on the same number of bytes, with fresh nonces and
data keys but without ids, checks and what a record is bound to.
"""

from __future__ import annotations

import secrets
import sys
import time
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from bench.lines import ESCROW, median_ratio, tell
from socialgov.escrow import make_vault_key

LIMIT = 3.0
TIMES = 3000
CONTENT = b"correct horse battery staple"
BOUND = bytes(96)  # about what a record is bound to
PLACE = {"account": "1234", "field": "password", "version": 1}
KEY, VAULT = AESGCM(bytes(range(32))), make_vault_key()
PRIVATE = X25519PrivateKey.generate()
SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def seconds(do: Callable[[], object], times: int) -> float:
    begun = time.perf_counter()
    for _ in range(times):
        do()
    return time.perf_counter() - begun


def bare_seal() -> bytes:
    data_key, nonce = secrets.token_bytes(32), secrets.token_bytes(12)
    inner = nonce + AESGCM(data_key).encrypt(nonce, CONTENT, BOUND)
    nonce = secrets.token_bytes(12)
    return nonce + KEY.encrypt(nonce, data_key, BOUND) + inner


def bare_open(sealed: bytes) -> bytes:
    data_key = KEY.decrypt(sealed[:12], sealed[12:60], BOUND)
    return AESGCM(data_key).decrypt(sealed[60:72], sealed[72:], BOUND)


def bare_seal_to() -> bytes:
    data_key, nonce = secrets.token_bytes(32), secrets.token_bytes(12)
    content = nonce + AESGCM(data_key).encrypt(nonce, CONTENT, BOUND)
    inner, nonce = SUITE.encrypt(data_key, PRIVATE.public_key(), info=BOUND), secrets.token_bytes(12)
    return nonce + KEY.encrypt(nonce, inner, BOUND) + content


def bare_open_with(sealed: bytes) -> bytes:
    inner = KEY.decrypt(sealed[:12], sealed[12:108], BOUND)
    data_key = SUITE.decrypt(inner, PRIVATE, info=BOUND)
    return AESGCM(data_key).decrypt(sealed[108:120], sealed[120:], BOUND)


def main() -> None:
    own, vaulted = ESCROW.seal(CONTENT, **PLACE), ESCROW.seal_to(VAULT.public, CONTENT, **PLACE)
    bare, bare_vaulted = bare_seal(), bare_seal_to()
    pairs: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
        "seal_machine": (lambda: ESCROW.seal(CONTENT, **PLACE), bare_seal),
        "open_machine": (lambda: ESCROW.open(own, **PLACE), lambda: bare_open(bare)),
        "seal_vault": (lambda: ESCROW.seal_to(VAULT.public, CONTENT, **PLACE), bare_seal_to),
        "open_vault": (lambda: ESCROW.open_with(VAULT, vaulted, **PLACE), lambda: bare_open_with(bare_vaulted)),
    }
    short = False
    for name, (ours, plain) in pairs.items():
        times = TIMES if name.endswith("machine") else TIMES // 6
        ratio = median_ratio(lambda do=ours, n=times: seconds(do, n), lambda do=plain, n=times: seconds(do, n))
        short |= tell(name, ratio, "x", LIMIT)
    sys.exit(1 if short else 0)


if __name__ == "__main__":
    main()
