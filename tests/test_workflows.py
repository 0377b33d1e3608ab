"""Holds the workflows, .ci/run, the Makefile and the locked requirements against each other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.running import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
LOCKS = ("requirements", "requirements-dev", "web/requirements")


def steps(workflow: Path) -> Iterator[dict[str, Any]]:
    for job in yaml.safe_load(workflow.read_text(encoding="utf-8"))["jobs"].values():
        yield from job.get("steps", [])


def targets(text: str) -> set[str]:
    """The make targets that a script calls."""
    return set(re.findall(r"\bmake ([a-z][a-z-]*)", text))


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_every_step_that_runs_something_is_a_target_that_the_checks_here_run_too(workflow: Path) -> None:
    ours = targets((ROOT / ".ci" / "run").read_text(encoding="utf-8"))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for step in steps(workflow):
        if "run" in step:
            (target,) = targets(step["run"])
            assert re.fullmatch(r"make [a-z-]+( [A-Z]+=[\w-]+)?", step["run"]), step
            assert target in ours
            assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_an_action_is_pinned_to_a_commit_with_its_version_beside_it_and_the_same_everywhere() -> None:
    used = [line for path in WORKFLOWS for line in re.findall(r"\buses: (.+)", path.read_text(encoding="utf-8"))]
    pinned: dict[str, set[str]] = {}
    for action in used:
        if not action.startswith("./"):
            found = re.fullmatch(r"([\w-]+/[\w-]+)(?:/[\w-]+)?@([0-9a-f]{40} # v\d+\.\d+\.\d+)", action)
            assert found, f"{action}: a tag can be moved to other code, a commit cannot"
            pinned.setdefault(found[1], set()).add(found[2])
    assert pinned
    assert all(len(commits) == 1 for commits in pinned.values()), pinned


def test_the_checks_of_the_hosts_are_all_that_run_here() -> None:
    (ci,) = (path for path in WORKFLOWS if path.stem == "ci")
    there = {target for step in steps(ci) for target in targets(step.get("run", ""))}
    (release,) = (path for path in WORKFLOWS if path.stem == "release")
    there |= {target for step in steps(release) for target in targets(step.get("run", ""))}
    assert targets((ROOT / ".ci" / "run").read_text(encoding="utf-8")) == there


def pins(path: Path) -> dict[str, str]:
    """Name and version of each requirement in a file."""
    pin = r"^([A-Za-z][\w.-]*)(?:\[[\w,-]+\])?==([^\s;\\]+)"
    found = re.findall(pin, path.read_text(encoding="utf-8"), re.MULTILINE)
    return {name.lower().replace("_", "-"): version for name, version in found}


@pytest.mark.parametrize("name", LOCKS)
def test_locked_requirements_have_what_is_asked_for_and_a_hash_each(name: str) -> None:
    asked, locked = (ROOT / f"{name}.in", ROOT / f"{name}.txt")
    assert pins(asked).items() <= pins(locked).items()
    text = locked.read_text(encoding="utf-8")
    entries = re.split(r"\n(?=[a-z])", text.partition("make lock\n")[2].strip())
    assert len(entries) == len(pins(locked))
    assert all("--hash=sha256:" in entry for entry in entries)
    assert "://" not in text


def test_tests_run_with_what_the_service_runs_with() -> None:
    assert pins(ROOT / "requirements.txt").items() <= pins(ROOT / "requirements-dev.txt").items()
