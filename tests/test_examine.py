"""The campaign's own judge: it counts what is lost, doubled and torn, and refuses what is no count."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from pipeline.archive import Archive
from pipeline.columns import Column, Columns
from pipeline.reading import Reading
from pipeline.sensors import sensor
from pipeline.simulator import SimulatedPump, read_journal
from pipeline.simulator_answers import Journal
from stages.archive import Archiving
from tests.archives import make_archive
from tests.chaos.archive_look import run_on
from tests.chaos.examine import check_names, examine, only_reads, published_paths, settle
from tests.chaos.lives import Lives
from tests.chaos.tally import BrokenError, Tally
from tests.chaos.told import told_late
from tests.parts import answer, open_shards, reading
from tests.rollups import NOW

#: A folder and the journal of its pump.
Case = tuple[Path, Path]


def readings(count: int = 6) -> list[Reading]:
    return [reading(3600 * hour, value=hour) for hour in range(count)]


def case(folder: Path, stored: list[Reading], sent: list[Reading]) -> Case:
    """A data folder that stored some readings, and a journal of a pump that sent some."""
    open_shards(folder / "data").append(stored)
    journal = Journal(folder / "journal")
    for each in sent:
        journal.add(each.answer, each.time_ms)
    journal.close()
    return folder / "data", folder / "journal"


@pytest.fixture
def sound(tmp_path: Path) -> Case:
    return case(tmp_path, readings(), readings())


def shard(data: Path) -> Path:
    return data / "shards" / "2026-01-05.csv"


def test_sound_folder_is_tallied_without_a_loss(sound: Case) -> None:
    tally = examine(*sound, rounds=3, now=NOW)
    assert tally == Tally(rounds=3, served=6, stored=6)
    assert tally.holds
    assert len(published_paths(sound[0])) == 2, "a daily and a weekly file were there to be compared"


def test_lost_reading_is_counted(tmp_path: Path) -> None:
    tally = examine(*case(tmp_path, readings()[1:], readings()), rounds=1, now=NOW)
    assert (tally.lost, tally.in_flight, tally.holds) == (1, 0, False)


def test_only_as_many_missing_answers_as_there_were_kills_are_in_flight(tmp_path: Path) -> None:
    tally = examine(*case(tmp_path, readings()[2:], readings()), rounds=1, kills=1, now=NOW)
    assert (tally.lost, tally.in_flight, tally.holds) == (1, 1, False)


@pytest.mark.parametrize(("ends", "in_flight"), [([2], 1), ([2, 6], 1), ([3], 0), ([1], 0), ([], 0), ([0, 6], 0)])
def test_missing_answer_is_in_flight_only_where_it_was_the_last_before_a_kill(
    tmp_path: Path, ends: list[int], in_flight: int
) -> None:
    whole = readings()
    tally = examine(*case(tmp_path, [*whole[:1], *whole[2:]], whole), rounds=1, ends=ends, now=NOW)
    assert (tally.in_flight, tally.lost) == (in_flight, 1 - in_flight)


def test_lost_reading_that_the_logger_told_of_is_reported(tmp_path: Path) -> None:
    tally = examine(*case(tmp_path, readings()[1:], readings()), rounds=1, reported=1, now=NOW)
    assert (tally.lost, tally.reported, tally.holds) == (0, 1, True)


def test_doubled_reading_is_counted(tmp_path: Path) -> None:
    twice = [*readings(), reading(30, readings()[0].answer.parameters[0])]
    tally = examine(*case(tmp_path, twice, readings()), rounds=1, now=NOW)
    assert (tally.doubled, tally.lost, tally.holds) == (1, 0, False)


def test_reading_that_was_never_sent_is_refused_unless_a_pump_was_killed(tmp_path: Path) -> None:
    data, journal = case(tmp_path, readings(), readings()[1:])
    with pytest.raises(BrokenError, match=r"1 readings in .* were never sent"):
        examine(data, journal, rounds=1, now=NOW)
    assert examine(data, journal, rounds=1, unheard=1, now=NOW) == Tally(rounds=1, served=5, stored=5)


def test_torn_line_in_a_published_file_is_refused_and_one_in_a_shard_counted(sound: Case) -> None:
    settle(sound[0], now=NOW)
    whole = shard(sound[0]).read_bytes()
    # In the middle, where it stays; a bad tail is cut by the next start.
    at = whole.rfind(b"\n", 0, len(whole) - 1)
    shard(sound[0]).write_bytes(whole[: at + 1] + b"2026-01-05T15:3\n" + whole[at + 1 :])
    tally = examine(*sound, rounds=1, now=NOW)
    assert (tally.torn, tally.lost, tally.holds) == (1, 0, False)


def test_published_file_that_differs_is_refused(sound: Case) -> None:
    settle(sound[0], now=NOW)
    daily = next(path for path in published_paths(sound[0]) if path.parent.name == "daily")
    daily.write_bytes(daily.read_bytes().replace(b",0,", b",1,", 1))
    with pytest.raises(BrokenError, match=r"another content.*_daily\.csv"):
        examine(*sound, rounds=1, now=NOW)


def test_published_file_too_many_is_refused(sound: Case) -> None:
    settle(sound[0], now=NOW)
    daily = next(path for path in published_paths(sound[0]) if path.parent.name == "daily")
    daily.with_name("2026-01-03_daily.csv").write_bytes(daily.read_bytes())
    with pytest.raises(BrokenError, match="published files differ"):
        examine(*sound, rounds=1, now=NOW)


def add_falsely(archive: Archive, change: Callable[[Columns], Columns]) -> None:
    """Take the sound case's day in with other values, under sound checksums."""
    real = archive._read

    def changed(day: date) -> tuple[Columns, Sequence[str]]:
        columns, schemas = real(day)
        return change(columns), schemas

    archive._read = changed
    archive.add(date(2026, 1, 5))


