"""Watches the flow: derives the gap book and publishes what the service knows of itself."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pipeline import gap_audit, state
from pipeline.clock import ALWAYS, Clock, to_ms, utc_text
from pipeline.errors import QueueError
from pipeline.gap import DISK, Gap
from pipeline.gap_audit import LastRun
from pipeline.gap_book import GapBook
from pipeline.gap_day import Today
from pipeline.gap_watch import GapWatch
from pipeline.log import event
from pipeline.outage import Outage
from pipeline.state import Document, Vitals
from pipeline.store import Store

log = logging.getLogger("watch")

#: Seconds between two looks at the least, however short the interval is.
_LEAST_PERIOD_S = 1.0
#: Gaps found at once that are told of one by one.
_MOST_LINES = 4
#: Milliseconds before now in which readings are sought where the run before told nothing and a book is there.
_UNTOLD_MS = 3 * 86_400_000


class Watch:
    """One look a step.

    `batch` readings become durable together; `facts` gives what else belongs into the document, `times` the times (ms)
    of the shards' rows in [start, end), `takeovers` how many damaged queues were replaced, `silent` the stages without
    a heartbeat at a monotonic moment, `quarantined` how many pieces of data lie there that are in no shard.
    """

    def __init__(
        self,
        folder: Path,
        store: Store,
        gaps: GapWatch,
        book: GapBook,
        *,
        interval_s: float,
        batch: int = 1,
        zone: ZoneInfo,
        clock: Clock,
        times: Callable[[int, int], Iterable[int]],
        takeovers: Callable[[], int],
        silent: Callable[[float], Mapping[str, float]],
        quarantined: Callable[[], int],
        facts: Callable[[], Document],
    ) -> None:
        self._folder = folder
        self._store = store
        self._gaps = gaps
        self._book = book
        self._interval_s = interval_s
        self._batch = batch
        self._today = Today(zone, book.gaps, lambda: book.refills)
        self._clock = clock
        self._times = times
        self._takeovers = takeovers
        self._silent = silent
        self._quarantined = quarantined
        self._facts = facts
        self._begun_at = clock.monotonic()
        self._started = utc_text(to_ms(clock.utc()))
        self._had_book: bool | None = None
        self._audited = False
        self._taken_over = 0
        self._before: Document | None = None
        self._document: Document | None = None
        self._outage = Outage(log, "watch", clock)

    def step(self, now: float) -> float:
        """Bring the gap book up to date and publish the state; gives the seconds until the next look."""
        kept = self._guarded(self._keep_book)
        if self._guarded(lambda: self._publish(now, durable=False)) and kept:
            self._outage.over()
        return _LEAST_PERIOD_S if kept and not self._audited else max(self._interval_s, _LEAST_PERIOD_S)

    def close(self) -> None:
        """The last look: what could not be saved is a gap too."""
        if unsaved := self._store.unsaved():
            durable = self._store.durable
            begin = durable.time_ms if durable else unsaved[0]
            self._guarded(lambda: self._note([Gap(begin, unsaved[-1], len(unsaved), len(unsaved), DISK)]))
        self._guarded(self._keep_book)
        self._guarded(lambda: self._publish(self._clock.monotonic(), durable=True))

    def _guarded(self, work: Callable[[], object]) -> bool:
        """Whether it was done; what cannot be written now is written at a later look, and nothing else waits for it."""
        try:
            work()
        except (OSError, QueueError) as error:
            self._outage.seen("gap book or state not written", error=error)
            return False
        return True

    def _keep_book(self) -> None:
        if self._had_book is None:
            self._had_book = not self._book.is_new
        try:
            if not self._audited and self._gaps.first_ms is not None:
                self._audit(self._gaps.first_ms)
            elif self._audited and self._takeovers() > self._taken_over:
                self._audit_takeover()
        finally:
            # What the poller saw waits for no look at the disk.
            if closed := self._gaps.closed():
                self._note(closed)
                self._gaps.settled(closed)

    def _note(self, gaps: list[Gap]) -> None:
        self._book.add(gaps)
        self._today.add(gaps)

    def _found(self, gaps: list[Gap]) -> None:
        """Note gaps that nothing told of before; many at once, as of a lost book, take one line."""
        if gaps:
            self._note(gaps)
        told = gaps if len(gaps) <= _MOST_LINES else []
        for gap in told:
            event(log, logging.WARNING, "gap found", **gap.document())
        if not told and gaps:
            missing = sum(gap.missing for gap in gaps)
            event(
                log, logging.WARNING, "many gaps found", gaps=len(gaps), missing=missing, last=utc_text(gaps[-1].to_ms)
            )

    def _audit(self, first_ms: int) -> None:
        """Once a run: what is missing before its first poll."""
        if self._before is None:
            self._before = state.load(self._folder) or {}
        last = LastRun.of(self._before)
        begin = last.from_ms if last else self._begin_of_unknown(first_ms)
        # A clock that is behind the last run has readings in front of it: it may yet jump over them.
        times = list(self._on_disk(begin, ALWAYS[1] if last else first_ms))
        self._gaps.begin(max([*times, last.durable_ms] if last else times, default=None))
        known = [gap for gap in self._book.gaps() if gap.to_ms > begin]
        taken_over = self._takeovers()
        found = gap_audit.before_start(times, known, last, first_ms, self._interval_s)
        if last and not self._had_book:
            older = list(self._times(0, begin))
            found = [*gap_audit.before_start(older, (), None, begin, self._interval_s), *found] if older else found
        self._found(found)
        self._audited, self._taken_over = True, taken_over

    def _begin_of_unknown(self, first_ms: int) -> int:
        """Where a look begins when the run before told nothing: at all shards if there is no book either."""
        return first_ms - _UNTOLD_MS if self._had_book else 0

    def _audit_takeover(self) -> None:
        """After a damaged queue was replaced: what of it is neither in the new one nor in a shard."""
        taken_over = self._takeovers()
        last = LastRun.of(self._document)
        if last:
            times = list(self._on_disk(last.from_ms, to_ms(self._clock.utc()) + 1))
            known = [*self._book.gaps(), *self._gaps.closed()]
            self._found(gap_audit.during_run(times, known, last))
        self._taken_over = taken_over

    def _on_disk(self, start_ms: int, end_ms: int) -> Iterable[int]:
        """Times of all readings, in the order of the flow, so that one that moves on meanwhile is not missed."""
        waiting = [time_ms for time_ms in self._store.waiting_times() if start_ms <= time_ms < end_ms]
        return chain(waiting, self._times(start_ms, end_ms))

    def _publish(self, now: float, *, durable: bool) -> None:
        if self._before is None:
            self._before = state.load(self._folder) or {}
        self._document = self.document(now)
        state.publish(self._folder, self._document, durable=durable)

    def document(self, now: float) -> Document:
        """What the service knows of itself at a moment of the monotonic clock.

        Raises:
            OSError: the disk does not even tell its size.
        """
        durable = self._store.durable
        disk = state.disk(self._folder)
        age_s = now - (durable.at if durable else self._begun_at)
        vitals = Vitals(age_s, self._interval_s, self._silent(now), disk["free"], self._batch)
        untold = {} if self._audited else gap_audit.untold(self._before or {})
        return {
            **state.verdict(vitals.reasons()),
            "last_reading": utc_text(durable.time_ms) if durable else (self._before or {}).get("last_reading"),
            **self._facts(),
            "gaps": self._gap_summary(),
            "losses": {"disk": self._book.lost, "quarantined": self._quarantined()},
            "disk": disk,
            "written": utc_text(to_ms(self._clock.utc())),
            "started": self._started,
            "interval_s": self._interval_s,
            **({"untold": untold} if untold else {}),
        }

    def _gap_summary(self) -> dict[str, Any]:
        self._book.open()
        open_gap = self._gaps.open
        missing, filled = self._today.missing(self._clock.utc(), open_gap)
        return {
            "today": missing,
            "today_filled": filled,
            "open": open_gap.document() if open_gap else None,
            **self._book.summary(),
        }
