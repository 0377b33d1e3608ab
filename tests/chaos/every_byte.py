"""A read that stalls, is closed or is reset at every byte of an answer: the exact error, and no reading of it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from pipeline.clock import SystemClock
from pipeline.errors import PumpClosedError, PumpError, PumpTimeoutError
from pipeline.house import House
from pipeline.pump import Pump
from pipeline.quarantine import Quarantine
from pipeline.queue import Queue
from pipeline.reading import Answer
from pipeline.simulator import Dump, Fault, SimulatedPump, Source
from pipeline.store import Store
from stages.write import Write
from tests import dumps
from tests.chaos.examine import examine, only_reads
from tests.chaos.tally import Attack, BrokenError, Tally
from tests.parts import BERLIN, open_shards
from tests.running import numbered

#: Rounds after which every byte of every controller's answer was met.
_ROUNDS = 1000
#: A number that shares no factor with the rounds, so that a few of them spread over the answer as well.
_STEP = 389

#: Seconds of the first try at a stall; a busy machine may need more to come as far as the byte.
_STALL_S = 0.01
#: Seconds within which any whole answer comes, however busy the machine.
_PATIENCE_S = 30.0

#: Bytes of one integer of a group's values, in the order of the answers.
_WIDTHS = {"parameters": 4, "calculations": 4, "visibilities": 1}


@dataclass(frozen=True)
class Field:
    """What is awaited in one go: of which group, from which byte of the answer, how many bytes."""

    group: str
    start: int
    size: int


def fields(answer: Answer) -> list[Field]:
    """The answer's fields in order: echo, for calculations a status, count, values."""
    found: list[Field] = []
    at = 0
    for (group, width), count in zip(_WIDTHS.items(), answer.counts, strict=True):
        head = [4] * (3 if group == "calculations" else 2)
        for size in (*head, count * width):
            found.append(Field(group, at, size))
            at += size
    return found


def _sources() -> list[Source]:
    """The answers of real controllers where they are, else the house's."""
    found = [file for name in dumps.NAMES if (file := dumps.FOLDER / f"{name}.json").exists()]
    return [Dump(file) for file in found] or [House().answer_at]


def _run(folder: Path, rounds: range) -> Tally:
    sources = _sources()
    data, journal, connections = folder / "data", folder / "journal", 0
    with closing(Queue(data / "queue" / "queue.db")) as queue:
        store = Store(queue, lambda *_: iter(()), zone=BERLIN, clock=SystemClock())
        write = Write(queue, open_shards(data), Quarantine(data / "quarantine"))
        for number in rounds:
            turn, which = divmod(number, len(sources))
            stride = _ROUNDS // len(sources)
            source = numbered(sources[which], first=1 + 100_000 * number)
            with SimulatedPump(source, journal=journal) as pump:
                _round(pump, store, sources[which](datetime.now(UTC)), turn * _STEP % stride, stride)
            connections += only_reads(pump)
            while write.step(0) == 0:
                pass
    return replace(examine(data, journal, rounds=len(rounds)), connections=connections)


def _round(pump: SimulatedPump, store: Store, whole: Answer, first: int, stride: int) -> None:
    """Every so many-th byte of the answer from one on, its end included, with a healthy read after each kind."""
    known = fields(whole)
    length = known[-1].start + known[-1].size
    for kind in ("stall", "close", "reset"):
        for at in range(first, length, stride):
            pump.fault = Fault(kind, at=at)
            _expect_failure(pump, kind, at, next(each for each in reversed(known) if each.start <= at))
        for fault in (Fault(kind, at=length), None):  # at its end the answer is whole
            pump.fault = fault
            store.add(datetime.now(UTC), Pump(*pump.address, timeout_s=_PATIENCE_S).read())


def _expect_failure(pump: SimulatedPump, kind: str, at: int, field: Field) -> None:
    """Read, and hold the error to the byte; a stall is read with more patience until it was met at its place."""
    timeout_s = _STALL_S if kind == "stall" else _PATIENCE_S
    while True:
        try:
            answer = Pump(*pump.address, timeout_s=timeout_s).read()
        except PumpError as error:
            if _as_it_should_be(error, kind, at, field):
                return
            if kind != "stall" or not isinstance(error, PumpTimeoutError) or timeout_s > _PATIENCE_S:
                raise BrokenError(
                    f"{kind} at byte {at} was told as {error!r} at {error.got} of {error.wanted}"
                ) from error
        else:
            raise BrokenError(f"{kind} at byte {at} gave a reading of {answer.counts}")
        timeout_s *= 2


def _as_it_should_be(error: PumpError, kind: str, at: int, field: Field) -> bool:
    if kind == "reset":  # which throws away what was sent and not yet read
        return isinstance(error, PumpClosedError) and error.got < error.wanted
    told = error.reading, error.got, error.wanted
    wanted = PumpTimeoutError if kind == "stall" else PumpClosedError
    return isinstance(error, wanted) and told == (field.group, at - field.start, field.size)


ATTACK = Attack(4, "network-bytes", "stall, close and reset at every byte of an answer", _run, batch=50, short=2)
