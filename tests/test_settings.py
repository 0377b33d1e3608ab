from __future__ import annotations

import os
import re
from contextlib import closing
from dataclasses import fields
from datetime import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import machine, settings, settings_layers
from pipeline.errors import SettingsError
from pipeline.queue import Queue
from pipeline.settings import RULES, load
from pipeline.settings_layers import DEFAULTS
from tests.odd_settings import CONTENTS, LOOKS_LIKE_SOMETHING_ELSE, VALUES, VARIABLES, variable

#: Key, lowest and highest value that are allowed.
WHOLE = [
    ("PORT", 1, 65535),
    ("INTERVAL_SEC", 5, 3600),
    ("RETRIES", 0, 10),
    ("BUFFER_SAMPLES", 1, 2880),
    ("CSV_RETENTION_DAYS", 0, 36500),
    ("SHARD_RETENTION_DAYS", 0, 36500),
    ("COMPRESS_AFTER_DAYS", 0, 36500),
    ("HTTP_PORT", 0, 65535),
]
FIELDS = {key: part.name for part in fields(settings.Settings) for key in part.metadata}


def problems_of(environ: dict[str, str], *, needs_folders: bool = False, root: Path = Path("/")) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(environ, needs_folders=needs_folders, root=root)
    return list(caught.value.problems)


def with_file(path: Path, text: str | bytes) -> dict[str, str]:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return {"LUX_SETTINGS_FILE": str(path)}


# ---- the manual and the layers


def test_defaults_are_the_promised_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = load({"TZ": "Europe/Berlin"}, root=tmp_path)
    data = tmp_path / "data"
    assert found == settings.Settings(
        host=None,
        port=8889,
        interval_s=30,
        timeout_s=60.0,
        retries=3,
        backfill="auto",
        backfill_port=80,
        buffer_samples=1,
        data_dir=data,
        cache_path=data / "queue/queue.db",
        output=settings.OutputDirs(data / "shards", data / "daily", data / "weekly", data / "archive"),
        csv_time=time(7, 0),
        zone=machine.zone("Europe/Berlin"),
        csv_retention_days=30,
        shard_retention_days=365,
        compress_after_days=8,
        export_sensors=(),
        export_from="",
        export_to="",
        http_host="127.0.0.1",
        http_port=8000,
        http_token="",
        metrics_sensors=False,
        log_level="info",
        log_format="text",
        origins=dict.fromkeys(RULES, "settings.toml") | {"TIMEZONE": "default TZ=Europe/Berlin"},
        warnings=(),
    )


def test_manual_names_every_key_once_in_the_order_of_the_flow() -> None:
    assert re.findall(r"^([A-Z_.]+) = ", DEFAULTS.read_text(), re.MULTILINE) == list(RULES)


@pytest.mark.parametrize(("key", "low", "high"), [*WHOLE, ("TIMEOUT_SEC", 1, 600)])
def test_manual_states_each_range(key: str, low: int, high: int) -> None:
    before = DEFAULTS.read_text().partition(f"\n{key} = ")[0]
    assert f"{low} to {high}" in before.rpartition("\n\n")[2]


def test_environment_goes_before_the_file_and_the_file_before_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    environ = with_file(path, "PORT: 8888\nRETRIES: 5\n") | {"LUX_RETRIES": "7"}
    found = load(environ)
    assert (found.port, found.retries, found.interval_s) == (8888, 7, 30)
    origins = [found.origins[key] for key in ("PORT", "RETRIES", "INTERVAL_SEC")]
    assert origins == [f"file {path}", "environment LUX_RETRIES", "settings.toml"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.toml", '[OUTPUT_DIRS]\ndaily = "/d"\nWEEKLY = "/w"'),
        ("a.toml", 'output_dirs.DAILY = "/d"\nOUTPUT_DIRS.weekly = "/w"'),
        ("a.yaml", "output_dirs:\n  daily: /d\n  Weekly: /w"),
        ("a.YML", "OUTPUT_DIRS: {DAILY: /d, WEEKLY: /w}"),
    ],
)
def test_nested_folders_come_from_a_table_and_leave_the_others_alone(tmp_path: Path, name: str, text: str) -> None:
    found = load(with_file(tmp_path / name, text) | {"LUX_DATA_DIR": "/data", "LUX_OUTPUT_DIRS__WEEKLY": "week"})
    assert (found.output.daily, found.output.weekly) == (Path("/d"), Path("/data/week"))
    assert found.output.shards == Path("/data/shards")


