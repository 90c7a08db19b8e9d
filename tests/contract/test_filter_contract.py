"""One contract for every filter: what goes in comes out, and only texts change."""

import io
import random
import re
import zipfile
from functools import cache
from importlib import import_module

import pytest

from connectors.formats.protocol import Extraction, Options
from connectors.formats.registry import FORMATS, extract, filter_of, translated_name, written_as
from schemas.coded_text import CODE, check, closing, codes_of, isolated, number_of, opening
from schemas.errors import PermanentError
from schemas.units import UNIT_SEPARATOR
from tests.formats.mutations import mutated
from tests.formats.samples import FOLDER, Sample, samples

SAMPLES = list(samples())
# The last of each format that is the same in every run.
KEPT = list({sample.format: sample for sample in SAMPLES if sample.is_kept}.values())
OPTIONS = Options(source_language="en", target_language="pt-BR")
# A file of one of these holds source and target: what is translated is no unit of it any more.
BILINGUAL = {"po", "xliff", "xliff2"}
CAUSES = {
    "archive_too_large", "content_type_mismatch", "document_too_costly", "encrypted_document", "macros_refused",
    "malformed_document", "no_text", "no_text_layer", "unknown_encoding", "unknown_format",
}  # fmt: skip
# What formats may take for their own: quotes, marks of Markdown, separators, escapes.
NASTY = "A & \"q\" 's' \\ | * _x_ `c` [y](z) # 1. {n} %s 100% ]]> <d> &amp; é 漢字 😀 ; , :"

every_sample = pytest.mark.parametrize("sample", SAMPLES, ids=[sample.id for sample in SAMPLES])


@cache
def extracted(sample: Sample) -> Extraction:
    return extract(io.BytesIO(sample.data), sample.name, "", OPTIONS).extraction


def merged(sample: Sample, units: list[str], skeleton: bytes) -> bytes:
    output = io.BytesIO()
    filter_of(sample.format).merge(io.BytesIO(sample.data), skeleton, units, output, OPTIONS)
    return output.getvalue()


@cache
def in_capitals(sample: Sample) -> bytes:
    found = extracted(sample)
    return merged(sample, [unit.text.upper() for unit in found.units], found.skeleton)


def again(sample: Sample, data: bytes) -> list[str]:
    """Return the units of what was merged."""
    name = translated_name(sample.name, sample.format, OPTIONS)
    return [unit.text for unit in extract(io.BytesIO(data), name, "", OPTIONS).extraction.units]


def replaced(text: str, words: str) -> str:
    """Put words in place of all text between the codes, but white space at their edges."""
    pieces = re.split(f"({CODE.pattern}|\\s+)", text)
    lettered = [at for at, piece in enumerate(pieces) if any(map(str.isalpha, piece))]
    for at in lettered:
        pieces[at] = words if at == lettered[0] else "w"
    return "".join(pieces)


def plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


@every_sample
def test_every_format_is_recognised(sample):
    found = extract(io.BytesIO(sample.data), sample.name, "application/octet-stream", OPTIONS)
    assert (found.format, found.version) == (sample.format, FORMATS[sample.format].filter.version)


@every_sample
def test_with_nothing_translated_the_file_is_the_same(sample):
    found = extracted(sample)
    data = merged(sample, [unit.text for unit in found.units], found.skeleton)
    if sample.format == "pdf":  # becomes a Word document
        assert again(sample, data) == [unit.text for unit in found.units]
    else:
        assert data == sample.data


@every_sample
def test_units_are_sound_coded_text(sample):
    for unit in extracted(sample).units:
        assert unit.text.strip()
        assert UNIT_SEPARATOR not in unit.text
        codes = codes_of(unit.text)
        assert len(codes) == len(set(codes))
        assert check(unit.text, unit.text) is None
        assert {number_of(code) for code in codes} == {code.number for code in unit.codes}
        assert unit.place


@every_sample
def test_translations_stand_where_their_sources_stood(sample):
    units = [unit.text.upper() for unit in extracted(sample).units]
    data = in_capitals(sample)
    if sample.format in BILINGUAL:
        with pytest.raises(PermanentError, match="no text"):
            again(sample, data)
        return
    assert [plain(CODE.sub("", text)) for text in again(sample, data)] == [
        plain(CODE.sub("", text)) for text in units
    ]


