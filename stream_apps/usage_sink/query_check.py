"""Check that a query only reads our tables, and write it anew from what was understood of it. Pure.

The engine is given the text written here and never the one that came: what the parser did not see is not run. The
engine's own wall, `readonly`, stands behind this one; docs/security.md tells what each of them keeps out.
"""

import logging
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import sqlglot
from sqlglot import TokenType, exp
from sqlglot.dialects.clickhouse import ClickHouse
from sqlglot.errors import SqlglotError
from sqlglot.parsers.clickhouse import ClickHouseParser

from schemas.errors import PermanentError

# It would log what it cannot parse, and queries may hold names of tenants.
logging.getLogger("sqlglot").setLevel(logging.CRITICAL)

TABLES = frozenset(
    {
        *(
            "usage_events",
            "usage_hourly",
            "durations_hourly",
            "users_daily",
            "requests",
            "dead_letters",
            "worker_intervals",
            "scale_decisions",
        ),
        *("audit", "price_list", "word_prices", "restores", "migrations"),
        *("cost", "billed", "cost_by_day", "cost_by_tag", "machine_hours", "cost_lines", "attainment"),
        *("memory_savings", "margin", "open_dead_letters", "rollup_differences"),
    }
)
# The categories of ClickHouse's system.functions that compute with their arguments and nothing else.
HARMLESS_CATEGORIES = frozenset(
    {
        *("Aggregate Functions", "Arithmetic", "Arrays", "Bit", "Bitmap", "Comparison", "Conditional"),
        *("Dates and Times", "Distance", "Encoding", "Encryption", "Financial", "Geo", "Geo Polygon", "Hash"),
        *("IP Address", "JSON", "Logical", "Map", "Mathematical", "Null", "NumericIndexedVector", "QBit"),
        *("Random Number", "Rounding", "String", "String Replacement", "String Search", "String Splitting"),
        *("Time Series", "Time Window", "Tuple", "Type Conversion", "URL", "UUID"),
    }
)
# Of the category "Other", which also holds file(), sleep() and what tells of the server. Its version may be asked
# for: `dragoman doctor` does.
_HARMLESS_OTHERS = frozenset(
    {
        *("bar", "bytesize", "countdigits", "finalizeaggregation", "formatreadabledecimalsize", "identity"),
        *("formatreadablequantity", "formatreadablesize", "formatreadabletimedelta", "ignore", "isconstant"),
        *("initializeaggregation", "isdecimaloverflow", "materialize", "neighbor", "parsereadablesize"),
        *("parsetimedelta", "rownumberinallblocks", "rownumberinblock", "runningaccumulate", "throwif"),
        *("runningdifference", "totypename", "transform", "version", "visiblewidth"),
    }
)
# As functions their argument may be the name of any table.
_IN_AS_FUNCTION = re.compile(r"(global)?(not)?(null)?in(ignoreset)?", re.IGNORECASE)
_NAME = re.compile(r"\w{1,64}", re.ASCII)
_MOST_CHARACTERS = 64_000


class _Verbatim(ClickHouse):
    """ClickHouse's grammar; functions are written as they came, not as another one that does nearly the same."""

    class Parser(ClickHouseParser):
        FUNCTIONS: ClassVar[dict[str, Callable[..., exp.Expr]]] = {}


@dataclass(frozen=True)
class CheckedQuery:
    """A query that may run: its text without FORMAT, and the format of its answer."""

    sql: str
    fmt: str


def refused_functions(functions: Iterable[tuple[str, str]]) -> frozenset[str]:
    """Return the functions that no query may name, in lower case, of all with their categories.

    A function that a newer engine puts into a category of its own is refused until it is listed here.
    """
    return frozenset(
        name.lower()
        for name, category in functions
        if category not in HARMLESS_CATEGORIES and name.lower() not in _HARMLESS_OTHERS
    )


def checked_query(sql: str, default_fmt: str, refused: Collection[str]) -> CheckedQuery:
    """Return the query if it is one SELECT of our tables. Raises PermanentError saying why it is not.

    Causes: not_a_query, reaches_out (both forbidden), malformed_query.
    """
    try:
        query = _only_query(sql)
        fmt = _take_format(query) or default_fmt
        if not _NAME.fullmatch(fmt):
            raise PermanentError(
                "malformed_query", "the format is no name", cure="use FORMAT JSON or another name"
            )
        _check_nodes(query)
        text = query.sql(_Verbatim, comments=False)
        _check_text(text, refused)
    except SqlglotError as error:
        raise PermanentError("malformed_query", _described(error), cure="send one SELECT of ClickHouse") from None
    except RecursionError:
        raise PermanentError("malformed_query", "the query is nested too deeply", cure="nest it less") from None
    return CheckedQuery(text, fmt)