def test_case_of_keys_does_not_matter_but_each_stands_once(tmp_path: Path) -> None:
    assert load(with_file(tmp_path / "a.yaml", "host: pump\nPort: 8888")).port == 8888
    problem = "PORT: must stand once, not in two ways, in file {} (got '2')"
    assert problems_of(with_file(tmp_path / "b.yaml", "PORT: 1\nport: 2")) == [problem.format(tmp_path / "b.yaml")]


def test_process_environment_is_read_where_no_other_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUX_PORT", "8888")
    assert load().port == 8888
    assert load({}).port == 8889


def test_nothing_that_dynaconf_reads_by_itself_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("LUX_PORT=1\nDYNACONF_PORT=1\n")
    (tmp_path / "more.toml").write_text("PORT = 1")
    (tmp_path / "mine.local.toml").write_text("PORT = 1")
    (tmp_path / "dynaconf_hooks.py").write_text("def post(settings): return {'PORT': 1}")
    for name in ("LOAD_DOTENV", "INCLUDES", "SETTINGS_FILE", "PRELOAD"):
        monkeypatch.setenv(f"{name}_FOR_DYNACONF", "true" if name == "LOAD_DOTENV" else str(tmp_path / "more.toml"))
    monkeypatch.setenv("DYNACONF_PORT", "1")
    assert load(with_file(tmp_path / "mine.toml", "RETRIES = 4")).port == 8889
    assert "LUX_PORT" not in os.environ


def test_lists_of_a_higher_layer_replace_those_below(tmp_path: Path) -> None:
    environ = with_file(tmp_path / "a.toml", 'EXPORT_SENSORS = ["a", "dynaconf_merge"]')
    assert load(environ).export_sensors == ("a", "dynaconf_merge")
    assert load(environ | {"LUX_EXPORT_SENSORS": "b"}).export_sensors == ("b",)


# ---- rules


@pytest.mark.parametrize(("key", "low", "high"), WHOLE)
def test_whole_numbers_keep_to_their_range(tmp_path: Path, key: str, low: int, high: int) -> None:
    for good in (low, high):
        assert getattr(load({variable(key): str(good)}), FIELDS[key]) == good
        assert getattr(load(with_file(tmp_path / "a.toml", f"{key} = {good}")), FIELDS[key]) == good
    for bad in (low - 1, high + 1):
        (line,) = problems_of({variable(key): str(bad)})
        assert line.startswith(f"{key}: must be a whole number from {low} to {high}")
        assert line.endswith(f"(got '{bad}')")


NO_NUMBERS = ["", "abc", "nan", "inf", "1_0", " 30", "30\r", "0x1e", "٣٠", "true", "-", "1e1", "30;", "9" * 5000, "\0"]


@pytest.mark.parametrize("value", [*NO_NUMBERS, "5.5", "30.0"])
def test_what_is_no_whole_number_is_refused(value: str) -> None:
    (line,) = problems_of({"LUX_INTERVAL_SEC": value})
    assert line.startswith("INTERVAL_SEC: must be a whole number from 5 to 3600 seconds (got '")


def test_problem_is_told_as_field_rule_and_value() -> None:
    wanted = "INTERVAL_SEC: must be a whole number from 5 to 3600 seconds (got 'abc')"
    assert problems_of({"LUX_INTERVAL_SEC": "abc"}) == [wanted]


@pytest.mark.parametrize("value", ["true", "30.0", "inf", "[30]", "{a = 1}", "07:00:00", '""', "0x" + "f" * 9000])
def test_toml_values_of_another_type_are_no_whole_numbers(tmp_path: Path, value: str) -> None:
    (line,) = problems_of(with_file(tmp_path / "a.toml", f"INTERVAL_SEC = {value}"))
    assert line.startswith("INTERVAL_SEC: must be a whole number")


@pytest.mark.parametrize("value", ["1", "600", "2.5", "+60"])
def test_timeout_may_have_a_fraction(tmp_path: Path, value: str) -> None:
    assert load({"LUX_TIMEOUT_SEC": value}).timeout_s == float(value)
    assert load(with_file(tmp_path / "a.toml", f"TIMEOUT_SEC = {value}")).timeout_s == float(value)


@pytest.mark.parametrize("value", [*NO_NUMBERS, "0.9", "600.1", "-5"])
def test_what_is_no_timeout_is_refused(value: str) -> None:
    (line,) = problems_of({"LUX_TIMEOUT_SEC": value})
    assert line.startswith("TIMEOUT_SEC: must be a number from 1 to 600 seconds (got '")


