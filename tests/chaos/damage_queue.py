"""Damage to the queue's files at rest, with a backlog on it.

A reading that was acknowledged survives it all. What was on the queue and is gone is told: rows that are no readings
lie in quarantine, others are counted when the rest is taken over, and every one is in the gap book as the disk's. Where
SQLite cannot see the damage (a log that vanished or rotted, an old copy) only the gap book tells.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from random import Random

from pipeline.quarantine import FROM_QUEUE, count
from pipeline.reading import Reading, carve, decode
from pipeline.salvage import SUFFIXES
from pipeline.simulator import read_journal
from tests.chaos.scene import Logger, Scene, Told, play, told_lost
from tests.chaos.tally import Attack, BrokenError, Tally
from tests.parts import stored

_EVERY_S = 1800
#: The part of a database's file in which most bytes mean something: its header and the schema.
_HEADER = 100
_PAGE = 4096


@dataclass(frozen=True)
class Damage:
    """What is done to a queue's file; `is_blind` where SQLite cannot see it."""

    name: str
    do: Callable[[Path, Random], object]
    is_blind: bool = False


def _run(folder: Path, rounds: range) -> Tally:
    return play(folder, rounds, _EVERY_S, _round)


def _round(scene: Scene) -> Tally:
    damage = _damage(scene)
    _fill(scene)
    before = _digests(stored(scene.data))
    database = scene.data / "queue" / "queue.db"
    damage.do(database, scene.chance)
    is_blind = damage.is_blind or _is_gone(database)
    told = scene.start_again()
    after = stored(scene.data)
    if forgotten := before - _digests(after):
        raise BrokenError(f"{damage.name}: {len(forgotten)} readings that were acknowledged are gone")
    gone = _sent(scene) - _digests(after)
    _check_left(scene, gone)
    missing = sum(gone.values())
    _check_told(scene, told, missing, is_blind=is_blind)
    lost = told_lost(scene.data)
    if lost != missing:
        raise BrokenError(f"{damage.name}: {missing} missing, and {lost} told in the gap book of {scene.folder}")
    return scene.tally(lost)


def _damage(scene: Scene) -> Damage:
    return DAMAGES[scene.number % len(DAMAGES)]


def _is_gone(database: Path) -> bool:
    """Whether no byte is left of a queue and its log, so that it looks like one that never was."""
    return not any(path.exists() and path.stat().st_size for path in (database, _log_of(database)))


def _fill(scene: Scene) -> None:
    """Readings in the shards and a backlog on the queue; a stop, or a kill with some or all of it in the log."""
    chance = scene.chance
    with scene.logger() as logger:
        logger.poll(chance.randrange(1, 16))
        logger.drain()
    with scene.logger() as logger:
        _poll_and_copy(scene, logger, chance.randrange(16))
    with scene.logger() if chance.random() < 0.5 else scene.killed_logger() as logger:
        if chance.random() < 0.5:
            logger.write_a_batch(chance.randrange(1, 8))
        logger.poll(chance.randrange(1, 16))


