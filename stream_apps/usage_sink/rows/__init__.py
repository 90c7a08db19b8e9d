"""Turn results, dead letters, orders, accounts and what processes tell of themselves into rows. Pure.

No text and no message goes in: ClickHouse is read by people who may see figures and not what was translated. Nor
does an address of a user, a name, or the hash of a secret.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from schemas.codec import Codec
from schemas.records import InboundRecord
from schemas.topics import CREDENTIALS, DEAD_LETTERS, OPERATIONS, RESULTS, TENANTS, control_topics, is_control
from stream_apps.usage_sink.rows.audit import credential_rows, order_rows, tenant_rows
from stream_apps.usage_sink.rows.dead_letters import dead_letter_rows
from stream_apps.usage_sink.rows.operations import operation_rows
from stream_apps.usage_sink.rows.parts import TableRow
from stream_apps.usage_sink.rows.results import result_rows

_ROWS: Mapping[str, Callable[[InboundRecord, Codec, int], Iterator[TableRow]]] = {
    RESULTS: result_rows,
    DEAD_LETTERS: dead_letter_rows,
    OPERATIONS: operation_rows,
    TENANTS: tenant_rows,
    CREDENTIALS: credential_rows,
}


def rows_of(record: InboundRecord, codec: Codec, now_ms: int) -> list[TableRow]:
    """Return what a record of one of these topics says. Raises PermanentError where it makes no sense."""
    rows = order_rows if is_control(record.topic) else _ROWS[record.topic]
    return list(rows(record, codec, now_ms))


def topics_of(tenants: Sequence[str]) -> list[str]:
    """Name the topics whose records become rows; these tenants have topics of their own."""
    return [*_ROWS, *control_topics(tenants)]
