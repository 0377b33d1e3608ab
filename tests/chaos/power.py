"""Power cuts at every point between two operations on files: what the disk may hold then must be enough.

A round plays one scene under the file layer and cuts the power behind each of its operations. Of what was not fsynced
nothing, everything, or any other choice of pages and names may have reached the disk. Each such disk is looked at as it
is, then a logger starts on it, gets what was not acknowledged once more, and must end where an undisturbed one does.
In every fourth round, from 0 on, the power is cut in the scene itself. In the others the process is killed at a drawn
operation, starts anew on what the system still has in its cache, and the power is cut while it does.
"""

from __future__ import annotations

import os
import random
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from unittest import mock

from pipeline import catalog
from pipeline.queue import Queue
from pipeline.schema import Schema, decode_schema
from tests.chaos import power_archive
from tests.chaos.disk_image import Image, write_image
from tests.chaos.disk_layer import recording
from tests.chaos.disk_trace import Killed, Trace
from tests.chaos.examine import torn_lines
from tests.chaos.power_look import Known, Versions, check_settled, check_standing, versions_of
from tests.chaos.power_scenes import SCENES, NotedQueue, Process, Published, Queued, Scene
from tests.chaos.tally import Attack, BrokenError, Tally
from tests.parts import stored

#: Choices of pages and names drawn at a cut, beside the fixed ones.
_DRAWS = 1


@dataclass(frozen=True)
class Cut:
    """A disk after a power cut, behind which operation, and what was true in that moment."""

    words: str
    image: Image
    queued: Queued
    published: Published


def prepared(folder: Path, scene: Scene) -> Path:
    """The folder that a scene begins with, made below another one."""
    made = folder / "prepared"
    made.mkdir(parents=True)
    scene.prepare(made)
    return made


def play(folder: Path, begin: Path, scene: Scene, kill_at: int | None = None) -> tuple[Trace, int]:
    """Play a scene under the layer on a copy of its begin; gives its trace, and where in it a killed process began."""
    data = folder / "data"
    shutil.copytree(begin, data)
    trace = Trace(data, kill_at=kill_at)
    begun = 0
    with closing(NotedQueue(folder / "queue" / "queue.db")) as queue, recording(trace):
        queue.tell = trace.note
        try:
            scene.play(Process(data, queue, scene))
        except Killed:
            begun = len(trace.operations)
            trace.revive()
            Process(data, queue, scene).settle()
    return trace, begun


def cuts(trace: Trace, begun: int, chance: random.Random) -> Iterator[Cut]:
    """The disks that cuts behind each operation from `begun` on may leave, each once."""
    queued, published = Queued(), Published({})
    seen = set()
    for i, (operation, disk) in enumerate(zip(trace.operations, trace.disks(), strict=True)):
        queued = operation.note if isinstance(operation.note, Queued) else queued
        published = operation.note if isinstance(operation.note, Published) else published
        if i < begun:
            continue
        for image in disk.images(chance, _DRAWS):
            key = hash((_essence(image), queued, id(published)))
            if key not in seen:
                seen.add(key)
                yield Cut(f"operation {i}, {operation.words}", image, queued, published)


def _essence(image: Image) -> frozenset[tuple[str, bytes | None]]:
    """What tells two images apart: nobody looks into a file that was to be published and was not."""
    return frozenset((path, None if path.endswith(".tmp") else content) for path, content in image.items())


def restart(scene: Scene, cut: Cut, folder: Path, queue: Queue, *, roll_first: bool = False) -> None:
    """Let a logger start on a folder that the power cut left, and do all that there is to do."""
    queue.put(cut.queued.waiting)
    process = Process(folder, queue, scene)
    if roll_first:
        process.rollup.step(0)
    process.settle()


class Undisturbed:
    """What a logger that nothing happens to makes of the same rows."""

    def __init__(self, folder: Path, begin: Path, scene: Scene, queue: Queue) -> None:
        self._folder = folder
        self._begin = begin
        self._scene = scene
        self._queue = queue
        self._known: dict[tuple[bytes, ...], Known] = {}

    def of(self, rows: tuple[bytes, ...]) -> Known:
        if rows not in self._known:
            shutil.rmtree(self._folder, ignore_errors=True)
            shutil.copytree(self._begin, self._folder)
            restart(self._scene, Cut("", {}, Queued(rows, rows), Published({})), self._folder, self._queue)
            self._known[rows] = Known.of(self._folder)
        return self._known[rows]


def _round(scene: Scene, folder: Path, number: int) -> Tally:
    """All cuts of one round; ends early, with the folder as it was, where a reading is lost, doubled or torn."""
    chance = random.Random(number)
    begin = prepared(folder, scene)
    trace, begun = play(folder / "scene", begin, scene)
    if number % 4:
        trace, begun = play(folder / "killed", begin, scene, kill_at=chance.randrange(trace.done))
    versions = versions_of(trace)
    tally = Tally(rounds=1)
    with closing(Queue(folder / "queue" / "queue.db")) as queue:
        undisturbed = Undisturbed(folder / "undisturbed", begin, scene, queue)
        for cut in cuts(trace, begun, chance):
            known = undisturbed.of(cut.queued.taken)
            try:
                tally += _examine(scene, cut, folder / "cut", queue, known, versions, roll_first=chance.random() < 0.5)
            except Exception as error:
                raise BrokenError(f"{scene.name}, round {number}, power cut behind {cut.words}: {error}") from error
            if not tally.holds:
                (folder / "cut.txt").write_text(f"round {number}, power cut behind {cut.words}: {tally}\n")
                break
    return tally


def _examine(
    scene: Scene, cut: Cut, folder: Path, queue: Queue, known: Known, versions: Versions, *, roll_first: bool
) -> Tally:
    """One disk: as the cut left it, and after the next start."""
    check_standing(cut.image, cut.queued, cut.published, versions, known)
    shutil.rmtree(folder, ignore_errors=True)
    write_image(folder, cut.image)
    restart(scene, cut, folder, queue, roll_first=roll_first)
    found = Counter(reading.answer for reading in stored(folder))
    tally = Tally(
        served=known.answers.total(),
        stored=(known.answers & found).total(),
        lost=(known.answers - found).total(),
        doubled=(found - known.answers).total(),
        torn=torn_lines(folder, rotten=True),
    )
    if tally.holds:
        check_settled(folder, known)
    return tally


def run(scene: Scene, folder: Path, rounds: range) -> Tally:
    """Rounds of a scene.

    Raises:
        BrokenError: a disk after a power cut was not enough; `folder` holds it.
    """
    tally = Tally()
    for number in rounds:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        with spared():
            tally += _round(scene, folder, number)
        if not tally.holds:
            break
    return tally


@contextmanager
def spared() -> Iterator[None]:
    """Spare this machine the same work a thousand times: fsync, since the traces tell what is durable, and schemas."""
    with (
        mock.patch.object(os, "fsync", _noted_only),
        mock.patch.object(Schema, "encode", cache(Schema.encode)),
        mock.patch.object(catalog, "decode_schema", cache(decode_schema)),
    ):
        yield


def _noted_only(_descriptor: int) -> None:
    """In place of fsync."""


ATTACKS = (
    *(
        Attack(2, f"power-{scene.name}", f"power cuts: {scene.about}", partial(run, scene), share=0.05, batch=4)
        for scene in SCENES
    ),
    power_archive.ATTACK,
)
