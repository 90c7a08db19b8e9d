"""What does it cost, and who pays? From the views of the books, in US dollars."""

from deploy.grafana.panel import Dashboard, Panel, prom_series, sql_series, sql_stat, sql_table

_USD = "currencyUSD"


def _by(title: str, view: str, key: str) -> Panel:
    return sql_table(
        title,
        f"""SELECT {key}, sum(words) AS all_words, toFloat64(sum(total_cost)) AS cost,
    toFloat64(sum(total_price)) AS price, price - cost AS left_over,
    cost * 1000000 / nullIf(all_words, 0) AS cost_per_million
FROM {view}
WHERE $__dateFilter(day)
GROUP BY 1
ORDER BY cost DESC
LIMIT 100""",
    )


COST = Dashboard(
    "dragoman-cost",
    "Dragoman: cost",
    "now-30d",
    (
        sql_stat(
            "Tenants pay",
            "SELECT toFloat64(sum(total_price)) AS price FROM cost_by_day WHERE $__dateFilter(day)",
            _USD,
        ),
        sql_stat(
            "Machines cost",
            "SELECT toFloat64(sum(total_cost)) AS cost FROM cost_lines WHERE $__dateFilter(day)",
            _USD,
        ),
        sql_stat(
            "Machines cost while they did nothing",
            """SELECT toFloat64(sum(total_cost)) AS cost
FROM cost_lines
WHERE $__dateFilter(day) AND line != 'direct'""",
            _USD,
        ),
        sql_stat(
            "The memory saved",
            "SELECT toFloat64(sum(saved_cost)) AS saved FROM memory_savings WHERE $__dateFilter(day)",
            _USD,
        ),
        sql_series(
            "Cost of machines a day, by what they did",
            """SELECT toDateTime(day) AS time, line, toFloat64(sum(total_cost)) AS cost
FROM cost_lines
WHERE $__dateFilter(day)
GROUP BY time, line
ORDER BY time""",
            _USD,
        ),
        sql_series(
            "Cost of machines a day, by market",
            """SELECT toDateTime(day) AS time, concat(device, ' ', market) AS machine,
    toFloat64(sum(total_cost)) AS cost
FROM cost_lines
WHERE $__dateFilter(day)
GROUP BY time, machine
ORDER BY time""",
            _USD,
        ),
        sql_series(
            "Cost of a million words, by model",
            """SELECT toDateTime(day) AS time, model, toFloat64(sum(total_cost)) * 1000000 / sum(words) AS cost
FROM cost_by_day
WHERE $__dateFilter(day)
GROUP BY time, model
HAVING sum(words) > 0
ORDER BY time""",
            _USD,
        ),
        sql_series(
            "What tenants pay, less machine time",
            """SELECT toDateTime(day) AS time, tenant, toFloat64(sum(total_price) - sum(direct_cost)) AS left_over
FROM margin
WHERE $__dateFilter(day)
GROUP BY time, tenant
ORDER BY time""",
            _USD,
        ),
        _by("By tenant", "cost_by_day", "tenant"),
        _by("By pair", "cost_by_day", "concat(source_language, '-', target_language) AS pair"),
        _by("By priority", "cost_by_day", "priority"),
        _by("By tag", "cost_by_tag", "concat(name, '=', value) AS tag"),
        prom_series("Engines at work", "pool:dragoman_engine_busy:rate5m", "{{pool}}"),
    ),
)
