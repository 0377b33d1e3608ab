"""Troubles of the network and the pump, each between healthy answers, under a service that is never started again.

Each trouble must be told in clear words, and polling must go on at the first free slot after each failed read. Every
answer that was sent whole must be stored once, and none that was not.
"""

from __future__ import annotations

import random
import re
import signal
import subprocess
from dataclasses import replace
from functools import partial
from pathlib import Path

from pipeline.simulator import Fault, SimulatedPump
from tests.chaos import every_byte
from tests.chaos.examine import examine, only_reads, settle, unstored
from tests.chaos.history import full_size
from tests.chaos.tally import Attack, BrokenError, Tally
from tests.chaos.told import Line, Told, told_late
from tests.chaos.troubles import DEADLINE, Trouble, trouble
from tests.resolver import NAME, Names
from tests.running import fast_service, numbered

#: Seconds that a service may take to what a round waits for.
_PATIENCE_S = 60.0
#: Seconds that a stop may take.
_STOP_S = 5.0
#: Seconds between two polls.
_INTERVAL_S = 0.05
#: Bytes of an answer on the wire.
_BYTES = 8 + 4 * 1126 + 12 + 4 * 260 + 8 + 355

_GIVEN_UP, _WELL_AGAIN, _CONTROLLER = "poll given up", "pump works again", "controller answers"


def _run(folder: Path, rounds: range) -> Tally:
    data, journal, names = folder / "data", folder / "journal", Names(folder / "names")
    service = partial(fast_service, HOST=NAME, TIMEOUT_SEC="1", RETRIES="0", LOG_LEVEL="debug")
    with SimulatedPump(numbered(full_size), journal=journal) as pump:
        set_in(trouble(rounds.start, _BYTES), pump, names)  # so each batch starts in another trouble
        with service(data, pump, names.argument, interval_s=_INTERVAL_S) as process:
            told = Told(process.stderr)
            for number in rounds:
                _round(trouble(number, _BYTES), random.Random(number), pump, names, told)
            lines = _stop(process, pump, told)
    _check(lines)
    settle(data)
    reported = told_late(unstored(data, journal), lines)
    return replace(examine(data, journal, rounds=len(rounds), reported=reported), connections=only_reads(pump))


def set_in(now: Trouble, pump: SimulatedPump, names: Names) -> None:
    """Let a trouble hold from the next read on."""
    names.answer(now.names)
    pump.fault = now.fault


def _round(now: Trouble, chance: random.Random, pump: SimulatedPump, names: Names, told: Told) -> None:
    begun = told.count()
    set_in(now, pump, names)
    if now.words:
        last = begun
        for _ in range(chance.randrange(1, 6) if now.at_once else 1):
            last = 1 + told.wait_for(lambda line: _failed(line, now.words), f"of {now}", _PATIENCE_S, since=last)
    else:
        _await_answers(pump, chance.randrange(1, 6))
        last = _await_controller(now, told, begun)
    set_in(Trouble(), pump, names)
    if now.words:
        over = told.wait_for(lambda line: line["event"] == _WELL_AGAIN, f"the end of {now}", _PATIENCE_S, since=last)
        _check_told(now, told.lines(begun, over + 1))
    else:
        _await_controller(now, told, last)
    _await_answers(pump, 1)


def _await_answers(pump: SimulatedPump, more: int) -> None:
    """Wait for so many answers whose reads began after this moment: one may have begun before."""
    if not pump.wait_for(pump.answers + 1 + more, _PATIENCE_S):
        raise BrokenError(f"polling did not go on within {_PATIENCE_S:.0f} s")


def _await_controller(now: Trouble, told: Told, since: int) -> int:
    """Where another firmware answers, the log says so, at its coming and at its going."""
    if not now.fault or now.fault.name != "grown":
        return since
    return 1 + told.wait_for(lambda line: line["event"] == _CONTROLLER, f"of {now}", _PATIENCE_S, since=since)


def _failed(line: Line, words: str) -> bool:
    return line["event"] == _GIVEN_UP and re.search(words, line["error"]) is not None


def _check_told(now: Trouble, lines: list[Line]) -> None:
    """What the log told from a trouble's beginning to the line that says it is over."""
    failures = [line for line in lines if line["event"] == _GIVEN_UP]
    # The deadline of any read may pass on a machine that is too busy; that is told, and held against the answers.
    if strange := [line for line in failures if not _failed(line, f"{now.words}|{DEADLINE}")]:
        raise BrokenError(f"{now} was told in other words: {strange[0]}")
    if not any(line["level"] == "error" and "gap_from" in line for line in failures) or not lines[-1]["missed"]:
        raise BrokenError(f"{now} and its gap were not told to everybody: {failures} {lines[-1]}")


def _check(lines: list[Line]) -> None:
    """What holds for the whole log: no other errors, and after each failed read the next slot of the grid."""
    for line in lines:
        if line["event"] == _GIVEN_UP and line["next_poll_s"] > _INTERVAL_S + 1e-6:
            raise BrokenError(f"a free slot was left unused: {line}")
        if line["level"] in ("error", "critical") and line["event"] != _GIVEN_UP:
            raise BrokenError(f"the log tells of an error that is none of the pump: {line}")


def _stop(process: subprocess.Popen[str], pump: SimulatedPump, told: Told) -> list[Line]:
    """Stop while nothing is answered, so that no answer is under way; gives the log."""
    since = told.count()
    pump.fault = Fault("refused")
    told.wait_for(lambda line: _failed(line, "refused"), "of the refusal", _PATIENCE_S, since=since)
    process.send_signal(signal.SIGTERM)
    try:
        code = process.wait(_STOP_S)
    except subprocess.TimeoutExpired as error:
        raise BrokenError(f"the service did not stop within {_STOP_S} s") from error
    lines = told.end()
    if code:
        raise BrokenError(f"exit code {code}: {lines[-3:]}")
    return lines


ATTACKS = (
    Attack(4, "network", "troubles of network and pump, one after the other", _run, share=0.3, batch=20, short=3),
    every_byte.ATTACK,
)
