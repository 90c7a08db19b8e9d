"""When rows are written, and as which range."""

from stream_apps.usage_sink.ranges import PartitionBuffer, Range
from stream_apps.usage_sink.rows.usage import UsagePart


def buffer(*offsets: int, first: int = 10, pending_last: int | None = None) -> PartitionBuffer:
    made = PartitionBuffer("usage", 2, first, pending_last)
    for offset in offsets:
        made.add(offset, part(1), now=float(offset))
    return made


def part(rows: int) -> UsagePart:
    return UsagePart({}, rows)


def due(made: PartitionBuffer, size: int) -> Range:
    found = made.due(size, is_time=True)
    assert found is not None
    return found


def span(found: Range | None) -> tuple[int, int, int] | None:
    return None if found is None else (found.first, found.last, found.row_count)


def test_young_rows_wait_for_company():
    assert buffer(10, 11).due(3, is_time=False) is None


def test_a_full_batch_is_due_and_ends_with_its_last_row():
    assert span(buffer(10, 11, 12, 13).due(3, is_time=False)) == (10, 12, 3)


def test_old_rows_are_due_together():
    assert span(buffer(10, 11).due(3, is_time=True)) == (10, 11, 2)


def test_gaps_in_the_log_belong_to_the_range():
    assert span(buffer(14, 19).due(3, is_time=True)) == (10, 19, 2)


def test_a_record_that_gave_no_row_keeps_its_place():
    made = buffer(10)
    made.add(11, part(0), now=11.0)
    assert span(made.due(5, is_time=True)) == (10, 11, 1)


def test_rows_are_counted_and_a_record_of_many_is_never_divided():
    made = buffer(10)
    made.add(11, part(5), now=11.0)
    made.add(12, part(1), now=12.0)
    assert made.row_count == 7
    first = made.due(3, is_time=False)
    assert span(first) == (10, 11, 6)
    assert first is not None
    made.done(first)
    assert (made.row_count, span(made.due(3, is_time=False))) == (1, None)


def test_a_pending_range_is_formed_exactly_again_whatever_the_batch_size():
    assert span(buffer(10, 11, 12, 13, pending_last=12).due(1, is_time=True)) == (10, 12, 3)


def test_a_pending_range_waits_until_it_is_read_whole():
    assert buffer(10, 11, pending_last=12).due(1, is_time=True) is None


def test_what_is_done_is_forgotten_and_the_next_range_begins_behind_it():
    made = buffer(10, 11, 12, 13, pending_last=11)
    first = made.due(9, is_time=False)
    assert first is not None
    made.done(first)
    assert span(made.due(9, is_time=True)) == (12, 13, 2)


def test_the_same_range_has_the_same_token_and_another_has_another():
    tokens = [due(buffer(10, 11), size).token for size in (1, 2, 2)]
    assert tokens == ["usage-2-10-10", "usage-2-10-11", "usage-2-10-11"]
