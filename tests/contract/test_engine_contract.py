"""One contract for every engine: whatever runs the model, the worker sees the same."""

import importlib.util
import json
import math
from pathlib import Path

import pytest
from sentencepiece import SentencePieceProcessor

from inference_workers.engines.ctranslate2_file import positions_of
from inference_workers.engines.protocol import MANIFEST, Device, Engine, Model, PivotEngine, Translation
from inference_workers.model_router import ModelRouter
from inference_workers.model_store import discover, load
from schemas.errors import FatalError, PermanentError
from tests.tiny_models import POSITIONS, SENTENCES, make_ctranslate2_model, make_transformers_model
from tests.translators import translated

ENGINES = ("bergamot", "ctranslate2", "transformers", "pivot")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module", params=ENGINES)
def engine(request, folder) -> Engine:
    match request.param:
        case "bergamot":
            return bundled("en", "pt")
        case "ctranslate2":
            make_ctranslate2_model(folder / "opus-mt-en-pt")
            return in_folder(folder, "opus-mt-en-pt")
        case "transformers":
            if importlib.util.find_spec("torch") is None:
                # 5 GB of packages; `make test-transformers` installs them and runs this.
                pytest.skip("torch is not installed")
            make_transformers_model(folder / "marian-en-pt")
            return in_folder(folder, "marian-en-pt")
    return PivotEngine(bundled("pt", "en"), bundled("en", "pt"))


def bundled(source: str, target: str) -> Engine:
    found = next(info for info in discover() if info.translates(source, target))
    return load(found).engine(source, target)


def model_in(folder: Path, name: str) -> Model:
    return load(next(info for info in discover([folder]) if info.name == name), Device.CPU)


def in_folder(folder: Path, name: str) -> Engine:
    return model_in(folder, name).engine("en", "pt")


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


def test_a_sentence_that_is_longer_than_the_model_takes_is_told_and_costs_its_neighbours_nothing(engine):
    longest = ", and ".join(["the house is big"] * 120)
    found = engine.translate([SENTENCES[0], longest, SENTENCES[1]], {})
    assert [one.is_cut for one in found] == [False, True, False]
    assert [found[0].text, found[2].text] == [one.text for one in engine.translate(list(SENTENCES[:2]), {})]


@pytest.mark.parametrize("asked", ["x", "0", "17", "-1", "1.5", "٣", ""])
def test_a_beam_that_cannot_be_is_refused_by_name(engine, asked):
    if not engine.traits.gives_scores:
        pytest.skip("bergamot has no beam and reads no options")
    with pytest.raises(PermanentError) as refused:
        engine.translate([SENTENCES[0]], {"beam_size": asked})
    assert (refused.value.cause, refused.value.field) == ("bad_options", "engine_options.beam_size")
    assert "16" in (refused.value.limit or "")
    assert refused.value.cure


def test_the_version_names_what_translates(engine):
    assert engine.version
    assert engine.version == engine.version.strip()


def test_every_mask_style_has_a_place_for_its_number(engine):
    assert all("{}" in style for style in engine.traits.mask_styles)


def test_the_bundled_models_really_translate():
    assert "casa" in bundled("en", "pt").translate(["The house is big."], {})[0].text.lower()
    assert "house" in bundled("pt", "en").translate(["A casa é grande."], {})[0].text.lower()


def test_a_sentence_of_400_tokens_is_translated_to_its_end():
    clauses = ["the old man bought a red car in the city", "my sister sold the wooden table near the river"] * 18
    text = f"{', and '.join(clauses)}, so everybody ate bananas."
    info = next(info for info in discover() if info.translates("en", "pt"))
    assert len(SentencePieceProcessor(model_file=str(info.path / "vocab.enpt.spm")).encode(text)) >= 400
    (found,) = translated(ModelRouter([info], Device.CPU), [text])
    assert found.cause is None
    assert found.text.endswith("bananas.")
    assert found.text.count("carro vermelho") == 18


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


def test_pairs_of_one_model_share_its_weights(tmp_path):
    made = make_ctranslate2_model(tmp_path / "many")
    (made / MANIFEST).write_text(json.dumps({"sources": ["en", "pt"], "targets": ["en", "pt", "de"]}))
    found = model_in(tmp_path, "many")
    one, other = found.engine("en", "pt"), found.engine("pt", "de")
    assert one.translate([SENTENCES[0]], {})[0].text == other.translate([SENTENCES[0]], {})[0].text
    found.close()


@pytest.mark.parametrize(
    ("manifest", "most"), [({}, 200), ({"max_source_tokens": 10}, 10), ({"max_source_tokens": 9999}, 256)]
)
def test_the_longest_sentence_is_that_of_the_manifest_and_at_most_half_of_the_positions(tmp_path, manifest, most):
    made = make_ctranslate2_model(tmp_path / "limits-en-pt")
    (made / MANIFEST).write_text(json.dumps(manifest))
    found = in_folder(tmp_path, "limits-en-pt")
    assert positions_of(made / "model.bin") == POSITIONS
    fitting = next(n for n in range(most) if _tokens(made, "漢" * n) == most)
    assert [one.is_cut for one in found.translate(["漢" * fitting, "漢" * (fitting + 1)], {})] == [False, True]


def test_1000_ideographs_without_punctuation_do_not_end_a_small_marian_model(tmp_path):
    made = make_ctranslate2_model(tmp_path / "marian-zh-en")
    (made / MANIFEST).write_text(json.dumps({"pairs": ["zh-en"], "max_source_tokens": 10_000}))
    model = model_in(tmp_path, "marian-zh-en")
    text = "漢字" * 500
    assert _tokens(made, text) > POSITIONS
    assert model.engine("zh", "en").translate([text], {})[0].is_cut
    (whole,) = translated(ModelRouter(discover([tmp_path]), Device.CPU), [text], "zh", "en")
    assert whole.cause is None or whole.text == text


def _tokens(folder: Path, text: str) -> int:
    return len(SentencePieceProcessor(model_file=str(folder / "source.spm")).encode(text)) + 1


@pytest.mark.parametrize("content", [b"", b"torn", b"\x06\0\0\0" + b"\xff" * 40])
def test_a_file_that_is_no_model_tells_no_positions(tmp_path, content):
    (tmp_path / "model.bin").write_bytes(content)
    assert positions_of(tmp_path / "model.bin") is None


@pytest.mark.parametrize("missing", ["source.spm", "model.bin"])
def test_a_model_without_one_of_its_files_is_refused_by_name(tmp_path, missing):
    made = make_ctranslate2_model(tmp_path / "broken-en-pt")
    info = next(info for info in discover([tmp_path]) if info.name == "broken-en-pt")
    (made / missing).unlink()
    with pytest.raises(FatalError, match="broken-en-pt"):
        load(info, Device.CPU)
