"""How large things are: a reading in the queue, a row, a header, a schema, a day's shard plain and compressed."""

from __future__ import annotations

import gzip
from contextlib import closing
from pathlib import Path
from statistics import mean

from tests.bench import days
from tests.bench.figures import Figure, at_most


def measure(folder: Path, *, short: bool) -> list[Figure]:
    a_day = 60 if short else days.A_DAY
    days.fill(str(folder), 0, a_day, a_day)
    with closing(days.queue_in(str(folder))) as queue:
        queued = [len(encoded) for encoded in queue.snapshot()]
    days.drain(str(folder))
    (shard,) = (folder / "shards").glob("*.csv")
    (schema,) = (folder / "shards").glob("schema-*.json")
    plain = shard.read_bytes()
    header, *rows = (len(line) for line in plain.splitlines(keepends=True))
    return [
        Figure("a reading in the queue, mean", mean(queued), "bytes"),
        Figure("a reading in the queue, largest", max(queued), "bytes", at_most(16_000)),
        Figure("a row of a shard, mean", mean(rows), "bytes"),
        Figure("a header", header, "bytes"),
        Figure("a schema file", schema.stat().st_size, "bytes"),
        Figure("a day's shard", len(plain), "bytes"),
        Figure("a day's shard, gzip", len(gzip.compress(plain)), "bytes"),
    ]
