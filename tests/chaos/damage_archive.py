"""Damage at rest to the archive: whatever becomes of its file or its log, no value differs from what the shards hold.

The archive is as a stop left it, or as a kill did, with some of its days in the log alone. A new process asks for all
of it, sees what is damaged, and its stage makes that anew.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path
from random import Random

from pipeline.part import list_parts
from tests.archives import NAME, make_archive
from tests.chaos.archive_look import FromShards, check_values, run_on
from tests.chaos.damage_queue import flip
from tests.chaos.scene import Scene, heard

#: Bytes of a page of the file.
_PAGE = 4096
#: Bits that are turned, or bytes in a row that are overwritten, in one blow.
_MOST_BITS, _MOST_BYTES = 12, 3 * _PAGE

#: So many of the sensors are asked for by name, beside all rows.
_ASKED = 40

#: What befalls the file or its log.
Blow = Callable[[Path, Random], object]


def spoil(blow: Blow) -> Callable[[Scene], set[int]]:
    """Archive all days, deal the blow, and hold everything that is asked against the shards; no row is at stake."""

    def do(scene: Scene) -> set[int]:
        _fill(scene)
        blow(scene.chance.choice(_files(scene.data)), scene.chance)
        with heard():
            _ask(scene)
        return set()

    return do


def _ask(scene: Scene) -> None:
    """Twice, with the stage in between; or the stage is the first to meet the damage."""
    archive, shards = make_archive(scene.data), FromShards(scene.data)
    days = _days(scene)
    if scene.chance.random() < 0.7:
        check_values(archive, shards, days, asked=_ASKED)
    run_on(archive, scene.now)
    check_values(archive, shards, days, asked=_ASKED)


def _fill(scene: Scene) -> None:
    """All days that are over, one of them by an older file whose copy is kept; half of the time as a kill leaves it."""
    archive, path = make_archive(scene.data), scene.data / "archive" / NAME
    archive.add(_days(scene)[0])
    shutil.copy(path, scene.folder / "older")
    if scene.chance.random() < 0.5:
        run_on(archive, scene.now)
        return
    left = scene.folder / "left"
    with closing(sqlite3.connect(path)) as reader:
        # As long as somebody reads, nothing of the log goes into the file.
        reader.execute("BEGIN")
        reader.execute("SELECT day FROM day").fetchall()
        run_on(archive, scene.now)
        shutil.copytree(path.parent, left)
    shutil.rmtree(path.parent)
    left.rename(path.parent)


def _days(scene: Scene) -> list[date]:
    return sorted({part.day for part in list_parts(scene.data / "shards")})


def _files(data: Path) -> list[Path]:
    """The file, and as often its log, where there is one."""
    path = data / "archive" / NAME
    log = path.with_name(f"{NAME}-wal")
    # A reader leaves an empty one behind.
    return [path, log] if log.exists() and log.stat().st_size else [path]


def turn_bits(path: Path, chance: Random) -> None:
    """Anywhere, or in the heads of pages, where SQLite keeps what stands where."""
    size = path.stat().st_size
    for _ in range(chance.randrange(1, _MOST_BITS)):
        at = chance.randrange(size)
        flip(path, at if chance.random() < 0.5 else at - at % _PAGE + chance.randrange(100), chance.randrange(8))


def overwrite(path: Path, chance: Random) -> None:
    """Some bytes in a row, by garbage or zeros."""
    count, at = chance.randrange(1, _MOST_BYTES), chance.randrange(path.stat().st_size)
    with path.open("r+b") as file:
        file.seek(at)
        file.write(chance.randbytes(count) if chance.random() < 0.5 else bytes(count))


def cut_short(path: Path, chance: Random) -> None:
    """At any byte, at a page, or to nothing."""
    at = chance.randrange(path.stat().st_size)
    with path.open("r+b") as file:
        file.truncate(chance.choice((0, at, at - at % _PAGE)))


def replace(path: Path, chance: Random) -> None:
    """Garbage, or the file before most days came, in its place; or nothing at all."""
    what = chance.choice(("garbage", "older", "gone"))
    if what == "garbage":
        path.write_bytes(chance.randbytes(chance.randrange(1, 100_000)))
    elif what == "gone":
        path.unlink()
    else:
        shutil.copy(path.parents[2] / "older", path.with_name(NAME))
