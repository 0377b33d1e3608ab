"""Exports as child processes of the service: their memory and work are their own, and they end with their reader.

An export can be prepared: it begins, and waits some seconds for who opens it. So a page learns whether one begins
before it leaves the download to the browser, which could tell nobody why there is no file.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from pipeline import asked
from pipeline.asked import Export
from pipeline.errors import BusyError, ExportError, LoggerError, QueryError

#: Types of exports, by format.
_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "jsonl": "application/x-ndjson",
    "dta": "application/x-stata-dta",
}
#: Bytes that are handed on at once.
_CHUNK = 65_536
#: Seconds that a child that was killed may take to be gone.
_END_S = 5.0
#: The highest readiness of a process to be ended for lack of memory.
_FIRST_TO_GO = "1000"
#: Seconds that an export waits for who opens it.
_KEEP_S = 10.0


@dataclass(frozen=True)
class Wanted:
    """An export to make: its file's name and media type, and what the command `export` is told."""

    file: str
    media_type: str
    arguments: Sequence[str]


def wanted(told: Export, zone: ZoneInfo, now: datetime) -> Wanted:
    """What a request asks for; each value is glued to its name, so that none can be another option.

    Raises:
        QueryError: there is no such format, or its times are none.
    """
    window = asked.window(told.start, told.end, zone, now)
    if told.form not in _TYPES:
        raise QueryError(f"no format {told.form!r}", hint=f"formats are {', '.join(_TYPES)}")
    start, end = window.start, window.end
    found = [f"--from={start.isoformat()}", f"--to={end.isoformat()}", f"--format={told.form}", "--output=-"]
    found += [f"--sensors={name}" for name in asked.names(told.sensors, most=None)]
    found += [f"--group={name}" for name in asked.names(told.groups, most=None)]
    found += [f"--{name}={value}" for name, value in told.more.items() if value]
    return Wanted(f"luxtronik_{start:%Y-%m-%d}_{end:%Y-%m-%d}.{told.form}", _TYPES[told.form], found)


class Running:
    """An export that has begun, with the first piece of what it gives; whoever has it must end it."""

    def __init__(self, process: asyncio.subprocess.Process, first: bytes, ended: Callable[[], None]) -> None:
        self._process = process
        self._first = first
        self._ended = ended
        self._is_over = False

    async def pieces(self) -> AsyncIterator[bytes]:
        """What it gives, up to its end.

        Raises:
            QueryError: it failed on the way, in the command's own words.
            ExportError: it ended on the way without a word.
        """
        piece = self._first
        while piece:
            yield piece
            piece = await _read(self._process)
        if await self._process.wait():
            raise await _failure(self._process)

    async def end(self) -> None:
        """Give the place back, and let the process go wherever it is."""
        if self._is_over:
            return
        self._is_over = True
        self._ended()
        await _gone(self._process)


class ExportChild:
    """Runs `command` with further arguments in a folder; at most `most` at the same time, with those that wait."""

    def __init__(
        self, command: Sequence[str], environ: Mapping[str, str], folder: Path, most: int = 2, keep_s: float = _KEEP_S
    ) -> None:
        self._command = tuple(command)
        self._environ = dict(environ)
        self._folder = folder
        self._most = most
        self._keep_s = keep_s
        self._running = 0
        self._kept: dict[tuple[str, ...], tuple[Running, asyncio.Task[None]]] = {}

    async def prepare(self, arguments: Sequence[str]) -> None:
        """Begin an export that is opened soon; one that waits already stays.

        Raises:
            BusyError, QueryError, ExportError: as `open` does.
        """
        key = tuple(arguments)
        if key in self._kept:
            return
        running = await self._begin(key)
        if key in self._kept:
            await running.end()
        else:
            self._kept[key] = running, asyncio.create_task(self._keep(key))

    async def open(self, arguments: Sequence[str]) -> Running:
        """An export, the one that was prepared or a new one.

        Raises:
            BusyError: as many as allowed run.
            QueryError: it cannot be made as asked, in the command's own words.
            ExportError: it ended without a word.
        """
        key = tuple(arguments)
        if key not in self._kept:
            return await self._begin(key)
        running, keeper = self._kept.pop(key)
        keeper.cancel()
        return running

    async def _begin(self, arguments: Sequence[str]) -> Running:
        if self._running >= self._most:
            raise BusyError(f"{self._most} exports run already", hint="try again when one of them has ended")
        self._running += 1
        try:
            process = await self._started(arguments)
            try:
                first = await _read(process)
                if not first and await process.wait():
                    raise await _failure(process)
            except BaseException:
                await _gone(process)
                raise
        except BaseException:
            self._ended()
            raise
        return Running(process, first, self._ended)

    def _ended(self) -> None:
        self._running -= 1

    async def _started(self, arguments: Sequence[str]) -> asyncio.subprocess.Process:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *self._command,
            *arguments,
            env=self._environ,
            cwd=self._folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=pipe,
            stderr=pipe,
        )
        _first_to_go(process.pid)
        return process

    async def _keep(self, key: tuple[str, ...]) -> None:
        """End an export that nobody opens in time, or before the server ends."""
        try:
            await asyncio.sleep(self._keep_s)
        finally:
            if key in self._kept:
                running, _ = self._kept.pop(key)
                await running.end()


async def _gone(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    # A pipe is closed once it was read to its end, and never where it is full and nobody reads on.
    await asyncio.wait_for(process.communicate(), _END_S)


async def _read(process: asyncio.subprocess.Process) -> bytes:
    return await process.stdout.read(_CHUNK) if process.stdout else b""


async def _failure(process: asyncio.subprocess.Process) -> LoggerError:
    """Why an export that ended failed."""
    said = await process.stderr.read() if process.stderr else b""
    if process.returncode == -signal.SIGKILL:
        return ExportError(
            "the system ended the export, as it does where memory runs out",
            hint="ask for fewer sensors or a shorter time, or give the logger more memory",
        )
    if words := said.decode(errors="replace").strip():
        return QueryError(words)
    return ExportError(
        f"the export ended with exit code {process.returncode} and said nothing", hint="please report it"
    )


def _first_to_go(pid: int) -> None:
    """Let the kernel end this process before the service where memory runs out: polls come first (proc(5))."""
    # It may be gone already, and other systems have no such file; then the kernel chooses.
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/oom_score_adj").write_text(_FIRST_TO_GO)
