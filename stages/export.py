"""Hands out chosen sensors and times: as CSV or JSON, a block at a time, or as a Stata file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from pipeline import choice, dictionary, files, steps, table, table_file
from pipeline.archive import Archive
from pipeline.archive_look import Look
from pipeline.clock import ALWAYS, to_ms, utc_text
from pipeline.columns import Columns
from pipeline.errors import ExistsError, QueryError
from pipeline.table import Table

FORMS = ("csv", "json", "jsonl", "dta")

#: Told how many days are done, and how many there are.
Progress = Callable[[float, float], None]


@dataclass(frozen=True)
class Request:
    """What is wanted: the readings of [start, end), of the sensors that `patterns` and `groups` name (none: all) and
    `without` does not, reduced to steps of `step_ms` or whole, in one of `FORMS`; `german` is for CSV, `language` names
    the columns as people do.
    """

    start: datetime
    end: datetime
    patterns: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    step_ms: int | None = None
    form: str = "csv"
    german: bool = False
    language: str | None = None


@dataclass(frozen=True)
class Made:
    """What an export came to."""

    rows: int
    sensors: int
    first_ms: int
    last_ms: int


class Export:
    """Exports from an archive; `about` tells of the logger in data dictionaries and JSON."""

    def __init__(self, archive: Archive, about: dict[str, Any]) -> None:
        self._archive = archive
        self._about = about

    def to_file(self, request: Request, target: Path, *, force: bool, progress: Progress) -> Made:
        """Publish the export whole, and its data dictionary beside it.

        Raises:
            ExistsError: one of the two is there, and it is not to be forced.
            QueryError: no sensor or no reading is what was asked for, or it does not fit into memory.
            ArchiveError, OSError: it was not published; or only its data dictionary was not.
        """
        beside = target.with_name(target.name + dictionary.SUFFIX)
        for path in (target, beside):
            if path.exists() and not force:
                raise ExistsError(f"{path} is there already", hint="name another file, or overwrite it with --force")
        with self._table(request, progress) as (made, found), files.beside(target) as temporary:
            with temporary.open("wb") as file:
                self._write(request, found, file)
                file.flush()
                os.fsync(file.fileno())
            package = self._package(request, found, target)
            temporary.replace(target)
        files.publish(beside, package)
        return made.summary(len(found.fields))

    def to_stream(self, request: Request, stream: BinaryIO, progress: Progress) -> Made:
        """Write the export to a stream.

        Raises:
            QueryError, ArchiveError, OSError: it is not whole.
        """
        with self._table(request, progress) as (made, found):
            self._write(request, found, stream)
        return made.summary(len(found.fields))

    @contextmanager
    def _table(self, request: Request, progress: Progress) -> Iterator[tuple[_Count, Table]]:
        known = self._archive.sensors(request.start, request.end)
        if not known:
            raise _none(request)
        fields = table.fields(choice.chosen(known, request.patterns, request.groups, request.without))
        with self._archive.look(request.start, request.end) as look:
            _check(request, look, len(fields))
            made = _Count(progress, look.days)
            pieces = made.counted(_some(look.rows([field.sensor for field in fields]), request))
            blocks = steps.steps(fields, pieces, request.step_ms) if request.step_ms else table.readings(fields, pieces)
            yield made, Table(fields, request.step_ms, blocks)

    def _write(self, request: Request, found: Table, file: BinaryIO) -> None:
        header = table_file.names(found, request.language)
        if request.form == "csv":
            table_file.write_csv(file, found, header, german=request.german)
        elif request.form == "json":
            fields = dictionary.fields(found, header, german=False, language=request.language or "en")
            table_file.write_json(file, found, header, self._told(request) | {"fields": fields})
        elif request.form == "jsonl":
            table_file.write_lines(file, found, header)
        else:
            # Its pandas is heavy, and most exports do not need it.
            from pipeline import stata_file

            if file.seekable():
                stata_file.write(file, found, request.language or "en")
            else:
                # The format is written back and forth, and its table is in memory anyway.
                whole = BytesIO()
                stata_file.write(whole, found, request.language or "en")
                file.write(whole.getbuffer())

    def _package(self, request: Request, found: Table, target: Path) -> bytes:
        header = table_file.names(found, request.language)
        if request.form == "dta":
            from pipeline import stata_file

            header = [*found.lead, *stata_file.variable_names(found.fields)]
        fields = dictionary.fields(found, header, german=request.german, language=request.language or "en")
        return dictionary.package(target, request.form, fields, german=request.german, about=self._told(request))

    def _told(self, request: Request) -> dict[str, Any]:
        start, end = (utc_text(to_ms(moment)) for moment in (request.start, request.end))
        return self._about | {"from": start, "to": end, "step_s": request.step_ms and request.step_ms / 1000}


def _check(request: Request, look: Look, columns: int) -> None:
    if request.form != "dta":
        return
    from pipeline import stata_file

    rows = look.most_rows()
    if request.step_ms:
        rows = min(rows, look.days * 86_400_000 // request.step_ms)
    stata_file.check(rows, columns, look.days)


def _some(pieces: Iterator[Columns], request: Request) -> Iterator[Columns]:
    """The pieces, of which there must be one."""
    first = next(pieces, None)
    if first is None:
        raise _none(request)
    return chain([first], pieces)


def _none(request: Request) -> QueryError:
    start = _told(request.start, "the beginning")
    end = _told(request.end, "the end")
    return QueryError(f"no readings from {start} to {end}", hint="the end is not in it; `status` tells the last one")


def _told(moment: datetime, without: str) -> str:
    """A bound for a person; those that nobody gave have a word."""
    return without if to_ms(moment) in ALWAYS else moment.isoformat(timespec="seconds")


class _Count:
    """Counts what passes, and tells how far it is."""

    def __init__(self, progress: Progress, days: int) -> None:
        self._progress = progress
        self._days = days
        self._rows = 0
        self._first_ms = self._last_ms = 0

    def counted(self, pieces: Iterator[Columns]) -> Iterator[Columns]:
        for done, piece in enumerate(pieces, 1):
            if not self._rows:
                self._first_ms = int(piece.times_ms[0])
            self._rows += len(piece.times_ms)
            self._last_ms = int(piece.times_ms[-1])
            yield piece
            self._progress(done, self._days)

    def summary(self, sensors: int) -> Made:
        return Made(self._rows, sensors, self._first_ms, self._last_ms)
