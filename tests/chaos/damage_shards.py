"""Damage to the shards and what stands beside them at rest, with a backlog on the queue.

A row that is not whole any more lies in quarantine as the piece of its part that it was in; a compressed part that
cannot be read to its end tells how many rows can. All other rows survive, and so does every reading on the queue.
Not attacked: a digit that became another digit, which leaves a valid line; nobody can see it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from pipeline.part import list_parts, open_part
from pipeline.quarantine import BAD_LINE, BAD_TAIL
from pipeline.survey import survey
from tests.chaos.damage_queue import flip, overwrite
from tests.chaos.scene import Scene, Told, play
from tests.chaos.tally import Attack, BrokenError, Tally
from tests.parts import stored
from tests.rollups import make_all, make_rollup

_EVERY_S = 3600
_PIECE = re.compile(rf"(.+\.csv)-(?:{BAD_LINE}|{BAD_TAIL})-(\d+)-[0-9a-f]{{16}}\.bin")


@dataclass(frozen=True)
class Row:
    """A line of a part as it was before the damage."""

    time_ms: int
    start: int
    end: int


@dataclass(frozen=True)
class Damage:
    """What is done to a part, given its rows; gives how far what stands behind a place has moved: (place, bytes)."""

    name: str
    do: Callable[[Path, list[Row], Random], tuple[int, int] | None]


def _run(folder: Path, rounds: range) -> Tally:
    return play(folder, rounds, _EVERY_S, _round)


def _round(scene: Scene) -> Tally:
    damage = DAMAGES[scene.number % len(DAMAGES)]
    _fill(scene)
    path = scene.chance.choice(list(list_parts(scene.data / "shards").values())[-2:])
    rows = rows_of(path)
    moved = damage.do(path, rows, scene.chance)
    told = scene.start_again()
    there = {reading.time_ms for reading in stored(scene.data)}
    missing = [row for row in rows if row.time_ms not in there]
    _check_pieces(scene, path, missing, moved or (0, 0), told)
    return scene.tally(len(missing))


def _fill(scene: Scene) -> None:
    """Two days and some hours in the shards, now and then with daily and weekly files of them; a backlog."""
    with scene.logger() as logger:
        logger.poll(30 + scene.chance.randrange(20))
        logger.drain()
        if scene.chance.random() < 0.5:
            make_all(make_rollup(scene.data, now=scene.now))
        logger.poll(scene.chance.randrange(6))


def rows_of(path: Path) -> list[Row]:
    """The whole rows of a part."""
    with open_part(path) as file:
        header = file.readline()
        found = survey(file, header.count(b",") + 1, len(header))
    return [Row(line.time_ms, line.offset, line.offset + line.length) for line in found.good]


def _check_pieces(scene: Scene, path: Path, missing: list[Row], moved: tuple[int, int], told: list[Told]) -> None:
    """Hold each missing row against the pieces in quarantine, and each piece against the missing rows.

    Raises:
        BrokenError: a row is missing from none of them, or a piece had none.
    """
    place, by = moved
    ranges = [(row.start + by * (row.start >= place), row.end + by * (row.end > place)) for row in missing]
    pieces = [
        (int(match[2]), int(match[2]) + file.stat().st_size)
        for file in (scene.data / "quarantine").glob("*.bin")
        if (match := _PIECE.fullmatch(file.name)) and match[1] == path.name
    ]
    unseen = [one for one in ranges if not any(begin < one[1] and one[0] < end for begin, end in pieces)]
    needless = [piece for piece in pieces if not any(piece[0] < end and start < piece[1] for start, end in ranges)]
    if unseen or needless:
        raise BrokenError(f"missing and in no piece {unseen}, pieces of nothing {needless} in {scene.folder}: {told}")


def _torn_last_line(path: Path, rows: list[Row], chance: Random) -> None:
    with path.open("r+b") as file:
        file.truncate(chance.randrange(rows[-1].start + 1, rows[-1].end))


def _nul_bytes(path: Path, rows: list[Row], chance: Random) -> None:
    """Blocks that a file system lost are read as zeros."""
    at = chance.randrange(rows[0].start, rows[-1].end)
    overwrite(path, at, bytes(min(chance.choice((1, 100, 4096)), rows[-1].end - at)))


def _torn_in_the_middle(path: Path, rows: list[Row], chance: Random) -> tuple[int, int]:
    """Bytes are gone from the midst of a row, perhaps with its end, so that it can be seen: with the end of a value."""
    content = path.read_bytes()
    row = chance.choice(rows)
    at = chance.randrange(row.start + 1, row.end - 1)
    seen = next(i for i in range(at, row.end) if content[i] in b",\n") + 1
    end = min(seen + chance.randrange(3000), row.end)
    path.write_bytes(content[:at] + content[end:])
    return at, at - end


def _garbage_in_a_row(path: Path, rows: list[Row], chance: Random) -> None:
    at = chance.randrange(rows[0].start, rows[-1].end)
    overwrite(path, at, chance.randbytes(min(chance.randrange(8, 600), rows[-1].end - at)))


def _flipped_row(path: Path, rows: list[Row], chance: Random) -> None:
    """One bit, where it can be seen: what it makes of a byte is none that a row may hold."""
    at, bit = _visible_flip(path.read_bytes(), rows[0].start, rows[-1].end, chance)
    flip(path, at, bit)


def _visible_flip(content: bytes, start: int, end: int, chance: Random) -> tuple[int, int]:
    while True:
        at, bit = chance.randrange(start, end), chance.randrange(8)
        if content[at] ^ 1 << bit not in b"0123456789-+.,:TZ logiven\n":
            return at, bit


def _flipped_line_end(path: Path, rows: list[Row], chance: Random) -> None:
    """Two rows become one line."""
    flip(path, chance.choice(rows).end - 1, chance.randrange(8))


def _flipped_header(path: Path, rows: list[Row], chance: Random) -> None:
    flip(path, chance.randrange(rows[0].start), chance.randrange(8))


def _torn_header(path: Path, rows: list[Row], chance: Random) -> None:
    at = chance.randrange(rows[0].start)
    overwrite(path, at, bytes(min(512, rows[0].start - at)))


def _without(pattern: str) -> Callable[[Path, list[Row], Random], None]:
    def damaged(path: Path, _rows: list[Row], _chance: Random) -> None:
        for file in path.parent.glob(pattern):
            file.unlink()

    return damaged


def _damaged(pattern: str) -> Callable[[Path, list[Row], Random], None]:
    def damaged(path: Path, _rows: list[Row], chance: Random) -> None:
        (file,) = path.parent.glob(pattern)
        what = chance.choice(("flip", "truncate", "garbage"))
        size = file.stat().st_size
        if what == "flip":
            flip(file, chance.randrange(size), chance.randrange(8))
        elif what == "truncate":
            with file.open("r+b") as opened:
                opened.truncate(chance.randrange(size))
        else:
            file.write_bytes(chance.randbytes(size))

    return damaged


DAMAGES = (
    Damage("its last line torn", _torn_last_line),
    Damage("NUL bytes", _nul_bytes),
    Damage("a line torn in the middle", _torn_in_the_middle),
    Damage("garbage in rows", _garbage_in_a_row),
    Damage("a bit flipped in a row", _flipped_row),
    Damage("a line end flipped", _flipped_line_end),
    Damage("a bit flipped in the header", _flipped_header),
    Damage("a block of the header lost", _torn_header),
    Damage("the package file lost", _without("datapackage.json")),
    Damage("the package file damaged", _damaged("datapackage.json")),
    Damage("the schema lost", _without("schema-*.json")),
    Damage("the schema damaged", _damaged("schema-*.json")),
)

ATTACKS = (
    Attack(
        6,
        "damage-shards",
        "rows, headers, schemas and the package file torn, flipped, garbled, lost",
        _run,
        share=0.3,
        batch=24,
        short=6,
    ),
)
