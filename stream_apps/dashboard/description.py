"""Describe pages and panels for the browser, which draws whatever it finds here. Pure."""

from collections.abc import Iterable
from typing import Any

from schemas.priorities import SLA_SECONDS
from stream_apps.dashboard.panel import Page, Panel
from stream_apps.dashboard.panels.jobs import JOBS
from stream_apps.dashboard.settings import DashboardSection


def description(pages: Iterable[Page], settings: DashboardSection) -> dict[str, Any]:
    """Return what `GET /dashboard/api/pages` answers."""
    return {
        "pages": [
            {
                "id": page.id,
                "title": page.title,
                "about": page.about,
                "panels": [_panel(one) for one in page.panels],
            }
            for page in pages
        ],
        "jobs": _panel(JOBS),
        "priorities": [str(priority) for priority in SLA_SECONDS],
        "refresh_seconds": settings.refresh_seconds,
        "max_range_days": settings.max_range_days,
    }


def _panel(panel: Panel) -> dict[str, Any]:
    return {
        "id": panel.id,
        "title": panel.title,
        "kind": str(panel.kind),
        "unit": str(panel.unit),
        "about": panel.about,
        "series": panel.series,
        "jobs": panel.jobs,
        "bridges": panel.bridges,
        "adds": panel.adds,
        "ignores": panel.ignores,
        "isWide": panel.is_wide,
        "columns": [
            {
                "name": column.name,
                "title": column.title,
                "unit": str(column.unit),
                "filters": column.filters,
                "better": column.better,
            }
            for column in panel.columns
        ],
    }
