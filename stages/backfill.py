"""Fills gaps from the log that the controller keeps itself: fetches it after a gap, and puts the missing minutes beside
the shards.

The controller writes its log every two hours, so it is fetched once at once and then shortly after each writing, until
one reaches beyond the gap; never more often, and not again for a gap that began after the log that is known ended. What
was fetched last stands in `backfill.json`.
"""

from __future__ import annotations

import json
import logging
from bisect import bisect_left
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipeline import files, gap
from pipeline.clock import Clock, parse_utc_text, to_ms, utc_text
from pipeline.errors import LogFetchError, ProcessLogError
from pipeline.gap import Gap
from pipeline.gap_book import GapBook
from pipeline.log import event
from pipeline.log_import import Finding, LogImport
from pipeline.log_part import LogDay
from pipeline.processlog import ProcessLog, decode

log = logging.getLogger("backfill")

#: Name of the file in DATA_DIR that tells what was fetched.
NAME = "backfill.json"
#: `source` of a gap that was filled.
SOURCE = "log"
#: How far back a log reaches, and how often the controller writes it, milliseconds.
REACH_MS, WRITTEN_MS = 48 * 3_600_000, 2 * 3_600_000
#: Milliseconds after the moment at which the controller writes its log: then it is whole.
_AFTER_MS = 150_000
#: Gaps filled at once that are told of one by one.
_MOST_LINES = 4
#: Seconds between two looks at the gap book.
_LOOK_S = 2.0


@dataclass(frozen=True)
class Progress:
    """Up to when a log has told what it knows, when one was last asked for, and when the next one comes, ms."""

    covered_ms: int = 0
    tried_ms: int = 0
    next_ms: int = 0

    def encode(self) -> bytes:
        times = {"covered_to": self.covered_ms, "tried": self.tried_ms, "next": self.next_ms}
        return json.dumps({name: utc_text(time_ms) for name, time_ms in times.items()}, indent=1).encode() + b"\n"

    @classmethod
    def load(cls, path: Path) -> Progress:
        """What a file tells; where it does not, nothing was fetched yet."""
        with suppress(OSError, ValueError, KeyError, TypeError):
            document = json.loads(path.read_bytes())
            return cls(*(parse_utc_text(document[name]) for name in ("covered_to", "tried", "next")))
        return cls()


