"""`status`: whether the logger does its work, and what is missing; changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline import archive_file, check, gap_book, listing, lock, marks, places, quarantine, queue_view, state
from pipeline.clock import from_ms, parse_utc_text, utc_text
from pipeline.errors import ArchiveError
from pipeline.gap import DISK
from pipeline.listing import many
from pipeline.settings import Settings
from pipeline.state import Document

#: Intervals, and seconds at least, after which a running service must have published its state again.
_MOST_INTERVALS, _LEAST_AGE_S = 3, 60.0


def collect(settings: Settings, now: datetime) -> Document:
    """What the running service published last, judged as of now; without one, what rests on disk."""
    found = state.load(settings.data_dir)
    if found is None or not state.fits(found):
        found = _on_disk(settings)
    if not lock.is_held(settings.data_dir):
        return found | state.verdict([f"no service runs on {settings.data_dir}"])
    reasons = [*found.get("reasons", ()), *_stale(found, settings.interval_s, now)]
    return found | state.verdict(reasons)


def _stale(found: Document, interval_s: float, now: datetime) -> Iterator[str]:
    if "written" not in found:
        yield "the service has not told its state yet"
        return
    age_s = (now - from_ms(parse_utc_text(found["written"]))).total_seconds()
    # A clock that was set back makes it negative; then the service's own verdict counts.
    if age_s > max(_MOST_INTERVALS * interval_s, _LEAST_AGE_S):
        yield f"the service has not told its state for {age_s:.0f} s"


def _on_disk(settings: Settings) -> Document:
    """The members that need no service."""
    last = check.last_reading(settings)
    folder = settings.data_dir / places.QUARANTINE
    gaps = list(gap_book.read(settings.data_dir / gap_book.NAME))
    return {
        **state.verdict([]),
        "last_reading": utc_text(last.time_ms) if last else None,
        "queue": asdict(queue_view.look(settings.cache_path, folder)) | {"in_memory": 0},
        "restarts": {},
        "gaps": {
            "today": 0,
            "today_filled": 0,
            "open": None,
            "reasons": gap_book.counted(gaps),
            "last": _last(gaps),
        },
        "losses": {
            "disk": sum(gap.missing for gap in gaps if gap.reason == DISK),
            "quarantined": quarantine.lost(folder),
        },
        "archive": _archived(settings.output.archive / places.ARCHIVE),
        "quality": marks.summary(settings.output.shards).encode(),
        "disk": _disk(settings.data_dir),
    }


def _disk(folder: Path) -> dict[str, int]:
    """As the service tells it; of a folder that is not there yet, the disk that would hold it."""
    found = state.free(check.existing(folder))
    return {**found, "data": state.size(folder)}


def _archived(path: Path) -> Document:
    """The days that stand in an archive; without the service nobody counts those that are due."""
    try:
        return {"days": archive_file.days(path), "due": 0}
    except ArchiveError:  # the service begins a damaged one anew
        return {"days": 0, "due": 0}


def _last(gaps: list[Any]) -> Document | None:
    return gaps[-1].document() if gaps else None


def shown(found: Document, now: datetime | None = None) -> str:
    """The document for a person, one fact a line."""
    now = now or datetime.now(UTC)
    rows = [("status", found["status"]), *(("", reason) for reason in found["reasons"])]
    rows.append(("last reading", _age(found["last_reading"], now)))
    if pump := found.get("pump"):
        rows.append(("pump", _pump(pump)))
    queue = found["queue"]
    waiting = "unknown how many readings" if queue["depth"] is None else many(queue["depth"], "reading")
    rows.append(("queue", f"{waiting} on disk, {queue['in_memory']} in memory"))
    rows += _gaps(found["gaps"])
    losses = found["losses"]
    rows.append(
        (
            "lost",
            f"{many(losses['disk'], 'reading')} to the disk, {many(losses['quarantined'], 'piece')} in quarantine",
        )
    )
    rows += _archive(found["archive"])
    rows += _quality(found["quality"])
    restarts = {name: n for name, n in found["restarts"].items() if n}
    rows.append(("restarts", ", ".join(f"{name} {n}" for name, n in restarts.items()) or "none"))
    disk = found["disk"]
    free, total, data = (listing.size(disk[name]) for name in ("free", "total", "data"))
    rows.append(("disk", f"{free} of {total} free, {data} in use here"))
    return listing.columns(rows)


def _age(text: str | None, now: datetime) -> str:
    if text is None:
        return "none yet"
    return f"{text}, {duration((now - from_ms(parse_utc_text(text))).total_seconds())} ago"


def duration(seconds: float) -> str:
    """A time span as a person says it, in its largest unit."""
    for unit, length in (("days", 172_800), ("hours", 7200), ("minutes", 120)):
        if seconds >= length:
            return f"{seconds / {'days': 86_400, 'hours': 3600, 'minutes': 60}[unit]:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


def _pump(pump: Document) -> str:
    known = f", firmware {pump['firmware']}, type {pump.get('pump')}" if "firmware" in pump else ", not read yet"
    return f"{pump['address']}{known}"


def _gaps(gaps: Document) -> Iterator[tuple[str, str]]:
    filled = gaps.get("today_filled", 0)
    more = f", {filled} filled from the controller's log" if filled else ""
    yield "gaps today", f"{many(gaps['today'], 'poll')} without a reading{more}"
    if one := gaps["open"]:
        yield "gap now", f"since {one['from']}, {many(one['missing'], 'poll')}, {one['reason']}"
    for reason, counts in gaps["reasons"].items():
        yield f"  {reason}", f"{many(counts['gaps'], 'gap')}, {many(counts['missing'], 'poll')} still missing"
    if one := gaps["last"]:
        yield "last gap", f"{one['from']} to {one['to']}, {many(one['missing'], 'poll')}, {one['reason']}"


def _archive(archive: Document) -> Iterator[tuple[str, str]]:
    left = f", {many(archive['due'], 'day')} left to archive" if archive["due"] else ""
    yield "archive", f"{many(archive['days'], 'day')}{left}"


def _quality(quality: Document) -> Iterator[tuple[str, str]]:
    steps = quality["steps"]
    if steps:
        total = sum(counts[kind] for counts in steps.values() for kind in ("falls", "jumps", "returns"))
        yield "marked", f"{many(total, 'impossible step')} of {', '.join(steps)}"
    if names := quality["not_fitted"]:
        yield "not fitted", f"{many(len(names), 'sensor')}, each always one and the same constant"
