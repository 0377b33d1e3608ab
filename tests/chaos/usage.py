"""Odd settings, files and arguments thrown at every command: a clear error or a right start, never a traceback.

Most rounds are calls of `cli.main` in this process, with a stop that is asked for already, so that what would run for
ever starts and stops; a second row calls real processes in odd surroundings.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from hypothesis import HealthCheck, assume, given, seed
from hypothesis import Phase as Step
from hypothesis import settings as examples

from pipeline import cli, settings
from pipeline.errors import SettingsError
from pipeline.house import House
from pipeline.simulator import SimulatedPump
from pipeline.stop import Stop
from tests.chaos import surroundings
from tests.chaos.calls import CALLS, FILE, HERE, Call
from tests.chaos.examine import only_reads
from tests.chaos.outcome import Outcome, check, tree
from tests.chaos.tally import Attack, BrokenError, Tally
from tests.parts import open_shards, reading

#: Settings that a call has beside the odd ones, if these do not set the same.
_USUAL = {
    "LUX_DATA_DIR": f"{HERE}/data",
    "LUX_HOST": "127.0.0.1",
    "LUX_TIMEZONE": "Europe/Berlin",
    "LUX_TIMEOUT_SEC": "1",
}
#: Folders outside a call's own where nobody can make anything.
_NOWHERE = ("/dev/null", "/proc")


def _usage(folder: Path, rounds: range) -> Tally:
    """So many calls; the first round's number is the seed of all of them."""
    tried = 0
    model = folder / "model"
    open_shards(model / "data").append([reading(day * 86_400, day) for day in range(3)])
    with SimulatedPump(House().answer_at) as pump:

        @seed(rounds.start)
        @examples(
            max_examples=len(rounds),
            database=None,
            deadline=None,
            phases=[Step.generate, Step.shrink],
            suppress_health_check=list(HealthCheck),
        )
        @given(CALLS)
        def attack(call: Call) -> None:
            nonlocal tried
            tried += _try(folder, model, call, pump)

        attack()
    if tried < len(rounds):
        raise BrokenError(f"only {tried} of {len(rounds)} calls were tried")
    return Tally(rounds=len(rounds), connections=only_reads(pump))


def _try(folder: Path, model: Path, call: Call, pump: SimulatedPump) -> int:
    place = Path(tempfile.mkdtemp(dir=folder))
    try:
        _furnish(place, model, call)
        before = tree(place)
        outcome = _outcome(place, call, pump)
        check(outcome, call, created=tree(place) != before)
    finally:
        shutil.rmtree(place)
    return 1


def _furnish(place: Path, model: Path, call: Call) -> None:
    """The settings file of whatever kind its name says, and readings."""
    if call.filled:
        shutil.copytree(model / "data", place / "data")
    name, content = call.file
    (place / "loop.yaml").symlink_to(place / "loop.yaml")
    os.mkfifo(place / "pipe.toml")
    if name.startswith("odd"):
        (place / name).write_bytes(content)


def _outcome(place: Path, call: Call, pump: SimulatedPump) -> Outcome:
    """What a call prints and gives, in this process, with a stop that is asked for already."""
    arguments = [_placed(word, place, call) for word in call.arguments]
    variables = {**_USUAL, "LUX_PORT": str(pump.address[1]), **call.variables}
    environ = {name: _placed(value, place, call) for name, value in variables.items()}
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", errors) for errors in ("strict", "backslashreplace"))
    stop = Stop()
    stop.set()
    with contextlib.ExitStack() as stack:
        stack.callback(stop.close)
        stack.enter_context(mock.patch.dict(os.environ, environ, clear=True))
        stack.enter_context(contextlib.chdir(place))
        stack.enter_context(mock.patch("socket.getaddrinfo", _nobody_else(socket.getaddrinfo)))
        stack.enter_context(_own_log())
        stack.enter_context(contextlib.redirect_stdout(out))
        stack.enter_context(contextlib.redirect_stderr(err))
        try:
            assume(_stays_inside(place))
            code: object = cli.main(arguments, stop)
        except SystemExit as ended:
            code = ended.code
        except Exception as error:
            raise BrokenError(f"{type(error).__name__}: {error} from {call}") from error
        return Outcome(code, _text(out), _text(err))


def _placed(text: str, place: Path, call: Call) -> str:
    return text.replace(FILE, str(place / call.file[0])).replace(HERE, str(place))


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    written = stream.buffer
    assert isinstance(written, io.BytesIO)
    return written.getvalue().decode()


def _stays_inside(place: Path) -> bool:
    """Whether no folder of the settings in force, if they are right, lies outside the call's own."""
    try:
        found = settings.load()
    except SettingsError:
        return True
    output = found.output
    paths = (found.data_dir, found.cache_path, output.shards, output.daily, output.weekly, output.archive)
    allowed = (os.path.realpath(place), *_NOWHERE)
    return all(any(Path(os.path.realpath(path)).is_relative_to(each) for each in allowed) for path in paths)


def _nobody_else(real: Callable[..., Any]) -> Callable[..., Any]:
    """A look-up of names and addresses in a network that has nobody but this machine."""

    def look_up(host: str, port: int, *rest: Any, **more: Any) -> Any:
        name = "127.0.0.1" if host == "localhost" else host
        # Names are encoded as ever, and none resolves.
        found = real(name, port, *rest, **{**more, "flags": socket.AI_NUMERICHOST})
        if not str(found[0][4][0]).startswith(("127.", "::1")):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return found

    return look_up


@contextlib.contextmanager
def _own_log() -> Iterator[None]:
    """Let a command set up the log as it likes, and put back what was there."""
    root = logging.getLogger()
    before, level = root.handlers, root.level
    root.handlers = []
    try:
        yield
    finally:
        root.handlers = before
        root.setLevel(level)
        # The command rollup quietens its stage for as long as its process lasts.
        logging.getLogger("rollup").setLevel(logging.NOTSET)


ATTACKS = (
    Attack(8, "usage", "odd settings, files and arguments at every command", _usage, batch=50, short=8),
    Attack(8, "surroundings", "commands with odd streams, folders and locales", surroundings.run, share=0.2, short=3),
)
