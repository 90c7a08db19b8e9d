"""Which folders are models, what they translate, and whether their files are whole."""

import hashlib
import json
from pathlib import Path

import pytest

from inference_workers.engines.protocol import MANIFEST
from inference_workers.model_store import CHECKSUMS, ModelInfo, discover, load, verify
from schemas.catalogue import Catalogue
from schemas.errors import FatalError
from schemas.languages import LanguagePair


def folder(root: Path, name: str, *files: str) -> Path:
    made = root / name
    made.mkdir()
    for file in files:
        (made / file).write_text(file)
    return made


def found(root: Path) -> list[ModelInfo]:
    return [info for info in discover([root]) if root in (info.path, info.path.parent)]


BERGAMOT = ("model.enpt.intgemm.alphas.bin", "vocab.enpt.spm")
CTRANSLATE2 = ("model.bin", "config.json")


@pytest.mark.parametrize(
    ("name", "files", "engine", "pair"),
    [
        ("enpt-1693", BERGAMOT, "bergamot", ("en", "pt")),
        ("opus-mt-en-de", CTRANSLATE2, "ctranslate2", ("en", "de")),
        ("marian-en-fil", ("config.json", "model.safetensors"), "transformers", ("en", "fil")),
    ],
)
def test_a_folder_tells_its_engine_by_its_files_and_its_pair_by_its_name(tmp_path, name, files, engine, pair):
    folder(tmp_path, name, *files)
    (info,) = found(tmp_path)
    assert (info.engine, info.first_pair, info.name) == (engine, LanguagePair(*pair), name)
    assert info.bytes == sum(len(file) for file in files)
    assert info.version == f"{engine}-{name}"


def test_a_manifest_names_pairs_version_and_engine(tmp_path):
    made = folder(tmp_path, "opus", *CTRANSLATE2)
    manifest = {"engine": "ctranslate2", "pairs": ["en-pt-BR", "zh-Hant-en"], "version": "opus-int8"}
    (made / MANIFEST).write_text(json.dumps(manifest))
    (info,) = found(tmp_path)
    assert Catalogue(info.languages).pairs(10) == ["en-pt-BR", "zh-Hant-en", "zh-Hant-pt-BR"]
    assert [info.translates(*pair) for pair in (("en", "pt-BR"), ("zh-Hant", "en"), ("en", "zh-Hant"))] == [
        True,
        True,
        False,
    ]
    assert {one.version for one in info.languages} == {"opus-int8"}


def test_a_manifest_names_sources_and_targets_instead_of_all_their_pairs(tmp_path):
    made = folder(tmp_path, "nllb", *CTRANSLATE2)
    (made / MANIFEST).write_text(json.dumps({"sources": ["en", "de"], "targets": ["en", "pt"]}))
    (info,) = found(tmp_path)
    assert Catalogue(info.languages).pairs(10) == ["de-en", "de-pt", "en-pt"]


def test_a_manifest_with_a_pair_that_is_none_is_refused_by_name(tmp_path):
    made = folder(tmp_path, "nllb", *CTRANSLATE2)
    (made / MANIFEST).write_text(json.dumps({"pairs": ["english"]}))
    with pytest.raises(FatalError, match=r"nllb.*'english' is no pair"):
        found(tmp_path)


@pytest.mark.parametrize("name", ["models", "a-b", "2024-01"])
def test_a_folder_that_names_no_pair_is_no_model(tmp_path, name):
    folder(tmp_path, name, *CTRANSLATE2)
    assert found(tmp_path) == []


def test_the_models_that_come_with_a_package_are_found():
    assert {("en", "pt"), ("pt", "en")} <= {tuple(vars(info.first_pair).values()) for info in discover()}


def test_a_whole_model_passes_and_a_damaged_one_is_named(tmp_path):
    made = folder(tmp_path, "opus-mt-en-de", *CTRANSLATE2)
    sums = "".join(f"{hashlib.sha256(name.encode()).hexdigest()}  {name}\n" for name in CTRANSLATE2)
    (made / CHECKSUMS).write_text(sums)
    (info,) = found(tmp_path)
    verify(info)
    (made / "model.bin").write_text("damaged")
    with pytest.raises(FatalError, match=r"model\.bin differs from its checksum"):
        load(info)


def test_checksums_that_were_written_in_binary_mode_are_checksums_too(tmp_path):
    made = folder(tmp_path, "opus-mt-en-de", *CTRANSLATE2)
    sums = "".join(f"{hashlib.sha256(name.encode()).hexdigest().upper()} *{name}\n" for name in CTRANSLATE2)
    (made / CHECKSUMS).write_text(sums)
    (info,) = found(tmp_path)
    verify(info)
    (made / "model.bin").write_text("damaged")
    with pytest.raises(FatalError, match=r"model\.bin differs from its checksum"):
        verify(info)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("", "line 1 is no checksum"),
        ("model.bin", "line 1 is no checksum"),
        (f"{'0' * 63}  model.bin", "line 1 is no checksum"),
        (f"{'0' * 64}  gone.bin", r"gone\.bin cannot be read: No such file"),
    ],
)
def test_a_line_that_is_no_checksum_and_a_file_that_is_missing_are_named(tmp_path, line, complaint):
    made = folder(tmp_path, "opus-mt-en-de", *CTRANSLATE2)
    (made / CHECKSUMS).write_text(f"{line}\n")
    (info,) = found(tmp_path)
    with pytest.raises(FatalError, match=complaint):
        verify(info)


def test_an_engine_that_nobody_knows_is_refused(tmp_path):
    made = folder(tmp_path, "x-en-de", *CTRANSLATE2)
    (made / MANIFEST).write_text(json.dumps({"engine": "oracle"}))
    with pytest.raises(FatalError, match="no engine 'oracle'"):
        load(found(tmp_path)[0])
