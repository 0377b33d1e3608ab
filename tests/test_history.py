from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from pipeline import demo, gap_audit, history, service, settings
from pipeline.house import House
from tests.parts import NOON, stored
from tests.running import environment


@pytest.mark.no_cover  # hours of readings
def test_history_has_a_reading_every_thirty_seconds_through_the_real_steps(tmp_path: Path) -> None:
    chosen = settings.load(environment(tmp_path, ("127.0.0.1", 8889)))
    built = service.build(chosen)
    told: list[float] = []
    count = history.fill(
        built,
        chosen,
        House().answer_at,
        since=NOON,
        until=NOON + timedelta(hours=6),
        progress=lambda done, _: told.append(done),
    )
    built.queue.close()
    found = stored(tmp_path)
    assert len(found) == count == 720
    assert {b.time_ms - a.time_ms for a, b in pairwise(found)} == {30_000}
    assert (found[0].time, found[-1].time) == (NOON, NOON + timedelta(hours=6, seconds=-30))
    assert told == [256, 512]
    assert found[5].answer == House().answer_at(found[5].time)


def test_history_after_a_pause_is_long_enough_to_tell_its_own_pace() -> None:
    # Else its readings, half a minute apart, count as gaps of a demo that has one every 5 seconds.
    assert timedelta(seconds=history._INTERVAL_S * (gap_audit._FEW + 1)) <= demo._NO_HISTORY
