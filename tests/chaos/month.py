"""A month of the service's stages at full speed: what a month takes, and each of its files against a second logger's.

The stages are the service's own, built by `service.build` on a turned clock and stepped in one process; the pump is the
simulated one on a socket. Two things differ from the service: the writer is stepped once for several readings, and the
rollup looks some times a day. Times for keeping are short, so that days are compressed and deleted too.
"""

from __future__ import annotations

import itertools
import subprocess
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from pipeline import check, log, service, settings
from pipeline.clock import to_ms
from pipeline.history import TurnedClock
from pipeline.house import House
from pipeline.simulator import SimulatedPump, Source
from stages.rollup import IDLE_S
from tests.bench.child import in_child
from tests.bench.machine import memory_mb
from tests.chaos.archive_look import check_archive
from tests.chaos.examine import check_names, check_queue, only_reads, torn_lines
from tests.chaos.tally import BrokenError, Tally
from tests.chaos.undisturbed import Undisturbed
from tests.parts import BERLIN, answer, each_stored
from tests.rollups import SEVEN
from tests.running import environment, numbered

#: Days and seconds between two polls, of full rounds and of round 0.
_DAYS, _INTERVAL_S = 30, 60
_DAYS_SHORT, _INTERVAL_SHORT_S = 8, 3 * 3600

#: Days that files are kept and stay plain. A weekly needs the shards of eight days, which six and two are.
_SHARDS_KEPT, _CSV_KEPT, _PLAIN = 6, 4, 2
#: Days later than these numbers say: ages count from the third newest day with a shard.
_LATER = 2

#: Round 0 has the night in which the clocks go forward, round 1 the one in which they go back.
_BEGINS = date(2026, 3, 22)
_BETWEEN_ROUNDS = timedelta(days=208)

#: Readings that wait for one step of the writer.
_AT_ONCE = 10
#: Seconds between two looks of the rollup; the last one of a day comes at 08:00.
_LOOK_S = 4 * 3600.0

#: The day after which nothing may grow any more: by then every kind of file is made, compressed and deleted.
_SETTLED = 8

#: MB at the peak, of which 62 were seen, simulated house and comparison included; and what the days after that may
#: add, of which less than 1 was seen: the house's plans of these days.
_MOST_MB = 85
_MOST_GROWTH_MB = 6
#: Open files in between two steps, of which 21 were seen: streams, six locks, the queue's two connections with their
#: logs, the pump's journal, door and wake-up pair. Threads: ours, the door's, and one of a client that just leaves.
_MOST_FILES = 24
_MOST_THREADS = 4
#: Times what `check` tells a person that the files take; it leaves out the two days more that compressed ones stay,
#: and headers and schemas, MB.
_MOST_DISK = 1.1
_HEADERS_MB = 8


def run(folder: Path, rounds: range) -> Tally:
    """A month a round, each in a process of its own, so that its memory is."""
    return sum((_month(folder / str(number), number) for number in rounds), Tally())


def source(number: int) -> Source:
    """Answers of a round, no two of them alike: a house's, in round 0 those of a controller with few sensors."""
    if number:
        return numbered(House(number).answer_at)
    count = itertools.count(1)
    return lambda _moment: answer(next(count))


def _month(folder: Path, number: int) -> Tally:
    folder.mkdir()
    try:
        return Tally(**in_child(live, str(folder), number))
    except subprocess.CalledProcessError as error:
        raise BrokenError(f"the month in {folder} ended with {error.returncode}; its traceback says why") from error


def live(folder: str, number: int) -> dict[str, int]:
    """All days of a round; gives its tally.

    Raises:
        BrokenError: a file is wrong, missing or too many, or more is taken than may be.
    """
    log.set_up("critical", "text")
    days = _DAYS if number else _DAYS_SHORT
    month = Month(Path(folder), number)
    with month.pump:
        month.begin()
        for _ in range(days):
            month.live_a_day()
        month.end()
    if month.built.rollup.made.total() != 2 * days:
        raise BrokenError(f"{month.built.rollup.made.total()} files were made of {2 * days} windows")
    return asdict(replace(month.tally, rounds=1, connections=only_reads(month.pump)))


def held(pid: int | str) -> tuple[int, int]:
    """Open files and threads of a process."""
    files, threads = (sum(1 for _ in Path(f"/proc/{pid}/{kind}").iterdir()) for kind in ("fd", "task"))
    return files, threads


@dataclass(frozen=True)
class Extent:
    """What the process holds and its files take."""

    now_mb: float
    peak_mb: float
    files: int
    threads: int
    disk_mb: float


