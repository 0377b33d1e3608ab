"""The files that a person may take: daily and weekly files and shards, by kind and name."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from pipeline.clock import utc_text
from pipeline.errors import QueryError

#: What a file's name looks like; it begins with the local day that it belongs to, or on which its window ends.
_NAMES = {
    "daily": re.compile(r"(\d{4}-\d\d-\d\d)_daily\.csv(\.gz)?", re.ASCII),
    "weekly": re.compile(r"(\d{4}-\d\d-\d\d)_weekly\.csv(\.gz)?", re.ASCII),
    "shards": re.compile(
        r"(\d{4}-\d\d-\d\d)(?:(?:\.\d+|\.log)?\.csv(?:\.gz)?|\.log\.json)|schema-[0-9a-f]+\.json|datapackage\.json",
        re.ASCII,
    ),
}


class Published:
    """The files below the folders of each kind: `daily`, `weekly`, `shards`."""

    def __init__(self, folders: Mapping[str, Path]) -> None:
        self._folders = folders

    def listing(self) -> dict[str, list[dict[str, Any]]]:
        """The files of each kind that are a day's, newest first: name, bytes, day, time of the last change, address."""
        return {kind: self._files(kind) for kind in self._folders}

    def path(self, kind: str, name: str) -> Path:
        """The file of a kind and a name.

        Raises:
            QueryError: there is none; nothing outside of the folder is ever one, nor what a link points to.
        """
        folder = self._folders.get(kind)
        if folder is None:
            raise QueryError(f"no kind of file {kind!r}", hint=f"kinds are {', '.join(self._folders)}")
        path = folder / name
        if not _NAMES[kind].fullmatch(name) or path.is_symlink() or not path.is_file():
            raise QueryError(f"no {kind} file {name!r}", hint="/api/rollups lists all files")
        return path

    def _files(self, kind: str) -> list[dict[str, Any]]:
        found = []
        with suppress(FileNotFoundError), os.scandir(self._folders[kind]) as entries:
            for entry in entries:
                match = _NAMES[kind].fullmatch(entry.name)
                if match and match[1] and entry.is_file(follow_symlinks=False):
                    with suppress(FileNotFoundError):
                        found.append(_described(kind, entry.name, match[1], entry.stat(follow_symlinks=False)))
        return sorted(found, key=lambda file: file["name"], reverse=True)


def _described(kind: str, name: str, day: str, status: os.stat_result) -> dict[str, Any]:
    modified = utc_text(status.st_mtime_ns // 1_000_000)
    return {"name": name, "size": status.st_size, "day": day, "modified": modified, "url": f"/files/{kind}/{name}"}
