"""`dragoman models` on folders that look like models."""

import hashlib
import json

import pytest
from typer.testing import CliRunner

from producers.cli.main import app


def models(*arguments):
    return CliRunner().invoke(app, ["models", *arguments])


@pytest.fixture
def folder(tmp_path):
    model = tmp_path / "enpt-1"
    model.mkdir()
    (model / "model.enpt.intgemm.alphas.bin").write_bytes(b"weights")
    return model


def test_models_are_listed_with_pair_engine_and_version(folder):
    lines = models("list", str(folder)).stdout.splitlines()
    assert ["en-pt", "bergamot", "0", "MB", "bergamot-enpt-1"] in [line.split() for line in lines]


def test_models_are_listed_as_json(folder):
    found = json.loads(models("list", str(folder), "--json").stdout)
    assert str(folder) in [model["path"] for model in found]


def test_a_model_is_verified_against_its_checksums(folder):
    digest = hashlib.sha256(b"weights").hexdigest()
    (folder / "SHA256SUMS").write_text(f"{digest}  model.enpt.intgemm.alphas.bin\n")
    ran = models("verify", str(folder))
    assert (ran.exit_code, ran.stdout.split()[:3]) == (0, ["1", "models", "verified,"])


def test_a_damaged_model_fails_and_is_named(folder):
    (folder / "SHA256SUMS").write_text(f"{'0' * 64}  model.enpt.intgemm.alphas.bin\n")
    ran = models("verify", str(folder))
    assert (ran.exit_code, ran.stdout) == (1, "")
    assert "model.enpt.intgemm.alphas.bin differs from its checksum" in ran.stderr
