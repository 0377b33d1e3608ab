"""Name look-ups under control of a file, so that a test can let them fail or hang in a running service.

The file's first line is the answer to the next look-up: `well`, `fail` or `hang`; one that hangs goes on when the
file says otherwise. Each look-up of `NAME` is noted in a second file before it is answered.
"""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from typing import Any

#: The only name that is known here; it stands for 127.0.0.1.
NAME = "pump.example"

#: Seconds between two looks of a look-up that hangs.
_LOOK_S = 0.005


class Names:
    """The test's side: what is answered from now on, and how many look-ups there were."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._asked = path.with_suffix(".asked")
        self.answer("well")

    @property
    def argument(self) -> str:
        """What `tests.fast_service` is told."""
        return f"names={self._path}"

    @property
    def asked(self) -> int:
        return self._asked.stat().st_size if self._asked.exists() else 0

    def answer(self, how: str) -> None:
        """Let look-ups go `well`, `fail` or `hang`; replaced whole, as it may be read at any moment."""
        new = self._path.with_suffix(".new")
        new.write_text(how)
        new.replace(self._path)


def install(path: Path) -> None:
    """Put every name look-up of this process under the file's control."""
    real = socket.getaddrinfo

    def look_up(name: str, port: int, *more: Any, **options: Any) -> Any:
        with path.with_suffix(".asked").open("ab") as asked:
            asked.write(b".")
        while (how := path.read_text()) == "hang":
            threading.Event().wait(_LOOK_S)
        if how == "fail" or name != NAME:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return real("127.0.0.1", port, *more, **options)

    socket.getaddrinfo = look_up  # type: ignore[assignment]
