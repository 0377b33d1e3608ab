"""What the checks share: a simulated pump that containers reach, and what must then stand on disk."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.house import House
from pipeline.simulator import SimulatedPump
from tests.container.engine import OWNER, PUMP_HOST
from tests.running import Comparison, compare, numbered

#: Seconds that a container may take for what it does in a moment, on a busy machine.
SOON_S = 60.0


@contextmanager
def pump(folder: Path) -> Iterator[tuple[SimulatedPump, dict[str, str], Path]]:
    """A simulated pump that containers reach, the settings for it, and its journal; no two answers are alike."""
    journal = folder / "journal"
    with SimulatedPump(numbered(House().answer_at), host="0.0.0.0", journal=journal) as simulated:
        environ = {"LUX_HOST": PUMP_HOST, "LUX_PORT": str(simulated.address[1]), "LUX_INTERVAL_SEC": "5"}
        yield simulated, environ | {"TZ": "Europe/Berlin"}, journal


def everything(folder: Path, journal: Path) -> Comparison:
    """What is on disk against what the pump sent; whatever was sent must stand there once."""
    found = compare(folder, journal)
    assert (found.doubled, found.missing, found.foreign) == (0, 0, 0), found
    assert found.once >= 2, found
    return found


def own(folder: Path) -> Path:
    """A folder that the image's user may write, with all that is in it."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["chown", "-R", f"{OWNER[0]}:{OWNER[1]}", str(folder)], check=True)
    return folder
