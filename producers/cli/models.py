"""`models`: the translation models that a worker on this machine would find."""

from pathlib import Path
from typing import Annotated

import typer

from inference_workers.model_store import CHECKSUMS, ModelInfo, discover, verify
from inference_workers.settings import WorkerLimits
from producers.cli.arguments import AsJson
from producers.cli.errors import CommandError
from producers.cli.output import lines_of, print_json
from schemas.catalogue import Catalogue, LanguageSet

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="Show the translation models on this machine.",
)

_MOST_PAIRS = 6

Folders = Annotated[
    list[Path] | None,
    typer.Argument(help="Model folders, or folders of them (DRAGOMAN_WORKER_MODEL_PATHS and the bundled ones)."),
]


@app.command("list")
def list_models(folders: Folders = None, as_json: AsJson = False) -> None:
    """Print every model: its pairs, engine, size and version."""
    models = _found(folders)
    if as_json:
        print_json([_as_json(model) for model in models])
        return
    rows = [(_pairs(model), model.engine, f"{model.bytes / 1e6:.0f} MB", model.version) for model in models]
    typer.echo(lines_of(("pairs", "engine", "size", "version"), rows))


@app.command("verify")
def verify_models(folders: Folders = None) -> None:
    """Compare every model with the checksums beside it; exit with 1 where one differs."""
    models = _found(folders)
    for model in models:
        verify(model)
    unverified = sum(not (model.path / CHECKSUMS).is_file() for model in models)
    typer.echo(f"{len(models) - unverified} models verified, {unverified} have no {CHECKSUMS}")


def _found(folders: list[Path] | None) -> list[ModelInfo]:
    models = discover(folders or WorkerLimits().model_paths)
    if not models:
        raise CommandError(
            "no models were found",
            "install the extra `local`, or set DRAGOMAN_WORKER_MODEL_PATHS to folders with models",
        )
    return models


def _as_json(model: ModelInfo) -> dict[str, object]:
    return vars(model) | {"path": str(model.path), "languages": [_languages(one) for one in model.languages]}


def _languages(one: LanguageSet) -> dict[str, list[str]]:
    return {"sources": sorted(one.sources), "targets": sorted(one.targets)}


def _pairs(model: ModelInfo) -> str:
    pairs = Catalogue(model.languages).pairs(_MOST_PAIRS)
    if pairs is not None:
        return ", ".join(pairs)
    return "; ".join(f"{len(one.sources)} x {len(one.targets)} languages" for one in model.languages)
