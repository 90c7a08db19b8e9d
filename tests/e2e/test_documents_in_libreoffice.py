"""LibreOffice opens what the filters wrote, and shows the same document with other words."""

import io
import re
import shutil
import subprocess
from pathlib import Path

import pypdfium2
import pytest

from connectors.formats.protocol import Options
from connectors.formats.registry import extract, filter_of
from tests.formats.samples import Sample, samples

FORMATS = ("docx", "odp", "ods", "odt", "pptx", "xlsx")
OPTIONS = Options(source_language="en", target_language="pt-BR")
# Of spreadsheets pages are compared alone: the samples have a chart, whose labels LibreOffice draws anew.
SHEETS = {"ods", "xlsx"}
_SECONDS = 300

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(_SECONDS * 2),
    pytest.mark.skipif(shutil.which("soffice") is None, reason="needs LibreOffice (soffice)"),
]


def test_translated_office_files_open_with_the_same_pages_and_words(tmp_path):
    wanted = [sample for sample in samples() if sample.format in FORMATS]
    for sample in wanted:
        (tmp_path / f"source-{sample.id}").write_bytes(sample.data)
        (tmp_path / f"target-{sample.id}").write_bytes(in_other_letters(sample))
    shown = as_pdf(sorted(tmp_path.iterdir()), tmp_path / "pdf")
    differing = {}
    for sample in wanted:
        source, target = (shown[f"{which}-{sample.id}"] for which in ("source", "target"))
        assert letters(source) != letters(target), sample.id
        is_same = sample.format in SHEETS or letters(source).lower() == letters(target).lower()
        if len(source) != len(target) or not is_same:
            differing[sample.id] = (len(source), len(target), letters(source), letters(target))
    assert differing == {}


def in_other_letters(sample: Sample) -> bytes:
    """Translate a document: letters change their case, and the words their looks but not their length."""
    found = extract(io.BytesIO(sample.data), sample.name, "", OPTIONS).extraction
    output = io.BytesIO()
    units = [unit.text.swapcase() for unit in found.units]
    filter_of(sample.format).merge(io.BytesIO(sample.data), found.skeleton, units, output, OPTIONS)
    return output.getvalue()


def as_pdf(files: list[Path], folder: Path) -> dict[str, list[str]]:
    """Let LibreOffice print files; return the text of the pages of each, by its name."""
    profile = f"-env:UserInstallation=file://{folder}-profile"
    command = ["soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", str(folder), *map(str, files)]
    subprocess.run(command, check=True, timeout=_SECONDS, capture_output=True)
    return {file.name: pages(folder / f"{file.stem}.pdf") for file in files}


def pages(file: Path) -> list[str]:
    with pypdfium2.PdfDocument(file) as document:
        return [page.get_textpage().get_text_bounded() for page in document]


def letters(shown: list[str]) -> str:
    """Return what is written, without where lines end."""
    return re.sub(r"\s+", "", "".join(shown))
