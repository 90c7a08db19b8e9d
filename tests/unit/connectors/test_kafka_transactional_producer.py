"""The order of a transaction's steps, and what a failure of each one leaves: the client library is replaced."""

from contextlib import contextmanager

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from connectors.kafka.group_reader import OffsetClaim
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transactional_producer import TransactionalProducer
from schemas.errors import FatalError, TransientError
from schemas.records import OutboundRecord

OUTPUT = OutboundRecord("out", b"k", b"v")
OFFSETS = TopicPartition("in", 0, 1)


class Producer:
    """Notes its calls; `failures` maps the name of a call to the errors that it raises, one after the other."""

    def __init__(self):
        self.calls, self.failures = [], {}

    def __getattr__(self, name):
        def call(*_arguments, **_named):
            self.calls.append(name)
            if self.failures.get(name):
                raise self.failures[name].pop(0)

        call.__name__ = name
        return call


class Reader:
    def __init__(self, refusal=None):
        self.refusal, self.is_settled = refusal, False

    def claim(self):
        if self.refusal:
            raise self.refusal
        return OffsetClaim([OFFSETS], "member")

    def settle(self):
        self.is_settled = True


@pytest.fixture
def library(monkeypatch):
    library = Producer()
    monkeypatch.setattr("connectors.kafka.transactional_producer.Producer", lambda _config: library)
    return library


@pytest.fixture
def producer(library):
    producer = TransactionalProducer(KafkaSettings(), "id")
    library.calls.clear()
    return producer


def failure(code, **traits):
    return KafkaException(KafkaError(code, **traits))


def test_offsets_ride_in_the_transaction_of_the_outputs(producer, library):
    reader = Reader()
    producer.commit([OUTPUT], [reader])
    assert library.calls == [
        "begin_transaction",
        "produce",
        "send_offsets_to_transaction",
        "flush",
        "commit_transaction",
    ]
    assert reader.is_settled


def test_without_a_claim_no_transaction_begins(producer, library):
    reader = Reader(TransientError("thrown out"))
    with pytest.raises(TransientError):
        producer.commit([OUTPUT], [reader])
    assert library.calls == []
    assert not reader.is_settled


@pytest.mark.parametrize("code", [KafkaError.ILLEGAL_GENERATION, KafkaError.UNKNOWN_MEMBER_ID])
def test_a_member_that_was_thrown_out_aborts_and_settles_nothing(producer, library, code):
    reader = Reader()
    library.failures["send_offsets_to_transaction"] = [failure(code)]
    with pytest.raises(TransientError):
        producer.commit([OUTPUT], [reader])
    assert library.calls[-1] == "abort_transaction"
    assert not reader.is_settled


@pytest.mark.parametrize("code", [KafkaError._FENCED, KafkaError.INVALID_PRODUCER_EPOCH])
def test_a_fenced_process_is_told_to_end(producer, library, code):
    library.failures["commit_transaction"] = [failure(code)]
    with pytest.raises(FatalError):
        producer.commit([OUTPUT], [])
    assert "abort_transaction" not in library.calls


def test_an_open_outcome_is_asked_for_again(producer, library):
    reader = Reader()
    library.failures["commit_transaction"] = [failure(KafkaError._TIMED_OUT, retriable=True)]
    producer.commit([OUTPUT], [reader])
    assert library.calls.count("commit_transaction") == 2
    assert reader.is_settled


def test_an_outcome_that_stays_open_ends_the_process_rather_than_to_guess(producer, library):
    reader = Reader()
    library.failures["commit_transaction"] = [failure(KafkaError._TIMED_OUT, retriable=True)] * 2
    library.failures["abort_transaction"] = [failure(KafkaError._STATE)]
    with pytest.raises(FatalError, match="cannot be aborted"):
        producer.commit([OUTPUT], [reader])
    assert not reader.is_settled


def test_a_full_queue_is_waited_for(producer, library):
    library.failures["produce"] = [BufferError(), BufferError()]
    producer.commit([OUTPUT], [])
    assert library.calls.count("poll") == 2
    assert library.calls[-1] == "commit_transaction"


def test_a_queue_that_stays_full_is_a_transient_failure_and_nothing_is_written(producer, library):
    library.failures["produce"] = [BufferError()] * 10_000
    with pytest.raises(TransientError, match="full queue in 30 s"):
        producer.commit([OUTPUT], [])
    assert library.calls[-1] == "abort_transaction"
    assert library.calls.count("poll") == 300


@pytest.mark.parametrize("name", ["send_offsets_to_transaction", "commit_transaction", "abort_transaction"])
def test_a_call_to_a_coordinator_that_never_returns_ends_the_process(producer, library, monkeypatch, name):
    ended = []

    @contextmanager
    def noting(seconds, call):
        ended.append((call, seconds))
        yield

    monkeypatch.setattr("connectors.kafka.transactional_producer.ends_process_after", noting)
    library.failures["commit_transaction"] = [failure(KafkaError.ILLEGAL_GENERATION)]
    with pytest.raises(TransientError):
        producer.commit([OUTPUT], [Reader()])

    assert (name, 8.0) in ended
