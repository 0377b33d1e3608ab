"""A call to the disk fails: each call of each kind in turn, once or for a while, under the real parts in one process.

What a stage raises is tried again, as its thread does, until all is settled; then the folder must hold what it holds
without a fault.
"""

from __future__ import annotations

import json
import os
import random
import shutil
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from unittest.mock import patch

from pipeline.catalog import PACKAGE
from pipeline.errors import LoggerError
from pipeline.part import list_parts
from pipeline.quarantine import FROM_QUEUE
from pipeline.reading import Reading
from pipeline.simulator_answers import Journal
from tests.chaos.examine import check_names, contents, examine, settle, torn_lines
from tests.chaos.faulty import KINDS, FaultyDisk, Kind
from tests.chaos.scenes import SCENES, Step
from tests.chaos.tally import Attack, BrokenError, Tally
from tests.parts import stored

#: In so many rounds every call of every scene fails in every way.
STRIDE = 200
#: Tries after which a stage that still fails or is not done is stuck: far more than a fault lasts.
_MOST_TRIES = 60


@dataclass(frozen=True)
class Case:
    """The call number `at` of a scene fails in one way."""

    scene: str
    at: int
    kind: Kind


@dataclass(frozen=True)
class Quiet:
    """A scene without a fault: where it begins, its calls, and what it left."""

    prepared: Path
    calls: list[str]
    readings: list[Reading]
    published: dict[str, bytes]
    kept: set[str]


def _run(folder: Path, rounds: range) -> Tally:
    # No power is cut here: an fsync that works need not be done, only be counted.
    with patch.object(os, "fsync", lambda _descriptor: None):
        quiet = {scene: _quiet(folder / scene, scene) for scene in SCENES}
        cases = _cases(quiet)
        chosen = [case for number in rounds for case in cases[number % STRIDE :: STRIDE]]
        tallies = [_attack(folder / "attacked", case, quiet[case.scene]) for case in chosen]
    return replace(sum(tallies, Tally()), rounds=len(rounds))


def _cases(quiet: dict[str, Quiet]) -> list[Case]:
    """Every way in which a call of a scene can fail, in an order that gives each round some of all."""
    cases = [
        Case(scene, at, kind)
        for scene, found in quiet.items()
        for at, call in enumerate(found.calls)
        for kind in KINDS
        if kind.hits(call)
    ]
    random.Random(0).shuffle(cases)
    return cases


def _quiet(folder: Path, name: str) -> Quiet:
    """Play a scene without a fault, and hold what it leaves against what an undisturbed logger makes of its readings.

    Raises:
        BrokenError: it is something else, and there is nothing to compare an attack with.
    """
    scene, prepared, data = SCENES[name], folder / "prepared", folder / "data"
    scene.prepare(prepared)
    shutil.copytree(prepared, data)
    disk = FaultyDisk()
    _play(data, name, disk)
    with closing(Journal(folder / "journal")) as sent:
        for each in scene.wanted:
            sent.add(each.answer, each.time_ms)
    tally = examine(data, folder / "journal", rounds=1, now=scene.now)
    if not tally.holds:
        raise BrokenError(f"{name} without a fault: {tally}")
    return Quiet(prepared, disk.calls, stored(data), contents(data), _kept(data))


def _attack(data: Path, case: Case, quiet: Quiet) -> Tally:
    """Nothing unfinished is left even before a restart, as far as the disk let it be removed."""
    shutil.rmtree(data, ignore_errors=True)
    shutil.copytree(quiet.prepared, data)
    disk = FaultyDisk(case.at, case.kind)
    try:
        _play(data, case.scene, disk)
        if not (case.kind.lasting and case.kind.hits("unlink")):
            check_names(data)
        settle(data, now=SCENES[case.scene].now)
        _check(data, quiet)
        tally = _tally(data, quiet.readings)
    except Exception as error:
        raise BrokenError(f"{case}: {type(error).__name__}: {error}") from error
    if not disk.failed or not tally.holds:
        raise BrokenError(f"{case}, {disk.failed} calls failed: {tally}")
    return tally


def _play(data: Path, scene: str, disk: FaultyDisk) -> None:
    """Play a scene on a disk; no file is left open."""
    before = _open_files()
    for step in SCENES[scene].play(data):
        with disk.used():
            _settle(step)
    if (left := _open_files() - before) > 0:
        raise BrokenError(f"{left} files were left open")
    _check_package(data)


def _settle(step: Step) -> None:
    """Call a step until it says that it is done; what it may raise is tried again."""
    last: Exception | None = None
    for _ in range(_MOST_TRIES):
        try:
            if step():
                return
        except (OSError, LoggerError) as error:
            last = error
    raise BrokenError(f"not done after {_MOST_TRIES} tries, last: {last}")


def _open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def _check(data: Path, quiet: Quiet) -> None:
    """After a restart the published files, the quarantine and all names are those of a disk without a fault."""
    check_names(data)
    if contents(data) != quiet.published:
        raise BrokenError("published files differ")
    kept = _kept(data)
    # A repair that was broken off may keep a piece more.
    extra = {name for name in kept - quiet.kept if name.startswith(FROM_QUEUE)}
    if wrong := (quiet.kept - kept) | extra:
        raise BrokenError(f"quarantine differs by {wrong}")


def _tally(data: Path, wanted: list[Reading]) -> Tally:
    """The readings by their time and values: what a fault moved to another time is lost and doubled."""
    served, there = Counter(wanted), Counter(stored(data))
    lost, doubled = (served - there).total(), (there - served).total()
    return Tally(1, len(wanted), (served & there).total(), lost=lost, doubled=doubled, torn=torn_lines(data))


def _kept(data: Path) -> set[str]:
    return {path.name for path in (data / "quarantine").glob("*")}


def _check_package(data: Path) -> None:
    """The package file names the parts that are there, by the names that they have now."""
    document = json.loads((data / "shards" / PACKAGE).read_bytes())
    named = {name for each in document["resources"] for name in each["path"]}
    there = {path.name for path in list_parts(data / "shards").values()}
    if named != there:
        raise BrokenError(f"{PACKAGE} differs from the folder by {sorted(named ^ there)}")


ATTACKS = (Attack(3, "faults", "each write, fsync, rename, ... fails in each way", _run, share=0.2, batch=10),)
