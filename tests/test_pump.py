from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from itertools import accumulate, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import pump as pump_module
from pipeline import sensors
from pipeline.errors import (
    PumpAnswerError,
    PumpBusyError,
    PumpClosedError,
    PumpError,
    PumpStoppedError,
    PumpTimeoutError,
    PumpUnreachableError,
)
from pipeline.pump import Pump
from pipeline.reading import Answer
from pipeline.simulator import Dump, Fault, SimulatedPump
from tests import dumps
from tests.parts import answer

PARAMETERS, CALCULATIONS, VISIBILITIES = 3003, 3004, 3005


@pytest.fixture
def simulated() -> Iterator[SimulatedPump]:
    with SimulatedPump(lambda _: answer(215)) as server:
        yield server


def reader(simulated: SimulatedPump, timeout_s: float = 5) -> Pump:
    host, port = simulated.address
    return Pump(host, port, timeout_s=timeout_s)


def stream_length(whole: Answer) -> int:
    n_parameters, n_calculations, n_visibilities = whole.counts
    return 8 + 4 * n_parameters + 12 + 4 * n_calculations + 8 + n_visibilities


def test_whole_answer_is_read(simulated: SimulatedPump) -> None:
    assert reader(simulated).read() == answer(215)
    assert reader(simulated).get_all_sensors() == sensors.values(answer(215))


@pytest.mark.parametrize("name", dumps.NAMES)
@pytest.mark.parametrize("size", range(1, 10))
def test_real_answer_in_pieces_of_every_size_is_read_exactly(name: str, size: int) -> None:
    expected = dumps.load(name)
    with SimulatedPump(Dump(dumps.path(name)), fault=Fault("pieces", sizes=(size,))) as simulated:
        assert _without_clock(reader(simulated).read()) == _without_clock(expected)


def _without_clock(whole: Answer) -> tuple[object, ...]:
    """A replayed dump counts calculation 134 up, so that each answer differs; all else stays."""
    return whole.parameters, whole.calculations[:134], whole.calculations[135:], whole.visibilities


@settings(max_examples=25)
@given(data=st.data())
@pytest.mark.parametrize("name", dumps.NAMES)
@pytest.mark.parametrize("kind", ["close", "reset"])
def test_real_answer_cut_at_any_byte_gives_the_exact_values_or_no_reading(
    name: str, kind: str, data: st.DataObject
) -> None:
    expected = dumps.load(name)
    length = stream_length(expected)
    at = data.draw(st.integers(0, length + 5))
    with SimulatedPump(Dump(dumps.path(name)), fault=Fault(kind, at=at)) as simulated:
        if at >= length:
            assert _without_clock(reader(simulated).read()) == _without_clock(expected)
        else:
            with pytest.raises(PumpClosedError) as raised:
                reader(simulated).read()
            assert raised.value.got < max(raised.value.wanted, 1)


@settings(max_examples=25)
@given(sizes=st.lists(st.integers(1, 3000), min_size=1, max_size=8))
@pytest.mark.parametrize("name", dumps.NAMES)
def test_real_answer_in_pieces_of_any_sizes_is_read_exactly(name: str, sizes: list[int]) -> None:
    expected = dumps.load(name)
    with SimulatedPump(Dump(dumps.path(name)), fault=Fault("pieces", sizes=sizes)) as simulated:
        assert _without_clock(reader(simulated).read()) == _without_clock(expected)


@pytest.mark.parametrize("at", [0, 3, 8, 20, 400, 580])
def test_stall_anywhere_ends_at_the_deadline(simulated: SimulatedPump, at: int) -> None:
    simulated.fault = Fault("stall", at=at)
    began = time.monotonic()
    with pytest.raises(PumpTimeoutError):
        reader(simulated, 0.3).read()
    assert 0.3 <= time.monotonic() - began < 2


def test_drip_that_never_pauses_ends_at_the_deadline_too(simulated: SimulatedPump) -> None:
    simulated.fault = Fault("drip", rate=100)
    began = time.monotonic()
    with pytest.raises(PumpTimeoutError) as raised:
        reader(simulated, 0.5).read()
    assert time.monotonic() - began < 2
    assert (raised.value.reading, raised.value.wanted > raised.value.got) == ("calculations", True)


def test_silent_pump_ends_at_the_deadline(simulated: SimulatedPump) -> None:
    simulated.fault = Fault("silent")
    with pytest.raises(PumpTimeoutError) as raised:
        reader(simulated, 0.2).read()
    assert (raised.value.reading, raised.value.got, raised.value.wanted) == ("parameters", 0, 4)


@pytest.mark.parametrize("count", [0, -1, 10_001, 2**31 - 1, -(2**31)])
@pytest.mark.parametrize("command", [PARAMETERS, CALCULATIONS, VISIBILITIES])
def test_count_that_cannot_be_right_is_refused_at_once(simulated: SimulatedPump, command: int, count: int) -> None:
    simulated.fault = Fault("count", command=command, count=count)
    with pytest.raises(PumpAnswerError, match=f"a count of {count}, outside 1 to 10000"):
        reader(simulated).read()


