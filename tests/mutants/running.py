"""Mutants of the service as a whole: its locks, its threads, its stop."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

_LOCK = "pipeline/lock.py"
_SERVICE = "pipeline/supervisor.py"
_STORE = "pipeline/store.py"
_STOP = "tests/test_service.py::test_stop_puts_the_buffer_on_the_queue_and_the_queue_into_the_shards"

MUTANTS = (
    Mutant(
        name="instance lock not taken",
        breaks="rule 15",
        file=_SERVICE,
        old="self.lock.acquire()",
        new="pass",
        tests=("tests/test_service.py::test_second_service_on_the_same_folder_is_refused",),
    ),
    Mutant(
        name="folder's lock file not locked",
        breaks="rule 15",
        file=_LOCK,
        old="        _take(descriptor)\n",
        new="        pass\n",
        tests=("tests/test_lock.py::test_second_service_is_refused_with_the_first_ones_process",),
    ),
    Mutant(
        name="lock of derived files lets two in",
        breaks="rule 15",
        file=_LOCK,
        old="fcntl.flock(descriptor, fcntl.LOCK_EX)\n",
        new="pass\n",
        tests=("tests/test_lock.py::test_lock_file_is_held_by_one_at_a_time_and_the_other_waits",),
    ),
    Mutant(
        name="rollup made without the lock of derived files",
        breaks="rule 15",
        file="stages/rollup.py",
        old="with self._lock():\n            due",
        new="if True:\n            due",
        tests=("tests/test_rollup.py::test_file_is_made_under_the_lock_of_derived_files",),
    ),
    Mutant(
        name="writer not kept away from a closed day",
        breaks="rule 15",
        file="pipeline/shard.py",
        old="with self._lock:\n            self._days.pop(day, None)",
        new="if True:\n            self._days.pop(day, None)",
        tests=("tests/test_shard.py::test_writer_waits_while_a_day_is_closed",),
    ),
    Mutant(
        name="service does not start on a full disk",
        breaks="rule 13",
        file=_LOCK,
        old="with suppress(OSError):\n",
        new="if True:\n",
        tests=("tests/test_lock.py::test_lock_holds_where_the_disk_takes_no_text",),
    ),
    Mutant(
        name="stage that failed once is over",
        breaks="promise 3",
        file="pipeline/worker.py",
        old="self._failed(error)",
        new="raise",
        tests=("tests/test_worker.py::test_stage_that_raises_is_logged_with_its_traceback_and_begun_again",),
    ),
    Mutant(
        name="thread that died is not replaced",
        breaks="promise 7",
        file="pipeline/worker.py",
        old='died and is replaced", self.name)\n        self.start()',
        new='died and is replaced", self.name)',
        tests=("tests/test_worker.py::test_thread_that_died_is_replaced",),
    ),
    Mutant(
        name="stop without a drain of the queue",
        breaks="promise 7",
        file=_SERVICE,
        old="self._drain(deadline)\n",
        new="pass\n",
        tests=(_STOP,),
    ),
    Mutant(
        name="stop leaves the buffer in memory",
        breaks="promise 7",
        file=_STORE,
        old="self._closed = True\n            self._flush()",
        new="self._closed = True",
        tests=("tests/test_store.py::test_closing_puts_the_rest_on_the_queue_and_refuses_later_readings",),
    ),
)
