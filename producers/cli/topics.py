"""`topics`: create, list and check the Kafka topics of the catalogue."""

import shlex
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.schema_registry import compare_subjects, register_schemas
from connectors.kafka.settings import KafkaSettings
from producers.cli.arguments import AsJson
from producers.cli.errors import CommandError
from producers.cli.output import lines_of, markdown_of, print_json
from producers.cli.target import kafka_settings
from schemas.rights import Right, rights_of
from schemas.topics import DAY_MS, FOREVER_MS, NO_LIMIT_BYTES, Topic, catalogue

_HEADER = ("topic", "message", "key", "partitions", "kept")
_ABOVE = """\
# Topics
The catalogue is `schemas/topics.py`. This page is made from it: `dragoman topics list --markdown`. With every
schema it is an AsyncAPI document, too: [reference/asyncapi.json](reference/asyncapi.json), or `/asyncapi.json`.
It shows one pool, `default`, and 6 partitions; a deployment chooses its own (`DRAGOMAN_KAFKA_POOLS`,
`DRAGOMAN_KAFKA_PARTITIONS`, `DRAGOMAN_KAFKA_BATCH_PARTITIONS`). Each of `DRAGOMAN_KAFKA_TENANTS` has five more:
[own topics](own_topics.md).

`dragoman topics check` compares a cluster with it: partitions, `cleanup.policy`, `retention.ms`,
`retention.bytes`, `max.message.bytes` and `min.insync.replicas` (replication minus one). It names each
difference with the command that cures it, and exits with 1 where there is one.

With a schema registry the message of each topic is registered under `TOPIC-value` (docs/schema_registry.md);
`create` does it, `check` tells which are missing."""

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="Create, list and check the Kafka topics.",
)


@app.command("list")
def list_topics(
    as_json: AsJson = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print docs/topics.md.")] = False,
) -> None:
    """Print the catalogue: every topic that this configuration needs. Needs no Kafka."""
    topics = catalogue(KafkaSettings().plan)
    if as_json:
        print_json([asdict(topic) for topic in topics])
    elif as_markdown:
        typer.echo(page_of(topics), nl=False)
    else:
        typer.echo(lines_of(_HEADER, [_cells(topic) for topic in topics]))


@app.command("create")
def create_topics(as_json: AsJson = False) -> None:
    """Create the topics that are missing; with a schema registry, register the schemas under their subjects."""
    settings = kafka_settings()
    created = KafkaAdmin(settings).create_topics()
    registered = register_schemas(settings)
    if as_json:
        print_json([*created, *registered])
    else:
        subjects = f", {len(registered)} subjects registered" if settings.schema_registry_url else ""
        typer.echo(f"{len(created)} created{subjects}")


@app.command("check")
def check_topics(as_json: AsJson = False) -> None:
    """Compare the cluster with the catalogue; exit with 1 where they differ."""
    settings = kafka_settings()
    problems = [*KafkaAdmin(settings).compare_topics(), *compare_subjects(settings)]
    if as_json:
        print_json([asdict(problem) for problem in problems])
    if problems:
        raise CommandError("\n".join(map(str, problems)))
    if not as_json:
        typer.echo("all topics are as the catalogue says")


@app.command("acls")
def print_acls(
    principal: Annotated[
        str, typer.Option(help="The Kafka principal of each tenant; {tenant} stands for its name.")
    ] = "User:{tenant}",
    command_config: Annotated[
        Path | None, typer.Option(help="Properties by which kafka-acls.sh logs in as an administrator.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print the commands that give each of DRAGOMAN_KAFKA_TENANTS its rights, and no others. Needs no Kafka."""
    settings = KafkaSettings()
    rights = [(principal.replace("{tenant}", one), right) for one in settings.tenants for right in rights_of(one)]
    if as_json:
        print_json([{"principal": name, **asdict(right)} for name, right in rights])
        return
    login = f" --command-config {shlex.quote(str(command_config))}" if command_config else ""
    called = f"kafka-acls.sh --bootstrap-server {shlex.quote(settings.bootstrap)}{login}"
    for name, right in rights:
        typer.echo(f"{called} {acl_arguments(right, name)}")


def acl_arguments(right: Right, principal: str) -> str:
    """Write a right as arguments of kafka-acls.sh."""
    pattern = "prefixed" if right.is_prefix else "literal"
    allowed = f"--add --allow-principal {shlex.quote(principal)} --operation {right.operation}"
    return f"{allowed} --{right.resource} {right.name} --resource-pattern-type {pattern}"


def kept(topic: Topic) -> str:
    """Say how long records stay: `7 days`, `30 days, compacted`, `30 days or 1 GB, compacted`."""
    days = "for ever" if topic.retention_ms == FOREVER_MS else f"{topic.retention_ms / DAY_MS:g} days"
    if topic.retention_bytes != NO_LIMIT_BYTES:
        days = f"{days} or {topic.retention_bytes / 1e9:g} GB a partition"
    return f"{days}, compacted" if "compact" in topic.cleanup else days


def page_of(topics: Sequence[Topic]) -> str:
    """Write the catalogue as a page of the documentation."""
    rows = [(f"`{topic.name}`", *_cells(topic)[1:]) for topic in topics]
    return f"{_ABOVE}\n\n{markdown_of(_HEADER, rows)}\n"


def _cells(topic: Topic) -> tuple[str, ...]:
    return (topic.name, topic.message, topic.key, str(topic.partitions), kept(topic))