@pytest.mark.parametrize(
    "value", ["192.168.1.20", "pump", "wp.fritz.box", "1e5", "fe80::1%eth0", "::1", "wärmepumpe.local"]
)
def test_host_is_a_name_or_an_address(tmp_path: Path, value: str) -> None:
    assert load({"LUX_HOST": value}, needs_host=True).host == value
    assert load(with_file(tmp_path / "a.yaml", f"HOST: {value}")).host == value


@pytest.mark.parametrize(
    ("value", "part"),
    [
        ("http://192.168.1.20", "without http://"),
        ("192.168.1.20/", "without a path"),
        ("192.168.1.20:8889", "the port is a setting of its own"),
        ("[::1]", "the port is a setting of its own"),
        ("192.168.1.300", "from 0 to 255"),
        (" pump", "without spaces"),
        ("pump\n", "control characters"),
        ("a..b", "DNS"),
        ("x" * 64, "DNS"),
        ("\udcff", "control characters"),
    ],
)
def test_host_with_something_around_it_is_refused_with_what_to_do(value: str, part: str) -> None:
    (line,) = problems_of({"LUX_HOST": value})
    assert line.startswith("HOST: ")
    assert part in line


def test_host_is_needed_only_where_the_pump_is_asked() -> None:
    assert load({"LUX_HOST": ""}).host is None
    with pytest.raises(SettingsError) as caught:
        load({}, needs_host=True)
    assert caught.value.problems == ("HOST: must be set, for example LUX_HOST=192.168.1.20 (got '')",)


def test_page_needs_an_address() -> None:
    assert load({"LUX_HTTP_HOST": "0.0.0.0"}).http_host == "0.0.0.0"
    assert problems_of({"LUX_HTTP_HOST": ""})[0].startswith("HTTP_HOST: ")


@pytest.mark.parametrize(
    ("value", "wanted"), [("00:00", time(0)), ("7:00", time(7)), ("07:00:00", time(7)), ("23:59:59", time(23, 59, 59))]
)
def test_time_of_day_is_understood_in_each_way_of_writing(tmp_path: Path, value: str, wanted: time) -> None:
    assert load({"LUX_CSV_TIME": value}).csv_time == wanted
    assert load(with_file(tmp_path / "a.yaml", f"CSV_TIME: {value}")).csv_time == wanted
    assert load(with_file(tmp_path / "a.toml", f"CSV_TIME = '{value}'")).csv_time == wanted


def test_time_of_day_may_be_a_toml_time(tmp_path: Path) -> None:
    assert load(with_file(tmp_path / "a.toml", "CSV_TIME = 07:30:00")).csv_time == time(7, 30)


@pytest.mark.parametrize(
    "value", ["", "7", "24:00", "07:60", "07:00:60", "7:0", "0700", "7:00 pm", "420", "-1:00", "07:00:00.5"]
)
def test_what_is_no_time_of_day_is_refused(value: str) -> None:
    assert problems_of({"LUX_CSV_TIME": value}) == [
        f"CSV_TIME: must be a time of day, HH:MM or HH:MM:SS, from 00:00 to 23:59:59 (got '{value}')"
    ]


@pytest.mark.parametrize(
    "value",
    [
        "",
        "2026-10-01",
        "2026-10-01T12:00",
        "2026-10-01 12:00:30",
        "2026-10-01T12:00:30.5Z",
        "2026-10-01T12:00+02:00",
        "-30d",
    ],
)
def test_bounds_of_an_export_stay_as_they_were_written(tmp_path: Path, value: str) -> None:
    found = load({"LUX_EXPORT_FROM": value, "LUX_EXPORT_TO": value})
    assert (found.export_from, found.export_to) == (value, value)
    assert load(with_file(tmp_path / "a.yaml", f"EXPORT_TO: {value}")).export_to == value


def test_bound_of_an_export_may_be_a_toml_day(tmp_path: Path) -> None:
    assert load(with_file(tmp_path / "a.toml", "EXPORT_FROM = 2026-10-01")).export_from == "2026-10-01"


@pytest.mark.parametrize(
    "value",
    ["30d", "-0d", "-30", "2026-02-30", "2026-10", "20261001", "2026-W40", "2026-10-01T25:00", "0000-01-01", "now"],
)
def test_what_is_no_bound_of_an_export_is_refused(value: str) -> None:
    (line,) = problems_of({"LUX_EXPORT_TO": value})
    assert line.startswith("EXPORT_TO: must be empty, a day")
    assert line.endswith(f"(got '{value}')")


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("", ()),
        (" ", ()),
        ("a", ("a",)),
        ("a, b", ("a", "b")),
        ("[]", ()),
        (' ["a", "b,c"]', ("a", "b,c")),
        ("1e5,5", ("1e5", "5")),
    ],
)
def test_lists_come_with_commas_or_as_json(value: str, wanted: tuple[str, ...]) -> None:
    assert load({"LUX_EXPORT_SENSORS": value}).export_sensors == wanted


