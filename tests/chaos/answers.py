"""Read every result, or every copy of one, that a read_committed consumer sees, from the first record on."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, Message, TopicPartition

from tests.chaos.ledger import Answer
from tests.chaos.traffic import key_of
from tests.outside import decoded

OnAnswer = Callable[[str, Answer], None]
"""Gets the key of a request and an answer to it."""

RESULTS = "translation.results"
_TAKE, _TAKE_SECONDS = 200, 0.2
_SILENCE_SECONDS = 12.0


class AnswerReader(threading.Thread):
    """A thread of its own, which notes the answers of version 1 of a topic by the keys of their requests.

    `objects` is the folder of the object store, for translations that are stored there.

    A client that returns nothing for 12 s is replaced by one that continues at the same offsets: a cluster that
    names no broker while it starts can make a client of librdkafka useless for good.
    """

    def __init__(self, bootstrap: str, topic: str, objects: Path, note: OnAnswer) -> None:
        super().__init__(name=topic, daemon=True)
        self._topic = topic
        self._objects = objects
        self._on_answer = note
        self._seen: set[tuple[int, int]] = set()
        self._closing = threading.Event()
        self._bootstrap_servers = bootstrap
        self._heard_at = time.monotonic()
        self._consumer = self._client()
        partitions = self._consumer.list_topics(topic, 10).topics[topic].partitions
        self._next = dict.fromkeys(partitions, 0)
        self._continue()

    def run(self) -> None:
        while not self._closing.is_set():
            for message in self._consumer.consume(_TAKE, _TAKE_SECONDS):
                # An error says that the broker is unreachable; the client nearly always recovers by itself.
                if not message.error():
                    self._take(message)
            if time.monotonic() - self._heard_at > _SILENCE_SECONDS:
                # Closing may block for long; left open, it would keep fetching and slow the run down.
                threading.Thread(target=self._consumer.close, name="replaced", daemon=True).start()
                self._consumer = self._client()
                self._continue()

    def close(self) -> None:
        """Return when the thread has ended."""
        self._closing.set()
        self.join()
        self._consumer.close()

    def _take(self, message: Message) -> None:
        partition, offset, value = message.partition(), message.offset(), message.value()
        if partition is not None and offset is not None and value is not None and self._is_new(partition, offset):
            self._note(decoded("TranslationResult", value))

    def _is_new(self, partition: int, offset: int) -> bool:
        """Return False for a record that this reader has fetched before."""
        is_new = (partition, offset) not in self._seen
        self._seen.add((partition, offset))
        self._next[partition] = max(self._next[partition], offset + 1)
        self._heard_at = time.monotonic()
        return is_new

    def _client(self) -> Consumer:
        return Consumer(
            {
                "bootstrap.servers": self._bootstrap_servers,
                "group.id": "chaos-answers",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "fetch.wait.max.ms": 200,
                "log_level": 2,
            }
        )

    def _continue(self) -> None:
        self._consumer.assign([TopicPartition(self._topic, *partition) for partition in self._next.items()])
        self._heard_at = time.monotonic()

    def _note(self, result: dict[str, Any]) -> None:
        answer = Answer(
            version=result["version"],
            status=result["status"],
            text=self._text(result),
            source_words=result["source_words"],
            at=time.monotonic(),
            is_erased=result["erased_at"] is not None,
        )
        if answer.version == 1:
            self._on_answer(key_of(result["tenant"], result["request_id"]), answer)

    def _text(self, result: dict[str, Any]) -> str | None:
        if result["content_ref"] is None:
            return result["text"]
        file = self._objects / result["content_ref"]
        return file.read_text("utf-8") if file.exists() else None
