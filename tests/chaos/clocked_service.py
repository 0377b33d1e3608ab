"""A real service whose wall clock a script moves: `python -m tests.chaos.clocked_service INTERVAL SCRIPT`.

SCRIPT is a JSON list of [monotonic seconds since the start, wall time, wall seconds a second]: from then on the wall
clock shows this time and goes this fast, 0 being a clock that stands. Settings come from LUX_ variables.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from datetime import datetime, timedelta

from pipeline.alarm import Alarm, Bell
from pipeline.clock import Clock
from pipeline.stop import Stop


class ScriptedClock:
    """The monotonic clock is the machine's; the wall clock is what the script says."""

    def __init__(self, script: list[tuple[float, str, float]]) -> None:
        self._begun = time.monotonic()
        self._script = [(after, datetime.fromisoformat(wall), speed) for after, wall, speed in script]

    def utc(self) -> datetime:
        passed = self.monotonic() - self._begun
        after, wall, speed = [step for step in self._script if step[0] <= passed][-1]
        return wall + timedelta(seconds=(passed - after) * speed)

    def monotonic(self) -> float:
        return time.monotonic()


class RestlessAlarm(Alarm):
    """Wakes the rollup at every tick: a night of hours takes seconds here."""

    def __init__(self, bell: Bell, clock: Clock) -> None:
        super().__init__(bell.ring, clock)
        self._bell = bell

    def tick(self) -> None:
        super().tick()
        self._bell.ring()


def main() -> int:
    stop = Stop()
    stop.listen()
    from pipeline import exits, log, service, settings

    chosen = settings.load(needs_host=True, needs_folders=True)
    log.set_up("info", "json")
    clock = ScriptedClock(json.loads(sys.argv[2]))
    built = service.build(chosen, clock=clock, interval_s=float(sys.argv[1]))
    bell = Bell()
    roller = built.roller
    roller._wait, roller._wake = bell.wait, bell.ring
    return exits.of_service(replace(built, alarm=RestlessAlarm(bell, clock)).run(stop), stop)


if __name__ == "__main__":
    sys.exit(main())
