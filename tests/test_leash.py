"""A process on a leash: it ends with the one that started it, however that ends, and not before."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.leash import leash
from tests.running import ROOT

#: Obeys, says so, and then waits for ever.
_CHILD = "from tests import leash; leash.obey(); print('well', flush=True); import threading; threading.Event().wait()"
#: Starts a child that shares its output, and waits for it.
_PARENT = f"""
import os, subprocess, sys
from tests.leash import leash
with leash() as (variables, held):
    subprocess.run([sys.executable, "-c", {_CHILD!r}], env=os.environ | variables, pass_fds=held)
"""


def test_child_of_a_killed_parent_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", _PARENT], cwd=ROOT, text=True, stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        assert parent.stdout.readline() == "well\n"
        parent.kill()
        assert parent.stdout.read() == "", "the output ends when the last process that holds it does"


def test_child_lives_as_long_as_the_leash_is_held() -> None:
    with (
        leash() as (variables, held),
        subprocess.Popen(
            [sys.executable, "-c", _CHILD],
            cwd=ROOT,
            text=True,
            stdout=subprocess.PIPE,
            env=os.environ | variables,
            pass_fds=held,
        ) as child,
    ):
        assert child.stdout
        assert child.stdout.readline() == "well\n"
        assert child.poll() is None
        child.kill()
