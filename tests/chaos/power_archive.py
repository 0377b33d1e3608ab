"""Power cuts while days are taken into the archive: each day stands there as a whole or is due, and no value is wrong.

SQLite writes for itself, so no layer sees its operations; what they come to is known. A day's pages go to the log,
which is not fsynced at the commit; when nobody has the file open any more the log is fsynced, its pages are written
into the file, that is fsynced, and the log goes. A round takes the contents before and after, lets one to three days
come to the log first, and cuts the power in each of these phases: of what was not fsynced yet any choice of pages may
be there.
"""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from pipeline.reading import Reading
from tests.archives import NAME, make_archive
from tests.chaos.archive_look import FromShards, check_sound, check_values, run_on
from tests.chaos.disk_image import Disk, File, Image, Move, write_image
from tests.chaos.tally import Attack, BrokenError, Tally
from tests.parts import open_shards, reading

_DAY_S = 86_400
#: A moment when all days of the scene are over, and these days.
_NOW = datetime(2026, 1, 12, 8, tzinfo=UTC)
_DAYS = [date(2026, 1, day) for day in (5, 6, 7, 8)]
#: Choices of pages drawn at a cut, and places in the log at which the power is cut, beside the ends.
_DRAWS, _PLACES = 1, 1
_LOG, _INDEX = f"{NAME}-wal", f"{NAME}-shm"


@dataclass(frozen=True)
class Took:
    """Contents of the file before and after some steps, of the log between, and of the log's index.

    `due` are the days that were due before, and then behind each step.
    """

    before: bytes
    log: bytes
    index: bytes
    after: bytes
    due: Sequence[list[date]]


@dataclass(frozen=True)
class Cut:
    """A disk after a power cut, and the days that may be due then."""

    words: str
    image: Image
    due: Sequence[list[date]]


def run(folder: Path, rounds: range) -> Tally:
    """Rounds that each take some days in.

    Raises:
        BrokenError: a disk after a power cut was not enough; `folder` holds it.
    """
    tally = Tally()
    for number in rounds:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        tally += _round(folder, number)
    return tally


def _round(folder: Path, number: int) -> Tally:
    chance = random.Random(number)
    data = folder / "data"
    readings = _begin(data, chance)
    took = _take(data, chance)
    shards, tally = FromShards(data), Tally(rounds=1)
    for cut in cuts(took, chance):
        shutil.rmtree(data / "archive")
        write_image(data / "archive", cut.image)
        try:
            _examine(data, cut, shards)
        except Exception as error:
            raise BrokenError(f"round {number}, power cut {cut.words}: {error}") from error
        tally += Tally(served=len(readings), stored=len(readings))
    return tally


def _begin(data: Path, chance: random.Random) -> list[Reading]:
    """Days in the shards, none or some of them in the archive."""
    readings = [reading(_DAY_S * i + 1800 * j) for i in range(len(_DAYS)) for j in range(20)]
    open_shards(data).append(readings)
    archive = make_archive(data)
    for day in _DAYS[: chance.randrange(3)]:
        archive.add(day)
    late = [reading(60 + _DAY_S * chance.randrange(2), calculations=150)]
    open_shards(data).append(late)
    return [*readings, *late]


def _take(data: Path, chance: random.Random) -> Took:
    """Take one to three days in while somebody reads: as long as they do, all of it stays in the log."""
    path = data / "archive" / NAME
    archive = make_archive(data)
    # The file of a first day has its header before there is a log.
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
    before, due = path.read_bytes(), [archive.due()]
    with closing(sqlite3.connect(path)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT name FROM sqlite_master").fetchall()
        for _ in range(chance.randrange(1, 4)):
            archive.add(due[-1][0])
            due.append(archive.due())
        log, index = (path.with_name(name).read_bytes() for name in (_LOG, _INDEX))
    return Took(before, log, index, path.read_bytes(), due)


def cuts(took: Took, chance: random.Random) -> Iterator[Cut]:
    """The disks that cuts in each phase may leave."""
    whole = len(took.log)
    for place in (whole, *(chance.randrange(whole) for _ in range(_PLACES))):
        disk = _disk(File(took.before, took.before), File(b"", took.log[:place]), Move(None, _LOG, 2))
        yield from _cuts(f"at byte {place} of the log", disk, took, took.due, chance)
    log = File(took.log, took.log)
    writing = _disk(File(took.before, took.after), log)
    yield from _cuts("while pages go into the file", writing, took, took.due[-1:], chance)
    going = _disk(File(took.after, took.after), log, Move(_LOG, None, 2))
    yield from _cuts("while the log goes", going, took, took.due[-1:], chance)


def _disk(file: File, log: File, *moves: Move) -> Disk:
    """A disk with these files, on which the log's name is sure or about to come or go."""
    disk = Disk()
    disk.files = {1: file, 2: log}
    is_new = any(move.old is None for move in moves)
    disk.folders[0].stable = {NAME: 1} if is_new else {NAME: 1, _LOG: 2}
    disk.folders[0].pending = list(moves)
    return disk


def _cuts(words: str, disk: Disk, took: Took, due: Sequence[list[date]], chance: random.Random) -> Iterator[Cut]:
    for image in disk.images(chance, _DRAWS):
        # The index is never fsynced: what of it is there means nothing.
        index = chance.choice((None, took.index, bytes(len(took.index)), chance.randbytes(len(took.index))))
        yield Cut(words, image if index is None else {**image, _INDEX: index}, due)


def _examine(data: Path, cut: Cut, shards: FromShards) -> None:
    """The archive as the cut left it, and when a stage has run on."""
    archive = make_archive(data)
    if (due := archive.due()) not in cut.due:
        raise BrokenError(f"due are {due}, where any of {cut.due} may be")
    check_values(archive, shards, _DAYS)
    if due:
        run_on(archive, _NOW)
        check_values(archive, shards, _DAYS)
    check_sound(data)


ATTACK = Attack(2, "power-archive", "power cuts: days taken into the archive", run, share=0.05, batch=4)
