"""The project's own commands as processes of their own, ended when done with."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.bench.child import ROOT

#: Seconds that a command may take to end.
_END_S = 30


@contextmanager
def command(log: Path, *arguments: str, settings: Mapping[str, str]) -> Iterator[int]:
    """`python -m pipeline ...` with these settings and no others of the caller's: its process id; it logs to a file.

    Raises:
        RuntimeError: it ended otherwise than well, or before it was told to.
    """
    environment = {key: value for key, value in os.environ.items() if not key.startswith("LUX_")} | dict(settings)
    with log.open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "pipeline", *arguments], cwd=ROOT, env=environment, stdout=said, stderr=said
        )
    try:
        yield process.pid
        ended = process.poll() is not None
        process.send_signal(signal.SIGTERM)
        if process.wait(_END_S) or ended:
            raise RuntimeError(f"{' '.join(arguments)} ended with {process.returncode}: {log.read_text()}")
    finally:
        process.kill()
        process.wait()
