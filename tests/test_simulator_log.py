"""The simulated controller's web server over real sockets: its file, its ticks, and how it misbehaves."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.errors import LoggerError, ProcessLogError
from pipeline.house import House
from pipeline.processlog import MOST_BYTES, decode
from pipeline.reading import Answer
from pipeline.simulator_log import PATH, TICK_S, LogFault, SimulatedLog, encode_log
from pipeline.simulator_records import LIE
from tests.process_logs import END_S, NOW


class _Clock:
    """Stands at a moment that a test sets."""

    def __init__(self, moment: datetime = NOW) -> None:
        self.moment = moment

    def utc(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return 0.0


def _still(moment: datetime) -> Answer:
    """Answers the same at all times, but for the clock: logs of it are made at once."""
    calculations = [n % 300 for n in range(260)]
    calculations[134] = int(moment.timestamp())
    return Answer((), tuple(calculations), ())


def _log(fault: LogFault | None = None, phase_s: int = 0, clock: _Clock | None = None) -> SimulatedLog:
    return SimulatedLog(_still, clock=clock or _Clock(), phase_s=phase_s, fault=fault)


def _get(log: SimulatedLog, path: str = PATH, method: str = "GET") -> http.client.HTTPResponse:
    client = http.client.HTTPConnection(*log.address, timeout=3)
    client.request(method, path)
    return client.getresponse()


def _file(log: SimulatedLog) -> bytes:
    response = _get(log)
    assert response.status == 200
    return response.read()


@pytest.mark.no_cover  # whole logs are made
def test_file_is_served_whole_and_each_request_is_counted() -> None:
    with SimulatedLog(House().answer_at, clock=_Clock()) as log:
        data = _file(log)
        assert data == _file(log) == encode_log(House().answer_at, END_S)
        assert log.requests == 2
        assert log.paths == {"GET /NewProc": 2}
    assert len(decode(data, NOW).times_s) == 2880


def test_nothing_else_is_served() -> None:
    with _log() as log:
        for path in ("/", "/proclog", "/NewProc/", "/newproc", "/NewProc?x=1", "/../etc/passwd"):
            assert _get(log, path).status == 404
        assert _get(log, method="POST").status == 501
        assert (log.requests, log.paths["POST /NewProc"]) == (7, 1)


@pytest.mark.parametrize(("phase_s", "ago_s"), [(0, 0), (1, 7199), (7199, 1), (3600, 3600), (7200 * 5 + 60, 7140)])
def test_file_ends_at_the_last_tick_of_its_phase(phase_s: int, ago_s: int) -> None:
    with _log(phase_s=phase_s) as log:
        assert decode(_file(log), NOW).times_s[-1] == END_S - ago_s


def test_file_is_written_anew_at_each_tick_and_not_before() -> None:
    clock = _Clock()
    with _log(clock=clock) as log:
        ends = []
        for after_s in (0, TICK_S - 1, TICK_S, 5 * TICK_S + 1):
            clock.moment = NOW + timedelta(seconds=after_s)
            ends.append(decode(_file(log), clock.moment).times_s[-1] - END_S)
    assert ends == [0, 0, TICK_S, 5 * TICK_S]


def test_file_is_worked_out_at_the_first_request() -> None:
    def never(_: datetime) -> Answer:
        raise AssertionError

    with SimulatedLog(never) as log:
        assert _get(log, "/").status == 404


@pytest.mark.no_cover  # whole logs are made
def test_several_clients_are_served_at_once() -> None:
    with SimulatedLog(House().answer_at, clock=_Clock()) as log:
        found: list[bytes] = []
        clients = [threading.Thread(target=lambda: found.append(_file(log))) for _ in range(4)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
    assert len(set(found)) == 1
    assert len(found) == 4


def test_refused_and_again_in_reach_on_the_same_port() -> None:
    with _log(LogFault("refused")) as log:
        log.fault = None
        assert _file(log)
        before = log.address
        log.fault = LogFault("refused")
        with pytest.raises(ConnectionRefusedError):
            _get(log)
        log.fault = None
        assert (log.address, len(_file(log)) > 0) == (before, True)
        assert log.wait_for(2, 3)


def test_wrong_path_for_everything() -> None:
    with _log(LogFault("missing")) as log:
        assert _get(log).status == 404


def test_redirect_elsewhere() -> None:
    with _log(LogFault("redirect", location="http://127.0.0.1:9/x")) as log:
        response = _get(log)
        assert (response.status, response.getheader("Location"), response.read()) == (302, "http://127.0.0.1:9/x", b"")


@pytest.mark.no_cover  # whole logs are made
def test_slow_drip_goes_on_until_the_client_leaves() -> None:
    with _log(LogFault("drip", rate=2000)) as log:
        response = _get(log)
        begun = time.monotonic()
        assert len(response.read(600)) == 600
        assert 0.2 < time.monotonic() - begun < 3


def test_silence() -> None:
    with _log(LogFault("silent")) as log, socket.create_connection(log.address, timeout=0.2) as client:
        client.sendall(b"GET /NewProc HTTP/1.0\r\n\r\n")
        with pytest.raises(TimeoutError):
            client.recv(1)


def test_stall_in_the_middle_of_the_file() -> None:
    with _log(LogFault("stall", at=1000)) as log:
        response = _get(log)
        assert len(response.read(1000)) == 1000
        assert int(response.getheader("Content-Length") or 0) > 1000


def test_end_in_the_middle_of_the_file() -> None:
    with _log(LogFault("close", at=1000)) as log, pytest.raises(http.client.IncompleteRead):
        _get(log).read()


def test_more_than_any_file_has_and_no_word_how_much() -> None:
    with _log(LogFault("long")) as log:
        response = _get(log)
        assert response.getheader("Content-Length") is None
        data = response.read()
    assert len(data) == 5_000_000 > MOST_BYTES
    with pytest.raises(ProcessLogError, match="more than 4000000 bytes"):
        decode(data, NOW)


@pytest.mark.parametrize(
    ("fault", "reason"), [("garbage", "no process log"), ("older", "8209, which is not supported")]
)
def test_what_is_no_log(fault: str, reason: str) -> None:
    with _log(LogFault(fault)) as log, pytest.raises(ProcessLogError, match=reason):
        decode(_file(log), NOW)


def test_torn_piece_is_in_the_file() -> None:
    with _log() as log:
        plain = _file(log)
        log.fault = LogFault("torn")
        torn = _file(log)
    assert len(torn) == len(plain) + 22
    assert decode(torn, NOW) == decode(plain, NOW)


@pytest.mark.no_cover  # whole logs are made
def test_lie_ends_with_its_fault() -> None:
    with _log() as log:
        plain = decode(_file(log), NOW)
        log.fault = LogFault("lies", calculation=10)
        lying = decode(_file(log), NOW)
        log.fault = None
        assert decode(_file(log), NOW) == plain
    field = plain.fields[0]
    assert [raw + LIE for raw in plain.column(field)] == list(lying.column(field))
    assert all(plain.column(each) == lying.column(each) for each in plain.fields[1:])


@pytest.mark.parametrize("fault", ["silent", "stall", "drip"])
@pytest.mark.no_cover  # whole logs are made
def test_stop_ends_clients_that_wait(fault: str) -> None:
    log = _log(LogFault(fault, rate=20))
    log.start()
    with socket.create_connection(log.address, timeout=3) as client:
        client.sendall(b"GET /NewProc HTTP/1.0\r\n\r\n")
        assert log.wait_for(1, 3)
        begun = time.monotonic()
        log.stop()
        assert time.monotonic() - begun < 2


@pytest.mark.parametrize("sent", [b"", b"\r\n", b"\xff\x00nonsense\r\n\r\n", b"GET\r\n\r\n", b"x" * 70_000])
def test_nonsense_harms_nobody_else(sent: bytes) -> None:
    with _log() as log:
        with socket.create_connection(log.address, timeout=3) as client:
            client.sendall(sent)
        assert _get(log, "/").status == 404


def test_fault_that_cannot_be_is_refused() -> None:
    with pytest.raises(LoggerError, match="no fault of the log is named 'fly'"):
        LogFault("fly")
    with pytest.raises(LoggerError, match="cannot be"):
        LogFault("drip", rate=0)


def test_clock_is_that_of_the_machine_where_none_is_given() -> None:
    with SimulatedLog(_still, phase_s=60) as log:
        now = datetime.now(UTC)
        ago_s = now.timestamp() - decode(_file(log), now).times_s[-1]
    assert -5 < ago_s < TICK_S + 5
