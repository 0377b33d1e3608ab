"""Exports as child processes of the service: their memory and work are their own, and they end with their reader."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

from pipeline.asked import Window
from pipeline.errors import BusyError, QueryError

#: Bytes that are handed on at once.
_CHUNK = 65_536
#: Seconds that a reader may take for a chunk, and a child for its end.
#: Seconds that a child that was killed may take to be gone.
_END_S = 5.0


def arguments(
    window: Window, form: str, sensors: Sequence[str], groups: Sequence[str], optional: Mapping[str, str | None]
) -> list[str]:
    """What the command `export` is told; each value is glued to its name, so that none can be another option."""
    wanted = [f"--from={window.start.isoformat()}", f"--to={window.end.isoformat()}", f"--format={form}", "--output=-"]
    wanted += [f"--sensors={name}" for name in sensors]
    wanted += [f"--group={name}" for name in groups]
    return wanted + [f"--{name}={value}" for name, value in optional.items() if value]


class ExportChild:
    """Runs `command` with further arguments in a folder; at most `most` at the same time."""

    def __init__(self, command: Sequence[str], environ: Mapping[str, str], folder: Path, most: int = 2) -> None:
        self._command = tuple(command)
        self._environ = dict(environ)
        self._folder = folder
        self._most = most
        self._running = 0

    async def open(self, arguments: Sequence[str]) -> AsyncIterator[bytes]:
        """Start an export; what it gives comes in pieces, of which the first one is there already.

        Raises:
            BusyError: as many as allowed run.
            QueryError: it cannot be made as asked, in the command's own words.
        """
        if self._running >= self._most:
            raise BusyError(f"{self._most} exports run already", hint="try again when one of them has ended")
        self._running += 1
        try:
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
        except BaseException:
            self._running -= 1
            raise
        try:
            first = await _read(process)
            if not first and await process.wait():
                raise QueryError(await _complaint(process))
        except BaseException:
            await self._end(process)
            raise
        return self._pieces(process, first)

    async def _pieces(self, process: asyncio.subprocess.Process, first: bytes) -> AsyncIterator[bytes]:
        try:
            piece = first
            while piece:
                yield piece
                piece = await _read(process)
            if await process.wait():
                raise QueryError(await _complaint(process))
        finally:
            await self._end(process)

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        self._running -= 1
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await asyncio.wait_for(process.wait(), _END_S)


async def _read(process: asyncio.subprocess.Process) -> bytes:
    return await process.stdout.read(_CHUNK) if process.stdout else b""


async def _complaint(process: asyncio.subprocess.Process) -> str:
    said = await process.stderr.read() if process.stderr else b""
    return said.decode(errors="replace").strip() or f"the export ended with exit code {process.returncode}"
