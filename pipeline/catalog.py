"""Which schema each shard part has: `schema-<hash>.json` files and the `datapackage.json` that names their parts.

Both are published whole, the schema first, before the part that needs them comes to life. The package is a Frictionless
Data Package with one resource for each schema. Where it is lost, a part's own header tells its schema if only one fits.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

from pipeline import files
from pipeline.log import event
from pipeline.part import Part, first_line, list_all, parse_any, path_of
from pipeline.schema import Schema, decode_schema

log = logging.getLogger("catalog")

PACKAGE = "datapackage.json"
#: Member of the package for the highest part number that each day ever had.
_NUMBERS = "lastPart"


class Catalog:
    """The schemas of a folder of shards."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._schemas: dict[str, Schema] = {}
        self._parts: dict[Part, str] | None = None
        self._numbers: dict[date, int] = {}
        self._told: set[Path] = set()
        self._lock = threading.RLock()

    def schema_of(self, part: Part) -> Schema | None:
        """The schema of a part; None where nothing on disk tells it.

        Raises:
            OSError: the part cannot be read.
        """
        with self._lock:
            path = path_of(self._folder, part)
            named = self._known().get(part)
            schema = self._schema(named) if named else None
            if path is None:
                return schema
            try:
                header = first_line(path)
            except FileNotFoundError:
                # It was compressed or deleted in this moment; its schema is the same under its other name.
                return schema
            if schema and schema.header == header:
                return schema
            # A sound header counts more than an entry: the package file may be an old or a foreign one.
            return self._by_header(header) or schema

    def last_number(self, day: date) -> int:
        """The highest number that a part of a day ever had, also of one that is gone; 0 where none had."""
        with self._lock:
            self._known()
            return self._numbers.get(day, 0)

    def register(self, part: Part, schema: Schema) -> None:
        """Make a part's schema durable, before the part itself is.

        Raises:
            OSError: the part must not come to life.
        """
        with self._lock:
            target = self._folder / _file_name(schema.hash)
            encoded = schema.encode()
            if not target.exists() or target.read_bytes() != encoded:
                files.publish(target, encoded)
            self._schemas[schema.hash] = schema
            self._publish({part: schema.hash})

    def publish(self, name: str, data: bytes) -> None:
        """Put a whole file into the folder, which nobody tidies meanwhile.

        Raises:
            OSError: the old file is there, or the new one.
        """
        with self._lock:
            files.publish(self._folder / name, data)

    def withdraw(self, part: Part) -> None:
        """Give back the number of a part that could not come to life after all; the next one may have it."""
        with self._lock:
            self._known().pop(part, None)
            self._numbers[part.day] = part.number - 1

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
            document = json.loads(path.read_bytes())
            self._numbers = {date.fromisoformat(day): int(last) for day, last in document[_NUMBERS].items()}
            named = [(name, _hash(each["schema"])) for each in document["resources"] for name in each["path"]]
            return {part: schema for name, schema in named if (part := parse_any(name))}
        except FileNotFoundError:
            return {}
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            event(log, logging.WARNING, "package file cannot be read; headers tell the schemas", file=path, error=error)
            return {}

    def _schema(self, name: str) -> Schema | None:
        if name not in self._schemas:
            path = self._folder / _file_name(name)
            try:
                data = path.read_bytes()
                if hashlib.sha256(data).hexdigest()[: len(name)] != name:
                    raise ValueError("its content is not that of its name")
                self._schemas[name] = decode_schema(data)
            except (FileNotFoundError, ValueError) as error:
                self._tell(path, error)
                return None
        return self._schemas[name]

    def _tell(self, path: Path, error: Exception) -> None:
        if path not in self._told:
            event(log, logging.ERROR, "schema cannot be read", file=path, error=error)
        self._told.add(path)

    def _by_header(self, header: bytes) -> Schema | None:
        """The only schema with a header; None where none has it or several have."""
        names = sorted(_hash(found.name) for found in self._folder.glob(_file_name("*")))
        fitting = [schema for name in names if (schema := self._schema(name)) and schema.header == header]
        return fitting[0] if len(fitting) == 1 else None

    def _publish(self, coming: dict[Part, str]) -> None:
        """Write the package file for the parts that are there and those that come to life next."""
        names = {part: path.name for part, path in list_all(self._folder).items()}
        known = {part: name for part, name in self._known().items() if part in names} | coming
        names |= {part: part.name for part in coming}
        numbers = self._counted(names)
        document = {
            "name": "luxtronik-readings",
            "title": "Readings of a Luxtronik heat pump controller",
            "profile": "data-package",
            _NUMBERS: {str(day): last for day, last in sorted(numbers.items()) if last},
            "resources": [_resource(schema, known, names) for schema in sorted(set(known.values()))],
        }
        files.publish(self._folder / PACKAGE, json.dumps(document, indent=1).encode() + b"\n")
        self._parts, self._numbers = known, numbers

    def _counted(self, there: Iterable[Part]) -> dict[date, int]:
        """The highest number of each day that is not older than all that is there."""
        numbers = dict(self._numbers)
        for part in there:
            numbers[part.day] = max(numbers.get(part.day, 0), part.number)
        first = min((part.day for part in there), default=date.max)
        return {day: last for day, last in numbers.items() if day >= first}


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
