"""Every error of the project: what was tried, on what, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path


class LoggerError(Exception):
    """Base of all errors that the project raises on purpose.

    `retry` says whether the same call may succeed later; `hint` says what a person can do.
    """

    retry = False

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(f"{message} ({hint})" if hint else message)
        self.hint = hint


class SettingsError(LoggerError):
    """Raised when settings are wrong; carries every problem as 'field: rule (got value)'."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class InstallationError(LoggerError):
    """Raised when a library that a command needs is not installed."""


class AlreadyRunningError(LoggerError):
    """Raised when another process holds a folder that only one may use."""


class NewerFormatError(LoggerError):
    """Raised when a newer version works on a folder in a way that this one does not know."""


class DamagedReadingError(LoggerError):
    """Raised when bytes are not a whole encoded reading."""


class QueueError(LoggerError):
    """Raised when the queue cannot take or give readings now: a full, read-only or failing disk."""

    retry = True


class DamagedQueueError(QueueError):
    """Raised when the queue's file is not a sound database any more."""


class BufferFullError(LoggerError):
    """Raised when as many readings as allowed already wait in memory and the queue takes none."""


class ClosedError(LoggerError):
    """Raised when a reading arrives after the store was closed; it is refused."""


class DamagedPartError(LoggerError):
    """Raised when a shard part has no header that a known schema explains."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}", hint="the file is left as it is; new readings go to a new part")
        self.path = path


class ChangedPartError(LoggerError):
    """Raised when a shard part is not as long as the writer left it; it is looked at anew before the next try."""

    retry = True

    def __init__(self, path: Path, size: int, expected: int) -> None:
        super().__init__(f"{path}: {size} bytes where the writer left {expected}", hint="edit copies of shards only")


class RollupSpaceError(LoggerError):
    """Raised when a daily or weekly file does not fit on the disk beside the reserve; it gave its space back."""

    retry = True


class RollupStoppedError(LoggerError):
    """Raised when a rollup was told to stop; its checkpoint says where it goes on."""

    retry = True


class ArchiveError(LoggerError):
    """Raised when the archive's file cannot be used now; it stands as it did."""


class DamagedArchiveError(ArchiveError):
    """Raised when the archive's file is no sound one of this version; it is made anew from the shards."""


class MissingArchiveError(ArchiveError):
    """Raised when nothing was archived yet, or the archive's file was deleted."""


class DamagedDayError(ArchiveError):
    """Raised when one day of the archive cannot be what was written there; its shards tell it."""

    def __init__(self, message: str, day: date) -> None:
        super().__init__(message)
        self.day = day


class QueryError(LoggerError):
    """Raised when a query cannot be answered as asked: a naive time, an end before its start."""


class UnknownSensorError(QueryError):
    """Raised when a query names sensors that no reading of its time has."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(f"no sensor {', '.join(names)}", hint="`sensors` lists all names")
        self.names = tuple(names)


class BusyError(LoggerError):
    """Raised when as many requests as allowed are being answered already."""

    retry = True


class ExportError(LoggerError):
    """Raised when the process of an export ended without a word of its own; nothing was wrong with what was asked."""


class ExistsError(LoggerError):
    """Raised when a file stands where another one would go."""


class LogFetchError(LoggerError):
    """Raised when the controller's web server gives no whole log."""

    retry = True


class ProcessLogError(LoggerError):
    """Raised when bytes are no sound log of the controller's own, or of an older version; none of it counts."""


class PumpStoppedError(LoggerError):
    """Raised when a read was ended because the logger stops; nothing is wrong with the pump."""


class PumpError(LoggerError):
    """Raised when one read of the pump gave no whole reading.

    `reading` is what was being read, `got` and `wanted` count bytes of it, `wait_s` is how long the pump
    asks to be left alone (None: the usual back-off), `kind` is one of the gap book's reasons.
    """

    retry = True
    kind = "pump_silent"
    wait_s: float | None = None

    def __init__(self, message: str, *, reading: str, got: int = 0, wanted: int = 0, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.reading = reading
        self.got = got
        self.wanted = wanted


class PumpTimeoutError(PumpError):
    """Raised when the deadline of a read passed before the answer was whole."""


class PumpClosedError(PumpError):
    """Raised when the pump closed or reset the connection in the middle of a read."""


class PumpAnswerError(PumpError):
    """Raised when an answer's echo or count cannot be right."""


class PumpUnreachableError(PumpError):
    """Raised when no connection came about: refused, no route, or a name that does not resolve."""

    kind = "pump_refused"


class PumpBusyError(PumpError):
    """Raised when the controller answers with a status above 0: it asks for five seconds of peace."""

    kind = "pump_busy"
    wait_s = 5.0
