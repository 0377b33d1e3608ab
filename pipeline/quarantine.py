"""What could not be stored as a reading, kept byte for byte, one file a piece; keeping the same piece twice is once."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pipeline import files

#: Prefix of pieces that came from the queue; those from a shard begin with the part's name.
FROM_QUEUE = "queue"
#: What a piece of a shard was, in its name behind the part's.
BAD_LINE, BAD_TAIL, BAD_HEADER = "line", "tail", "header"


class Quarantine:
    """A folder of pieces named `<origin>-<digest>.bin`; it comes to be with the first one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, origin: str, data: bytes) -> Path:
        """Make a piece durable; gives its file.

        Raises:
            OSError: the piece must not be dropped where it was.
        """
        target = self._target(origin, data)
        files.make_folder(self.folder)
        if target.exists():
            # A process before this one may have died before its name was durable.
            files.sync_folder(self.folder)
        else:
            files.publish(target, data)
        return target

    def holds(self, origin: str, data: bytes) -> bool:
        """Whether a piece was kept before."""
        return self._target(origin, data).exists()

    def _target(self, origin: str, data: bytes) -> Path:
        return self.folder / f"{origin}-{hashlib.sha256(data).hexdigest()[:16]}.bin"


def count(folder: Path, origin: str) -> int:
    """How many pieces of an origin lie in a quarantine folder."""
    return sum(1 for _ in folder.glob(f"{origin}-*.bin"))


def lost(folder: Path) -> int:
    """How many pieces lie in a quarantine folder that were readings and stand in no shard: rows of the queue, lines."""
    return count(folder, FROM_QUEUE) + sum(1 for _ in folder.glob(f"*-{BAD_LINE}-*.bin"))
