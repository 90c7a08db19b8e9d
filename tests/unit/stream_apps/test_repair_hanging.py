"""Which open transactions are ended, and which never."""

import dataclasses

import pytest

from connectors.kafka.open_transactions import OpenTransaction
from schemas.errors import TransientError
from stream_apps.repair.hanging import HangingTransactions

ONE = OpenTransaction("translation.results", 0, 7, 1, 3, 100)


class Transactions:
    """Each look finds the next entry of `opened`, the last one again and again."""

    def __init__(self, *opened, known=()):
        self.opened, self.known = list(opened), set(known)
        self.aborted: list[OpenTransaction] = []
        self.asked: list[set[OpenTransaction]] = []
        self.is_loading = False

    def open(self):
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
    assert looked_at(Transactions({ONE}, {ONE}, {ONE}, set())).aborted == []


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
