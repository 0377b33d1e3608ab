"""A data folder after an attack: everything settled, then compared with what was sent and with what the docs name."""

from __future__ import annotations

import gzip
import re
import shutil
import struct
from collections import Counter
from collections.abc import Callable, Collection, Container, Iterable
from contextlib import closing
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from itertools import islice
from pathlib import Path

from pipeline import gap_book, state
from pipeline.catalog import Catalog
from pipeline.clock import SystemClock
from pipeline.files import TEMPORARY
from pipeline.gap import DISK
from pipeline.marks import Marks
from pipeline.part import first_line, list_parts, open_part
from pipeline.quarantine import BAD_LINE
from pipeline.queue import Queue
from pipeline.reading import Reading
from pipeline.simulator import Sent, SimulatedPump, read_journal
from pipeline.survey import survey
from stages.rollup import Rollup
from stages.write import BATCH
from tests.chaos.archive_look import check_archive
from tests.chaos.tally import BrokenError, Tally
from tests.parts import each_stored, open_shards
from tests.rollups import make_all, make_rollup
from tests.running import ROOT, drain

#: All that a client may send: whole requests of the three reading commands, the last one perhaps cut.
_REQUESTS = {struct.pack(">ii", command, 0) for command in (3003, 3004, 3005)}
_REQUEST = 8

_PAGE = ROOT / "docs" / "data-format.md"
#: How placeholders of file names in the docs read as patterns.
_PLACEHOLDERS = {
    "YYYY-MM-DD": r"\d{4}-\d\d-\d\d",
    "N": r"\d+",
    "<hash>": "[0-9a-f]{12}",
    "<stamp>": r"\d+",
    "*": "[^/]+",
}


def settle(folder: Path, *, now: datetime | None = None, rollup: Callable[..., Rollup] = make_rollup) -> None:
    """Write what a stopped service left on its queue and make all that follows from it, as a start would."""
    drain(folder)
    make_all(rollup(folder, now=now or datetime.now(UTC)))
    marks = Marks(folder / "shards", Catalog(folder / "shards"), SystemClock())
    while marks.step():
        pass
    # A start publishes its state over what a kill left beside it.
    (folder / TEMPORARY.format(state.NAME)).unlink(missing_ok=True)


def examine(
    folder: Path,
    journal: Path,
    *,
    rounds: int,
    kills: int = 0,
    ends: Collection[int] | None = None,
    unheard: int = 0,
    reported: int = 0,
    now: datetime | None = None,
    rollup: Callable[..., Rollup] = make_rollup,
    misled: bool = False,
    rotten: bool = False,
) -> Tally:
    """Settle a stopped service's folder and tally it against the journal of its pump.

    `kills` bounds the answers in flight. `ends` holds them to their place as well: so many answers stood in the journal
    when a life of the service had ended by a kill, and only the last of them may be in flight. `unheard` is how many
    answers may have been sent without a line in the journal, one for each time that the pump itself was killed.
    `reported` is how many the logger itself told as lost. `rollup` makes the stage that settles the folder, from a
    folder and `now`. Where the clock `misled` the logger, files of windows that have not ended by `now`, or are too
    old, may stand there too. Where the disk was `rotten`, bad lines whose copies are kept are not torn.

    Raises:
        BrokenError: the queue is not empty, a published file is not what an undisturbed logger makes of the same
            readings, the archive is not what the shards hold, or something lies there that the docs do not name.
    """
    settle(folder, now=now, rollup=rollup)
    entries = [entry.sha256 for entry in read_journal(journal)]
    sent, there = Counter(entries), _answers(each_stored(folder))
    check_queue(folder)
    _check_published(folder, now or datetime.now(UTC), rollup, misled=misled)
    check_archive(folder, now or datetime.now(UTC), rotten=rotten)
    check_names(folder)
    if len(foreign := there.keys() - sent.keys()) > unheard:
        raise BrokenError(f"{len(foreign)} readings in {folder} were never sent")
    missing = sent - there
    told = min(reported, missing.total())
    may_fly = _flights(entries, missing, kills, ends)
    in_flight = min(missing.total() - told, may_fly)
    return Tally(
        rounds=rounds,
        served=sent.total(),
        stored=(sent & there).total(),
        in_flight=in_flight,
        reported=told,
        lost=missing.total() - in_flight - told,
        doubled=(there - sent).total() - len(foreign),
        torn=torn_lines(folder, rotten=rotten),
    )


def unstored(folder: Path, journal: Path) -> list[Sent]:
    """The answers in the journal of which no reading stands in the shards."""
    there = _answers(each_stored(folder))
    return [entry for entry in read_journal(journal) if not there[entry.sha256]]


def _answers(readings: Iterable[Reading]) -> Counter[str]:
    return Counter(sha256(reading.answer.pack()).hexdigest() for reading in readings)


def _flights(entries: list[str], missing: Counter[str], kills: int, ends: Collection[int] | None) -> int:
    """How many of the missing answers may have been in flight."""
    if ends is None:
        return kills
    last = Counter(entries[end - 1] for end in set(ends) if end)
    return (missing & last).total()


