"""Every command as a real process in surroundings that nobody plans for: streams, folders, locales, settings files."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from pipeline import exits
from pipeline.__main__ import _LASTING
from pipeline.house import House
from pipeline.simulator import SimulatedPump
from pipeline.simulator_log import encode_log
from tests.chaos.calls import commands
from tests.chaos.examine import only_reads
from tests.chaos.outcome import CODES, Outcome, check, tree
from tests.chaos.tally import BrokenError, Tally
from tests.parts import open_shards, reading
from tests.running import ROOT

_FINE = frozenset({exits.OK})
_WRONG = frozenset({exits.USAGE})
_UNHEARD = frozenset({exits.OK, exits.FAILED})

#: Commands that take no settings, or take host and folders from nobody.
_ON_THEIR_OWN = frozenset({"demo", "processlog", "simulate"})

#: Seconds that a command may take to start, and to end.
_PATIENCE_S = 30.0

#: Name of an hour of the controller's own log, which lies in each folder.
_LOG = "NewProc"
#: What each command is given, so that all of them do something and end, or wait.
_ARGUMENTS = {
    "backfill": (_LOG,),
    "demo": ("--days", "0"),
    "export": ("--output", "-"),
    "processlog": (_LOG,),
    "sensors": ("temperatur",),
    "simulate": ("--port", "0", "--journal", "journal"),
}
#: What is there when a command that runs until it is stopped has begun.
_BEGUN = {"run": "data/.lock", "demo": "data-demo/.lock", "simulate": "journal"}


@dataclass(frozen=True)
class Surroundings:
    """What surrounds a command: variables, how a shell starts it (`"$@"` is the command) if one does, how it may end.

    `furnish` prepares the folder and gives further variables; where `unread`, nobody reads what it prints.
    """

    name: str
    variables: dict[bytes, bytes] = field(default_factory=dict)
    shell: str = ""
    furnish: Callable[[Path], dict[bytes, bytes]] = lambda _: {}
    codes: frozenset[int] = _FINE
    unread: bool = False


def _file(name: str, make: Callable[[Path], object]) -> Callable[[Path], dict[bytes, bytes]]:
    def furnish(place: Path) -> dict[bytes, bytes]:
        make(place / name)
        return {b"LUX_SETTINGS_FILE": os.fsencode(place / name)}

    return furnish


def _big(path: Path) -> None:
    path.write_text("# a line\nPORT: '1'\n" * 600_000)


def _random(path: Path) -> None:
    path.write_bytes(random.Random(1).randbytes(5000))


def _loop(path: Path) -> None:
    path.symlink_to(path)


def _latin(path: Path) -> None:
    path.write_bytes("HOST = 'w\xe4rme'\n".encode("latin-1"))


def _unreadable(path: Path) -> None:
    # A file whose first bytes nobody can read, not even root.
    path.symlink_to("/proc/self/mem")


#: Where what prints at once ends by itself.
_MUTE = (
    Surroundings("full output", shell='exec "$@" >/dev/full', codes=_UNHEARD),
    Surroundings("output that nobody reads", unread=True),
)
_CLOSED = (
    Surroundings("no output", shell='exec "$@" >&-'),
    Surroundings("no streams", shell='exec "$@" <&- >&- 2>&-'),
)
#: Where nobody sees what a command prints.
_UNPRINTED = (*_MUTE, *_CLOSED)
ALL = (
    *_MUTE,
    Surroundings("locale C", {b"LC_ALL": b"C"}),
    Surroundings(
        "locale POSIX without UTF-8", {b"LC_ALL": b"POSIX", b"PYTHONUTF8": b"0", b"PYTHONCOERCECLOCALE": b"0"}
    ),
    Surroundings("locale that is not there", {b"LC_ALL": b"xx_XX.ISO-8859-1"}),
    Surroundings("ASCII streams", {b"PYTHONIOENCODING": b"ascii"}),
    Surroundings("variables that are no UTF-8", {b"\xff\xfe": b"\xff", b"LANG": b"\xff"}),
    Surroundings("host that is no UTF-8", {b"LUX_HOST": b"w\xe4rme"}, codes=_WRONG),
    Surroundings("setting that is no UTF-8", {b"LUX_\xe4": b"1"}, codes=_WRONG),
    Surroundings("folder that is no UTF-8", {b"LUX_DATA_DIR": b"d\xe4ta"}, codes=_WRONG),
    Surroundings("zone that is no UTF-8", {b"LUX_TIMEZONE": b"", b"TZ": b"\xff"}, codes=_WRONG),
    *_CLOSED,
    Surroundings("folder that is gone", shell='mkdir gone; cd gone; rmdir ../gone; exec "$@"', codes=CODES),
    Surroundings("settings: a pipe", furnish=_file("a.toml", os.mkfifo), codes=_WRONG),
    Surroundings("settings: a folder", furnish=_file("a.yaml", Path.mkdir), codes=_WRONG),
    Surroundings("settings: 10 MB", furnish=_file("a.yaml", _big), codes=_WRONG),
    Surroundings("settings: random", furnish=_file("a.toml", _random), codes=_WRONG),
    Surroundings("settings: a link to itself", furnish=_file("a.yml", _loop), codes=_WRONG),
    Surroundings("settings: Latin-1", furnish=_file("a.toml", _latin), codes=_WRONG),
    Surroundings("settings: unreadable", furnish=_file("a.toml", _unreadable), codes=_WRONG),
)


def run(folder: Path, rounds: range) -> Tally:
    """A command in a surrounding a round: each number stands for one of all pairs."""
    names = sorted(commands())
    with SimulatedPump(House().answer_at) as pump:
        for number in rounds:
            # The number of surroundings and that of commands grow in step, so that every pair comes.
            surroundings, name = ALL[number % len(ALL)], names[(number + number // len(ALL)) % len(names)]
            _try(folder / str(number), name, surroundings, pump)
    return Tally(rounds=len(rounds), connections=only_reads(pump))


def _try(place: Path, name: str, surroundings: Surroundings, pump: SimulatedPump) -> None:
    place.mkdir()
    open_shards(place / "data").append([reading(0, 1)])
    (place / _LOG).write_bytes(_hour())
    environ = _environment(place, pump) | surroundings.variables | surroundings.furnish(place)
    before = tree(place)
    outcome = _outcome(place, name, surroundings, environ)
    call, created = f"{name} with {surroundings.name}", tree(place) != before
    # What `status` finds is no error and goes to the output alone; an export tells of a closed one on standard error,
    # which may be closed too.
    heard = name not in ("status", "export") or surroundings not in _UNPRINTED
    check(outcome, call, created=created, codes=_codes(name, surroundings), heard=heard)


@cache
def _hour() -> bytes:
    return encode_log(House().answer_at, int(reading(0).time_ms / 1000), records=60)


def _codes(name: str, surroundings: Surroundings) -> frozenset[int]:
    """How a command may end: `status` fails where no service runs, an export where its only output is closed, and some
    need no settings.
    """
    if name in _ON_THEIR_OWN and surroundings.codes == _WRONG:
        return _WRONG | _FINE
    if name == "status" and surroundings.codes != _WRONG:
        return surroundings.codes | {exits.FAILED}
    if name == "export" and surroundings in _CLOSED:
        return frozenset({exits.FAILED})
    return surroundings.codes


def _environment(place: Path, pump: SimulatedPump) -> dict[bytes, bytes]:
    """What a command needs, and nothing that this process has besides."""
    host, port = pump.address
    ours = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "LUX_HOST": host,
        "LUX_PORT": str(port),
        "LUX_DATA_DIR": str(place / "data"),
        "LUX_TIMEZONE": "Europe/Berlin",
    }
    return {os.fsencode(name): os.fsencode(value) for name, value in ours.items()}


def _outcome(place: Path, name: str, surroundings: Surroundings, environ: dict[bytes, bytes]) -> Outcome:
    command = [sys.executable, "-m", "pipeline", name, *_ARGUMENTS.get(name, ())]
    reading_end, writing_end = os.pipe()
    os.close(reading_end)
    with subprocess.Popen(
        ["sh", "-c", surroundings.shell, "sh", *command] if surroundings.shell else command,
        cwd=place,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=writing_end if surroundings.unread else subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        os.close(writing_end)
        try:
            if name in _LASTING and not (name in _ON_THEIR_OWN and surroundings in _MUTE):
                _let_begin(process, place / _BEGUN[name])
                process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=_PATIENCE_S)
        except subprocess.TimeoutExpired as error:
            raise BrokenError(f"{name} hangs with {surroundings.name}") from error
        finally:
            process.kill()
    return Outcome(process.returncode, *(text.decode(errors="replace") if text else "" for text in (out, err)))


def _let_begin(process: subprocess.Popen[bytes], mark: Path) -> None:
    """Return when a command has begun its work, or has ended.

    Raises:
        BrokenError: neither came.
    """
    deadline = time.monotonic() + _PATIENCE_S
    while not mark.exists() and process.poll() is None:
        if time.monotonic() > deadline:
            raise BrokenError(f"{mark} did not appear")
        time.sleep(0.01)
