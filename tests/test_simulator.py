"""The simulated pump over real sockets: what it sends byte for byte, how it misbehaves, and what its journal tells."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from pipeline.errors import LoggerError
from pipeline.reading import Answer
from pipeline.simulator import FAULTS, Dump, Fault, SimulatedPump, read_journal

_DUMPS = Path(__file__).parents[1] / ".." / "shared" / "data" / "controller-dumps"
_NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
_ASKED = (3003, 3004, 3005)


def _numbered(count: int = 140) -> Answer:
    return Answer((-1, 2**31 - 1, -(2**31)), tuple(range(count)), (-128, 0, 127))


def _wire(answer: Answer) -> bytes:
    """The three answers as the protocol has them, written out."""
    parameters, calculations, visibilities = answer.parameters, answer.calculations, answer.visibilities
    return (
        struct.pack(f">ii{len(parameters)}i", 3003, len(parameters), *parameters)
        + struct.pack(f">iii{len(calculations)}i", 3004, 0, len(calculations), *calculations)
        + struct.pack(f">ii{len(visibilities)}b", 3005, len(visibilities), *visibilities)
    )


class _Rising:
    """A source whose every answer differs in calculation 134."""

    def __init__(self) -> None:
        self.given: list[Answer] = []

    def __call__(self, moment: datetime) -> Answer:
        answer = _numbered()
        calculations = (*answer.calculations[:134], len(self.given), *answer.calculations[135:])
        self.given.append(Answer(answer.parameters, calculations, answer.visibilities))
        return self.given[-1]


@contextmanager
def _connected(pump: SimulatedPump, timeout_s: float = 3) -> Iterator[socket.socket]:
    with socket.create_connection(pump.address, timeout=timeout_s) as client:
        yield client


def _ask(client: socket.socket, *commands: int) -> None:
    for command in commands:
        client.sendall(struct.pack(">ii", command, 0))


def _exactly(client: socket.socket, count: int) -> bytes:
    got = b""
    while len(got) < count:
        piece = client.recv(count - len(got))
        assert piece, f"closed after {len(got)} of {count} bytes"
        got += piece
    return got


def _all(client: socket.socket) -> bytes:
    """Everything until the pump closes or says nothing for a fifth of a second."""
    client.settimeout(0.2)
    got = b""
    with suppress(TimeoutError):
        while piece := client.recv(65536):
            got += piece
    return got


def _ended(client: socket.socket) -> bool:
    """Whether the pump has ended the connection, or never took it from the queue of those that knock."""
    try:
        return client.recv(1) == b""
    except ConnectionResetError:
        return True


def _read(pump: SimulatedPump, answer: Answer | None = None) -> bytes:
    """One whole read as a well-behaved logger does it: one request after the other."""
    whole = _wire(answer or _numbered())
    counts = (answer or _numbered()).counts
    got = b""
    with _connected(pump) as client:
        for command, size in zip(_ASKED, (8 + 4 * counts[0], 12 + 4 * counts[1], 8 + counts[2]), strict=True):
            _ask(client, command)
            got += _exactly(client, size)
    assert len(got) == len(whole)
    return got


def _pump(fault: Fault | None = None, journal: Path | None = None) -> SimulatedPump:
    return SimulatedPump(lambda _: _numbered(), fault=fault, journal=journal)


def test_an_answer_is_framed_byte_for_byte_as_the_protocol_says() -> None:
    with _pump() as pump:
        got = _read(pump)
    assert got == _wire(_numbered())
    assert got[:12] == bytes.fromhex("00000bbb 00000003 ffffffff")
    assert got[20:36] == bytes.fromhex("00000bbc 00000000 0000008c 00000000")
    assert got[-11:] == bytes.fromhex("00000bbd 00000003 80 00 7f")


def test_requests_sent_together_and_in_any_order_are_answered_in_that_order() -> None:
    with _pump() as pump, _connected(pump) as client:
        _ask(client, 3005, 3003, 3004)
        got = _exactly(client, len(_wire(_numbered())))
    assert got[:11] == bytes.fromhex("00000bbd 00000003 80 00 7f")
    assert got[11:15] == bytes.fromhex("00000bbb")


def test_a_request_that_arrives_byte_by_byte_is_understood() -> None:
    with _pump() as pump, _connected(pump) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in struct.pack(">ii", 3005, 0):
            client.sendall(bytes([byte]))
        assert _exactly(client, 11) == bytes.fromhex("00000bbd 00000003 80 00 7f")


def test_the_three_groups_of_a_read_belong_together_and_the_next_read_is_another() -> None:
    source = _Rising()
    with SimulatedPump(source) as pump, _connected(pump) as client:
        for _ in range(2):
            _ask(client, *_ASKED)
            _exactly(client, len(_wire(_numbered())))
        _ask(client, 3004, 3004)
        _exactly(client, 2 * (12 + 4 * 140))
        assert pump.wait_for(2, timeout_s=5)
    assert len(source.given) == 4
    assert pump.answers == 2


def test_every_byte_that_clients_send_is_remembered_by_connection() -> None:
    with _pump() as pump:
        _read(pump)
        _read(pump)
        assert pump.requests == [struct.pack(">iiiiii", 3003, 0, 3004, 0, 3005, 0)] * 2


def test_an_unknown_command_is_counted_and_never_answered() -> None:
    with _pump() as pump:
        with _connected(pump) as client:
            _ask(client, 3001)
            assert _all(client) == b""
        _read(pump)
    assert pump.refused_commands == 1


def test_clients_are_served_side_by_side() -> None:
    with _pump(Fault("drip", rate=700)) as pump:
        got: list[bytes] = []
        threads = [threading.Thread(target=lambda: got.append(_read(pump))) for _ in range(8)]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert got == [_wire(_numbered())] * 8
    assert time.monotonic() - began < 4, "eight reads of 0.9 s each went one after the other"
    assert pump.answers == 8


def test_silent_accepts_and_says_nothing() -> None:
    with _pump(Fault("silent")) as pump, _connected(pump) as client:
        _ask(client, 3003)
        client.settimeout(0.1)
        with pytest.raises(TimeoutError):
            client.recv(1)


@pytest.mark.parametrize("at", [0, 1, 19, 20, 21, 300, 602])
def test_stall_sends_just_so_many_bytes_of_the_read_and_stays_connected(at: int) -> None:
    with _pump(Fault("stall", at=at)) as pump, _connected(pump) as client:
        _ask(client, *_ASKED)
        assert _exactly(client, at) == _wire(_numbered())[:at]
        client.settimeout(0.05)
        with pytest.raises(TimeoutError):
            client.recv(1)
    assert pump.answers == 0


def test_a_cut_behind_the_last_byte_cuts_nothing() -> None:
    with _pump(Fault("stall", at=len(_wire(_numbered())))) as pump:
        assert _read(pump) == _wire(_numbered())


@pytest.mark.parametrize("at", [0, 5, 20, 450, 602])
def test_close_ends_the_connection_in_order_after_so_many_bytes(at: int) -> None:
    with _pump(Fault("close", at=at)) as pump, _connected(pump) as client:
        _ask(client, *_ASKED)
        assert _all(client) == _wire(_numbered())[:at]
        client.settimeout(0.1)
        assert client.recv(1) == b""


@pytest.mark.parametrize("at", [0, 450])
def test_reset_breaks_the_connection_after_at_most_so_many_bytes(at: int) -> None:
    got = b""

    def drain(client: socket.socket) -> None:
        nonlocal got
        _ask(client, 3003, 3004)
        while piece := client.recv(65536):
            got += piece

    with _pump(Fault("reset", at=at)) as pump, _connected(pump) as client, pytest.raises(ConnectionResetError):
        drain(client)
    assert _wire(_numbered())[:at].startswith(got)


@pytest.mark.parametrize("sizes", [(1,), (2,), (9,), (3, 1, 7), (100_000,)])
def test_pieces_of_any_size_make_up_the_same_answer(sizes: tuple[int, ...]) -> None:
    with _pump(Fault("pieces", sizes=sizes)) as pump:
        assert _read(pump) == _wire(_numbered())
        assert pump.wait_for(1, timeout_s=5)


def test_pieces_arrive_as_segments_of_their_own() -> None:
    long = Answer((7,) * 5000, (1,), (1,))
    arrivals, got = 0, 0
    with SimulatedPump(lambda _: long, fault=Fault("pieces", sizes=(1,))) as pump, _connected(pump) as client:
        _ask(client, 3003)
        while got < 8 + 4 * 5000:
            got += len(client.recv(65536))
            arrivals += 1
    assert arrivals > 1


def test_garbage_is_as_long_as_the_answer_and_not_the_answer() -> None:
    with _pump(Fault("garbage")) as pump, _connected(pump) as client:
        _ask(client, *_ASKED)
        got = _exactly(client, len(_wire(_numbered())))
    assert got[:4] != _wire(_numbered())[:4]
    assert pump.answers == 0


@pytest.mark.parametrize("count", [2**31 - 1, 0, -1])
@pytest.mark.parametrize(("command", "at"), [(3003, 4), (3004, 28), (3005, 596)])
def test_count_is_wrong_in_the_answer_to_one_command_only(count: int, command: int, at: int) -> None:
    with _pump(Fault("count", count=count, command=command)) as pump, _connected(pump) as client:
        _ask(client, *_ASKED)
        got = _exactly(client, len(_wire(_numbered())))
    right = _wire(_numbered())
    assert got == right[:at] + struct.pack(">i", count) + right[at + 4 :]
    assert pump.answers == 0


@pytest.mark.parametrize(("command", "at"), [(3003, 0), (3004, 20), (3005, 592)])
def test_echo_names_another_command(command: int, at: int) -> None:
    with _pump(Fault("echo", command=command)) as pump, _connected(pump) as client:
        _ask(client, *_ASKED)
        got = _exactly(client, len(_wire(_numbered())))
    right = _wire(_numbered())
    assert got[at : at + 4] != right[at : at + 4]
    assert got[:at] + right[at : at + 4] + got[at + 4 :] == right


def test_busy_has_status_1_with_the_calculations() -> None:
    with _pump(Fault("busy")) as pump, _connected(pump) as client:
        _ask(client, 3003, 3004)
        got = _exactly(client, 20 + 12)
    assert got[20:] == struct.pack(">iii", 3004, 1, 140)
    assert pump.answers == 0


def test_connections_are_refused_while_it_lasts_and_then_taken_on_the_same_port() -> None:
    with _pump() as pump:
        address = pump.address
        pump.fault = Fault("refused")
        with pytest.raises(ConnectionRefusedError), _connected(pump):
            pass
        pump.fault = None
        assert pump.address == address
        assert _read(pump) == _wire(_numbered())


def test_a_pump_that_refuses_from_the_start_knows_its_port() -> None:
    with _pump(Fault("refused")) as pump:
        with pytest.raises(ConnectionRefusedError), _connected(pump):
            pass
        pump.fault = None
        assert _read(pump) == _wire(_numbered())


def test_drip_takes_as_long_as_its_rate_says() -> None:
    with _pump(Fault("drip", rate=1500)) as pump:
        began = time.monotonic()
        assert _read(pump) == _wire(_numbered())
    assert time.monotonic() - began > 0.3, "603 bytes at 1500 bytes a second"


def test_grown_has_more_sensors_once_so_many_answers_were_sent() -> None:
    source = _Rising()
    with SimulatedPump(source, fault=Fault("grown", after=1)) as pump:
        _read(pump)
        assert pump.wait_for(1, timeout_s=5)
        with _connected(pump) as client:
            _ask(client, *_ASKED)
            got = _exactly(client, 8 + 4 * 1200 + 12 + 4 * 268 + 8 + 380)
    assert struct.unpack(">ii", got[:8]) == (3003, 1200)
    calculations = struct.unpack(">iii268i", got[4808 : 4808 + 12 + 4 * 268])
    assert calculations[:3] == (3004, 0, 268)
    assert bytes(calculations[3 + 81 : 3 + 91]) == b"V3.92.3\0\0\0"
    assert struct.unpack(">ii", got[-388:-380]) == (3005, 380)


def test_a_fault_set_later_holds_from_the_next_read_on() -> None:
    with _pump() as pump, _connected(pump) as client:
        _ask(client, 3003)
        _exactly(client, 20)
        pump.fault = Fault("garbage")
        _ask(client, 3004, 3005)
        assert _exactly(client, 572 + 11) == _wire(_numbered())[20:]
        _ask(client, 3003)
        assert _exactly(client, 20) != _wire(_numbered())[:20]


def test_every_fault_has_an_explanation_and_can_be_made_by_name_alone() -> None:
    assert [Fault(name).name for name in FAULTS] == list(FAULTS)
    assert all(FAULTS.values())


@pytest.mark.parametrize(
    "wrong",
    [{"name": "loud"}, {"name": "pieces", "sizes": (0,)}, {"name": "stall", "at": -1}, {"name": "drip", "rate": 0}],
)
def test_a_fault_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(LoggerError, match="fault"):
        Fault(**wrong)  # type: ignore[arg-type]


def test_stop_ends_a_stalled_connection_at_once_and_leaves_no_thread() -> None:
    before = threading.active_count()
    pump = _pump(Fault("stall", at=10))
    pump.start()
    with _connected(pump) as stalled, _connected(pump) as idle, _connected(pump) as deaf:
        _ask(stalled, 3003)
        _exactly(stalled, 10)
        began = time.monotonic()
        pump.stop()
        assert time.monotonic() - began < 1
        assert all(_ended(client) for client in (stalled, idle, deaf))
    assert threading.active_count() == before


def test_stop_ends_a_client_that_takes_nothing_and_one_that_waits_for_drops() -> None:
    big = Answer((7,) * 10_000, tuple(range(140)), (1,))
    pump = SimulatedPump(lambda _: big)
    pump.start()
    with _connected(pump) as deaf:
        _ask(deaf, *[3003] * 500)
        pump.fault = Fault("drip", rate=1)
        with _connected(pump) as patient:
            _ask(patient, 3003)
            _exactly(patient, 1)
            began = time.monotonic()
            pump.stop()
            assert time.monotonic() - began < 1


def test_a_pump_that_was_stopped_starts_again_on_its_port() -> None:
    pump = _pump()
    pump.start()
    address = pump.address
    pump.stop()
    pump.stop()
    with pump:
        assert pump.address == address
        assert _read(pump) == _wire(_numbered())


def test_a_port_in_use_is_told_as_the_system_tells_it() -> None:
    with _pump() as first, pytest.raises(OSError, match="in use"):
        SimulatedPump(lambda _: _numbered(), port=first.address[1]).start()


def test_a_start_that_failed_leaves_nothing_open(tmp_path: Path) -> None:
    with _pump() as first:
        second = SimulatedPump(lambda _: _numbered(), port=first.address[1], journal=tmp_path / "journal")
        with pytest.raises(OSError, match="in use"):
            second.start()
    with second:
        assert _read(second) == _wire(_numbered())


def test_a_journal_that_cannot_be_written_stops_the_start(tmp_path: Path) -> None:
    pump = _pump(journal=tmp_path / "missing" / "journal")
    with pytest.raises(FileNotFoundError):
        pump.start()


def test_the_journal_tells_of_whole_answers_only(tmp_path: Path) -> None:
    source, journal = _Rising(), tmp_path / "journal"
    with SimulatedPump(source, journal=journal) as pump:
        _read(pump)
        with _connected(pump) as client:
            _ask(client, 3003, 3004)
            _exactly(client, 20 + 572)
        for name in ("stall", "close", "reset"):
            pump.fault = Fault(name, at=600)
            with _connected(pump) as client, suppress(ConnectionResetError):
                _ask(client, *_ASKED)
                _all(client)
        for name in ("garbage", "count", "echo", "busy"):
            pump.fault = Fault(name)
            with _connected(pump) as client:
                _ask(client, *_ASKED)
                _exactly(client, 603)
        pump.fault = Fault("pieces", sizes=(50,))
        _read(pump)
        assert pump.wait_for(2, timeout_s=5)
    sent = read_journal(journal)
    assert [line.clock for line in sent] == [0, len(source.given) - 1]
    assert [line.sha256 for line in sent] == [sha256(source.given[n].pack()).hexdigest() for n in (0, -1)]
    assert all(datetime.fromisoformat(line.sent).tzinfo == UTC for line in sent)


def test_pump_that_is_alone_again_has_counted_what_its_clients_got(tmp_path: Path) -> None:
    with _pump(journal=tmp_path / "journal") as pump:
        for count in range(1, 50):
            _read(pump)
            assert pump.wait_until_alone(5)
            assert pump.answers == len(read_journal(tmp_path / "journal")) == count
        with _connected(pump) as client:
            _ask(client, 3003)
            _exactly(client, 12)
            assert not pump.wait_until_alone(0.01)
        assert pump.wait_until_alone(5)


def test_a_journal_is_continued_and_a_torn_last_line_passed_over(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    for _ in range(2):
        with _pump(journal=journal) as pump:
            _read(pump)
            assert pump.wait_for(1, timeout_s=5)
        with journal.open("ab") as file:
            file.write(b'{"sent": "2026-01-')
        assert len(read_journal(journal)) == journal.read_bytes().count(b"\n")
    assert len(read_journal(journal)) == 2


@pytest.mark.parametrize("name", ["V1.80-L1A", "V3.78-MSW6"])
def test_a_real_dump_is_replayed_with_a_clock_that_goes_on(name: str) -> None:
    path = _DUMPS / f"{name}.json"
    if not path.exists():
        pytest.skip(f"no dumps of real controllers at {_DUMPS}")
    real = json.loads(path.read_text())
    dump = Dump(path)
    early = datetime.fromtimestamp(real["calculations"][134] - 60, UTC)
    first, second = dump(early), dump(early)
    assert list(first.parameters) == real["parameters"]
    assert list(first.calculations) == real["calculations"]
    assert list(first.visibilities) == real["visibilities"]
    assert second.calculations[134] == first.calculations[134] + 1
    with SimulatedPump(Dump(path)) as pump:
        got = _read(pump, first)
    assert got[:8] == struct.pack(">ii", 3003, len(real["parameters"]))


def test_a_dump_replayed_later_goes_on_from_the_present(tmp_path: Path) -> None:
    path = tmp_path / "dump.json"
    path.write_text(json.dumps({"parameters": [1], "calculations": [5] * 135, "visibilities": [1]}))
    assert Dump(path)(_NOW).calculations[134] == int(_NOW.timestamp())


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("{", "Expecting"),
        ("[]", "not a dump"),
        ('{"calculations": []}', "parameters"),
        ('{"parameters": [1, 2.5]}', r"parameters\[1\] is 2.5"),
        ('{"parameters": [true]}', r"parameters\[0\] is True"),
        ('{"parameters": [2147483648]}', "32 bits"),
        ('{"parameters": [1], "calculations": [1]}', "clock"),
        (json.dumps({"parameters": [1], "calculations": [1] * 135, "visibilities": [128]}), "8 bits"),
    ],
)
def test_a_malformed_dump_names_the_file_and_what_is_wrong(tmp_path: Path, content: str, what: str) -> None:
    path = tmp_path / "wrong.json"
    path.write_text(content)
    with pytest.raises(LoggerError, match=what) as raised:
        Dump(path)
    assert str(path) in str(raised.value)


def test_a_missing_dump_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(LoggerError, match=r"none\.json"):
        Dump(tmp_path / "none.json")
