"""User analytics: who asks for what?"""

from stream_apps.dashboard.panel import Column, Kind, Page, Panel, Unit
from stream_apps.dashboard.sources import largest

_FIGURES = Panel(
    id="user_figures",
    title="At a glance",
    kind=Kind.NUMBERS,
    sql="""
SELECT uniqExact(tenant) AS tenants, uniqExact(tenant, submitted_by) AS users, sum(answers) AS all_answers,
    sum(source_words) AS words, words / nullIf(users, 0) AS words_each, words / nullIf(all_answers, 0)
        AS words_an_answer,
    sum(cached_words) / nullIf(words, 0) AS known
FROM $users
""",
    columns=(
        Column("tenants", "Tenants", better=1),
        Column("users", "Users", better=1),
        Column("all_answers", "Answers", better=1),
        Column("words", "Words", Unit.WORDS, better=1),
        Column("words_each", "Words per user", Unit.WORDS),
        Column("words_an_answer", "Words per answer", Unit.WORDS),
        Column("known", "From memory", Unit.SHARE, better=1),
    ),
    is_wide=True,
)
_ACTIVE = Panel(
    id="active_users",
    title="Active users, by day",
    kind=Kind.LINES,
    about="How many different ones had an answer that day (UTC); of today so far.",
    sql="""
SELECT toUnixTimestamp(toStartOfDay(moment)) AS t, arrayJoin(['users', 'tenants']) AS series,
    if(series = 'users', uniqExact(tenant, submitted_by), uniqExact(tenant)) AS value
FROM $users GROUP BY t ORDER BY t
""",
    series="users",
    step=86_400,
    # Who came on two days is one user.
    adds=False,
)
_TENANT_WORDS = Panel(
    id="words_by_tenant",
    title="Words by tenant",
    kind=Kind.BARS,
    unit=Unit.WORDS,
    about="The eight largest.",
    sql=largest(
        "SELECT $t, tenant AS name, sum(source_words) AS value FROM $usage WHERE kind = 'billed' GROUP BY t, name"
    ),
    series="tenant",
    jobs="words",
)
_ANSWERS = Panel(
    id="answers_by_priority",
    title="Answers by priority",
    kind=Kind.BARS,
    sql="""
SELECT $t, priority AS series, sum(events) AS value
FROM $usage WHERE kind = 'billed' GROUP BY t, series ORDER BY t
""",
    series="priority",
    jobs="total",
)
_MEMORY = Panel(
    id="memory_share",
    title="Words from the translation memory",
    kind=Kind.LINES,
    unit=Unit.SHARE,
    about="Words that were known already, of all source words.",
    sql="""
SELECT $t, 'from memory' AS series, sum(cached_words) / sum(source_words) AS value
FROM $usage WHERE kind = 'billed' AND source_words > 0 GROUP BY t ORDER BY t
""",
    series="memory",
    jobs="words",
)
_FIGURE_COLUMNS = (
    Column("all_answers", "Answers"),
    Column("words", "Words", Unit.WORDS),
    Column("known", "From memory", Unit.SHARE),
    Column("kept", "Within promise", Unit.SHARE),
    Column("failures", "Failed"),
)
_SUMS = """sum(answers) AS all_answers, sum(source_words) AS words, sum(cached_words) / nullIf(words, 0) AS known,
    1 - sum(late) / all_answers AS kept, sum(failed) AS failures"""


def _table(key: str, title: str, columns: tuple[Column, ...], names: str) -> Panel:
    return Panel(
        id=f"usage_by_{key}",
        title=title,
        kind=Kind.TABLE,
        sql=f"SELECT {names}, {_SUMS} FROM $users GROUP BY ALL ORDER BY words DESC LIMIT $rows",
        columns=(*columns, *_FIGURE_COLUMNS),
        is_wide=key == "user",
    )


_WHO = "if(submitted_by = '', 'unknown', submitted_by)"
_TENANT = Column("tenant", "Tenant", Unit.TEXT, filters="tenant")

PAGE = Page(
    "users",
    "Users",
    "Who asks for what?",
    (
        _FIGURES, _TENANT_WORDS, _ACTIVE, _ANSWERS, _MEMORY,
        _table("tenant", "Tenants", (_TENANT,), "tenant"),
        _table("pair", "Pairs", (Column("pair", "Pair", Unit.TEXT, filters="pair"),), "$pair AS pair"),
        _table("user", "Users", (Column("who", "User", Unit.TEXT), _TENANT), f"{_WHO} AS who, tenant"),
    ),
)  # fmt: skip