@every_sample
def test_nothing_in_a_translation_means_anything_to_the_format(sample):
    if sample.format in BILINGUAL:
        return  # their next test reads them with the libraries of their formats
    found = extracted(sample)
    words = NASTY.replace("<d> ", "") if sample.format in ("srt",) else NASTY
    units = [replaced(unit.text, words) for unit in found.units]
    texts = [plain(CODE.sub("", text)) for text in again(sample, merged(sample, units, found.skeleton))]
    assert texts == [plain(CODE.sub("", text)) for text in units]


@every_sample
def test_parts_without_changes_keep_their_content(sample):
    if not sample.data.startswith(b"PK"):
        return
    found = extracted(sample)
    units = [unit.text for unit in found.units]
    units[0] = units[0].swapcase()
    before = zipfile.ZipFile(io.BytesIO(sample.data))
    after = zipfile.ZipFile(io.BytesIO(merged(sample, units, found.skeleton)))
    assert after.namelist() == before.namelist()
    assert [info.compress_type for info in after.infolist()] == [info.compress_type for info in before.infolist()]
    changed = [name for name in before.namelist() if before.read(name) != after.read(name)]
    # The text; the default language of styles; that formulas are calculated anew; the language of each page.
    assert 1 <= len(changed) <= (9 if sample.format == "epub" else 3)


@every_sample
def test_broken_codes_are_refused(sample):
    found = extracted(sample)
    coded = [number for number, unit in enumerate(found.units) if CODE.search(unit.text)]
    texts = [unit.text for unit in found.units]
    for number in coded[:3]:
        units = list(texts)
        units[number] = CODE.sub("", units[number])
        with pytest.raises(PermanentError, match="missing_code at"):
            merged(sample, units, found.skeleton)


@every_sample
def test_strange_characters_do_no_harm(sample):
    """Controls, and characters that are none."""
    found = extracted(sample)
    units = [unit.text for unit in found.units]
    units[-1] += " \x00\x0b\x85\u2028\ufffe\x1b"
    data = merged(sample, units, found.skeleton)
    if sample.format not in BILINGUAL:
        assert len(again(sample, data)) >= len(units)


@every_sample
def test_its_library_reads_the_same_structure(sample):
    reader = {"docx": "docx", "pptx": "pptx", "xlsx": "xlsx"}.get(sample.format, "odf")
    if sample.format.startswith("od") or reader != "odf":
        read = getattr(import_module("tests.formats.makers"), f"read_{reader}")
        assert without_spaces(read(in_capitals(sample))) == without_spaces(read(sample.data))


def without_spaces(structure: list) -> list:
    """Leave out how spaces are written: OpenDocument has an element for several."""
    return [one for one in structure if not (isinstance(one, tuple) and one[0] == "text:s")]


@pytest.mark.parametrize(
    "sample", {one.format: one for one in SAMPLES if one.is_kept}.values(), ids=lambda one: one.id
)
def test_skeletons_that_were_kept_can_still_be_read(sample):
    """A document may be merged after an upgrade. Who changes skeletons counts the version up and keeps both."""
    kept = FOLDER / "skeletons" / f"{sample.format}-{FORMATS[sample.format].filter.version}"
    units = [unit.text.upper() for unit in extracted(sample).units]
    assert merged(sample, units, kept.read_bytes()) == in_capitals(sample)


def refusal(sample: Sample, damaged: bytes) -> PermanentError | None:
    """Return how a damaged file is refused; what is not refused is translated."""
    try:
        found = extract(io.BytesIO(damaged), sample.name, "", OPTIONS)
    except PermanentError as error:
        return error
    units = [unit.text.swapcase() for unit in found.extraction.units]
    filter_of(found.format).merge(io.BytesIO(damaged), found.extraction.skeleton, units, io.BytesIO(), OPTIONS)
    return None


@every_sample
def test_damaged_files_give_named_errors(sample):
    for seed in range(1):
        damaged = mutated(sample.data, random.Random(f"{sample.id} {seed}"))
        error = refusal(sample, damaged)
        assert error is None or (error.cause in CAUSES and error.cure)


def test_every_format_has_samples_and_says_what_it_writes():
    assert {sample.format for sample in SAMPLES} == set(FORMATS)
    for name in FORMATS:
        assert written_as(name, OPTIONS).name == ("docx" if name == "pdf" else name)
        with pytest.raises(PermanentError, match="cannot be written as"):
            written_as(name, Options("en", "pt", {"output": "doc"}))


def test_characters_that_mean_codes_to_us_come_back():
    for code in (opening(3), closing(3), isolated(3)):
        sample = Sample("txt", "a.txt", f"one {code} two".encode())
        found = extracted(sample)
        assert merged(sample, [found.units[0].text.upper()], found.skeleton) == f"ONE {code} TWO".encode()
