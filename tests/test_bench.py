"""The benchmarks work: a short round of each gives sane figures; how large they are is for `make bench` to say."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from tests.bench import machine
from tests.bench.__main__ import main
from tests.bench.figures import Figure, Measure, Measurement, at_least, at_most, medians, number, p99
from tests.bench.measurements import MEASUREMENTS

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"


@pytest.mark.no_cover
@pytest.mark.parametrize("measurement", MEASUREMENTS, ids=lambda m: m.name)
def test_short_round_gives_positive_figures_that_the_page_explains(tmp_path: Path, measurement: Measurement) -> None:
    figures = measurement.measure(tmp_path, short=True)
    assert all(math.isfinite(figure.value) and figure.value > 0 for figure in figures), figures
    assert len({figure.name for figure in figures}) == len(figures)
    page = PAGE.read_text()
    assert f"`make bench ARGS={measurement.name}`" in page
    assert [figure.name for figure in figures if figure.budget and f"| {figure.name} |" not in page] == []


def _measuring(value: float) -> Measure:
    def measure(folder: Path, *, short: bool) -> list[Figure]:
        return [
            Figure("rate", value, "readings/s", at_least(500)),
            Figure("size", value, "bytes", at_most(2000)),
            Figure("plain", value, "s"),
        ]

    return measure


@pytest.mark.parametrize(
    ("value", "verdicts", "code"), [(400, ["over", "ok"], 1), (1000, ["ok", "ok"], 0), (2001, ["ok", "over"], 1)]
)
def test_table_tells_budgets_and_verdicts_and_the_exit_code_whether_all_hold(
    capsys: pytest.CaptureFixture[str], value: float, verdicts: list[str], code: int
) -> None:
    measurement = Measurement("thing", "a thing", _measuring(value))
    assert main([], [measurement]) == code
    machine_line, head, rate, size, plain = capsys.readouterr().out.splitlines()
    assert "cores, " in machine_line
    assert head.split() == ["measurement", "what", "figure", "unit", "budget", "verdict"]
    assert rate.split()[-3:] == [">=", "500", verdicts[0]]
    assert size.split()[-3:] == ["<=", "2,000", verdicts[1]]
    assert plain.split()[-1] == "s"


def test_only_what_is_named_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    both = [Measurement(name, name, _measuring(1000)) for name in ("one", "other")]
    main(["other"], both)
    assert {line.split()[0] for line in capsys.readouterr().out.splitlines()[2:]} == {"other"}


def test_unknown_name_is_refused_with_those_that_exist(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["nothing"])
    assert "no measurement nothing; there are poll, backlog" in capsys.readouterr().err


def test_several_runs_give_the_middle_of_each_figure() -> None:
    runs = [[Figure("a", value, "s"), Figure("b", 10 * value, "s")] for value in (3, 1, 2)]
    assert medians(runs) == [Figure("a", 2, "s"), Figure("b", 20, "s")]


def test_numbers_have_about_three_digits() -> None:
    shown = [number(value) for value in (12_049_141, 914.3, 15, 1.734, 0.0225, 0.5)]
    assert shown == ["12,049,141", "914", "15", "1.73", "0.022", "0.5"]


def test_p99_lies_below_the_one_worst_of_many() -> None:
    assert 98 < p99(range(1, 101)) < 100


def test_peak_of_the_memory_is_never_below_what_is_used_now() -> None:
    now_mb, peak_mb = machine.memory_mb()
    assert 5 < now_mb <= peak_mb
