"""The rules for requests: the same for Kafka and for HTTP."""

import pytest

from schemas.errors import PermanentError
from schemas.languages import Language
from schemas.messages import TranslationRequest
from schemas.priorities import Priority
from schemas.topics import DAY_MS
from stream_apps.pipeline.request_rules import (
    RequestLimits,
    check_different,
    check_request,
    check_request_id,
    check_text,
)

NOW = 1_700_000_000_000
LIMITS = RequestLimits(
    max_id_length=20,
    max_text_characters=100,
    max_metadata_entries=2,
    max_metadata_bytes=40,
    max_options=2,
    max_option_characters=10,
)


def request(**changes):
    fields = {"request_id": "r1", "source_language": "en", "target_language": "pt-br", "text": "Hello."}
    return TranslationRequest(**{**fields, **changes})


def check(**changes):
    return check_request(request(**changes), Priority.HIGH, LIMITS, NOW)


def test_a_good_request_gives_its_languages():
    languages = check(priority="high", deadline=NOW + 1000, metadata={"a": "b"}, options={"beam": "4"})
    assert (languages.source, languages.target) == (Language("en"), Language("pt", None, "BR"))


def test_auto_asks_for_detection():
    assert check(source_language="auto").source is None


@pytest.mark.parametrize(
    ("changes", "cause", "field"),
    [
        ({"text": None}, "text_or_content_ref", "text"),
        ({"content_ref": "a.txt"}, "text_or_content_ref", "text"),
        ({"text": ""}, "empty_text", "text"),
        ({"text": " \n\t\u3000"}, "empty_text", "text"),
        ({"text": "x" * 101}, "text_too_long", "text"),
        ({"content_type": "application/pdf"}, "unsupported_content_type", "content_type"),
        ({"priority": "urgent"}, "unknown_priority", "priority"),
        ({"priority": "critical"}, "priority_contradicts_topic", "priority"),
        ({"source_language": "english"}, "malformed_language", "source_language"),
        ({"target_language": ""}, "malformed_language", "target_language"),
        ({"target_language": "auto"}, "malformed_language", "target_language"),
        ({"source_language": "pt-BR"}, "same_language", "target_language"),
        ({"tenant": ""}, "bad_tenant", "tenant"),
        ({"tenant": "a\nb"}, "bad_tenant", "tenant"),
        ({"glossary": ""}, "bad_glossary", "glossary"),
        ({"metadata": {"a": "x" * 40}}, "metadata_too_large", "metadata"),
        ({"metadata": {"a": "", "b": "", "c": ""}}, "metadata_too_large", "metadata"),
        ({"options": {"Beam Size": "4"}}, "bad_options", "options"),
        ({"options": {"beam": "x" * 11}}, "bad_options", "options"),
        ({"options": {"a": "", "b": "", "c": ""}}, "bad_options", "options"),
        ({"deadline": 0}, "bad_deadline", "deadline"),
        ({"deadline": NOW // 1000}, "bad_deadline", "deadline"),
        ({"deadline": NOW - 5, "submitted_at": NOW}, "bad_deadline", "deadline"),
        ({"deadline": NOW + 8 * DAY_MS}, "bad_deadline", "deadline"),
    ],
)
def test_every_refusal_names_cause_field_limit_and_cure(changes, cause, field):
    with pytest.raises(PermanentError) as refused:
        check(**changes)
    error = refused.value
    assert (error.cause, error.field) == (cause, field)
    assert error.limit
    assert error.cure


@pytest.mark.parametrize("request_id", ["", "  ", "x" * 21, "a\x00b", "a\nb", "a\u202eb"])
def test_a_request_id_that_cannot_be_answered_is_refused(request_id):
    with pytest.raises(PermanentError) as refused:
        check_request_id(request(request_id=request_id), LIMITS)
    assert (refused.value.cause, refused.value.limit) == ("bad_request_id", "1 to 20 printable characters")


def test_a_deadline_in_seconds_is_refused_with_the_unit_that_was_assumed():
    with pytest.raises(PermanentError, match="is 1700000000 in milliseconds since the epoch"):
        check(deadline=NOW // 1000)


def test_refusals_do_not_quote_the_text():
    with pytest.raises(PermanentError) as refused:
        check(text="secret " * 50)
    assert "secret" not in refused.value.message


def test_a_text_at_the_limit_is_accepted():
    assert check_text("x" * 100, "text", LIMITS) == "x" * 100


def test_variants_of_one_language_are_different_languages():
    check_different(Language("zh", "Hans"), Language("zh", "Hant"))
