"""How much memory a process may take: the machine's, or what a container or service manager grants it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

#: What no export may count on: the service itself and the interpreter of the export, measured, with some room.
_TAKEN = 250_000_000
#: Exports at once are two; the third part is left to the system's cache.
_PARTS = 3


def spare(cgroups: str | None = None, root: Path = Path("/sys/fs/cgroup")) -> int:
    """Bytes that one export may fill with its table, of the machine's memory or of a control group's limit.

    `cgroups` is the text of /proc/self/cgroup; both versions of control groups are told by the kernel's manual.
    """
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    text = _own_cgroups() if cgroups is None else cgroups
    return max(0, min([machine, *_limits(text, root)]) - _TAKEN) // _PARTS


def _own_cgroups() -> str:
    with suppress(OSError):  # a system without control groups has no limits either
        return Path("/proc/self/cgroup").read_text()
    return ""


def _limits(cgroups: str, root: Path) -> Iterator[int]:
    """The limits that hold: each group's own, and where a container sees itself as the root, that one's."""
    for line in cgroups.splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            top, name = root, "memory.max"
        elif "memory" in controllers.split(","):
            top, name = root / "memory", "memory.limit_in_bytes"
        else:
            continue
        inner = top / path.lstrip("/")
        for folder in (inner, *inner.parents):
            if folder.is_relative_to(top):
                with suppress(OSError, ValueError):  # not there, or "max"
                    yield int((folder / name).read_text())
