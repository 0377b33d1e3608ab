"""Calls a function in a fresh Python process, so that its memory and CPU are its own.

Functions are asked for by module and name; arguments and the result travel as JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TypeVar, cast

T = TypeVar("T")

#: Where `pipeline` and `tests` are imported from.
ROOT = Path(__file__).parents[2]


def in_child(function: Callable[..., T], *arguments: str | float) -> T:
    """What a function gives when a new process calls it.

    Raises:
        CalledProcessError: it raised; its traceback went to standard error.
    """
    call = [function.__module__, function.__name__, json.dumps(arguments)]
    command = [sys.executable, "-m", __name__, *call]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    return cast("T", json.loads(done.stdout))


if __name__ == "__main__":
    module, name, arguments = sys.argv[1:]
    print(json.dumps(getattr(import_module(module), name)(*json.loads(arguments))))
