from __future__ import annotations

import pytest

from pipeline.quality import FALL, JUMP, RETURN, Step
from pipeline.trust import Wrong, by_column, wrong

FOR_EVER = 1 << 62


def step(time_ms: int, mark: str, column: str = "ID_WEB_WMZ_Heizung") -> Step:
    return Step(time_ms, column, mark, 1, 0)


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        ([], []),
        ([(5, JUMP), (9, FALL)], [Wrong(5, 9)]),
        ([(5, JUMP)], [Wrong(5, FOR_EVER)]),
        ([(5, JUMP), (6, JUMP), (9, FALL)], [Wrong(5, 9)]),
        ([(5, FALL)], []),
        ([(5, FALL), (9, RETURN)], [Wrong(5, 9)]),
        ([(5, FALL), (7, FALL), (9, RETURN)], [Wrong(7, 9)]),
        ([(5, JUMP), (9, FALL), (20, FALL), (30, RETURN)], [Wrong(5, 9), Wrong(20, 30)]),
        ([(9, RETURN)], []),
    ],
)
def test_values_between_a_step_and_what_undoes_it_are_wrong(
    marks: list[tuple[int, str]], expected: list[Wrong]
) -> None:
    assert wrong([step(*mark) for mark in marks]) == expected


def test_columns_are_told_apart_whatever_their_order() -> None:
    steps = [step(9, FALL), step(7, FALL, "b"), step(5, JUMP), step(8, RETURN, "b"), step(1, FALL, "c")]
    assert by_column(steps) == {"ID_WEB_WMZ_Heizung": [Wrong(5, 9)], "b": [Wrong(7, 8)]}
