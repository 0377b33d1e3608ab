"""Holds the dashboard in docs/grafana.json against what /metrics of a running service gives, and docs of it."""

from __future__ import annotations

import json
import re
import time
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from dynaconf.vendor.ruamel import yaml
from prometheus_client.parser import text_string_to_metric_families

from pipeline import labels, sensors
from pipeline.house import House
from pipeline.simulator import Fault, SimulatedPump
from tests.running import ROOT, fast_service
from tests.serving import free_port, serving
from tests.test_docs import blocks

#: What Prometheus adds to every sample of a target.
OF_PROMETHEUS = {"instance", "job"}
#: The functions and words of PromQL that the dashboard uses.
WORDS = {"by", "delta", "increase", "rate", "sum", "time"}

SELECTOR = re.compile(r"([A-Za-z_:][\w:]*)\{([^}]*)\}")
MATCHER = re.compile(r'(\w+)\s*(=~|=)\s*"([^"]*)"')

#: The labels of each sample, by its name.
Samples = dict[str, list[dict[str, str]]]


@cache
def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "docs" / "grafana.json").read_text(encoding="utf-8"))
    return found


def panels() -> list[dict[str, Any]]:
    """Every panel that shows something, those of closed rows included."""
    everything = [each for row in dashboard()["panels"] for each in (row, *row.get("panels", ()))]
    return [panel for panel in everything if panel["type"] != "row"]


def targets() -> list[dict[str, Any]]:
    return [target for panel in panels() for target in panel["targets"]]


def variables() -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in dashboard()["templating"]["list"]}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    """What a running service gives once each of its figures has a value: the pump refused, then it answered."""
    folder = tmp_path_factory.mktemp("grafana")
    with serving(folder, 2):
        pass  # readings to make files of
    ended = datetime.now(ZoneInfo("Europe/Berlin")) - timedelta(minutes=5)
    port = free_port()
    chosen: dict[str, Any] = {"HTTP_PORT": str(port), "METRICS_SENSORS": "true", "CSV_TIME": f"{ended:%H:%M}"}
    with (
        SimulatedPump(House().answer_at, fault=Fault("busy")) as simulated,
        fast_service(folder / "data", simulated, RETRIES="0", **chosen),
    ):
        url = f"http://127.0.0.1:{port}/metrics"
        _until(url, r"poll_failures_total\{")
        simulated.fault = None
        text = _until(url, r"gaps\{", r"rollup_duration_seconds_count\{", r"_sensor\{", "last_reading")
    families = text_string_to_metric_families(text)
    found: Samples = {}
    for sample in (sample for family in families for sample in family.samples):
        found.setdefault(sample.name, []).append(sample.labels)
    return found


def _until(url: str, *wanted: str) -> str:
    while True:
        try:
            text = httpx.get(url).text
        except httpx.TransportError:
            text = ""
        if all(re.search(one, text) for one in wanted):
            return text
        time.sleep(0.1)


def unknown(expression: str, served: Samples) -> list[str]:
    """What an expression names that the service does not give: metrics, labels, values of labels."""
    found = []
    selected = SELECTOR.findall(expression)
    names: set[str] = set().union(*(_labels(metric, served) for metric, _ in selected))
    for metric, matchers in selected:
        if metric not in served:
            found.append(metric)
            continue
        for name, operator, value in MATCHER.findall(matchers):
            if name not in _labels(metric, served):
                found.append(name)
            elif name not in OF_PROMETHEUS and not _fits(operator, value, [each[name] for each in served[metric]]):
                found.append(value)
        if MATCHER.sub("", matchers).strip(", "):
            found.append(matchers)
    rest = re.sub(r"\[[^\]]*\]", "", SELECTOR.sub("", expression))
    for group in re.findall(r"\bby\s*\(([^)]*)\)", rest):
        found += [name for name in re.findall(r"\w+", group) if name not in names]
    rest = re.sub(r"\bby\s*\([^)]*\)", "", rest)
    return found + [word for word in re.findall(r"[A-Za-z_]\w*", rest) if word not in WORDS]


def _labels(metric: str, served: Samples) -> set[str]:
    return OF_PROMETHEUS.union(*served.get(metric, []))


def _fits(operator: str, value: str, values: list[str]) -> bool:
    if "$" in value:
        return True
    return any(each == value if operator == "=" else re.fullmatch(value, each) for each in values)


def shown_labels(expression: str, served: Samples) -> set[str]:
    """The labels that a result has: those it is summed by, else those of its metrics."""
    if groups := re.findall(r"\bby\s*\(([^)]*)\)", expression):
        return set(re.findall(r"\w+", " ".join(groups)))
    return set().union(*(_labels(metric, served) for metric, _ in SELECTOR.findall(expression)))


