"""Takes local days into the archive once they are over, newest first, and drops what is too old."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import date
from zoneinfo import ZoneInfo

from pipeline.archive import Archive
from pipeline.clock import Clock
from pipeline.errors import ArchiveError, DamagedArchiveError
from pipeline.log import event
from pipeline.outage import Outage

log = logging.getLogger("archive")


class Archiving:
    """One day a step.

    `oldest_waiting` gives the local day of the oldest reading that is in no shard yet, `limit` the last day that the
    retention lets go; None where there is none.
    """

    def __init__(
        self,
        archive: Archive,
        *,
        zone: ZoneInfo,
        clock: Clock,
        oldest_waiting: Callable[[], date | None] = lambda: None,
        limit: Callable[[], date | None] = lambda: None,
    ) -> None:
        self._archive = archive
        self._zone = zone
        self._clock = clock
        self._oldest_waiting = oldest_waiting
        self._limit = limit
        self._outage = Outage(log, "archive", clock)
        #: Days that stand there, and days that were due, at the last step.
        self.days = 0
        self.due = 0

    def step(self) -> bool:
        """Take in the newest day that is due; gives whether another one is.

        A file that cannot be used is told of once: nothing else waits for the archive.
        """
        try:
            more = self._step()
        except DamagedArchiveError as error:
            event(log, logging.WARNING, "archive begun anew", error=error)
            self._archive.discard()
            return True
        except (ArchiveError, OSError) as error:
            self._outage.seen("day not archived, tried again at the next look", error=error)
            return False
        self._outage.over()
        return more

    def _step(self) -> bool:
        limit = self._limit()
        if limit and (gone := self._archive.drop(limit)):
            event(log, logging.INFO, "old days dropped from the archive", days=len(gone), last=gone[-1])
        due = [day for day in self._archive.due() if day < self._first_open()]
        self.days, self.due = len(self._archive.days()), len(due)
        if not due:
            return False
        rows = self._archive.add(due[0])
        self.days, self.due = len(self._archive.days()), self.due - 1
        event(log, logging.INFO, "day archived", day=due[0], rows=rows, days_left=self.due)
        return self.due > 0

    def _first_open(self) -> date:
        """The first local day that may yet get readings."""
        today = self._clock.utc().astimezone(self._zone).date()
        return min(today, self._oldest_waiting() or today)
