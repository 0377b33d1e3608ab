"""A DATA_DIR as the service of an earlier commit left it: `python -m tests.old_folder COMMIT OUT.tar.xz`.

The commit's own code runs in a worktree that goes again; it needs `.venv` as this one has it. Sixteen readings of a
simulated house over three local days, the last three still on the queue, as a kill leaves them.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
import time
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from pipeline import history, service, settings
from pipeline.clock import to_ms
from pipeline.house import House
from pipeline.reading import Answer

ROOT = Path(__file__).parents[1]

#: The readings: of the first two days all in shards, of the third all on the queue.
BEGIN = datetime(2026, 1, 5, 5, tzinfo=UTC)
EVERY = timedelta(hours=3)
STORED, WAITING = 13, 3
#: The calculation that the journal tells.
FLOW = 10


def told(moment: datetime) -> Answer:
    """What the simulated controller tells at a moment, cut to keep the folder small."""
    whole = _house().answer_at(moment)
    return Answer(whole.parameters[:10], whole.calculations[:140], whole.visibilities[:5])


@cache
def _house() -> House:
    return House()


def fill(out: Path) -> None:
    """Run the code that is importable, whatever commit it is of, on a folder `data`, and end as killed.

    `journal` beside it has the time (ms), the SHA-256 and the flow temperature (0.1 °C) of each answer.
    """
    folder = out / "data"
    chosen = settings.load({"LUX_HOST": "127.0.0.1", "LUX_DATA_DIR": str(folder), "LUX_TIMEZONE": "Europe/Berlin"})
    history._INTERVAL_S = int(EVERY.total_seconds())
    clock = history.TurnedClock(BEGIN + EVERY * STORED)
    built = service.build(chosen, clock=clock)
    built.lock.acquire()
    history.fill(built, chosen, told, since=BEGIN, until=clock.utc(), progress=lambda _done, _of: None)
    if hasattr(built, "watch"):
        built.watch.step(clock.monotonic())
    built.roller.start()
    _wait_for_files(folder)
    built.roller.stop()
    built.roller.join(5)
    for n in range(WAITING):
        moment = clock.utc() + EVERY * n
        built.store.add(moment, told(moment))
    (out / "journal").write_text("".join(_line(BEGIN + EVERY * n) for n in range(STORED + WAITING)))
    # Without a clean end the queue's last rows stay in its log.
    os._exit(0)


def _line(moment: datetime) -> str:
    answer = told(moment)
    return f"{to_ms(moment)} {hashlib.sha256(answer.pack()).hexdigest()} {answer.calculations[FLOW]}\n"


def _wait_for_files(folder: Path) -> None:
    """Until the rollup's thread has nothing left to do."""
    before: set[Path] = set()
    while True:
        time.sleep(1)
        found = {path for path in folder.rglob("*") if path.suffix != ".part"}
        if found == before and list(folder.glob("weekly/*.csv")):
            return
        before = found


def make(commit: str, out: Path) -> None:
    """Pack the folder that a commit's service leaves."""
    with tempfile.TemporaryDirectory() as temporary:
        tree, folder = Path(temporary) / "tree", Path(temporary) / "folder"
        folder.mkdir()
        subprocess.run(["git", "worktree", "add", "--quiet", "--detach", tree, commit], cwd=ROOT, check=True)
        try:
            variables = os.environ | {"PYTHONPATH": str(tree)}
            subprocess.run([sys.executable, __file__, folder], cwd=tree, env=variables, check=True)
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", tree], cwd=ROOT, check=True)
        with tarfile.open(out, "w:xz", preset=9) as packed:
            for path in sorted(folder.rglob("*")):
                packed.add(path, path.relative_to(folder), recursive=False)


if __name__ == "__main__":
    if len(sys.argv) == 2:
        fill(Path(sys.argv[1]))
    else:
        make(sys.argv[1], Path(sys.argv[2]))
