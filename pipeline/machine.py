"""What the machine offers: its time zone, and folders that can hold what the logger writes.

Nothing here creates a file or a folder. `root` is where the machine's files begin; a test gives its own.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from zoneinfo import ZoneInfo

#: A key, the rule it breaks and its value, as `Problems.add` takes them.
Complaint = tuple[str, str, object]

#: Names of zones that are UTC all year, without their 'Etc/'.
UTC_NAMES = frozenset({"UTC", "UCT", "Universal", "Zulu", "GMT", "Greenwich"})

_NO_ZONE = "default UTC, as the system names no zone"
# File systems of other machines: SQLite's WAL shares memory between its users, so all must be on one machine.
_NETWORK = re.compile(
    r"(fuse\.)?(9p|afs|ceph(-fuse)?|cifs|coda|davfs2?|glusterfs|lustre|nfs4?|rclone|s3fs|smb3|smbfs|sshfs)"
)
# SQLite's limit is 512 with what it adds for itself; 470 were fine, 485 not.
_MOST_PATH = 450
_OCTAL = re.compile(r"\\([0-7]{3})")


def zone(name: str) -> ZoneInfo:
    """The time zone of an IANA name.

    Raises:
        ValueError: there is none, in words that follow 'FIELD: '.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        # OSError: 'Europe' alone is a folder of the data base.
        raise ValueError("must be an IANA name such as Europe/Berlin, and so must TZ where it is empty") from None


def default_zone(environ: Mapping[str, str], root: Path) -> tuple[str, str]:
    """The name of the zone that holds where nobody set one, and where it came from."""
    if (named := environ.get("TZ", "").removeprefix(":")) and named != "/etc/localtime":
        return _name_in(named), f"default TZ={named}"
    for place, name in _system_zones(root):
        if _is_zone(name):
            return name, f"default {place}"
    return "UTC", _NO_ZONE


def _system_zones(root: Path) -> Iterator[tuple[str, str]]:
    with suppress(OSError, ValueError):
        yield "/etc/timezone", (root / "etc/timezone").read_text(encoding="ascii").strip()
    with suppress(OSError):
        yield "/etc/localtime", _name_in(str((root / "etc/localtime").readlink()))


def _name_in(path: str) -> str:
    """The zone's name at the end of a path into the system's data base."""
    return path.rpartition("/zoneinfo/")[2]


def _is_zone(name: str) -> bool:
    try:
        zone(name)
    except ValueError:
        return False
    return True


def in_container(environ: Mapping[str, str], root: Path) -> bool:
    """Whether this runs in a container, as Docker, Podman and systemd mark it."""
    return "container" in environ or (root / ".dockerenv").exists() or (root / "run/.containerenv").exists()


def utc_warning(name: str, origin: str, environ: Mapping[str, str], root: Path) -> tuple[str, ...]:
    """A sentence where a zone that nobody chose is UTC and hardly meant; else nothing."""
    if name.removeprefix("Etc/") not in UTC_NAMES or not (origin == _NO_ZONE or in_container(environ, root)):
        return ()
    return (
        f"the time zone is {name} ({origin}), so days and CSV_TIME follow UTC: set LUX_TIMEZONE or TZ, "
        "for example TZ=Europe/Berlin, or LUX_TIMEZONE=UTC if that is meant",
    )


def clashes(places: Mapping[str, Path]) -> Iterator[Complaint]:
    """What two paths must not share: output folders are four, and the queue's file is none of the folders."""
    real = {key: Path(os.path.realpath(place)) for key, place in places.items()}
    cache = real.pop("CACHE_PATH", None)
    seen: dict[Path, str] = {}
    for key, folder in real.items():
        if cache in (folder, *folder.parents):
            yield "CACHE_PATH", f"must be a file, but {key} has it as a folder", str(cache)
        if key != "DATA_DIR" and seen.setdefault(folder, key) != key:
            yield key, f"must be another folder than {seen[folder]}", str(places[key])


def unusable(places: Mapping[str, Path], root: Path) -> Iterator[Complaint]:
    """What keeps the paths from being written; what keeps DATA_DIR from it is told once, as the others lie in it."""
    root_why = ""
    for key, place in places.items():
        if key == "CACHE_PATH":
            kind = "file on a local disk"
            why = _why_too_long(place) or _why_no_file(place) or _why_no_local_disk(place, root)
        else:
            kind, why = "folder", _why_no_folder(place)
        if why and why != root_why:
            yield key, f"must be a {kind} that can be written, but {why}", str(place)
        if key == "DATA_DIR":
            root_why = why


def _why_too_long(file: Path) -> str:
    """Why SQLite cannot open a file by its path; empty where it can."""
    longest = max(len(os.fsencode(path)) for path in (file, os.path.realpath(file)))
    return f"its path has {longest} bytes and SQLite takes {_MOST_PATH} for sure" if longest > _MOST_PATH else ""


def _why_no_folder(folder: Path) -> str:
    """Why a folder can neither be written nor made; empty where it can."""
    try:
        place = next(filter(_is_there, (folder, *folder.parents)))
        if not place.is_dir():
            return f"{place} is no folder"
    except OSError as error:
        return f"{error.filename}: {error.strerror}"
    return "" if os.access(place, os.W_OK | os.X_OK) else why_locked(place)


def why_locked(place: Path) -> str:
    """Why this user may not write a place that is there, and what mends it."""
    if os.statvfs(place).f_flag & os.ST_RDONLY:
        return f"{place} is on a file system that is mounted read-only"
    user, owner = os.getuid(), place.stat().st_uid
    mend = f"sudo chown -R {user}:{os.getgid()} {place} (in a container: of the folder that is mounted there)"
    return f"user {user} may not write {place}, which belongs to user {owner}: {mend}"


def _is_there(place: Path) -> bool:
    # A link that leads nowhere is there: no folder can be made in its place.
    try:
        place.lstat()
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return False  # what is above decides
    return True


def _why_no_file(file: Path) -> str:
    """Why a file can neither be written nor made; empty where it can."""
    if not os.access(file, os.F_OK):
        return _why_no_folder(file.parent)
    if file.is_dir():
        return f"{file} is a folder"
    return "" if os.access(file, os.W_OK) else why_locked(file)


def file_system(path: Path, mountinfo: str) -> str:
    """The type of file system a path is on, from the text of /proc/self/mountinfo; empty where it does not say."""
    found, length = "", 0
    for line in mountinfo.split("\n"):
        mount, _, kind = line.partition(" - ")
        fields = mount.split(" ")
        if len(fields) < 5 or not kind:
            continue
        point = Path(_OCTAL.sub(lambda code: chr(int(code[1], 8)), fields[4]))
        # Of two mounts on one point the later one covers the earlier.
        if path.is_relative_to(point) and len(point.parts) >= length:
            found, length = kind.split(" ")[0], len(point.parts)
    return found


def _why_no_local_disk(path: Path, root: Path) -> str:
    try:
        mountinfo = (root / "proc/self/mountinfo").read_text(errors="surrogateescape")
    except OSError:
        return ""
    kind = file_system(Path(os.path.realpath(path)), mountinfo)
    return f"it is on {kind}: SQLite's WAL does not work over a network" if _NETWORK.fullmatch(kind) else ""
