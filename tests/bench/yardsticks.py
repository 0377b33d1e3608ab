"""The same questions put to the shards themselves, with the tools that a person would take: DuckDB and pandas.

Both are told what makes them fast: what columns there are, and which of them are wanted.
"""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable
from typing import Any

from tests.bench.machine import memory_mb

#: Seconds, peak of the memory, and of each sensor the number of its values or buckets, the least and the greatest.
Told = dict[str, Any]


def with_duckdb(paths: str, names: str, length_ms: int) -> Told:
    """Some sensors of all rows of some shards, whole where `length_ms` is 0, else in buckets."""
    import duckdb

    return _told(json.loads(names), lambda: _duckdb(duckdb, json.loads(paths), json.loads(names), length_ms))


def with_pandas(paths: str, names: str, length_ms: int) -> Told:
    """The same."""
    import pandas

    return _told(json.loads(names), lambda: _pandas(pandas, json.loads(paths), json.loads(names), length_ms))


def _told(names: list[str], ask: Callable[[], Any]) -> Told:
    began = time.perf_counter()
    found = ask()
    seconds = time.perf_counter() - began
    came = {n: [len(found[0][n]), float(min(found[0][n])), float(max(found[1][n]))] for n in names}
    return {"seconds": seconds, "peak_mb": memory_mb()[1], "came": came}


def _duckdb(duckdb: Any, paths: list[str], names: list[str], length_ms: int) -> Any:
    with gzip.open(paths[0], "rt") as file:
        header = file.readline().strip().split(",")
    # Told all types, it does not guess them, which takes ten times as long as reading a shard.
    types = dict.fromkeys(header, "VARCHAR") | dict.fromkeys(names, "DOUBLE") | {"time": "TIMESTAMP"}
    shards = duckdb.read_csv(paths, columns=types, header=True, auto_detect=False, delimiter=",")
    if not length_ms:
        whole = shards.query("shards", f"SELECT time, {', '.join(names)} FROM shards ORDER BY time").fetchnumpy()
        return whole, whole
    reduced = ", ".join(f"min({n}) AS least{i}, avg({n}), max({n}) AS most{i}" for i, n in enumerate(names))
    bucket = f"epoch_ms(time) // {length_ms}"
    found = shards.query("shards", f"SELECT {bucket}, {reduced} FROM shards GROUP BY ALL ORDER BY ALL").fetchnumpy()
    return tuple({n: found[f"{kind}{i}"] for i, n in enumerate(names)} for kind in ("least", "most"))


def _pandas(pandas: Any, paths: list[str], names: list[str], length_ms: int) -> Any:
    columns = ["time", *names]
    found = pandas.concat(pandas.read_csv(path, usecols=columns, parse_dates=["time"]) for path in paths)
    if not length_ms:
        return found, found
    moments = found["time"].dt.as_unit("ms").astype("int64")
    groups = found[names].groupby(moments // length_ms)
    groups.mean()
    return groups.min(), groups.max()
