"""`doctor`: look at everything that the platform depends on, and name the cure of what is wrong."""

import os
from collections.abc import Callable
from dataclasses import asdict
from typing import TypeVar

import typer

from connectors.kafka.settings import KafkaSettings
from deploy.doctor import checks, environment
from deploy.doctor.examinations import Places, examinations
from deploy.doctor.facts import Configuration
from deploy.doctor.finding import Examination, Report, Verdict, examine
from deploy.doctor.settings import DoctorSettings
from inference_workers.settings import WorkerLimits
from producers.cli import target
from producers.cli.arguments import AsJson
from producers.cli.errors import NotRunningError
from producers.cli.output import print_json
from producers.cli.reference import OF_SCRIPTS, classes_by_reader, prefix_of
from schemas.errors import TransientError
from stream_apps.usage_sink.settings import AnalyticsSection

T = TypeVar("T")


def doctor(as_json: AsJson = False) -> None:
    """Look at everything that the platform depends on; change nothing. Each finding comes with its cure.

    Exit status: 0 sound, 1 something is wrong, 2 nothing is wrong, but something could not be looked at.
    """
    report = _examined()
    if as_json:
        print_json({**asdict(report), "verdict": report.verdict.name.lower()})
    else:
        typer.echo(lines_of(report))
    if report.verdict is not Verdict.SOUND:
        raise typer.Exit(report.verdict)


def lines_of(report: Report) -> str:
    """Write what is wrong first, then what was not seen, then what is sound."""
    wrong = [str(one) for one in report.findings]
    blind: dict[tuple[str, str], list[str]] = {}
    for one in report.unseen:
        blind.setdefault((one.message, one.cure), []).append(one.check)
    unseen = [
        f"could not look at {', '.join(names)}: {message}; {cure}" for (message, cure), names in blind.items()
    ]
    sound = [f"sound: {', '.join(report.sound)}"] if report.sound else []
    return "\n".join([*wrong, *unseen, *sound])


def _examined() -> Report:
    classes = list(dict.fromkeys(one for found in classes_by_reader().values() for one in found))
    refused = environment.misread(classes)
    if refused:
        # Every other look would fail for the same reason.
        wrong = Configuration(misread=tuple(refused))
        return examine([Examination("configuration", lambda: wrong, checks.check_configuration, "")])
    names = [f"{prefix_of(one)}{name}".upper() for one in classes for name in one.model_fields]
    found = _configuration(tuple(sorted([*names, *OF_SCRIPTS])), [prefix_of(one) for one in classes])
    places = Places(
        _named(target.kafka_settings),
        _named(target.redis_settings),
        _named(lambda: target.analytics_client(None)),
        target.root_of(None),
    )
    first = Examination("configuration", lambda: found, checks.check_configuration, "")
    return examine([first, *examinations(places, DoctorSettings())])


def _configuration(known: tuple[str, ...], prefixes: list[str]) -> Configuration:
    worker = WorkerLimits()
    return Configuration(
        unread=tuple(environment.unread(os.environ, prefixes, known)),
        known=known,
        pool=worker.pool,
        pools=KafkaSettings().pools,
        price_key=f"{worker.hardware}/{worker.market}",
        prices=AnalyticsSection().prices,
    )


def _named(find: Callable[[], T]) -> Callable[[], T]:
    """Let a part that nothing names be one that cannot be looked at."""

    def found() -> T:
        try:
            return find()
        except NotRunningError as error:
            raise TransientError(error.message) from error

    return found
