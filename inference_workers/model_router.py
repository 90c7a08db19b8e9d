"""Route each pair to a model, or to two through English; load models when needed, unload idle ones."""

from collections import OrderedDict
from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol

import structlog

from inference_workers.engines.protocol import Device, Engine, Model, PivotEngine
from inference_workers.fidelity import Dialogue, Fidelity, Outcome, ShouldStop
from inference_workers.fidelity.masking import MOST_SPANS
from inference_workers.model_store import ModelInfo, load
from inference_workers.translator import Dialogues, outcomes_of
from schemas.catalogue import PIVOT, Catalogue, LanguageSet, unsupported_pair
from schemas.errors import FatalError
from schemas.languages import LanguagePair, candidates, parse_language
from schemas.segments import TranslationContext

log = structlog.get_logger()

WARM_UP = "The house is big. A casa é grande."


class Loader(Protocol):
    """Loads a model for all its pairs (inference_workers.model_store.load)."""

    def __call__(self, info: ModelInfo, device: Device) -> Model: ...


class ModelRouter:
    """Implements inference_workers.translator.Translator. For one thread; `close` it at the end.

    Each folder is loaded once. Loaded models together stay below `memory_bytes`; the least recently used is
    unloaded first. A text of more than `most_spans` spans is not translated.
    """

    def __init__(
        self,
        models: Sequence[ModelInfo],
        device: Device = Device.AUTO,
        memory_bytes: int = 8 << 30,
        loader: Loader = load,
        most_spans: int = MOST_SPANS,
    ) -> None:
        self._models = tuple(models)
        self._device = device
        self._memory_bytes = memory_bytes
        self._loader = loader
        self._most_spans = most_spans
        # The least recently used comes first.
        self._loaded: OrderedDict[ModelInfo, Model] = OrderedDict()
        self._layers: dict[LanguagePair, Fidelity] = {}
        self._catalogue = Catalogue(self.languages)
        # Asked several times for each sentence, and the same for ever.
        self._served = lru_cache(maxsize=1024)(self._most_specific)
        self._route = lru_cache(maxsize=1024)(self._models_of)

    @property
    def languages(self) -> list[LanguageSet]:
        """Return what its models translate, to be announced."""
        return [one for info in self._models for one in info.languages]

    def version_of(self, source: str, target: str) -> str:
        """Return the versions of the models that translate the pair.

        Raises PermanentError naming what is served.
        """
        return "+".join(info.version for info in self._route(self._served(source, target)))

    def is_one_by_one(self, source: str, target: str) -> bool:
        return self._layer(self._served(source, target)).is_one_by_one

    def warm_up(self) -> None:
        """Load every model in turn and translate once with it. Blocks for seconds. Raises FatalError.

        A model that makes a hole even of this text is named: all its answers may be holes.
        """
        for info in self._models:
            pair = info.first_pair
            (found,) = outcomes_of(self, [WARM_UP], TranslationContext("", pair.source, pair.target))
            if found.cause:
                log.warning("model_translates_nothing", model=info.version, pair=str(pair), cause=found.cause)

    def begin(self, texts: Sequence[str], context: TranslationContext) -> list[Dialogue[Outcome]]:
        layer = self._layer(self._served(context.source, context.target))
        options, glossary = dict(context.engine_options), dict(context.terms)
        return layer.begin(texts, options, context.do_not_translate, glossary)

    def advance(
        self, dialogues: Dialogues, context: TranslationContext, should_stop: ShouldStop | None = None
    ) -> None:
        self._layer(self._served(context.source, context.target)).advance(dialogues, should_stop)

    def close(self) -> None:
        """Unload every model."""
        while self._loaded:
            self._unload()

    def _most_specific(self, source: str, target: str) -> LanguagePair:
        """Return the most specific pair that fits. Raises PermanentError where none does."""
        asked = parse_language(source, "source_language"), parse_language(target, "target_language")
        for pair in candidates(*asked):
            if self._catalogue.route(pair.source, pair.target):
                return pair
        raise unsupported_pair(source, target, self._catalogue)

    def _models_of(self, pair: LanguagePair) -> list[ModelInfo]:
        """Return one model, or two through English."""
        direct = self._model(pair.source, pair.target)
        steps = [direct] if direct else [self._model(pair.source, PIVOT), self._model(PIVOT, pair.target)]
        return [info for info in steps if info]

    def _model(self, source: str, target: str) -> ModelInfo | None:
        return next((info for info in self._models if info.translates(source, target)), None)

    def _layer(self, pair: LanguagePair) -> Fidelity:
        route = self._route(pair)
        models = [self._load(info) for info in route]
        if any(info not in self._loaded for info in route):
            raise FatalError(f"the models of {pair} need more than {self._memory_bytes} bytes together")
        if pair not in self._layers:
            self._layers[pair] = Fidelity(_engine(models, pair), pair, self._most_spans)
        return self._layers[pair]

    def _load(self, info: ModelInfo) -> Model:
        if info not in self._loaded:
            self._make_room(info.bytes)
            self._loaded[info] = self._loader(info, self._device)
        self._loaded.move_to_end(info)
        return self._loaded[info]

    def _make_room(self, wanted_bytes: int) -> None:
        while self._loaded and sum(info.bytes for info in self._loaded) + wanted_bytes > self._memory_bytes:
            self._unload()

    def _unload(self) -> None:
        # A layer holds its engines, two of them for a route through English, so none may outlive an unloaded one.
        self._layers.clear()
        _, model = self._loaded.popitem(last=False)
        model.close()


def _engine(models: Sequence[Model], pair: LanguagePair) -> Engine:
    if len(models) == 1:
        return models[0].engine(pair.source, pair.target)
    first, second = models
    return PivotEngine(first.engine(pair.source, PIVOT), second.engine(PIVOT, pair.target))
