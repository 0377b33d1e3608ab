"""The data dictionary beside an export: a Frictionless Data Package that says what each column is."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline import labels
from pipeline.table import Field, Table, reduction

#: What follows the name of an export.
SUFFIX = ".datapackage.json"

_WALL = "%Y-%m-%d %H:%M:%S"
_MEDIA = {
    "csv": "text/csv",
    "json": "application/json",
    "jsonl": "application/jsonl",
    "dta": "application/x-stata-dta",
}
_REDUCED = {
    "mean": "mean of the step's readings",
    "last": "last reading of the step",
    "longest": "value that most readings of the step have",
}


def fields(table: Table, names: Sequence[str], *, german: bool, language: str) -> list[dict[str, Any]]:
    """What each column is, under the name that it has in the file."""
    found = [*_lead(table), *(_field(field, bool(table.step_ms), german, language) for field in table.fields)]
    return [{"name": name, **field} for name, field in zip(names, found, strict=True)]


def package(path: Path, form: str, fields: Sequence[dict[str, Any]], *, german: bool, about: dict[str, Any]) -> bytes:
    """The package of an export at a path; `about` says what the export holds."""
    resource: dict[str, Any] = {
        "name": re.sub(r"[^a-z0-9._-]+", "-", path.stem.lower()).strip("-.") or "readings",
        "path": path.name,
        **({} if form == "dta" else {"type": "table"}),
        "format": form,
        "mediatype": _MEDIA[form],
        "encoding": "utf-8-sig" if german else "utf-8",
        **_dialect(form, german),
        "schema": {"missingValues": [""], "primaryKey": [fields[0]["name"]], "fields": list(fields)},
    }
    document = {"name": resource["name"], "title": "Readings of a heat pump", **about, "resources": [resource]}
    return json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"


def _dialect(form: str, german: bool) -> dict[str, Any]:
    if form == "json":
        return {"dialect": {"header": False, "json": {"property": "data"}}}
    if form == "jsonl":
        return {"dialect": {"json": {"keyed": True}}}
    return {"dialect": {"delimiter": ";"}} if german else {}


def _lead(table: Table) -> list[dict[str, Any]]:
    utc = {"type": "datetime", "format": "%Y-%m-%dT%H:%M:%S.%fZ", "description": "UTC"}
    wall = {"type": "datetime", "format": _WALL, "description": "wall time at the poll"}
    if table.step_ms:
        utc["description"] = "start of the step, UTC"
        wall["description"] = "start of the step, wall time"
        return [utc, wall, {"type": "integer", "description": "readings in the step"}]
    return [utc, wall, {"type": "string", "description": "live, or log: from the controller's own log"}]


def _field(field: Field, reduced: bool, german: bool, language: str) -> dict[str, Any]:
    sensor = field.sensor
    how = reduction(sensor)
    whole = sensor.divisor == 1 and not (reduced and how == "mean")
    found: dict[str, Any] = {"type": "integer" if whole else "number", "title": labels.text(sensor.name, language)}
    if german and not whole:
        found["decimalChar"] = ","
    if reduced:
        found["description"] = _REDUCED[how]
        found["reduction"] = how
    found |= {"sensor": sensor.name, "group": sensor.group, "index": sensor.index, "data_type": sensor.data_type}
    found |= {"unit": sensor.unit, "scale": 1 / sensor.divisor if sensor.divisor > 1 else 1}
    if sensor.codes:
        found["codes"] = {str(code): text for code, text in sensor.codes}
    return found
