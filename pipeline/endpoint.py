"""Where the page listens: its address for people, and the socket for the server."""

from __future__ import annotations

import socket

#: Hosts that stand for every address of this machine.
_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - only a person's setting opens them

_LOOPBACK = ("127.", "::1", "localhost")


def address(host: str, port: int) -> str:
    """Where a browser on this machine finds the page."""
    name = "localhost" if host in _EVERYWHERE else host
    return f"http://{f'[{name}]' if ':' in name else name}:{port}/"


def is_local(host: str) -> bool:
    """Whether this machine alone can see the page."""
    return host.startswith(_LOOPBACK)


def bound(host: str, port: int) -> socket.socket:
    """A socket that listens there.

    Raises:
        OSError: the port is in use, or the address is none of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=128)
