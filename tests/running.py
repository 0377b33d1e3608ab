"""A real service process against a simulated pump, and the comparison of what it stored with what the pump sent."""

from __future__ import annotations

import hashlib
import itertools
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import pytest

from pipeline.quarantine import Quarantine
from pipeline.queue import Queue
from pipeline.reading import Answer
from pipeline.simulator import SimulatedPump, Source, read_journal
from stages.write import Write
from tests.leash import leash
from tests.parts import open_shards, stored

ROOT = Path(__file__).parents[1]


def numbered(source: Source, first: int = 1) -> Source:
    """A source whose every answer differs: calculation 134, the controller's clock, counts the answers."""
    count = itertools.count(first)

    def answer_at(moment: datetime) -> Answer:
        whole = source(moment)
        calculations = (*whole.calculations[:134], next(count), *whole.calculations[135:])
        return replace(whole, calculations=calculations)

    return answer_at


def environment(folder: Path, address: tuple[str, int], **settings: str) -> dict[str, str]:
    """The variables of a process that logs the pump at an address into a folder."""
    ours = {
        "LUX_HOST": address[0],
        "LUX_PORT": str(address[1]),
        "LUX_DATA_DIR": str(folder),
        "LUX_TIMEZONE": "Europe/Berlin",
        "LUX_LOG_FORMAT": "json",
        # Tests of the page choose a port; the others run side by side.
        "LUX_HTTP_PORT": "0",
        # Tests of filling gaps have a web server; nothing else asks for one.
        "LUX_BACKFILL": "off",
    }
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LUX_")}
    return {**inherited, **ours, **{f"LUX_{name}": value for name, value in settings.items()}}


def only(patch: pytest.MonkeyPatch, **settings: str) -> None:
    """Let the settings of this process be these alone, whatever variables it was started with."""
    for name in [name for name in os.environ if name.startswith("LUX_")]:
        patch.delenv(name)
    for name, value in settings.items():
        patch.setenv(f"LUX_{name}", value)


@contextmanager
def fast_service(
    folder: Path,
    simulated: SimulatedPump,
    *arguments: str,
    interval_s: float = 0.05,
    **settings: str,
) -> Iterator[subprocess.Popen[str]]:
    """A service polling every `interval_s`; killed at the end if it still runs, and when this process ends."""
    command = [sys.executable, "-m", "tests.fast_service", str(interval_s), *arguments]
    with leash() as (variables, held):
        env = environment(folder, simulated.address, **settings) | variables
        with subprocess.Popen(command, cwd=ROOT, env=env, text=True, stderr=subprocess.PIPE, pass_fds=held) as process:
            try:
                yield process
            finally:
                process.kill()


@dataclass(frozen=True)
class Comparison:
    """Answers that the pump sent whole, how many of them stand in the shards once, twice, not at all, and others."""

    sent: int
    once: int
    doubled: int
    missing: int
    foreign: int


def compare(folder: Path, journal: Path) -> Comparison:
    """What stands in the shards against the journal, answer by answer."""
    sent = Counter(entry.sha256 for entry in read_journal(journal))
    found = Counter(hashlib.sha256(reading.answer.pack()).hexdigest() for reading in stored(folder))
    return Comparison(
        sent=sum(sent.values()),
        once=sum(1 for answer in sent if found[answer] == 1),
        doubled=sum(1 for answer in sent if found[answer] > 1),
        missing=sum(1 for answer in sent if not found[answer]),
        foreign=sum(1 for answer in found if answer not in sent),
    )


def drain(folder: Path) -> None:
    """Write what a service left on its queue, as its next start would."""
    with closing(Queue(folder / "queue" / "queue.db")) as queue:
        write = Write(queue, open_shards(folder), Quarantine(folder / "quarantine"))
        while write.step(0) == 0:
            pass
