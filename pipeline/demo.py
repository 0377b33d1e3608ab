"""`demo`: a simulated pump and the whole service in one process, telling a person what happens."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipeline import check, data_format, endpoint, history, listing, lock, log, progress, sensors, service, settings
from pipeline.clock import SystemClock
from pipeline.errors import AlreadyRunningError, LoggerError
from pipeline.house import House
from pipeline.settings import Settings
from pipeline.simulator import SimulatedPump, Source
from pipeline.simulator_log import SimulatedLog
from pipeline.stop import Stop
from pipeline.supervisor import Service
from pipeline.worker import Worker

#: Where a demo keeps its data, in the working directory.
FOLDER = Path("data-demo")
#: The controller's usual port; the next free one is taken where it is in use.
_PORT = 8889
_MOST_PORTS = 100
#: Seconds between two polls, and between two lines about what happened.
_INTERVAL_S = 5
_TELL_S = 15.0

#: Most days of history: a year.
MOST_DAYS = 366
#: The longest outage that a controller's log has whole, and how long ago it ended: a log is up to two hours old.
MOST_OUTAGE, _SINCE_OUTAGE = timedelta(hours=44), timedelta(hours=3)
#: A history shorter than this is left out: its readings are too few to tell that they come more seldom than the demo's.
_NO_HISTORY = timedelta(minutes=6)
_FOR_EVER = timedelta(days=10_000)

#: Calculations that a line of the demo shows.
_SHOWN = (("outdoor", 15), ("flow", 10), ("return", 11), ("hot water", 17), ("mode", 80))


@dataclass(frozen=True)
class History:
    """What a demo writes before it begins: so many days, without a time in which the logger was off."""

    days: int
    outage: timedelta = timedelta()

    def spans(self, now: datetime) -> list[tuple[datetime, datetime]]:
        """The times in which the logger ran. The outage ended so long ago that the pump's log reaches beyond it."""
        on = now - _SINCE_OUTAGE
        begin = now - timedelta(days=self.days)
        return [(begin, max(on - self.outage, begin)), (on, now)] if self.outage else [(begin, now)]


def run(stop: Stop, *, past: History, fresh: bool, environ: Mapping[str, str]) -> int:
    """Run until a stop is asked for; gives how many readings could not be saved.

    Raises:
        AlreadyRunningError: another demo runs in the same folder.
        NewerFormatError: a demo of a newer version left it.
    """
    house = House()
    pump = _listening(house.answer_at)
    try:
        with SimulatedLog(house.answer_at) as log_server:
            return _serve(pump, log_server, stop, past, fresh, environ)
    finally:
        pump.stop()


def _serve(
    pump: SimulatedPump, log_server: SimulatedLog, stop: Stop, past: History, fresh: bool, environ: Mapping[str, str]
) -> int:
    host, port = pump.address
    ours = _environment(environ, host, port, log_server.address[1])
    chosen = settings.load(ours, needs_host=True, needs_folders=True)
    chosen = replace(chosen, http_port=_free_port(chosen.http_host, chosen.http_port))
    log.set_up("warning", chosen.log_format)
    if fresh:
        _clear(chosen)
    data_format.check(chosen.data_dir, "begin anew with --fresh")
    _introduce(chosen, host, port, log_server.url)
    built = service.build(chosen)
    teller = Worker("teller", _Teller(built, chosen).step, SystemClock())

    def prepare() -> None:
        _write_history(built, chosen, past, stop)
        teller.start()

    try:
        unsaved = built.run(stop, prepare)
    finally:
        teller.stop()
        teller.join(1.0)
    print(
        f"stopped; readings stored in this run, history included: {built.write.stored}; the next demo goes on with them"
    )
    return unsaved


def _write_history(built: Service, chosen: Settings, past: History, stop: Stop) -> None:
    """Readings of the days before now that the shards do not hold yet."""
    now = datetime.now(UTC)
    last = check.last_reading(chosen)
    begin = last.time + timedelta(seconds=_INTERVAL_S) if last else now - _FOR_EVER
    spans = [(max(since, begin), until) for since, until in past.spans(now)]
    for since, until in spans:
        if until - since >= _NO_HISTORY:
            _write_span(built, chosen, since, until, stop)


