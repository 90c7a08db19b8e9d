"""The client that DeepL publishes for Node.js, against a server of ours."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.accounts import key_of
from tests.http_world import in_capitals
from tests.unit.producers.test_http_compatible_documents import looking_at_published, shouted

NODE = Path(__file__).parents[2] / "node"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("npm") is None, reason="needs Node.js and npm"),
    pytest.mark.timeout(300),
]


@pytest.fixture
def folder(tmp_path) -> Path:
    """A folder with the client, as the lock file says."""
    for name in ("package.json", "package-lock.json", "deepl.mjs"):
        shutil.copy(NODE / name, tmp_path)
    subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=tmp_path, check=True)
    return tmp_path


def test_it_translates_texts_documents_and_terms_and_understands_refusals(folder, url, store, world):
    world.used = [{"name": "2023-11-14", "requests": 1, "words": 5, "characters": 30}]
    as_file, world.look = shouted(world), looking_at_published(world)
    world.answer = lambda request: as_file(request) if request.content_ref else in_capitals(request)
    key = key_of(store, "acme", role="member").text
    done = subprocess.run(
        ["node", "deepl.mjs"],
        cwd=folder,
        env=os.environ | {"AUTH_KEY": key, "SERVER_URL": url},
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr.decode()
    told = json.loads(done.stdout)
    assert told["texts"] == ["SAVE", " ", "<B>OPEN</B>"]
    assert (told["characters"], told["document"]) == (30, [True, "GOOD MORNING."])
    assert "pt-BR" in told["languages"]
    assert (told["glossary"], told["termed"]) == (["terms", 1], "A DROP")
    assert "formality" in told["refusal"]
    asked = [one for one, _, _ in world.appended]
    assert [one.content_type for one in asked[:1]] == ["text/html"]
    assert [one.glossaries for one in asked if one.glossaries] == [["terms:en-pt"]]
