from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.period import moment
from tests.parts import BERLIN, NOON


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-10-25", datetime(2026, 10, 24, 22, tzinfo=UTC)),
        ("2026-10-26", datetime(2026, 10, 25, 23, tzinfo=UTC)),
        ("2026-10-01T12:00", datetime(2026, 10, 1, 10, tzinfo=UTC)),
        ("2026-10-01T12:00+05:00", datetime(2026, 10, 1, 7, tzinfo=UTC)),
        ("2026-10-01T12:00Z", datetime(2026, 10, 1, 12, tzinfo=UTC)),
        ("-30d", NOON - timedelta(days=30)),
    ],
)
def test_text_stands_for_a_moment(text: str, expected: datetime) -> None:
    assert moment(text, BERLIN, NOON) == expected
