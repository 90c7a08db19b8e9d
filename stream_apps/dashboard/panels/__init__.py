"""All pages and their panels, and the questions that belong to no page."""

from collections.abc import Mapping
from typing import Final

from stream_apps.dashboard.panel import Page, Panel
from stream_apps.dashboard.panels import cost, overview, queues, users, workers
from stream_apps.dashboard.panels.jobs import CHOICES, JOBS

PAGES: Final[tuple[Page, ...]] = (overview.PAGE, workers.PAGE, queues.PAGE, cost.PAGE, users.PAGE)
PANELS: Final[Mapping[str, Panel]] = {
    panel.id: panel for panel in (*(panel for page in PAGES for panel in page.panels), JOBS, CHOICES)
}
