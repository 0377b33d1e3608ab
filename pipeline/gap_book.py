"""The gap book: every time without readings, one line each, in the order in which they ended.

Lines are appended and fsynced; a torn last line is cut when the book is opened, a bad one is kept aside and left out.
Where gaps were filled later the whole book is published anew. What counts in it is summed up once, so that a long book
costs no memory.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from pipeline import files
from pipeline.gap import DISK, HEADER, Gap, decode
from pipeline.log import event

log = logging.getLogger("gaps")

#: Name of the book in DATA_DIR, and of the origin of what was bad in it.
NAME = "gaps.csv"

#: For each reason the number of gaps, and of polls that are missing in them.
Counts = dict[str, dict[str, int]]


class GapBook:
    """The book at a path, for one process, any thread; `keep` takes what must not be lost of a damaged one."""

    def __init__(self, path: Path, keep: Callable[[str, bytes], object]) -> None:
        self.path = path
        self._keep = keep
        self._size: int | None = None
        self._counts: Counts = {}
        self._last: Gap | None = None
        self._lock = threading.RLock()
        #: Changes with every change of the book.
        self.revision = 0
        #: How often gaps were filled.
        self.refills = 0

    @property
    def is_new(self) -> bool:
        """Whether there is no book yet."""
        return not self.path.exists()

    def add(self, gaps: Sequence[Gap]) -> None:
        """Make gaps durable, in order.

        Raises:
            OSError: the disk does not take them; the same may be added again.
        """
        with self._lock:
            size = self._opened()
            data = "".join(gap.encode() for gap in gaps).encode()
            descriptor = os.open(self.path, os.O_RDWR)
            try:
                os.ftruncate(descriptor, size)
                files.write_at(descriptor, data, size)
                os.fsync(descriptor)
            except OSError:
                # A whole line that was not acknowledged is no gap of the book: another reader must not see it.
                with suppress(OSError):
                    os.ftruncate(descriptor, size)
                raise
            finally:
                os.close(descriptor)
            self._size = size + len(data)
            self._counts = counted(gaps, self._counts)
            self._last = gaps[-1] if gaps else self._last
            self.revision += 1

    def refill(self, filled: Callable[[Gap], Gap]) -> list[Gap]:
        """Put what became of each gap in its place, durable; gives those that are others than before.

        Raises:
            OSError: the disk does not serve; the book is as it was.
        """
        with self._lock:
            before = self.gaps()
            after = [filled(gap) for gap in before]
            changed = [new for old, new in zip(before, after, strict=True) if new != old]
            if changed:
                self._publish(after)
                self.refills += 1
            return changed

    def _publish(self, gaps: Sequence[Gap]) -> None:
        content = (HEADER + "".join(gap.encode() for gap in gaps)).encode()
        files.publish(self.path, content)
        self._size = len(content)
        self._counts = counted(gaps)
        self._last = gaps[-1] if gaps else None
        self.revision += 1

    def gaps(self) -> list[Gap]:
        """All gaps that were added, in order; not what a failed write may have left behind them.

        Raises:
            OSError: the book cannot be read.
        """
        with self._lock:
            size = self._opened()
            return _sorted_out(self.path.read_bytes()[:size])[0]

    def summary(self) -> dict[str, object]:
        """How many gaps and missing polls there are for each reason, and the last gap, as JSON knows them."""
        return {"reasons": dict(self._counts), "last": self._last.document() if self._last else None}

    @property
    def lost(self) -> int:
        """Readings that the pump gave and the disk did not keep."""
        return self._counts.get(DISK, {}).get("missing", 0)

    def open(self) -> None:
        """Read the book, made where there is none.

        Raises:
            OSError: the disk does not serve.
        """
        self._opened()

    def _opened(self) -> int:
        """Where the next line goes."""
        with self._lock:
            if not self.path.exists():
                files.make_folder(self.path.parent)
                self._publish([])
            elif self._size is None:
                self._load()
            return self._size or 0

    def _load(self) -> None:
        content = self.path.read_bytes()
        good, bad = _sorted_out(content)
        if bad:
            kept = self._keep(NAME, content)
            event(log, logging.WARNING, "damaged lines left out of the gap book", lines=bad, kept=kept)
            self._publish(good)
            return
        self._size = len(content)
        self._counts = counted(good)
        self._last = good[-1] if good else None


def counted(gaps: Iterable[Gap], before: Counts | None = None) -> Counts:
    """How many gaps there are for each reason and how many polls they cost, added to what was counted before."""
    found = {reason: dict(counts) for reason, counts in (before or {}).items()}
    for gap in gaps:
        counts = found.setdefault(gap.reason, {"gaps": 0, "missing": 0})
        counts["gaps"] += 1
        counts["missing"] += gap.missing - gap.filled
    return dict(sorted(found.items()))


def read(path: Path) -> Iterator[Gap]:
    """The gaps that stand in a book, in order; lines that are none are left out."""
    if path.exists():
        yield from _sorted_out(path.read_bytes())[0]


def _sorted_out(content: bytes) -> tuple[list[Gap], int]:
    """The gaps of a book, and how many of its lines are damaged."""
    header, *lines = content.decode(errors="replace").splitlines(keepends=True) or [""]
    good: list[Gap] = []
    for line in lines:
        try:
            good.append(decode(line))
        except ValueError:
            continue
    return good, len(lines) - len(good) + (header != HEADER)
