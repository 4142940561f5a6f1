"""Where a host stands, as far as its name or number tells: on this machine, or in the school's own network."""

from __future__ import annotations

import ipaddress
import socket


def is_loopback(host: str) -> bool:
    """This machine itself. Of names only `localhost`: any other may lead elsewhere tomorrow."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_private(host: str) -> bool:
    """An address inside the school's own network, where a platform has no business to send us, or a name that leads
    there: `127.1` and `localhost.` are names too. One that leads nowhere is not private, only not there.

    Asks the name service for names with a dot in them.
    """
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        pass
    if "." not in host.rstrip("."):
        return True
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    return any(not ipaddress.ip_address(entry[4][0]).is_global for entry in found)
