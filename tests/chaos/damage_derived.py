"""Damage at rest to what can be made again or is old: checkpoints, half-made files, dailies, compressed parts, locks,
and the archive.

The archive, a checkpoint, a half-made file, a lock file or the quarantine folder costs nothing, whatever becomes of it.
A published file is made anew where its length changed; what rotted inside it keeps its length, and nobody sees that. A
compressed part is as good as it can be read: how many of its rows can is told, and the others are missing.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from pipeline import checkpoint
from pipeline.compress import compress
from pipeline.lock import NAME, InstanceLock
from pipeline.part import list_parts
from pipeline.rollup_file import PART_SUFFIX
from tests.chaos import damage_archive
from tests.chaos.damage_queue import flip
from tests.chaos.damage_shards import rows_of
from tests.chaos.examine import torn_in
from tests.chaos.scene import Scene, Told, heard, play
from tests.chaos.tally import Attack, BrokenError, Tally
from tests.parts import open_shards, stored
from tests.rollups import make_all, make_rollup

_EVERY_S = 3600
_DAMAGED_PART = "compressed part is damaged"


@dataclass(frozen=True)
class Damage:
    """What is done to a folder of data; gives the times of the rows that it may cost."""

    name: str
    do: Callable[[Scene], set[int]]


def _run(folder: Path, rounds: range) -> Tally:
    return play(folder, rounds, _EVERY_S, _round)


def _round(scene: Scene) -> Tally:
    damage = DAMAGES[scene.number % len(DAMAGES)]
    _fill(scene)
    before = {reading.time_ms for reading in stored(scene.data)}
    at_stake = damage.do(scene)
    told = scene.start_again()
    missing = before - {reading.time_ms for reading in stored(scene.data)}
    if missing - at_stake or (missing and not _tells(told, len(at_stake) - len(missing))):
        raise BrokenError(f"{damage.name}: {len(missing)} of {len(at_stake)} missing in {scene.folder}, told {told}")
    tally = scene.tally(len(missing))
    # What is left of a compressed part that was told to be damaged stays as it is.
    known = sum(map(torn_in, {each.facts["file"] for each in told if each.what == _DAMAGED_PART}))
    return replace(tally, torn=tally.torn - known)


def _tells(told: list[Told], rows: int) -> bool:
    """Whether it was told that a bad line is passed over, or that so many rows of a compressed part can be read."""
    damaged = [each.facts["rows"] for each in told if each.what == _DAMAGED_PART]
    return rows in damaged or any(each.what == "bad line passed over" for each in told)


def _fill(scene: Scene) -> None:
    """Some days in the shards, with all their files but perhaps the newest, and a backlog."""
    with scene.logger() as logger:
        logger.poll(54 + scene.chance.randrange(20))
        logger.drain()
        make_all(make_rollup(scene.data, now=scene.now))
        logger.poll(scene.chance.randrange(26))


def _spoil(path: Path, chance: Random) -> None:
    """Truncate a file, turn one bit of it, or put garbage in its place."""
    what, size = chance.choice(("flip", "truncate", "garbage", "zeros")), path.stat().st_size
    if what == "flip":
        flip(path, chance.randrange(size), chance.randrange(8))
    elif what == "truncate":
        with path.open("r+b") as file:
            file.truncate(chance.randrange(size))
    else:
        path.write_bytes(chance.randbytes(size) if what == "garbage" else bytes(size))


def _record(scene: Scene) -> set[int]:
    _spoil(scene.chance.choice(sorted(scene.data.glob(f"*/*{checkpoint.SUFFIX}"))), scene.chance)
    return set()


def _half_made(scene: Scene) -> set[int]:
    """A file that a kill left in the making, its checkpoint or its bytes garbage."""
    target = _published(scene)
    record = checkpoint.load(target)
    assert record
    content = target.read_bytes()
    part = target.with_name(target.name + PART_SUFFIX)
    half = content.index(b"\n", len(content) // 2) + 1
    target.unlink()
    part.write_bytes(content[:half])
    checkpoint.save(target, checkpoint.Checkpoint(record.start_ms, record.end_ms, record.sources, length=half))
    _spoil(scene.chance.choice((part, checkpoint.path_of(target))), scene.chance)
    return set()


def _published(scene: Scene) -> Path:
    return scene.chance.choice(sorted(scene.data.glob("daily/*.csv")) + sorted(scene.data.glob("weekly/*.csv")))


def _shorter(scene: Scene) -> set[int]:
    """A published file that lost or won bytes, compressed or not."""
    target = _published(scene)
    if scene.chance.random() < 0.5:
        compress(target)
        target = target.with_name(target.name + ".gz")
    size = target.stat().st_size
    with target.open("r+b") as file:
        file.truncate(scene.chance.choice((0, scene.chance.randrange(size), size + 1)))
    return set()


def _compressed_part(scene: Scene) -> set[int]:
    """An old part, compressed, that ends too early."""
    path = scene.chance.choice(list(list_parts(scene.data / "shards").values())[:2])
    times = {row.time_ms for row in rows_of(path)}
    compress(path)
    packed = path.with_name(path.name + ".gz")
    with packed.open("r+b") as file:
        file.truncate(scene.chance.randrange(1, packed.stat().st_size))
    # Files that were made of it whole would hold more than it does.
    for kind in ("daily", "weekly"):
        shutil.rmtree(scene.data / kind)
    return times


def _locks(scene: Scene) -> set[int]:
    """Garbage in the lock files is no lock."""
    folders = [scene.data, scene.data / "queue", scene.data / "shards"]
    for folder in folders:
        (folder / NAME).write_bytes(scene.chance.randbytes(scene.chance.randrange(300)))
    lock = InstanceLock(folders)
    lock.acquire()
    lock.release()
    return set()


def _quarantine(scene: Scene) -> set[int]:
    """Gone with all that was kept in it, while a bad line stands in a part: its copy is kept once more."""
    found = [(path, rows_of(path)) for path in list(list_parts(scene.data / "shards").values())[-2:]]
    path, rows = [each for each in found if len(each[1]) > 1][-1]
    row = scene.chance.choice(rows[:-1])
    flip(path, scene.chance.randrange(row.start, row.end - 1), 7)
    with heard():
        open_shards(scene.data)
    shutil.rmtree(scene.data / "quarantine")
    return {row.time_ms}


DAMAGES = (
    Damage("bits of the archive turned", damage_archive.spoil(damage_archive.turn_bits)),
    Damage("a checkpoint spoilt", _record),
    Damage("the archive cut short", damage_archive.spoil(damage_archive.cut_short)),
    Damage("a half-made file or its checkpoint spoilt", _half_made),
    Damage("a published file of another length", _shorter),
    Damage("a stretch of the archive overwritten", damage_archive.spoil(damage_archive.overwrite)),
    Damage("a compressed part truncated", _compressed_part),
    Damage("the archive or its log replaced or gone", damage_archive.spoil(damage_archive.replace)),
    Damage("lock files garbage", _locks),
    Damage("the quarantine folder deleted", _quarantine),
)

ATTACKS = (
    Attack(
        6,
        "damage-derived",
        "archive, checkpoints, half-made and published files, compressed parts, locks and quarantine spoilt",
        _run,
        share=0.2,
        batch=24,
        short=2,
    ),
)