@pytest.mark.parametrize("value", ["a,,b", "a,", "[1]", '["a"', "[[]]", '[""]', '["\\ud800"]', "[" * 100_000, "a\tb"])
def test_what_is_no_list_of_names_is_refused(value: str) -> None:
    (line,) = problems_of({"LUX_EXPORT_SENSORS": value})
    assert line.startswith("EXPORT_SENSORS: must be a list of names")


def test_number_is_no_list_of_names(tmp_path: Path) -> None:
    (line,) = problems_of(with_file(tmp_path / "a.toml", "EXPORT_SENSORS = 5"))
    assert line == "EXPORT_SENSORS: must be a list of names, or names with commas between them (got 5)"


def test_words_are_understood_in_any_case() -> None:
    found = load({"LUX_LOG_LEVEL": "WARNING", "LUX_LOG_FORMAT": "Json"})
    assert (found.log_level, found.log_format) == ("warning", "json")


@pytest.mark.parametrize("value", LOOKS_LIKE_SOMETHING_ELSE)
def test_text_stays_text_whatever_it_looks_like(tmp_path: Path, value: str) -> None:
    yaml = f"DATA_DIR: '{value}'\nEXPORT_SENSORS: ['{value}']"
    for environ in ({"LUX_DATA_DIR": value}, with_file(tmp_path / "a.yaml", yaml)):
        assert load(environ).data_dir == Path.cwd() / value
    assert load(environ).export_sensors == (value,)
    (line,) = problems_of({"LUX_LOG_LEVEL": value})
    assert line.endswith(f"(got '{value}')")


def test_yaml_without_quotes_stays_as_written(tmp_path: Path) -> None:
    text = "EXPORT_SENSORS: [1e5, no, 7:00, 2026-10-01, 0o17, null, 1_000]\nTIMEOUT_SEC: 060\nHOST:\n"
    found = load(with_file(tmp_path / "a.yaml", text))
    assert found.export_sensors == ("1e5", "no", "7:00", "2026-10-01", "0o17", "null", "1_000")
    assert (found.timeout_s, found.host) == (60.0, None)


def test_float_in_toml_stays_as_written_where_text_is_meant(tmp_path: Path) -> None:
    assert load(with_file(tmp_path / "a.toml", "HOST = 1e5")).host == "1e5"


@pytest.mark.parametrize("value", ["5", "true", "[]", "{}"])
def test_text_in_toml_wants_quotes(tmp_path: Path, value: str) -> None:
    (line,) = problems_of(with_file(tmp_path / "a.toml", f"HOST = {value}"))
    assert line.startswith("HOST: must be text in quotes")


# ---- what is wrong as a whole


def test_all_problems_come_at_once(tmp_path: Path) -> None:
    environ = with_file(tmp_path / "a.yaml", "PORT: 0\nHSOT: x\nRETRIES: 11\nOUTPUT_DIRS: {DIALY: x}")
    environ |= {"LUX_RETRIES": "12", "LUX_LOG_LEVEL": "loud", "LUX_INTERVALL_SEC": "5", "LUX_DATA_DIR": ""}
    fields = [line.partition(": ")[0] for line in problems_of(environ)]
    assert fields == ["HSOT", "OUTPUT_DIRS.DIALY", "INTERVALL_SEC", "PORT", "RETRIES", "DATA_DIR", "LOG_LEVEL"]


def test_unknown_key_is_told_with_its_place_and_the_nearest_one(tmp_path: Path) -> None:
    assert problems_of({"LUX_INTERVALL_SEC": "5"}) == [
        "INTERVALL_SEC: is no setting (environment LUX_INTERVALL_SEC), did you mean INTERVAL_SEC? (got '5')"
    ]
    path = tmp_path / "a.toml"
    assert problems_of(with_file(path, "OUTPUT_DIRS.DIALY = 5\nFOO = [1]")) == [
        f"OUTPUT_DIRS.DIALY: is no setting (file {path}), did you mean OUTPUT_DIRS.DAILY? (got 5)",
        f"FOO: is no setting (file {path}), settings.toml has them all (got [1])",
    ]


