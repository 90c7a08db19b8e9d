"""Cost tracking: what do the machines cost, and who pays for it?"""

from stream_apps.dashboard.panel import Column, Kind, Page, Panel, Unit
from stream_apps.dashboard.sources import largest

_NO_FILTER = ("tenant", "pair", "priority", "model")
_FIGURES = Panel(
    id="cost_figures",
    title="At a glance",
    kind=Kind.NUMBERS,
    about="Work is the machine time of answers; machines without work are nobody's, and no filter holds for them.",
    sql="""
SELECT price, cost, price - cost AS margin, unused, cost * 1000000 / nullIf(words, 0) AS per_million,
    per_word * known AS saved
FROM (SELECT sum(spent.cost) AS cost, sum(spent.words) AS words, cost / nullIf(sum(translated), 0)
    AS per_word FROM $spent AS spent) AS spending,
    (SELECT sum(earned.price) AS price, sum(earned.known) AS known FROM $earned AS earned) AS earnings,
    (SELECT sum((starting + idle + draining) * price_per_second) AS unused FROM $machines) AS machines
""",
    columns=(
        Column("price", "Tenants pay", Unit.MONEY, better=1),
        Column("cost", "Cost of the work", Unit.MONEY, better=-1),
        Column("margin", "Margin", Unit.MONEY, better=1),
        Column("unused", "Machines without work", Unit.MONEY, better=-1),
        Column("per_million", "Cost per million words", Unit.MONEY, better=-1),
        Column("saved", "Saved by the memory", Unit.MONEY, better=1),
    ),
    is_wide=True,
)
_LINES = Panel(
    id="cost_by_line",
    title="What machines cost",
    kind=Kind.BARS,
    unit=Unit.MONEY,
    about="Work, and what is nobody's: idle, starting, draining.",
    sql="""
SELECT t, one.1 AS series, sum(one.2 * price_per_second) AS value
FROM (SELECT $t, price_per_second, arrayJoin([('busy', busy), ('idle', idle), ('starting', starting),
    ('draining', draining)]) AS one
    FROM $machines)
GROUP BY t, series HAVING value > 0 ORDER BY t
""",
    series="machine",
    ignores=_NO_FILTER,
)
_MONEY = Panel(
    id="price_and_cost",
    title="Tenants pay, work costs",
    kind=Kind.LINES,
    unit=Unit.MONEY,
    about="In each step.",
    sql="""
SELECT t, series, sum(money) AS value
FROM (SELECT $t, 'tenants pay' AS series, price AS money FROM $earned
    UNION ALL SELECT $t, 'work costs', cost FROM $spent)
GROUP BY t, series ORDER BY t
""",
    series="money",
    jobs="words",
)
_PER_MILLION = Panel(
    id="cost_per_million",
    title="Cost of a million words, by pool",
    kind=Kind.LINES,
    unit=Unit.MONEY_PER_MILLION,
    about="Machine time for work, by the source words of that work.",
    sql="""
SELECT $t, pool AS series, sum(cost) * 1000000 / sum(words) AS value
FROM $spent WHERE words > 0 GROUP BY t, series ORDER BY t
""",
    series="pool",
    jobs="words",
)
_BY_TENANT = Panel(
    id="cost_by_tenant",
    title="Machine time for work, by tenant",
    kind=Kind.BARS,
    unit=Unit.MONEY,
    about="The eight that cost most.",
    sql=largest("SELECT $t, tenant AS name, sum(cost) AS value FROM $spent GROUP BY t, name"),
    series="tenant",
    jobs="words",
)
_MONEY_COLUMNS = (
    Column("words", "Words", Unit.WORDS),
    Column("price", "Pays", Unit.MONEY),
    Column("cost", "Costs", Unit.MONEY),
    Column("margin", "Margin", Unit.MONEY),
    Column("per_million", "Cost per million", Unit.MONEY),
)


def _money_table(key: str, title: str, name: str, by: str, shown: str = "by") -> Panel:
    return Panel(
        id=f"money_by_{key}",
        title=title,
        kind=Kind.TABLE,
        sql=f"""
SELECT {shown} AS {key}, sum(billed) AS words, sum(paid) AS price, sum(spent) AS cost, price - cost AS margin,
    cost * 1000000 / nullIf(words, 0) AS per_million
FROM (SELECT {by} AS by, sum(words) AS billed, sum(earned.price) AS paid, 0. AS spent
    FROM $earned AS earned GROUP BY by
    UNION ALL SELECT {by} AS by, 0, 0., sum(spent.cost) FROM $spent AS spent GROUP BY by)
GROUP BY by ORDER BY price DESC LIMIT $rows
""",
        columns=(Column(key, name, Unit.TEXT, filters=key), *_MONEY_COLUMNS),
    )


# Grouped by before it is written: half the time.
_PAIR = ("(source_language, target_language)", "concat(by.1, '-', by.2)")
_MACHINES = Panel(
    id="money_by_market",
    title="Machines by device and market",
    kind=Kind.TABLE,
    sql="""
SELECT device, replaceAll(market, '_', ' ') AS markets, sum(busy) / 3600 AS busy_hours, sum(starting + idle
    + draining) / 3600 AS other_hours,
    sum(busy * price_per_second) AS work_cost, sum((starting + idle + draining) * price_per_second) AS other_cost,
    busy_hours / nullIf(busy_hours + other_hours, 0) AS busy_share
FROM $machines GROUP BY device, markets ORDER BY work_cost + other_cost DESC LIMIT $rows
""",
    columns=(
        Column("device", "Device", Unit.TEXT),
        Column("markets", "Market", Unit.TEXT),
        Column("busy_hours", "Busy for", Unit.HOURS),
        Column("other_hours", "Not busy for", Unit.HOURS),
        Column("busy_share", "Busy", Unit.SHARE),
        Column("work_cost", "Work", Unit.MONEY),
        Column("other_cost", "Without work", Unit.MONEY),
    ),
    ignores=_NO_FILTER,
)

PAGE = Page(
    "cost",
    "Cost",
    "What do the machines cost, and who pays for it?",
    (
        _FIGURES, _LINES, _MONEY, _PER_MILLION, _BY_TENANT,
        _money_table("tenant", "Money by tenant", "Tenant", "tenant"),
        _money_table("pair", "Money by pair", "Pair", *_PAIR),
        _money_table("priority", "Money by priority", "Priority", "priority"),
        _MACHINES,
    ),
)  # fmt: skip
