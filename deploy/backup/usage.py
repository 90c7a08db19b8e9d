"""ClickHouse: usage events by month and window of offsets, and the list of prices. Rollups are made anew."""

from collections.abc import Callable

from connectors.clickhouse.analytics_client import AnalyticsClient
from connectors.clickhouse.database import Database
from connectors.clickhouse.usage_export import UsageExport, Window
from connectors.clickhouse.usage_restore import Stage, Totals, UsageRestore
from deploy.backup.archive import Backup, Draft
from deploy.backup.parts import PartFacts, OnPartProgress

_PRICES = "price_list.native"


class UsagePart:
    """Saved through the running process; restored into a database that nobody else has open."""

    name = "clickhouse"

    def __init__(self, client: AnalyticsClient, open_target: Callable[[], Database]) -> None:
        self._client = client
        self._open_target = open_target

    def save(self, draft: Draft, on_progress: OnPartProgress) -> PartFacts:
        export = UsageExport(self._client)
        plan = export.plan()
        total, done = sum(window.rows for window in plan.windows), 0
        for window in plan.windows:
            self._save(draft, export, window)
            done += window.rows
            on_progress(self.name, done, total)
        draft.add(self.name, _PRICES, export.prices(), lambda: 0)
        words = sum(window.words for window in plan.windows)
        last_offsets = {str(partition): offset for partition, offset in plan.last_offsets.items()}
        return {"rows": total, "words": words, "last_offsets": last_offsets}

    def restore(self, backup: Backup, replace: bool, on_progress: OnPartProgress) -> PartFacts:
        facts = backup.manifest.parts[self.name]
        expected = Totals(int(facts["rows"]), int(facts["words"]))
        database = self._open_target()
        try:
            target = UsageRestore(database, backup.manifest.backup_id)
            if target.begin(replace) is Stage.FINISHED:
                return {"rows": 0, "is_repeat": True}
            self._load(target, backup, expected.rows, on_progress)
            target.finish(expected)
        finally:
            database.close()
        return {"rows": expected.rows, "words": expected.words}

    def _save(self, draft: Draft, export: UsageExport, window: Window) -> None:
        draft.add(self.name, window.name, export.events(window), lambda: window.rows)

    def _load(self, target: UsageRestore, backup: Backup, total: int, on_progress: OnPartProgress) -> None:
        done = 0
        for entry in backup.entries(self.name):
            native = b"".join(backup.read(entry))
            if entry.name.endswith(_PRICES):
                target.load_prices(native)
            else:
                target.load_events(entry.name, native)
            done += entry.records
            on_progress(self.name, done, total)
