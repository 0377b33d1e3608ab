"""What a running service logs, read as it comes, and held against what its log may never hold."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from typing import IO, Any

from pipeline.clock import parse_utc_text
from pipeline.simulator import Sent
from tests.chaos.tally import BrokenError
from tests.chaos.troubles import DEADLINE

#: One line of the log, decoded.
Line = dict[str, Any]


class Told:
    """The lines of a service with `LOG_FORMAT=json`, from the stream that it writes them to."""

    def __init__(self, stream: IO[str] | None) -> None:
        assert stream is not None
        self._stream = stream
        self._lines: list[str] = []
        self._news = threading.Condition()
        self._ended = False
        self._reader = threading.Thread(target=self._read, name="log reader", daemon=True)
        self._reader.start()

    def wait_for(self, condition: Callable[[Line], bool], what: str, timeout_s: float, *, since: int = 0) -> int:
        """Wait for a line, not before the one at `since`; gives its place.

        Raises:
            BrokenError: it did not come in time, or the log ended.
        """
        with self._news:
            self._news.wait_for(lambda: self._ended or self._find(condition, since) is not None, timeout_s)
            if (place := self._find(condition, since)) is None:
                raise BrokenError(f"the log never told {what}: {self._lines[since:][-5:]}")
            return place

    def count(self) -> int:
        """How many lines came so far."""
        with self._news:
            return len(self._lines)

    def lines(self, start: int = 0, stop: int | None = None) -> list[Line]:
        """The lines from one place to another."""
        with self._news:
            return [json.loads(line) for line in self._lines[start:stop]]

    def end(self) -> list[Line]:
        """All lines of a service that has ended; one torn by a kill is left out.

        Raises:
            BrokenError: the log has a traceback, or anything else but one JSON object a line.
        """
        self._reader.join()
        whole = [line for line in self._lines if line.endswith("\n")]
        try:
            lines = [json.loads(line) for line in whole]
        except ValueError as error:
            raise BrokenError(f"the log holds what is no JSON: {''.join(whole)[-3000:]}") from error
        if raised := [line for line in lines if "traceback" in line]:
            raise BrokenError(f"the log holds a traceback: {raised[0]['event']}\n{raised[0]['traceback']}")
        return lines

    def _read(self) -> None:
        for line in self._stream:
            with self._news:
                self._lines.append(line)
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    def _find(self, condition: Callable[[Line], bool], since: int) -> int | None:
        for place in range(since, len(self._lines)):
            if self._lines[place].startswith("{") and condition(json.loads(self._lines[place])):
                return place
        return None


def told_late(missing: Sequence[Sent], lines: Sequence[Line]) -> int:
    """How many of the missing answers the log explains: sent whole, but not before the deadline of their read.

    Each failed read explains one answer at most, and only one that was sent while it lasted. A log at level `debug`
    tells of every failed read.
    """
    reads = [_span_ms(line) for line in lines if DEADLINE in str(line.get("error", ""))]
    explained = 0
    for entry in missing:
        sent_ms = parse_utc_text(entry.sent)
        if read := next((each for each in reads if each[0] <= sent_ms <= each[1]), None):
            reads.remove(read)
            explained += 1
    return explained


def _span_ms(line: Line) -> tuple[float, float]:
    """From when to when a failed read lasted; the pump may note an answer a moment after its last byte."""
    ended = parse_utc_text(line["time"])
    return ended - 1000 * line["elapsed_s"] - 5, ended + 50
