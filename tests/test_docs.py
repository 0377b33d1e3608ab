"""Holds what README and docs say against the program: settings, commands, lines of the log, links and examples."""

from __future__ import annotations

import ast
import csv
import json
import os
import re
import shlex
import time
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from pipeline import access, arguments, cli, data_format, exits, gap, log_part, repair, service, settings, state, status
from pipeline.catalog import Catalog
from pipeline.clock import utc_text
from pipeline.commands import COMMANDS
from pipeline.compress import compress
from pipeline.settings import RULES
from tests.chaos.attacks import ATTACKS
from tests.logged import log_day, log_row
from tests.mutants.catalog import MUTANTS
from tests.parts import open_shards, reading
from tests.rollups import make_all, make_rollup
from tests.test_layers import imports, modules, tree

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]


def rows(page: Path, heading: str) -> list[list[str]]:
    """The cells of each row of the table whose head begins with a text."""
    _, _, rest = page.read_text(encoding="utf-8").partition(f"\n| {heading} |")
    table = rest.partition("\n\n")[0].splitlines()[2:]
    assert table, f"{page.name} has no table {heading}"
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table]


def blocks(page: Path, language: str) -> list[str]:
    """The blocks of a language, in order; all fences are read, so that the end of one is never the begin of another."""
    found = re.findall(r"^```([a-z]*)\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [block for spoken, block in found if spoken == language]


def code(page: Path) -> Iterator[str]:
    """Every line of code on a page, in a block or in the text."""
    text = page.read_text(encoding="utf-8")
    for block in re.findall(r"^```[a-z]*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        yield from block.splitlines()
    yield from re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL))


def defaults() -> dict[str, object]:
    given = tomllib.loads((ROOT / "settings.toml").read_text(encoding="utf-8"))
    nested = given.pop("OUTPUT_DIRS")
    return given | {f"OUTPUT_DIRS.{key}": value for key, value in nested.items()}


def test_readme_names_every_setting_with_its_default() -> None:
    told = {key.strip("`"): default for key, default, _ in rows(README, "key")}
    assert list(told) == list(RULES)
    shown = {key: str(value).lower() if isinstance(value, bool) else value for key, value in defaults().items()}
    assert told == {key: "empty" if value in ("", []) else f"`{value}`" for key, value in shown.items()}


def test_readme_tells_the_range_of_every_number() -> None:
    for key, _, meaning in rows(README, "key"):
        with pytest.raises(ValueError, match="must be") as refused:
            RULES[key.strip("`")](object())
        if found := re.search(r"number from (\d+) to (\d+)", str(refused.value)):
            assert f"{found[1]} to {found[2]}" in meaning, key


def test_readme_names_every_command() -> None:
    assert {name.strip("`") for name, _ in rows(README, "command")} == set(COMMANDS)


def test_readme_names_every_exit_code() -> None:
    told = {int(code) for code, _ in rows(README, "exit code")}
    assert told == {value for name, value in vars(exits).items() if name.isupper()}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_line_in_the_docs_is_understood(page: Path) -> None:
    placeholders = {"NAME": "stall"}
    for line in code(page):
        if found := re.search(r"-m pipeline\b([^>]*)", line):
            words = shlex.split(found[1], comments=True)
            if words and words != ["--version"]:  # which prints and ends
                cli.parser(words).parse_args(arguments.glued([placeholders.get(word, word) for word in words]))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_make_target_in_the_docs_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {
        found for line in code(page) for found in re.findall(r"(?:^|= ?\S+ |&& )make (?:[A-Z]+=\S+ )*([a-z-]+)", line)
    }
    assert named <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_variable_in_the_docs_is_a_setting(page: Path) -> None:
    known = {"LUX_" + key.replace(".", "__") for key in RULES} | {"LUX_SETTINGS_FILE"}
    assert set(re.findall(r"\bLUX_[A-Z_]*[A-Z]", page.read_text(encoding="utf-8"))) <= known


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_and_path_in_the_docs_leads_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)", text):
        file = (page.parent / target) if target else page
        assert file.exists(), target
        headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE) if anchor else []
        slugs = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
        assert not anchor or anchor in slugs, anchor
    for path in re.findall(r"`((?:pipeline|stages|tests)/\w+\.py)`", text):
        assert (ROOT / path).exists(), path


