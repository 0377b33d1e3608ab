from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.errors import QueueError
from pipeline.quarantine import FROM_QUEUE, Quarantine
from pipeline.queue import Queue
from pipeline.queue_view import QueueView, look
from tests.parts import reading

#: A process that puts readings and then waits, or dies at once; the queue's log is left as it was.
PUT = (
    "import os, signal, sys\n"
    "from pathlib import Path\n"
    "from pipeline.queue import Queue\n"
    "from tests.parts import reading\n"
    "queue = Queue(Path(sys.argv[1])); queue.put([reading(0).encode(), reading(30).encode()])\n"
    "print('put', flush=True)\n"
    "if sys.argv[2] == 'die': os.kill(os.getpid(), signal.SIGKILL)\n"
    "sys.stdin.read()\n"
)


def state(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {str(p): (p.stat().st_mtime_ns, p.read_bytes()) for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "queue" / "queue.db"


def view(path: Path) -> QueueView:
    """A look, with the proof that it changed nothing."""
    before = state(path.parent)
    found = look(path, path.parent.parent / "quarantine")
    assert state(path.parent) == before
    return found


def test_queue_that_was_never_made_is_empty_and_stays_unmade(path: Path) -> None:
    assert look(path, path.parent) == QueueView(0, None, None, 0, 0)
    assert not path.parent.exists()


def test_closed_queue_tells_depth_and_times(path: Path) -> None:
    with closing(Queue(path)) as queue:
        queue.put([b"garbage", reading(0).encode(), reading(30).encode(), b"garbage"])
    found = view(path)
    assert (found.depth, found.oldest, found.newest) == (4, "2026-01-05T11:00:00.000Z", "2026-01-05T11:00:30.000Z")
    assert found.bytes == path.stat().st_size


def test_running_service_is_looked_at_without_a_change(path: Path) -> None:
    command = [sys.executable, "-c", PUT, str(path), "wait"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        assert view(path).depth == 2
        process.communicate(timeout=9)


@pytest.mark.parametrize("index_is_there", [True, False])
def test_killed_service_leaves_its_log_and_that_is_read(path: Path, index_is_there: bool) -> None:
    died = subprocess.run([sys.executable, "-c", PUT, str(path), "die"], check=False, stdout=subprocess.PIPE, timeout=9)
    assert died.returncode == -signal.SIGKILL
    assert path.with_name("queue.db-wal").stat().st_size
    if not index_is_there:
        path.with_name("queue.db-shm").unlink()
    assert view(path).depth == 2


@pytest.mark.parametrize("killed", [True, False])
def test_read_only_folder_of_another_user_can_be_looked_at(tmp_path: Path, path: Path, killed: bool) -> None:
    if killed:
        subprocess.run([sys.executable, "-c", PUT, str(path), "die"], check=False, stdout=subprocess.PIPE, timeout=9)
    else:
        with closing(Queue(path)) as queue:
            queue.put([reading(0).encode(), reading(30).encode()])
    for file in path.parent.iterdir():
        file.chmod(0o444)
    path.parent.chmod(0o555)
    try:
        before = state(path.parent)
        assert _depth_seen_by_nobody(tmp_path, path) == "2"
        assert state(path.parent) == before
    finally:
        path.parent.chmod(0o755)


def _depth_seen_by_nobody(tmp_path: Path, path: Path) -> str:
    """What a user without any right to write sees; root would be allowed to write whatever the mode says."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.getuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    code = (
        "import os, sys; from pathlib import Path; from pipeline.queue_view import look\n"
        "Path('/').as_uri()  # imports more, from where that user may not read\n"
        "os.getuid() or os.setuid(65534)\n"
        "print(look(Path(sys.argv[1]), Path(sys.argv[2])).depth)"
    )
    command = [sys.executable, "-c", code, str(path), str(tmp_path / "quarantine")]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=9).stdout.strip()


def test_quarantined_rows_are_counted(tmp_path: Path, path: Path) -> None:
    quarantine = Quarantine(tmp_path / "quarantine")
    quarantine.keep(FROM_QUEUE, b"one")
    quarantine.keep(FROM_QUEUE, b"two")
    quarantine.keep("2026-01-05.csv-17", b"three")
    assert look(path, quarantine.folder).quarantined == 2


def test_file_that_is_no_queue_is_named(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"garbage" * 999)
    with pytest.raises(QueueError, match=r"queue\.db"):
        view(path)
