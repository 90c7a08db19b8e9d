"""Ten thousand damaged documents through the sandbox: no process dies, and what is refused says why."""

import random
from collections import Counter
from pathlib import Path

import pytest

from connectors.formats.protocol import Options
from connectors.formats.sandbox import Sandbox
from connectors.formats.settings import FormatSettings
from schemas.errors import PermanentError
from tests.formats.mutations import mutated
from tests.formats.samples import samples

FILES = 10_000
OPTIONS = Options(source_language="en", target_language="pt-BR")
# What a filter raises by mistake is told with its place in the code.
BY_MISTAKE = "the document cannot be read ("


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_damaged_documents_kill_nothing_and_are_refused_by_name(tmp_path):
    all_samples = list(samples())
    ends: Counter[str] = Counter()
    with Sandbox(FormatSettings(), tmp_path) as sandbox:
        for number in range(FILES):
            sample = all_samples[number % len(all_samples)]
            (tmp_path / sample.name).write_bytes(mutated(sample.data, random.Random(number)))
            error = refusal(sandbox, tmp_path / sample.name)
            ends[error.cause if error else "translated"] += 1
            if error:
                assert error.cure, (sample.id, number)
                assert error.cause != "document_too_costly", (sample.id, number)
                assert not error.message.startswith(BY_MISTAKE), (sample.id, number, error.message)
    print(dict(ends))
    assert ends["translated"] > FILES / 4
    assert ends["malformed_document"] > FILES / 20


def refusal(sandbox: Sandbox, source: Path) -> PermanentError | None:
    """Return how a document is refused; what is not refused is translated."""
    try:
        found = sandbox.extract(source, source.name, "", OPTIONS)
        units = [unit.text.swapcase() for unit in found.extraction.units]
        skeleton = found.extraction.skeleton
        sandbox.merge(found.format, source, skeleton, units, source.with_suffix(".out"), OPTIONS)
    except PermanentError as error:
        return error
    return None
