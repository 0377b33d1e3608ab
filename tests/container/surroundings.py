"""What must hold of the image in the surroundings that people give it: folders, users, limits, compose."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from pipeline import history, service, settings
from pipeline.house import House
from pipeline.simulator import SimulatedPump
from tests.container.engine import (
    IMAGE,
    OWNER,
    PREFIX,
    PUMP_HOST,
    WAY_TO_PUMP,
    Container,
    EngineError,
    compose,
    docker,
    limits,
    options,
    started,
    until,
)
from tests.container.rig import SOON_S, everything, own, pump
from tests.running import ROOT

#: Memory in which the service runs and no Stata file is made.
_TIGHT = "100m"


def folder_of_another_owner_is_told_with_what_mends_it(folder: Path) -> str:
    data = folder / "data"
    data.mkdir()
    os.chown(data, 0, 0)
    (data / ".lock").touch(0o600)
    mend = f"sudo chown -R {OWNER[0]}:{OWNER[1]}"
    with pump(folder) as (simulated, environ, _):
        line = _refused(environ, data, code=2)
        assert f"user 1000 may not write /data, which belongs to user 0: {mend} /data" in line, line
        os.chown(data, *OWNER)  # not with all that is in it
        inside = _refused(environ, data, code=1)
        assert f"user 1000 may not write /data/.lock, which belongs to user 0: {mend} /data/.lock" in inside, inside
        own(data)
        with started("mended", environ, data):
            assert simulated.wait_for(1, SOON_S)
    return line.partition(", but ")[2]


def _refused(environ: dict[str, str], data: Path, code: int) -> str:
    """The one line with which a service ends at once."""
    words = ["docker", "run", "--rm", *options(environ, data), IMAGE]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert done.returncode == code, done
    *log, line = done.stderr.splitlines()
    assert all(" INFO " in each or " WARNING " in each for each in log), done
    return line


def any_other_user_works_too(folder: Path) -> str:
    data = folder / "data"
    data.mkdir()
    os.chown(data, 4711, 100)
    with pump(folder) as (simulated, environ, journal):
        with started("user", environ, data, more=("--user=4711:100",)) as container:
            assert simulated.wait_for(2, SOON_S)
            docker("stop", container.name)
        everything(data, journal)
    assert {path.stat().st_uid for path in data.rglob("*")} == {4711}
    return "user 4711"


def check_command_asks_the_pump(folder: Path) -> str:
    with pump(folder) as (_, environ, __):
        words = [f"--env={name}={value}" for name, value in environ.items()]
        said = docker("run", "--rm", *limits(), WAY_TO_PUMP, *words, IMAGE, "check")
    assert "firmware V3" in said, said
    with pytest.raises(EngineError, match="exit code 1"):
        docker("run", "--rm", "--env=LUX_HOST=127.0.0.1", IMAGE, "check")
    return "found it, and missed one that is not there"


def two_exports_at_once_stay_within_the_memory(folder: Path) -> str:
    with _two_days("exports", folder) as (_, container, client):
        refused = client.get("/api/export", params={"format": "dta"})
        assert refused.status_code == 400, refused.text
        (most,) = re.findall(r"(\d+) sensors over these", refused.text)
        names = [sensor["name"] for sensor in client.get("/api/sensors").json()["sensors"]][: int(most)]
        with ThreadPoolExecutor(2) as pool:
            asked = [pool.submit(_export, client, names) for _ in range(2)]
            sizes = [one.result() for one in asked]
        assert client.get("/health").json()["status"] == "ok"
        assert container.inspect("{{.State.OOMKilled}} {{.RestartCount}}") == "false 0"
    return f"two Stata files of {most} sensors, {sizes[0] / 1e6:.0f} MB each"


def memory_that_runs_out_ends_an_export_and_no_poll(folder: Path) -> str:
    tight = (f"--memory={_TIGHT}", f"--memory-swap={_TIGHT}")
    with _two_days("tight", folder, *tight) as (simulated, container, client):
        refused = client.get("/api/export", params={"format": "dta", "sensors": "*"})
        told = refused.json()["error"]
        assert (refused.status_code, "memory runs out" in told["message"]) == (500, True), refused.text
        polled = simulated.answers
        assert simulated.wait_for(polled + 2, SOON_S)
        assert client.get("/health").json()["status"] == "ok"
        assert container.inspect("{{.RestartCount}} {{.State.Running}}") == "0 true"
    return f"{_TIGHT}: {told['message']}"


@contextmanager
def _two_days(name: str, folder: Path, *more: str) -> Iterator[tuple[SimulatedPump, Container, httpx.Client]]:
    """A pump, a healthy container that has two days behind it, and a client of its page."""
    data = folder / "data"
    _fill(data, days=2)
    with (
        pump(folder) as (simulated, environ, _),
        started(name, environ, own(data), more=more) as container,
        container.client() as client,
    ):
        until(lambda: container.health == "healthy", SOON_S, "healthy")
        yield simulated, container, client


def _export(client: httpx.Client, names: list[str]) -> int:
    found = client.get("/api/export", params={"format": "dta", "sensors": ",".join(names)})
    assert found.status_code == 200, found.text
    return len(found.content)


def _fill(data: Path, days: int) -> None:
    """Some days of a simulated house, up to now."""
    now = datetime.now(UTC)
    environ = {"LUX_HOST": "127.0.0.1", "LUX_DATA_DIR": str(data), "LUX_TIMEZONE": "Europe/Berlin"}
    chosen = settings.load(environ)
    built = service.build(chosen)
    history.fill(
        built,
        chosen,
        House().answer_at,
        since=now - timedelta(days=days),
        until=now,
        progress=lambda _done, _total: None,
        stopping=lambda: False,
    )
    built.queue.close()


def compose_file_starts_it_and_stops_it(folder: Path) -> str:
    program = compose()
    environ = os.environ | {"LUX_IMAGE": IMAGE, "LUX_HOST": PUMP_HOST, "COMPOSE_PROJECT_NAME": PREFIX}
    with pump(folder) as (simulated, _, __):
        (folder / "compose.yaml").write_text(yaml.safe_dump(_elsewhere(simulated.address[1])), encoding="utf-8")

        def run(*words: str) -> None:
            done = subprocess.run([*program, *words], cwd=folder, env=environ, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr

        run("up", "--detach")
        try:
            assert simulated.wait_for(2, SOON_S)
            docker("exec", f"{PREFIX}-compose", "python", "-m", "pipeline", "status")
        finally:
            run("down", "--volumes")
    return " ".join(program)


def _elsewhere(port: int) -> dict[str, Any]:
    """The compose file with another name, port and pump, as a logger may run on this machine already."""
    found: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    one = found["services"]["luxtronik-logger"]
    one["container_name"] = f"{PREFIX}-compose"
    one["ports"] = ["127.0.0.1::8000"]
    one["extra_hosts"] = [f"{PUMP_HOST}:host-gateway"]
    one["environment"] |= {"LUX_PORT": str(port), "LUX_INTERVAL_SEC": "5"}
    return found


def compose_file_takes_a_second_pump(folder: Path) -> str:
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    both = re.sub(
        r"^  # (?=(  )*[\w<-]+)(?=.*(logger-2|<<|ports|8001|volumes|data-2|environment|LUX_HOST: 192|TZ))",
        "  ",
        text,
        flags=re.M,
    )
    (folder / "compose.yaml").write_text(both, encoding="utf-8")
    done = subprocess.run(
        [*compose(), "config", "--services"],
        cwd=folder,
        env=os.environ | {"LUX_HOST": "x"},
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == ["luxtronik-logger", "luxtronik-logger-2"], done
    return "both services"