class Month:
    """The service on a turned clock; each day ends at 08:00, when its files are held against a second logger's."""

    def __init__(self, folder: Path, number: int) -> None:
        self._data = folder / "data"
        journal = folder / "journal"
        self._first = self._day = _BEGINS + number * _BETWEEN_ROUNDS
        self._clock = TurnedClock(_at(self._day, SEVEN))
        self._second = Undisturbed(folder / "undisturbed", self._data, journal, self._clock.utc())
        self._roll_at = 0.0
        self._extents: list[Extent] = []
        self._interval_s = _INTERVAL_S if number else _INTERVAL_SHORT_S
        self.pump = SimulatedPump(source(number), journal=journal, clock=self._clock)
        self.tally = Tally()

    def begin(self) -> None:
        """Build the service; the pump must listen."""
        ours = {
            "SHARD_RETENTION_DAYS": str(_SHARDS_KEPT),
            "CSV_RETENTION_DAYS": str(_CSV_KEPT),
            "COMPRESS_AFTER_DAYS": str(_PLAIN),
        }
        self._settings = settings.load(environment(self._data, self.pump.address, **ours), needs_host=True)
        self.built = service.build(self._settings, clock=self._clock, interval_s=self._interval_s)
        self.built.lock.acquire()

    def live_a_day(self) -> None:
        """Everything up to 08:00 of the next day, and the look at what came of it."""
        self._day += timedelta(days=1)
        until = _at(self._day, time(8))
        while self._clock.utc() < until:
            pause_s = self.built.poller._step(self._clock.monotonic())
            assert self.pump.wait_until_alone(5)  # so that the journal has the answer, and its time
            if self.pump.answers % _AT_ONCE == 0:
                self._write()
            if self._clock.monotonic() >= self._roll_at:
                self._roll()
            self._clock.turn(pause_s)
        self._write()
        self._roll()
        self.tally += self._second.follow(_at(self._day, SEVEN))
        self._second.compare(self._day, self._clock.utc())
        self._extents.append(self._extent())

    def end(self) -> None:
        """Stop as the service does, tally what came since the last window, and hold what is left against the rules."""
        self.built.store.close()
        self._write()
        self.built.queue.close()
        self.built.lock.release()
        self.tally += self._second.follow(self._clock.utc() + timedelta(seconds=1))
        self.tally += Tally(torn=torn_lines(self._data))
        check_queue(self._data)
        check_archive(self._data, self._clock.utc())
        check_names(self._data)
        self._check_kept()
        self._check_extents()

    def _write(self) -> None:
        while self.built.write.step(self._clock.monotonic()) == 0:
            pass

    def _roll(self) -> None:
        while self.built.roller._step(self._clock.monotonic()) != IDLE_S:
            pass
        self._roll_at = self._clock.monotonic() + _LOOK_S

    def _check_kept(self) -> None:
        """Hold shards, dailies and weeklies against what the settings keep, compressed or not."""
        for folder, kept, plain, ending in (
            ("shards", _SHARDS_KEPT + _LATER, _PLAIN + _LATER, ""),
            ("daily", _CSV_KEPT + _LATER, _PLAIN + _LATER, "_daily"),
            ("weekly", _CSV_KEPT + _LATER, 2, "_weekly"),
        ):
            days = [self._day - timedelta(days=age) for age in range(kept)]
            wanted = {f"{day}{ending}.csv" + (".gz" if age >= plain else "") for age, day in enumerate(days)}
            found = {path.name for path in (self._data / folder).glob("2*.csv*") if path.suffix in (".csv", ".gz")}
            if found != wanted:
                raise BrokenError(f"{folder} has {sorted(found - wanted)} and lacks {sorted(wanted - found)}")

    def _extent(self) -> Extent:
        now_mb, peak_mb = memory_mb()
        files, threads = held("self")
        disk = sum(path.stat().st_size for path in self._data.rglob("*") if path.is_file())
        return Extent(now_mb, peak_mb, files, threads, disk / 1e6)

    def _check_extents(self) -> None:
        """Hold what each day took against the bounds."""
        last_ms = to_ms(self._clock.utc())
        reading = next(each_stored(self._data, last_ms - 2000 * self._interval_s, last_ms))
        told_mb = check.year_bytes(self._settings, reading.answer) / 1e6
        most_mb = _MOST_DISK * told_mb * self._settings.interval_s / self._interval_s + _HEADERS_MB
        settled, last = self._extents[_SETTLED - 1], self._extents[-1]
        if last.peak_mb > _MOST_MB or last.now_mb - settled.now_mb > _MOST_GROWTH_MB:
            raise BrokenError(f"memory: {settled}, then {last}")
        for each in self._extents:
            if each.files > _MOST_FILES or each.threads > _MOST_THREADS or each.disk_mb > most_mb:
                raise BrokenError(f"{each}, where {most_mb:.0f} MB may lie on the disk")
        if last.files > settled.files:
            raise BrokenError(f"files stay open: {settled}, then {last}")


def _at(day: date, local: time) -> datetime:
    return datetime.combine(day, local, BERLIN).astimezone(UTC)
