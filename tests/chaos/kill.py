"""SIGKILL at random moments of a fast-running service, in its start and in its stop, on one growing folder.

The folder has some days of history, of which each round undoes some files: so every start makes daily and weekly files
and compresses shards while it polls, and is killed in that too.
"""

from __future__ import annotations

import random
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from pipeline.simulator import SimulatedPump
from tests.chaos import sigterm
from tests.chaos.examine import examine, only_reads
from tests.chaos.history import full_size, seed, undo
from tests.chaos.lives import Lives
from tests.chaos.tally import Attack, BrokenError, Tally
from tests.chaos.told import Told
from tests.running import fast_service, numbered

#: Seconds that a service may take to what a round waits for.
_PATIENCE_S = 60.0
#: Seconds between two polls.
_INTERVAL_S = 0.01
#: Numbers that the answers of one life may have; more than it lives to send.
_NUMBERS = 10_000

#: What a start tells first, and for how many seconds from then on a kill may come.
_STARTS = (
    ((), 0.3),
    (("starting",), 0.03),
    (("starting",), 0.15),
    (("rollup made", "controller answers"), 0.05),
    (("controller answers",), 0.05),
)

#: What a round does with a process, the pump it polls and its log, until the process is dead or told to die.
Blow = Callable[[subprocess.Popen[str], SimulatedPump, Told, random.Random], None]


def _at_work(process: subprocess.Popen[str], pump: SimulatedPump, told: Told, chance: random.Random) -> None:
    """After some answers, at any moment of the poll."""
    _await_answers(pump, chance.randrange(1, 16))
    time.sleep(chance.random() * 0.02)
    process.kill()


def _at_start(process: subprocess.Popen[str], pump: SimulatedPump, told: Told, chance: random.Random) -> None:
    """From the moment on at which folders are locked and threads started; before that only now and then."""
    events, seconds = chance.choice(_STARTS)
    if events:
        told.wait_for(lambda line: line["event"] in events, f"of {events}", _PATIENCE_S)
    time.sleep(chance.random() * seconds)
    process.kill()


def _at_stop(process: subprocess.Popen[str], pump: SimulatedPump, told: Told, chance: random.Random) -> None:
    """After SIGTERM; where the stop was faster than the blow, it was a stop like any other."""
    _await_answers(pump, chance.randrange(1, 8))
    process.send_signal(signal.SIGTERM)
    time.sleep(chance.random() * 0.04)
    process.kill()


def _await_answers(pump: SimulatedPump, count: int) -> None:
    if not pump.wait_for(count, _PATIENCE_S):
        raise BrokenError(f"the service asked for {pump.answers} answers in {_PATIENCE_S:.0f} s")


def _run(folder: Path, rounds: range, *, blow: Blow) -> Tally:
    data, journal = folder / "data", folder / "journal"
    if not journal.exists():
        seed(data, journal)
    lives = Lives(folder / "lives", journal)
    connections = max((life.connections for life in lives.all()), default=0)
    for number in rounds:
        chance = random.Random(number)
        undo(data, chance)
        lives.begin(number, connections)
        source = numbered(full_size, len(lives.all()) * _NUMBERS)
        # A pump for each life: when it has stopped, the journal has all that this life was sent.
        with SimulatedPump(source, journal=journal) as pump:
            _live(data, pump, blow, chance)
        connections += only_reads(pump)
    ends, unheard = lives.ends(), lives.broken_off()
    tally = examine(data, journal, rounds=rounds.stop, ends=ends, unheard=unheard)
    return replace(tally, connections=connections)


def _live(data: Path, pump: SimulatedPump, blow: Blow, chance: random.Random) -> None:
    """One life: how it ended must be the blow or a sound stop, and its log must know of no error."""
    with fast_service(data, pump, interval_s=_INTERVAL_S, COMPRESS_AFTER_DAYS="1", BUFFER_SAMPLES="1") as process:
        told = Told(process.stderr)
        blow(process, pump, told, chance)
        code = process.wait(_PATIENCE_S)
        lines = told.end()
    if code not in (-signal.SIGKILL, 0):
        raise BrokenError(f"exit code {code} after {lines[-3:]}")
    if wrong := [line for line in lines if line["level"] in ("error", "critical")]:
        raise BrokenError(f"the log tells of errors where none was: {wrong}")


def _attack(name: str, about: str, blow: Blow, share: float) -> Attack:
    return Attack(1, name, about, partial(_run, blow=blow), share=share, batch=100, short=2, grows=True)


ATTACKS = (
    _attack("kill", "SIGKILL at random moments", _at_work, 1.0),
    _attack("kill-at-start", "SIGKILL in the start", _at_start, 0.4),
    _attack("kill-at-stop", "SIGKILL in the stop", _at_stop, 0.3),
    sigterm.ATTACK,
)
