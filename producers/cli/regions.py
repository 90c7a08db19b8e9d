"""`regions`: MirrorMaker 2 from the active region to the standby region, and the take-over in the standby."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from connectors.kafka.settings import KafkaSettings
from deploy.local.kafka_broker import fetch_jars, has_jars
from deploy.local.settings import StackSettings
from deploy.regions.mirror import POM, Freshness, RegionSettings, freshness, mirror_command, mirror_properties
from deploy.regions.takeover import take_over
from producers.cli.arguments import AsJson
from producers.cli.errors import CommandError
from producers.cli.output import lines_of, print_json, progress_bars, time_text
from producers.cli.target import kafka_settings, redis_settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="Copy the topics to a second region; take over there. Configured by DRAGOMAN_REGIONS_*.",
)


@app.command("config")
def print_config() -> None:
    """Print the configuration of MirrorMaker 2, for a cluster of your own."""
    typer.echo(mirror_properties(RegionSettings(), KafkaSettings().tenants), nl=False)


@app.command("mirror")
def run_mirror() -> None:
    """Become MirrorMaker 2, until SIGTERM; fetches it by Maven the first time."""
    settings, folder = RegionSettings(), StackSettings().root / "kafka"
    libraries = folder / "mirror-libs"
    if not has_jars(libraries, POM):
        libraries.parent.mkdir(parents=True, exist_ok=True)
        fetch_jars(libraries, POM)
    command = mirror_command(settings, libraries, _written(folder / "mm2.properties", settings))
    try:
        os.execvp(command[0], command)
    except OSError as error:
        raise CommandError(
            f"{command[0]} cannot be started: {error.strerror}", "install a JDK of 17 or newer"
        ) from None


@app.command("lag")
def show_lag(
    target_only: Annotated[
        bool, typer.Option("--target-only", help="Ask this region alone: the other one does not answer.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show the newest record of every topic in both regions."""
    settings = RegionSettings()
    source = None if target_only else _kafka_at(settings.source_bootstrap)
    found = freshness(source, _kafka_at(settings.target_bootstrap))
    if as_json:
        print_json([{**asdict(one), "behind_seconds": one.behind_seconds} for one in found])
        return
    header = ("topic", f"newest in {settings.source}", f"newest in {settings.target}", "behind")
    typer.echo(lines_of(header, [_cells(one) for one in found]))


@app.command("take-over")
def take_over_here(as_json: AsJson = False) -> None:
    """Prepare this region's state Redis and intake's group from its topics, before the platform starts here."""
    with progress_bars(is_shown=not as_json) as bars:
        found = take_over(kafka_settings(), redis_settings(), bars.advance)
    if as_json:
        print_json({"answered": found.answered, "open": found.open})
    else:
        typer.echo(
            f"{found.answered} results known here, {found.open} requests without one; start the platform now"
        )


def _kafka_at(bootstrap: str) -> KafkaSettings:
    """Return the settings for that cluster, with the credentials of DRAGOMAN_KAFKA_*."""
    return KafkaSettings().model_copy(update={"bootstrap": bootstrap})


def _written(path: Path, settings: RegionSettings) -> Path:
    path.touch(mode=0o600)  # it may hold a password
    path.write_text(mirror_properties(settings, KafkaSettings().tenants))
    return path


def _cells(found: Freshness) -> tuple[str, ...]:
    behind = "-" if found.behind_seconds is None else f"{found.behind_seconds:.1f} s"
    if found.source_ms and not found.target_ms:
        behind = "everything"
    return found.topic, time_text(found.source_ms), time_text(found.target_ms), behind
