from __future__ import annotations

from pipeline.depths import Depths
from tests.parts import TurnedClock


def test_depth_is_noted_once_a_minute_for_a_day() -> None:
    clock, depths = TurnedClock(), iter(range(10_000))
    found = Depths(lambda: next(depths), clock)
    for second in range(0, 90_000, 20):
        found.look(second)
    points = found.document()
    assert points["depth"] == list(range(60, 1500))
    assert len(points["times"]) == 1440
