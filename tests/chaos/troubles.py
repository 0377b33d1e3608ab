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


@dataclass(frozen=True)
class Draw:
    """What a kind of trouble is made from: chance, bytes of the pump's answer, and how often its turn was before."""

    chance: random.Random
    size: int
    turn: int

    @property
    def place(self) -> int:
        """Somewhere in the answer, not behind its last byte."""
        return self.chance.randrange(self.size)


def _silent(_: Draw) -> Trouble:
    return Trouble(Fault("silent"), words=DEADLINE, at_once=False)


def _stall(draw: Draw) -> Trouble:
    return Trouble(Fault("stall", at=draw.place), words=DEADLINE, at_once=False)


def _drip(_: Draw) -> Trouble:
    return Trouble(Fault("drip", rate=1), words=DEADLINE, at_once=False)


def _close(draw: Draw) -> Trouble:
    return Trouble(Fault("close", at=draw.place), words="the pump closed the connection")


def _reset(draw: Draw) -> Trouble:
    return Trouble(Fault("reset", at=draw.place), words="the connection broke|the pump closed")


def _garbage(_: Draw) -> Trouble:
    return Trouble(Fault("garbage"), words="an answer to -?[0-9]+ where 3003 was asked")


def _count(draw: Draw) -> Trouble:
    each, which = divmod(draw.turn, len(_COUNTS))
    count, command = _COUNTS[which], COMMANDS[each % len(COMMANDS)]
    return Trouble(Fault("count", command=command, count=count), words=f"a count of {count}, outside")


def _echo(draw: Draw) -> Trouble:
    command = COMMANDS[draw.turn % len(COMMANDS)]
    return Trouble(Fault("echo", command=command), words=f"where {command} was asked")


def _busy(_: Draw) -> Trouble:
    return Trouble(Fault("busy"), words=r"busy \(status 1\)")


def _refused(_: Draw) -> Trouble:
    # One that knocked when the door was closed is reset.
    return Trouble(Fault("refused"), words="no connection: .*refused|the connection broke|the pump closed")


def _nameless(_: Draw) -> Trouble:
    return Trouble(names="fail", words="name look-up: .*not known")


def _look_up_hangs(_: Draw) -> Trouble:
    return Trouble(names="hang", words="did not resolve before the deadline", at_once=False)


def _pieces(draw: Draw) -> Trouble:
    sizes = tuple(draw.chance.randrange(1, 200) for _ in range(draw.chance.randrange(1, 9)))
    return Trouble(Fault("pieces", sizes=sizes))


def _grown(_: Draw) -> Trouble:
    return Trouble(Fault("grown"))


_KINDS: tuple[Callable[[Draw], Trouble], ...] = (
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
    """The trouble of a round, with a pump whose answers have so many bytes: each kind in turn."""
    turn, kind = divmod(number, len(_KINDS))
    return _KINDS[kind](Draw(random.Random(number), size, turn))
