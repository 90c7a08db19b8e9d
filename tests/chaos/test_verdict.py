"""The verdict notices every kind of wrong: a proof that cannot fail proves nothing."""

import time
from dataclasses import replace

import pytest

from tests.chaos.committed_offsets import HighestOffsets
from tests.chaos.ledger import Answer, Ledger
from tests.chaos.verdict import (
    Bill,
    Verdict,
    answered_twice,
    billing_difference,
    duplicates,
    lost,
    miscopied,
    unerased,
    wrong_bills,
    wrong_texts,
    wrongly_heard,
)

REFERENCES = {"text-1": "Olá."}
RIGHT = Answer(version=1, status="COMPLETED", text="Olá.", source_words=7, at=0.0)


def test_a_run_in_which_all_is_right_has_nothing_wrong():
    expected, answers, bills = {"a": "text-1"}, {"a": [RIGHT]}, {"a": Bill(1, 7)}

    assert lost(expected, answers) == []
    assert duplicates(answers) == 0
    assert wrong_texts(expected, answers, REFERENCES) == []
    assert billing_difference(answers, bills) == 0
    assert wrong_bills(answers, bills) == []


CANCELLED = Answer(version=1, status="CANCELLED", text=None, source_words=0, at=0.0)
ERASED = replace(RIGHT, text=None, is_erased=True)


def test_a_request_whose_end_was_ordered_may_be_cancelled_and_no_other():
    answers = {"a": [CANCELLED], "b": [RIGHT]}
    expected = dict.fromkeys(answers, "text-1")

    assert wrong_texts(expected, answers, REFERENCES, {"a", "b"}) == []
    assert wrong_texts(expected, answers, REFERENCES, {"b"}) == ["a"]
    assert wrong_texts(expected, {"a": [replace(CANCELLED, text="Olá.")]}, REFERENCES, {"a"}) == ["a"]
    assert wrongly_heard(expected, {"a": None, "b": "Olá."}, REFERENCES, {"a"}) == []
    assert wrongly_heard(expected, {"a": None}, REFERENCES) == ["a"]


def test_an_erasure_writes_the_answer_again_and_is_no_second_one():
    answers = {"a": [RIGHT, ERASED], "b": [replace(CANCELLED, is_erased=True)]}

    assert duplicates(answers) == 0
    assert wrong_texts(dict.fromkeys(answers, "text-1"), answers, REFERENCES, {"a", "b"}) == []
    assert unerased({"a", "b"}, answers) == []
    assert billing_difference(answers, {"a": Bill(1, 7), "b": Bill(1, 0)}) == 0


@pytest.mark.parametrize(
    "found", [[], [RIGHT], [CANCELLED], [ERASED, RIGHT], [RIGHT, replace(ERASED, text="Olá.")]]
)
def test_a_text_that_is_there_after_its_erasure_is_noticed(found):
    assert unerased({"a"}, {"a": found}) == ["a"]


def test_a_text_that_comes_after_the_erasure_is_a_second_answer():
    assert answered_twice({"a": [replace(CANCELLED, is_erased=True), RIGHT]}) == ["a"]


def test_an_accepted_request_without_an_answer_is_lost():
    assert lost({"a": "text-1", "b": "text-1"}, {"a": [RIGHT]}) == ["b"]


def test_the_answer_of_one_tenant_answers_nobody_elses_request_of_that_id():
    expected, answers = {"one/a": "text-1", "two/a": "text-2"}, {"one/a": [RIGHT]}
    references = REFERENCES | {"text-2": "Adeus."}
    assert lost(expected, answers) == ["two/a"]
    assert wrong_texts(expected, answers | {"two/a": [RIGHT]}, references) == ["two/a"]
    assert duplicates(answers | {"two/a": [RIGHT]}) == 0
    assert wrong_bills(answers, {"one/a": Bill(1, 7), "two/a": Bill(1, 7)}) == [f"two/a: {Bill(1, 7)}"]


@pytest.mark.parametrize(
    "copies",
    [
        {},
        {"own/a": [RIGHT, RIGHT]},
        {"own/a": [replace(RIGHT, text="Adeus.")]},
        {"own/a": [RIGHT], "other/a": [RIGHT]},
        {"own/a": [RIGHT], "own/b": [RIGHT]},
    ],
)
def test_a_copy_that_is_missing_doubled_other_or_not_due_is_wrong(copies):
    answers = {"own/a": [RIGHT], "other/a": [RIGHT]}
    assert miscopied(answers, {"own/a": [replace(RIGHT, at=9.0)]}, "own") == []
    assert len(miscopied(answers, copies, "own")) == 1


