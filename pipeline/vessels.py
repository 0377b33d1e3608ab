"""What the stages of one service share: where readings come from and where they rest."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from pipeline import readout
from pipeline.archive import Damage
from pipeline.catalog import Catalog
from pipeline.clock import Clock
from pipeline.gap_book import NAME as GAP_BOOK
from pipeline.gap_book import GapBook
from pipeline.log_fetch import LogServer
from pipeline.marks import Marks
from pipeline.places import QUARANTINE
from pipeline.pump import Pump
from pipeline.quarantine import Quarantine
from pipeline.queue import Queue
from pipeline.settings import Settings
from pipeline.shard import Shards
from pipeline.store import Store


@dataclass(frozen=True)
class Vessels:
    """Where the readings of one service come from and rest."""

    pump: Pump
    queue: Queue
    kept: Quarantine
    catalog: Catalog
    shards: Shards
    store: Store
    marks: Marks
    book: GapBook
    damage: Damage
    log_server: LogServer | None


def build(settings: Settings, clock: Clock) -> Vessels:
    """The vessels that the settings ask for; nothing is opened."""
    folder = settings.output.shards
    kept = Quarantine(settings.data_dir / QUARANTINE)
    queue = Queue(settings.cache_path)
    catalog = Catalog(folder)
    read = partial(readout.read, folder, catalog)
    return Vessels(
        pump=Pump(settings.host or "", settings.port, timeout_s=settings.timeout_s),
        queue=queue,
        kept=kept,
        catalog=catalog,
        shards=Shards(folder, catalog, kept),
        store=Store(queue, read, zone=settings.zone, clock=clock, batch=settings.buffer_samples),
        marks=Marks(folder, catalog, clock),
        book=GapBook(settings.data_dir / GAP_BOOK, kept.keep),
        damage=Damage(),
        log_server=_log_server(settings),
    )


def _log_server(settings: Settings) -> LogServer | None:
    is_wanted = settings.host and settings.backfill == "auto"
    return LogServer(settings.host or "", settings.backfill_port) if is_wanted else None
