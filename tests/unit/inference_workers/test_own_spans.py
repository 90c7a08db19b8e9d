"""What a caller wants to keep."""

import pytest

from inference_workers.fidelity.own_spans import own_spans
from schemas.errors import PermanentError


def found(text, terms=(), pattern=None):
    own = own_spans(terms, {"placeholder_pattern": pattern} if pattern is not None else {})
    return [text[start:end] for start, end in own.of(text, 10)] if own else None


def test_who_asks_for_nothing_keeps_nothing():
    assert found("any text") is None


@pytest.mark.parametrize(
    ("text", "terms", "kept"),
    [
        ("Gold Plus and Gold", ["Gold", "Gold Plus"], ["Gold Plus", "Gold"]),
        ("Golden, gold, Marigold", ["Gold"], []),
        ("C++ and C", ["C++", "C"], ["C++", "C"]),
        ("Ação e Reação", ["Ação"], ["Ação"]),
        ("a.b and axb", ["a.b"], ["a.b"]),
    ],
)
def test_terms_are_whole_words_the_longest_first_and_taken_literally(text, terms, kept):
    assert found(text, terms) == kept


def test_a_placeholder_may_stand_inside_a_word_and_terms_beside_it():
    assert found("pre~x~fix by Acme", ["Acme"], "~[a-z]~") == ["~x~", "Acme"]


@pytest.mark.parametrize("pattern", ["", "(", "a*", "(?=a)b", r"(a)\1", "x" * 251, "((a{999}){999}){9}"])
def test_what_is_no_pattern_is_refused_with_its_limit(pattern):
    with pytest.raises(PermanentError, match="placeholder_pattern") as refused:
        found("any text", pattern=pattern)
    assert (refused.value.cause, refused.value.field) == ("bad_options", "engine_options.placeholder_pattern")
    assert refused.value.limit
    assert refused.value.cure


def test_a_pattern_that_would_take_others_for_ever_takes_no_time():
    assert found("a" * 4000, pattern="(a+)+b") == []
