"""`topics`: the catalogue, and the cluster held against it."""

import json
from dataclasses import asdict

import typer

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.settings import KafkaSettings
from producers.cli.failures import CommandError
from producers.cli.options import AsJson
from producers.cli.running import kafka_settings
from producers.cli.table import lines_of
from schemas.topics import DAY_MS, FOREVER_MS, Topic, catalogue

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="Create, list and check the Kafka topics.",
)


@app.command("list")
def list_topics(as_json: AsJson = False) -> None:
    """Print the catalogue: every topic that this configuration needs. Asks no Kafka."""
    topics = catalogue(KafkaSettings().plan)
    if as_json:
        typer.echo(json.dumps([asdict(topic) for topic in topics]))
        return
    rows = [(topic.name, topic.message, topic.key, str(topic.partitions), kept(topic)) for topic in topics]
    typer.echo(lines_of(("topic", "message", "key", "partitions", "kept"), rows))


@app.command("create")
def create_topics(as_json: AsJson = False) -> None:
    """Create what is missing."""
    created = KafkaAdmin(kafka_settings()).create_topics()
    typer.echo(json.dumps(created) if as_json else f"{len(created)} created")


@app.command("check")
def check_topics(as_json: AsJson = False) -> None:
    """Compare the cluster with the catalogue; exit with 1 where they differ."""
    problems = KafkaAdmin(kafka_settings()).check_topics()
    if as_json:
        typer.echo(json.dumps(problems))
    if problems:
        raise CommandError("; ".join(problems), "create what is missing with: dragoman topics create")
    if not as_json:
        typer.echo("all topics are as the catalogue says")


def kept(topic: Topic) -> str:
    """How long records stay: `7 days`, `30 days, compacted`."""
    days = "for ever" if topic.retention_ms == FOREVER_MS else f"{topic.retention_ms / DAY_MS:g} days"
    return f"{days}, compacted" if "compact" in topic.cleanup else days
