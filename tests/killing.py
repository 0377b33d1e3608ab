"""A process that makes rollups and dies at a chosen moment: `python -m tests.killing FOLDER WHAT NTH`.

WHAT is the call it dies in: `pwrite` (NTH counts bytes, the last call is cut short), `fsync`, `replace` or `unlink`
(NTH counts calls, the call is not made). What it did before is done; nothing after.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from tests.rollups import NOW, make_rollup


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def arm(what: str, nth: int) -> None:
    """Let this process die in the NTH call of a kind, or at that byte of what it writes."""
    owner: Any = Path if what in {"replace", "unlink"} else os
    real, left = getattr(owner, what), [nth]

    def counting(*arguments: Any, **keywords: Any) -> Any:
        if what == "pwrite":
            data = bytes(arguments[1])
            if len(data) > left[0]:
                real(arguments[0], data[: left[0]], arguments[2])
                _die()
            left[0] -= len(data)
        else:
            left[0] -= 1
            if left[0] < 0:
                _die()
        return real(*arguments, **keywords)

    setattr(owner, what, counting)


def main() -> None:
    rollup = make_rollup(Path(sys.argv[1]))
    arm(sys.argv[2], int(sys.argv[3]))
    for one in rollup.due(NOW):
        rollup.build(one)


if __name__ == "__main__":
    main()
