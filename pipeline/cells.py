"""How a value stands in a row, and how its raw integer is found again."""

from __future__ import annotations

from datetime import datetime, timedelta

from pipeline.clock import from_ms


def text_of(raw: int | None, divisor: int) -> str:
    """A raw integer divided, as short as it can be; nothing for a missing one."""
    if raw is None:
        return ""
    return str(raw) if divisor == 1 else f"{raw / divisor:.10g}"


def raw_of(cell: str, divisor: int) -> int | None:
    """The raw integer of a cell; None for a blank one.

    Raises:
        ValueError: no number stands there.
    """
    try:
        return round(float(cell) * divisor) if cell else None
    except OverflowError as error:
        raise ValueError(f"no number: {cell!r}") from error


def offset_of(time_ms: int, wall_text: str) -> int:
    """The zone's offset from UTC (s) that a row's time and wall time tell.

    Raises:
        ValueError: no wall time stands there.
    """
    wall = datetime.fromisoformat(wall_text + "+00:00")
    return round((wall - from_ms(time_ms - time_ms % 1000)) / timedelta(seconds=1))
