"""All SQL of the product. One named function a question; every change goes through `write()`."""

from __future__ import annotations

from socialgov.store.connect import connect, guarded_update, migrate, write
from socialgov.store.events import record_event

__all__ = ["connect", "guarded_update", "migrate", "record_event", "write"]
