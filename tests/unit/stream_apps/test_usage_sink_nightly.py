"""Books that cannot be reconciled are missed, and those that nobody wants reconciled are not."""

import time

import pytest

from connectors.telemetry import metrics
from schemas.errors import TransientError
from stream_apps.usage_sink.nightly import BooksCheck, checking


class Failing(BooksCheck):
    def __init__(self):
        """Know nothing: it is away."""

    def run(self):
        raise TransientError("Kafka is away")


def reconciled_at():
    return metrics.BOOKS_RECONCILED._value.get()


@pytest.fixture(autouse=True)
def never_reconciled():
    metrics.BOOKS_RECONCILED.set(0)
    yield
    metrics.BOOKS_RECONCILED.set(0)


def test_books_that_were_never_reconciled_count_from_when_it_was_first_tried():
    before = time.time()
    with checking(Failing(), every_hours=24.0):
        assert before <= reconciled_at() <= time.time()


def test_books_that_are_never_to_be_reconciled_are_not_missed():
    with checking(Failing(), every_hours=0):
        assert reconciled_at() == 0
