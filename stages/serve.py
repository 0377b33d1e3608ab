"""Hands out what the logger knows over HTTP: health, metrics, series, files, exports, and the page itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Query
from fastapi.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware

from pipeline import VERSION, asked, export_child, http_errors, http_pages, web_pages
from pipeline.access import Access, App, Receive, Scope, Send
from pipeline.asked import Export, Window
from pipeline.chart_data import ChartData
from pipeline.clock import Clock
from pipeline.errors import QueryError
from pipeline.export_child import ExportChild, Running, Wanted
from pipeline.gap_book import counted
from pipeline.latest import Latest
from pipeline.published import Published
from pipeline.state import OK
from pipeline.turn import Turn

Document = dict[str, Any]

#: Gaps that one answer has at most.
_MOST_GAPS = 1000

Names = Annotated[str | None, Query(description="Names of sensors, with commas between them")]
Start = Annotated[
    str | None, Query(alias="from", description="First moment: a day, an ISO time, -30d, or ms since 1970")
]
End = Annotated[str | None, Query(alias="to", description="First moment that is not wanted; now where it is not given")]


@dataclass(frozen=True)
class Parts:
    """What the application hands out: documents as of now, and the vessels that answer."""

    status: Callable[[], Document]
    queue: Callable[[], Document]
    depths: Callable[[], Document]
    settings: Callable[[], Document]
    metrics: Callable[[], bytes]
    latest: Latest
    charts: ChartData
    published: Published
    export: ExportChild
    clock: Clock
    page: Path
    token: str = ""


def application(parts: Parts) -> Access:
    """The whole application, as an ASGI server takes it."""
    app = FastAPI(
        title="Luxtronik Logger", version=VERSION, description=web_pages.DESCRIPTION, docs_url=None, redoc_url=None
    )
    access = Access(_Squeezed(app), parts.token)
    http_errors.add(app)
    _add_health(app, parts)
    _add_data(app, parts)
    _add_documents(app, parts)
    _add_files(app, parts)
    _add_exports(app, parts)
    _add_nothing(app)
    if parts.token:
        http_pages.add_login(app, access)
    http_pages.add_page(app, parts.page)
    return access


class _Squeezed:
    """Squeezes what is text; files go as they are, since ranges count their bytes."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._squeezing = GZipMiddleware(app, minimum_size=1000, compresslevel=5)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        plain = scope["type"] != "http" or scope["path"].startswith(("/files/", "/api/export"))
        await (self._app if plain else self._squeezing)(scope, receive, send)


def _json(document: object) -> Response:
    return Response(json.dumps(document, ensure_ascii=False, separators=(",", ":")), media_type="application/json")


def _add_health(app: FastAPI, parts: Parts) -> None:
    @app.get(
        "/health",
        tags=["health"],
        summary="Whether the logger does its work",
        responses={503: {"description": "It fails, with the reasons"}},
    )
    def health() -> Response:
        found = parts.status()
        is_well = found["status"] == OK
        return JSONResponse({key: found[key] for key in ("status", "reasons")}, 200 if is_well else 503)

    @app.get("/health/live", tags=["health"], summary="Answers while the process does")
    async def live() -> Response:
        return JSONResponse({"status": "live"})

    @app.get("/metrics", tags=["health"], summary="Figures for Prometheus")
    def metrics() -> Response:
        return Response(parts.metrics(), media_type="text/plain; version=0.0.4; charset=utf-8")