def log_lines() -> set[str]:
    """Every line that the program can log, `...` for what is filled in."""
    nodes = (node for module in used() for node in ast.walk(tree(module)))
    return {line for node in nodes if isinstance(node, ast.Call) and (line := _line_of(node))} | {
        *repair._DONE.values()
    }


def used() -> set[str]:
    """The modules that the program imports: a stage may lie ready that no service runs yet."""
    found: set[str] = set()
    ahead = {"pipeline.__main__", *(f"pipeline.commands.{name}" for name in COMMANDS)}
    while ahead:
        found |= ahead
        ahead = {name for module in ahead for name in imports(module) & modules().keys()} - found
    return found


def _line_of(call: ast.Call) -> str:
    """What a call logs; empty for a call that logs nothing of its own."""
    name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    place = {"event": 2, "failure": 1, "seen": 0, "raised": 0}.get(name)
    place = 0 if ast.unparse(call.func) in ("log.error", "log.warning", "log.info") else place
    if place is None or len(call.args) <= place:
        return ""
    words = call.args[place]
    if isinstance(words, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "..." for part in words.values)  # type: ignore[misc]
    return words.value.replace("%s", "...") if isinstance(words, ast.Constant) and isinstance(words.value, str) else ""


def test_operation_page_explains_every_line_of_the_log() -> None:
    explained = {line.strip("`") for line, _, _ in rows(ROOT / "docs" / "operation.md", "line")}
    # `pump`, `queue` and each stage `works again`: the words before are filled in.
    general = {"... works again" if line.endswith(" works again") else line for line in explained}
    assert general == log_lines()


def test_status_in_operation_page_is_what_the_command_prints() -> None:
    (example,) = [each for each in blocks(ROOT / "docs" / "operation.md", "") if each.startswith("status ")]
    gap_of = {
        "from": "2026-11-25T01:12:03.112Z",
        "to": "2026-11-25T01:14:03.120Z",
        "missing": 3,
        "reason": "pump_silent",
    }
    counts = {"logger_off": {"gaps": 1, "missing": 19}, "pump_silent": {"gaps": 2, "missing": 14}}
    document = {
        **state.verdict([]),
        "last_reading": "2026-11-25T03:00:33.008Z",
        "pump": {"address": "192.168.1.20:8889", "firmware": "V3.88", "pump": "MSW 6"},
        "queue": {"depth": 0, "in_memory": 0},
        "gaps": {"today": 3, "open": None, "reasons": counts, "last": gap_of},
        "losses": {"disk": 0, "quarantined": 0},
        "archive": {"days": 364, "due": 0},
        "quality": {"steps": {"ID_WEB_WMZ_Heizung": {"falls": 1, "jumps": 1, "returns": 0}}, "not_fitted": ["a"] * 21},
        "restarts": {"poller": 0},
        "disk": {"free": 12_300_000_000, "total": 60_000_000_000, "data": 650_000_000},
    }
    assert example.strip() == status.shown(document, datetime(2026, 11, 25, 3, 0, 45, tzinfo=UTC))


SECURITY = ROOT / "SECURITY.md"


def test_security_page_names_where_the_program_listens_and_what_needs_no_token() -> None:
    text = SECURITY.read_text(encoding="utf-8")
    assert f"`{defaults()['HTTP_HOST']}`, port {defaults()['HTTP_PORT']}" in text
    assert {cell.strip("`") for cell, _ in rows(SECURITY, "open to anybody")} == access._OPEN


