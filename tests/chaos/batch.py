"""One batch of one attack in a process of its own: `python -m tests.chaos.batch NAME FIRST STOP FOLDER`."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from pipeline import log
from tests import leash
from tests.chaos.attacks import find


def main(arguments: list[str]) -> int:
    """Print the batch's tally as JSON; gives the exit code."""
    leash.obey()
    name, first, stop, folder = arguments
    log.set_up("critical", "text")
    tally = find(name).run(Path(folder), range(int(first), int(stop)))
    print(json.dumps(asdict(tally)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
