"""How deep the queue was over the last day, a point a minute, in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from pipeline.clock import Clock, to_ms

#: Seconds between two points, and how many there are.
_EVERY_S, _POINTS = 60.0, 1440


class Depths:
    """`depth` tells how many readings wait, None where nobody knows."""

    def __init__(self, depth: Callable[[], int | None], clock: Clock) -> None:
        self._depth = depth
        self._clock = clock
        self._due = 0.0
        self._points: deque[tuple[int, int | None]] = deque(maxlen=_POINTS)

    def look(self, now: float) -> None:
        """Take a point where one is due, `now` on the monotonic clock."""
        if now >= self._due:
            self._due = now + _EVERY_S
            self._points.append((to_ms(self._clock.utc()), self._depth()))

    def document(self) -> dict[str, Any]:
        """The points: `times` (ms) and `depth`."""
        points = list(self._points)
        return {"times": [at for at, _ in points], "depth": [depth for _, depth in points]}
