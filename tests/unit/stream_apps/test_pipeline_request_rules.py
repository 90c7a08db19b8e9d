"""The rules for requests: the same for Kafka and for HTTP."""

import pytest

from schemas.errors import PermanentError
from schemas.languages import Language
from schemas.messages import TranslationRequest
from schemas.priorities import Priority
from schemas.topics import DAY_MS
from stream_apps.pipeline.content_rules import check_text
from stream_apps.pipeline.request_limits import RequestLimits
from stream_apps.pipeline.request_rules import check_identity, check_request

NOW = 1_700_000_000_000
LIMITS = RequestLimits(
    max_id_length=20,
    max_text_characters=100,
    max_texts=4,
    max_array_text_characters=60,
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
    languages = check(
        priority="high", deadline=NOW + 1000, metadata={"a": "b"}, engine_options={"beam": "4"}, glossaries=["g"]
    )
    assert (languages.source, languages.target) == (Language("en"), Language("pt", None, "BR"))


@pytest.mark.parametrize("texts", [["Hello."], ["", " ", "Hello."], [""]])
def test_an_array_may_hold_blank_texts(texts):
    assert check(text=None, texts=texts).source == Language("en")


def test_auto_asks_for_detection():
    assert check(source_language="auto").source is None


@pytest.mark.parametrize(
    ("changes", "cause", "field"),
    [
        ({"text": None}, "one_content", "text"),
        ({"text": None, "texts": []}, "one_content", "text"),
        ({"content_ref": "tenants/default/a.txt"}, "one_content", "content_ref"),
        ({"texts": ["Hello."]}, "one_content", "texts"),
        ({"text": None, "texts": ["a"] * 5}, "too_many_texts", "texts"),
        ({"text": None, "texts": ["x" * 50, "x" * 51]}, "too_many_texts", "texts"),
        ({"text": None, "texts": ["a", "x" * 61]}, "text_too_long", "texts[1]"),
        ({"text": None, "texts": ["a", "b", "c\x1ed"]}, "separator_in_text", "texts[2]"),
        ({"text": ""}, "empty_text", "text"),
        ({"text": " \n\t\u3000"}, "empty_text", "text"),
        ({"text": "x" * 101}, "text_too_long", "text"),
        ({"content_type": "application/pdf"}, "unsupported_content_type", "content_type"),
        ({"priority": "urgent"}, "unknown_priority", "priority"),
        ({"priority": "critical"}, "priority_contradicts_topic", "priority"),
        ({"source_language": "english"}, "malformed_language", "source_language"),
        ({"target_language": ""}, "malformed_language", "target_language"),
        ({"target_language": "auto"}, "malformed_language", "target_language"),
        ({"glossaries": [""]}, "bad_glossary", "glossaries"),
        ({"glossaries": ["g", "x" * 21]}, "bad_glossary", "glossaries"),
        ({"glossaries": ["g"] * 9}, "too_many_glossaries", "glossaries"),
        ({"metadata": {"a": "x" * 40}}, "metadata_too_large", "metadata"),
        ({"metadata": {"a": "", "b": "", "c": ""}}, "metadata_too_large", "metadata"),
        ({"labels": {"a": "x" * 40}}, "metadata_too_large", "metadata"),
        ({"metadata": {"a": "", "b": ""}, "labels": {"c": ""}}, "metadata_too_large", "metadata"),
        ({"engine_options": {"Beam Size": "4"}}, "bad_options", "engine_options"),
        ({"engine_options": {"beam": "x" * 11}}, "bad_options", "engine_options"),
        ({"engine_options": {"beam": "\0"}}, "bad_options", "engine_options"),
        ({"engine_options": {"a": "", "b": "", "c": ""}}, "bad_options", "engine_options"),
        ({"engine_options": {"beam_size": "x"}}, "bad_options", "engine_options.beam_size"),
        ({"engine_options": {"beam_size": "17"}}, "bad_options", "engine_options.beam_size"),
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
        check_identity(request(request_id=request_id), LIMITS)
    assert (refused.value.cause, refused.value.limit) == ("bad_request_id", "1 to 20 printable characters")


@pytest.mark.parametrize("tenant", ["", "a/b", "Acme", "acme.eu", "-a", "a-", "a" * 64, "a\n", "ａｃｍｅ"])
def test_a_tenant_that_is_no_dns_label_is_refused_with_field_limit_and_cure(tenant):
    with pytest.raises(PermanentError) as refused:
        check_identity(request(tenant=tenant), LIMITS)
    assert (refused.value.cause, refused.value.field) == ("bad_tenant", "tenant")
    assert refused.value.limit == "1 to 63 of a-z, 0-9 and -, not at either end"
    assert refused.value.cure


@pytest.mark.parametrize("tenant", ["a", "7", "acme-eu-1", "a" * 63])
def test_a_dns_label_is_a_tenant(tenant):
    check_identity(request(tenant=tenant), LIMITS)


@pytest.mark.parametrize(
    "ref", ["a.txt", "tenants/globex/a.txt", "tenants/defaults/a.txt", "/tenants/default/a.txt", "tenants/default"]
)
def test_a_text_outside_the_folder_of_its_tenant_is_refused(ref):
    with pytest.raises(PermanentError) as refused:
        check(text=None, content_ref=ref)
    assert (refused.value.cause, refused.value.field) == ("foreign_content_ref", "content_ref")
    assert (refused.value.limit, "tenants/default/inbox/" in (refused.value.cure or "")) == (
        "a path below tenants/default/inbox/",
        True,
    )


def test_a_text_in_the_folder_of_its_tenant_may_be_fetched():
    assert check(text=None, content_ref="tenants/default/inbox/a.txt").source == Language("en")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("content_sha256", "0" * 64),
        ("file_name", "a.docx"),
        ("output_content_type", "text/html"),
        ("output_mode", "bilingual"),
        ("filter_options", {"a": "b"}),
    ],
)
def test_what_nobody_carries_out_yet_is_refused_by_name_and_not_ignored(field, value):
    with pytest.raises(PermanentError) as refused:
        check(**{field: value})
    assert (refused.value.cause, refused.value.field, refused.value.limit) == (
        "not_supported",
        field,
        "its default",
    )
    assert refused.value.cure == f"leave {field} out"


@pytest.mark.parametrize("nothing", [{"texts": []}, {"callback": None}, {"output_mode": "translation"}])
def test_a_request_that_says_expressly_that_it_wants_none_of_it_is_sound(nothing):
    assert check(**nothing).source == Language("en")


@pytest.mark.parametrize("terms", [[""], [" "], ["x" * 101], ["x"] * 201])
def test_terms_that_are_blank_too_long_or_too_many_are_refused(terms):
    with pytest.raises(PermanentError) as refused:
        check(do_not_translate=terms)
    assert (refused.value.cause, refused.value.field) == ("bad_terms", "do_not_translate")
    assert refused.value.limit == "200 terms of 1 to 100 characters"


def test_a_placeholder_pattern_that_is_none_is_refused_at_once():
    with pytest.raises(PermanentError) as refused:
        check(engine_options={"placeholder_pattern": "("})
    assert (refused.value.cause, refused.value.field) == ("bad_options", "engine_options.placeholder_pattern")


def test_terms_and_a_placeholder_pattern_are_taken():
    wishes = {"do_not_translate": ["Acme", "C++"], "engine_options": {"placeholder_pattern": "<<.+>>"}}
    assert check(**wishes).source == Language("en")


def test_a_deadline_in_seconds_is_refused_with_the_unit_that_was_assumed():
    with pytest.raises(PermanentError, match="is 1700000000 in milliseconds since the epoch"):
        check(deadline=NOW // 1000)


def test_refusals_do_not_quote_the_text():
    with pytest.raises(PermanentError) as refused:
        check(text="secret " * 50)
    assert "secret" not in refused.value.message


def test_a_text_at_the_limit_is_accepted():
    assert check_text("x" * 100, "text", LIMITS) == "x" * 100


@pytest.mark.parametrize(("source", "are_one"), [("pt-BR", True), ("pt", True), ("pt-PT", False), ("auto", False)])
def test_a_text_that_is_in_the_target_language_already_may_pass(source, are_one):
    assert check(source_language=source, target_language="pb").are_one is are_one
