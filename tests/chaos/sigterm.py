"""SIGTERM while a read stalls, drips or meets silence, and while a name look-up hangs: nothing at all may be lost."""

from __future__ import annotations

import random
import signal
import subprocess
import threading
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from pipeline.reading import Answer
from pipeline.simulator import Fault, SimulatedPump
from pipeline.simulator_answers import Source
from tests.chaos.examine import examine, only_reads
from tests.chaos.history import full_size
from tests.chaos.tally import Attack, BrokenError, Tally
from tests.chaos.told import Told
from tests.resolver import NAME, Names
from tests.running import fast_service, numbered

#: Seconds that a stop may take.
_STOP_S = 5.0
#: Seconds that a service may take to the moment at which it hangs.
_PATIENCE_S = 60.0
#: Bytes of the pump's answers, about: a stall is somewhere before.
_BYTES = 5900


class _Trap:
    """Healthy answers up to a number; what is asked for after them hangs.

    The fault is set in the middle of the last healthy read and holds from the next one on: so each answer that was
    sent whole was followed by another read, and must be stored.
    """

    def __init__(self, source: Source, healthy: int, fault: Fault | None, names: Names) -> None:
        self._source = source
        self._healthy = healthy
        self._fault = fault
        self._names = names
        self._given = 0
        self.pump: SimulatedPump | None = None
        self.sprung = threading.Event()

    def __call__(self, moment: datetime) -> Answer:
        self._given += 1
        if self._given > self._healthy:
            self.sprung.set()
        elif self._given == self._healthy and self._fault and self.pump:
            self.pump.fault = self._fault
        elif self._given == self._healthy:
            self._names.answer("hang")
        return self._source(moment)

    def wait(self) -> None:
        """Return once the service hangs.

        Raises:
            BrokenError: it never did.
        """
        until = time.monotonic() + _PATIENCE_S
        while not self.sprung.wait(0.005) and (self._fault or self._names.asked <= self._healthy):
            if time.monotonic() > until:
                raise BrokenError(f"the service did not come to hang at {self._fault or 'a name look-up'}")


def _run(folder: Path, rounds: range) -> Tally:
    data, journal, connections = folder / "data", folder / "journal", 0
    source = numbered(full_size)
    for number in rounds:
        chance, names = random.Random(number), Names(folder / f"names-{number}")
        faults = (Fault("stall", at=chance.randrange(_BYTES)), None, Fault("silent"), Fault("drip", rate=1))
        trap = _Trap(source, chance.randrange(1, 8), faults[number % len(faults)], names)
        with SimulatedPump(trap, journal=journal) as pump:
            trap.pump = pump
            with fast_service(data, pump, names.argument, interval_s=0.01, HOST=NAME) as process:
                told = Told(process.stderr)
                trap.wait()
                time.sleep(chance.random() * 0.05)
                _stop(process, told)
        connections += only_reads(pump)
    return replace(examine(data, journal, rounds=len(rounds)), connections=connections)


def _stop(process: subprocess.Popen[str], told: Told) -> None:
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    try:
        code = process.wait(_STOP_S)
    except subprocess.TimeoutExpired as error:
        raise BrokenError(f"the service did not stop within {_STOP_S} s") from error
    seconds, lines = time.monotonic() - began, told.end()
    if code or lines[-1]["event"] != "stopped" or any(line["level"] == "error" for line in lines):
        raise BrokenError(f"exit code {code} after {seconds:.1f} s: {lines[-3:]}")


ATTACK = Attack(1, "sigterm", "SIGTERM while a read or a name look-up hangs", _run, share=0.2, batch=20, short=2)