def test_every_answer_beyond_the_first_is_a_duplicate():
    assert duplicates({"a": [RIGHT, RIGHT, RIGHT], "b": [RIGHT]}) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        Answer(1, "COMPLETED", "Adeus.", 7, 0.0),
        Answer(1, "PARTIAL", "Olá.", 7, 0.0),
        Answer(1, "FAILED", None, 0, 0.0),
    ],
)
def test_an_answer_that_differs_from_the_undisturbed_one_is_wrong(wrong: Answer):
    assert wrong_texts({"a": "text-1"}, {"a": [wrong]}, REFERENCES) == ["a"]
    assert wrong_texts({"a": "text-1"}, {"a": [RIGHT, wrong]}, REFERENCES) == ["a"]


@pytest.mark.parametrize(
    ("bills", "difference"),
    [
        ({}, 7),
        ({"a": Bill(1, 6)}, 1),
        ({"a": Bill(2, 14)}, 8),
        ({"a": Bill(2, 7)}, 1),
        ({"a": Bill(1, 7), "unknown": Bill(1, 3)}, 3),
    ],
)
def test_words_that_are_missing_doubled_or_nobodys_make_a_difference(bills: dict[str, Bill], difference: int):
    assert billing_difference({"a": [RIGHT]}, bills) == difference
    assert wrong_bills({"a": [RIGHT]}, bills)


def test_one_violation_breaks_the_verdict():
    assert Verdict(0, 0, 0, 0, 0, 0).is_good
    assert not Verdict(0, 0, 0, 0, 0, 1).is_good
    assert not Verdict(0, 0, 0, 0, 0, 0, unheard=1).is_good
    assert not Verdict(0, 0, 0, 0, 0, 0, untold=1).is_good
    assert not Verdict(0, 0, 0, 0, 0, 0, miscopied=1).is_good
    assert not Verdict(0, 0, 0, 0, 0, 0, unerased=1).is_good


def test_a_caller_who_waited_and_got_another_text_was_told_wrongly():
    expected = {"a": "text-1", "b": "text-1", "c": "text-1"}
    heard = {"a": "Olá.", "b": "Adeus.", "c": None, "not accepted": "Adeus."}
    assert wrongly_heard(expected, heard, REFERENCES) == ["b", "c"]


def test_a_caller_waits_in_vain_only_where_the_answer_was_there():
    ledger = Ledger()
    ledger.answer("tenant/early", replace(RIGHT, at=time.monotonic() - 6))
    ledger.answer("tenant/late", replace(RIGHT, at=time.monotonic() - 1))
    for name in ("early", "late", "never"):
        ledger.wait_in_vain(f"tenant/{name}", for_seconds=5.0)
    assert ledger.unheard == ["tenant/early"]


def test_an_offset_that_goes_backwards_is_noticed_and_one_that_stands_is_not():
    highest = HighestOffsets()
    for offset in (3, 3, 5, 4, 6):
        highest.note({("intake", "requests", 0): offset})

    assert highest.backwards == ["('intake', 'requests', 0): 5 -> 4"]


def test_a_partition_without_a_commit_is_not_backwards_but_a_commit_that_vanished_is():
    highest, partition, nothing = HighestOffsets(), ("intake", "requests", 0), -1001
    for offset in (nothing, nothing, 0, 2):
        highest.note({partition: offset})
    assert highest.backwards == []

    highest.note({partition: nothing})
    assert highest.backwards == ["('intake', 'requests', 0): 2 -> -1001"]


def test_offsets_of_other_groups_and_partitions_are_compared_separately():
    highest = HighestOffsets()
    highest.note({("intake", "requests", 0): 9})
    highest.note({("intake", "requests", 1): 2, ("assembly", "requests", 0): 1})

    assert highest.backwards == []


def test_an_answer_may_be_read_before_its_request_is_known_to_be_accepted():
    ledger = Ledger()
    ledger.answer("a", RIGHT)
    assert ledger.unanswered() == []
    ledger.accept("a", "text-1")

    assert ledger.unanswered() == []
    assert ledger.answered_at("a") == 0.0
    assert ledger.progress() == (1, 1)
