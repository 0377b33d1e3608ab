"""Day-partitioned CSV shards: durable when `append` returns, never half a line, never a reading twice.

A reading goes to the lowest plain part of its local day whose schema covers it and whose last time is earlier, else to
a new part.
"""

from __future__ import annotations

import errno
import logging
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from pipeline import files, repair
from pipeline.appender import Appender
from pipeline.catalog import Catalog
from pipeline.errors import DamagedPartError
from pipeline.log import event
from pipeline.part import Part, first_line, list_parts, open_part, parse_name
from pipeline.quarantine import Quarantine
from pipeline.reading import Reading
from pipeline.rows import RowWriter
from pipeline.schema import Schema
from pipeline.survey import Line, digest, survey

log = logging.getLogger("shard")

#: Errors of reading one file that will not pass by themselves: it is left alone, and readings go to a new part.
SEALING = frozenset({errno.EIO, errno.EACCES, errno.EPERM, errno.EISDIR, errno.ELOOP})

#: Errors of a write that will not pass by themselves.
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM})

#: Days that stay open at once: a batch seldom touches more than two.
_OPEN_DAYS = 3
#: Days whose parts are checked when the service starts: those that the next weekly file is made from.
_CHECKED_DAYS = 9


class OpenDay:
    """All parts of a local day, with the time of every row that stands in them."""

    def __init__(self, folder: Path, day: date, catalog: Catalog, quarantine: Quarantine) -> None:
        self._folder = folder
        self._day = day
        self._catalog = catalog
        self._quarantine = quarantine
        self.parts: dict[int, Appender] = {}
        self._writers: dict[int, RowWriter] = {}
        self._rows: dict[int, tuple[int, Line]] = {}
        self._last_number = 0

    @property
    def touched(self) -> list[Appender]:
        """The parts with rows that wait for a commit."""
        return [part for part in self.parts.values() if part.is_touched]

    def load(self, part: Part, path: Path, *, sealed: bool = False) -> None:
        """Take in a part that is there: its rows are known from now on, and it is appended to if it can be."""
        self._last_number = max(self._last_number, part.number)
        good = self._load_plain(part, path) if path.suffix == ".csv" and not sealed else None
        if good is None:
            good = self._load_sealed(part, path)
        self._rows |= {line.time_ms: (part.number, line) for line in good}

    def _load_plain(self, part: Part, path: Path) -> Sequence[Line] | None:
        """The rows of a part that can be appended to; None for one that cannot."""
        try:
            schema = self._catalog.schema_of(part)
            if schema is None:
                raise DamagedPartError(path, "no schema fits its header")
            found = repair.mend(path, schema, self._quarantine)
        except (DamagedPartError, OSError) as error:
            if isinstance(error, OSError) and error.errno not in SEALING:
                raise
            event(log, logging.ERROR, "part sealed", file=path, error=error)
            return None
        self._writers[part.number] = writer = RowWriter(schema)
        last_ms = found.good[-1].time_ms if found.good else None
        self.parts[part.number] = Appender(path, writer, last_ms=last_ms, end=found.end)
        return found.good

    def _load_sealed(self, part: Part, path: Path) -> Sequence[Line]:
        """The rows of a part that is not appended to, as far as they can be read."""
        try:
            header = first_line(path)
            with open_part(path) as file:
                found = survey(file, header.count(b",") + 1, len(header))
            schema = self._catalog.schema_of(part)
        except OSError as error:
            if error.errno not in SEALING:
                raise
            event(log, logging.ERROR, "part cannot be read", file=path, error=error)
            return ()
        if found.damage:
            event(log, logging.ERROR, "compressed part is damaged", file=path, rows=len(found.good), error=found.damage)
        if schema:
            self._writers[part.number] = RowWriter(schema)
        return found.good

    def place(self, reading: Reading) -> None:
        """Stage a reading for the next commit, unless the very same stands there already."""
        time_ms = reading.time_ms
        while (row := self._rows.get(time_ms)) is not None:
            if self._is_redelivery(reading, *row):
                return
            # Another reading has this time: the clock was set back. The next free millisecond is as true.
            time_ms += 1
        schema = Schema.of(reading.answer)
        number = self._number_for(schema, time_ms)
        self._rows[time_ms] = number, self.parts[number].stage(reading, time_ms)

    def _is_redelivery(self, reading: Reading, number: int, row: Line) -> bool:
        writer = self._writers.get(number)
        if writer is None or not writer.schema.fits(reading.answer):
            return False
        if digest(writer.line(reading, row.time_ms)) != row.digest:
            return False
        if number in self.parts:
            self.parts[number].prove(row.offset)
        return True

    def _number_for(self, schema: Schema, time_ms: int) -> int:
        for number in sorted(self.parts):
            if self.parts[number].can_take(schema, time_ms):
                return number
        last = max(self._last_number, self._catalog.last_number(self._day))
        return self._begin(Part(self._day, last + 1), schema)

    def _begin(self, part: Part, schema: Schema) -> int:
        """Let a part come to life with its whole header; its schema is durable before."""
        path = self._folder / part.name
        self._catalog.register(part, schema)
        try:
            files.publish(path, schema.header)
        except OSError:
            if not path.exists():
                self._catalog.withdraw(part)
            raise
        event(log, logging.INFO, "part begun", file=path, schema=schema.hash, firmware=schema.firmware)
        self._last_number = part.number
        self._writers[part.number] = writer = RowWriter(schema)
        self.parts[part.number] = Appender(path, writer, last_ms=None, end=len(schema.header))
        return part.number


