"""Holds which file may import which: words <- vessels <- verbs <- doors, and one library in one file."""

from __future__ import annotations

import ast
import re
import sys
from collections import defaultdict
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

#: What the data is: pure values, and the words that every file shares.
WORDS = {
    "pipeline",
    "pipeline.cells",
    "pipeline.clock",
    "pipeline.columns",
    "pipeline.compress",
    "pipeline.errors",
    "pipeline.exits",
    "pipeline.files",
    "pipeline.gap",
    "pipeline.labels",
    "pipeline.log",
    "pipeline.log_lines",
    "pipeline.memory",
    "pipeline.outage",
    "pipeline.part",
    "pipeline.period",
    "pipeline.places",
    "pipeline.processlog",
    "pipeline.processlog_fields",
    "pipeline.processlog_header",
    "pipeline.quality",
    "pipeline.reading",
    "pipeline.rows",
    "pipeline.schema",
    "pipeline.sensors",
    "pipeline.span",
    "pipeline.stop",
    "pipeline.survey",
    "pipeline.trust",
}

#: Where the data rests or comes from: each vessel with the files that it is made of.
VESSELS = {
    "archive": {
        "pipeline.archive",
        "pipeline.archive_file",
        "pipeline.archive_form",
        "pipeline.archive_look",
        "pipeline.archive_snapshot",
        "pipeline.buckets",
        "pipeline.column_codec",
        "pipeline.series",
    },
    "pump": {"pipeline.pump"},
    "the pump's log": {"pipeline.log_fetch", "pipeline.log_import", "pipeline.log_proof", "pipeline.log_trust"},
    "queue": {
        "pipeline.database",
        "pipeline.library_queue",
        "pipeline.queue",
        "pipeline.queue_view",
        "pipeline.salvage",
    },
    "shards": {
        "pipeline.appender",
        "pipeline.catalog",
        "pipeline.day_columns",
        "pipeline.day_marks",
        "pipeline.day_reader",
        "pipeline.log_columns",
        "pipeline.log_part",
        "pipeline.log_schema",
        "pipeline.log_times",
        "pipeline.marks",
        "pipeline.readout",
        "pipeline.repair",
        "pipeline.shard",
    },
    "rollups": {
        "pipeline.checkpoint",
        "pipeline.log_shelf",
        "pipeline.rollup_file",
        "pipeline.rollup_lines",
        "pipeline.shelf",
        "pipeline.window",
    },
    "gaps": {"pipeline.gap_audit", "pipeline.gap_book", "pipeline.gap_day", "pipeline.gap_watch"},
    "quarantine": {"pipeline.quarantine"},
    "state": {"pipeline.state"},
    "format": {"pipeline.data_format"},
    "store": {"pipeline.store"},
    "lock": {"pipeline.lock"},
    "settings": {"pipeline.machine", "pipeline.rules", "pipeline.settings", "pipeline.settings_layers"},
    "tables": {
        "pipeline.choice",
        "pipeline.dictionary",
        "pipeline.stata_file",
        "pipeline.steps",
        "pipeline.table",
        "pipeline.table_file",
        "pipeline.table_text",
    },
    "web": {
        "pipeline.access",
        "pipeline.asked",
        "pipeline.chart_data",
        "pipeline.depths",
        "pipeline.endpoint",
        "pipeline.export_child",
        "pipeline.http_errors",
        "pipeline.http_pages",
        "pipeline.latest",
        "pipeline.metrics",
        "pipeline.plot",
        "pipeline.published",
        "pipeline.sensor_list",
        "pipeline.turn",
        "pipeline.web_pages",
    },
    "simulated pump": {
        "pipeline.house",
        "pipeline.house_plan",
        "pipeline.house_values",
        "pipeline.simulator",
        "pipeline.simulator_answers",
        "pipeline.simulator_door",
        "pipeline.simulator_fields",
        "pipeline.simulator_log",
        "pipeline.simulator_log_answers",
        "pipeline.simulator_records",
    },
}

#: What moves the data on.
VERBS = {
    "stages",
    "stages.archive",
    "stages.backfill",
    "stages.export",
    "stages.poll",
    "stages.retain",
    "stages.rollup",
    "stages.serve",
    "stages.watch",
    "stages.write",
}

#: Who builds all, supervises it and speaks to a person.
DOORS = {
    "pipeline.__main__",
    "pipeline.alarm",
    "pipeline.arguments",
    "pipeline.check",
    "pipeline.cli",
    "pipeline.commands",
    "pipeline.commands.backfill",
    "pipeline.commands.check",
    "pipeline.commands.chosen",
    "pipeline.commands.demo",
    "pipeline.commands.export",
    "pipeline.commands.processlog",
    "pipeline.commands.queue",
    "pipeline.commands.rollup",
    "pipeline.commands.run",
    "pipeline.commands.sensors",
    "pipeline.commands.simulate",
    "pipeline.commands.status",
    "pipeline.demo",
    "pipeline.derived",
    "pipeline.healthcheck",
    "pipeline.history",
    "pipeline.listing",
    "pipeline.progress",
    "pipeline.service",
    "pipeline.status",
    "pipeline.supervisor",
    "pipeline.vessels",
    "pipeline.web",
    "pipeline.web_server",
    "pipeline.worker",
}

