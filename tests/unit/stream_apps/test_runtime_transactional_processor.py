"""The one loop that catches: what it commits, what it takes again, when it ends."""

from itertools import count, repeat

import pytest
from prometheus_client import REGISTRY

from schemas.errors import FatalError, TransientError
from schemas.records import InboundRecord, OutboundRecord, StoredAt
from stream_apps.runtime.transactional_processor import TransactionalProcessor


class Reader:
    """A group member on a list; `taken` moves on, `rewind` fails as told and goes back to what was committed."""

    def __init__(self, records, failures=()):
        self.log = [InboundRecord("t", 0, at, None, str(at).encode()) for at in range(records)]
        self.taken = self.committed = 0
        self.failures = iter(failures)

    def rewind(self):
        if failure := next(self.failures, None):
            raise failure
        self.taken = self.committed

    def settle(self):
        self.committed = self.taken


class Source:
    def __init__(self, reader, size):
        self.readers, self.reader, self.size = [reader], reader, size

    def take(self):
        records = self.reader.log[self.reader.taken : self.reader.taken + self.size]
        self.reader.taken += len(records)
        return records


class StutteringSource(Source):
    """Finds nothing in every second take."""

    def __init__(self, reader, size):
        super().__init__(reader, size)
        self.turns = count()

    def take(self):
        return [] if next(self.turns) % 2 else super().take()


class Handler:
    """Answers every record but those in `silent`."""

    def __init__(self, failures=(), silent=()):
        self.failures, self.silent, self.commits, self.places = list(failures), silent, 0, []

    def handle(self, records):
        if self.failures and (failure := self.failures.pop(0)):
            raise failure
        return [OutboundRecord("out", b"", record.value) for record in records if record.value not in self.silent]

    def committed(self, places):
        self.commits += 1
        self.places += places


class Transactions:
    def __init__(self, failures=()):
        self.failures, self.written = list(failures), []

    def commit(self, outputs, readers, confirm=None):
        if self.failures and (failure := self.failures.pop(0)):
            raise failure
        first = len(self.written)
        self.written += [record.value for record in outputs]
        for reader in readers:
            reader.settle()
        return [StoredAt(0, first + number) for number in range(len(outputs))]


def run(reader, handler, transactions, size=2):
    pauses: list[float] = []
    turns = iter(range(50))
    processor = TransactionalProcessor(
        "stage", Source(reader, size), handler, transactions,
        should_stop=lambda: reader.committed == len(reader.log) or next(turns, None) is None,
        sleep=pauses.append,
    )  # fmt: skip
    processor.run()
    return pauses


EVERYTHING = [b"0", b"1", b"2", b"3", b"4"]


def test_everything_is_written_once_and_in_order():
    transactions = Transactions()
    handler = Handler()
    run(Reader(5), handler, transactions)
    assert transactions.written == EVERYTHING
    assert handler.commits == 3
    assert handler.places == [StoredAt(0, at) for at in range(5)]


class Steps:
    """A clock that goes on by so many seconds with each look."""

    def __init__(self, seconds):
        self.now, self.seconds = 0.0, seconds

    def __call__(self):
        self.now += self.seconds
        return self.now


def cycles(handler, records, clock_step, turns=50):
    """Run cycles of one record each; return the offsets committed after each transaction."""
    reader, commits = Reader(records), []

    class Noting(Transactions):
        def commit(self, outputs, readers, confirm=None):
            places = super().commit(outputs, readers, confirm)
            commits.append(reader.committed)
            return places

    left = iter(range(turns))
    TransactionalProcessor(
        "stage", Source(reader, 1), handler, Noting(), should_stop=lambda: next(left, None) is None,
        sleep=lambda _: None, clock=Steps(clock_step),
    ).run()  # fmt: skip
    return commits


def test_cycles_without_outputs_commit_nothing_and_ride_along_with_the_next_answer():
    assert cycles(Handler(silent=EVERYTHING[:3]), 5, clock_step=0.0001) == [4, 5]


def test_offsets_without_outputs_are_committed_after_a_second_although_nothing_more_comes():
    assert cycles(Handler(silent=EVERYTHING), 5, clock_step=0.05) == [5]


def test_what_was_not_committed_comes_again_after_a_failure():
    handler = Handler([None, None, TransientError("away")], silent=EVERYTHING[:2])
    assert cycles(handler, 5, clock_step=0.0001) == [3, 4, 5]


def test_a_transient_failure_of_the_handler_repeats_the_same_records():
    transactions = Transactions()
    pauses = run(Reader(5), Handler([None, TransientError("away")]), transactions)
    assert transactions.written == EVERYTHING
    assert len(pauses) == 1


