"""`demo`: a simulated pump and the whole service in one process, telling a person what happens."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Mapping
from pathlib import Path

from pipeline import check, listing, lock, log, sensors, service, settings
from pipeline.clock import SystemClock, from_ms
from pipeline.errors import AlreadyRunningError, LoggerError
from pipeline.house import House
from pipeline.service import Service
from pipeline.settings import Settings
from pipeline.simulator import SimulatedPump, Source
from pipeline.stop import Stop
from pipeline.worker import Worker

#: Where a demo keeps its data, in the working directory.
FOLDER = Path("data-demo")
#: The controller's usual port; the next free one is taken where it is in use.
_PORT = 8889
_MOST_PORTS = 100
#: Seconds between two polls, and between two lines about what happened.
_INTERVAL_S = 5
_TELL_S = 15.0

#: Calculations that a line of the demo shows.
_SHOWN = (("outdoor", 15), ("flow", 10), ("return", 11), ("hot water", 17), ("mode", 80))


def run(stop: Stop, *, fresh: bool, environ: Mapping[str, str]) -> int:
    """Run until a stop is asked for; gives how many readings could not be saved.

    Raises:
        AlreadyRunningError: another demo runs in the same folder.
    """
    pump = _listening(House().answer_at)
    try:
        return _serve(pump, stop, fresh, environ)
    finally:
        pump.stop()


def _serve(pump: SimulatedPump, stop: Stop, fresh: bool, environ: Mapping[str, str]) -> int:
    host, port = pump.address
    chosen = settings.load(_environment(environ, host, port), needs_host=True, needs_folders=True)
    log.set_up("warning", chosen.log_format)
    if fresh:
        _clear(chosen)
    _introduce(chosen, host, port)
    built = service.build(chosen)
    teller = Worker("teller", _Teller(built, chosen).step, SystemClock())
    teller.start()
    try:
        unsaved = built.run(stop)
    finally:
        teller.stop()
        teller.join(1.0)
    print(f"stopped; {built.write.stored} readings stored in this run, the next demo goes on with them")
    return unsaved


def _environment(environ: Mapping[str, str], host: str, port: int) -> dict[str, str]:
    """The caller's settings, but for the pump and the folder."""
    ours = {
        "LUX_HOST": host,
        "LUX_PORT": str(port),
        "LUX_DATA_DIR": str(FOLDER),
        "LUX_INTERVAL_SEC": str(_INTERVAL_S),
    }
    return {**environ, **ours}


def _listening(source: Source) -> SimulatedPump:
    for port in range(_PORT, _PORT + _MOST_PORTS):
        pump = SimulatedPump(source, port=port)
        with contextlib.suppress(OSError):
            pump.start()
            return pump
    raise LoggerError(f"no free port from {_PORT} on", hint="end other programs that listen there")


def _clear(chosen: Settings) -> None:
    if lock.is_held(chosen.data_dir):
        raise AlreadyRunningError(f"{chosen.data_dir} is in use by another demo", hint="end that one first")
    if chosen.data_dir.exists():
        shutil.rmtree(chosen.data_dir)


def _introduce(chosen: Settings, host: str, port: int) -> None:
    rows = [
        ("simulated pump", f"{host}:{port}, read every {chosen.interval_s} s"),
        ("shards", str(chosen.output.shards)),
        ("queue", str(chosen.cache_path)),
        ("end it", "Ctrl-C"),
    ]
    print(f"Luxtronik Logger, a demo\n{listing.columns(rows)}\n", flush=True)


class _Teller:
    """Says after each few readings what came and where it is."""

    def __init__(self, built: Service, chosen: Settings) -> None:
        self._write = built.write
        self._chosen = chosen
        self._told = 0

    def step(self, _now: float) -> float:
        stored = self._write.stored
        if stored == self._told:
            return 0.2
        last = check.last_reading(self._chosen)
        if last is None:
            return 0.2
        facts = ", ".join(f"{name} {_shown(last.answer.calculations[i], i)}" for name, i in _SHOWN)
        shards = sum(path.stat().st_size for path in self._chosen.output.shards.iterdir())
        when = from_ms(last.time_ms).astimezone(self._chosen.zone)
        print(f"{when:%H:%M:%S}  {stored} stored, {listing.size(shards)} in shards: {facts}", flush=True)
        self._told = stored
        return _TELL_S


def _shown(raw: int, index: int) -> str:
    sensor = sensors.sensor("calculations", index)
    return f"{listing.value(sensor, raw)} {sensor.unit}".rstrip()
