"""`python -m tests.container [NAME ...]`: builds the image, runs the checks, prints what each found; exits with 1 where
one failed."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.container import builders, checks, soak, surroundings
from tests.container.engine import EngineError, build, docker

Check = Callable[[Path], str]

#: What builds anew, and so would take the processors from the others' limits of time.
ALONE: tuple[Check, ...] = (builders.both_builders_make_the_same_image,)

#: The one that waits longest stands first.
CHECKS: tuple[Check, ...] = (
    checks.pump_that_is_away_makes_it_unhealthy_with_the_reason,
    checks.image_is_small_and_says_what_it_is,
    checks.polls_serves_and_turns_healthy,
    checks.killed_twice_it_loses_nothing,
    checks.stop_writes_all_that_is_in_memory,
    checks.newer_image_goes_on_with_the_volume,
    surroundings.folder_of_another_owner_is_told_with_what_mends_it,
    surroundings.any_other_user_works_too,
    builders.packages_of_both_platforms_are_there,
    surroundings.check_command_asks_the_pump,
    surroundings.two_exports_at_once_stay_within_the_memory,
    surroundings.memory_that_runs_out_ends_an_export_and_no_poll,
    surroundings.compose_file_starts_it_and_stops_it,
    surroundings.compose_file_takes_a_second_pump,
)

#: What takes a quarter of an hour, and so is asked for.
LONG: tuple[Check, ...] = (
    soak.a_week_in_minutes_with_memory_flat,
    soak.ten_minutes_under_the_limits_with_nothing_but_the_address,
)


def main(arguments: Sequence[str]) -> int:
    """Run the chosen checks, some at once; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.container", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="only checks whose name has this in it")
    parser.add_argument("--long", action="store_true", help="also what takes a quarter of an hour")
    asked = parser.parse_args(arguments)
    try:
        docker("info")
    except (EngineError, OSError) as error:
        print(f"no Docker engine answers: {error}", file=sys.stderr)
        return 1
    began = time.monotonic()
    build()
    print(f"image built in {time.monotonic() - began:.0f} s", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        passed = _run_all(_named(ALONE, asked.names), Path(folder), at_once=1)
        passed += _run_all(_named([*(LONG if asked.long else ()), *CHECKS], asked.names), Path(folder), at_once=3)
    print(f"{sum(passed)} of {len(passed)} checks of the image passed in {time.monotonic() - began:.0f} s")
    return 0 if passed and all(passed) else 1


def _named(checks: Sequence[Check], names: Sequence[str]) -> list[Check]:
    """The checks that have one of these in their name; all where none is asked for."""
    return [check for check in checks if not names or any(name in check.__name__ for name in names)]


def _run_all(checks: Sequence[Check], folder: Path, *, at_once: int) -> list[bool]:
    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(lambda check: _run(check, folder / check.__name__), checks))


def _run(check: Check, folder: Path) -> bool:
    folder.mkdir()
    began = time.monotonic()
    name = check.__name__.replace("_", " ")
    try:
        found = check(folder)
    except Exception:  # noqa: BLE001 - the others go on; the trace is printed whole
        print(f"FAILED  {name}\n{traceback.format_exc()}", flush=True)
        return False
    print(f"ok  {time.monotonic() - began:4.0f} s  {name}: {found}", flush=True)
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