@pytest.mark.parametrize("name", ["LUX_", "LUX_HOST__NAME", "LUX_OUTPUT_DIRS__", "LUX_SETTINGS", "LUX_a\nb"])
def test_every_variable_with_our_prefix_must_be_a_setting(name: str) -> None:
    (line,) = problems_of({name: "x"})
    assert "is no setting" in line
    assert "\n" not in line


def test_table_and_value_are_not_taken_for_each_other(tmp_path: Path) -> None:
    wanted = "OUTPUT_DIRS: must be a table with SHARDS, DAILY, WEEKLY, ARCHIVE (got 'x')"
    assert problems_of({"LUX_OUTPUT_DIRS": "x"}) == [wanted]
    assert problems_of(with_file(tmp_path / "a.yaml", "OUTPUT_DIRS: x")) == [wanted]
    assert problems_of(with_file(tmp_path / "b.yaml", "HOST: {name: x}"))[0].startswith("HOST: must be text")


def test_output_folders_are_different_ones(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "daily")
    environ = {
        "LUX_DATA_DIR": str(tmp_path),
        "LUX_OUTPUT_DIRS__WEEKLY": "x/../link",
        "LUX_OUTPUT_DIRS__ARCHIVE": "shards/",
    }
    assert problems_of(environ) == [
        f"OUTPUT_DIRS.WEEKLY: must be another folder than OUTPUT_DIRS.DAILY (got '{tmp_path}/x/../link')",
        f"OUTPUT_DIRS.ARCHIVE: must be another folder than OUTPUT_DIRS.SHARDS (got '{tmp_path}/shards')",
    ]


def test_queue_is_a_file_beside_the_folders() -> None:
    (line,) = problems_of({"LUX_DATA_DIR": "/d", "LUX_CACHE_PATH": "weekly"})
    assert line == "CACHE_PATH: must be a file, but OUTPUT_DIRS.WEEKLY has it as a folder (got '/d/weekly')"


@pytest.mark.parametrize("value", ["", "~/data", "a\0b", "a\nb"])
def test_what_is_no_path_is_refused(value: str) -> None:
    (line,) = problems_of({"LUX_CACHE_PATH": value})
    assert line.startswith("CACHE_PATH: must be")


def test_relative_data_folder_without_a_working_directory_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    (line,) = problems_of({})
    assert line.startswith("DATA_DIR: must be absolute")


# ---- settings files


@pytest.mark.parametrize(
    ("name", "content", "part"),
    [
        ("a.toml", b"HOST = ", "must be sound TOML"),
        ("a.toml", b"PORT = 1\nPORT = 2", "must be sound TOML"),
        ("a.toml", b"PORT = " + b"[" * 10_000, "must be sound TOML"),
        ("a.toml", b"HOST = '\xe4'", "must be text in UTF-8"),
        ("a.yaml", b"a: b: c", "must be sound YAML: mapping values are not allowed here (in line 1)"),
        ("a.yaml", b"PORT: 1\nPORT: 2", 'must be sound YAML: found duplicate key "PORT"'),
        ("a.yaml", b"[" * 600, "must be sound YAML"),
        ("a.yaml", b"? [[1]]\n: 2", "must be sound YAML"),
        ("a.yaml", b"HOST: \x00", "must be sound YAML"),
        ("a.yaml", "HOST: ä".encode("utf-16"), "must be text in UTF-8"),
        ("a.yaml", b"- HOST", "must be keys with values"),
        ("a.yaml", b"HOST", "must be keys with values"),
        ("a.json", b"{}", "must be a file whose name ends in .toml, .yaml or .yml"),
        ("settings", b"", "must be a file whose name ends in .toml, .yaml or .yml"),
    ],
)
def test_broken_file_is_one_line_with_its_name(tmp_path: Path, name: str, content: bytes, part: str) -> None:
    (line,) = problems_of(with_file(tmp_path / name, content))
    assert line.startswith(f"LUX_SETTINGS_FILE: {part}")
    assert line.endswith(f"{tmp_path / name}')")
    assert "\n" not in line


def test_file_that_is_missing_or_a_folder_is_one_line_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "folder.toml").mkdir()
    for name in ("missing.yaml", "folder.toml", "x" * 300 + ".toml", "\0.toml"):
        (line,) = problems_of({"LUX_SETTINGS_FILE": str(tmp_path / name)})
        assert line.startswith("LUX_SETTINGS_FILE: must be a file that")