@pytest.mark.parametrize("command", [PARAMETERS, CALCULATIONS, VISIBILITIES])
def test_echo_of_another_command_is_refused(simulated: SimulatedPump, command: int) -> None:
    simulated.fault = Fault("echo", command=command)
    with pytest.raises(PumpAnswerError, match=f"where {command} was asked"):
        reader(simulated).read()


def test_garbage_is_never_a_reading(simulated: SimulatedPump) -> None:
    simulated.fault = Fault("garbage")
    with pytest.raises(PumpError):
        reader(simulated, 0.5).read()


def test_busy_controller_asks_for_five_seconds(simulated: SimulatedPump) -> None:
    simulated.fault = Fault("busy")
    with pytest.raises(PumpBusyError) as raised:
        reader(simulated).read()
    assert raised.value.wait_s == 5


def test_negative_status_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_answer_with_negative_status, args=(listener,)).start()
        with pytest.raises(PumpAnswerError, match="a status of -1"):
            Pump("127.0.0.1", listener.getsockname()[1], timeout_s=5).read()


def _answer_with_negative_status(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(8)
        connection.sendall(b"\0\0\x0b\xbb\0\0\0\x01\0\0\0\x07")
        connection.recv(8)
        connection.sendall(b"\0\0\x0b\xbc\xff\xff\xff\xff")
        connection.recv(8)


def test_refused_connection_says_what_to_do(simulated: SimulatedPump) -> None:
    simulated.fault = Fault("refused")
    with pytest.raises(PumpUnreachableError, match=r"firmware 3\.90"):
        reader(simulated).read()


def test_name_that_does_not_resolve_says_so() -> None:
    with pytest.raises(PumpUnreachableError, match="name look-up"):
        Pump("no-such-host.invalid", 8889, timeout_s=9).read()


def test_name_look_up_that_hangs_ends_at_the_deadline_and_is_not_begun_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    release, calls = threading.Event(), []

    def hanging(*arguments: object, **_: object) -> list[object]:
        calls.append(arguments)
        release.wait()
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    pump = Pump("pump.example", 8889, timeout_s=0.1)
    for _ in range(3):
        with pytest.raises(PumpTimeoutError, match="did not resolve"):
            pump.read()
    release.set()
    assert len(calls) == 1
    with pytest.raises(PumpUnreachableError, match="no address"):
        pump.read()


def test_abort_ends_a_stalled_read_at_once(simulated: SimulatedPump) -> None:
    simulated.fault = Fault("stall", at=100)
    pump = reader(simulated, 60)
    failures: list[PumpStoppedError] = []

    def read() -> None:
        try:
            pump.read()
        except PumpStoppedError as error:
            failures.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    _until(lambda: bool(simulated.requests and simulated.requests[-1]))
    pump.abort()
    thread.join(2)
    assert not thread.is_alive()
    assert len(failures) == 1
    with pytest.raises(PumpStoppedError, match="the logger stops"):
        pump.read()


def test_abort_ends_a_hanging_name_look_up_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    release, begun = threading.Event(), threading.Event()

    def hanging(*_: object, **__: object) -> list[object]:
        begun.set()
        release.wait()
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    pump = Pump("pump.example", 8889, timeout_s=60)

    def abort() -> None:
        begun.wait()
        pump.abort()

    aborter = threading.Thread(target=abort)
    aborter.start()
    with pytest.raises(PumpStoppedError, match="the logger stops"):
        pump.read()
    release.set()
    aborter.join()


def _until(condition: object) -> None:
    pause = threading.Event()
    while not condition():  # type: ignore[operator]
        pause.wait(0.005)


def test_connection_is_closed_after_every_read_also_a_failed_one(simulated: SimulatedPump) -> None:
    reader(simulated).read()
    simulated.fault = Fault("close", at=50)
    with pytest.raises(PumpClosedError):
        reader(simulated).read()
    assert len(simulated.requests) == 2


def test_only_the_three_reading_commands_exist_and_are_sent(simulated: SimulatedPump) -> None:
    reader(simulated).read()
    (sent,) = simulated.requests
    assert sent == b"\0\0\x0b\xbb\0\0\0\0\0\0\x0b\xbc\0\0\0\0\0\0\x0b\xbd\0\0\0\0"
    names = ("PARAMETERS", "CALCULATIONS", "VISIBILITIES")
    assert [getattr(pump_module, name) for name in names] == [PARAMETERS, CALCULATIONS, VISIBILITIES]


def test_firmware_that_grows_gives_more_sensors(simulated: SimulatedPump) -> None:
    simulated.fault = Fault("grown", counts=(1200, 268, 380), after=1)
    pump = reader(simulated)
    counts = [pump.read().counts for _ in range(2)]
    assert counts == [answer().counts, (1200, 268, 380)]
    assert all(a <= b for a, b in pairwise(accumulate(sum(c) for c in counts)))


def test_second_address_of_a_name_is_tried(simulated: SimulatedPump, monkeypatch: pytest.MonkeyPatch) -> None:
    host, port = simulated.address
    with socket.create_server(("127.0.0.1", 0)) as taken:
        closed_port = taken.getsockname()[1]
    kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
    addresses = [(*kind, ("127.0.0.1", closed_port)), (*kind, (host, port))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: addresses)
    assert Pump("pump.example", 1, timeout_s=5).read() == answer(215)
