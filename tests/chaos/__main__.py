"""`python -m tests.chaos [NAME ...]`: runs the campaign, prints its table, and exits with 1 where a promise broke.

What is done is kept in `.chaos/`, so that a campaign of the same commit and the same ROUNDS goes on where it ended.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from threading import Lock

from pipeline import files
from pipeline.listing import columns
from tests.bench.machine import describe
from tests.chaos.attacks import ATTACKS
from tests.chaos.tally import Attack, Tally
from tests.leash import leash
from tests.running import ROOT

#: Where a campaign works and keeps what it has done, in the project's folder.
FOLDER = ROOT / ".chaos"
_STATE = "state.json"
_HEAD = ("attack", "rounds", "served", "stored", "in flight", "reported", "lost", "doubled", "torn")
#: Seconds that one batch may take.
_BATCH_S = 1800


@dataclass
class Progress:
    """What a campaign has done: of each attack the rounds and their tally, and what broke."""

    commit: str
    total: int
    done: dict[str, int] = field(default_factory=dict)
    tallies: dict[str, Tally] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    def save(self, folder: Path) -> None:
        document = asdict(self)
        files.publish(folder / _STATE, json.dumps(document, indent=1).encode())


def main(arguments: Sequence[str]) -> int:
    """Run the chosen attacks; gives the exit code."""
    options = _options(arguments)
    chosen = [attack for attack in ATTACKS if attack.name in (options.names or [each.name for each in ATTACKS])]
    progress = _resumed(options.folder, options.rounds)
    print(f"{describe(options.folder)}, commit {progress.commit}", flush=True)
    campaign = Campaign(options.folder, progress)
    with ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(campaign.run, chosen))
    print(table(chosen, progress))
    print(_closing(chosen, progress))
    for name, what in progress.broken.items():
        print(f"BROKEN {name}: {what}", file=sys.stderr)
    return 0 if all(_holds(attack, progress) for attack in chosen) else 1


class Campaign:
    """Runs attacks batch by batch; several may run at once, each batch in a process of its own."""

    def __init__(self, folder: Path, progress: Progress) -> None:
        self._folder = folder
        self._progress = progress
        self._lock = Lock()

    def run(self, attack: Attack) -> None:
        """All rounds of an attack that are not done yet; a broken one ends."""
        total = attack.rounds(self._progress.total)
        while attack.name not in self._progress.broken and (done := self._progress.done.get(attack.name, 0)) < total:
            began = time.monotonic()
            self._batch(attack, done, min(done + attack.batch, total))
            self._note(attack, total, time.monotonic() - began)

    def _batch(self, attack: Attack, first: int, stop: int) -> None:
        folder = self._folder / attack.name
        if not attack.grows or not first:
            shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(exist_ok=True)
        command = [sys.executable, "-m", "tests.chaos.batch", attack.name, str(first), str(stop), str(folder)]
        ended = _run(command)
        with self._lock:
            if ended.returncode:
                self._progress.broken[attack.name] = f"rounds {first} to {stop}: {ended.stderr.strip()[-2000:]}"
                return
            tally = Tally(**json.loads(ended.stdout))
            before = Tally() if attack.grows else self._progress.tallies.get(attack.name, Tally())
            self._progress.tallies[attack.name] = before + tally
            self._progress.done[attack.name] = stop
            if not tally.holds:
                self._progress.broken[attack.name] = f"rounds {first} to {stop} in {folder}: {tally}"

    def _note(self, attack: Attack, total: int, seconds: float) -> None:
        with self._lock:
            self._progress.seconds += seconds
            self._progress.save(self._folder)
            done = self._progress.done.get(attack.name, 0)
            print(f"{attack.name}: {done} of {total} rounds, {seconds:.1f} s", file=sys.stderr, flush=True)


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    """What a batch printed; its process ends with this one, so that no other one finds it at work in its folder."""
    with leash() as (variables, held):
        env = os.environ | variables
        try:
            return subprocess.run(
                command,
                cwd=ROOT,
                env=env,
                pass_fds=held,
                capture_output=True,
                text=True,
                timeout=_BATCH_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            return subprocess.CompletedProcess(command, 1, "", str(error))


def table(attacks: Sequence[Attack], progress: Progress) -> str:
    """One row an attack, aligned as in docs/reliability.md."""
    rows = [_row(attack, progress.tallies.get(attack.name, Tally())) for attack in attacks]
    return columns([_HEAD, *rows])


def _row(attack: Attack, tally: Tally) -> tuple[str, ...]:
    counts = (tally.rounds, tally.served, tally.stored, tally.in_flight, tally.reported)
    return f"{attack.number} {attack.name}", *map(str, counts), *map(str, (tally.lost, tally.doubled, tally.torn))


def _closing(attacks: Sequence[Attack], progress: Progress) -> str:
    connections = sum(progress.tallies.get(attack.name, Tally()).connections for attack in attacks)
    held = sum(_holds(attack, progress) for attack in attacks)
    return (
        f"{held} of {len(attacks)} attacks held; {connections} connections recorded, all of them only asked to read; "
        f"{progress.seconds / 60:.0f} minutes of work"
    )


def _holds(attack: Attack, progress: Progress) -> bool:
    done = progress.done.get(attack.name, 0) == attack.rounds(progress.total)
    return done and attack.name not in progress.broken and progress.tallies[attack.name].holds


def _resumed(folder: Path, total: int) -> Progress:
    """The progress of a campaign of the same commit and size; otherwise a new one on an empty folder."""
    commit = _commit()
    try:
        document = json.loads((folder / _STATE).read_bytes())
        tallies = {name: Tally(**tally) for name, tally in document.pop("tallies").items()}
        found = Progress(**document, tallies=tallies)
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        found = Progress("", 0)
    if (found.commit, found.total) == (commit, total) and not found.broken:
        return found
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return Progress(commit, total)


def _commit() -> str:
    """The commit of the code, with `+` where it was changed since."""
    head = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    changed = subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, capture_output=True, text=True, check=False)
    return (head.stdout.strip() or "unknown") + ("+" if changed.stdout.strip() else "")


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    names = [attack.name for attack in ATTACKS]
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos",
        description="Attacks the logger and counts what is lost, doubled or torn; exit code 1 where anything is.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="attacks:\n" + "\n".join(f"  {each.name:<16} {each.about}" for each in ATTACKS),
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="which attacks (default: all)")
    parser.add_argument("--rounds", type=int, default=200, help="rounds of the first attack (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="attacks at once (default: %(default)s)")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where to work (default: %(default)s)")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - set(names):
        parser.error(f"no attack {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    return options


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
