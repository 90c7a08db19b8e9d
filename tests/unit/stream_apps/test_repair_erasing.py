"""What erased requests left in the object store and among the dead letters is deleted, at once and once more."""

import pytest
from obstore.store import MemoryStore

from connectors.object_store import UrlObjectStore
from schemas.codec import Codec
from schemas.dead_letters import about_request, dead_letter_of, dead_letter_record
from schemas.errors import PermanentError, TransientError
from schemas.ids import job_folder, job_inbox, request_texts, result_texts
from schemas.records import InboundRecord
from schemas.topics import DEAD_LETTERS
from stream_apps.repair.erasing import DeadLetterEraser, ErasureSweeper
from tests.keys import key

CODEC = Codec()
R1, R2 = key("r1", "acme"), key("r2", "acme")
AGAIN_MS = 1000


class Erasures:
    def __init__(self, **at_ms):
        self.at_ms = {key(name, "acme"): at for name, at in at_ms.items()}

    def all(self):
        return dict(self.at_ms)

    def forget(self, keys):
        for one in keys:
            del self.at_ms[one]


class Topic:
    """The dead letters, and what is sent there."""

    def __init__(self):
        self.records: list[InboundRecord] = []
        self.is_away = False

    def read(self):
        if self.is_away:
            raise TransientError("away")
        return list(self.records)

    def add(self, failed: InboundRecord, about=None) -> bytes:
        letter = dead_letter_of(failed, PermanentError("bad", "bad"), stage="intake", now_ms=1)
        letter = about_request(letter, about) if about else letter
        record = dead_letter_record(letter, CODEC, 10**6)
        self.records.append(InboundRecord(DEAD_LETTERS, 3, len(self.records), record.key, record.value))
        return record.key or b""

    def send(self, records, timeout_seconds=30.0):
        assert all((one.topic, one.value, one.partition) == (DEAD_LETTERS, None, 3) for one in records)
        self.records += [InboundRecord(DEAD_LETTERS, 3, len(self.records), one.key, None) for one in records]

    @property
    def open(self) -> set[bytes | None]:
        return {key for key, value in {one.key: one.value for one in self.records}.items() if value is not None}


def failed(offset: int, record_key: bytes | None = None) -> InboundRecord:
    return InboundRecord("translation.requests.high", 0, offset, record_key, b"the text")


@pytest.fixture
def store() -> UrlObjectStore:
    return UrlObjectStore(MemoryStore())


@pytest.fixture
def topic() -> Topic:
    return Topic()


def sweeper(erased, store, topic, now=lambda: 100) -> ErasureSweeper:
    return ErasureSweeper(erased, store, DeadLetterEraser(topic.read, topic, CODEC), now, AGAIN_MS)


def refs(store) -> set[str]:
    return {text.ref for text in store.texts("tenants")}


def keep_all(store, job) -> set[str]:
    folders = (job_folder(job), job_inbox(job), request_texts(job), result_texts(job))
    return {store.write_text(f"{folder}{name}", "the text") for folder in folders for name in ("a", "v1/b")}


def test_every_file_of_an_erased_request_is_deleted_and_no_other(store, topic):
    keep_all(store, R1)
    others = keep_all(store, R2) | keep_all(store, key("r1", "globex"))
    sweeper(Erasures(r1=50), store, topic).turn()
    assert refs(store) == others


def test_dead_letters_of_an_erased_request_are_closed_and_no_others(store, topic):
    for number, about in enumerate([R1, R1, None, None]):
        topic.add(failed(number, [None, None, R1.encode(), f"{R1}/7".encode()][number]), about)
    others = {
        topic.add(failed(11), R2),
        topic.add(failed(12, R2.encode())),
        topic.add(failed(13)),
        topic.add(failed(14, R1.encode()), R2),
    }
    sweeper(Erasures(r1=50), store, topic).turn()
    assert topic.open == others


def test_what_was_written_late_is_deleted_the_second_time_and_then_the_request_is_forgotten(store, topic):
    now, erased = [100], Erasures(r1=50)
    looks = sweeper(erased, store, topic, lambda: now[0])
    looks.turn()
    late = store.write_text(f"{job_folder(R1)}v1/file.docx", "the text")
    topic.add(failed(1), R1)
    looks.turn()
    assert refs(store) == {late}
    now[0] = 50 + AGAIN_MS
    looks.turn()
    assert (refs(store), topic.open, erased.at_ms) == (set(), set(), {})


def test_what_failed_is_done_with_the_next_look(store, topic):
    erased = Erasures(r1=50)
    topic.add(failed(1), R1)
    topic.is_away = True
    looks = sweeper(erased, store, topic)
    with pytest.raises(TransientError):
        looks.turn()
    topic.is_away = False
    looks.turn()
    assert (topic.open, erased.at_ms) == (set(), {R1: 50})


def test_without_an_object_store_dead_letters_are_closed_all_the_same(topic):
    topic.add(failed(1), R1)
    sweeper(Erasures(r1=50), None, topic).turn()
    assert topic.open == set()


def test_nothing_is_read_while_nothing_was_erased(store, topic):
    topic.is_away = True
    sweeper(Erasures(), store, topic).turn()
