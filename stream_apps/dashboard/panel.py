"""What a panel is, and a page of them: data that the server asks by and the browser draws by."""

from dataclasses import dataclass, field
from enum import StrEnum

from stream_apps.dashboard.sources import Reading, written


class Kind(StrEnum):
    """How a panel is drawn. Charts have rows of (t, series, value); the others have rows of their columns."""

    NUMBERS = "numbers"
    LINES = "lines"
    BARS = "bars"  # one on the other
    TABLE = "table"


class Unit(StrEnum):
    """What a number counts."""

    COUNT = "count"
    WORDS = "words"
    SPEED = "words_per_second"
    SECONDS = "seconds"
    MACHINES = "machines"
    HOURS = "hours"
    MONEY = "usd"
    MONEY_PER_MILLION = "usd_per_million_words"
    SHARE = "share"  # 1 is all
    TEXT = "text"
    TIME = "time"  # seconds since 1970


@dataclass(frozen=True)
class Column:
    """One figure, or one column of a table. `filters`: the filter that a click on its text sets."""

    name: str
    title: str
    unit: Unit = Unit.COUNT
    filters: str = ""
    # Whether more is better (1), worse (-1) or neither (0).
    better: int = 0


@dataclass(frozen=True)
class Panel:
    """One question to ClickHouse. `jobs`: how the jobs behind a peak are found; empty: there are none."""

    id: str
    title: str
    kind: Kind
    sql: str = field(repr=False)
    about: str = ""
    unit: Unit = Unit.COUNT
    columns: tuple[Column, ...] = ()
    # What its series are, for their colours.
    series: str = ""
    jobs: str = ""
    # Whether a line goes on over steps in which nothing was noted: what was noted then still held.
    bridges: bool = False
    # Its own length of a step, in seconds; 0: that of the question.
    step: int = 0
    # Whether the values of all steps may be added; levels may not.
    adds: bool = True
    # Filters that it does not know.
    ignores: tuple[str, ...] = ()
    # Half of a row, or all of it.
    is_wide: bool = False

    def asked(self, reading: Reading) -> str:
        """Return its SQL, with what it reads from in the place of each $part."""
        return written(self.sql, reading)


@dataclass(frozen=True)
class Page:
    """Panels that answer one kind of question."""

    id: str
    title: str
    about: str
    panels: tuple[Panel, ...]
