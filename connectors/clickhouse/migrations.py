"""The numbered steps to today's tables: read from ddl/, compared with what ran, written for a cluster."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

from schemas.errors import FatalError

_DDL = resources.files("connectors.clickhouse").joinpath("ddl")
MIGRATIONS_TABLE = """
CREATE TABLE IF NOT EXISTS migrations
(
    number UInt32,
    name   String,
    digest String,
    at     DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree
ORDER BY (number, at)
"""
MIGRATIONS_RAN = "SELECT number, argMax(digest, at) FROM migrations GROUP BY number"
# Behind these words stands the name of what a statement is about, and behind that ON CLUSTER.
_SUBJECT = re.compile(
    r"^((?:CREATE (?:OR REPLACE )?(?:TABLE|VIEW|MATERIALIZED VIEW)(?: IF NOT EXISTS)?|ALTER TABLE"
    r"|DROP (?:TABLE|VIEW) IF EXISTS) \w+)",
    re.MULTILINE,
)
_ENGINE = re.compile(r"^ENGINE = (\w*MergeTree)(?:\((.*)\))?", re.MULTILINE)
_WINDOW = re.compile(r"\bnon_replicated_deduplication_window = (\d+)")
_WEEK_SECONDS = 7 * 24 * 3600


@dataclass(frozen=True)
class Migration:
    """One numbered step to today's tables: a statement that changes nothing where it ran before."""

    number: int
    name: str
    statement: str

    @property
    def digest(self) -> str:
        """Return what tells whether the statement was changed; comments and line breaks do not count."""
        words = " ".join(re.sub(r"--[^\n]*", "", self.statement).split())
        return hashlib.sha256(words.encode()).hexdigest()[:16]


def migrations() -> list[Migration]:
    """Return all, in the order of their numbers. A file is ddl/NUMBER_NAME.sql and holds one statement."""
    files = [file for file in _DDL.iterdir() if file.name.endswith(".sql")]
    parts = [(*file.name.removesuffix(".sql").partition("_"), file.read_text("utf-8")) for file in files]
    return sorted(
        (Migration(int(number), name, text) for number, _, name, text in parts), key=lambda one: one.number
    )


def pending(wanted: Sequence[Migration], ran: Mapping[int, str]) -> list[Migration]:
    """Return those that have not run, by number -> digest of what ran; numbers of a newer version are ignored.

    Raises FatalError for one whose statement is not the one that ran: the tables are not what the code expects.
    """
    for migration in wanted:
        if ran.get(migration.number, migration.digest) != migration.digest:
            raise FatalError(
                f"migration {migration.number} ({migration.name}) was changed after it ran here: change tables "
                "by a new file in connectors/clickhouse/ddl, or begin with empty ones (dragoman up --fresh)"
            )
    return [migration for migration in wanted if migration.number not in ran]


def on_cluster(statement: str, cluster: str) -> str:
    """Return the statement for all servers of a cluster, whose tables are replicas; as it is without a cluster.

    `{shard}` and `{replica}` are macros of each server. Repeated inserts are recognised for a week, as a sink may
    have been away for as long: the server's own limit is an hour.
    """
    if not cluster:
        return statement
    written = _SUBJECT.sub(rf"\1 ON CLUSTER '{cluster}'", statement, count=1)
    written = _ENGINE.sub(_replicated, written)
    return _WINDOW.sub(
        rf"replicated_deduplication_window = \1, replicated_deduplication_window_seconds = {_WEEK_SECONDS}",
        written,
    )


def _replicated(engine: re.Match[str]) -> str:
    arguments = ["'/clickhouse/tables/{shard}/{database}/{table}'", "'{replica}'"]
    if engine[2]:
        arguments.append(engine[2])
    return f"ENGINE = Replicated{engine[1]}({', '.join(arguments)})"
