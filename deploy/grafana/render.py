"""Write the dashboards as Grafana's JSON: `python -m deploy.grafana.render` (make dashboards)."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from deploy.grafana.cost import COST
from deploy.grafana.overview import OVERVIEW
from deploy.grafana.panel import Dashboard, Draw, Panel
from deploy.grafana.queues import QUEUES
from deploy.grafana.users import USERS
from deploy.grafana.workers import WORKERS

DASHBOARDS = (OVERVIEW, WORKERS, QUEUES, COST, USERS)
FOLDER = Path(__file__).parent / "dashboards"

# The names under which provisioning/datasources knows them.
CLICKHOUSE = {"type": "grafana-clickhouse-datasource", "uid": "dragoman-clickhouse"}
PROMETHEUS = {"type": "prometheus", "uid": "dragoman-prometheus"}
_SCHEMA_VERSION = 39
_WIDTH, _HEIGHT, _STAT_HEIGHT = 24, 8, 4
_ALERTS = {
    "alertInstanceLabelFilter": "",
    "datasource": "Prometheus",
    "groupMode": "default",
    "maxItems": 20,
    "sortOrder": 3,
    "stateFilter": {"error": True, "firing": True, "noData": False, "normal": False, "pending": True},
    "viewMode": "list",
}


def json_of(dashboard: Dashboard) -> str:
    """Return the file of a dashboard, with its last newline."""
    found = {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "tags": ["dragoman"],
        "schemaVersion": _SCHEMA_VERSION,
        "editable": False,
        "refresh": "30s",
        "time": {"from": dashboard.since, "to": "now"},
        "links": [{"type": "dashboards", "tags": ["dragoman"], "title": "Dragoman", "asDropdown": False}],
        "panels": list(_placed(dashboard.panels)),
    }
    return json.dumps(found, indent=2) + "\n"


def path_of(dashboard: Dashboard) -> Path:
    """Return where the file of a dashboard stands."""
    return FOLDER / f"{dashboard.uid.removeprefix('dragoman-')}.json"


def write_all() -> None:
    """Write every dashboard."""
    for dashboard in DASHBOARDS:
        path_of(dashboard).write_text(json_of(dashboard))


def _placed(panels: Iterable[Panel]) -> Iterator[dict[str, Any]]:
    """Place panels from left to right; a row is as high as its highest panel."""
    x, y, row = 0, 0, 0
    for number, panel in enumerate(panels, 1):
        if x + panel.width > _WIDTH:
            x, y, row = 0, y + row, 0
        height = _STAT_HEIGHT if panel.draw is Draw.STAT else _HEIGHT
        yield {"id": number, "gridPos": {"x": x, "y": y, "w": panel.width, "h": height}, **_drawn(panel)}
        x, row = x + panel.width, max(row, height)


def _drawn(panel: Panel) -> dict[str, Any]:
    source = CLICKHOUSE if panel.sql else PROMETHEUS
    found = {"type": panel.draw.value, "title": panel.title, "datasource": source}
    if panel.draw is Draw.ALERTS:
        return {**found, "options": _ALERTS}
    target = _sql_target(panel) if panel.sql else _prom_target(panel)
    return {
        **found,
        "targets": [{"refId": "A", "datasource": source, **target}],
        "fieldConfig": {"defaults": {"unit": panel.unit}, "overrides": []},
    }


def _sql_target(panel: Panel) -> dict[str, Any]:
    is_series = panel.draw is Draw.SERIES
    kind, number = ("timeseries", 0) if is_series else ("table", 1)
    return {"editorType": "sql", "queryType": kind, "format": number, "rawSql": panel.sql}


def _prom_target(panel: Panel) -> dict[str, Any]:
    is_stat = panel.draw is Draw.STAT
    return {"expr": panel.promql, "legendFormat": panel.legend, "instant": is_stat, "range": not is_stat}


if __name__ == "__main__":
    write_all()
