"""Which folders are models, what they translate, and whether their files are whole."""

import hashlib
import json
from pathlib import Path

import pytest

from inference_workers.engines.protocol import MANIFEST, language_tokens, most_source_tokens, score_of
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


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "cannot be read"),
        ('{"pairs": ', "cannot be read"),
        ("\xff", "cannot be read"),
        ("[]", "is no JSON object"),
        ('{"pairs": null}', "pairs is no list of texts"),
        ('{"pairs": "en-pt"}', "pairs is no list of texts"),
        ('{"sources": "en", "targets": "pt"}', "sources is no list of texts"),
        ('{"sources": ["eng_Latn"], "targets": ["pt"]}', "'eng_Latn' is no language such as"),
        ('{"sources": ["en"], "targets": ["EN"]}', "'EN' is no language such as"),
    ],
)
def test_a_manifest_that_is_none_is_refused_by_name(tmp_path, content, complaint):
    made = folder(tmp_path, "nllb", *CTRANSLATE2)
    (made / MANIFEST).write_bytes(content.encode("latin-1"))
    with pytest.raises(FatalError, match=rf"nllb/{MANIFEST}.*{complaint}"):
        found(tmp_path)


def test_a_language_keeps_the_name_by_which_the_model_has_its_token(tmp_path):
    made = folder(tmp_path, "many", *CTRANSLATE2)
    (made / MANIFEST).write_text(json.dumps({"sources": ["iw"], "targets": ["en"]}))
    assert found(tmp_path)[0].first_pair == LanguagePair("iw", "en")


@pytest.mark.parametrize("name", ["nllb-200-distilled-600M", "opus-mt-ROMANCE-en", "marian"])
def test_four_letters_are_a_pair_in_the_names_of_firefox_models_only(tmp_path, name):
    folder(tmp_path, name, *CTRANSLATE2)
    assert found(tmp_path) == []


def test_a_folder_that_there_is_not_is_refused_by_name(tmp_path):
    with pytest.raises(FatalError, match=r"gone: see DRAGOMAN_WORKER_MODEL_PATHS"):
        discover([tmp_path / "gone"])


@pytest.mark.parametrize(
    ("name", "files", "manifest"),
    [
        ("enpt-1", BERGAMOT, {}),
        ("opus-en-pt", (*CTRANSLATE2, "source.spm", "target.spm"), {}),
        ("opus-en-pt", (*CTRANSLATE2, "tokenizer.json"), {}),
        ("opus-en-pt", (*CTRANSLATE2, "tokenizer.json"), {"language_tokens": ["pt"]}),
        ("opus-en-pt", (*CTRANSLATE2, "tokenizer.json"), {"max_source_tokens": 0}),
    ],
)
def test_a_model_whose_files_are_damaged_is_refused_by_its_folder(tmp_path, name, files, manifest):
    made = folder(tmp_path, name, *files)
    (made / MANIFEST).write_text(json.dumps(manifest))
    (info,) = found(tmp_path)
    with pytest.raises(FatalError, match=name):
        load(info)


@pytest.mark.parametrize("limit", [0, -1, "200", None, 1.5])
def test_a_limit_under_which_every_sentence_is_too_long_is_refused(limit):
    with pytest.raises(FatalError, match="max_source_tokens is"):
        most_source_tokens({"max_source_tokens": limit}, None)


@pytest.mark.parametrize("manifest", [{"language_tokens": ["en"]}, {"language_tokens": {"en": 1}}])
def test_tokens_that_are_no_texts_by_language_are_refused(manifest):
    with pytest.raises(FatalError, match="language_tokens are no texts"):
        language_tokens(manifest)


@pytest.mark.parametrize(
    ("mean", "score"), [(0.0, 1.0), (0.1, 1.0), (1e9, 1.0), (float("-inf"), 0.0), (float("nan"), 0.0)]
)
def test_a_score_is_from_0_to_1_whatever_the_model_said(mean, score):
    assert score_of(mean) == score


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
