"""What a person writes for a moment, as a time."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo


def moment(text: str, zone: ZoneInfo, now: datetime) -> datetime:
    """The aware time that a text stands for, which keeps the rule of `EXPORT_FROM`: the start of a local day
    (2026-10-01), a time (local without an offset), or days before now (-30d).
    """
    if text.startswith("-"):
        return now - timedelta(days=int(text[1:-1]))
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=zone)
