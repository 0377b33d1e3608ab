"""Names in DATA_DIR and the output folders that the service and commands share."""

from __future__ import annotations

#: Folder for what could not be stored, in DATA_DIR.
QUARANTINE = "quarantine"

#: The archive's file, in its folder.
ARCHIVE = "archive.db"

#: Lock file of derived files, in DATA_DIR: a command by hand and the service make them in turn.
ROLLUP_LOCK = "rollup.lock"

#: The built page, in the folder of the project.
PAGE = "web/dist"
