"""Which schema each shard part has: `schema-<hash>.json` files and the `datapackage.json` that names their parts.

Both are published whole, the schema first, before the part that needs them comes to life. The package is a Frictionless
Data Package with one resource for each schema. Where it is lost, a part's own header tells its schema if only one fits.
"""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path
from typing import Any

from pipeline import files
from pipeline.log import event
from pipeline.part import Part, list_parts, open_part, parse_name
from pipeline.schema import Schema, decode_schema

log = logging.getLogger("catalog")

PACKAGE = "datapackage.json"


class Catalog:
    """The schemas of a folder of shards."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._schemas: dict[str, Schema] = {}
        self._parts: dict[Part, str] | None = None
        self._lock = threading.Lock()

    def schema_of(self, part: Part) -> Schema | None:
        """The schema of a part; None where nothing on disk tells it."""
        known = self._known()
        if part not in known and (found := self._by_header(part)):
            known[part] = found.hash
        return self._schema(known[part]) if part in known else None

    def register(self, part: Part, schema: Schema) -> None:
        """Make a part's schema durable, before the part itself is.

        Raises:
            OSError: the part must not come to life.
        """
        with self._lock:
            target = self._folder / _file_name(schema.hash)
            if not target.exists():
                files.publish(target, schema.encode())
            self._schemas[schema.hash] = schema
            self._publish({part: schema.hash})

    def renew(self) -> None:
        """Name the parts that are there now: some were compressed or deleted.

        Raises:
            OSError: the package file is as it was.
        """
        with self._lock:
            self._publish({})

    def _known(self) -> dict[Part, str]:
        if self._parts is None:
            self._parts = self._read()
        return self._parts

    def _read(self) -> dict[Part, str]:
        path = self._folder / PACKAGE
        try:
            resources = json.loads(path.read_bytes())["resources"]
            return {part: _hash(r["schema"]) for r in resources for name in r["path"] if (part := parse_name(name))}
        except FileNotFoundError:
            return {}
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            event(
                log, logging.WARNING, "package file is not readable; headers tell the schemas", file=path, error=error
            )
            return {}

    def _schema(self, name: str) -> Schema | None:
        if name not in self._schemas:
            path = self._folder / _file_name(name)
            try:
                self._schemas[name] = decode_schema(path.read_bytes())
            except (FileNotFoundError, ValueError) as error:
                event(log, logging.ERROR, "schema cannot be read", file=path, error=error)
                return None
        return self._schemas[name]

    def _by_header(self, part: Part) -> Schema | None:
        path = list_parts(self._folder).get(part)
        if path is None:
            return None
        with open_part(path) as file:
            header = file.readline()
        names = sorted(_hash(found.name) for found in self._folder.glob(_file_name("*")))
        fitting = [schema for name in names if (schema := self._schema(name)) and schema.header == header]
        return fitting[0] if len(fitting) == 1 else None

    def _publish(self, coming: dict[Part, str]) -> None:
        """Write the package file for the parts that are there and those that come to life next."""
        names = {part: path.name for part, path in list_parts(self._folder).items()}
        known = {part: name for part, name in self._known().items() if part in names} | coming
        names |= {part: part.name for part in coming}
        document = {
            "name": "luxtronik-readings",
            "title": "Readings of a Luxtronik heat pump controller",
            "profile": "data-package",
            "resources": [_resource(schema, known, names) for schema in sorted(set(known.values()))],
        }
        files.publish(self._folder / PACKAGE, json.dumps(document, indent=1).encode() + b"\n")
        self._parts = known


def _resource(schema: str, known: dict[Part, str], names: dict[Part, str]) -> dict[str, Any]:
    return {
        "name": f"readings-{schema}",
        "path": [names[part] for part in sorted(known) if known[part] == schema],
        "profile": "tabular-data-resource",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "schema": _file_name(schema),
    }


def _file_name(name: str) -> str:
    return f"schema-{name}.json"


def _hash(file_name: str) -> str:
    return file_name.removeprefix("schema-").removesuffix(".json")
