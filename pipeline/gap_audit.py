"""Gaps that nobody watched: while the logger was off, and readings that the disk did not keep.

Derived from the times that stand on disk, the gap book, and what the run before told of itself last.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from statistics import median
from typing import Any, Self

from pipeline.clock import parse_utc_text
from pipeline.gap import DISK, LOGGER_OFF, REASONS, Gap, between, holes

_DAY_MS = 86_400_000
#: Readings of a day from which on their usual distance can be told.
_FEW = 10
#: Members of a document that tell of the end of its run.
_CARRIED = ("last_reading", "queue", "interval_s", "gaps")
#: More seconds from poll to poll no settings allow.
_LONGEST_INTERVAL_S = 3600.0


@dataclass(frozen=True)
class LastRun:
    """What the run before told of itself, times in ms: its last durable reading, the oldest that waited then, the gap
    that was open, and its seconds from poll to poll.
    """

    durable_ms: int
    oldest_ms: int
    interval_s: float
    open: Gap | None = None

    @classmethod
    def of(cls, state: Mapping[str, Any] | None) -> Self | None:
        """From the document that it published; None where that does not tell."""
        try:
            told = untold(state or {})
            if told["last_reading"] is None:
                return None
            durable_ms = parse_utc_text(told["last_reading"])
            waiting = (told["queue"] or {}).get("oldest")
            oldest_ms = min(parse_utc_text(waiting), durable_ms) if waiting else durable_ms
            interval_s = float(told["interval_s"])
            if not 0 < interval_s <= _LONGEST_INTERVAL_S:
                return None
            return cls(durable_ms, oldest_ms, interval_s, _open_gap(told["gaps"]["open"]))
        except (KeyError, TypeError, ValueError, AttributeError):
            return None

    @property
    def from_ms(self) -> int:
        """The first moment whose readings may not have reached the shards; a little before, to meet one that did."""
        return max(self.oldest_ms - round(2000 * self.interval_s), 0)


def untold(state: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a document tells of the last run whose end no audit has looked at yet: itself, or what it carries on."""
    return state.get("untold") or {name: state[name] for name in _CARRIED if name in state}


def _open_gap(document: Mapping[str, Any] | None) -> Gap | None:
    if not document or document["reason"] not in REASONS:
        return None
    missing = int(document["missing"])
    times = parse_utc_text(document["from"]), parse_utc_text(document["to"])
    return Gap(*times, missing, missing, document["reason"])


def before_start(
    times_ms: Iterable[int], known: Sequence[Gap], last: LastRun | None, first_ms: int, interval_s: float
) -> list[Gap]:
    """The gaps up to the first poll of this run that the book does not have.

    `times_ms` are those of the readings on disk since `last.from_ms`, in any order.
    """
    rising = sorted(time_ms for time_ms in set(times_ms) if time_ms < first_ms)
    if last is None:
        return _unknown(_unwatched([*rising, first_ms], interval_s), known)
    lost, newest = _lost(rising, last, first_ms)
    ended = [gap.to_ms for gap in known if gap.to_ms < first_ms]
    begin = max([newest, min(last.durable_ms, first_ms), *ended])
    found = []
    if last.open and begin <= last.open.to_ms < first_ms:
        # Readings before it that were in memory went with the process.
        inner = [time_ms for time_ms in rising if begin < time_ms < last.open.from_ms]
        found += _unwatched(sorted({begin, *inner, max(begin, last.open.from_ms)}), interval_s)
        found.append(last.open)
        begin = last.open.to_ms
    later = [time_ms for time_ms in rising if time_ms > begin]
    return [*_unknown([*lost, *found], known), *_unwatched([begin, *later, first_ms], interval_s)]


def _unwatched(rising: Sequence[int], interval_s: float) -> list[Gap]:
    """The gaps of a time in which no run told what it did, so that readings may have come more seldom than now."""
    if len(rising) < 2:
        return []
    found, usual_s = [], 0.0
    for _, pairs in groupby(pairwise(rising), key=lambda pair: pair[1] // _DAY_MS):
        day = list(pairs)
        # The first readings of a day come as those of the day before did.
        if len(day) > _FEW:
            usual_s = median(b - a for a, b in day) / 1000
        found += [between(a, b, max(interval_s, usual_s), LOGGER_OFF) for a, b in day]
    return [gap for gap in found if gap]


def during_run(times_ms: Iterable[int], known: Sequence[Gap], last: LastRun) -> list[Gap]:
    """The readings that were lost with a queue while the service ran; `last` is what it told before that."""
    rising = sorted(set(times_ms))
    later = [last.durable_ms, *(time_ms for time_ms in rising if time_ms > last.durable_ms)][:2]
    lost, _ = _lost(rising, last, later[-1] + 1)
    return _unknown([*lost, *holes(later, last.interval_s, DISK)], known)


def _lost(rising: Sequence[int], last: LastRun, end_ms: int) -> tuple[list[Gap], int]:
    """The holes among the readings that were durable, and the newest of these that is there."""
    watched = [time_ms for time_ms in rising if time_ms <= last.durable_ms]
    lost = holes(watched, last.interval_s, DISK)
    newest = watched[-1] if watched else last.from_ms
    if newest < last.durable_ms < end_ms:
        # The last one that was durable is itself among the lost.
        inner = between(newest, last.durable_ms, last.interval_s, DISK)
        missing = (inner.missing if inner else 0) + 1
        lost.append(Gap(newest, last.durable_ms, missing, missing, DISK))
    return lost, newest


def _unknown(gaps: Iterable[Gap], known: Sequence[Gap]) -> list[Gap]:
    return [gap for gap in gaps if not any(one.from_ms < gap.to_ms and gap.from_ms < one.to_ms for one in known)]