@pytest.mark.parametrize("name", ["a.toml", "a.yaml"])
def test_file_too_long_for_the_parsers_is_one_line(tmp_path: Path, name: str) -> None:
    (line,) = problems_of(with_file(tmp_path / name, b"#" * 10_000_000))
    assert line == f"LUX_SETTINGS_FILE: must be a file of at most 100 kB (got '{tmp_path}/{name}')"
    assert load(with_file(tmp_path / name, b"#" * 100_000)).port == 8889


def test_file_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.toml").symlink_to("/proc/self/mem")  # a file whose first bytes nobody can read
    (line,) = problems_of({"LUX_SETTINGS_FILE": str(tmp_path / "a.toml")})
    assert line == f"LUX_SETTINGS_FILE: must be a file that can be read: Input/output error (got '{tmp_path}/a.toml')"


@pytest.mark.parametrize("content", [b"", b"# nothing\n", b"\xef\xbb\xbfPORT = 8889"])
def test_empty_file_and_byte_order_mark_are_fine(tmp_path: Path, content: bytes) -> None:
    assert load(with_file(tmp_path / "a.toml", content)).port == 8889
    assert load({"LUX_SETTINGS_FILE": ""}).port == 8889


def test_installation_without_its_manual_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings_layers, "DEFAULTS", tmp_path / "settings.toml")
    assert problems_of({}) == [f"settings.toml: must be a file that exists (got '{tmp_path}/settings.toml')"]
    (tmp_path / "settings.toml").write_text(DEFAULTS.read_text().replace("PORT = 8889\n", ""))
    assert problems_of({}) == ["PORT: must stand in settings.toml (got None)"]
    assert load({"LUX_PORT": "1"}).port == 1


# ---- folders


def folders(root: Path) -> list[Path]:
    return sorted(root.rglob("*"))


def test_folders_that_can_be_made_are_fine_and_not_made(tmp_path: Path) -> None:
    found = load({"LUX_DATA_DIR": str(tmp_path / "new/data")}, needs_folders=True)
    assert found.data_dir == tmp_path / "new/data"
    assert folders(tmp_path) == []


def test_absolute_paths_stand_by_themselves(tmp_path: Path) -> None:
    found = load({"LUX_DATA_DIR": str(tmp_path), "LUX_CACHE_PATH": "/var/q.db", "LUX_OUTPUT_DIRS__DAILY": "/srv/daily"})
    assert (found.cache_path, found.output.daily) == (Path("/var/q.db"), Path("/srv/daily"))
    assert found.output.weekly == tmp_path / "weekly"


def test_each_folder_behind_a_file_is_a_problem_and_nothing_is_created(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    environ = {"LUX_DATA_DIR": str(tmp_path / "data"), "LUX_OUTPUT_DIRS__DAILY": str(tmp_path / "file/daily")}
    environ |= {"LUX_OUTPUT_DIRS__WEEKLY": str(tmp_path / "file"), "LUX_CACHE_PATH": str(tmp_path / "file/q.db")}
    why = f"that can be written, but {tmp_path}/file is no folder"
    assert problems_of(environ, needs_folders=True) == [
        f"CACHE_PATH: must be a file on a local disk {why} (got '{tmp_path}/file/q.db')",
        f"OUTPUT_DIRS.DAILY: must be a folder {why} (got '{tmp_path}/file/daily')",
        f"OUTPUT_DIRS.WEEKLY: must be a folder {why} (got '{tmp_path}/file')",
    ]
    assert folders(tmp_path) == [tmp_path / "file"]
    assert load(environ).output.weekly == tmp_path / "file"


def test_folder_without_the_right_to_write_is_told_once_with_what_mends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def as_user(path: Path, mode: int) -> bool:  # root may write anywhere
        return path.exists() and (path != locked or mode == os.F_OK)

    locked = tmp_path / "locked"
    locked.mkdir()
    monkeypatch.setattr(os, "access", as_user)
    user, group = os.getuid(), os.getgid()
    (line,) = problems_of({"LUX_DATA_DIR": str(locked)}, needs_folders=True)
    assert line == (
        f"DATA_DIR: must be a folder that can be written, but user {user} may not write {locked}, which belongs to user"
        f" {user}: sudo chown -R {user}:{group} {locked} (in a container: of the folder that is mounted there)"
        f" (got '{locked}')"
    )
    assert folders(tmp_path) == [locked]


def test_folder_on_a_read_only_file_system_is_told_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: mode == os.F_OK and Path(path).exists())
    (line,) = problems_of({"LUX_DATA_DIR": "/proc/sys/kernel"}, needs_folders=True)
    assert "may not write /proc/sys/kernel" in line
    flags = os.statvfs(tmp_path)
    monkeypatch.setattr(os, "statvfs", lambda place: SimpleNamespace(f_flag=flags.f_flag | os.ST_RDONLY))
    (line,) = problems_of({"LUX_DATA_DIR": str(tmp_path)}, needs_folders=True)
    assert f"but {tmp_path} is on a file system that is mounted read-only" in line


