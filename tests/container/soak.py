"""The image over a longer time: under the limits of compose.yaml with nothing but the pump's address, and a week in
minutes."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

from pipeline.house import House
from pipeline.simulator import SimulatedPump
from tests.container.engine import IMAGE, PUMP_HOST, WAY_TO_PUMP, Container, docker, limits, running, started, until
from tests.container.fast_week import READINGS, ROLLUPS
from tests.container.rig import SOON_S, everything, own, pump

#: Port of every real controller, which the image asks when nobody names another.
_PORT = 8889
#: Seconds of the first run, and the readings that are missing at the most in them: one at each end.
_PLAIN_S, _INTERVAL_S = 600, 30
#: Seconds that the week may take.
_WEEK_S = 3000
#: From the middle of the week to its end, kB: what the allocator keeps, one step of Python's table of names, and the
#: rows known of a day.
_GROWTH_KB = 5_000
#: Blocks of Python's allocator more than three days before, when as many rows were known; one kept of each reading
#: would be 9600.
_APART_DAYS, _GROWTH_BLOCKS = 3, 6_000
_SCRIPT = Path(__file__).with_name("fast_week.py")


def ten_minutes_under_the_limits_with_nothing_but_the_address(_: Path) -> str:
    with (
        SimulatedPump(House().answer_at, host="0.0.0.0", port=_PORT),
        running("plain", *limits(), WAY_TO_PUMP, f"--env=LUX_HOST={PUMP_HOST}", IMAGE) as container,
    ):
        most_mb = _watched(container)
        found = json.loads(container.exec("python", "-m", "pipeline", "status", "--json"))
        assert (found["status"], found["polls"]["missed"]) == ("ok", 0), found
        assert found["polls"]["stored"] >= _PLAIN_S // _INTERVAL_S, found
        assert set(found["restarts"].values()) == {0}, found
        assert " ERROR " not in container.logs()
        assert container.inspect("{{.State.OOMKilled}} {{.RestartCount}}") == "false 0"
    return f"{found['polls']['stored']} readings, at most {most_mb:.0f} MB"


def _watched(container: Container) -> float:
    """The most memory in MB that Docker tells of over ten minutes in which it is never unhealthy."""
    end, most_mb = time.monotonic() + _PLAIN_S, 0.0
    until(lambda: container.health == "healthy", 2 * SOON_S, "healthy")
    while time.monotonic() < end:
        assert container.health == "healthy", container.last_check
        used = re.match(r"([\d.]+)MiB", docker("stats", "--no-stream", "--format", "{{.MemUsage}}", container.name))
        assert used
        most_mb = max(most_mb, float(used[1]) * 1.048576)
    return most_mb


def a_week_in_minutes_with_memory_flat(folder: Path) -> str:
    data = own(folder / "data")
    with pump(folder) as (_, environ, journal):
        more = (f"--volume={_SCRIPT}:/fast_week.py:ro", "--env=PYTHONPATH=/app", "--entrypoint=python")
        with started("week", environ, data, "/fast_week.py", more=more) as container:
            until(lambda: container.inspect("{{.State.Running}}") == "false", _WEEK_S, "20160 readings")
            told = [json.loads(line) for line in container.logs().splitlines() if line.startswith("{")]
            assert container.exit_code == 0, container.logs()
        found = everything(data, journal)
    assert found.once >= READINGS
    assert told[-1]["daily"] >= ROLLUPS, told[-1]
    middle = next(one["rss_kb"] for one in told if one["readings"] >= READINGS / 2)
    growth = told[-1]["rss_kb"] - middle
    assert growth <= _GROWTH_KB, told
    before = min(told, key=lambda one: abs(told[-1]["day"] - _APART_DAYS - one["day"]))
    blocks = told[-1]["blocks"] - before["blocks"]
    assert blocks <= _GROWTH_BLOCKS, told
    memory = f"{middle / 1e3:.0f} MB in the middle, at the end {growth} kB more, {blocks} blocks more in three days"
    return f"{found.once} readings, {told[-1]['daily']} dailies, {memory}"