#: A vessel that imports another one, and why.
EXCEPTIONS = {
    # For the type of what they are given.
    ("pipeline.repair", "pipeline.quarantine"),
    ("pipeline.shard", "pipeline.quarantine"),
    ("pipeline.store", "pipeline.queue"),
    # A day stands there with its record, which is told as a rollup's is.
    ("pipeline.archive", "pipeline.shelf"),
    # Which parts have bad lines is told by the names under which those were kept.
    ("pipeline.shelf", "pipeline.repair"),
    # The rows kept aside belong to the queue's state; only the names of their files tell how many there are.
    ("pipeline.queue_view", "pipeline.quarantine"),
    # A moment in a request is what it is in a setting.
    ("pipeline.asked", "pipeline.rules"),
    # For the type of what they are given: an archive, its series, the state's document.
    ("pipeline.chart_data", "pipeline.archive"),
    ("pipeline.chart_data", "pipeline.series"),
    ("pipeline.plot", "pipeline.series"),
    ("pipeline.metrics", "pipeline.state"),
    # A day of a log is the same for whoever proves it and for whoever keeps it.
    ("pipeline.log_import", "pipeline.log_part"),
}

#: The files that may import each library: one for each, but for the arrays.
LIBRARIES = {
    "fastapi": {"stages.serve", "pipeline.http_errors", "pipeline.http_pages"},
    "prometheus_client": {"pipeline.metrics"},
    "starlette": {"stages.serve", "pipeline.http_errors"},
    "uvicorn": {"pipeline.web_server"},
    "dynaconf": {"pipeline.settings_layers"},
    "luxtronik": {"pipeline.sensors"},
    # Columns are arrays, so what works on columns works with numpy.
    "numpy": {
        "pipeline.columns",
        "pipeline.plot",
        "pipeline.log_import",
        "pipeline.log_proof",
        "pipeline.log_trust",
        *VESSELS["archive"],
        *VESSELS["tables"],
    },
    "pandas": {"pipeline.stata_file"},
    "persistqueue": {"pipeline.library_queue"},
    "schedule": {"pipeline.alarm"},
    "tqdm": {"pipeline.progress"},
}

#: The command that writes to a controller: it restarts some and wears the flash memory of all.
WRITE_COMMAND = 3002


@cache
def modules() -> dict[str, Path]:
    """Every module of the program by its name."""
    paths = sorted(path for folder in ("pipeline", "stages") for path in (ROOT / folder).rglob("*.py"))
    return {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in paths}


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(modules()[module].read_text(encoding="utf-8"))


@cache
def imports(module: str) -> frozenset[str]:
    """The modules that a module imports, anywhere in it: ours by their full name, others by their first part."""
    found: set[str] = set()
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            found.update(_module(alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import"
            found.update(_module(f"{node.module}.{alias.name}") for alias in node.names)
    return frozenset(found)


def _module(name: str) -> str:
    """The module that an imported name stands for or in."""
    while name not in modules() and "." in name:
        name = name.rpartition(".")[0]
    return name


def ours(module: str) -> set[str]:
    return {name for name in imports(module) if name in modules()}


def vessel_of(module: str) -> str | None:
    return next((vessel for vessel, files in VESSELS.items() if module in files), None)


def test_every_module_stands_in_one_layer() -> None:
    listed = [*WORDS, *VERBS, *DOORS, *(module for files in VESSELS.values() for module in files)]
    assert sorted(listed) == sorted(modules())


@pytest.mark.parametrize("module", sorted(WORDS))
def test_word_imports_words_only(module: str) -> None:
    assert ours(module) <= WORDS


@pytest.mark.parametrize("module", sorted(module for files in VESSELS.values() for module in files))
def test_vessel_imports_words_and_its_own_files(module: str) -> None:
    own = VESSELS[vessel_of(module) or ""]
    others = {name for name in ours(module) - WORDS - own if (module, name) not in EXCEPTIONS}
    assert not others


def test_every_exception_is_still_needed() -> None:
    assert all(imported in imports(module) for module, imported in EXCEPTIONS)


@pytest.mark.parametrize("module", sorted(VERBS))
def test_verb_imports_vessels_and_words_and_no_other_verb(module: str) -> None:
    assert not ours(module) & ((VERBS | DOORS) - {module})


@pytest.mark.parametrize("module", sorted(modules()))
def test_only_doors_see_the_settings(module: str) -> None:
    if module not in DOORS:
        assert "pipeline.settings" not in imports(module)


def test_no_module_imports_itself_in_a_circle() -> None:
    # The packages hold no code that imports, so an import of one of their modules is none of theirs.
    order = list(TopologicalSorter({module: ours(module) for module in modules()}).static_order())
    assert len(order) == len(modules())


def test_each_library_is_imported_where_it_belongs() -> None:
    users: dict[str, set[str]] = defaultdict(set)
    for module in modules():
        for name in imports(module):
            if name not in modules() and name not in sys.stdlib_module_names:
                users[name].add(module)
    assert users.keys() == LIBRARIES.keys()
    for library, files in users.items():
        assert files <= LIBRARIES[library], library


def test_command_that_writes_to_a_controller_stands_nowhere() -> None:
    for module, path in modules().items():
        assert str(WRITE_COMMAND) not in path.read_text(encoding="utf-8"), module
        numbers = [node.value for node in ast.walk(tree(module)) if isinstance(node, ast.Constant)]
        assert WRITE_COMMAND not in numbers, module


def test_page_of_rules_lists_every_module_in_its_layer() -> None:
    page = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| (doors|verbs|words|vessel: [a-z ']+) \| ([^|]+) \|", page, re.MULTILINE))
    wanted = {"doors": DOORS, "verbs": VERBS, "words": WORDS} | {f"vessel: {k}": v for k, v in VESSELS.items()}
    packages = {"pipeline", "pipeline.commands", "stages"}
    assert {row: {name.replace("/", ".") for name in re.findall(r"`([^`]+)`", cell)} for row, cell in rows.items()} == {
        row: {name.removeprefix("pipeline.") for name in files - packages} for row, files in wanted.items()
    }
