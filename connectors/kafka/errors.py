"""Translate the Kafka client's errors into our three kinds."""

from collections.abc import Iterator
from contextlib import contextmanager

from confluent_kafka import KafkaError, KafkaException

from schemas.errors import DragomanError, FatalError, TransientError

_FATAL = frozenset(
    {
        KafkaError._FENCED,
        KafkaError._FATAL,
        KafkaError.INVALID_PRODUCER_EPOCH,
        KafkaError.PRODUCER_FENCED,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
        KafkaError.UNSUPPORTED_VERSION,
    }
)
# Within a transaction, which names the member along with its offsets, these are only a reason to abort.
_MEMBER_FENCED = frozenset({KafkaError._FATAL, KafkaError.FENCED_INSTANCE_ID})
_NO_SUCH_PARTITION = frozenset(
    {KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION, KafkaError.UNKNOWN_TOPIC_OR_PART}
)


class MemberFencedError(TransientError):
    """The client of this group member can never be used again; a new client may take its place."""


class NoSuchPartitionError(TransientError):
    """The brokers know no such topic or partition, at least for now."""


def failure_of(error: KafkaException | KafkaError) -> DragomanError:
    """Return a FatalError if the client is fenced or not authorised, else a TransientError."""
    detail = _detail_of(error)
    if not isinstance(detail, KafkaError):
        return TransientError(str(detail))
    if detail.fatal() or detail.code() in _FATAL:
        return FatalError(_text_of(detail))
    if detail.code() in _NO_SUCH_PARTITION:
        return NoSuchPartitionError(_text_of(detail))
    return TransientError(_text_of(detail))


def member_failure_of(error: KafkaException | KafkaError) -> DragomanError:
    """Do the same for a group member: what is fatal to it is that another member has its static name."""
    detail = _detail_of(error)
    if isinstance(detail, KafkaError) and detail.code() in _MEMBER_FENCED:
        return MemberFencedError(_text_of(detail))
    return failure_of(error)


@contextmanager
def kafka_errors() -> Iterator[None]:
    """Raise the client's errors, and a future that got no answer in time, as ours."""
    try:
        yield
    except KafkaException as error:
        raise failure_of(error) from error
    except TimeoutError as error:  # the client would wait longer than we do
        raise TransientError("Kafka did not answer in time") from error


def _detail_of(error: KafkaException | KafkaError) -> object:
    return error.args[0] if isinstance(error, KafkaException) else error


def _text_of(error: KafkaError) -> str:
    return f"Kafka: {error.name()}: {error.str()}"