def _write_span(built: Service, chosen: Settings, since: datetime, until: datetime, stop: Stop) -> None:
    begun = time.monotonic()
    with progress.shown("history", " readings") as tell:
        stored = history.fill(
            built, chosen, House().answer_at, since=since, until=until, progress=tell, stopping=lambda: stop.wanted
        )
    took_s = time.monotonic() - begun
    print(f"history: {stored} readings since {since:%Y-%m-%d %H:%M} UTC written in {took_s:.1f} s\n", flush=True)


def _environment(environ: Mapping[str, str], host: str, port: int, log_port: int) -> dict[str, str]:
    """The caller's settings, but for the pump and the folders."""
    ours = {
        "LUX_HOST": host,
        "LUX_PORT": str(port),
        "LUX_BACKFILL_PORT": str(log_port),
        "LUX_DATA_DIR": str(FOLDER),
        # A person's own folders must not get simulated readings, so none of them is taken from the caller.
        "LUX_CACHE_PATH": "queue/queue.db",
        **{f"LUX_OUTPUT_DIRS__{name}": name.lower() for name in ("SHARDS", "DAILY", "WEEKLY", "ARCHIVE")},
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


def _opening(host: str) -> list[tuple[str, str]]:
    """How a phone gets to see the page, where only this machine does."""
    return [("on your phone", "LUX_HTTP_HOST=0.0.0.0 make demo")] if endpoint.is_local(host) else []


def _free_port(host: str, port: int) -> int:
    """The port that was asked for, or the next one that is free; 0 stays 0."""
    for one in range(port, min(port + _MOST_PORTS, 65_536)) if port else ():
        with contextlib.suppress(OSError), endpoint.bound(host, one):
            return one
    return port


def _clear(chosen: Settings) -> None:
    if lock.is_held(chosen.data_dir):
        raise AlreadyRunningError(f"{chosen.data_dir} is in use by another demo", hint="end that one first")
    if chosen.data_dir.exists():
        shutil.rmtree(chosen.data_dir)


def _introduce(chosen: Settings, host: str, port: int, own_log: str) -> None:
    rows = [
        ("simulated pump", f"{host}:{port}, read every {chosen.interval_s} s"),
        ("its own log", own_log),
        ("shards", str(chosen.output.shards)),
        ("daily", str(chosen.output.daily)),
        ("weekly", str(chosen.output.weekly)),
        ("queue", str(chosen.cache_path)),
        ("end it", "Ctrl-C"),
    ]
    if chosen.http_port:
        rows[:0] = [("page", endpoint.address(chosen.http_host, chosen.http_port)), *_opening(chosen.http_host)]
    print(f"Luxtronik Logger, a demo\n{listing.columns(rows)}\n", flush=True)


class _Teller:
    """Says which files were made, and every few seconds what came and where it is."""

    def __init__(self, built: Service, chosen: Settings) -> None:
        self._write = built.write
        self._chosen = chosen
        self._told = 0
        self._tell_at = 0.0
        self._files: set[Path] = set(_made(chosen))

    def step(self, now: float) -> float:
        for path in sorted({*_made(self._chosen)} - self._files):
            print(f"made {path}, {listing.size(path.stat().st_size)}", flush=True)
            self._files.add(path)
        if self._write.stored != self._told and now >= self._tell_at:
            self._tell_readings()
            self._tell_at = now + _TELL_S
        return 0.2

    def _tell_readings(self) -> None:
        last = check.last_reading(self._chosen)
        if last is None:
            return
        self._told = self._write.stored
        facts = ", ".join(f"{name} {_shown(last.answer.calculations[i], i)}" for name, i in _SHOWN)
        shards = sum(path.stat().st_size for path in self._chosen.output.shards.iterdir())
        when = last.time.astimezone(self._chosen.zone)
        print(f"{when:%H:%M:%S}  {self._told} stored, {listing.size(shards)} in shards: {facts}", flush=True)


def _made(chosen: Settings) -> list[Path]:
    return [*chosen.output.daily.glob("*.csv"), *chosen.output.weekly.glob("*.csv")]


def _shown(raw: int, index: int) -> str:
    sensor = sensors.sensor("calculations", index)
    return f"{listing.value(sensor, raw)} {sensor.unit}".rstrip()