class Shards:
    """The folder of shards, for its one writer."""

    def __init__(self, folder: Path, catalog: Catalog, quarantine: Quarantine) -> None:
        self.folder = folder
        self._catalog = catalog
        self._quarantine = quarantine
        self._lock = threading.Lock()
        self._days: OrderedDict[date, OpenDay] = OrderedDict()
        self._cut_at: dict[Path, int] = {}
        self._sealed: set[Path] = set()
        #: Bytes of rows that became durable.
        self.written = 0

    def append(self, readings: Sequence[Reading]) -> None:
        """Store readings; when this returns all of them are durable, whatever parts they went to.

        Raises:
            OSError: the disk did not take them; the same readings may be appended again.
            ChangedPartError: another hand changed a part; likewise.
        """
        with self._lock:
            try:
                for reading in readings:
                    self._opened(reading.day).place(reading)
                for part in self._touched():
                    self._commit(part)
            except BaseException:
                self._forget()
                raise

    def _commit(self, part: Appender) -> None:
        before = part.end
        try:
            part.commit()
            self.written += part.end - before
        except OSError as error:
            if error.errno in _FORBIDDEN:
                # It can be read and not be written: the readings go to a new part when they come again.
                self._sealed.add(part.path)
            raise

    def check(self) -> None:
        """Mend the parts of the newest days, a week and more, and remove what a dead process left half written.

        Raises:
            OSError: the disk does not serve.
        """
        with self._lock:
            files.make_folder(self.folder)
            files.remove_leftovers(self.folder)
            files.remove_leftovers(self._quarantine.folder)
            for day in sorted({part.day for part in list_parts(self.folder)})[-_CHECKED_DAYS:]:
                self._opened(day)

    @contextmanager
    def closed(self, day: date) -> Iterator[None]:
        """Keep the writer away from a day while its files are compressed or deleted; it looks at them anew after."""
        with self._lock:
            self._days.pop(day, None)
            self._cut(day)
            yield

    def _touched(self) -> list[Appender]:
        return [part for day in self._days.values() for part in day.touched]

    def _forget(self) -> None:
        """Drop what is known of open days; what may be half written is cut before it is looked at again."""
        self._cut_at |= {part.path: part.end for part in self._touched() if part.is_dirty}
        self._days.clear()

    def _opened(self, day: date) -> OpenDay:
        if day not in self._days:
            self._days[day] = self._open(day)
        self._days.move_to_end(day)
        for old in list(self._days)[:-_OPEN_DAYS]:
            if not self._days[old].touched:
                del self._days[old]
        return self._days[day]

    def _open(self, day: date) -> OpenDay:
        files.make_folder(self.folder)
        files.sync_folder(self.folder)
        self._cut(day)
        opened = OpenDay(self.folder, day, self._catalog, self._quarantine)
        for part, path in list_parts(self.folder).items():
            if part.day == day:
                opened.load(part, path, sealed=path in self._sealed)
        return opened

    def _cut(self, day: date) -> None:
        """Cut what a failed commit may have left in a day's parts; one that is gone by now leaves nothing to cut."""
        for path, end in list(self._cut_at.items()):
            part = parse_name(path.name)
            if part and part.day == day:
                if path.exists() and path.stat().st_size > end:
                    repair.cut(path, end)
                del self._cut_at[path]