def test_an_aborted_transaction_repeats_the_same_records_and_is_not_reported_as_committed():
    transactions, handler = Transactions([TransientError("aborted")]), Handler()
    run(Reader(5), handler, transactions)
    assert transactions.written == EVERYTHING
    assert handler.commits == 3


def test_cycles_and_their_repeats_are_counted():
    before = counted("dragoman_cycle_seconds_count"), counted("dragoman_cycles_retried_total")
    run(Reader(5), Handler([None, TransientError("away")]), Transactions([TransientError("aborted")]))
    assert counted("dragoman_cycle_seconds_count") == before[0] + 3
    assert counted("dragoman_cycles_retried_total") == before[1] + 2


def counted(name):
    return REGISTRY.get_sample_value(name, {"stage": "stage"}) or 0


def test_a_rewind_that_fails_is_tried_again():
    reader = Reader(3, failures=[TransientError("still away")])
    transactions = Transactions()
    assert len(run(reader, Handler([TransientError("away")]), transactions)) == 2
    assert transactions.written == EVERYTHING[:3]


def test_a_part_may_stay_away_for_days():
    reader, transactions = Reader(3), Transactions()
    pauses: list[float] = []
    TransactionalProcessor(
        "stage", Source(reader, 3), Handler([TransientError("away")] * 5_000), transactions,
        should_stop=lambda: reader.committed == 3, sleep=pauses.append,
    ).run()  # fmt: skip
    assert len(pauses) == 5_000
    assert transactions.written == EVERYTHING[:3]


def test_readers_that_cannot_be_rewound_end_the_process_and_nothing_is_skipped():
    reader = Reader(3, failures=repeat(TransientError("erroneous state")))
    transactions = Transactions()
    with pytest.raises(FatalError, match="cannot be rewound: erroneous state"):
        run(reader, Handler([TransientError("away")]), transactions)
    assert (transactions.written, reader.committed) == ([], 0)


def test_a_signal_ends_the_wait_and_leaves_the_records_to_others():
    reader, transactions = Reader(3, failures=repeat(TransientError("still away"))), Transactions()
    pauses: list[float] = []
    TransactionalProcessor(
        "stage", Source(reader, 2), Handler([TransientError("away")]), transactions,
        should_stop=lambda: len(pauses) == 4, sleep=pauses.append,
    ).run()  # fmt: skip
    assert (transactions.written, reader.committed) == ([], 0)


def test_an_empty_poll_is_no_success_that_makes_the_pauses_short_again():
    reader, transactions = Reader(2), Transactions([TransientError("away", 0.5)] * 3)
    pauses: list[float] = []
    told: list[str] = []
    TransactionalProcessor(
        "stage", StutteringSource(reader, 2), Handler(), transactions,
        should_stop=lambda: reader.committed == 2, sleep=pauses.append, on_waiting=told.append,
    ).run()  # fmt: skip
    assert told == ["away"] * 3
    assert [0.25 * 2**n <= pause <= 0.5 * 2**n for n, pause in enumerate(pauses)] == [True] * 3


class Told:
    """What a loop reports of itself, in order; stops it after `turns`."""

    def __init__(self, turns):
        self.turns, self.words = iter(range(turns)), []

    def run(self, source, handler=None):
        TransactionalProcessor(
            "told",
            source,
            handler or Handler(),
            Transactions(),
            should_stop=lambda: next(self.turns, None) is None,
            sleep=lambda _: None,
            on_waiting=self.words.append,
            on_working=lambda: self.words.append("works"),
        ).run()
        return self.words


def test_a_commit_after_a_failure_says_that_the_loop_works_again():
    words = Told(turns=4).run(Source(Reader(2), 2), Handler([TransientError("away")]))
    assert words[:2] == ["away", "works"]


def test_a_loop_that_works_again_with_nothing_to_do_says_so():
    failures = [TransientError("away")]

    class FailingSource(Source):
        def take(self):
            if failures:
                raise failures.pop()
            return []

    assert Told(turns=12).run(FailingSource(Reader(0), 2)) == ["away", "works"]


def test_an_empty_poll_before_the_same_records_come_again_is_no_work():
    source = StutteringSource(Reader(2), 2)
    assert Told(turns=12).run(source, Handler([TransientError("away")] * 100)) == ["away"] * 4


def test_a_fatal_error_ends_the_loop():
    with pytest.raises(FatalError):
        run(Reader(5), Handler(), Transactions([FatalError("fenced")]))