def a_value_off(columns: Columns) -> Columns:
    flow = sensor("calculations", 10)
    values = columns.columns[flow].values.copy()
    values[1] += 1
    return replace(columns, columns={**columns.columns, flow: Column(values)})


def a_row_less(columns: Columns) -> Columns:
    return columns.cut(slice(1, None))


@pytest.mark.parametrize("change", [a_value_off, a_row_less])
def test_archive_that_differs_from_the_shards_is_refused(sound: Case, change: Callable[[Columns], Columns]) -> None:
    archive = make_archive(sound[0])
    archive.add(date(2026, 1, 5))
    assert examine(*sound, rounds=1, now=NOW).holds
    add_falsely(archive, change)
    with pytest.raises(BrokenError, match="the archive differs from the shards"):
        examine(*sound, rounds=1, now=NOW)


def test_day_that_stays_due_is_refused(sound: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = make_archive(sound[0])
    run_on(archive, NOW)
    archive._damage.days.add(date(2026, 1, 5))
    monkeypatch.setattr(Archiving, "step", lambda _: False)
    with pytest.raises(BrokenError, match="are not archived"):
        run_on(archive, NOW)


@pytest.mark.parametrize("name", ["core", "shards/2026-01-05.csv~", "queue/other.db", "daily/notes.txt"])
def test_strange_file_is_refused(sound: Case, name: str) -> None:
    (sound[0] / name).parent.mkdir(exist_ok=True)
    (sound[0] / name).write_bytes(b"x")
    with pytest.raises(BrokenError, match="does not name"):
        examine(*sound, rounds=1, now=NOW)


@pytest.mark.parametrize("name", ["daily/2026-01-05_daily.csv.part", "weekly/2026-01-05_weekly.csv.part"])
def test_unfinished_file_is_refused(sound: Case, name: str) -> None:
    settle(sound[0], now=NOW)
    check_names(sound[0])
    (sound[0] / name).write_bytes(b"x")
    with pytest.raises(BrokenError, match="unfinished"):
        check_names(sound[0])


@pytest.fixture
def pump() -> Iterator[SimulatedPump]:
    with SimulatedPump(lambda _: answer(1)) as simulated:
        yield simulated


def say(pump: SimulatedPump, said: bytes) -> None:
    """Send bytes on a connection of their own and wait until the pump has done with them."""
    with suppress(OSError), socket.create_connection(pump.address, timeout=5) as client:
        client.sendall(said)
        client.shutdown(socket.SHUT_WR)
        while client.recv(65536):
            pass


def test_conversations_that_only_read_are_counted(pump: SimulatedPump) -> None:
    asked = b"".join(struct.pack(">ii", command, 0) for command in (3003, 3004, 3005))
    for said in (asked, asked, asked[:8], asked[:11], b""):
        say(pump, said)
    pump.stop()
    assert only_reads(pump) == 5


@pytest.mark.parametrize(
    "said",
    [
        struct.pack(">iii", 3002, 1, 22),
        struct.pack(">ii", 3003, 0) + struct.pack(">iii", 3002, 1, 22),
        struct.pack(">ii", 3002, 0)[:4],
        struct.pack(">ii", 3003, 1),
        b"GET / HT",
    ],
    ids=["writes", "writes after reading", "half of it", "reads with an argument", "something else"],
)
def test_conversation_that_asks_for_anything_else_is_refused(pump: SimulatedPump, said: bytes) -> None:
    say(pump, said)
    pump.stop()
    with pytest.raises(BrokenError, match="a client sent"):
        only_reads(pump)


def test_late_answer_is_explained_by_one_failed_read_that_lasted_while_it_was_sent(sound: Case) -> None:
    first, second, *_ = read_journal(sound[1])
    line = {"error": "no whole answer before the deadline", "elapsed_s": 1.0, "time": first.sent}
    assert told_late([first], [line]) == 1
    assert told_late([second], [line]) == 0
    assert told_late([first, first], [line]) == 1
    assert told_late([first], [line | {"error": "the pump closed the connection"}]) == 0


def test_book_of_lives_tells_the_last_answer_of_each_and_how_often_the_campaign_was_broken_off(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    for number, sent in ((0, 2), (1, 5), (1, 7), (2, 7)):
        journal.write_bytes(b"{}\n" * sent + b"{torn")
        Lives(tmp_path / "lives", journal).begin(number, connections=sent)
    with (tmp_path / "lives").open("ab") as book:
        book.write(b'{"round": 3')
    lives = Lives(tmp_path / "lives", journal)
    assert (lives.ends(), lives.broken_off()) == ([5, 7, 7, 7], 1)
    lives.begin(3, connections=9)
    assert [life.round for life in lives.all()] == [0, 1, 1, 2, 3]