def _add_data(app: FastAPI, parts: Parts) -> None:
    turn = Turn()

    @app.get("/api/sensors", tags=["data"], summary="Every sensor, and the groups")
    async def sensors() -> Response:
        everything = Window(asked.FIRST, parts.clock.utc())
        return await turn.take(lambda: _json(parts.charts.sensors(everything, parts.latest.sensors())))

    @app.get("/api/latest", tags=["data"], summary="The newest reading, and whether all is well")
    def latest(sensors: Names = None) -> Response:
        return _json(parts.latest.document(asked.names(sensors, most=None), parts.status(), parts.clock.utc()))

    @app.get("/api/series", tags=["data"], summary="Values over time, whole or reduced to min, mean and max")
    async def series(
        sensors: Names = None,
        start: Start = None,
        end: End = None,
        points: Annotated[
            str | None, Query(description="Most points of a series, 2 to 5000; every value without")
        ] = None,
        states: Annotated[str | None, Query(description="runs: states and switches as runs of one value")] = None,
    ) -> Response:
        names = asked.names(sensors)
        if not names:
            raise QueryError("no sensor is named", hint="sensors=NAME,NAME; /api/sensors lists them")
        window = asked.window(start, end, parts.latest.zone, parts.clock.utc())
        most = asked.points(points, window)
        as_runs = _is_runs(states)
        return await turn.take(lambda: _json(parts.charts.series(names, window, most, states_as_runs=as_runs)))

    @app.get("/api/gaps", tags=["data"], summary="When no reading was stored, and why; newest first")
    def gaps(start: Start = None, end: End = None) -> Response:
        window = asked.window(start or asked.FIRST.isoformat(), end, parts.latest.zone, parts.clock.utc())
        found = parts.charts.gaps(window)[::-1]
        return _json({"gaps": [gap.document() for gap in found[:_MOST_GAPS]], "reasons": counted(found)})


def _is_runs(states: str | None) -> bool:
    if states not in (None, "runs"):
        raise QueryError(f"states cannot be {states!r}", hint="states=runs, or leave it out")
    return states is not None


def _add_documents(app: FastAPI, parts: Parts) -> None:
    for path, summary, found in (
        ("/api/status", "What `status --json` prints", parts.status),
        ("/api/queue", "What `queue --json` prints", parts.queue),
        ("/api/queue/history", "The depth of the queue, a point a minute for a day", parts.depths),
        ("/api/settings", "Version, zone, and the settings in force", parts.settings),
        ("/api/rollups", "The files that can be taken, newest first", parts.published.listing),
    ):
        app.get(path, tags=["logger"], summary=summary)(_document(found))


def _document(found: Callable[[], Document]) -> Callable[[], Response]:
    def document() -> Response:
        return _json(found())

    return document


def _add_files(app: FastAPI, parts: Parts) -> None:
    @app.get("/files/{kind}/{name}", tags=["files"], summary="A daily or weekly file or a shard, with ranges")
    def file(kind: str, name: str) -> Response:
        try:
            path = parts.published.path(kind, name)
        except QueryError as error:
            return http_errors.answer(404, error)
        return FileResponse(path, filename=name, media_type="application/gzip" if name.endswith(".gz") else "text/csv")


def _told_export(
    format: str = "csv",  # noqa: A002
    sensors: Names = None,
    groups: Annotated[str | None, Query(description="Groups of sensors, with commas between them")] = None,
    start: Start = None,
    end: End = None,
    every: Annotated[str | None, Query(description="One row for 15min, 1h, 1d ...")] = None,
    labels: Annotated[str | None, Query(description="de or en: what people call the sensors")] = None,
    locale: Annotated[str | None, Query(description="de: CSV for a German spreadsheet")] = None,
) -> Export:
    return Export(format, sensors, groups, start, end, {"every": every, "labels": labels, "locale": locale})


ToldExport = Annotated[Export, Depends(_told_export)]


def _add_exports(app: FastAPI, parts: Parts) -> None:
    def wanted(told: Export) -> Wanted:
        return export_child.wanted(told, parts.latest.zone, parts.clock.utc())

    @app.get(
        "/api/export", tags=["files"], summary="Chosen sensors and times as a file, as the command `export` makes it"
    )
    async def export(told: ToldExport) -> Response:
        one = wanted(told)
        return _Exported(await parts.export.open(one.arguments), one)

    @app.get(
        "/api/export/check",
        tags=["files"],
        summary="Whether that file can be made, and its name; one that can is begun and waits 10 s to be asked for",
    )
    async def check(told: ToldExport) -> Response:
        one = wanted(told)
        await parts.export.prepare(one.arguments)
        return _json({"file": one.file})


class _Exported(StreamingResponse):
    """Ends the export whatever becomes of the answer: of one whose reader has left nothing is ever asked for."""

    def __init__(self, running: Running, wanted: Wanted) -> None:
        headers = {"Content-Disposition": f'attachment; filename="{wanted.file}"'}
        super().__init__(running.pieces(), media_type=wanted.media_type, headers=headers)
        self._running = running

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._running.end()


def _add_nothing(app: FastAPI) -> None:
    @app.get("/api/{rest:path}", include_in_schema=False)
    async def nothing() -> Response:
        raise HTTPException(404, "no such address")
