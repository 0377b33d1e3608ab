"""What a simulated pump answers: a dump's replay, an answer's framing and its faults, the journal of what was sent.

All fields are big-endian signed 32-bit integers, visibilities 8-bit. Faults that stop in the middle count bytes over
the three answers of one read, in the order in which the client asks for them.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256, shake_128
from itertools import cycle
from pathlib import Path

from pipeline.clock import from_ms, to_ms, utc_text
from pipeline.errors import LoggerError
from pipeline.reading import Answer

#: What is answered at a moment.
Source = Callable[[datetime], Answer]

#: Calculation that holds the controller's clock, Unix seconds.
_CLOCK = 134

#: Commands that read; the simulated pump answers no other.
PARAMETERS, CALCULATIONS, VISIBILITIES = COMMANDS = 3003, 3004, 3005

#: Every fault, for a person who chooses one by name.
FAULTS = {
    "silent": "accepts connections and never answers",
    "stall": "stops in the middle of a read and keeps the connection open",
    "pieces": "sends its answers cut into small pieces",
    "close": "closes the connection in the middle of a read",
    "reset": "resets the connection in the middle of a read",
    "garbage": "sends random bytes instead of its answers",
    "count": "sends a count that cannot be right",
    "echo": "echoes another command than the one it was asked",
    "busy": "sends status 1 with its calculations: leave me alone for five seconds",
    "refused": "refuses connections",
    "drip": "sends slowly, few bytes at a time",
    "grown": "answers with more sensors, as after an update of its firmware",
}

#: Faults after which what was sent is not what the source answered.
_DISTORTING = frozenset(("garbage", "count", "echo", "busy"))

#: Letters of the firmware that has more sensors, and the calculations where they stand.
_GROWN_FIRMWARE, _FIRMWARE = b"V3.92.3".ljust(10, b"\0"), slice(81, 91)

#: Bytes handed to the kernel at once where no fault asks for less.
_AT_ONCE = 1 << 16

#: Bits of one integer of each group of a dump.
_BITS = {"parameters": 32, "calculations": 32, "visibilities": 8}


class Dump:
    """Answers what a real controller once answered, from its JSON form, with a clock that goes on at every answer.

    The clock begins at the dump's own time or the first moment asked for, whichever is later, so that a simulator
    started again on the same journal does not repeat itself.

    Raises:
        LoggerError: the file is not a dump.
    """

    def __init__(self, path: Path) -> None:
        self._answer = _load(path)
        self._next: int | None = None

    def __call__(self, moment: datetime) -> Answer:
        self._next = 1 + (self._next or max(self._answer.calculations[_CLOCK], to_ms(moment) // 1000))
        return self.at(from_ms((self._next - 1) * 1000))

    def at(self, moment: datetime) -> Answer:
        """The same integers with a clock that is right: what it would have said at a moment."""
        calculations = list(self._answer.calculations)
        calculations[_CLOCK] = to_ms(moment) // 1000
        return Answer(self._answer.parameters, tuple(calculations), self._answer.visibilities)


def _load(path: Path) -> Answer:
    try:
        content = json.loads(path.read_bytes())
        if not isinstance(content, dict):
            raise LoggerError(f"{path}: not a dump of a controller")
        groups = [_group(content.get(name), name, bits) for name, bits in _BITS.items()]
    except (OSError, ValueError) as error:
        raise LoggerError(f"{path}: not a dump of a controller: {error}") from error
    return Answer(*groups)


def _group(values: object, name: str, bits: int) -> tuple[int, ...]:
    if not isinstance(values, list) or not values:
        raise ValueError(f"{name} is not a list of integers")
    limit = 1 << (bits - 1)
    for index, value in enumerate(values):
        if type(value) is not int or not -limit <= value < limit:
            raise ValueError(f"{name}[{index}] is {value!r}, not an integer of {bits} bits")
    if name == "calculations" and len(values) <= _CLOCK:
        raise ValueError(f"{name} has {len(values)} values and none for the controller's clock ({_CLOCK})")
    return tuple(values)


@dataclass(frozen=True)
class Fault:
    """One way to misbehave; each field beside the name matters to the faults its comment names.

    Raises:
        LoggerError: no fault has this name, or a number makes no sense.
    """

    name: str
    #: stall, close, reset: bytes of a read's answers that are still sent.
    at: int = 5000
    #: pieces: bytes of one piece after the other, over and over.
    sizes: Sequence[int] = (7,)
    #: count, echo: the command whose answer is wrong.
    command: int = CALCULATIONS
    #: count: what is sent as the count.
    count: int = 2**31 - 1
    #: drip: bytes a second.
    rate: int = 1000
    #: grown: parameters, calculations and visibilities, at least; and how many answers go out before.
    counts: tuple[int, int, int] = (1200, 268, 380)
    after: int = 0

    def __post_init__(self) -> None:
        if self.name not in FAULTS:
            raise LoggerError(f"no fault is named {self.name!r}", hint=f"one of {', '.join(FAULTS)}")
        if self.at < 0 or self.rate < 1 or not self.sizes or min(self.sizes) < 1 or self.command not in COMMANDS:
            raise LoggerError(f"a fault that cannot be: {self}")

    @property
    def distorts(self) -> bool:
        return self.name in _DISTORTING

    @property
    def cut(self) -> int | None:
        """After how many bytes of a read nothing more is sent; None: all are."""
        if self.name == "silent":
            return 0
        return self.at if self.name in ("stall", "close", "reset") else None

    @property
    def pieces(self) -> Sequence[int]:
        """Bytes that are sent at once, over and over; a drip falls twenty times a second, or slower."""
        if self.name == "drip":
            return (max(1, self.rate // 20),)
        return self.sizes if self.name == "pieces" else (_AT_ONCE,)


def frame(answer: Answer, command: int, fault: Fault | None = None) -> bytes:
    """One group of the answer as it goes over the wire, right or as wrong as the fault makes it."""
    groups = {PARAMETERS: answer.parameters, CALCULATIONS: answer.calculations, VISIBILITIES: answer.visibilities}
    values = groups[command]
    letter = "b" if command == VISIBILITIES else "i"
    sent = _head(command, len(values), fault) + struct.pack(f">{len(values)}{letter}", *values)
    if fault and fault.name == "garbage":
        return shake_128(sent).digest(len(sent))
    return sent


def _head(command: int, count: int, fault: Fault | None) -> bytes:
    name, wrong = (fault.name, fault.command == command) if fault else ("", False)
    if fault and name == "count" and wrong:
        count = fault.count
    echo = command + 1 if name == "echo" and wrong else command
    if command == CALCULATIONS:
        return struct.pack(">iii", echo, int(name == "busy"), count)
    return struct.pack(">ii", echo, count)


def grown(answer: Answer, counts: tuple[int, int, int]) -> Answer:
    """The answer with more sensors at each group's end, and the firmware's letters changed."""
    groups = answer.parameters, answer.calculations, answer.visibilities
    parameters, calculations, visibilities = (
        group + tuple(n % 5 for n in range(len(group), count)) for group, count in zip(groups, counts, strict=True)
    )
    letters = list(calculations)
    letters[_FIRMWARE] = _GROWN_FIRMWARE
    return Answer(parameters, tuple(letters), visibilities)


class Read:
    """One read of a client: the answer fixed for it, and the groups that it was told."""

    def __init__(self, answer: Answer, fault: Fault | None) -> None:
        self.answer = answer
        self.fault = fault
        self.told: set[int] = set()
        self.broken = False
        self._position = 0
        self._sizes = cycle(fault.pieces if fault else (_AT_ONCE,))

    @property
    def whole(self) -> bool:
        """Whether all that the source answered was told, and nothing else."""
        return len(self.told) == len(COMMANDS) and not self.broken and not (self.fault and self.fault.distorts)

    def pieces(self, command: int) -> Iterator[bytes]:
        """The group asked for, as far as the fault lets it be sent; `broken` when that is not its end."""
        group = frame(self.answer, command, self.fault)
        cut = self.fault.cut if self.fault else None
        room = len(group) if cut is None else min(len(group), cut - self._position)
        self.broken = room < len(group)
        self.told.add(command)
        self._position += len(group)
        at = 0
        while at < room:
            size = next(self._sizes)
            yield group[at : min(at + size, room)]
            at += size


@dataclass(frozen=True)
class Sent:
    """One line of the journal: when an answer was sent (UTC), the controller's clock in it, and its digest."""

    sent: str
    clock: int
    sha256: str


def read_journal(path: Path) -> list[Sent]:
    """Every answer that was sent, in order; a last line torn by a kill is passed over."""
    return [Sent(**json.loads(line)) for line in path.read_bytes().split(b"\n")[:-1]]


class Journal:
    """The file of `Sent` lines; an existing one is continued behind its last whole line.

    A line is one write, so that one is missing at most when the simulator is killed.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.ftruncate(self._file, path.read_bytes().rfind(b"\n") + 1)

    def add(self, answer: Answer, time_ms: int) -> None:
        clock = answer.calculations[_CLOCK] if len(answer.calculations) > _CLOCK else 0
        line = Sent(utc_text(time_ms), clock, sha256(answer.pack()).hexdigest())
        os.write(self._file, json.dumps(asdict(line)).encode() + b"\n")

    def close(self) -> None:
        os.close(self._file)
