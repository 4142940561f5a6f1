"""A small simulated social network, for the demonstration and for tests. Nothing in it is real.

It stands outside the product like any other platform: it imports nothing of it, keeps an SQLite file of its own, and is
reached only through its pages and its JSON API (platforms/sandbox.py).
"""

from __future__ import annotations

from socialgov.sandbox.app import create_sandbox
from socialgov.sandbox.network import Network, NetworkError

__all__ = ["Network", "NetworkError", "create_sandbox"]
