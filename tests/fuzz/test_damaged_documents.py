"""Two thousand damaged documents through the sandbox; `make fuzz-formats` sends ten thousand."""

import pytest

from tests.fuzz.damaged_documents import TRANSLATED, run

FILES = 2_000


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_damaged_documents_kill_nothing_and_are_refused_by_name(tmp_path):
    outcome = run(FILES, seed=0, folder=tmp_path)
    assert outcome.violations == []
    assert outcome.files == FILES
    assert outcome.causes[TRANSLATED] > FILES / 4
    assert outcome.causes["malformed_document"] > FILES / 20