def test_folder_at_a_broken_link_or_with_too_long_a_name_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "broken").symlink_to(tmp_path / "nowhere")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for name in ("broken", "loop/x", "x" * 300):
        (line,) = problems_of(
            {"LUX_DATA_DIR": str(tmp_path / "data"), "LUX_OUTPUT_DIRS__DAILY": str(tmp_path / name)}, needs_folders=True
        )
        assert line.startswith("OUTPUT_DIRS.DAILY: must be a folder that can be written, but ")


def test_queue_at_a_folder_or_a_locked_file_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / "q.db"
    environ = {"LUX_DATA_DIR": str(tmp_path), "LUX_CACHE_PATH": "q.db"}
    cache.mkdir()
    assert f"but {cache} is a folder" in problems_of(environ, needs_folders=True)[0]
    cache.rmdir()
    cache.touch()
    assert load(environ, needs_folders=True).cache_path == cache
    monkeypatch.setattr(os, "access", lambda path, mode: path != cache or mode == os.F_OK)
    assert f"may not write {cache}" in problems_of(environ, needs_folders=True)[0]


def test_queue_at_a_path_too_long_for_sqlite_is_a_problem(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["x" * 50] * 4)
    longest = deep / ("q" * (449 - len(str(deep))))
    assert load({"LUX_DATA_DIR": str(tmp_path), "LUX_CACHE_PATH": str(longest)}, needs_folders=True)
    longest.parent.mkdir(parents=True)
    with closing(Queue(longest)) as queue:
        assert queue.depth() == 0
    (line,) = problems_of({"LUX_DATA_DIR": str(tmp_path), "LUX_CACHE_PATH": f"{longest}q"}, needs_folders=True)
    assert line.startswith("CACHE_PATH: must be a file on a local disk that can be written, but its path has 451 bytes")


MOUNTINFO = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
23 22 0:30 / /srv rw - nfs4 nas:/srv rw
24 23 8:2 / /srv/local rw master:1 - btrfs /dev/sdb1 rw
25 22 0:31 / /with\\040space rw - cifs //nas/x rw
26 22 0:32 / /twice rw - nfs nas:/x rw
27 22 8:3 / /twice rw - xfs /dev/sdc1 rw
torn line
28 22 0:33 - ext4
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "ext4"),
        ("/data/queue.db", "ext4"),
        ("/srv/x/queue.db", "nfs4"),
        ("/srvx/queue.db", "ext4"),
        ("/srv/local/queue.db", "btrfs"),
        ("/with space/queue.db", "cifs"),
        ("/twice/queue.db", "xfs"),
    ],
)
def test_file_system_of_a_path_is_that_of_its_longest_mount(path: str, kind: str) -> None:
    assert machine.file_system(Path(path), MOUNTINFO) == kind
    assert machine.file_system(Path(path), "") == ""


