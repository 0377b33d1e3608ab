"""Every trouble that a network or a pump can make between healthy answers, and the words that the log has for it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from pipeline.simulator import Fault
from pipeline.simulator_answers import COMMANDS

#: What the log says where a deadline passed in the middle of a read.
DEADLINE = "no whole answer before the deadline"
#: Counts that cannot be right: none, negative, the least that is too large, the largest that fits.
_COUNTS = (0, -1, -(2**31), 10_001, 2**31 - 1)


@dataclass(frozen=True)
class Trouble:
    """A fault of the pump or an answer of the name server; `words` is a pattern for what the log calls the error.

    Without words it is none: every answer is whole and must be stored. `at_once` says that a read fails without
    waiting for its deadline.
    """

    fault: Fault | None = None
    names: str = "well"
    words: str = ""
    at_once: bool = True


def _silent(_chance: random.Random, _size: int) -> Trouble:
    return Trouble(Fault("silent"), words=DEADLINE, at_once=False)


def _stall(chance: random.Random, size: int) -> Trouble:
    return Trouble(Fault("stall", at=chance.randrange(size)), words=DEADLINE, at_once=False)


def _drip(_chance: random.Random, _size: int) -> Trouble:
    return Trouble(Fault("drip", rate=1), words=DEADLINE, at_once=False)


def _close(chance: random.Random, size: int) -> Trouble:
    return Trouble(Fault("close", at=chance.randrange(size)), words="the pump closed the connection")


def _reset(chance: random.Random, size: int) -> Trouble:
    return Trouble(Fault("reset", at=chance.randrange(size)), words="the connection broke|the pump closed")


def _garbage(_chance: random.Random, _size: int) -> Trouble:
    return Trouble(Fault("garbage"), words="an answer to -?[0-9]+ where 3003 was asked")


def _count(chance: random.Random, _size: int) -> Trouble:
    count, command = chance.choice(_COUNTS), chance.choice(COMMANDS)
    return Trouble(Fault("count", command=command, count=count), words=f"a count of {count}, outside")


def _echo(chance: random.Random, _size: int) -> Trouble:
    command = chance.choice(COMMANDS)
    return Trouble(Fault("echo", command=command), words=f"where {command} was asked")


def _busy(_chance: random.Random, _size: int) -> Trouble:
    return Trouble(Fault("busy"), words=r"busy \(status 1\)")


def _refused(_chance: random.Random, _size: int) -> Trouble:
    # One that knocked when the door was closed is reset.
    return Trouble(Fault("refused"), words="no connection: .*refused|the connection broke|the pump closed")


def _nameless(_chance: random.Random, _size: int) -> Trouble:
    return Trouble(names="fail", words="name look-up: .*not known")


def _look_up_hangs(_chance: random.Random, _size: int) -> Trouble:
    return Trouble(names="hang", words="did not resolve before the deadline", at_once=False)


def _pieces(chance: random.Random, _size: int) -> Trouble:
    return Trouble(Fault("pieces", sizes=tuple(chance.randrange(1, 200) for _ in range(chance.randrange(1, 9)))))


def _grown(_chance: random.Random, _size: int) -> Trouble:
    return Trouble(Fault("grown"))


_KINDS: tuple[Callable[[random.Random, int], Trouble], ...] = (
    _nameless,
    _count,
    _stall,
    _refused,
    _pieces,
    _reset,
    _silent,
    _grown,
    _close,
    _echo,
    _drip,
    _garbage,
    _look_up_hangs,
    _busy,
)


def trouble(number: int, size: int) -> Trouble:
    """The trouble of a round, with a pump whose answers have so many bytes."""
    return _KINDS[number % len(_KINDS)](random.Random(number), size)
