from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import QueryError
from pipeline.published import Published

OURS = ("2026-01-05.csv", "2026-01-05.2.csv.gz", "2026-01-05.log.csv", "2026-01-05.log.csv.gz", "2026-01-05.log.json")


def test_every_file_of_a_day_is_listed_those_of_its_log_too(tmp_path: Path) -> None:
    for name in (*OURS, "schema-0a1b.json", ".2026-01-05.log.csv.tmp", "2026-01-05.json", "2026-01-05.2.log.csv"):
        (tmp_path / name).write_bytes(b"x")
    found = Published({"shards": tmp_path}).listing()["shards"]
    assert {file["name"] for file in found} == set(OURS)
    assert {file["day"] for file in found} == {"2026-01-05"}


def test_only_what_is_listed_and_what_it_needs_is_handed_out(tmp_path: Path) -> None:
    published = Published({"shards": tmp_path})
    for name in (*OURS, "schema-0a1b.json", "datapackage.json"):
        (tmp_path / name).write_bytes(b"x")
        assert published.path("shards", name) == tmp_path / name
    for name in ("2026-01-05.log", "2026-01-05.log.json.gz", ".lock"):
        (tmp_path / name).write_bytes(b"x")
        with pytest.raises(QueryError, match="no shards file"):
            published.path("shards", name)
