"""Mutants of what is handed out over HTTP: who may see it, what is shown, what is left out."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

_SERVE = "tests/test_serve.py::"
_EXPORTS = "tests/test_export_child.py::"
_PLOT = "tests/test_plot.py::"

MUTANTS = (
    Mutant(
        name="token not asked for",
        breaks="access",
        file="pipeline/access.py",
        old="path not in _OPEN and not self._knows(scope):",
        new="path in () and not self._knows(scope):",
        tests=(f"{_SERVE}test_token_is_asked_for_everywhere_but_at_health",),
    ),
    Mutant(
        name="any cookie taken for the right one",
        breaks="access",
        file="pipeline/access.py",
        old="return found is not None and hmac.compare_digest(found.value.encode(), self.cookie().encode())",
        new="return found is not None",
        tests=(f"{_SERVE}test_token_typed_once_is_kept_as_a_cookie_that_does_not_hold_it",),
    ),
    Mutant(
        name="writing methods let through",
        breaks="promise 6",
        file="pipeline/access.py",
        old='if method not in ("GET", "HEAD") and (method, path) != ("POST", LOGIN):',
        new="if False:",
        tests=(f"{_SERVE}test_nothing_but_reading_is_possible[DELETE]",),
    ),
    Mutant(
        name="link followed out of a folder",
        breaks="access",
        file="pipeline/published.py",
        old=" or path.is_symlink()",
        new="",
        tests=(f"{_SERVE}test_name_never_leaves_its_folder[/files/shards/2001-01-01.csv]",),
    ),
    Mutant(
        name="values between impossible steps shown",
        breaks="page",
        file="pipeline/plot.py",
        old="        for one in self._wrong.get(sensor.name, ()):\n",
        new="        for one in ():\n",
        tests=(f"{_PLOT}test_wrong_values_are_left_out_of_the_sensor_they_belong_to",),
    ),
    Mutant(
        name="bucket that reaches into wrong values shown",
        breaks="page",
        file="pipeline/plot.py",
        old="(times_ms + max(length_ms, 1) <= one.start_ms)",
        new="(times_ms < one.start_ms)",
        tests=(f"{_PLOT}test_bucket_with_a_wrong_value_in_it_is_left_out_whole",),
    ),
    Mutant(
        name="state goes on over missing readings",
        breaks="page",
        file="pipeline/plot.py",
        old="cuts = np.flatnonzero(is_missing | (np.diff(values) != 0)) + 1",
        new="cuts = np.flatnonzero(np.diff(values) != 0) + 1",
        tests=(f"{_PLOT}test_runs_end_at_the_next_value_or_where_readings_are_missing",),
    ),
    Mutant(
        name="open day not read on",
        breaks="page",
        file="pipeline/day_reader.py",
        old="            if status.st_size == known.end:\n                return known\n",
        new="            if known.end > len(schema.header):\n                return known\n",
        tests=("tests/test_day_reader.py::test_day_that_grows_is_read_as_a_plain_read_gives_it",),
    ),
    Mutant(
        name="port in use ends the page for good",
        breaks="promise 7",
        file="pipeline/web_server.py",
        old="            return RETRY_S\n",
        new="            raise\n",
        tests=("tests/test_web_server.py::test_port_in_use_is_told_with_its_remedy_and_tried_again",),
    ),
    Mutant(
        name="slow head of a request waited for without end",
        breaks="page",
        file="pipeline/web_server.py",
        old="        if self.cycle is None and not self.transport.is_closing():\n            self.transport.close()\n",
        new="        return\n",
        tests=("tests/test_web_server.py::test_client_that_does_not_get_its_request_across_is_let_go",),
    ),
    Mutant(
        name="place of an export that ended not given back",
        breaks="page",
        file="pipeline/export_child.py",
        old="        self._is_over = True\n        self._ended()\n",
        new="        self._is_over = True\n",
        tests=(f"{_SERVE}test_third_export_at_once_is_told_to_come_again",),
    ),
    Mutant(
        name="export as dear to the kernel as the polls where memory runs out",
        breaks="page",
        file="pipeline/export_child.py",
        old="        _first_to_go(process.pid)\n",
        new="",
        tests=(f"{_EXPORTS}test_system_that_lacks_memory_ends_an_export_before_the_service",),
    ),
    Mutant(
        name="export that the system ended taken for a question that was wrong",
        breaks="page",
        file="pipeline/export_child.py",
        old="    if process.returncode == -signal.SIGKILL:\n",
        new="    if process.returncode is None:\n",
        tests=(f"{_EXPORTS}test_export_that_the_system_ends_on_its_way_is_never_whole",),
    ),
    Mutant(
        name="export whose reader left before its first byte not ended",
        breaks="page",
        file="stages/serve.py",
        old="            await self._running.end()\n",
        new="            pass\n",
        tests=(f"{_SERVE}test_reader_that_leaves_before_the_first_byte_gives_its_place_back",),
    ),
)