class Backfill:
    """One look a step.

    `fetch` gives the log's file; `publish` puts a day beside the shards with its report, `times` gives the times (ms)
    of all log rows, `lock` keeps commands by hand and the service apart. Without `fetch` only the gap book is kept.
    """

    def __init__(
        self,
        folder: Path,
        book: GapBook,
        imports: LogImport,
        *,
        clock: Clock,
        publish: Callable[[LogDay, dict[str, Any]], bool],
        times: Callable[[], Sequence[int]],
        lock: Callable[[], AbstractContextManager[object]],
        fetch: Callable[[], bytes] | None,
        address: str = "",
    ) -> None:
        self._path = folder / NAME
        self._book = book
        self._imports = imports
        self._clock = clock
        self._publish = publish
        self._times = times
        self._lock = lock
        self._fetch = fetch
        self._address = address
        self._progress: Progress | None = None
        self._told = ""
        self._filled: tuple[int, Sequence[int]] | None = None
        self._known: tuple[int, Sequence[Gap]] | None = None

    def step(self, _now: float) -> float:
        """Fetch a log if a gap asks for it, and bring the gap book up to date; gives the seconds until the next one."""
        now_ms = to_ms(self._clock.utc())
        # Where there is no book yet, what derives it from all shards must be the one that begins it.
        if self._fetch and not self._book.is_new and self._is_due(now_ms):
            self._try(self._fetch, now_ms)
        self.keep_book()
        return _LOOK_S

    def keep_book(self) -> None:
        """Put into the gap book what log parts give of each gap, also of those that were made by hand.

        Raises:
            OSError: the disk does not serve; tried again at the next look.
        """
        times = self._times()
        if self._book.is_new or self._filled == (self._book.revision, times):
            return
        changed = self._book.refill(lambda one: _refilled(one, times))
        self._filled = (self._book.revision, times)
        for one in changed if len(changed) <= _MOST_LINES else ():
            event(log, logging.INFO, "gap filled", **one.document())
        if len(changed) > _MOST_LINES:
            polls = sum(one.filled for one in changed)
            event(log, logging.INFO, "many gaps filled", gaps=len(changed), filled=polls, source=SOURCE)

    def take(self, content: bytes, gaps: Sequence[Gap], source: str) -> tuple[Finding, int]:
        """Put what a log's file gives for some gaps beside the shards; gives that, and how many days changed.

        Raises:
            ProcessLogError: as `look` does.
            OSError: the disk does not serve; the days that are there are whole.
        """
        with self._lock():
            found = self.look(content, gaps)
            report = found.report(source)
            return found, sum(self._publish(day, report) for day in found.days)

    def look(self, content: bytes, gaps: Sequence[Gap]) -> Finding:
        """What a log's file gives for some gaps; nothing is changed.

        Raises:
            ProcessLogError: it is no log, or cannot be placed in time.
            OSError: the disk does not serve.
        """
        now = self._clock.utc()
        decoded: ProcessLog = decode(content, now)
        return self._imports.look(decoded, gaps, now)

    def _is_due(self, now_ms: int) -> bool:
        progress = self._progress = self._progress or Progress.load(self._path)
        if progress.covered_ms > now_ms:  # told by a clock that has been set back since
            progress = replace(progress, covered_ms=0)
        reach_ms = max(progress.covered_ms, now_ms - REACH_MS)
        waiting = [one for one in self._gaps() if reach_ms < one.to_ms and one.filled < one.missing]
        # A clock that was set back must not put the next fetch off for longer than a log takes to be written.
        is_time = now_ms >= progress.next_ms or progress.next_ms > now_ms + WRITTEN_MS + _AFTER_MS
        return any(is_time or _is_news(one, progress) for one in waiting)

    def _gaps(self) -> Sequence[Gap]:
        """The gaps of the book, read anew only where it has changed."""
        if self._known is None or self._known[0] != self._book.revision:
            gaps = self._book.gaps()
            self._known = self._book.revision, gaps
        return self._known[1]

    def _try(self, fetch: Callable[[], bytes], now_ms: int) -> None:
        """Fetch once; however it ends, the next one waits for the controller to write its log anew."""
        progress = replace(self._progress or Progress(), tried_ms=now_ms, next_ms=now_ms + WRITTEN_MS)
        self._progress = progress
        try:
            found, changed = self.take(fetch(), self._gaps(), self._address)
        except (LogFetchError, ProcessLogError) as error:
            self._tell(error)
        else:
            self._told = ""
            _tell_of(found, changed)
            written_ms = found.to_ms + WRITTEN_MS + _AFTER_MS
            progress = replace(progress, covered_ms=found.to_ms, next_ms=max(written_ms, now_ms + _AFTER_MS))
        self._progress = progress
        files.publish(self._path, progress.encode())

    def _tell(self, error: Exception) -> None:
        """The same trouble is told of once."""
        level = logging.DEBUG if self._told == str(error) else logging.WARNING
        self._told = str(error)
        event(log, level, "no log of the controller", error=error, next_try_s=WRITTEN_MS // 1000)


def _is_news(one: Gap, progress: Progress) -> bool:
    """Whether a gap came since a log was asked for, of which that one may have something: it began before its end."""
    return one.to_ms > progress.tried_ms and (not progress.covered_ms or one.from_ms < progress.covered_ms)


def _refilled(one: Gap, times: Sequence[int]) -> Gap:
    """A gap with what rising times give of it; where they give nothing it stays as it was, as old parts are deleted."""
    filled = gap.filled(one, times[bisect_left(times, one.from_ms) : bisect_left(times, one.to_ms)])
    return replace(one, filled=filled, source=SOURCE) if filled else one


def _tell_of(found: Finding, days: int) -> None:
    accepted = [one.sensor.name for one in found.fields if one.is_trusted]
    rejected = [f"{one.field.name} ({one.why})" for one in found.fields if not one.is_trusted]
    event(
        log,
        logging.INFO,
        "log of the controller taken in",
        reaches=utc_text(found.to_ms),
        minutes=len(found.times_ms),
        days=days,
        accepted=len(accepted),
        rejected="; ".join(rejected) or "none",
    )
