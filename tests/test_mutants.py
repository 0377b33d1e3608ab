"""The mutation check fits the code, covers every promise and rule, and tells a caught break from a harmless change."""

from __future__ import annotations

import ast
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from tests.mutants import __main__ as check
from tests.mutants.catalog import MUTANTS
from tests.mutants.mutant import FILLING, PAGE, PROMISES, RULES, Mutant, PieceError
from tests.mutants.workplace import CAUGHT, ERROR, SURVIVED, Outcome, Workplace
from tests.running import ROOT

#: A quick test that the end-to-end mutants run.
ORDER = "tests/test_files.py::test_published_file_is_fsynced_before_its_name_and_its_folder_after"
_WRITE = "write_at(descriptor, data, 0)"


@cache
def names_in(file: str) -> frozenset[str]:
    """The names of the tests in a file."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def mutant(new: str, *tests: str, old: str = _WRITE) -> Mutant:
    return Mutant("a change", "promise 2", "pipeline/files.py", old, new, tests or (ORDER,))


@pytest.mark.parametrize("one", MUTANTS, ids=lambda one: one.name)
def test_mutant_fits_the_code_and_names_tests_that_exist(one: Mutant) -> None:
    broken = one.applied(ROOT)
    ast.parse(broken)
    assert broken != (ROOT / one.file).read_text(encoding="utf-8")
    assert one.tests
    for test in one.tests:
        file, _, name = test.partition("[")[0].partition("::")
        assert name in names_in(file)


def test_every_promise_and_every_rule_is_broken_by_a_mutant() -> None:
    assert {one.breaks for one in MUTANTS} == {*PROMISES, *RULES, *PAGE, *FILLING}


def test_no_two_mutants_share_a_name_or_are_the_same() -> None:
    assert max(Counter(one.name for one in MUTANTS).values()) == 1
    assert max(Counter((one.file, one.old, one.new) for one in MUTANTS).values()) == 1


@pytest.mark.parametrize("old", ["stands nowhere", "os"])
def test_mutant_that_does_not_fit_the_code_is_refused(old: str) -> None:
    with pytest.raises(PieceError, match=r"a change: \d+ times in pipeline/files.py, not once"):
        mutant("", old=old).applied(ROOT)


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    return Workplace(ROOT, tmp_path_factory.mktemp("mutants"))


def content(root: Path) -> bytes:
    return (root / "pipeline" / "files.py").read_bytes()


def test_break_is_caught_by_the_test_that_is_named(workplace: Workplace) -> None:
    caught = workplace.try_out(mutant("write_at(descriptor, data[:-1], 0)"))
    assert (caught.verdict, caught.by) == (CAUGHT, ORDER), caught.said
    assert content(workplace.root) == content(ROOT)


def test_harmless_change_survives_and_the_copy_is_mended(workplace: Workplace) -> None:
    harmless = workplace.try_out(mutant("write_at(descriptor, data, offset=0)"))
    assert harmless.verdict == SURVIVED, harmless.said
    assert content(workplace.root) == content(ROOT)


def test_run_that_proves_nothing_is_no_catch(workplace: Workplace) -> None:
    outcome = workplace.try_out(mutant(f"{_WRITE};", "tests/test_files.py::test_that_is_not_there"))
    assert (outcome.verdict, outcome.by) == (ERROR, "pytest ended with 4"), outcome.said


def test_mutant_that_dies_or_hangs_is_caught(workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    died = workplace.try_out(mutant("os.kill(os.getpid(), 9)"))
    assert (died.verdict, died.by) == (CAUGHT, "it dies of SIGKILL"), died.said
    monkeypatch.setattr("tests.mutants.workplace.HANGS_S", 1.0)
    hanging = workplace.try_out(mutant('__import__("signal").pause()'))
    assert (hanging.verdict, hanging.by) == (CAUGHT, "it hangs, ended after 1 s")


def test_mutant_whose_time_ends_while_pytest_reports_it_is_caught(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.mutants.workplace.LIMIT_S", 1.0)
    load = 'settings.load_profile("tests")'
    report = "def pytest_runtest_makereport(item, call):\n    __import__('signal').pause()"
    late = workplace.try_out(
        Mutant("a change", "promise 4", "tests/conftest.py", load, f"{load}\n\n{report}", (ORDER,))
    )
    assert (late.verdict, late.by) == (CAUGHT, "the limit of 1 s, while it was reported"), late.said


def test_mutant_that_fits_no_more_ends_the_check_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(check, "MUTANTS", (mutant("x", old="stands nowhere"),))
    assert check.main([]) == 1
    assert "a change: 0 times in pipeline/files.py, not once: 'stands nowhere'" in capsys.readouterr().err


def test_test_that_fails_on_the_sound_code_ends_the_check(tmp_path: Path) -> None:
    sound = check.Check(tmp_path, 1).sound([mutant("x", "tests/test_files.py::test_that_is_not_there")])
    assert "pytest ended with 4" in sound


def test_table_tells_what_survived_and_the_exit_code_too(capsys: pytest.CaptureFixture[str]) -> None:
    outcomes = [Outcome(CAUGHT, ORDER, 1.0, ""), Outcome(SURVIVED, "", 2.0, "1 passed")]
    assert "a change  promise 2  SURVIVED" in check.table([mutant("x"), mutant("y")], outcomes)
    assert check.closing([mutant("x"), mutant("y")], outcomes, 3.0) == 1
    said = capsys.readouterr()
    assert said.out == "1 of 2 mutants caught in 3 s\n"
    assert "1 passed" in said.err
    assert check.closing([mutant("x")], outcomes[:1], 1.0) == 0
