"""Logs that real controllers kept, read in place from the folder beside the project, and made-up ones."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import strategies as st

from pipeline.simulator_fields import Analogue, Category, Definition, Digital, Enum, record, whole

FOLDER = Path(__file__).parents[2] / "shared" / "data" / "process-logs"
V1, V3 = NAMES = ("NewProc-V1.86.2.dta", "NewProc-V3.87.1.dta")

#: Newest time of a made-up log, seconds since 1970: 2026-01-15 12:00 UTC.
END_S = 1_768_478_400
NOW = datetime.fromtimestamp(END_S, UTC)


def path(name: str) -> Path:
    file = FOLDER / name
    if not file.exists():
        pytest.skip(f"the logs of real controllers are not here: {file}")
    return file


def load(name: str) -> bytes:
    return path(name).read_bytes()


_texts = st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=12)
_masks = st.none() | st.integers(0, 0xFFFF)
_flags = {"hidden": st.booleans(), "service": st.booleans()}
_analogue = st.builds(Analogue, _texts, st.none() | st.integers(0, 0xFFFF), **_flags)
_enum = st.builds(Enum, _texts, st.lists(_texts, max_size=20).map(tuple), **_flags)
_digital = st.builds(
    Digital,
    st.lists(_texts, max_size=16).map(tuple),
    outputs=st.booleans(),
    directions=_masks,
    visible=_masks,
    service=_masks,
)
definitions = st.lists(st.builds(Category, _texts) | _analogue | _enum | _digital, max_size=8)


@st.composite
def made_up(draw: st.DrawFn) -> tuple[list[Definition], list[tuple[int, ...]], bytes]:
    """Definitions, records of them each with its time first, and the file that holds both, or a torn piece too."""
    defined = draw(definitions)
    values = sum(not isinstance(each, Category) for each in defined)
    steps = draw(st.lists(st.integers(1, 3600), max_size=8))
    times = [END_S - sum(steps[n:]) for n in range(len(steps))]
    words = st.tuples(*[st.integers(0, 0xFFFF)] * values)
    rows = [(time, *draw(words)) for time in times]
    torn = draw(st.binary(max_size=4 + 2 * values - 1))
    return defined, rows, whole(defined, [record(time, values) for time, *values in rows], torn)
