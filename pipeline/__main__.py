"""`python -m pipeline COMMAND`: the signal handlers stand before anything heavy is imported."""

from __future__ import annotations

import io
import os
import sys

from pipeline import exits
from pipeline.stop import Stop

#: Commands that run until they are told to stop; the others end at once on Ctrl-C.
_LASTING = frozenset({"run", "demo", "simulate"})


def _main() -> int:
    stop = Stop()
    if _LASTING.intersection(sys.argv[1:2]):
        stop.listen()
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Not every terminal has a degree sign; standard error is like this by itself.
        sys.stdout.reconfigure(errors="backslashreplace")
    from pipeline.cli import main

    try:
        code = main(sys.argv[1:], stop)
    except SystemExit as ended:  # as the parser tells of help and of wrong usage
        code = int(ended.code or 0)
    return _printed(code)


def _printed(code: int) -> int:
    """The exit code when all that was printed has gone out; left to Python, a failure would end in a trace and 120."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        _print_nowhere()
    except OSError as error:
        _print_nowhere()
        print(f"{error.strerror}: standard output", file=sys.stderr)  # noqa: T201
        return code or exits.FAILED
    return code


def _print_nowhere() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(_main())