def reported(folder: Path) -> int:
    """How many readings the logger itself told as lost: in the gap book as the disk's, or in quarantine."""
    gaps = gap_book.read(folder / gap_book.NAME)
    pieces = [path for path in (folder / "quarantine").glob("*.bin") if re.match(r"queue-|.*-line-", path.name)]
    return sum(gap.missing for gap in gaps if gap.reason == DISK) + len(pieces)


def torn_lines(folder: Path, *, rotten: bool = False) -> int:
    """Lines of shards and published files that are no whole rising rows under their header.

    Where the disk was `rotten`, a bad line of a shard is none if its copy is kept: the logger has seen it, and every
    reader passes over it.
    """
    kept = {path.name.rpartition("-")[0] for path in (folder / "quarantine").glob("*.bin")} if rotten else ()
    paths = [*list_parts(folder / "shards").values(), *published_paths(folder)]
    return sum(torn_in(path, kept) for path in paths)


def torn_in(path: Path, kept: Container[str] = ()) -> int:
    """The same of one file; `kept` are the origins of pieces whose copy is kept."""
    header = first_line(path)
    with open_part(path) as file:
        found = survey(file, header.count(b",") + 1, len(header))
    bad = [offset for offset, _ in found.bad if f"{path.name}-{BAD_LINE}-{offset}" not in kept]
    return len(bad) + (found.size > found.end) + (not header.endswith(b"\n")) + bool(found.damage)


def published_paths(folder: Path) -> list[Path]:
    """Every daily and weekly file, compressed or not."""
    return sorted(
        path
        for kind in ("daily", "weekly")
        for path in (folder / kind).glob("*.csv*")
        if path.suffix in (".csv", ".gz")
    )


def contents(folder: Path) -> dict[str, bytes]:
    """What each published file holds, by its plain name; where a compressed one stands beside it, the plain one."""
    return {path.name.removesuffix(".gz"): _content(path) for path in reversed(published_paths(folder))}


def _digests(folder: Path) -> dict[str, str]:
    """The same with digests only: a month of whole files does not fit into memory."""
    paths = reversed(published_paths(folder))
    return {path.name.removesuffix(".gz"): sha256(_content(path)).hexdigest() for path in paths}


def _content(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def only_reads(pump: SimulatedPump) -> int:
    """How many connections a stopped pump recorded, all of which asked to read and nothing else.

    Raises:
        BrokenError: a client sent anything but whole requests of the three reading commands.
    """
    for conversation in pump.conversations:
        asked = [conversation[at : at + _REQUEST] for at in range(0, len(conversation), _REQUEST)]
        last = asked.pop() if len(conversation) % _REQUEST else b""
        if not set(asked) <= _REQUESTS or not any(request.startswith(last) for request in _REQUESTS):
            raise BrokenError(f"a client sent {conversation.hex(' ')}")
    return sum(pump.conversations.values())


def check_queue(folder: Path) -> None:
    """Hold the queue of a stopped service to be empty.

    Raises:
        BrokenError: readings wait on it.
    """
    with closing(Queue(folder / "queue" / "queue.db")) as queue:
        if depth := queue.depth():
            raise BrokenError(f"{depth} readings are still on the queue of {folder}")


def _check_published(folder: Path, now: datetime, rollup: Callable[..., Rollup], *, misled: bool) -> None:
    """Compare with the files that an undisturbed logger makes of the same readings."""
    fresh = folder.with_name(f"{folder.name}-undisturbed")
    shutil.rmtree(fresh, ignore_errors=True)
    # Days that lie before all files are not written again.
    since = min((one.start_ms for one in rollup(folder, now=now).windows(now)), default=0)
    shards, readings = open_shards(fresh), each_stored(folder, since)
    while batch := list(islice(readings, BATCH)):
        shards.append(batch)
    make_all(rollup(fresh, now=now))
    wanted, found = _digests(fresh), _digests(folder)
    shutil.rmtree(fresh)
    if misled:
        found = {name: content for name, content in found.items() if name in wanted}
    if wanted.keys() != found.keys():
        raise BrokenError(f"published files differ: {sorted(wanted.keys() ^ found.keys())}")
    if wrong := [name for name in wanted if wanted[name] != found[name]]:
        raise BrokenError(f"published files with another content than an undisturbed logger's: {wrong}")


def check_names(folder: Path) -> None:
    """Hold every file of a settled folder against the names in docs/data-format.md.

    Raises:
        BrokenError: a file has no name of these, or is one that only a running logger has.
    """
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()]
    strange = [name for name in names if not any(re.fullmatch(pattern, name) for pattern in _documented())]
    if strange:
        raise BrokenError(f"files that docs/data-format.md does not name: {strange}")
    if unfinished := [name for name in names if name.endswith((".part", ".tmp"))]:
        raise BrokenError(f"unfinished files were left: {unfinished}")


@cache
def _documented() -> tuple[str, ...]:
    """A pattern for each file name in the table of what rests on disk."""
    _, _, table = _PAGE.read_text(encoding="utf-8").partition("| file | what it is |")
    cells = [line.split(" | ")[0] for line in table.partition("\n\n")[0].splitlines()[2:]]
    return tuple(_pattern(name) for cell in cells for name in re.findall(r"`([^`]+)`", cell))


def _pattern(name: str) -> str:
    split = re.split("(" + "|".join(map(re.escape, _PLACEHOLDERS)) + ")", name)
    return "".join(_PLACEHOLDERS.get(piece, re.escape(piece)) for piece in split)
