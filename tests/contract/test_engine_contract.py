"""One contract for every engine: whatever runs the model, the worker sees the same."""

import importlib.util
import json
import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from inference_workers.engines.protocol import MANIFEST, Engine, PivotEngine, Translation
from inference_workers.model_store import discover, load
from schemas.errors import FatalError
from tests.tiny_models import SENTENCES, make_ctranslate2_model, make_transformers_model

ENGINES = ("bergamot", "ctranslate2", "transformers", "pivot")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module", params=ENGINES)
def engine(request, folder) -> Iterator[Engine]:
    match request.param:
        case "bergamot":
            found = bundled("en", "pt")
        case "ctranslate2":
            make_ctranslate2_model(folder / "opus-mt-en-pt")
            found = in_folder(folder, "opus-mt-en-pt")
        case "transformers":
            if importlib.util.find_spec("torch") is None:
                # 5 GB of packages; `make test-transformers` installs them and runs this.
                pytest.skip("torch is not installed")
            make_transformers_model(folder / "marian-en-pt")
            found = in_folder(folder, "marian-en-pt")
        case "pivot":
            found = PivotEngine(bundled("pt", "en"), bundled("en", "pt"))
    yield found
    found.close()


def bundled(source: str, target: str) -> Engine:
    return load(next(info for info in discover() if info.pair == (source, target)))


def in_folder(folder: Path, name: str) -> Engine:
    return load(next(info for info in discover([folder]) if info.name == name), "cpu")


def test_each_sentence_has_one_translation_in_its_place(engine):
    alone = [engine.translate([sentence], {})[0].text for sentence in SENTENCES]
    together = engine.translate(list(SENTENCES), {})
    assert len(together) == len(SENTENCES)
    assert [found.text for found in together] == alone


def test_no_sentences_need_no_translation(engine):
    assert engine.translate([], {}) == []


def test_a_translation_repeats_itself(engine):
    assert engine.translate([SENTENCES[0]], {}) == engine.translate([SENTENCES[0]], {})


def test_a_score_is_a_probability_where_the_engine_gives_one_and_never_invented(engine):
    for found in engine.translate(list(SENTENCES), {}):
        assert isinstance(found, Translation)
        if engine.traits.gives_scores:
            assert found.score is not None
            assert 0 <= found.score <= 1
            assert not math.isnan(found.score)
        else:
            assert found.score is None


def test_the_version_names_what_translates(engine):
    assert engine.version
    assert engine.version == engine.version.strip()


def test_every_mask_style_has_a_place_for_its_number(engine):
    assert all("{}" in style for style in engine.traits.mask_styles)


def test_the_bundled_models_really_translate():
    assert "casa" in bundled("en", "pt").translate(["The house is big."], {})[0].text.lower()
    assert "house" in bundled("pt", "en").translate(["A casa é grande."], {})[0].text.lower()


def test_a_ctranslate2_model_with_a_tokenizer_file_needs_no_sentencepiece(tmp_path):
    from tokenizers import Tokenizer, models, pre_tokenizers

    made = make_ctranslate2_model(tmp_path / "tiny-en-pt")
    tokens = json.loads((made / "shared_vocabulary.json").read_text())
    for name in ("source.spm", "target.spm"):
        (made / name).unlink()
    tokenizer = Tokenizer(models.WordLevel({token: at for at, token in enumerate(tokens)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(made / "tokenizer.json"))
    assert len(in_folder(tmp_path, "tiny-en-pt").translate(["The house."], {})) == 1


def test_a_language_token_leads_source_and_target_where_the_manifest_names_one(tmp_path):
    made = make_ctranslate2_model(tmp_path / "many")
    manifest = {"pairs": ["en-pt"], "language_tokens": {"en": "</s>", "pt": "</s>"}}
    (made / MANIFEST).write_text(json.dumps(manifest))
    (found,) = in_folder(tmp_path, "many").translate(["The house."], {})
    assert isinstance(found.text, str)


@pytest.mark.parametrize("missing", ["source.spm", "model.bin"])
def test_a_model_without_one_of_its_files_is_refused_by_name(tmp_path, missing):
    made = make_ctranslate2_model(tmp_path / "broken-en-pt")
    info = next(info for info in discover([tmp_path]) if info.name == "broken-en-pt")
    (made / missing).unlink()
    with pytest.raises(FatalError, match="broken-en-pt"):
        load(info, "cpu")
