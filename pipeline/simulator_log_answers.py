"""What the simulated controller answers to a request for its own log, right or as wrong as a fault makes it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import shake_128

from pipeline.errors import LoggerError

#: Every fault, for a person who chooses one by name.
LOG_FAULTS = {
    "refused": "refuses connections, as firmware does where its web server is off",
    "missing": "knows no path at all",
    "redirect": "sends the client elsewhere",
    "silent": "accepts connections and never answers",
    "drip": "sends slowly, few bytes at a time",
    "stall": "stops in the middle of the file and keeps the connection open",
    "close": "closes the connection in the middle of the file",
    "long": "sends more than any file has, without telling how much",
    "garbage": "sends random bytes instead of the file",
    "older": "sends a file of an older format",
    "torn": "has a torn piece of a record before the oldest one, which is right",
    "lies": "has a field that does not say what its calculation says",
}

#: Bytes handed to the kernel at once where no fault asks for less.
_AT_ONCE = 1 << 16


@dataclass(frozen=True)
class LogFault:
    """One way to misbehave; each field beside the name matters to the faults its comment names.

    Raises:
        LoggerError: no fault has this name, or a number makes no sense.
    """

    name: str
    #: stall, close: bytes of the file that are still sent.
    at: int = 50_000
    #: drip: bytes a second.
    rate: int = 1000
    #: long: bytes that are sent.
    size: int = 5_000_000
    #: redirect: where to.
    location: str = "http://192.0.2.1/NewProc"
    #: older: the version that is told.
    version: int = 8209
    #: lies: the calculation of the field that lies.
    calculation: int = 20

    def __post_init__(self) -> None:
        if self.name not in LOG_FAULTS:
            raise LoggerError(f"no fault of the log is named {self.name!r}", hint=f"one of {', '.join(LOG_FAULTS)}")
        if self.at < 0 or self.rate < 1 or self.size < 1:
            raise LoggerError(f"a fault that cannot be: {self}")


class LogAnswer:
    """Status, headers and body for one client; a status of 0 means that not even a head is sent."""

    def __init__(self, file: bytes, fault: LogFault | None) -> None:
        self._fault = fault
        name = fault.name if fault else ""
        self.status = {"silent": 0, "redirect": 302}.get(name, 200)
        self._body = _body(file, fault)
        self.headers = [("Content-Type", "application/octet-stream")]
        if name != "long":
            self.headers.append(("Content-Length", str(len(self._body))))
        if fault and name == "redirect":
            self.headers.append(("Location", fault.location))

    def pieces(self) -> Iterator[bytes]:
        """The body, or what is sent of it, in pieces; a drip falls twenty times a second, or slower."""
        fault, end, size = self._fault, len(self._body), _AT_ONCE
        if fault and fault.name in ("stall", "close"):
            end = min(end, fault.at)
        if fault and fault.name == "drip":
            size = max(1, fault.rate // 20)
        for at in range(0, end, size):
            yield self._body[at : min(at + size, end)]


def _body(file: bytes, fault: LogFault | None) -> bytes:
    name = fault.name if fault else ""
    if fault is None or name not in ("silent", "redirect", "garbage", "long", "older"):
        return file
    if name == "garbage":
        return shake_128(file).digest(len(file))
    if name == "long":
        return (file * (fault.size // len(file) + 1))[: fault.size]
    if name == "older":
        return fault.version.to_bytes(4, "little") + file[4:]
    return b""
