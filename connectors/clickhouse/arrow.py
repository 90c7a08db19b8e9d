"""Turn columns into an Arrow table of the types that a ClickHouse table wants. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from schemas.errors import FatalError

_WRAPPED = re.compile(r"(?:LowCardinality|Nullable)\((.*)\)")
_NESTED = re.compile(r"(Array|Map)\((.*)\)")
_DECIMAL = re.compile(r"Decimal\((\d+), (\d+)\)")
_PLAIN = {
    **{
        f"{sign}Int{bits}": getattr(pa, f"{sign.lower()}int{bits}")()
        for sign in ("", "U")
        for bits in (8, 16, 32, 64)
    },
    "Float32": pa.float32(),
    "Float64": pa.float64(),
    "String": pa.string(),
    # ClickHouse reads the text of one; Arrow has no such type.
    "UUID": pa.string(),
}


def arrow_table(columns: Mapping[str, Sequence[Any]], types: Mapping[str, str]) -> pa.Table:
    """Return the columns as Arrow. `types`: ClickHouse's type of each column of the table.

    Raises FatalError for a column that the table does not have, and for values that are not of its type.
    """
    if unknown := sorted(columns.keys() - types.keys()):
        raise FatalError(f"the tables in ClickHouse are not those of this version: no column {', '.join(unknown)}")
    try:
        return pa.table({name: _array(found, types[name]) for name, found in columns.items()})
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
        raise FatalError(f"rows do not fit the columns of ClickHouse: {error}") from error


def arrow_type(written: str) -> pa.DataType:
    """Return Arrow's type for one as ClickHouse writes it. Raises FatalError for one that no table of ours has."""
    if wrapped := _WRAPPED.fullmatch(written):
        return arrow_type(wrapped[1])
    if written in _PLAIN:
        return _PLAIN[written]
    if written.startswith("DateTime64(3"):
        return pa.timestamp("ms", tz="UTC")
    if written.startswith("DateTime"):
        return pa.timestamp("s", tz="UTC")
    if decimal := _DECIMAL.fullmatch(written):
        return pa.decimal128(int(decimal[1]), int(decimal[2]))
    if nested := _NESTED.fullmatch(written):
        return _nested(nested[1], nested[2])
    raise FatalError(f"no table of ours has a column of type {written}")


def _nested(kind: str, inside: str) -> pa.DataType:
    if kind == "Array":
        return pa.list_(arrow_type(inside))
    key, _, value = inside.partition(", ")
    return pa.map_(arrow_type(key), arrow_type(value))


def _array(found: Sequence[Any], written: str) -> pa.Array:
    """Return a column. Arrow takes maps as lists of pairs."""
    if written.startswith("Map("):
        found = [list(one.items()) for one in found]
    elif written == "UUID":
        found = [str(one) for one in found]
    return pa.array(found, arrow_type(written))