@pytest.mark.parametrize(
    "kind", ["nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "glusterfs", "fuse.sshfs", "lustre", "afs"]
)
def test_queue_on_a_network_share_is_refused_with_the_reason(tmp_path: Path, kind: str) -> None:
    mounts(tmp_path, f"1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 0:9 / {tmp_path} rw - {kind} nas:/x rw\n")
    environ = {"LUX_DATA_DIR": str(tmp_path / "data")}
    (line,) = problems_of(environ, needs_folders=True, root=tmp_path)
    assert line.startswith("CACHE_PATH: must be a file on a local disk")
    assert f"it is on {kind}: SQLite's WAL does not work over a network" in line
    assert load(environ | {"LUX_CACHE_PATH": "/tmp/q.db"}, needs_folders=True, root=tmp_path)
    assert load(environ, root=tmp_path)


def test_queue_is_taken_to_be_local_where_the_machine_does_not_say(tmp_path: Path) -> None:
    assert load({"LUX_DATA_DIR": str(tmp_path)}, needs_folders=True, root=tmp_path)


@pytest.mark.parametrize("kind", ["ext4", "overlay", "tmpfs", "fuse.mergerfs", "zfs"])
def test_queue_on_a_local_disk_is_fine(tmp_path: Path, kind: str) -> None:
    mounts(tmp_path, f"1 0 8:1 / / rw - {kind} x rw\n")
    assert load({"LUX_DATA_DIR": str(tmp_path)}, needs_folders=True, root=tmp_path)


def mounts(root: Path, mountinfo: str) -> None:
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/mountinfo").write_text(mountinfo)


# ---- time zone


def system(root: Path, *, timezone: str = "", localtime: str = "") -> Path:
    (root / "etc").mkdir()
    if timezone:
        (root / "etc/timezone").write_text(timezone)
    if localtime:
        (root / "etc/localtime").symlink_to(localtime)
    return root


def test_zone_comes_from_the_first_that_names_one(tmp_path: Path) -> None:
    root = system(tmp_path, timezone="Europe/Vienna\n", localtime="/usr/share/zoneinfo/Europe/Rome")
    chain = [
        ({"LUX_TIMEZONE": "Europe/Berlin", "TZ": "Europe/Paris"}, "Europe/Berlin", "environment LUX_TIMEZONE"),
        ({"LUX_TIMEZONE": "", "TZ": "Europe/Paris"}, "Europe/Paris", "default TZ=Europe/Paris"),
        ({"TZ": ":/usr/share/zoneinfo/Europe/Paris"}, "Europe/Paris", "default TZ=/usr/share/zoneinfo/Europe/Paris"),
        ({"TZ": ""}, "Europe/Vienna", "default /etc/timezone"),
        ({"TZ": ":/etc/localtime"}, "Europe/Vienna", "default /etc/timezone"),
    ]
    for environ, name, origin in chain:
        found = load(environ, root=root)
        assert (found.zone.key, found.origins["TIMEZONE"], found.warnings) == (name, origin, ())
    (root / "etc/timezone").write_bytes(b"\xff")
    assert load({}, root=root).zone.key == "Europe/Rome"
    (root / "etc/timezone").write_text("Europe/Nowhere")
    assert load({}, root=root).origins["TIMEZONE"] == "default /etc/localtime"


def test_zone_is_utc_with_a_warning_where_nobody_names_one(tmp_path: Path) -> None:
    found = load({}, root=system(tmp_path, localtime="/somewhere"))
    assert (found.zone.key, found.origins["TIMEZONE"]) == ("UTC", "default UTC, as the system names no zone")
    assert len(found.warnings) == 1


@pytest.mark.parametrize("mark", [".dockerenv", "run/.containerenv", "container"])
def test_utc_by_default_in_a_container_gives_one_warning_that_says_what_to_set(tmp_path: Path, mark: str) -> None:
    root = system(tmp_path, timezone="Etc/UTC")
    assert load({}, root=root).warnings == ()
    (root / mark).parent.mkdir(exist_ok=True)
    if mark != "container":
        (root / mark).touch()
    environ = {"container": "podman"} if mark == "container" else {}
    (warning,) = load(environ, root=root).warnings
    assert "Etc/UTC (default /etc/timezone)" in warning
    assert "TZ=Europe/Berlin" in warning
    assert load(environ | {"LUX_TIMEZONE": "UTC"}, root=root).warnings == ()
    assert load(environ | {"TZ": "Europe/Berlin"}, root=root).warnings == ()
    assert len(load(environ | {"TZ": "UTC"}, root=root).warnings) == 1


@pytest.mark.parametrize(
    "name", ["Europe", "Berlin", "CET-1CEST,M3.5.0,M10.5.0/3", "../etc/passwd", "Europe/", "a\0", " "]
)
def test_zone_that_nobody_knows_is_refused_wherever_it_stands(name: str) -> None:
    for environ in ({"LUX_TIMEZONE": name}, {"TZ": name}):
        (line,) = problems_of(environ)
        assert line.startswith("TIMEZONE: must be")


# ---- whatever comes


def problems_if_any(environ: dict[str, str]) -> tuple[str, ...]:
    try:
        load(environ, needs_host=True, needs_folders=True)
    except SettingsError as error:
        return error.problems or ("an error without a line",)
    return ()


def is_a_line(problem: str) -> bool:
    return problem.isprintable() and re.fullmatch(r".*: .+ \(got .*\)", problem) is not None


@given(st.dictionaries(VARIABLES, VALUES, max_size=6))
def test_any_environment_gives_settings_or_lines(environ: dict[str, str]) -> None:
    assert all(map(is_a_line, problems_if_any(environ)))


@given(CONTENTS, st.sampled_from([".toml", ".yaml"]))
def test_any_file_gives_settings_or_lines(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, suffix: str
) -> None:
    path = tmp_path_factory.getbasetemp() / f"any{suffix}"
    assert all(map(is_a_line, problems_if_any(with_file(path, content))))