@pytest.mark.parametrize(
    ("expression", "wrong"),
    [
        ('luxtronik_logger_nothing{instance="$instance"}', ["luxtronik_logger_nothing"]),
        ('luxtronik_logger_gaps{instance="$instance", cause="disk"}', ["cause"]),
        ('luxtronik_logger_sensor{name="ID_WEB_Nothing"}', ["ID_WEB_Nothing"]),
        ('luxtronik_logger_sensor{name=~"ID_WEB_Nothing.*"}', ["ID_WEB_Nothing.*"]),
        ('sum by (cause) (luxtronik_logger_gaps{instance="$instance"})', ["cause"]),
        ("time() - luxtronik_logger_nothing", ["luxtronik_logger_nothing"]),
        ('frate(luxtronik_logger_polls_total{instance="$instance"}[5m])', ["frate"]),
        ('time() - sum by (reason) (rate(luxtronik_logger_poll_failures_total{instance="a"}[$__rate_interval]))', []),
    ],
)
def test_what_the_service_does_not_give_is_noticed(served: Samples, expression: str, wrong: list[str]) -> None:
    assert unknown(expression, served) == wrong


def test_every_expression_of_the_dashboard_asks_for_what_the_service_gives(served: Samples) -> None:
    assert not {target["expr"]: wrong for target in targets() if (wrong := unknown(target["expr"], served))}
    for target in targets():
        legend = set(re.findall(r"\{\{\s*(\w+)\s*\}\}", target["legendFormat"]))
        assert legend <= shown_labels(target["expr"], served), target["legendFormat"]


def test_every_variable_of_the_dashboard_asks_for_what_the_service_gives(served: Samples) -> None:
    for variable in variables().values():
        if variable["type"] == "query":
            asked = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"])
            assert asked
            selector = asked[1] if "{" in asked[1] else asked[1] + "{}"
            assert not unknown(selector, served)
            assert asked[2] in shown_labels(selector, served)
            assert variable["definition"] == variable["query"]["query"]


def test_dashboard_shows_every_figure_that_the_service_gives(served: Samples) -> None:
    asked = {metric for target in targets() for metric, _ in SELECTOR.findall(target["expr"])}
    assert asked == served.keys()


def test_dashboard_asks_only_the_chosen_source_and_pump() -> None:
    chosen = {"type": "prometheus", "uid": "${datasource}"}
    for panel in panels():
        assert [panel["datasource"], *(target["datasource"] for target in panel["targets"])] == [chosen] * (
            1 + len(panel["targets"])
        )
    for target in targets():
        assert all('instance="$instance"' in matchers for _, matchers in SELECTOR.findall(target["expr"]))
        assert set(re.findall(r"\$(\w+)", target["expr"])) <= {*variables(), "__rate_interval"}


def test_dashboard_can_be_imported() -> None:
    found = dashboard()
    assert (found["id"], found["uid"], found["schemaVersion"] >= 39) == (None, "luxtronik-logger", True)
    everything = [each for row in found["panels"] for each in (row, *row.get("panels", ()))]
    assert len({each["id"] for each in everything}) == len(everything)
    assert all(each["title"] for each in everything)
    covered: set[tuple[int, int]] = set()
    for place in (each["gridPos"] for each in everything):
        cells = {(x + place["x"], y + place["y"]) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & covered
        assert all(x < 24 for x, _ in cells)
        covered |= cells


def test_every_panel_has_a_unit() -> None:
    assert not [panel["title"] for panel in panels() if not panel["fieldConfig"]["defaults"].get("unit")]


def test_sensors_of_the_dashboard_have_their_label_unit_and_codes() -> None:
    units = {"celsius": "°C", "hertz": "Hz", "kwatth": "kWh", "short": "", "none": ""}
    known = {each.name: each for each in sensors.columns((0, 260, 0))}
    for panel in panels():
        for target in panel["targets"]:
            for name in re.findall(r'name="([^"]+)"', target["expr"]):
                assert target["legendFormat"] == labels.text(name, "en")
                assert units[panel["fieldConfig"]["defaults"]["unit"]] == known[name].unit
        if any("ID_WEB_WP_BZ_akt" in target["expr"] for target in panel["targets"]):
            (mapping,) = panel["fieldConfig"]["defaults"]["mappings"]
            told = {int(code): option["text"] for code, option in mapping["options"].items()}
            assert told == dict(known["ID_WEB_WP_BZ_akt"].codes)


# ---- what docs/operation.md tells of it


def test_scrape_config_of_the_docs_fits_the_service(tmp_path_factory: pytest.TempPathFactory) -> None:
    (block,) = blocks(ROOT / "docs" / "operation.md", "yaml")
    (job,) = yaml.safe_load(block)["scrape_configs"]
    assert set(job) == {"job_name", "scrape_interval", "authorization", "static_configs"}
    ((target,),) = (each["targets"] for each in job["static_configs"])
    assert target.endswith(":8000")
    kind, token = job["authorization"].get("type", "Bearer"), job["authorization"]["credentials"]
    with serving(tmp_path_factory.mktemp("scraped"), 0, HTTP_TOKEN=token) as found, httpx.Client() as stranger:
        path = job.get("metrics_path", "/metrics")
        assert stranger.get(found.url + path).status_code == 401
        answer = stranger.get(found.url + path, headers={"Authorization": f"{kind} {token}"})
        assert answer.status_code == 200
