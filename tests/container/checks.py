"""What must hold of the image, a function each: it gives what it measured."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path

from pipeline import VERSION
from tests.container.engine import IMAGE, PREFIX, Container, build, docker, image, started, until
from tests.container.rig import SOON_S, everything, own, pump
from tests.parts import stored

#: Bytes of the image, seconds to the first poll, seconds that a stop may take.
_MOST_BYTES, _FIRST_POLL_S, _STOP_S = 350_000_000, 3.0, 5.0


def image_is_small_and_says_what_it_is(_: Path) -> str:
    found = image()
    labels, config = found["Config"]["Labels"], found["Config"]
    assert found["Size"] <= _MOST_BYTES, found["Size"]
    assert labels["org.opencontainers.image.title"] == "Luxtronik Logger"
    assert labels["org.opencontainers.image.version"] == "under-test"
    assert (config["User"], config["StopSignal"]) == ("1000:1000", "SIGTERM")
    assert set(config["Volumes"]) == {"/data"}
    assert set(config["ExposedPorts"]) == {"8000/tcp"}
    assert docker("run", "--rm", IMAGE, "--version") == f"Luxtronik Logger {VERSION}"
    return f"{found['Size'] / 1e6:.0f} MB"


def polls_serves_and_turns_healthy(folder: Path) -> str:
    data = own(folder / "data")
    with pump(folder) as (simulated, environ, _), started("serves", environ, data) as container:
        assert simulated.wait_for(2, SOON_S)
        first_s = _first_poll_s(container)
        assert first_s <= _FIRST_POLL_S, f"first poll after {first_s:.1f} s"
        until(lambda: container.health == "healthy", SOON_S, "healthy")
        assert container.last_check.strip() == "ok"
        shown = container.exec("python", "-m", "pipeline", "queue")
        assert shown.startswith("waiting      0 readings"), shown
        _look_at_page(container)
        with container.client() as client:
            assert client.get("/api/export/check").status_code == 200
        # A health check may come and go meanwhile.
        ready = container.exec("sh", "-c", "cat /proc/[0-9]*/oom_score_adj 2>/dev/null || true").split()
        assert ready.count("1000") == 1, ready
        assert len(stored(data)) >= 2
        assert docker("exec", container.name, "id", "-u") == "1000"
    return f"first poll after {first_s:.1f} s"


def _first_poll_s(container: Container) -> float:
    """Seconds from the start of the container to its first reading, by the engine's clock and the shard's."""
    began = datetime.fromisoformat(container.inspect("{{.State.StartedAt}}")[:26] + "+00:00")
    row = container.exec("sh", "-c", "sed -n 2p /data/shards/*.csv | head -c 24")
    return (datetime.fromisoformat(row) - began).total_seconds()


def _look_at_page(container: Container) -> None:
    with container.client() as client:
        page = client.get("/")
        assert (page.status_code, '<div id="root">' in page.text) == (200, True), page.text[:500]
        (script,) = {word for word in page.text.split('"') if word.startswith("/assets/") and word.endswith(".js")}
        assert client.get(script).status_code == 200
        assert client.get("/health").json() == {"status": "ok", "reasons": []}
        assert client.get("/api/latest").json()["time"]
        for form in ("csv", "json", "dta"):
            export = client.get("/api/export", params={"format": form, "sensors": "ID_WEB_Temperatur_*"})
            assert (export.status_code, len(export.content) > 200) == (200, True), (form, export.text[:500])


def killed_twice_it_loses_nothing(folder: Path) -> str:
    data = own(folder / "data")
    with pump(folder) as (simulated, environ, journal), started("killed", environ, data) as container:
        for sent in (2, 4):
            assert simulated.wait_for(sent, SOON_S)
            docker("kill", container.name)
            docker("start", container.name)
        assert simulated.wait_for(6, SOON_S)
        docker("stop", container.name)
        found = everything(data, journal)
        assert container.exit_code == 0
    return f"{found.once} readings, each once"


def stop_writes_all_that_is_in_memory(folder: Path) -> str:
    data = own(folder / "data")
    with pump(folder) as (simulated, environ, journal):
        held = environ | {"LUX_BUFFER_SAMPLES": "2880"}
        with started("stopped", held, data) as container:
            assert simulated.wait_for(3, SOON_S)
            began = time.monotonic()
            docker("stop", container.name)
            stop_s = time.monotonic() - began
            assert (container.exit_code, stop_s < _STOP_S) == (0, True), stop_s
        found = everything(data, journal)
    return f"stopped in {stop_s:.1f} s with {found.once} readings in memory"


def newer_image_goes_on_with_the_volume(folder: Path) -> str:
    newer = f"{IMAGE}-newer"
    build(newer, version="newer")
    volume = f"{PREFIX}-volume"
    docker("volume", "create", volume)
    try:
        with pump(folder) as (simulated, environ, _):
            with started("older", environ, volume) as container:
                assert simulated.wait_for(2, SOON_S)
                docker("stop", container.name)
                before = _shard(container, folder / "before")
            with started("newer", environ, volume, image=newer) as container:
                assert simulated.wait_for(4, SOON_S)
                docker("stop", container.name)
                after = _shard(container, folder / "after")
        assert after.startswith(before)
        assert len(after.splitlines()) >= len(before.splitlines()) + 2
    finally:
        docker("volume", "rm", volume)
        docker("rmi", newer)
    rows = [len(shard.splitlines()) - 1 for shard in (before, after)]
    return f"{rows[0]} rows of the older one, {rows[1]} with those of the newer one"


def _shard(container: Container, folder: Path) -> bytes:
    """All shards of a container, one behind the other."""
    docker("cp", f"{container.name}:/data/shards", str(folder))
    return b"".join(path.read_bytes() for path in sorted(folder.glob("*.csv")))


def pump_that_is_away_makes_it_unhealthy_with_the_reason(folder: Path) -> str:
    data = own(folder / "data")
    with pump(folder) as (simulated, environ, _), started("away", environ, data) as container:
        until(lambda: container.health == "healthy", SOON_S, "healthy")
        simulated.stop()
        until(lambda: container.health == "unhealthy", 180 + SOON_S, "unhealthy")
        why = container.last_check.strip()
        assert why.startswith("failing; the last reading is 18"), why
        simulated.start()
        until(lambda: container.health == "healthy", SOON_S, "healthy again")
    return why
