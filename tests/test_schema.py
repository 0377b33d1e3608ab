"""The schema of a part: what its columns mean, in a file that comes back."""

from __future__ import annotations

import dataclasses
import json

import pytest

from pipeline.reading import Answer
from pipeline.schema import LEAD, Schema, decode_schema
from tests import dumps


@pytest.mark.parametrize("name", dumps.NAMES)
def test_schema_of_a_real_controller_comes_back_from_its_file(name: str) -> None:
    schema = Schema.of(dumps.load(name))
    assert decode_schema(schema.encode()) == schema
    assert schema.header.decode().split(",")[:3] == list(LEAD)
    assert len(schema.header) < 65_000


def test_schema_covers_a_shorter_answer_of_the_same_controller_only() -> None:
    wide, short = Answer((1, 2), (3, 4), (5,)), Answer((1,), (3,), (5,))
    assert Schema.of(wide).covers(Schema.of(short))
    assert not Schema.of(short).covers(Schema.of(wide))
    assert not dataclasses.replace(Schema.of(wide), firmware="V3.90").covers(Schema.of(short))


def test_schema_file_is_a_table_schema_with_units_scales_and_codes() -> None:
    document = json.loads(Schema.of(Answer((0,) * 5, (0,) * 81, (0,))).encode())
    fields = {field["name"]: field for field in document["fields"]}
    assert fields["ID_WEB_Temperatur_TVL"]["unit"] == "°C"
    assert fields["ID_WEB_Temperatur_TVL"]["scale"] == 0.1
    assert fields["ID_WEB_WP_BZ_akt"]["codes"]["4"] == "defrost"
    assert document["missingValues"] == [""]


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b"\xff", b'{"format": 2}', b'{"format": 1, "fields": 3}', b"[" * 99]
)
def test_bytes_that_are_no_schema_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the words differ by what is wrong
        decode_schema(data)
