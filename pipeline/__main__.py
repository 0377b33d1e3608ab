"""`python -m pipeline COMMAND`: the signal handlers stand before anything heavy is imported."""

from __future__ import annotations

import sys

from pipeline.stop import Stop

#: Commands that run until they are told to stop; the others end at once on Ctrl-C.
_LASTING = frozenset({"run", "demo", "simulate"})

#: As in `cli`, which cannot be imported then.
_EXIT_USAGE = 2


def _main() -> int:
    stop = Stop()
    if _LASTING.intersection(sys.argv[1:2]):
        stop.listen()
    try:
        from pipeline.cli import main
    except ModuleNotFoundError as error:
        print(f"{error}: run `make setup` once, then use .venv/bin/python", file=sys.stderr)  # noqa: T201
        return _EXIT_USAGE
    return main(sys.argv[1:], stop)


if __name__ == "__main__":
    sys.exit(_main())