def _only_query(sql: str) -> exp.Query:
    if len(sql) > _MOST_CHARACTERS:
        raise PermanentError(
            "malformed_query", "the query is too long", limit=f"{_MOST_CHARACTERS} characters", cure="send less"
        )
    found = [statement for statement in sqlglot.parse(sql, dialect=_Verbatim) if statement]
    if len(found) != 1 or not isinstance(found[0], exp.Query):
        raise PermanentError(
            "not_a_query", "exactly one SELECT is answered", cure=f"SELECT from {', '.join(sorted(TABLES))}"
        )
    return found[0]


def _take_format(query: exp.Query) -> str:
    """Remove FORMAT from the query and return its name; empty where none is named."""
    named = [found for found in query.find_all(exp.Query) if found.args.get("format")]
    names = [str(found.args["format"].name) for found in named]
    for found in named:
        found.set("format", None)
    return names[0] if names else ""


def _check_nodes(query: exp.Query) -> None:
    for node in query.walk():
        if node.args.get("settings"):
            raise _reaches_out("SETTINGS", "leave SETTINGS out; the limits are settings of the analytics process")
        if isinstance(node, (exp.Command, exp.DDL, exp.Into, exp.Apply)) and not isinstance(node, exp.Query):
            raise _reaches_out(node.key.upper(), "write plain columns and functions")
        for source in _sources(node):
            _check_source(source)


def _sources(node: exp.Expr) -> Iterator[exp.Expr]:
    """Yield what the node reads from: tables, and whatever stands in their place."""
    match node:
        case exp.Table():
            yield node
        case exp.From() | exp.Join() if not isinstance(node.this, exp.Subquery) and not _unfolds(node):
            yield node.this.this if isinstance(node.this, exp.Final) else node.this
        case exp.In() if node.args.get("field"):
            yield node.args["field"]


def _unfolds(node: exp.Expr) -> bool:
    """Tell whether this is ARRAY JOIN, which reads columns."""
    return isinstance(node, exp.Join) and str(node.args.get("kind", "")).upper() == "ARRAY"


def _check_source(source: exp.Expr) -> None:
    is_plain = (
        isinstance(source, exp.Table) and isinstance(source.this, exp.Identifier) and not source.args.get("db")
    )
    if not is_plain or (source.name not in TABLES and source.name not in _named_queries(source)):
        raise _reaches_out(
            source.sql(_Verbatim, comments=False)[:60],
            f"read {', '.join(sorted(TABLES))} by their bare names; after IN write a list or a SELECT",
        )


def _named_queries(node: exp.Expr) -> set[str]:
    """Return the names that WITH gives to queries where the node stands."""
    found: set[str] = set()
    outer: exp.Expr | None = node
    while outer is not None:
        if isinstance(outer, exp.Query):
            found |= {named.alias for named in outer.ctes if isinstance(named.this, exp.Query)}
        outer = outer.parent
    return found


def _check_text(text: str, refused: Collection[str]) -> None:
    """Check the words of the text that will run, and that it reads as it was written."""
    for token in sqlglot.tokenize(text, dialect=_Verbatim):
        is_literal = token.token_type in (TokenType.STRING, TokenType.NUMBER)
        is_name = token.token_type in (TokenType.VAR, TokenType.IDENTIFIER)
        if not is_literal and (
            token.text.lower() in refused or (is_name and _IN_AS_FUNCTION.fullmatch(token.text))
        ):
            raise _reaches_out(token.text[:60], "use functions that only compute, and other names for columns")
    if _only_query(text).sql(_Verbatim, comments=False) != text:
        raise PermanentError(
            "malformed_query", "the query has more than one meaning", cure="write it more plainly"
        )


def _reaches_out(what: str, cure: str) -> PermanentError:
    return PermanentError("reaches_out", f"{what!r} is not allowed here", cure=cure)


def _described(error: SqlglotError) -> str:
    first = next(iter(getattr(error, "errors", [])), None)
    return (
        f"{first['description']}, line {first['line']}, column {first['col']}" if first else "it cannot be parsed"
    )
