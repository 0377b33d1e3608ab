"""Binds a process to the one that started it: when the parent ends, however it ends, the child is killed.

So nothing goes on working in a folder that a broken-off campaign left and the next one takes up.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

#: Variable that names the end of the pipe which the child watches.
_VARIABLE = "LEASH_FD"


@contextmanager
def leash() -> Iterator[tuple[dict[str, str], tuple[int, ...]]]:
    """Variables and descriptors to pass to a child; it lives at most as long as this process and this context."""
    watched, held = os.pipe()
    try:
        yield {_VARIABLE: str(watched)}, (watched,)
    finally:
        os.close(watched)
        os.close(held)


def obey() -> None:
    """Die by SIGKILL once the parent is gone; does nothing in a process that was started without a leash."""
    if (watched := os.environ.pop(_VARIABLE, None)) is not None:
        threading.Thread(target=_watch, args=(int(watched),), name="leash", daemon=True).start()


def _watch(watched: int) -> None:
    os.read(watched, 1)  # nobody writes: it ends when the last holder of the other end is gone
    os.kill(os.getpid(), signal.SIGKILL)
