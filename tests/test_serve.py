"""The API as a client sees it: a real server over a real service, asked with HTTPX."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import socket
import threading
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import httpx
import pandas as pd
import pytest

from pipeline import queue_view, status
from pipeline.clock import SystemClock, from_ms, parse_utc_text
from pipeline.gap import LOGGER_OFF, Gap
from pipeline.gap_book import GapBook
from pipeline.labels import GROUPS
from tests.serving import COMPRESSOR, FLOW, Served, serving

TOKEN = "a-long-enough-secret"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("served")) as found:
        yield found


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("locked"), 1, HTTP_TOKEN=TOKEN, METRICS_SENSORS="true") as found:
        yield found


def error_of(answer: httpx.Response) -> tuple[int, str]:
    """The status and the message of an error, which has one shape."""
    found = answer.json()["error"]
    assert set(found) == {"message", "hint"}
    return answer.status_code, found["message"]


# ---- health


def test_health_has_the_verdict_of_status(served: Served) -> None:
    answer = served.get("/health")
    found = status.collect(served.chosen, SystemClock().utc())
    assert answer.json() == {"status": found["status"], "reasons": found["reasons"]}
    assert answer.status_code == (200 if found["status"] == "ok" else 503)


def test_health_fails_with_its_reason_while_the_process_lives(tmp_path: Path) -> None:
    with serving(tmp_path, 0) as found:
        path = found.chosen.data_dir / "state.json"
        document = json.loads(path.read_text()) | {"written": "2020-01-01T00:00:00.000Z"}
        path.write_text(json.dumps(document))
        answer = found.get("/health")
        assert answer.status_code == 503
        assert any("has not told its state" in reason for reason in answer.json()["reasons"])
        assert found.get("/health/live").status_code == 200


# ---- data


def test_sensors_have_names_labels_units_kinds_and_groups(served: Served) -> None:
    found = served.get("/api/sensors").json()
    assert [group["key"] for group in found["groups"]] == list(GROUPS)
    sensors = {one["name"]: one for one in found["sensors"]}
    flow, compressor = sensors[FLOW], sensors[COMPRESSOR]
    assert (flow["en"], flow["de"], flow["unit"], flow["kind"]) == (
        "Flow temperature",
        "Vorlauftemperatur",
        "°C",
        "value",
    )
    assert (compressor["kind"], sensors["ID_WEB_WP_BZ_akt"]["kind"]) == ("switch", "state")
    assert sensors["ID_WEB_Zaehler_BetrZeitVD1"]["kind"] == "counter"
    assert sensors["ID_WEB_WP_BZ_akt"]["codes"]["0"] == "heating"
    assert FLOW in next(group for group in found["groups"] if group["key"] == "temperatures")["sensors"]
    assert sensors["calculation_235"]["en"] is None


def test_latest_reading_has_values_in_their_units(served: Served) -> None:
    found = served.get("/api/latest", sensors=f"{FLOW},{COMPRESSOR}").json()
    assert set(found["values"]) == {FLOW, COMPRESSOR}
    assert 10 < found["values"][FLOW] < 70
    assert 0 <= found["age_s"] < 120
    assert (found["zone"], found["interval_s"], found["firmware"]) == ("Europe/Berlin", 30, "V3.88")
    assert len(served.get("/api/latest").json()["values"]) > 1000


def test_series_at_full_resolution_has_every_reading(served: Served) -> None:
    found = served.get("/api/series", **{"sensors": FLOW, "from": "-1d"}).json()
    (one,) = found["series"]
    assert (found["step_ms"], one["unit"]) == (None, "°C")
    times = found["times"][one["t"]]
    assert len(times) == len(one["values"]) == 360
    assert {b - a for a, b in pairwise(times)} == {30_000}


def test_reduced_series_has_least_mean_and_greatest_of_every_reading(served: Served) -> None:
    asked = {"sensors": f"{FLOW},{COMPRESSOR}", "from": "-1d"}
    whole = served.get("/api/series", **asked).json()
    found = served.get("/api/series", **asked, points="50").json()
    assert len(found["times"]) == 1
    assert len(found["times"][0]) <= 50
    for one, full in zip(found["series"], whole["series"], strict=True):
        assert min(one["min"]) == min(full["values"])
        assert max(one["max"]) == max(full["values"])
        assert sum(one["count"]) == len(full["values"])
        mean = sum(m * n for m, n in zip(one["mean"], one["count"], strict=True)) / sum(one["count"])
        assert mean == pytest.approx(sum(full["values"]) / len(full["values"]), abs=0.01)


def test_states_come_as_runs_where_that_is_asked_for(served: Served) -> None:
    asked = {"sensors": f"{FLOW},{COMPRESSOR}", "from": "-1d"}
    whole = served.get("/api/series", **asked).json()
    found = served.get("/api/series", **asked, points="20", states="runs").json()
    flow, compressor = found["series"]
    assert "mean" in flow
    switched = next(one for one in whole["series"] if one["name"] == COMPRESSOR)
    times = whole["times"][switched["t"]]
    changes = 1 + sum(a != b for a, b in pairwise(switched["values"]))
    starts = found["times"][compressor["t"]]
    assert len(starts) == len(compressor["ends"]) == len(compressor["values"]) == changes
    assert (starts[0], compressor["ends"][-1]) == (times[0], times[-1] + 30_000)
    assert starts[1:] == compressor["ends"][:-1]


def test_reading_that_comes_is_in_the_next_answer(tmp_path: Path) -> None:
    with serving(tmp_path, 1) as found:
        before = found.get("/api/series", sensors=FLOW).json()["times"][0]
        last = found.built.store.newest
        assert last is None
        newest = found.get("/api/latest").json()["time"]
        reading = next(iter(found.built.store.query(*_day_around(parse_utc_text(newest)))))
        found.built.store.add(SystemClock().utc(), reading.answer)
        assert found.get("/api/latest").json()["time"] > newest
        while found.built.write.step(0) == 0:
            pass
        assert len(found.get("/api/series", sensors=FLOW).json()["times"][0]) == len(before) + 1


def _day_around(time_ms: int) -> tuple[datetime, datetime]:
    return from_ms(time_ms) - timedelta(days=1), from_ms(time_ms) + timedelta(days=1)


def test_gaps_are_explicit_with_their_reason(tmp_path: Path) -> None:
    with serving(tmp_path, 1) as found:
        now_ms = parse_utc_text(found.get("/api/latest").json()["time"])
        book = GapBook(found.chosen.data_dir / "gaps.csv", lambda _name, _data: None)
        book.add([Gap(now_ms - 600_000, now_ms - 300_000, 10, 10, LOGGER_OFF)])
        answer = found.get("/api/series", sensors=FLOW)
        series = answer.json()
        assert answer.status_code == 200, series
        assert [(gap["reason"], gap["missing"]) for gap in series["gaps"]] == [(LOGGER_OFF, 10)]
        gaps = found.get("/api/gaps").json()
        assert gaps["gaps"] == series["gaps"]
        assert gaps["reasons"] == {LOGGER_OFF: {"gaps": 1, "missing": 10}}
        assert found.get("/api/series", **{"sensors": FLOW, "from": "-30d", "to": "-2d"}).json()["gaps"] == []


def test_documents_are_those_of_the_commands(served: Served) -> None:
    told = served.get("/api/status").json()
    assert told == json.loads(json.dumps(status.collect(served.chosen, SystemClock().utc())))
    view = queue_view.look(served.chosen.cache_path, served.chosen.data_dir / "quarantine")
    assert served.get("/api/queue").json()["depth"] == view.depth == 0
    assert served.get("/api/queue/history").json()["depth"] == [0]


def test_settings_in_force_have_no_secret(locked: Served) -> None:
    answer = locked.get("/api/settings")
    rows = {row["key"]: row for row in answer.json()["settings"]}
    assert (rows["HTTP_TOKEN"]["value"], rows["HTTP_TOKEN"]["from"]) == (
        "(set, not shown)",
        "environment LUX_HTTP_TOKEN",
    )
    assert rows["TIMEZONE"]["value"] == "Europe/Berlin"
    assert TOKEN not in answer.text


@pytest.mark.parametrize(
    ("path", "parameters", "message"),
    [
        ("/api/series", {}, "no sensor is named"),
        ("/api/series", {"sensors": "nonsense"}, "no sensor nonsense"),
        ("/api/series", {"sensors": ",".join(f"s{n}" for n in range(41))}, "41 sensors are too many"),
        ("/api/series", {"sensors": FLOW, "points": "1"}, "points must be from 2 to 5000, not '1'"),
        ("/api/series", {"sensors": FLOW, "points": "9" * 5000}, "points must be from 2 to 5000"),
        ("/api/series", {"sensors": FLOW, "points": "٣"}, "points must be from 2 to 5000"),
        ("/api/series", {"sensors": FLOW, "states": "all"}, "states cannot be 'all'"),
        ("/api/series", {"sensors": FLOW, "from": "-300d"}, "300 days are too many for every value"),
        ("/api/series", {"sensors": FLOW, "from": "yesterday"}, "from must be a time, not 'yesterday'"),
        ("/api/series", {"sensors": FLOW, "from": "0001-01-01T00:00+23:00"}, "from must be a time"),
        (
            "/api/series",
            {"sensors": FLOW, "from": "2026-02-02", "to": "2026-02-01"},
            "the end '2026-02-01' lies before",
        ),
        ("/api/latest", {"sensors": "nonsense"}, "the last reading has no sensor 'nonsense'"),
        ("/api/gaps", {"to": "1e9"}, "to must be a time, not '1e9'"),
        ("/api/export", {"format": "xls"}, "no format 'xls'"),
        ("/api/export", {"sensors": "nonsense"}, "no sensor with readings in this time fits 'nonsense'"),
        ("/api/export", {"every": "7min"}, "must be a part of a day"),
        ("/api/export", {"labels": "fr"}, "invalid choice"),
        ("/api/export/check", {"format": "xls"}, "no format 'xls'"),
        ("/api/export/check", {"sensors": "nonsense"}, "no sensor with readings in this time fits 'nonsense'"),
        ("/api/export/check", {"to": "1e9"}, "to must be a time, not '1e9'"),
    ],
)
def test_what_cannot_be_answered_is_told_in_one_shape(
    served: Served, path: str, parameters: dict[str, str], message: str
) -> None:
    code, told = error_of(served.get(path, **parameters))
    assert code == 400
    assert message in told


def test_what_nobody_expected_is_told_in_the_same_shape_and_logged(
    served: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(served.built.marks, "_known", None)
    assert error_of(served.get("/api/series", sensors=FLOW)) == (500, "unexpected: AttributeError")
    assert "Traceback" in caplog.text
    monkeypatch.undo()
    assert served.get("/api/series", sensors=FLOW).status_code == 200


# ---- files


def test_shard_is_handed_out_whole_and_in_ranges(served: Served) -> None:
    listed = served.get("/api/rollups").json()
    newest = listed["shards"][0]
    path = served.chosen.output.shards / newest["name"]
    content = path.read_bytes()
    assert (newest["size"], newest["day"]) == (len(content), path.name[:10])
    assert served.client.get(newest["url"]).content == content
    part = served.client.get(newest["url"], headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, content[100:200])
    beyond = served.client.get(newest["url"], headers={"Range": f"bytes={len(content) + 5}-"})
    assert beyond.status_code == 416


@pytest.mark.parametrize(
    "path",
    [
        "/files/shards/../gaps.csv",
        "/files/shards/..%2Fgaps.csv",
        "/files/shards/%2e%2e/gaps.csv",
        "/files/shards/..%5c..%5cgaps.csv",
        "/files/shards/%2Fetc%2Fpasswd",
        "/files/shards//etc/passwd",
        "/files/shards/2026-01-05.csv%00",
        "/files/daily/link_daily.csv",
        "/files/shards/2001-01-01.csv",
        "/files/other/2026-01-05.csv",
        "/files/shards/",
        "/api/nothing",
        "/nothing",
        "/../../etc/passwd",
    ],
)
def test_name_never_leaves_its_folder(served: Served, path: str) -> None:
    link = served.chosen.output.shards / "2001-01-01.csv"
    if not link.is_symlink():
        link.symlink_to("/etc/passwd")
    raw = httpx.URL(served.url).copy_with(raw_path=path.encode())
    answer = served.client.get(raw)
    assert answer.status_code == 404
    assert "root:" not in answer.text
    error_of(answer)


# ---- exports


def test_export_streams_what_the_command_makes(served: Served) -> None:
    answer = served.get("/api/export", sensors=f"{FLOW},{COMPRESSOR}", format="csv")
    assert answer.headers["content-disposition"].startswith('attachment; filename="luxtronik_')
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == 360
    assert list(rows[0]) == ["time", "local_time", "source", FLOW, COMPRESSOR]
    german = served.get("/api/export", groups="temperatures", locale="de", labels="de", every="1h").content.decode(
        "utf-8-sig"
    )
    assert "Vorlauftemperatur [°C]" in german.splitlines()[0].split(";")


def test_stata_export_is_opened_by_pandas(served: Served) -> None:
    answer = served.get("/api/export", sensors=FLOW, format="dta")
    assert len(pd.read_stata(io.BytesIO(answer.content))) == 360


def test_export_that_was_checked_has_its_place(tmp_path: Path) -> None:
    with serving(tmp_path, 20) as found:
        now = parse_utc_text(found.get("/api/latest").json()["time"])
        asked = {"from": str(now - 86_400_000), "to": str(now), "sensors": FLOW}
        with found.client.stream("GET", "/api/export") as one:
            assert one.status_code == 200
            answer = found.get("/api/export/check", **asked)
            assert (answer.status_code, list(answer.json())) == (200, ["file"])
            code, told = error_of(found.get("/api/export/check", sensors=COMPRESSOR))
            assert (code, "2 exports run already" in told) == (503, True)
            export = found.get("/api/export", **asked)
        assert export.headers["content-disposition"] == f'attachment; filename="{answer.json()["file"]}"'
        assert len(export.text.splitlines()) == 2400


def test_third_export_at_once_is_told_to_come_again(tmp_path: Path) -> None:
    # More than sockets hold for a reader that does not read.
    with serving(tmp_path, 20) as found:
        stream = found.client.stream
        with stream("GET", "/api/export") as one, stream("GET", "/api/export") as two:
            assert (one.status_code, two.status_code) == (200, 200)
            answer = found.get("/api/export", sensors=FLOW)
            code, told = error_of(answer)
            assert (code, answer.headers["retry-after"]) == (503, "2")
            assert "2 exports run already" in told
        # A reader that went away gives its place back.
        while found.get("/api/export", sensors=FLOW, every="1h").status_code != 200:
            pass


def test_reader_that_leaves_before_the_first_byte_gives_its_place_back(served: Served) -> None:
    address = httpx.URL(served.url)
    # Once more, as the export behind them may be served before they are.
    for _ in range(2):
        for _ in range(2):
            with socket.create_connection((address.host, address.port or 0), timeout=8) as hasty:
                hasty.sendall(b"GET /api/export HTTP/1.1\r\nHost: a\r\n\r\n")
        while served.get("/api/export", sensors=FLOW, every="1h").status_code != 200:
            pass


# ---- access


def test_answers_carry_their_guards(served: Served) -> None:
    for path in ("/", "/health", "/api/queue", "/api/nothing", "/openapi.json"):
        headers = served.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'self'; ")
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"
        assert "server" not in headers
        assert not [name for name in headers if name.startswith("access-control")]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_nothing_but_reading_is_possible(served: Served, method: str) -> None:
    answer = served.client.request(method, "/api/queue")
    assert error_of(answer) == (405, f"{method} is not possible")
    assert answer.headers["allow"] == "GET, HEAD"


def test_head_has_the_headers_alone(served: Served) -> None:
    answer = served.client.head("/api/queue")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"] == "application/json"


def test_text_is_squeezed_where_a_client_takes_that(served: Served) -> None:
    squeezed = served.client.get("/api/sensors", headers={"Accept-Encoding": "gzip"})
    plain = served.client.get("/api/sensors", headers={"Accept-Encoding": "identity"})
    assert squeezed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert squeezed.json() == plain.json()
    assert len(gzip.compress(plain.content)) < len(plain.content) / 5


def test_token_is_asked_for_everywhere_but_at_health(locked: Served) -> None:
    with httpx.Client(base_url=locked.url) as stranger:
        assert [stranger.get(path).status_code for path in ("/health/live", "/login")] == [200, 200]
        assert stranger.get("/health").status_code in (200, 503)
        for path in ("/metrics", "/api/latest", "/api/status", "/openapi.json", "/files/shards/x.csv", "/assets/x.js"):
            answer = stranger.get(path)
            assert error_of(answer) == (401, "a token is needed")
            assert answer.headers["www-authenticate"] == "Bearer"
        for given in ("Bearer wrong", f"Basic {TOKEN}", "Bearer", f"Bearer {TOKEN}x"):
            assert stranger.get("/api/latest", headers={"Authorization": given}).status_code == 401
        page = stranger.get("/", headers={"Accept": "text/html"})
        assert (page.status_code, page.headers["location"]) == (303, "/login")
    assert locked.get("/api/latest").status_code == 200


def test_token_typed_once_is_kept_as_a_cookie_that_does_not_hold_it(locked: Served) -> None:
    with httpx.Client(base_url=locked.url) as browser:
        wrong = browser.post("/login", data={"token": "not-the-token"})
        assert (wrong.status_code, "This is not the token." in wrong.text) == (401, True)
        assert browser.get("/api/latest").status_code == 401
        right = browser.post("/login", data={"token": TOKEN})
        assert (right.status_code, right.headers["location"]) == (303, "/")
        cookie = right.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert TOKEN not in cookie
        assert browser.get("/api/latest").status_code == 200
        browser.cookies.clear()
        assert browser.get("/api/latest", headers={"Cookie": "luxtronik_logger=0;;==\x7f"}).status_code == 401
        assert browser.post("/login", content=b"token=" + b"x" * 100_000).status_code == 401


# ---- metrics


def figures(text: str) -> dict[str, float]:
    return {
        line.rpartition(" ")[0]: float(line.rpartition(" ")[2])
        for line in text.splitlines()
        if not line.startswith("#")
    }


def test_metrics_tell_what_was_stored(served: Served) -> None:
    answer = served.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    found = figures(answer.text)
    assert found["luxtronik_logger_rows_written_total"] == 360
    shards = served.chosen.output.shards
    headers = sum(path.read_bytes().index(b"\n") + 1 for path in shards.glob("*.csv") if not path.is_symlink())
    size = sum(path.stat().st_size for path in shards.glob("*.csv") if not path.is_symlink())
    assert found["luxtronik_logger_bytes_written_total"] == size - headers
    assert found["luxtronik_logger_queue_depth"] == 0
    assert not [name for name in found if name.startswith("luxtronik_logger_sensor")]


def test_metrics_have_every_sensor_where_they_are_asked_for(locked: Served) -> None:
    found = figures(locked.get("/metrics").text)
    flow = locked.get("/api/latest", sensors=FLOW).json()["values"][FLOW]
    assert found[f'luxtronik_logger_sensor{{group="calculations",name="{FLOW}",unit="°C"}}'] == flow


# ---- many


def test_crowd_is_answered_or_told_to_come_again(served: Served) -> None:
    codes: list[int] = []

    def ask() -> None:
        with httpx.Client(base_url=served.url, timeout=9) as client:
            codes.append(client.get("/api/series", params={"sensors": FLOW, "points": "500"}).status_code)

    threads = [threading.Thread(target=ask) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(codes) <= {200, 503}
    assert codes.count(200) >= 16


def test_openapi_lists_every_address(served: Served) -> None:
    found = served.get("/openapi.json").json()
    assert {"/health", "/metrics", "/api/series", "/api/export", "/api/export/check", "/files/{kind}/{name}"} <= set(
        found["paths"]
    )
    assert all(list(methods) == ["get"] and methods["get"]["summary"] for methods in found["paths"].values())


def test_days_of_the_listing_are_dates(served: Served) -> None:
    listed = served.get("/api/rollups").json()
    assert all(date.fromisoformat(file["day"]) for kind in listed.values() for file in kind)
    assert os.path.basename(listed["shards"][0]["url"]) == listed["shards"][0]["name"]  # noqa: PTH119
