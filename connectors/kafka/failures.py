"""librdkafka's errors -> our three kinds."""

from confluent_kafka import KafkaError, KafkaException

from schemas.errors import DragomanError, FatalError, TransientError


def failure_of(error: KafkaException | KafkaError) -> DragomanError:
    """Fatal (fenced, invalid for ever) or transient (all else that a client may meet)."""
    detail = error.args[0] if isinstance(error, KafkaException) else error
    if not isinstance(detail, KafkaError):
        return TransientError(str(detail))
    if detail.fatal() or detail.code() in _FATAL:
        return FatalError(f"Kafka: {detail.name()}: {detail.str()}")
    return TransientError(f"Kafka: {detail.name()}: {detail.str()}")


_FATAL = frozenset(
    {
        KafkaError._FENCED,
        KafkaError._FATAL,
        KafkaError.INVALID_PRODUCER_EPOCH,
        KafkaError.PRODUCER_FENCED,
        KafkaError.FENCED_INSTANCE_ID,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
        KafkaError.UNSUPPORTED_VERSION,
    }
)
