"""Glossaries: what their files may be, which version a name means, and how they are kept."""

import pytest

from schemas.codec import Codec
from schemas.errors import PermanentError
from schemas.glossaries import Glossary
from schemas.languages import LanguagePair
from schemas.records import InboundRecord
from schemas.topics import GLOSSARIES
from stream_apps.glossaries.changes import Writing, deleted, new_version
from stream_apps.glossaries.formats import parsed
from stream_apps.glossaries.limits import GlossaryLimits
from stream_apps.glossaries.shelf import Shelf, entries_of
from stream_apps.glossaries.store import records_of

PAIR, LIMITS, CODEC = LanguagePair("en", "pt"), GlossaryLimits(), Codec()
TBX = """<?xml version="1.0"?>
<martif type="TBX"><text><body>
<termEntry id="1"><langSet xml:lang="en-US"><tig><term>release</term></tig><tig><term>drop</term></tig></langSet>
<langSet xml:lang="de"><tig><term>Freigabe</term></tig></langSet>
<langSet xml:lang="PT"><ntig><termGrp><term>liberação</term></termGrp></ntig></langSet></termEntry>
<termEntry id="2"><langSet xml:lang="en"><tig><term>lone</term></tig></langSet></termEntry>
</body></text></martif>"""


def glossary(version=0, **fields):
    wishes = {
        "name": "terms",
        "source_language": "en",
        "target_language": "pt",
        "entries": {"a": "b"},
        "created_at": version,
    }
    return Glossary(tenant="acme", version=version, **(wishes | fields))


def test_terms_that_differ_in_white_space_alone_are_one_and_have_one_translation():
    def made(entries):
        return new_version(Shelf(), glossary(entries=entries), LIMITS).written[0].entries

    assert made({"release ": "liberação", " release": " liberação"}) == {"release": "liberação"}
    with pytest.raises(PermanentError, match="entry 2: the source was there before, with another target"):
        made({"release": "liberação", "release ": "lançamento"})


@pytest.mark.parametrize(
    ("form", "content"),
    [
        ("csv", "release,liberação\ndrop,liberação\n"),
        ("csv", '\ufeffSource,Target\r\n"release", liberação\r\n\r\ndrop,liberação'),
        ("csv", "release,liberação,EN,pt-BR\ndrop,liberação"),
        ("tsv", "release\tliberação\r\n\ndrop\tliberação"),
        ("tsv", "drop\tliberação\nrelease\tliberação\nrelease\tliberação\n"),
        ("tbx", TBX),
    ],
)
def test_entries_are_read_from_files_as_other_programs_write_them(form, content):
    assert parsed(content.encode(), form, PAIR, LIMITS) == {"release": "liberação", "drop": "liberação"}


@pytest.mark.parametrize(
    ("form", "content", "words"),
    [
        ("csv", b"a,b\n,c", "line 2: the source has 0 characters"),
        ("csv", b'a,b\n"c,d', "line 2:"),
        ("csv", b"a,b,en,de", "line 1: there are 4 columns"),
        ("csv", b"a,b\na,c", "line 2: the source was there before"),
        ("csv", b"a,b\n\xff,c", "line 2: byte 4 is no UTF-8"),
        ("tsv", b"a\tb\nc\t", "line 2: the target has 0 characters"),
        ("tsv", b"a\tb\nc\td\x00", "line 2: the target"),
        ("tbx", b"<tbx>", "XML"),
        ("tbx", b"<!DOCTYPE tbx [<!ENTITY a 'b'>]><tbx>&a;</tbx>", "DOCTYPE"),
    ],
)
def test_the_first_mistake_of_a_file_is_named_with_its_place(form, content, words):
    with pytest.raises(PermanentError) as refused:
        parsed(content, form, PAIR, LIMITS)
    assert words in refused.value.message
    assert (refused.value.field, bool(refused.value.limit), bool(refused.value.cure)) == ("entries", True, True)


def test_the_first_of_several_glossaries_decides():
    some = [glossary(entries={"a": "1"}), glossary(entries={"a": "2", "b": "3"})]
    assert entries_of(some) == {"a": "1", "b": "3"}


def test_too_many_versions_and_too_many_glossaries_are_refused():
    found = Shelf()
    found.put(glossary(1))
    for limits, cause in (
        (GlossaryLimits(max_versions=1), "too_many_versions"),
        (GlossaryLimits(max_glossaries=1), "too_many_glossaries"),
    ):
        wish = glossary() if cause == "too_many_versions" else glossary(name="more")
        with pytest.raises(PermanentError) as refused:
            new_version(found, wish, limits)
        assert refused.value.cause == cause


def records(writing: Writing, at_ms: int):
    return [
        InboundRecord(GLOSSARIES, 0, 0, one.key, one.value, one.headers, timestamp_ms=at_ms)
        for one in records_of(writing, CODEC)
    ]


def test_what_is_written_is_what_a_reader_of_the_topic_knows():
    found = Shelf()

    def write(writing, at_ms=10):
        for record in records(writing, at_ms):
            found.add(record, CODEC)

    write(new_version(found, glossary(created_at=99), LIMITS), at_ms=7)
    write(new_version(found, glossary(created_at=9), LIMITS))
    assert [(one.version, one.created_at) for one in found.versions("acme", "terms")] == [(1, 7), (2, 9)]
    assert found.named("acme", "terms", at_ms=8) == found.named("acme", "terms@1")
    assert found.named("acme", "terms", at_ms=6) is None
    write(deleted(found, "acme", "terms", now_ms=11))
    assert (found.all_of("acme"), found.last_number("acme", "terms")) == ([], 2)
    write(new_version(found, glossary(), LIMITS))
    assert [one.exact_name for one in found.all_of("acme")] == ["terms@3"]


def test_a_record_that_cannot_be_read_changes_nothing():
    found = Shelf()
    found.add(InboundRecord(GLOSSARIES, 0, 0, b"acme/terms/1", b"rubbish"), CODEC)
    found.add(InboundRecord(GLOSSARIES, 0, 1, b"rubbish", None), CODEC)
    assert found.all_of("acme") == []
