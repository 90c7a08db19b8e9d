"""Which open transactions are ended, and which never."""

import dataclasses

import pytest

from connectors.kafka.open_transactions import HeldUp, OpenTransaction
from schemas.errors import TransientError
from stream_apps.repair.hanging import HangingTransactions

ONE = OpenTransaction("translation.results", 0, 7, 1, 3, 100)


class Transactions:
    """Each look finds the next entry of `opened`, the last one again and again. `looks`: the closer ones."""

    def __init__(self, *opened, known=()):
        self.opened, self.known = list(opened), set(known)
        self.aborted: list[OpenTransaction] = []
        self.asked: list[set[OpenTransaction]] = []
        self.is_loading = False
        self.looks: list[set[tuple[str, int]]] = []

    def held_up(self):
        first: dict[tuple[str, int], HeldUp] = {}
        for one in self._next():
            position = one.position
            first[position[:2]] = min(first.get(position[:2], position), position)
        return set(first.values())

    def open(self, partitions):
        self.looks.append(partitions)
        return {one for one in self._next() if one.position[:2] in partitions}

    def _next(self):
        return self.opened.pop(0) if len(self.opened) > 1 else self.opened[0]

    def unknown(self, transactions):
        if self.is_loading:
            raise TransientError("the coordinator is loading")
        self.asked.append(set(transactions))
        return set(transactions) - self.known

    def abort(self, transaction):
        self.aborted.append(transaction)


def looked_at(transactions, seconds=(0, 5, 10)):
    clock = iter(seconds)
    hanging = HangingTransactions(transactions, 10, lambda: next(clock))
    for _ in seconds:
        hanging.turn()
    return transactions


def test_what_is_open_for_long_and_known_to_no_coordinator_is_ended():
    assert looked_at(Transactions({ONE})).aborted == [ONE]


def test_coordinators_are_not_asked_for_what_is_open_for_a_short_time():
    found = looked_at(Transactions({ONE}), seconds=(0, 9))
    assert (found.asked, found.aborted) == ([], [])


def test_what_a_coordinator_knows_is_left_to_it():
    found = looked_at(Transactions({ONE}, known={ONE}))
    assert (found.asked, found.aborted) == ([{ONE}], [])


def test_what_ends_while_the_coordinator_is_asked_is_left():
    # Seen by four looks: from afar and closely at the second turn, the same at the third; then it has ended.
    found = looked_at(Transactions({ONE}, {ONE}, {ONE}, {ONE}, {ONE}, set()))
    assert (found.asked, found.aborted) == ([{ONE}], [])


def test_nobody_looks_closely_while_readers_get_on():
    transactions = [{dataclasses.replace(ONE, start_offset=offset)} for offset in (100, 200, 300)]
    assert looked_at(Transactions(*transactions)).looks == []
    assert looked_at(Transactions(set())).looks == []


def test_only_partitions_whose_readers_stand_still_are_looked_into():
    moving = [dataclasses.replace(ONE, partition=1, start_offset=offset) for offset in (1, 2, 2, 3, 3)]
    found = looked_at(Transactions(*({ONE, one} for one in moving), known={ONE}))
    assert found.looks == [{("translation.results", 0)}] * 2


def test_a_transaction_behind_another_one_in_its_partition_is_ended_too():
    behind = dataclasses.replace(ONE, producer_id=8, start_offset=150)
    found = looked_at(Transactions({ONE, behind}, known={ONE}), seconds=(0, 5, 10, 15))
    assert found.aborted == [behind]


def test_a_producers_next_transaction_is_another_one():
    transactions = [{dataclasses.replace(ONE, start_offset=offset)} for offset in (100, 200, 300)]
    found = looked_at(Transactions(*transactions))
    assert (found.asked, found.aborted) == ([], [])


def test_what_could_not_be_checked_is_checked_at_the_next_look():
    transactions = Transactions({ONE})
    transactions.is_loading = True
    clock = iter((0, 10, 15))
    hanging = HangingTransactions(transactions, 10, lambda: next(clock))
    hanging.turn()
    with pytest.raises(TransientError):
        hanging.turn()
    transactions.is_loading = False
    hanging.turn()
    assert transactions.aborted == [ONE]
