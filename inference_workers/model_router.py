"""Route each pair to a model, or to two through English; load models when needed, unload idle ones."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Protocol

from inference_workers.engines.protocol import Engine, PivotEngine
from inference_workers.fidelity import Fidelity, Outcome
from inference_workers.model_store import ModelInfo, load
from schemas.errors import FatalError
from schemas.languages import unsupported_pair

PIVOT = "en"
WARM_UP = "The house is big. A casa é grande."

PairKey = tuple[str, str]


class Loader(Protocol):
    """Makes an engine of a model (inference_workers.model_store.load)."""

    def __call__(self, info: ModelInfo, device: str) -> Engine: ...


class ModelRouter:
    """Implements inference_workers.translating.Translator. For one thread; `close` it at the end.

    Loaded models together stay below `memory_bytes`; the least recently used is unloaded first.
    """

    def __init__(
        self, models: Sequence[ModelInfo], device: str = "auto", memory_bytes: int = 8 << 30, loader: Loader = load
    ) -> None:
        self._models = {info.pair: info for info in models}
        self._device = device
        self._memory_bytes = memory_bytes
        self._loader = loader
        # The least recently used comes first.
        self._loaded: OrderedDict[PairKey, Engine] = OrderedDict()
        self._layers: dict[PairKey, Fidelity] = {}

    def versions(self) -> dict[str, str]:
        """Return `en-pt` -> model version for every pair served, those through English included."""
        languages = {language for pair in self._models for language in pair}
        pairs = [(one, other) for one in languages for other in languages if one != other]
        return {f"{one}-{other}": self.version_of(one, other) for one, other in pairs if self._route(one, other)}

    def version_of(self, source: str, target: str) -> str:
        """Return the versions of the models that translate the pair.

        Raises PermanentError naming the pairs that are served.
        """
        route = self._route(source, target)
        if not route:
            raise unsupported_pair(f"{source}-{target}", (f"{one}-{other}" for one, other in self._models))
        return "+".join(info.version for info in route)

    def is_one_by_one(self, source: str, target: str) -> bool:
        return self._layer(source, target).is_one_by_one

    def warm_up(self) -> None:
        """Load every model in turn and translate once with it. Blocks for seconds. Raises FatalError."""
        for source, target in self._models:
            self.translate([WARM_UP], source, target, {})

    def translate(
        self, texts: Sequence[str], source: str, target: str, options: Mapping[str, str]
    ) -> Sequence[Outcome]:
        self.version_of(source, target)
        return self._layer(source, target).translate(texts, options)

    def close(self) -> None:
        """Unload every model."""
        while self._loaded:
            self._unload()

    def _route(self, source: str, target: str) -> list[ModelInfo]:
        """Return one model, or two through English, or none.

        A model has plain languages, so a pair is looked up by the last name of schemas.languages.served_as.
        """
        source, target = source.partition("-")[0], target.partition("-")[0]
        direct = self._models.get((source, target))
        if direct:
            return [direct]
        first, second = self._models.get((source, PIVOT)), self._models.get((PIVOT, target))
        return [first, second] if first and second else []

    def _layer(self, source: str, target: str) -> Fidelity:
        route = self._route(source, target)
        engines = [self._engine(info) for info in route]
        if any(info.pair not in self._loaded for info in route):
            raise FatalError(f"the models of {source}-{target} need more than {self._memory_bytes} bytes together")
        pair = (source, target)
        if pair not in self._layers:
            self._layers[pair] = Fidelity(engines[0] if len(engines) == 1 else PivotEngine(*engines))
        return self._layers[pair]

    def _engine(self, info: ModelInfo) -> Engine:
        if info.pair not in self._loaded:
            self._make_room(info.bytes)
            self._loaded[info.pair] = self._loader(info, self._device)
        self._loaded.move_to_end(info.pair)
        return self._loaded[info.pair]

    def _make_room(self, wanted_bytes: int) -> None:
        while self._loaded and self._loaded_bytes() + wanted_bytes > self._memory_bytes:
            self._unload()

    def _loaded_bytes(self) -> int:
        return sum(self._models[pair].bytes for pair in self._loaded)

    def _unload(self) -> None:
        # A layer holds its engines, two of them for a route through English, so none may outlive an unloaded one.
        self._layers.clear()
        _, engine = self._loaded.popitem(last=False)
        engine.close()
