from __future__ import annotations

import errno
import logging
import threading
from collections.abc import Callable, Iterator

import pytest

from pipeline import worker as worker_module
from pipeline.clock import SystemClock
from pipeline.errors import QueueError
from pipeline.worker import Worker


@pytest.fixture
def run() -> Iterator[Callable[[Callable[[float], float]], Worker]]:
    started: list[Worker] = []

    def start(step: Callable[[float], float]) -> Worker:
        worker = Worker("stage", step, SystemClock())
        worker.start()
        started.append(worker)
        return worker

    yield start
    for worker in started:
        worker.stop()
        assert worker.join(5)


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "RESTART_S", 0.001)


def test_stage_that_raises_is_logged_with_its_traceback_and_begun_again(
    run: Callable[[Callable[[float], float]], Worker], caplog: pytest.LogCaptureFixture
) -> None:
    calls, done = [0], threading.Event()

    def step(_now: float) -> float:
        calls[0] += 1
        if calls[0] <= 3:
            raise ValueError("broken")
        done.set()
        return 60.0

    worker = run(step)
    assert done.wait(5)
    worker.stop()
    assert worker.join(5)
    assert worker.restarts == 3
    first, last = (r for r in caplog.records if r.levelno >= logging.WARNING)
    assert (first.message, bool(first.exc_info)) == ("stage stage failed", True)
    assert last.message == "stage stage works again"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "OSError: [Errno 28] No space left on device"),
        (QueueError("the disk takes nothing"), "QueueError: the disk takes nothing"),
    ],
)
def test_stage_that_fails_by_the_disk_is_told_in_a_line_without_a_traceback(
    run: Callable[[Callable[[float], float]], Worker], caplog: pytest.LogCaptureFixture, error: Exception, told: str
) -> None:
    done = threading.Event()

    def step(_now: float) -> float:
        done.set()
        raise error

    worker = run(step)
    assert done.wait(5)
    worker.stop()
    assert worker.join(5)
    (line,) = (r for r in caplog.records if r.levelno >= logging.WARNING)
    assert (line.facts["error"], bool(line.exc_info)) == (told, False)  # type: ignore[attr-defined]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_thread_that_died_is_replaced(
    run: Callable[[Callable[[float], float]], Worker], caplog: pytest.LogCaptureFixture
) -> None:
    calls, done = [0], threading.Event()

    def step(_now: float) -> float:
        calls[0] += 1
        if calls[0] == 1:
            raise SystemExit
        done.set()
        return 60.0

    worker = run(step)
    assert worker.join(5)
    assert not worker.is_alive
    worker.replace_if_dead()
    assert done.wait(5)
    assert worker.restarts == 1
    assert "died and is replaced" in caplog.text
    worker.replace_if_dead()
    assert calls[0] == 2


def test_stop_ends_a_long_wait_at_once(run: Callable[[Callable[[float], float]], Worker]) -> None:
    entered = threading.Event()

    def step(_now: float) -> float:
        entered.set()
        return 3600.0

    worker = run(step)
    assert entered.wait(5)
    worker.stop()
    assert worker.join(5)
    worker.replace_if_dead()
    assert not worker.is_alive


def test_failure_of_a_step_that_the_stop_ended_is_no_error(
    run: Callable[[Callable[[float], float]], Worker], caplog: pytest.LogCaptureFixture
) -> None:
    entered, ended = threading.Event(), threading.Event()

    def step(_now: float) -> float:
        entered.set()
        ended.wait(5)
        raise ValueError("ended by the stop")

    worker = run(step)
    assert entered.wait(5)
    worker.stop()
    ended.set()
    assert worker.join(5)
    assert worker.restarts == 0
    assert not [r for r in caplog.records if r.levelno >= logging.WARNING]
