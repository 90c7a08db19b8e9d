"""Make the hourly rollup anew from the raw events, month by month."""

from collections.abc import Callable

from connectors.clickhouse.database import Database

_MONTHS = "SELECT DISTINCT toYYYYMM(at) AS month FROM usage_events ORDER BY month"
_ROLLED = "SELECT DISTINCT toYYYYMM(hour) AS month FROM usage_hourly ORDER BY month"
_QUERY = "SELECT as_select FROM system.tables WHERE database = currentDatabase() AND name = 'usage_hourly_view'"
_DIFFERENCES = "SELECT count() FROM rollup_differences"


def rebuild_rollup(database: Database, on_month: Callable[[int], None] = lambda _: None) -> int:
    """Rebuild every month of which there are raw events, and return in how many hours the two still differ: 0.

    The sink must not write meanwhile, or what it inserts counts twice; it catches up afterwards. Months whose raw
    events are deleted keep their sums. Blocks; raises TransientError. Cut short, it can be repeated.
    """
    ((query,),) = database.rows(_QUERY)
    rolled = {month for (month,) in database.rows(_ROLLED)}
    for (month,) in database.rows(_MONTHS):
        if month in rolled:
            database.run(f"ALTER TABLE usage_hourly DROP PARTITION {int(month)}")
        database.run(f"INSERT INTO usage_hourly ({_columns(database)}) {_of_month(str(query), int(month))}")
        on_month(int(month))
    ((differences,),) = database.rows(_DIFFERENCES)
    return int(differences)


def _columns(database: Database) -> str:
    names = "SELECT name FROM system.columns WHERE database = currentDatabase() AND table = 'usage_hourly_view'"
    return ", ".join(str(name) for (name,) in database.rows(f"{names} ORDER BY position"))


def _of_month(query: str, month: int) -> str:
    # No token and no memory of blocks: the same sums may have been inserted before.
    return f"SELECT * FROM ({query}) WHERE toYYYYMM(hour) = {month} SETTINGS insert_deduplicate = 0"
