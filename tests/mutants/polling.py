"""Mutants of the pump's reader and of the poller's pace."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

_PUMP = "pipeline/pump.py"
_POLL = "stages/poll.py"

MUTANTS = (
    Mutant(
        name="a deadline for each piece instead of one for all",
        breaks="promise 4",
        file=_PUMP,
        old="left_s = self._deadline - self._monotonic()",
        new="left_s = 0.9",
        tests=("tests/test_pump.py::test_drip_that_never_pauses_ends_at_the_deadline_too",),
    ),
    Mutant(
        name="no deadline for a name look-up",
        breaks="promise 4",
        file=_PUMP,
        old="lookup.done.wait(deadline - self._monotonic())",
        new="lookup.done.wait()",
        tests=("tests/test_pump.py::test_name_look_up_that_hangs_ends_at_the_deadline_and_is_not_begun_twice",),
    ),
    Mutant(
        name="half an answer is filled up with zeros",
        breaks="promise 4",
        file=_PUMP,
        old='raise PumpClosedError("the pump closed the connection", reading=reading, got=got, wanted=wanted)',
        new="break",
        tests=("tests/test_pump.py::test_connection_is_closed_after_every_read_also_a_failed_one",),
    ),
    Mutant(
        name="one receive is taken for a whole answer",
        breaks="promise 4",
        file=_PUMP,
        old="while got < wanted:",
        new="for _ in range(1):",
        tests=("tests/test_pump.py::test_stall_anywhere_ends_at_the_deadline",),
    ),
    Mutant(
        name="count of an answer not checked",
        breaks="promise 4",
        file=_PUMP,
        old="if not 0 < count <= MAX_COUNT:",
        new="if False:",
        tests=("tests/test_pump.py::test_count_that_cannot_be_right_is_refused_at_once",),
    ),
    Mutant(
        name="echo of the command not checked",
        breaks="promise 4",
        file=_PUMP,
        old="if echo != command:",
        new="if False:",
        tests=("tests/test_pump.py::test_echo_of_another_command_is_refused",),
    ),
    Mutant(
        name="busy controller taken for a ready one",
        breaks="promise 4",
        file=_PUMP,
        old="if status > 0:",
        new="if False:",
        tests=("tests/test_pump.py::test_busy_controller_asks_for_five_seconds",),
    ),
    Mutant(
        name="connection stays open after a failed read",
        breaks="promise 4",
        file=_PUMP,
        old="with closing(self._connect(deadline)) as connection:\n",
        new="connection = self._connect(deadline)\n            if connection:\n",
        tests=("tests/test_pump.py::test_connection_is_closed_after_every_read_also_a_failed_one",),
    ),
    Mutant(
        name="no second attempt after a failed read",
        breaks="promise 4",
        file=_POLL,
        old="self._attempts = retries + 1",
        new="self._attempts = 1",
        tests=("tests/test_poll.py::test_failed_read_is_tried_again_after_two_four_and_eight_seconds",),
    ),
    Mutant(
        name="missed slots are made up in a burst",
        breaks="promise 4",
        file=_POLL,
        old="skipped = slot - self._used - 1",
        new="slot, skipped = self._used + 1, 0",
        tests=("tests/test_poll.py::test_read_longer_than_the_interval_skips_slots_and_makes_none_up",),
    ),
    Mutant(
        name="reading that finds no place ends the polling",
        breaks="promise 3",
        file=_POLL,
        old="except BufferFullError:",
        new="except ZeroDivisionError:",
        tests=("tests/test_poll.py::test_reading_that_finds_no_place_is_missed_and_polling_goes_on",),
    ),
    Mutant(
        name="polls paced by the wall clock",
        breaks="promise 5",
        file=_POLL,
        old="self._due, skipped = self._grid.take_next(self._clock.monotonic())",
        new="self._due, skipped = self._grid.take_next(self._clock.utc().timestamp())",
        tests=("tests/test_poll.py::test_wall_clock_that_steps_changes_no_poll",),
    ),
    Mutant(
        name="the command that writes to a controller exists",
        breaks="promise 6",
        file=_PUMP,
        old="PARAMETERS = 3003\n",
        new="WRITE = 3002\nPARAMETERS = 3003\n",
        tests=("tests/test_layers.py::test_command_that_writes_to_a_controller_stands_nowhere",),
    ),
    Mutant(
        name="the command that writes is worked out and sent",
        breaks="promise 6",
        file=_PUMP,
        old='parameters = wire.ask(PARAMETERS, "parameters")',
        new='wire._send(_REQUEST.pack(PARAMETERS - 1, 0), "nothing")\n                '
        'parameters = wire.ask(PARAMETERS, "parameters")',
        tests=("tests/test_pump.py::test_only_the_three_reading_commands_exist_and_are_sent",),
    ),
)
