"""The simulated house: believable, the same at the same moment, and without a step back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from pipeline.house import Day, House
from pipeline.house_plan import DAY, Kind, Mode, Plan, Segment, Weather, ledger
from pipeline.reading import Answer

# Days of answers, which every other test with a simulated pump counts as well.
pytestmark = pytest.mark.no_cover

#: Thursday; noon of the house's clock is 11:00 UTC.
_JANUARY = datetime(2026, 1, 15, tzinfo=UTC)
_JULY = datetime(2026, 7, 16, tzinfo=UTC)

#: Calculations and parameters that only ever count up.
_COUNTERS = (56, 57, 63, 64, 65, 151, 152, 154)
_SAVED = (668, 669, 674, 728, 729, 852, 854, 878)

#: Calculations that follow a temperature, with the most they may move within 30 s, raw.
_SMOOTH = {10: 45, 11: 35, 14: 35, 15: 8, 17: 12, 19: 12, 20: 12, 176: 25, 180: 300, 181: 120}


def _rows(house: House, start: datetime, hours: float, step_s: int = 30) -> list[Answer]:
    return [house.answer_at(start + timedelta(seconds=s)) for s in range(0, int(hours * 3600), step_s)]


def _column(rows: list[Answer], index: int) -> list[int]:
    return [row.calculations[index] for row in rows]


def _flat(row: Answer) -> tuple[int, ...]:
    return row.parameters + row.calculations + row.visibilities


class _Winter(dict[Kind, list[Answer]]):
    def __missing__(self, kind: Kind) -> list[Answer]:
        self[kind] = _rows(House(5, kind), _JANUARY, 48)
        return self[kind]


@pytest.fixture(scope="module")
def winter() -> dict[Kind, list[Answer]]:
    """Two days of January of each kind of house, worked out when they are first looked at."""
    return _Winter()


@pytest.fixture(scope="module")
def summer() -> list[Answer]:
    return _rows(House(5), _JULY, 48)


def test_an_answer_has_the_counts_of_a_controller_and_fits_the_wire() -> None:
    answer = House().answer_at(_JANUARY)
    assert answer.counts == (1126, 260, 355)
    assert len(answer.pack()) == 4 * (1126 + 260) + 355


def test_two_houses_of_one_seed_agree_whatever_was_asked_before() -> None:
    asked = House(3)
    ledger.cache_clear()
    fresh = House(3)
    for days in (-700, 40, 0, -1):
        asked.answer_at(_JANUARY + timedelta(days=days))
    for hours in (0.0, 7.31, 23.999, 24.0):
        moment = _JANUARY + timedelta(hours=hours)
        assert asked.answer_at(moment) == fresh.answer_at(moment)


def test_another_seed_is_another_house() -> None:
    one, other = House(1).answer_at(_JANUARY), House(3).answer_at(_JANUARY)
    assert one.calculations[56] != other.calculations[56]
    assert one.calculations[15] != other.calculations[15]


def test_the_kind_follows_from_the_seed_or_is_asked_for() -> None:
    assert [House(seed).kind for seed in (1, 2)] == ["brine", "air"]
    assert House(1, "air").kind == "air"
    assert (
        House(1, "air").answer_at(_JANUARY).calculations[78] != House(1, "brine").answer_at(_JANUARY).calculations[78]
    )


def test_a_moment_without_an_offset_or_before_the_house_was_built_is_refused() -> None:
    with pytest.raises(ValueError, match="offset"):
        House().answer_at(datetime(2026, 1, 1))  # noqa: DTZ001 -- the point of the test
    with pytest.raises(ValueError, match="built"):
        House().answer_at(datetime(2019, 12, 31, 12, tzinfo=UTC))


@pytest.mark.parametrize("kind", ["brine", "air"])
def test_counters_never_fall_over_three_days_and_a_restart_each(kind: Kind) -> None:
    rows: list[Answer] = []
    for day in range(3):
        ledger.cache_clear()
        rows += _rows(House(7, kind), _JANUARY + timedelta(days=day), 24, step_s=60)
    for left, right in pairwise(rows):
        assert all(left.calculations[n] <= right.calculations[n] for n in _COUNTERS)
        assert all(left.parameters[n] <= right.parameters[n] for n in _SAVED)
    assert rows[-1].calculations[56] - rows[0].calculations[56] > 6 * 3600
    assert rows[-1].calculations[57] - rows[0].calculations[57] > 15
    assert rows[-1].calculations[154] - rows[0].calculations[154] > 500


def test_seconds_count_as_seconds_while_the_compressor_runs(winter: dict[Kind, list[Answer]]) -> None:
    for left, right in pairwise(winter["brine"]):
        counted = right.calculations[56] - left.calculations[56]
        if left.calculations[44] and right.calculations[44] and right.calculations[67] > 30:
            assert counted in (29, 30, 31)
        elif not left.calculations[44] and not right.calculations[44]:
            assert counted == 0


def test_heat_agrees_with_the_time_it_took(winter: dict[Kind, list[Answer]]) -> None:
    first, last = winter["brine"][0].calculations, winter["brine"][-1].calculations
    hours = (last[56] - first[56]) / 3600
    assert 5 < (last[154] - first[154]) / 10 / hours < 9


def test_the_controllers_clock_goes_on_with_the_moment(winter: dict[Kind, list[Answer]]) -> None:
    assert {b - a for a, b in pairwise(_column(winter["air"], 134))} == {30}
    assert abs(winter["air"][0].calculations[134] - _JANUARY.timestamp()) <= 40


@pytest.mark.parametrize("kind", ["brine", "air"])
def test_january_looks_like_january(winter: dict[Kind, list[Answer]], kind: Kind) -> None:
    rows = winter[kind]
    assert -180 < min(_column(rows, 15)) <= max(_column(rows, 15)) < 150
    assert 200 < min(_column(rows, 11)) <= max(_column(rows, 10)) < 620
    assert 370 < min(_column(rows, 17)) <= max(_column(rows, 17)) < 510
    assert 260 < min(_column(rows, 12)) <= max(_column(rows, 12)) < 380
    assert max(_column(rows, 14)) < 950
    assert 400 < min(_column(rows, 181)) <= max(_column(rows, 180)) < 4200
    assert max(_column(rows, 39)) == 1


def test_july_needs_no_heating(summer: list[Answer]) -> None:
    assert 80 < min(_column(summer, 15)) <= max(_column(summer, 15)) < 380
    assert set(_column(summer, 80)) == {Mode.HOT_WATER, Mode.LOCKED, Mode.IDLE}
    assert sum(_column(summer, 39)) == 0
    assert summer[-1].calculations[57] - summer[0].calculations[57] == 4


@pytest.mark.parametrize("kind", ["brine", "air"])
def test_temperatures_and_pressures_move_smoothly_over_midnight_too(
    winter: dict[Kind, list[Answer]], kind: Kind
) -> None:
    for index, most in _SMOOTH.items():
        assert max(abs(b - a) for a, b in pairwise(_column(winter[kind], index))) <= most


def test_flow_is_warmer_than_return_while_the_compressor_runs(winter: dict[Kind, list[Answer]]) -> None:
    for row in winter["brine"]:
        if row.calculations[67] > 120:
            assert row.calculations[10] > row.calculations[11] + 15
            assert row.calculations[19] > row.calculations[20]
        if row.calculations[67] > 600:
            assert row.calculations[180] > row.calculations[181] + 500


@pytest.mark.parametrize("kind", ["brine", "air"])
def test_the_mode_agrees_with_the_outputs(winter: dict[Kind, list[Answer]], kind: Kind) -> None:
    source = {"brine": 43, "air": 42}[kind]
    for row in winter[kind]:
        told = row.calculations
        mode = Mode(told[80])
        assert told[44] == int(mode in (Mode.HEATING, Mode.HOT_WATER, Mode.DEFROST))
        assert told[38] == int(mode == Mode.HOT_WATER)
        assert told[37] == int(mode == Mode.DEFROST)
        assert told[31] == int(mode != Mode.LOCKED)
        assert told[source] == int(mode in (Mode.HEATING, Mode.HOT_WATER))
        assert told[39] or mode not in (Mode.HEATING, Mode.DEFROST)
        assert (told[67] == 0) or told[44]
        assert (told[73] == 0) or not told[44]
        assert told[117] == (4 if mode == Mode.DEFROST else 1 - told[44])


def test_timers_start_at_the_change_and_go_on_over_midnight(winter: dict[Kind, list[Answer]]) -> None:
    for left, right in pairwise(winter["brine"]):
        if left.calculations[80] == right.calculations[80] and right.calculations[120] >= 30:
            assert right.calculations[120] == left.calculations[120] + 30
        else:
            assert right.calculations[120] < 30


def test_the_utility_locks_at_noon_of_working_days_only() -> None:
    house = House(5)
    locked = [
        house.answer_at(datetime(2026, 1, day, 11, 30, tzinfo=UTC)).calculations[80] == Mode.LOCKED
        for day in range(12, 19)
    ]
    assert locked == [True] * 5 + [False] * 2


def test_hot_water_is_made_in_the_morning_and_in_the_evening(summer: list[Answer]) -> None:
    hours = [n // 120 % 24 + 1 for n, row in enumerate(summer) if row.calculations[80] == Mode.HOT_WATER]
    assert all(5 <= hour <= 8 or 19 <= hour <= 22 for hour in hours)
    assert len(hours) > 4 * 40


def test_only_an_air_unit_defrosts_and_only_in_the_cold(winter: dict[Kind, list[Answer]], summer: list[Answer]) -> None:
    assert Mode.DEFROST not in _column(winter["brine"], 80) + _column(summer, 80)
    defrosting = [row.calculations for row in winter["air"] if row.calculations[80] == Mode.DEFROST]
    assert defrosting
    assert max(row[15] for row in defrosting) < 56
    assert min(row[10] - row[11] for row in defrosting) < 0


@pytest.mark.parametrize("kind", ["brine", "air"])
def test_a_plan_fills_each_day_without_a_hole_and_no_run_is_short(kind: Kind) -> None:
    plan = Plan(1, kind, Weather(1))
    for day in range(20_000, 20_365):
        segments = plan.segments(day)
        assert segments[0].start == day * DAY
        assert segments[-1].end == (day + 1) * DAY
        assert all(left.end == right.start for left, right in pairwise(segments))
        assert segments[0].mode == segments[-1].mode == Mode.IDLE
        assert _shortest_run(segments) >= 900


def _shortest_run(segments: list[Segment]) -> int:
    runs: list[int] = []
    began = 0
    for left, right in pairwise(segments):
        if right.mode.compressor and not left.mode.compressor:
            began = right.start
        if left.mode.compressor and not right.mode.compressor:
            runs.append(left.end - began)
    return min(runs)


@pytest.mark.parametrize("kind", ["brine", "air"])
def test_as_many_columns_change_as_with_a_real_pump(winter: dict[Kind, list[Answer]], kind: Kind) -> None:
    rows = [_flat(row) for row in winter[kind]]
    changed = [sum(a != b for a, b in zip(left, right, strict=True)) for left, right in pairwise(rows)]
    assert 20 <= sum(changed) / len(changed) <= 50
    assert 50 <= sum(len(set(column)) > 1 for column in zip(*rows, strict=True)) <= 100


def test_only_two_days_are_kept_and_each_is_worked_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    house = House(1)
    worked_out: list[int] = []
    work_out = house._work_out

    def noted(number: int) -> Day:
        worked_out.append(number)
        return work_out(number)

    monkeypatch.setattr(house, "_work_out", noted)
    _rows(house, _JANUARY, 72, step_s=600)
    assert len(worked_out) == len(set(worked_out)) == 4
    assert len(house._days) == 2


def test_constants_are_those_of_a_controller() -> None:
    told = House(1).answer_at(_JANUARY).calculations
    assert bytes(told[81:91]) == b"V3.88\0\0\0\0\0"
    assert [(address + 2**32) % 2**32 >> 8 for address in (told[91], told[93], told[94])] == [0xC00002] * 3
    assert (told[26], told[24], told[27], told[28]) == (50, 750, 1500, -500)
    assert told[16] == pytest.approx(sum(House(1).answer_at(_JANUARY).parameters[703:715]) / 12, abs=1)
