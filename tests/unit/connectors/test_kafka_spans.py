"""What is left of a partition's span once its beginning is done."""

import pytest

from connectors.kafka.partition_reader import Span


@pytest.mark.parametrize(("before", "first"), [(0, 10), (10, 10), (15, 15), (20, 20)])
def test_what_is_done_is_left_out(before, first):
    assert Span("results", 0, 10, 20).without(before) == Span("results", 0, first, 20)


def test_of_a_topic_that_ends_before_nothing_is_done():
    assert Span("results", 0, 0, 5).without(20) == Span("results", 0, 0, 5)
