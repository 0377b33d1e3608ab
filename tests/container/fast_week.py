"""A week in minutes, inside the image: the service as its builder makes it, with an interval of 0.05 s and a clock that
jumps from one morning to the next. Mounted into a container and run there; prints a line of figures every ten seconds.

Each day lasts from shortly before CSV_TIME to shortly after, long enough for the 2880 readings that a day has. Garbage
is collected before each line, so that the blocks in use are those of what is kept.
"""

from __future__ import annotations

import gc
import json
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipeline import exits, log, service, settings, state
from pipeline.stop import Stop

INTERVAL_S, READINGS, ROLLUPS = 0.05, 7 * 2880, 7
#: Seconds that a day of the clock lasts, with room for slots that a busy machine misses; and when it begins, UTC.
_DAY_S, _BEGIN = 160.0, datetime(2026, 6, 1, 4, 59, tzinfo=UTC)
_REPORT_S = 10.0


class Mornings:
    """A clock that runs as the machine's, but whose days have only a morning; 07:00 in Berlin comes after a minute."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def utc(self) -> datetime:
        day, share = divmod(self.day, 1)
        return _BEGIN + timedelta(days=day, seconds=share * _DAY_S)

    @property
    def day(self) -> float:
        """Days since the begin, as they last here."""
        return (self.monotonic() - self._began) / _DAY_S

    def monotonic(self) -> float:
        return time.monotonic()


def main() -> int:
    stop = Stop()
    stop.listen()
    chosen = settings.load(needs_host=True, needs_folders=True)
    log.set_up(chosen.log_level, chosen.log_format)
    clock = Mornings()
    built = service.build(chosen, clock=clock, interval_s=INTERVAL_S)

    def report() -> None:
        while not stop.wait(_REPORT_S):
            found = state.load(chosen.data_dir) or {"polls": {"stored": 0}}
            daily = len({path.name[:10] for path in chosen.output.daily.glob("*_daily.csv*")})
            figures = {"readings": found["polls"]["stored"], "daily": daily, "rss_kb": _rss_kb()}
            gc.collect()
            figures |= {"blocks": sys.getallocatedblocks(), "day": round(clock.day, 3)}
            print(json.dumps(figures), flush=True)
            if figures["readings"] >= READINGS and daily >= ROLLUPS:
                stop.set()

    threading.Thread(target=report, name="report", daemon=True).start()
    return exits.of_service(built.run(stop), stop)


def _rss_kb() -> int:
    """Resident memory of this process."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1])


if __name__ == "__main__":
    sys.exit(main())
