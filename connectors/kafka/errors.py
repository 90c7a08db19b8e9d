"""librdkafka's errors -> our three kinds."""

from confluent_kafka import KafkaError, KafkaException

from schemas.errors import DragomanError, FatalError, TransientError


class MemberFencedError(TransientError):
    """The client of a group's member can never be used again. A new one may take its place."""


def failure_of(error: KafkaException | KafkaError) -> DragomanError:
    """Fatal (fenced, invalid for ever) or transient (all else that a client may meet)."""
    detail = _detail_of(error)
    if not isinstance(detail, KafkaError):
        return TransientError(str(detail))
    if detail.fatal() or detail.code() in _FATAL:
        return FatalError(_text_of(detail))
    return TransientError(_text_of(detail))


def member_failure_of(error: KafkaException | KafkaError) -> DragomanError:
    """The same for a consumer, whose only fatal error of its own is that its static membership is another's."""
    detail = _detail_of(error)
    if isinstance(detail, KafkaError) and detail.code() in _MEMBER_FENCED:
        return MemberFencedError(_text_of(detail))
    return failure_of(error)


def _detail_of(error: KafkaException | KafkaError) -> object:
    return error.args[0] if isinstance(error, KafkaException) else error


def _text_of(error: KafkaError) -> str:
    return f"Kafka: {error.name()}: {error.str()}"


# In a transaction, where a member is named with its offsets, it is no more than a reason to abort.
_MEMBER_FENCED = frozenset({KafkaError._FATAL, KafkaError.FENCED_INSTANCE_ID})


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
