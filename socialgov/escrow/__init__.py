"""Everything that is sealed, derived, signed or split. The only importer of keyring and of ciphers.

Two locks (docs/decisions/0010-vault.md). The school's key lies in the system keyring: it wraps what the machine needs
by itself, such as photos and API tokens. The vault's private half is opened by a network manager's passphrase alone:
it opens what people deposited. Nothing here puts a secret into an error, a log or a repr.

`sealing` has the bytes, `school_key` the Escrow, `vault` the key pair and its holders, `keyrings` where the school's
key lies, `fingerprints` what tells that a password is used twice, `stretching` what makes each guess dear, `shares` the
recovery sheets, `codes` the six digits of an authenticator.
"""

from __future__ import annotations

from socialgov.escrow.fingerprints import near_forms
from socialgov.escrow.keyrings import (
    KEY_FILE,
    PASSPHRASE_FILE_VARIABLE,
    PASSPHRASE_MIN_LENGTH,
    PASSPHRASE_VARIABLE,
    SERVICE,
    SYSTEMD_CREDENTIAL,
    create_escrow,
    drop_old_key,
    open_escrow,
    passphrase,
    proposed_backend,
    refuse_unfit,
    replace_key,
    self_test,
    stage_next_key,
)
from socialgov.escrow.school_key import Escrow, random_token, verify_signature
from socialgov.escrow.vault import (
    Holder,
    OpenVault,
    Recovery,
    VaultKey,
    make_vault_key,
    recovery_proof,
    renewed_recovery,
    token_key,
)

__all__ = [
    "KEY_FILE",
    "PASSPHRASE_FILE_VARIABLE",
    "PASSPHRASE_MIN_LENGTH",
    "PASSPHRASE_VARIABLE",
    "SERVICE",
    "SYSTEMD_CREDENTIAL",
    "Escrow",
    "Holder",
    "OpenVault",
    "Recovery",
    "VaultKey",
    "create_escrow",
    "drop_old_key",
    "make_vault_key",
    "near_forms",
    "open_escrow",
    "passphrase",
    "proposed_backend",
    "random_token",
    "recovery_proof",
    "refuse_unfit",
    "renewed_recovery",
    "replace_key",
    "self_test",
    "stage_next_key",
    "token_key",
    "verify_signature",
]
