"""The honest default: a platform with no interface for us. Everything is a person's, with a screenshot as evidence."""

from __future__ import annotations

from socialgov.platforms.base import Platform


class AttestedPlatform(Platform):
    """Declares nothing, so each need becomes a guided task (config/platforms.toml) and each fact an attestation."""
