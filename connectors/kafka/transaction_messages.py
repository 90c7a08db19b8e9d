"""The messages of KIP-664, with which Kafka tells of open transactions and ends one that hangs."""

from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Int64,
    Schema,
    TaggedFields,
)

_TEXT = CompactString("utf-8")
_TAGS = ("tags", TaggedFields)
_THROTTLE = ("throttle_time_ms", Int32)
_PARTITIONS = CompactArray(("topic", _TEXT), ("partitions", CompactArray(Int32)), _TAGS)


class _DescribeProducersAnswer(Response):  # type: ignore[misc]  # an untyped base
    API_KEY = 61
    API_VERSION = 0
    SCHEMA = Schema(
        _THROTTLE,
        (
            "topics",
            CompactArray(
                ("name", _TEXT),
                (
                    "partitions",
                    CompactArray(
                        ("partition", Int32),
                        ("error_code", Int16),
                        ("error_message", _TEXT),
                        (
                            "producers",
                            CompactArray(
                                ("producer_id", Int64),
                                ("producer_epoch", Int32),
                                ("last_sequence", Int32),
                                ("last_timestamp", Int64),
                                ("coordinator_epoch", Int32),
                                ("transaction_start_offset", Int64),
                                _TAGS,
                            ),
                        ),
                        _TAGS,
                    ),
                ),
                _TAGS,
            ),
        ),
        _TAGS,
    )


class _DescribeProducersStruct(RequestStruct):  # type: ignore[misc]  # as above
    FLEXIBLE_VERSION = True
    API_KEY = 61
    API_VERSION = 0
    RESPONSE_TYPE = _DescribeProducersAnswer
    SCHEMA = Schema(("topics", _PARTITIONS), _TAGS)


class _ListTransactionsAnswer(Response):  # type: ignore[misc]  # as above
    API_KEY = 66
    API_VERSION = 0
    SCHEMA = Schema(
        _THROTTLE,
        ("error_code", Int16),
        ("unknown_state_filters", CompactArray(_TEXT)),
        (
            "transactions",
            CompactArray(("transactional_id", _TEXT), ("producer_id", Int64), ("state", _TEXT), _TAGS),
        ),
        _TAGS,
    )


class _ListTransactionsStruct(RequestStruct):  # type: ignore[misc]  # as above
    FLEXIBLE_VERSION = True
    API_KEY = 66
    API_VERSION = 0
    RESPONSE_TYPE = _ListTransactionsAnswer
    SCHEMA = Schema(("state_filters", CompactArray(_TEXT)), ("producer_ids", CompactArray(Int64)), _TAGS)


class _DescribeTransactionsAnswer(Response):  # type: ignore[misc]  # as above
    API_KEY = 65
    API_VERSION = 0
    SCHEMA = Schema(
        _THROTTLE,
        (
            "transactions",
            CompactArray(
                ("error_code", Int16),
                ("transactional_id", _TEXT),
                ("state", _TEXT),
                ("timeout_ms", Int32),
                ("start_time_ms", Int64),
                ("producer_id", Int64),
                ("producer_epoch", Int16),
                ("topics", _PARTITIONS),
                _TAGS,
            ),
        ),
        _TAGS,
    )


class _DescribeTransactionsStruct(RequestStruct):  # type: ignore[misc]  # as above
    FLEXIBLE_VERSION = True
    API_KEY = 65
    API_VERSION = 0
    RESPONSE_TYPE = _DescribeTransactionsAnswer
    SCHEMA = Schema(("transactional_ids", CompactArray(_TEXT)), _TAGS)


class _WriteMarkersAnswer(Response):  # type: ignore[misc]  # as above
    API_KEY = 27
    API_VERSION = 1
    SCHEMA = Schema(
        (
            "markers",
            CompactArray(
                ("producer_id", Int64),
                (
                    "topics",
                    CompactArray(
                        ("name", _TEXT),
                        ("partitions", CompactArray(("partition", Int32), ("error_code", Int16), _TAGS)),
                        _TAGS,
                    ),
                ),
                _TAGS,
            ),
        ),
        _TAGS,
    )


class _WriteMarkersStruct(RequestStruct):  # type: ignore[misc]  # as above
    FLEXIBLE_VERSION = True
    API_KEY = 27
    API_VERSION = 1
    RESPONSE_TYPE = _WriteMarkersAnswer
    SCHEMA = Schema(
        (
            "markers",
            CompactArray(
                ("producer_id", Int64),
                ("producer_epoch", Int16),
                ("is_commit", Boolean),
                ("topics", _PARTITIONS),
                ("coordinator_epoch", Int32),
                _TAGS,
            ),
        ),
        _TAGS,
    )


class DescribeProducers(Request[_DescribeProducersStruct]):  # type: ignore[misc]  # as above
    """To the leader of the partitions: who has written to them, and whose transaction is open."""

    API_KEY = 61

    def __init__(self, topics: dict[str, list[int]]) -> None:
        self._topics = topics

    def build(self, struct: type[_DescribeProducersStruct]) -> _DescribeProducersStruct:
        return struct([(topic, partitions, {}) for topic, partitions in self._topics.items()], {})


class ListTransactions(Request[_ListTransactionsStruct]):  # type: ignore[misc]  # as above
    """To every broker: the transactional ids behind these producer ids."""

    API_KEY = 66

    def __init__(self, producer_ids: list[int]) -> None:
        self._producer_ids = producer_ids

    def build(self, struct: type[_ListTransactionsStruct]) -> _ListTransactionsStruct:
        return struct([], self._producer_ids, {})


class DescribeTransactions(Request[_DescribeTransactionsStruct]):  # type: ignore[misc]  # as above
    """To the coordinator of the id: which partitions its transaction has."""

    API_KEY = 65

    def __init__(self, transactional_id: str) -> None:
        self._transactional_id = transactional_id

    def build(self, struct: type[_DescribeTransactionsStruct]) -> _DescribeTransactionsStruct:
        return struct([self._transactional_id], {})


class WriteAbortMarker(Request[_WriteMarkersStruct]):  # type: ignore[misc]  # as above
    """To the leader of the partition: what the producer has open there ends, unseen."""

    API_KEY = 27

    def __init__(self, producer: tuple[int, int], place: tuple[str, int], coordinator_epoch: int) -> None:
        self._producer, self._place, self._coordinator_epoch = producer, place, coordinator_epoch

    def build(self, struct: type[_WriteMarkersStruct]) -> _WriteMarkersStruct:
        topic, partition = self._place
        places: list[tuple[str, list[int], dict[int, bytes]]] = [(topic, [partition], {})]
        return struct([(*self._producer, False, places, self._coordinator_epoch, {})], {})
