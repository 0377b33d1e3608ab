"""`python -m tests.bench [NAME ...]`: measures, prints a table, and exits with 1 where a figure is over its budget."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pipeline.listing import columns
from tests.bench import machine
from tests.bench.figures import Figure, Measurement, medians, number
from tests.bench.measurements import MEASUREMENTS


def main(arguments: Sequence[str], measurements: Sequence[Measurement] = MEASUREMENTS) -> int:
    """Run the chosen measurements; gives the exit code."""
    options = _options(arguments, measurements)
    chosen = [m for m in measurements if not options.names or m.name in options.names]
    with tempfile.TemporaryDirectory() as folder:
        print(machine.describe(Path(folder)), flush=True)
    found = {m.name: _measured(m, options.runs, short=options.short) for m in chosen}
    print(table(found))
    return 1 if any(figure.verdict == "over" for figures in found.values() for figure in figures) else 0


def table(found: dict[str, list[Figure]]) -> str:
    """The figures of each measurement, aligned."""
    head = ("measurement", "what", "figure", "unit", "budget", "verdict")
    return columns([head, *(_row(name, figure) for name, figures in found.items() for figure in figures)])


def _row(name: str, figure: Figure) -> tuple[str, ...]:
    budget = str(figure.budget) if figure.budget else ""
    return name, figure.name, number(figure.value), figure.unit, budget, figure.verdict


def _measured(measurement: Measurement, runs: int, *, short: bool) -> list[Figure]:
    print(f"{measurement.name}: {measurement.about} ...", file=sys.stderr, flush=True)
    found = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            found.append(measurement.measure(Path(folder), short=short))
    return medians(found)


def _options(arguments: Sequence[str], measurements: Sequence[Measurement]) -> argparse.Namespace:
    names = [m.name for m in measurements]
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description="Measures what docs/performance.md states; the exit code is 1 where a figure is over its budget.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="measurements:\n" + "\n".join(f"  {m.name:<10} {m.about}" for m in measurements),
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="what to measure (default: everything)")
    parser.add_argument("--runs", type=int, default=1, help="measure so often and give medians (default: %(default)s)")
    parser.add_argument("--short", action="store_true", help="small input: shows that it works, not how fast it is")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - set(names):
        parser.error(f"no measurement {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    return options


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
