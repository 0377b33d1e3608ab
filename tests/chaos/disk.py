"""A disk that is full, or takes no writes any more, under the running service; see `faults` for single calls that fail.

The data folder is a small file system of its own, filled and emptied, or write-protected, while the service polls.
"""

from __future__ import annotations

import os
import resource
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from pipeline.simulator import Fault
from pipeline.simulator_answers import Journal
from tests.chaos import faults
from tests.chaos.disk_round import PATIENCE_S, Round, rounds
from tests.chaos.examine import reported
from tests.chaos.tally import Attack, BrokenError
from tests.parts import NOON, open_shards, reading
from tests.small_disk import write_protected

_DAY_S = 86_400
#: Readings that may wait in memory where some are to be refused.
_FEW = 10
#: Share of a core that a service whose disk is full and whose pump is away may use: an idle one uses a hundredth.
_MOST_CPU = 0.3
#: Times that one file may be open that was not so 15 failures ago: the queue's connections come and go.
_FILES = 4


def _fills_and_is_freed(one: Round, journal: Path) -> int:
    """Several times while the service polls, with rollups due that fit or do not."""
    ago_s = (datetime.now(UTC) - NOON).total_seconds()
    before = [reading(ago_s - _DAY_S * days, days) for days in (4, 3, 2)]
    open_shards(one.data).append(before)
    with closing(Journal(journal)) as sent:
        for each in before:
            sent.add(each.answer, each.time_ms)
    with one.service(f"reserve={one.chance.choice((1, 7_000_000))}"):
        one.wait(one.chance.randrange(5))
        for _ in range(one.chance.randrange(2, 4)):
            with one.full():
                one.wait(one.chance.randrange(5, 20))
                _until(lambda: not list(one.data.glob("*/*.part")), "a rollup keeps space on a full disk")
            one.wait(one.chance.randrange(1, 10))
        one.wait(2)
    return 0


def _until(condition: Callable[[], bool], broken: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise BrokenError(broken)
        time.sleep(0.01)


def _refuses(one: Round, _: Path) -> int:
    """More readings come than may wait in memory."""
    with one.service(f"waiting={_FEW}"):
        one.wait(one.chance.randrange(1, 5))
        with one.full(wholly=True):
            one.wait(_FEW + one.chance.randrange(5, 20))
        one.wait(3)
    refused = one.told("queue works again", "refused")
    if (booked := reported(one.data)) != refused:
        raise BrokenError(f"{refused} readings were refused, {booked} stand in the gap book")
    if not refused:
        raise BrokenError("nothing was refused")
    return refused


def _starts_and_stops_full(one: Round, _: Path) -> int:
    """A service that starts and stops on a full disk, then one whose disk is freed while it runs."""
    if one.number % 2:
        with one.service():
            one.wait(3)
    with one.full():
        with one.service(code=4) as process:
            one.wait(3)
            before = _open_files(process)
            one.wait(15)
            more = _open_files(process) - before
            if leak := {name: count for name, count in more.items() if count > _FILES}:
                raise BrokenError(f"more often open than 15 failures ago: {leak}")
            one.pump.fault = Fault("refused")
            _check_cpu(process)
        one.pump.fault = None
        unsaved = one.told("stopped", "unsaved")
    one.troubles += 1
    with one.full(), one.service() as process:
        one.wait(5)
        (one.data / "ballast").write_bytes(b"")
        one.wait(3)
    return unsaved


def _open_files(process: subprocess.Popen[str]) -> Counter[str]:
    """How often each file is open, and how many sockets and pipes; one that is closed meanwhile is not."""
    found: Counter[str] = Counter()
    for link in Path(f"/proc/{process.pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            found[str(link.readlink()).partition(":[")[0]] += 1
    return found


def _check_cpu(process: subprocess.Popen[str]) -> None:
    """Hold the processor time of half a second against what waiting takes."""
    began, used = time.monotonic(), _cpu_s(process)
    time.sleep(0.5)
    if (share := (_cpu_s(process) - used) / (time.monotonic() - began)) > _MOST_CPU:
        raise BrokenError(f"{share:.0%} of a core while the disk is full and the pump away")


def _cpu_s(process: subprocess.Popen[str]) -> float:
    ticks = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def _is_write_protected(one: Round, _: Path) -> int:
    """Under the running service, for a while; then once more, and the service is stopped meanwhile."""
    strictly = bool(one.number % 2 == 0)
    with ExitStack() as until_it_ended, one.service(code=4 if strictly else 0) as process:
        one.wait(one.chance.randrange(1, 8))
        with _protected(one, process, strictly):
            one.wait(one.chance.randrange(5, 20))
        one.wait(one.chance.randrange(2, 8))
        until_it_ended.enter_context(_protected(one, process, strictly))
        one.wait(one.chance.randrange(3, 8))
    return one.told("stopped", "unsaved")


@contextmanager
def _protected(one: Round, process: subprocess.Popen[str], strictly: bool) -> Iterator[None]:
    """A read-only disk; `strictly` keeps the service from writing the queue too, which it holds open."""
    one.troubles += 1
    most = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
    with write_protected(one.data):
        if strictly:
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, most[1]))
        yield
    if process.poll() is None:
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, most)


ATTACKS = (
    Attack(3, "full", "the disk fills and is freed while it polls", rounds(_fills_and_is_freed), share=0.03),
    Attack(3, "refused", "more readings than may wait on a full disk", rounds(_refuses), share=0.02),
    Attack(3, "full-start", "start and stop on a full disk", rounds(_starts_and_stops_full), share=0.02),
    Attack(3, "readonly", "the disk takes no writes any more, then again", rounds(_is_write_protected), share=0.02),
    *faults.ATTACKS,
)