def test_files_are_as_private_as_the_umask_says(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        write_everything(tmp_path)
    finally:
        os.umask(before)
    assert not {path.name for path in tmp_path.rglob("*") if path.stat().st_mode & 0o077}


def write_everything(folder: Path) -> None:
    """All kinds of files: shards, plain, compressed and of a log, a queue, daily, weekly, checkpoints, gaps, state."""
    open_shards(folder).append([reading(), reading(86_400)])
    log_part.publish(folder / "shards", Catalog(folder / "shards"), log_day(log_row(600)))
    make_all(make_rollup(folder))
    compress(folder / "shards" / "2026-01-05.csv")
    built = service.build(settings.load({"LUX_DATA_DIR": str(folder), "LUX_HOST": "127.0.0.1"}))
    built.queue.put([reading(30).encode()])
    built.watch.step(time.monotonic())
    built.queue.close()


RELIABILITY = ROOT / "docs" / "reliability.md"


def test_reliability_page_shows_every_attack_with_nothing_lost_doubled_or_torn() -> None:
    table = rows(RELIABILITY, "attack")
    assert [cells[0] for cells in table] == [f"{each.number} {each.name}" for each in ATTACKS]
    assert [int(cells[1]) for cells in table] == [each.rounds(1000) for each in ATTACKS]
    for _, _, served, stored, in_flight, reported, *broken in table:
        assert int(served) == int(stored) + int(in_flight) + int(reported)
        assert broken == ["0", "0", "0"]


def test_reliability_page_says_of_every_attack_what_it_is_for() -> None:
    text = RELIABILITY.read_text(encoding="utf-8")
    assert {each.name for each in ATTACKS} <= set(re.findall(r"`([a-z-]+)`", text))


def test_reliability_page_counts_the_deliberate_breaks() -> None:
    assert f"{len(MUTANTS)} of {len(MUTANTS)} caught" in RELIABILITY.read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_python_example_is_sound(page: Path) -> None:
    for block in blocks(page, "python"):
        compile(block, page.name, "exec")


def test_example_reads_all_parts_of_all_days_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [reading(0), reading(60), reading(30), reading(30, 5), reading(86400), reading(90, letters="V3.92")]
    open_shards(tmp_path / "data").append(given)
    shards = tmp_path / "data" / "shards"
    assert {path.name for path in shards.glob("*.csv")} == {
        "2026-01-05.csv",
        "2026-01-05.2.csv",
        "2026-01-05.3.csv",
        "2026-01-06.csv",
    }
    with (shards / "2026-01-06.csv").open("ab") as file:
        file.write(b"2026-01-06T11:00:30.000Z,\0\0\0\n2026-01-06T11:01")
    monkeypatch.chdir(tmp_path)
    exec(compile(blocks(ROOT / "docs" / "data-format.md", "python")[0], "data-format.md", "exec"), {})
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    wanted = sorted((utc_text(each.time_ms + (each is given[3])), each.answer.calculations[10]) for each in given)
    assert [(time, int(raw)) for time, _, _, raw in lines] == wanted
    assert [round(float(value) * 10) for _, value, unit, _ in lines if unit == "°C"] == [raw for _, raw in wanted]


def test_example_reads_the_rows_of_the_log_that_count_among_the_live_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shards = tmp_path / "data" / "shards"
    open_shards(tmp_path / "data").append([reading(0), reading(600), reading(300), reading(86_400)])
    log_part.publish(shards, Catalog(shards), log_day(*map(log_row, (-30, -29, 0, 60, 270, 271, 601, 660))))
    compress(shards / "2026-01-05.log.csv")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for block in blocks(ROOT / "docs" / "data-format.md", "python")[:2]:
        exec(compile(block, "data-format.md", "exec"), names)
    live = [(reading(at).time_ms, "live") for at in (0, 300, 600, 86_400)]
    logged = [(reading(at).time_ms, "log") for at in (-30, 60, 270, 660)]
    found = names["with_log"]("2026-01-05", "2026-01-06")
    assert [(names["ms"](row), row["source"]) for row in found] == sorted([*live, *logged])
    assert [row["source"] for row in names["readings"]("2026-01-05")] == ["live"] * 3
    (shards / "2026-01-05.log.json").unlink()
    assert len([row for row in names["with_log"]("2026-01-05") if row["source"] == "log"]) == 2


def test_data_format_page_names_what_stands_beside_a_log_part(tmp_path: Path) -> None:
    log_part.publish(tmp_path, Catalog(tmp_path), log_day(log_row(0)))
    told = {
        name
        for cell, _ in rows(ROOT / "docs" / "data-format.md", "member beside a log part")
        for name in re.findall(r"`(\w+)`", cell)
    }
    assert told == set(json.loads((tmp_path / "2026-01-05.log.json").read_bytes()))


def test_data_format_page_names_pieces_in_quarantine_as_they_are(tmp_path: Path) -> None:
    open_shards(tmp_path).append([reading(), reading(30)])
    part = tmp_path / "shards" / "2026-01-05.csv"
    header, first, second = part.read_bytes().splitlines(keepends=True)
    part.write_bytes(header.replace(b"t", b"T") + first + b"bad\n" + second + second[:9])
    open_shards(tmp_path)
    kept = {re.sub(r"-\d+-[0-9a-f]{16}\.bin$", "", path.name) for path in (tmp_path / "quarantine").iterdir()}
    told = {cell.strip("`") for cell, _ in rows(ROOT / "docs" / "data-format.md", "origin")} - {"queue", "gaps.csv"}
    assert {name.replace("2026-01-05.csv", "<part>") for name in kept} == {
        name.removesuffix("-<offset>") for name in told
    }


def test_data_format_page_names_what_a_schema_holds(tmp_path: Path) -> None:
    open_shards(tmp_path).append([reading()])
    (path,) = (tmp_path / "shards").glob("schema-*.json")
    assert path.name == f"schema-{sha256(path.read_bytes()).hexdigest()[:12]}.json"
    document = json.loads(path.read_bytes())
    page = ROOT / "docs" / "data-format.md"
    told = {name for cell, _ in rows(page, "member") for name in re.findall(r"`(\w+)`", cell)}
    assert told == set(document)
    told = {name for cell, _ in rows(page, "member of a sensor's field") for name in re.findall(r"`(\w+)`", cell)}
    assert told == {name for field in document["fields"][3:] for name in field}
    with (tmp_path / "shards" / "2026-01-05.csv").open(newline="") as file:
        header = next(csv.reader(file))
    assert header == [field["name"] for field in document["fields"]]
    assert header[:3] == [re.findall(r"`(\w+)`", cell)[0] for cell, _ in rows(page, "column")[:3]]


def test_data_format_page_names_the_columns_of_the_gap_book_and_operation_its_reasons() -> None:
    page = ROOT / "docs" / "data-format.md"
    told = [name for cell, _ in rows(page, "column of the gap book") for name in re.findall(r"`(\w+)`", cell)]
    assert told == gap.HEADER.strip().split(",")
    _, _, section = (ROOT / "docs" / "operation.md").read_text(encoding="utf-8").partition("\n## Gaps\n")
    assert tuple(re.findall(r"^\| `(\w+)` \|", section.partition("\n## ")[0], re.MULTILINE)) == gap.REASONS


def test_data_format_page_names_what_the_state_holds(tmp_path: Path) -> None:
    built = service.build(settings.load({"LUX_DATA_DIR": str(tmp_path), "LUX_HOST": "127.0.0.1"}))
    told = {
        name
        for cell, _ in rows(ROOT / "docs" / "data-format.md", "member of the state")
        for name in re.findall(r"`(\w+)`", cell)
    }
    state.publish(tmp_path, {"last_reading": None}, durable=False)
    built.watch.step(time.monotonic())
    assert told == (state.load(tmp_path) or {}).keys()
    built.queue.close()


def test_data_format_page_names_what_the_format_holds_and_every_number(tmp_path: Path) -> None:
    page = ROOT / "docs" / "data-format.md"
    data_format.claim(tmp_path)
    document = json.loads((tmp_path / data_format.NAME).read_bytes())
    assert [cells[0].strip("`") for cells in rows(page, "member of the format")] == list(document)
    assert [int(cells[0]) for cells in rows(page, "number")] == list(range(1, data_format.FORMAT + 1))
    assert json.dumps(document) in blocks(page, "json")[0]


def test_data_format_page_names_what_a_checkpoint_holds(tmp_path: Path) -> None:
    open_shards(tmp_path).append([reading()])
    make_all(make_rollup(tmp_path))
    (path, *_) = (tmp_path / "daily").glob("*_daily.csv.checkpoint")
    document = json.loads(path.read_bytes())
    page = ROOT / "docs" / "data-format.md"
    told = {name for cell, _ in rows(page, "member of a checkpoint") for name in re.findall(r"`(\w+)`", cell)}
    assert told == set(document)
    told = {name for cell, _ in rows(page, "member of a source") for name in re.findall(r"`(\w+)`", cell)}
    assert told == set(document["sources"][0])
