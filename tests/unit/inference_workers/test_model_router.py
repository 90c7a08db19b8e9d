"""Pairs, routes through English, and models that come and go with the memory."""

from collections.abc import Mapping, Sequence
from copy import copy
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from inference_workers.engines.protocol import Device, Traits, Translation
from inference_workers.model_router import ModelRouter
from inference_workers.model_store import ModelInfo
from schemas.catalogue import Catalogue, LanguageSet
from schemas.errors import FatalError, PermanentError
from schemas.languages import Language
from tests.translators import translated


class Tagger:
    """Puts the pair before each text; a model and its engines."""

    traits = Traits()

    def __init__(self, info: ModelInfo) -> None:
        self.version = info.version
        self.is_closed = False
        self.tag = ""

    def engine(self, source: str, target: str) -> "Tagger":
        engine = copy(self)
        engine.tag = source + target
        return engine

    def translate(self, sentences: Sequence[str], options: Mapping[str, str]) -> list[Translation]:
        return [Translation(f"{self.tag}:{sentence}") for sentence in sentences]

    def close(self) -> None:
        self.is_closed = True


class Loader:
    def __init__(self) -> None:
        self.loaded: list[str] = []
        self.models: list[Tagger] = []

    def __call__(self, info: ModelInfo, device: Device) -> Tagger:
        self.loaded.append(info.name)
        self.models.append(Tagger(info))
        return self.models[-1]


def model(source: str, target: str, size: int = 10) -> ModelInfo:
    return model_of(LanguageSet(frozenset({source}), frozenset({target}), f"v-{source}{target}"), size)


def model_of(languages: LanguageSet, size: int = 10) -> ModelInfo:
    name = languages.version.removeprefix("v-")
    return ModelInfo(name, "tagger", (languages,), Path(name), size, languages.version)


MODELS = [model("en", "pt"), model("pt", "en"), model("en", "de"), model("de", "en")]


def router_of(models=MODELS, memory_bytes=1000) -> tuple[ModelRouter, Loader]:
    loader = Loader()
    return ModelRouter(models, Device.CPU, memory_bytes, loader), loader


def texts(found) -> list[str]:
    return [outcome.text for outcome in found]


def test_a_pair_with_a_model_of_its_own_is_translated_directly():
    router, loader = router_of()
    assert texts(translated(router, ["one", "two"], "en", "pt")) == ["enpt:one", "enpt:two"]
    assert loader.loaded == ["enpt"]


def test_a_region_falls_back_to_its_language():
    router, _ = router_of()
    assert router.version_of("en", "pt-BR") == "v-enpt"


def test_without_a_direct_model_two_translate_through_english():
    router, _ = router_of()
    assert texts(translated(router, ["eins"], "de", "pt")) == ["enpt:deen:eins"]
    assert router.version_of("de", "pt") == "v-deen+v-enpt"


def test_what_is_announced_is_all_that_it_translates_those_through_english_included():
    router, _ = router_of()
    announced = Catalogue(router.languages)
    pairs = announced.pairs(100) or []
    assert pairs == ["de-en", "de-pt", "en-de", "en-pt", "pt-de", "pt-en"]
    versions = [announced.version_of(*map(Language, pair.split("-"))) for pair in pairs]
    assert versions == [router.version_of(*pair.split("-")) for pair in pairs]


def test_a_model_of_many_languages_is_loaded_once_for_all_its_pairs():
    languages = frozenset({"en", "pt", "de", "zh-Hant", "ja"})
    router, loader = router_of([model_of(LanguageSet(languages, languages, "v-nllb"))], memory_bytes=15)
    router.warm_up()
    assert texts(translated(router, ["one"], "de", "ja")) == ["deja:one"]
    assert texts(translated(router, ["one"], "en-GB", "zh-Hant")) == ["enzh-Hant:one"]
    assert texts(translated(router, ["one"], "ja", "pt-BR")) == ["japt:one"]
    assert loader.loaded == ["nllb"]


def test_a_pair_that_nobody_serves_is_refused_with_those_that_are():
    router, _ = router_of()
    with pytest.raises(PermanentError) as refused:
        translated(router, ["text"], "en", "ja")
    assert (refused.value.cause, refused.value.field) == ("unsupported_pair", "target_language")
    assert "en-pt" in (refused.value.limit or "")


def test_the_least_recently_used_model_makes_room():
    router, loader = router_of(memory_bytes=25)
    translated(router, ["text"], "en", "pt")
    translated(router, ["text"], "pt", "en")
    translated(router, ["text"], "en", "pt")
    translated(router, ["text"], "en", "de")
    assert [one.version for one in loader.models if one.is_closed] == ["v-pten"]
    translated(router, ["text"], "pt", "en")
    assert loader.loaded == ["enpt", "pten", "ende", "pten"]


def test_a_chain_that_lost_one_of_its_models_loads_it_again():
    router, _ = router_of(memory_bytes=25)
    translated(router, ["text"], "de", "pt")
    translated(router, ["text"], "en", "de")
    assert texts(translated(router, ["text"], "de", "pt")) == ["enpt:deen:text"]


def test_a_chain_that_does_not_fit_into_the_memory_says_so():
    router, _ = router_of(memory_bytes=15)
    with pytest.raises(FatalError, match="de-pt need more than 15 bytes"):
        translated(router, ["text"], "de", "pt")


def test_warming_up_loads_every_model_and_closing_frees_them():
    router, loader = router_of()
    router.warm_up()
    assert sorted(loader.loaded) == ["deen", "ende", "enpt", "pten"]
    router.close()
    assert all(one.is_closed for one in loader.models)


class Endless(Tagger):
    """Never comes to an end, as a model does whose end has another token."""

    def translate(self, sentences, options):
        return [Translation("", is_cut=True) for _ in sentences]


def test_a_model_that_makes_a_hole_of_any_text_is_named_when_it_is_warmed_up():
    sound, endless = MODELS[0], MODELS[2]
    router = ModelRouter(
        [sound, endless], loader=lambda info, _device: (Endless if info is endless else Tagger)(info)
    )
    with capture_logs() as lines:
        router.warm_up()
    assert [(one["event"], one["model"]) for one in lines] == [("model_translates_nothing", "v-ende")]
