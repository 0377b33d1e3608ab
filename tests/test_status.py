"""`status` as a person and a program call it: beside a running service, a killed one, and where none ever ran."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline import service, settings, state, status
from pipeline.house import House
from pipeline.simulator import Fault, SimulatedPump
from tests.parts import open_shards, reading
from tests.running import environment, fast_service, numbered
from tests.test_cli import call

MEMBERS = ["status", "reasons", "last_reading", "queue", "restarts", "gaps", "losses", "archive", "quality", "disk"]


@pytest.fixture
def simulated() -> Iterator[SimulatedPump]:
    with SimulatedPump(numbered(House().answer_at)) as server:
        yield server


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def asked(env: dict[str, str]) -> tuple[int, dict[str, Any]]:
    done = call("status", "--json", env=env)
    return done.returncode, json.loads(done.stdout)


def until(condition: Callable[[], object], process: subprocess.Popen[str]) -> None:
    while not condition():
        assert process.poll() is None


def published(data: Path) -> dict[str, Any]:
    return state.load(data) or {"polls": {"stored": 0}}


def test_running_service_is_ok_and_a_stopped_one_is_not(data: Path, simulated: SimulatedPump) -> None:
    env = environment(data, simulated.address)
    with fast_service(data, simulated) as process:
        until(lambda: published(data)["polls"]["stored"] >= 3, process)
        code, found = asked(env)
        process.send_signal(signal.SIGTERM)
        process.wait(8)
    assert (code, found["status"], found["reasons"]) == (0, "ok", [])
    assert set(MEMBERS) <= set(found)
    assert set(found["queue"]) == {"depth", "oldest", "newest", "bytes", "quarantined", "in_memory"}
    assert found["restarts"] == {"poller": 0, "writer": 0, "rollup": 0, "backfill": 0}
    assert found["pump"]["firmware"] == "V3.88"
    found = status.collect(settings.load(env), datetime.now(UTC))
    assert (found["status"], found["reasons"]) == ("failing", [f"no service runs on {data}"])
    assert found["queue"]["depth"] == 0


def test_person_reads_what_is_missing_and_why(data: Path, simulated: SimulatedPump) -> None:
    env = environment(data, simulated.address)
    with fast_service(data, simulated, RETRIES="0") as process:
        assert simulated.wait_for(3, 8)
        simulated.fault = Fault("refused")
        until(lambda: (published(data).get("gaps") or {}).get("open"), process)
        shown = call("status", env=env).stdout
    assert shown.split()[:2] == ["status", "ok"]
    assert "pump_refused" in shown
    assert "firmware V3.88" in shown


def test_folder_without_a_service_tells_what_rests_there(data: Path, tmp_path: Path) -> None:
    open_shards(data).append([reading(0)])
    found = status.collect(settings.load({"LUX_DATA_DIR": str(data)}), datetime.now(UTC))
    assert list(found) == MEMBERS
    assert (found["status"], found["last_reading"]) == ("failing", "2026-01-05T11:00:00.000Z")
    assert found["disk"]["data"] > 0
    nowhere = status.collect(settings.load({"LUX_DATA_DIR": str(tmp_path / "nowhere")}), datetime.now(UTC))
    assert (nowhere["last_reading"], nowhere["queue"]["depth"]) == (None, 0)
    assert nowhere["disk"]["data"] == 0
    assert nowhere["disk"]["free"] > 0
    assert not (tmp_path / "nowhere").exists()


def test_service_that_told_nothing_for_long_is_failing(data: Path, simulated: SimulatedPump) -> None:
    with fast_service(data, simulated) as process:
        until(lambda: published(data)["polls"]["stored"] >= 1, process)
        process.send_signal(signal.SIGSTOP)
        later = datetime.now(UTC) + timedelta(minutes=2)
        found = status.collect(settings.load(environment(data, simulated.address)), later)
    assert found["status"] == "failing"
    assert [reason.partition(" for ")[0] for reason in found["reasons"]] == ["the service has not told its state"]


@pytest.mark.parametrize(
    ("seconds", "text"), [(-5, "0 s"), (59, "59 s"), (600, "10 minutes"), (86_400, "24 hours"), (864_000, "10 days")]
)
def test_time_spans_are_told_in_their_largest_unit(seconds: float, text: str) -> None:
    assert status.duration(seconds) == text


def test_every_line_for_a_person_fits_what_is_there() -> None:
    gap = {"from": "2026-01-05T11:00:00.000Z", "to": "2026-01-05T11:10:00.000Z", "missing": 19, "reason": "logger_off"}
    document = {
        **state.verdict(["stage writer has not moved for 200 s"]),
        "last_reading": "2026-01-05T11:00:00.000Z",
        "queue": {"depth": 7, "in_memory": 2},
        "restarts": {"poller": 0, "writer": 3},
        "gaps": {
            "today": 21,
            "today_filled": 12,
            "open": gap,
            "reasons": {"logger_off": {"gaps": 1, "missing": 19}},
            "last": gap,
        },
        "losses": {"disk": 4, "quarantined": 1},
        "archive": {"days": 1, "due": 2},
        "quality": {
            "days": 2,
            "steps": {"ID_WEB_WMZ_Heizung": {"falls": 1, "jumps": 2, "returns": 0, "last": "2026-01-05T11:00:00.000Z"}},
            "not_fitted": ["ID_WEB_Temperatur_TSK", "ID_WEB_Temperatur_TSS"],
        },
        "disk": {"free": 12_300_000_000, "total": 60_000_000_000, "data": 650_000_000},
    }
    lines = status.shown(document, datetime(2026, 1, 5, 11, 2, tzinfo=UTC)).splitlines()
    assert [" ".join(line.split()) for line in lines] == [
        "status failing",
        "stage writer has not moved for 200 s",
        "last reading 2026-01-05T11:00:00.000Z, 2 minutes ago",
        "queue 7 readings on disk, 2 in memory",
        "gaps today 21 polls without a reading, 12 filled from the controller's log",
        "gap now since 2026-01-05T11:00:00.000Z, 19 polls, logger_off",
        "logger_off 1 gap, 19 polls still missing",
        "last gap 2026-01-05T11:00:00.000Z to 2026-01-05T11:10:00.000Z, 19 polls, logger_off",
        "lost 4 readings to the disk, 1 piece in quarantine",
        "archive 1 day, 2 days left to archive",
        "marked 3 impossible steps of ID_WEB_WMZ_Heizung",
        "not fitted 2 sensors, each always one and the same constant",
        "restarts writer 3",
        "disk 12.3 GB of 60.0 GB free, 650.0 MB in use here",
    ]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ((), {}),
        (("gaps",), 5),
        (("gaps", "open"), {"from": "now"}),
        (("gaps", "reasons"), {"pump": 1}),
        (("last_reading",), "nonsense"),
        (("last_reading",), 7),
        (("queue", "depth"), "many"),
        (("reasons",), [1]),
        (("restarts",), {"writer": None}),
        (("written",), "2026"),
        (("quality", "steps"), {"calculation_10": {}}),
        (("disk", "free"), True),
    ],
)
def test_state_of_another_form_counts_as_none(
    data: Path, simulated: SimulatedPump, path: tuple[str, ...], value: object
) -> None:
    open_shards(data).append([reading(0, 1)])
    built = service.build(settings.load(environment(data, simulated.address)))
    document = json.loads(json.dumps(built.watch.document(0.0)))
    built.queue.close()
    assert state.fits(document)
    inner = document
    for name in path[:-1]:
        inner = inner[name]
    inner |= {path[-1]: value} if path else {}
    state.publish(data, document if path else {}, durable=False)
    chosen = settings.load(environment(data, simulated.address))
    found = status.collect(chosen, datetime.now(UTC))
    assert found["last_reading"] == "2026-01-05T11:00:00.000Z"
    assert "written" not in found
    assert "no service runs" in status.shown(found)
