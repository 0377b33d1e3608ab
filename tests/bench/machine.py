"""What the kernel counts for a process, and what kind of machine this is."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path
from statistics import median

_MB = 1e6
_SYNCS = 21


def memory_mb(pid: int | str = "self") -> tuple[float, float]:
    """Resident memory of a process, now and at its peak.

    `ru_maxrss` would not do: a process inherits it from the one that started it.
    """
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    found = {key: value for key, _, value in (line.partition(":") for line in lines)}
    now, peak = (int(found[key].split()[0]) * 1024 / _MB for key in ("VmRSS", "VmHWM"))
    return now, peak


def cpu_s(pid: int) -> float:
    """CPU that all threads of another process have used, user and system, in nanosecond steps."""
    # The kernel's number for a process's CPU clock, as clock_getcpuclockid(3) gives it.
    return time.clock_gettime(~pid << 3 | 2)


def forget(path: Path) -> None:
    """Let the kernel drop what it holds of a file, so that the next look reads the disk."""
    with path.open("rb") as file:
        os.fsync(file)
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def describe(folder: Path) -> str:
    """One line: processor, Python, and how long the disk of a folder takes to make a few bytes durable."""
    facts = [f"{os.cpu_count()} cores", _model(), f"Python {platform.python_version()}"]
    return ", ".join([*facts, f"fsync {_sync_ms(folder):.2f} ms"])


def _model() -> str:
    """The processor's name, or the board's where the processor has none, as on a Raspberry Pi."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    return names.get("model name") or names.get("Model") or platform.machine()


def _sync_ms(folder: Path) -> float:
    path = folder / "fsync"
    took = []
    with path.open("wb", buffering=0) as file:
        for _ in range(_SYNCS):
            file.write(bytes(1000))
            began = time.perf_counter()
            os.fsync(file)
            took.append(time.perf_counter() - began)
    path.unlink()
    return median(took) * 1000
