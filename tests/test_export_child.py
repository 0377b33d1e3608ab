"""Exports as processes: what is begun before it is asked for, and the places that they take."""

from __future__ import annotations

import asyncio
import gc
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from pipeline.clock import SystemClock
from pipeline.errors import BusyError, ExportError, QueryError
from pipeline.export_child import ExportChild

#: Says which process it is, then writes on for ever, complains, dies, or ends, as its argument says.
CHILD = """
import os, sys, time
def is_first_to_go(): return open("/proc/self/oom_score_adj").read() == "1000\\n"
if sys.argv[1] == "wrong": sys.exit("no sensor fits")
if sys.argv[1] == "silent": sys.exit(3)
if sys.argv[1] == "killed": print("a warning", file=sys.stderr, flush=True); os.kill(os.getpid(), 9)
print(os.getpid(), flush=True)
while sys.argv[1].startswith("long"): print("x" * 1000)
while sys.argv[1] == "ready" and not is_first_to_go():
    if time.process_time() > 5: sys.exit("as dear as any other")
if sys.argv[1] == "halfway": print("x" * 1_000_000, flush=True); os.kill(os.getpid(), 9)
"""


def children(folder: Path, **more: float) -> ExportChild:
    return ExportChild([sys.executable, "-c", CHILD], {}, folder, **more)  # type: ignore[arg-type]


async def first_of(child: ExportChild, *arguments: str) -> int:
    """The process that an export is opened from; its reader goes away."""
    running = await child.open(arguments)
    first = await anext(running.pieces())
    await running.end()
    return int(first.split()[0])


def test_export_that_was_prepared_is_the_one_that_is_opened(tmp_path: Path) -> None:
    async def run() -> None:
        child = children(tmp_path, most=1)
        await child.prepare(["long"])
        await child.prepare(["long"])
        with pytest.raises(BusyError, match="1 exports run already"):
            await child.open(["short"])
        with pytest.raises(BusyError):
            await child.prepare(["short"])
        pid = await first_of(child, "long")
        assert not Path(f"/proc/{pid}").exists()
        assert await first_of(child, "short")

    asyncio.run(run())


def test_export_that_nobody_comes_for_gives_its_place_back(tmp_path: Path) -> None:
    async def run() -> None:
        child = children(tmp_path, most=1, keep_s=0.05)
        await child.prepare(["long"])
        end = SystemClock().monotonic() + 8
        opened = 0
        while not opened:
            assert SystemClock().monotonic() < end
            with suppress(BusyError):
                opened = await first_of(child, "short")
            await asyncio.sleep(0)

    asyncio.run(run())


def test_short_export_that_was_prepared_is_whole(tmp_path: Path) -> None:
    async def run() -> None:
        child = children(tmp_path)
        await child.prepare(["short"])
        running = await child.open(["short"])
        assert b"".join([piece async for piece in running.pieces()]).strip().isdigit()
        await running.end()

    asyncio.run(run())


def test_export_that_ends_early_leaves_no_pipe_open(tmp_path: Path) -> None:
    async def run() -> None:
        child = children(tmp_path)
        await first_of(child, "long")
        before = len(list(Path("/proc/self/fd").iterdir()))
        for _ in range(3):
            await first_of(child, "long")
        assert len(list(Path("/proc/self/fd").iterdir())) == before

    gc.disable()
    try:
        asyncio.run(run())
    finally:
        gc.enable()


def test_export_that_cannot_be_made_is_told_and_keeps_no_place(tmp_path: Path) -> None:
    async def run() -> None:
        child = children(tmp_path, most=1)
        for _ in range(2):
            with pytest.raises(QueryError, match="no sensor fits"):
                await child.prepare(["wrong"])
        assert await first_of(child, "short")

    asyncio.run(run())


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("killed", "the system ended the export, as it does where memory runs out .*ask for fewer sensors"),
        ("silent", "the export ended with exit code 3 and said nothing"),
    ],
)
def test_export_that_ends_without_a_word_is_told_and_keeps_no_place(tmp_path: Path, how: str, told: str) -> None:
    async def run() -> None:
        child = children(tmp_path, most=1)
        for _ in range(2):
            with pytest.raises(ExportError, match=told):
                await child.open([how])

    asyncio.run(run())


def test_export_that_the_system_ends_on_its_way_is_never_whole(tmp_path: Path) -> None:
    async def run() -> None:
        running = await children(tmp_path).open(["halfway"])
        with pytest.raises(ExportError, match="memory runs out"):
            _ = [piece async for piece in running.pieces()]
        await running.end()

    asyncio.run(run())


def test_system_that_lacks_memory_ends_an_export_before_the_service(tmp_path: Path) -> None:
    async def run() -> None:
        running = await children(tmp_path).open(["ready"])
        assert b"".join([piece async for piece in running.pieces()]).strip().isdigit()
        await running.end()

    asyncio.run(run())


def test_export_that_is_kept_ends_with_the_server(tmp_path: Path) -> None:
    async def run() -> ExportChild:
        child = children(tmp_path, most=1)
        await child.prepare(["long"])
        # Its keeper has begun to wait once this comes back.
        await asyncio.sleep(0)
        return child

    child = asyncio.run(run())
    assert asyncio.run(first_of(child, "short"))
