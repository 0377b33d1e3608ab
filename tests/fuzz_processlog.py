"""`python -m tests.fuzz_processlog`: damaged logs for the decoder; prints a line of figures, exits with 1 if it broke.

Each must be a log or be refused with a reason, within a second and little memory. What is damaged are the logs of real
controllers where they are here, and short simulated ones. The number of a mutation is its seed.
"""

from __future__ import annotations

import argparse
import random
import resource
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pipeline.errors import ProcessLogError
from pipeline.house import House
from pipeline.processlog import decode
from pipeline.simulator_log import encode_log
from tests.process_logs import END_S, FOLDER, NAMES, NOW

#: What one mutation may take: seconds, and bytes above what the process had with all inputs in memory.
MOST_S, MOST_BYTES = 1.0, 50_000_000

#: Where headers of real logs end, and numbers that break what counts on others.
_HEADER = 2400
_ODD = (0, 1, 2, 4, 7, 0x0F, 0x10, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)


@dataclass
class Figures:
    """What came of all mutations; `broken` has seed and reason of those that should not be."""

    mutations: int = 0
    refused: int = 0
    slowest_s: float = 0.0
    grown: int = 0
    broken: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        still = self.mutations - self.refused - len(self.broken)
        return (
            f"{self.mutations} mutations: {self.refused} refused, {still} still logs, "
            f"{len(self.broken)} broken; slowest {self.slowest_s * 1000:.0f} ms, {self.grown / 1e6:.1f} MB more memory"
        )


def originals() -> list[bytes]:
    """The logs that are damaged: those of real controllers where they are here, and two simulated ones."""
    real = [(FOLDER / name).read_bytes() for name in NAMES if (FOLDER / name).exists()]
    house = House()
    return [*real, *(encode_log(house.answer_at, END_S, dialect, records=60, torn=True) for dialect in ("V1", "V3"))]


def run(mutations: int, first: int = 0) -> Figures:
    """Damage, decode and look at one field of what is still a log."""
    logs, figures = originals(), Figures()
    for log in logs:
        decode(log, NOW)
    before = _memory()
    for seed in range(first, first + mutations):
        choice = random.Random(seed)
        data = mutated(choice, logs)
        begun = time.perf_counter()
        try:
            _timed(lambda: _look(data, choice))  # noqa: B023 - called at once
        except ProcessLogError:
            figures.refused += 1
        except Exception as error:  # noqa: BLE001 - whatever comes is what is looked for
            figures.broken.append(f"{seed}: {type(error).__name__}: {error}")
        figures.slowest_s = max(figures.slowest_s, time.perf_counter() - begun)
        figures.mutations += 1
    figures.grown = _memory() - before
    return figures


def mutated(choice: random.Random, logs: Sequence[bytes]) -> bytes:
    """One of the logs with up to four damages."""
    data = bytearray(choice.choice(logs))
    for _ in range(choice.randint(1, 4)):
        choice.choice(_DAMAGES)(choice, data, logs)
    return bytes(data)


def _place(choice: random.Random, data: bytearray) -> int:
    """Somewhere: the first numbers, the header, anywhere."""
    return choice.randrange(min(len(data), choice.choice((12, _HEADER, len(data)))) or 1)


def _bits(choice: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    if data:
        data[_place(choice, data)] ^= 1 << choice.randrange(8)


def _bytes(choice: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    at = _place(choice, data)
    data[at : at + choice.randint(1, 16)] = choice.randbytes(choice.randint(0, 16))


def _number(choice: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    at, size = _place(choice, data), choice.choice((1, 2, 4))
    data[at : at + size] = (choice.choice(_ODD) & ((1 << 8 * size) - 1)).to_bytes(size, "little")


def _cut(choice: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    del data[_place(choice, data) :]


def _hole(choice: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    at = _place(choice, data)
    del data[at : at + choice.randint(1, 500)]


def _twice(choice: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    at, other = _place(choice, data), _place(choice, data)
    data[other:other] = data[at : at + choice.randint(1, 500)]


def _crossed(choice: random.Random, data: bytearray, logs: Sequence[bytes]) -> None:
    other, at, size = choice.choice(logs), _place(choice, data), choice.randint(1, 5000)
    data[at : at + size] = other[at : at + size]


def _longer(choice: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    data.extend(choice.randbytes(choice.choice((1, 22, 48, 5000))))


_Damage = Callable[[random.Random, bytearray, Sequence[bytes]], None]
_DAMAGES: tuple[_Damage, ...] = (_bits, _bits, _bytes, _number, _number, _cut, _hole, _twice, _crossed, _longer)


def _look(data: bytes, choice: random.Random) -> None:
    log = decode(data, NOW)
    if log.fields:
        values = log.column(choice.choice(log.fields))
        if len(values) != len(log.times_s):
            raise AssertionError(f"{len(values)} values at {len(log.times_s)} times")


def _timed(work: Callable[[], None]) -> None:
    """Do it, or raise when the time is up: a hang ends with its seed too."""

    def late(*_: object) -> None:
        raise TimeoutError(f"more than {MOST_S} s")

    before = signal.signal(signal.SIGALRM, late)
    left, _ = signal.setitimer(signal.ITIMER_REAL, MOST_S)
    try:
        work()
    finally:
        signal.setitimer(signal.ITIMER_REAL, left)
        signal.signal(signal.SIGALRM, before)


def _memory() -> int:
    """The most that this process has had in memory so far, bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main(arguments: Sequence[str]) -> int:
    """Run the mutations that were asked for; gives the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz_processlog", description="Damaged logs for the decoder."
    )
    parser.add_argument("--mutations", type=int, default=100_000, help="how many (default: %(default)s)")
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="the first one's number")
    options = parser.parse_args(arguments)
    figures = run(options.mutations, options.first)
    print(figures)
    for each in figures.broken[:20]:
        print(f"BROKEN {each}")
    return 1 if figures.broken or figures.grown > MOST_BYTES else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
