"""The page and the API of a built service: what they read, and the thread that serves them."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pipeline import VERSION, gap_book, queue_view, readout, status
from pipeline.archive import Archive
from pipeline.catalog import Catalog
from pipeline.chart_data import Beside, ChartData
from pipeline.clock import Clock, to_ms, utc_text
from pipeline.depths import Depths
from pipeline.errors import QueueError
from pipeline.export_child import ExportChild
from pipeline.latest import Latest
from pipeline.marks import Marks
from pipeline.metrics import Counts, Metrics, Sources
from pipeline.places import PAGE, QUARANTINE
from pipeline.published import Published
from pipeline.queue import Queue
from pipeline.reading import Reading
from pipeline.settings import Settings
from pipeline.shard import Shards
from pipeline.store import Store
from pipeline.worker import Worker
from stages.poll import Poll
from stages.rollup import Rollup
from stages.write import Write

#: Where the packages and the page lie.
_ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Inside:
    """The parts of the service that are asked; the archive is for this reader alone."""

    queue: Queue
    store: Store
    poll: Poll
    write: Write
    shards: Shards
    rollup: Rollup
    marks: Marks
    catalog: Catalog
    archive: Archive


def build(settings: Settings, inside: Inside, clock: Clock, interval_s: float) -> Worker:
    """The thread that serves; what it needs of libraries is loaded there, when logging has begun."""
    started = utc_text(to_ms(clock.utc()))

    def load() -> tuple[Callable[[float], float], Callable[[], object]]:
        from pipeline.web_server import WebServer
        from stages.serve import application

        depths = Depths(partial(_depth, inside.queue), clock)
        parts = _parts(settings, inside, clock, interval_s, started, depths)
        server = WebServer(
            partial(application, parts),
            settings.http_host,
            settings.http_port,
            clock,
            has_token=bool(settings.http_token),
            look=depths.look,
        )
        return server.step, server.stop

    late = _Late(load)
    return Worker("web", late.step, clock, wake=late.stop)


class _Late:
    """A stage that is loaded at its first step."""

    def __init__(self, load: Callable[[], tuple[Callable[[float], float], Callable[[], object]]]) -> None:
        self._load = load
        self._step: Callable[[float], float] | None = None
        self._stop: Callable[[], object] = lambda: None

    def step(self, now: float) -> float:
        if self._step is None:
            self._step, self._stop = self._load()
        return self._step(now)

    def stop(self) -> None:
        self._stop()


def _parts(settings: Settings, inside: Inside, clock: Clock, interval_s: float, started: str, depths: Depths) -> Any:
    from stages.serve import Parts

    folder = settings.output.shards
    newest = _Newest(inside.store, lambda: readout.last(folder, inside.catalog))
    told = partial(_status, settings, clock)
    metrics = Metrics(Sources(partial(_counts, inside), told, newest if settings.metrics_sensors else None))
    return Parts(
        status=told,
        queue=lambda: asdict(queue_view.of(inside.queue, settings.data_dir / QUARANTINE)),
        depths=depths.document,
        settings=lambda: _in_force(settings, started),
        metrics=metrics.text,
        latest=Latest(newest, settings.zone, interval_s),
        charts=ChartData(inside.archive, _beside(settings, inside, newest), settings.zone, interval_s),
        published=Published({"daily": settings.output.daily, "weekly": settings.output.weekly, "shards": folder}),
        export=ExportChild([sys.executable, "-m", "pipeline", "export"], _environment(settings), _ROOT),
        clock=clock,
        page=_ROOT / PAGE,
        token=settings.http_token,
    )


def _beside(settings: Settings, inside: Inside, newest: _Newest) -> Beside:
    return Beside(
        gaps=lambda: [*gap_book.read(settings.data_dir / gap_book.NAME), *filter(None, [inside.poll.gaps.open])],
        steps=inside.marks.steps,
        not_fitted=lambda: inside.marks.summary().not_fitted,
        newest=newest,
    )


class _Newest:
    """The newest reading of this run, before its first one that of the run before."""

    def __init__(self, store: Store, of_shards: Callable[[], Reading | None]) -> None:
        self._store = store
        self._of_shards = of_shards
        self._before: Reading | None = None

    def __call__(self) -> Reading | None:
        if self._store.newest is None and self._before is None:
            self._before = self._of_shards()
        return self._store.newest or self._before


def _status(settings: Settings, clock: Clock) -> dict[str, Any]:
    return status.collect(settings, clock.utc())


def _depth(queue: Queue) -> int | None:
    try:
        return queue.depth()
    except QueueError:  # told by the queue itself
        return None


def _counts(inside: Inside) -> Counts:
    poll, rollup = inside.poll, inside.rollup
    return Counts(
        polls=poll.polls,
        missed=poll.missed,
        retries=poll.retries,
        failures=dict(poll.failed),
        read_s=poll.read_s,
        rows=inside.write.stored,
        bytes=inside.shards.written,
        rollups=dict(rollup.made),
        rollup_s=dict(rollup.took_s),
    )


def _in_force(settings: Settings, started: str) -> dict[str, Any]:
    rows = [{"key": key, "value": value, "from": origin} for key, value, origin in settings.rows()]
    versions = {"version": VERSION, "python": platform.python_version()}
    return {**versions, "zone": settings.zone.key, "started": started, "settings": rows}


def _environment(settings: Settings) -> Mapping[str, str]:
    """What a command by hand needs to read what this service writes, whatever its own settings came from."""
    output = settings.output
    ours = {
        "LUX_DATA_DIR": str(settings.data_dir),
        "LUX_CACHE_PATH": str(settings.cache_path),
        "LUX_TIMEZONE": settings.zone.key,
        **{f"LUX_OUTPUT_DIRS__{name.upper()}": str(getattr(output, name)) for name in asdict(output)},
    }
    return {name: value for name, value in os.environ.items() if name != "LUX_HTTP_TOKEN"} | ours
