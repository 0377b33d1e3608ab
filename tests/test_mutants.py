"""The mutation check fits the code, covers every promise and rule, and tells a caught break from a harmless change."""

from __future__ import annotations

import ast
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from tests.mutants.catalog import MUTANTS
from tests.mutants.mutant import PROMISES, RULES, Mutant, PieceError
from tests.mutants.workplace import CAUGHT, ERROR, SURVIVED, Workplace
from tests.running import ROOT

#: A quick test that the end-to-end mutants run.
ORDER = "tests/test_files.py::test_published_file_is_fsynced_before_its_name_and_its_folder_after"
_SYNC = "write_at(descriptor, data, 0)\n        os.fsync(descriptor)"


@cache
def names_in(file: str) -> frozenset[str]:
    """The names of the tests in a file."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def mutant(new: str, *tests: str, old: str = _SYNC) -> Mutant:
    return Mutant("a change", "promise 2", "pipeline/files.py", old, new, tests or (ORDER,))


@pytest.mark.parametrize("one", MUTANTS, ids=lambda one: one.name)
def test_mutant_fits_the_code_and_is_sound_python(one: Mutant) -> None:
    broken = one.applied(ROOT)
    ast.parse(broken)
    assert broken != (ROOT / one.file).read_text(encoding="utf-8")


@pytest.mark.parametrize("one", MUTANTS, ids=lambda one: one.name)
def test_mutant_names_tests_that_exist(one: Mutant) -> None:
    assert one.tests
    for test in one.tests:
        file, _, name = test.partition("[")[0].partition("::")
        assert name in names_in(file)


def test_every_promise_and_every_rule_is_broken_by_a_mutant() -> None:
    assert {one.breaks for one in MUTANTS} == {*PROMISES, *RULES}


def test_no_two_mutants_share_a_name_or_are_the_same() -> None:
    assert max(Counter(one.name for one in MUTANTS).values()) == 1
    assert max(Counter((one.file, one.old, one.new) for one in MUTANTS).values()) == 1


@pytest.mark.parametrize("old", ["stands nowhere", "os"])
def test_mutant_that_does_not_fit_the_code_is_refused(old: str) -> None:
    with pytest.raises(PieceError, match=r"a change: \d+ times in pipeline/files.py, not once"):
        mutant("", old=old).applied(ROOT)


def test_break_is_caught_and_harmless_change_survives_and_the_copy_is_mended(tmp_path: Path) -> None:
    workplace = Workplace(ROOT, tmp_path)
    sound = (ROOT / "pipeline" / "files.py").read_bytes()
    caught = workplace.try_out(mutant("write_at(descriptor, data, 0)"))
    assert (caught.verdict, caught.by) == (CAUGHT, ORDER), caught.said
    harmless = workplace.try_out(mutant(_SYNC.replace("data, 0", "data, offset=0")))
    assert harmless.verdict == SURVIVED, harmless.said
    assert (workplace.root / "pipeline" / "files.py").read_bytes() == sound
    assert (ROOT / "pipeline" / "files.py").read_bytes() == sound


def test_run_that_proves_nothing_is_no_catch(tmp_path: Path) -> None:
    outcome = Workplace(ROOT, tmp_path).try_out(mutant(_SYNC + "\n", "tests/test_files.py::test_that_is_not_there"))
    assert (outcome.verdict, outcome.by) == (ERROR, "pytest ended with 4"), outcome.said
