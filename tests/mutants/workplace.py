"""A copy of the project in which a mutant lives while its tests run; the project itself is never touched."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.mutant import Mutant

CAUGHT, SURVIVED, ERROR = "caught", "SURVIVED", "ERROR"

#: Seconds after which a mutant hangs, whatever a test's own limit.
HANGS_S = 60.0

#: Seconds of one test under a mutant: twice the suite's limit, so that what a test waits for in vain fails by its name.
LIMIT_S = 20.0

#: What pytest exits with when tests ran and failed; anything above says that they did not run as they should.
_FAILED = 1
#: What pytest prints where a test's limit passed in the midst of the report on its failure.
_LATE = re.compile(r"^INTERNALERROR> Failed: Timeout \(>.*s\) from pytest-timeout", re.MULTILINE)
_FAILED_TEST = re.compile(r"^FAILED (.+?)(?: - .*)?$", re.MULTILINE)
#: Variables that would let the inner pytest measure coverage or take over options of an outer one.
_OUTER = ("COV_", "COVERAGE_", "PYTEST_")


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant: `by` names the test that caught it, `said` is what pytest printed."""

    verdict: str
    by: str
    seconds: float
    said: str


class Workplace:
    """The files of a project that git knows or would take, in a folder of their own."""

    def __init__(self, project: Path, folder: Path) -> None:
        self.root = folder / "project"
        self._said = folder / "said.txt"
        self._temporary = folder / "temporary"
        for name in _names(project):
            target = self.root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(project / name, target)
        # What some tests read beside the project is read there from here too.
        if (shared := project.parent / "shared").exists():
            (folder / "shared").symlink_to(shared)

    def try_out(self, mutant: Mutant) -> Outcome:
        """Break the copy, run the mutant's tests, mend the copy.

        Raises:
            PieceError: the mutant does not fit the code.
        """
        began = time.monotonic()
        with self._broken(mutant):
            code = self.run(mutant.tests, HANGS_S)
        said = self.said
        verdict, by = _judge(code, said)
        return Outcome(verdict, by, time.monotonic() - began, said)

    def run(self, tests: Sequence[str], timeout_s: float) -> int | None:
        """Run tests until the first fails; gives pytest's exit code, None where it had to be ended."""
        options = ["-x", "-q", "-rf", "--tb=short", "-p", "no:cacheprovider", f"--basetemp={self._temporary}"]
        limit = ["-p", "pytest_timeout", f"--timeout={LIMIT_S}"]
        command = [sys.executable, "-m", "pytest", *options, *limit, *tests]
        with self._said.open("wb") as said:
            process = subprocess.Popen(
                command, cwd=self.root, env=_environment(), stdout=said, stderr=said, start_new_session=True
            )
            try:
                return process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                return None
            finally:
                # A test that died could not end what it had started; all of it is in the group of its own.
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    @property
    def said(self) -> str:
        """What the last run printed."""
        return self._said.read_text(encoding="utf-8", errors="replace")

    @contextmanager
    def _broken(self, mutant: Mutant) -> Iterator[None]:
        path = self.root / mutant.file
        sound = path.read_bytes()
        path.write_text(mutant.applied(self.root), encoding="utf-8")
        try:
            yield
        finally:
            path.write_bytes(sound)


def _judge(code: int | None, said: str) -> tuple[str, str]:
    """The verdict on a mutant, and what caught it: only a test that failed, a death or time that ran out is a catch."""
    if code is None:
        return CAUGHT, f"it hangs, ended after {HANGS_S:.0f} s"
    if code < 0:
        return CAUGHT, f"it dies of {signal.Signals(-code).name}"
    if code == 0:
        return SURVIVED, ""
    failed = _FAILED_TEST.search(said)
    if code == _FAILED and failed:
        return CAUGHT, failed[1]
    if _LATE.search(said):
        return CAUGHT, f"the limit of {LIMIT_S:.0f} s, while it was reported"
    return ERROR, f"pytest ended with {code}"


def _names(project: Path) -> list[str]:
    """The files of a project, tracked or new, that are there."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=project, capture_output=True, text=True, check=True).stdout
    return sorted({name for name in listed.split("\0") if (project / name).is_file()})


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OUTER)}
    # A break may keep a file's size and its time to the second, by which stale bytecode would be taken for it.
    # Loading every plugin takes longer than most tests; only the time limit is needed.
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
