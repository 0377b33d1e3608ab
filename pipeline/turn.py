"""One at a time, and not too many behind it: how requests come to what only one thread may use."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from pipeline.errors import BusyError

T = TypeVar("T")

#: How many may wait.
_MOST_WAITING = 16


class Turn:
    """Gives one thread at a time its turn; a crowd is told to come again, so that it takes neither the memory nor the
    time of the poller.
    """

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._waiting = 0

    async def take(self, work: Callable[[], T]) -> T:
        """What the work gives, done in a thread in its turn.

        Raises:
            BusyError: too many wait.
        """
        if self._waiting >= _MOST_WAITING:
            raise BusyError(f"{_MOST_WAITING} requests wait already", hint="try again in a second")
        self._waiting += 1
        try:
            async with self._turn:
                return await asyncio.to_thread(work)
        finally:
            self._waiting -= 1
