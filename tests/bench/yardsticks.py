"""The same questions put to the shards themselves, with the tools that a person would take: DuckDB and pandas.

Both are told what makes them fast: what columns there are, and which of them are wanted.
"""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from tests.bench.machine import memory_mb

#: Seconds, peak of the memory, and of each sensor the number of its values or buckets, the least and the greatest.
Told = dict[str, Any]
Read = Callable[[list[str], int, list[str]], Any]


def with_duckdb(questions: str, names: str) -> list[Told]:
    """Some sensors of all rows of the shards of each question, whole where its length (ms) is 0, else in buckets."""
    import duckdb

    return [_told(partial(_duckdb, duckdb), json.loads(names), *question) for question in json.loads(questions)]


def with_pandas(questions: str, names: str) -> list[Told]:
    """The same."""
    import pandas

    return [_told(partial(_pandas, pandas), json.loads(names), *question) for question in json.loads(questions)]


def _told(read: Read, names: list[str], paths: list[str], length_ms: int) -> Told:
    began = time.perf_counter()
    lows, highs = read(paths, length_ms, names)
    seconds = time.perf_counter() - began
    came = {name: [len(lows[name]), float(min(lows[name])), float(max(highs[name]))] for name in names}
    return {"seconds": seconds, "peak_mb": memory_mb()[1], "came": came}


def _duckdb(duckdb: Any, paths: list[str], length_ms: int, names: list[str]) -> Any:
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


def _pandas(pandas: Any, paths: list[str], length_ms: int, names: list[str]) -> Any:
    columns = ["time", *names]
    found = pandas.concat(pandas.read_csv(path, usecols=columns, parse_dates=["time"]) for path in paths)
    if not length_ms:
        return found, found
    moments = found["time"].dt.as_unit("ms").astype("int64")
    groups = found[names].groupby(moments // length_ms)
    groups.mean()
    return groups.min(), groups.max()
