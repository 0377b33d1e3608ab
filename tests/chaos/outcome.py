"""What a call of a command came to, and whether it may come to that."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline import exits
from tests.chaos.tally import BrokenError

#: All exit codes that docs/operation.md names.
CODES = frozenset({exits.OK, exits.FAILED, exits.USAGE, exits.RUNNING, exits.UNSAVED, exits.INTERRUPTED})
#: What Python says of an error that nobody caught.
_TRACES = ("Traceback", "Exception ignored", "Exception in thread", "Fatal Python error", "Logging error")


@dataclass(frozen=True)
class Outcome:
    """Exit code, standard output and standard error."""

    code: object
    out: str
    err: str


def tree(place: Path) -> dict[str, tuple[int, int, int]]:
    """Everything in a folder: name, kind, size and when it was changed."""
    found = {}
    for path in place.rglob("*"):
        stat = path.lstat()
        found[str(path.relative_to(place))] = (stat.st_mode, stat.st_size, stat.st_mtime_ns)
    return found


def check(outcome: Outcome, call: object, *, created: bool, codes: frozenset[int] = CODES, heard: bool = True) -> None:
    """Hold an outcome against what is promised; `heard` where all that was printed arrived.

    Raises:
        BrokenError: a trace of an error that nobody caught, another exit code, an error without a word, or something
            created, or printed but an error, with exit code 2.
    """
    said = outcome.out + outcome.err
    if any(trace in said for trace in _TRACES):
        wrong = "an error that nobody caught"
    elif outcome.code not in codes:
        wrong = f"exit code {outcome.code!r}, where {sorted(codes)} may be"
    elif outcome.code == exits.USAGE and (created or outcome.out or not outcome.err):
        wrong = "exit code 2 with more than an error"
    elif outcome.code not in (exits.OK, exits.INTERRUPTED) and heard and not said.strip():
        wrong = "a failure without a word"
    else:
        return
    raise BrokenError(f"{wrong}: {outcome} from {call}")
