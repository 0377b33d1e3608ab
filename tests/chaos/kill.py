"""SIGKILL at random moments of a fast-running service, in its start and in its stop; SIGTERM while a read hangs."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from pathlib import Path

from pipeline.house import House
from pipeline.simulator import SimulatedPump
from tests.chaos.examine import examine, only_reads
from tests.chaos.tally import Attack, Tally
from tests.running import fast_service, numbered


def _run(folder: Path, rounds: range) -> Tally:
    data, journal = folder / "data", folder / "journal"
    with SimulatedPump(numbered(House().answer_at), journal=journal) as pump:
        for number in rounds:
            chance = random.Random(number)
            with fast_service(data, pump, interval_s=0.01) as process:
                assert pump.wait_for(pump.answers + chance.randrange(1, 25), 30)
                time.sleep(chance.random() * 0.02)
                process.kill()
    tally = examine(data, journal, rounds=rounds.stop, kills=rounds.stop)
    return replace(tally, connections=only_reads(pump))


ATTACKS = (Attack(1, "kill", "SIGKILL at random moments", _run, batch=50, short=3, grows=True),)
