"""Every panel of Grafana: its SQL has rows on real books, its PromQL is PromQL, its file is what the code says."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]  # no stubs are installed

from connectors.telemetry.metric_index import COUNTED
from deploy.grafana.panel import Dashboard, Draw, Panel
from deploy.grafana.render import CLICKHOUSE, DASHBOARDS, FOLDER, PROMETHEUS, json_of, path_of
from schemas.events import DeadLetter, JobControl, OperationEvent
from schemas.states import ControlAction, OperationKind, ResultStatus
from schemas.topics import CONTROL, DEAD_LETTERS, OPERATIONS, RESULTS
from stream_apps.usage_sink.query_check import checked_query
from tests.books import AT, Books, answer, open_books
from tests.grafana import asked_of_clickhouse, asked_of_prometheus

ROOT = Path(__file__).parents[2]
PANELS = [panel for dashboard in DASHBOARDS for panel in dashboard.panels]
SQL = [panel for panel in PANELS if panel.sql]
PROMQL = [panel for panel in PANELS if panel.promql]


@pytest.fixture(scope="module")
def books(tmp_path_factory) -> Iterator[Books]:
    """The busy hour, and what goes wrong in it."""
    with open_books(tmp_path_factory.mktemp("books")) as books:
        books.told(RESULTS, answer("acme", "late", 10, 9_000.0))
        books.told(RESULTS, answer("acme", "failed", 0, 5.0, status=ResultStatus.FAILED, error_cause="too_large"))
        letter = DeadLetter(dead_letter_id="d1", stage="intake", cause="too_large", message="", failed_at=AT)
        books.told(DEAD_LETTERS, letter, b"d1")
        books.told(OPERATIONS, decision())
        books.told(CONTROL, order())
        yield books


def decision() -> OperationEvent:
    return OperationEvent(
        event_id="scaled",
        kind=OperationKind.SCALING,
        actor="autoscaler",
        state="deadline",
        since=AT,
        at=AT,
        figures={"replicas": 3, "needed": 3, "ready": 2, "pending": 1},
    )


def order() -> JobControl:
    return JobControl(
        tenant="acme", request_id="r9", action=ControlAction.CANCEL, requested_by="acme", cause="cancelled", at=AT
    )


def by_title(panel: Panel) -> str:
    return panel.title


@pytest.mark.parametrize("panel", SQL, ids=by_title)
def test_the_sql_of_a_panel_has_rows_on_the_books(books, panel):
    # As the query interface hands it on: it reads our tables and nothing else.
    sql = checked_query(asked_of_clickhouse(panel.sql), "JSON", ()).sql
    answered = json.loads(books.database.answer(sql, "JSON", {}))
    rows, columns = answered["data"], answered["meta"]
    assert rows, panel.title
    if panel.draw is Draw.STAT:
        ((number,),) = [row.values() for row in rows]
        assert float(number) > 0
    if panel.draw is Draw.SERIES:
        time, name, value = columns
        assert time["name"] == "time"
        assert time["type"].startswith("DateTime")
        assert "String" in name["type"]
        assert re.search("Float|UInt", value["type"])


def test_promtool_understands_every_promql(tmp_path):
    promtool = shutil.which("promtool")
    if promtool is None:
        assert not os.environ.get("CI"), "promtool is missing: apt-get install prometheus"
        pytest.skip("promtool is missing: apt-get install prometheus")
    rules = [
        {"record": f"panel:{number}", "expr": asked_of_prometheus(panel.promql)}
        for number, panel in enumerate(PROMQL)
    ]
    file = tmp_path / "panels.yml"
    file.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
    done = subprocess.run([promtool, "check", "rules", file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(PROMQL)} rules found" in done.stdout
    config = ROOT / "deploy" / "prometheus" / "prometheus_of_compose.yml"
    done = subprocess.run([promtool, "check", "config", config], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("panel", PROMQL, ids=by_title)
def test_promql_asks_for_metrics_that_exist(panel):
    asked = set(re.findall(r"(?<![\w:])dragoman_\w+", panel.promql))
    metrics = [next(iter(metric.describe())).name for found in COUNTED.values() for metric in found]
    assert {name for name in asked if not name.startswith(tuple(metrics))} == set()
    recorded = (ROOT / "deploy" / "prometheus" / "recording_rules.yml").read_text()
    assert all(f"record: {name}\n" in recorded for name in re.findall(r"\w+:dragoman\w*:\w+", panel.promql))


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda one: one.title)
def test_the_file_of_a_dashboard_is_what_the_code_says(dashboard):
    assert path_of(dashboard).read_text() == json_of(dashboard), "run: make dashboards"


def test_there_are_five_dashboards_one_with_the_list_of_alerts_and_no_file_too_many():
    names = {"overview", "workers", "queues", "cost", "users"}
    assert {file.stem for file in FOLDER.glob("*.json")} == names
    assert [panel.title for panel in PANELS if panel.draw is Draw.ALERTS] == ["Alerts"]


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda one: one.title)
def test_panels_do_not_overlap_and_their_data_sources_are_provisioned(dashboard: Dashboard):
    known = yaml.safe_load((FOLDER.parent / "provisioning" / "datasources" / "dragoman.yml").read_text())
    uids = {one["uid"]: one["type"] for one in known["datasources"]}
    assert uids == {one["uid"]: one["type"] for one in (CLICKHOUSE, PROMETHEUS)}
    taken: set[tuple[int, int]] = set()
    for panel in json.loads(json_of(dashboard))["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken
        assert at["x"] + at["w"] <= 24
        assert panel["datasource"]["uid"] in uids
        taken |= cells


def test_a_panel_asks_one_question_and_titles_are_distinct():
    for dashboard in DASHBOARDS:
        titles = [panel.title for panel in dashboard.panels]
        assert len(titles) == len(set(titles))
    assert all(bool(panel.sql) + bool(panel.promql) == (panel.draw is not Draw.ALERTS) for panel in PANELS)
