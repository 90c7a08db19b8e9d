import pytest

from schemas.errors import PermanentError
from schemas.priorities import parse_priority


def test_an_error_that_quotes_what_was_sent_stays_small():
    error = PermanentError("cause", "x" * 5000, limit="y" * 5000, cure="z" * 5000)
    assert [len(text or "") for text in (error.message, error.limit, error.cure, str(error))] == [1000] * 4


def test_a_priority_of_a_megabyte_is_refused_in_a_short_sentence():
    with pytest.raises(PermanentError) as refused:
        parse_priority("\0" * 1_000_000)
    assert len(refused.value.message) == 1000