def _poll_and_copy(scene: Scene, logger: Logger, polls: int) -> None:
    """Some polls, and a copy of the queue's folder from the midst of them."""
    logger.poll(polls // 2)
    shutil.copytree(scene.data / "queue", scene.folder / "old")
    logger.poll(polls - polls // 2)


def _check_left(scene: Scene, gone: Counter[str]) -> None:
    """Look for missing readings in the damaged files that were put aside.

    Raises:
        BrokenError: one stands there whole.
    """
    raw = [path.read_bytes() for path in (scene.data / "queue").glob("queue.db.damaged-*")]
    whole = _digests([decode(row) for content in raw for row in carve(content)])
    if left := gone.keys() & whole.keys():
        raise BrokenError(f"{len(left)} readings stand whole in a damaged queue and were not taken over")


def _check_told(scene: Scene, told: list[Told], missing: int, *, is_blind: bool) -> None:
    """Hold what is missing against what the logger told of it.

    Raises:
        BrokenError: it told nothing, or another number.
    """
    kept = count(scene.data / "quarantine", FROM_QUEUE)
    taken = [each.facts for each in told if each.what == "readings of a damaged queue taken over"]
    unreadable = [facts["unreadable"] for facts in taken]
    if is_blind or "unknown" in unreadable:
        return
    if missing != kept + sum(unreadable):
        raise BrokenError(
            f"{_damage(scene).name}: {missing} missing, {kept} in quarantine, told {taken} in {scene.folder}"
        )


def _digests(readings: list[Reading]) -> Counter[str]:
    return Counter(sha256(reading.answer.pack()).hexdigest() for reading in readings)


def _sent(scene: Scene) -> Counter[str]:
    return Counter(entry.sha256 for entry in read_journal(scene.journal))


def flip(path: Path, at: int, bit: int) -> None:
    """Turn one bit of a file."""
    with path.open("r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 1 << bit]))


def overwrite(path: Path, at: int, data: bytes) -> None:
    """Put other bytes in the place of a file's own."""
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data)


def _log_of(database: Path) -> Path:
    return database.with_name(database.name + "-wal")


def _truncated(database: Path, chance: Random) -> None:
    size = database.stat().st_size
    whole_pages = chance.random() < 0.5
    length = chance.randrange(size)
    with database.open("r+b") as file:
        file.truncate(length // _PAGE * _PAGE if whole_pages else length)


def _flipped(database: Path, chance: Random) -> None:
    size = database.stat().st_size
    flip(database, chance.randrange(_HEADER if chance.random() < 0.3 else size), chance.randrange(8))


def _block(data: Callable[[Random, int], bytes]) -> Callable[[Path, Random], None]:
    def damaged(database: Path, chance: Random) -> None:
        at = chance.randrange(database.stat().st_size // 512) * 512
        length = min(chance.choice((512, _PAGE)), database.stat().st_size - at)
        overwrite(database, at, data(chance, length))

    return damaged


def _garbage(database: Path, chance: Random) -> None:
    database.write_bytes(chance.randbytes(database.stat().st_size))


def _without_database(database: Path, _: Random) -> None:
    database.unlink()


def _without_log(database: Path, _: Random) -> None:
    for suffix in ("-wal", "-shm"):
        database.with_name(database.name + suffix).unlink(missing_ok=True)


def _rotten_log(database: Path, chance: Random) -> None:
    with suppress(FileNotFoundError):
        size = _log_of(database).stat().st_size
        flip(_log_of(database), chance.randrange(size), chance.randrange(8)) if size else None


def _torn_log(database: Path, chance: Random) -> None:
    with suppress(FileNotFoundError), _log_of(database).open("r+b") as file:
        file.truncate(chance.randrange(_log_of(database).stat().st_size + 1))


def _rotten_index(database: Path, chance: Random) -> None:
    with suppress(FileNotFoundError):
        index = database.with_name(database.name + "-shm")
        index.write_bytes(chance.randbytes(index.stat().st_size))


def _old_copy(database: Path, _: Random) -> None:
    for suffix in SUFFIXES:
        database.with_name(database.name + suffix).unlink(missing_ok=True)
    for path in (database.parents[2] / "old").iterdir():
        shutil.copy(path, database.parent)


DAMAGES = (
    Damage("truncated", _truncated),
    Damage("one bit flipped", _flipped),
    Damage("a block of garbage", _block(Random.randbytes)),
    Damage("a block of zeros", _block(lambda _, length: bytes(length))),
    Damage("all garbage", _garbage),
    Damage("lost", _without_database),
    Damage("its index garbage", _rotten_index),
    Damage("its log lost", _without_log, is_blind=True),
    Damage("its log flipped", _rotten_log, is_blind=True),
    Damage("its log truncated", _torn_log, is_blind=True),
    Damage("an old copy put back", _old_copy, is_blind=True),
)

ATTACKS = (
    Attack(
        6,
        "damage-queue",
        "the queue truncated, flipped, garbled, without its log, an old copy of it put back",
        _run,
        share=0.3,
        batch=25,
        short=6,
    ),
)
