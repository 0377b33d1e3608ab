"""The exit codes of all commands."""

from __future__ import annotations

import signal

from pipeline.stop import Stop

#: Done.
OK = 0
#: Failed, or unhealthy.
FAILED = 1
#: Wrong settings or usage, a missing library, or a folder of a newer version; nothing was started or created.
USAGE = 2
#: Another service holds the folders.
RUNNING = 3
#: Stopped with readings that could not be saved.
UNSAVED = 4
#: Ended by Ctrl-C.
INTERRUPTED = 130


def of_service(unsaved: int, stop: Stop) -> int:
    """That of a service that ended with so many readings that could not be saved."""
    return UNSAVED if unsaved else of_stop(stop)


def of_stop(stop: Stop) -> int:
    """That of a command that ran until it was told to stop."""
    return INTERRUPTED if stop.signal == signal.SIGINT else OK
