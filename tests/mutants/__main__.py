"""`python -m tests.mutants [NAME ...]`: breaks the code in many ways; exit code 1 where a break is not caught."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

from pipeline.listing import columns
from tests.mutants.catalog import MUTANTS
from tests.mutants.mutant import Mutant, PieceError
from tests.mutants.workplace import CAUGHT, Outcome, Workplace
from tests.running import ROOT

Item = TypeVar("Item")
Result = TypeVar("Result")

_HEAD = ("mutant", "breaks", "", "by", "seconds")
#: Seconds that all named tests together may take on the sound code.
_SOUND_S = 900.0


def main(arguments: Sequence[str]) -> int:
    """Try out the chosen mutants; gives the exit code."""
    options = _options(arguments)
    chosen = [mutant for mutant in MUTANTS if not options.names or mutant.name in options.names]
    began = time.monotonic()
    if misfits := _misfits(chosen):
        print("\n".join(misfits), file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        check = Check(Path(folder), max(1, min(options.jobs, len(chosen))))
        if broken := check.sound(chosen):
            print(f"the tests fail on the sound code:\n{broken}", file=sys.stderr)
            return 1
        outcomes = check.all(chosen)
    print(table(chosen, outcomes))
    return closing(chosen, outcomes, time.monotonic() - began)


def _misfits(mutants: Sequence[Mutant]) -> list[str]:
    """What is wrong with mutants that no longer fit the code."""
    found: list[str] = []
    for mutant in mutants:
        try:
            mutant.applied(ROOT)
        except PieceError as error:
            found.append(str(error))
    return found


class Check:
    """Several copies of the project, each used by one mutant at a time."""

    def __init__(self, folder: Path, jobs: int) -> None:
        self._jobs = jobs
        self._free: SimpleQueue[Workplace] = SimpleQueue()
        for i in range(jobs):
            self._free.put(Workplace(ROOT, folder / str(i)))

    def sound(self, mutants: Sequence[Mutant]) -> str:
        """What pytest says of the named tests where they fail without any mutant; nothing where all pass."""
        tests = list(dict.fromkeys(test for mutant in mutants for test in mutant.tests))
        shares = [tests[i :: self._jobs] for i in range(self._jobs)]
        return "\n".join(filter(None, self._spread(self._said_of, [share for share in shares if share])))

    def all(self, mutants: Sequence[Mutant]) -> list[Outcome]:
        """What became of each mutant."""
        return self._spread(self._try_out, mutants)

    def _said_of(self, workplace: Workplace, tests: Sequence[str]) -> str:
        code = workplace.run(tests, _SOUND_S)
        return f"pytest ended with {code}\n{workplace.said}" if code else ""

    def _try_out(self, workplace: Workplace, mutant: Mutant) -> Outcome:
        outcome = workplace.try_out(mutant)
        print(f"{outcome.verdict}: {mutant.name}, {outcome.seconds:.1f} s", file=sys.stderr, flush=True)
        return outcome

    def _spread(self, work: Callable[[Workplace, Item], Result], items: Sequence[Item]) -> list[Result]:
        def one(item: Item) -> Result:
            with self._workplace() as workplace:
                return work(workplace, item)

        with ThreadPoolExecutor(self._jobs) as pool:
            return list(pool.map(one, items))

    @contextmanager
    def _workplace(self) -> Iterator[Workplace]:
        workplace = self._free.get()
        try:
            yield workplace
        finally:
            self._free.put(workplace)


def table(mutants: Sequence[Mutant], outcomes: Sequence[Outcome]) -> str:
    """One row a mutant."""
    rows = [
        (mutant.name, mutant.breaks, outcome.verdict, outcome.by.removeprefix("tests/"), f"{outcome.seconds:.1f}")
        for mutant, outcome in zip(mutants, outcomes, strict=True)
    ]
    return columns([_HEAD, *rows])


def closing(mutants: Sequence[Mutant], outcomes: Sequence[Outcome], seconds: float) -> int:
    """Tell the sum, and what the tests said where a mutant was not caught; gives the exit code."""
    verdicts = Counter(outcome.verdict for outcome in outcomes)
    print(f"{verdicts[CAUGHT]} of {len(mutants)} mutants caught in {seconds:.0f} s")
    for mutant, outcome in zip(mutants, outcomes, strict=True):
        if outcome.verdict != CAUGHT:
            print(f"{outcome.verdict} {mutant.name} ({mutant.breaks}):\n{outcome.said[-2000:]}", file=sys.stderr)
    return 0 if verdicts[CAUGHT] == len(mutants) else 1


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutants",
        description="Breaks the code on purpose, one break at a time in a copy; exit code 1 where no test catches one.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="mutants:\n" + "\n".join(f"  {mutant.breaks:<10} {mutant.name}" for mutant in MUTANTS),
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="which mutants (default: all)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="mutants at once (default: %(default)s)")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - {mutant.name for mutant in MUTANTS}:
        parser.error(f"no mutant {', '.join(sorted(unknown))}")
    return options


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
