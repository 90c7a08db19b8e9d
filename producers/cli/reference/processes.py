"""Which process is told what. A process's class says it; what reads single sections stands here."""

from collections.abc import Mapping

from pydantic_settings import BaseSettings

from connectors.clickhouse.settings import AnalyticsSection, AnalyticsSettings
from connectors.kafka.create_topics import TopicsSettings
from connectors.kafka.settings import KafkaSettings
from connectors.objects.settings import ObjectSettings
from connectors.redis.settings import RedisSettings
from connectors.settings import ProcessSettings, Section
from deploy.autoscaler.settings import AutoscalerSettings
from deploy.local.settings import StackSettings
from deploy.regions.settings import RegionSettings
from inference_workers.settings import WorkerLimits, WorkerSettings
from producers.http.settings import HttpSettings
from stream_apps.assembly.settings import AssemblySettings
from stream_apps.intake.settings import IntakeLimits, IntakeSettings
from stream_apps.repair.settings import RepairLimits, RepairSettings
from stream_apps.status.settings import StatusSettings

PROCESSES: Mapping[str, type[ProcessSettings]] = {
    "http": HttpSettings,
    "intake": IntakeSettings,
    "worker": WorkerSettings,
    "assembly": AssemblySettings,
    "status": StatusSettings,
    "repair": RepairSettings,
    "analytics": AnalyticsSettings,
    "autoscaler": AutoscalerSettings,
    "topics": TopicsSettings,
}
# They have no class of their own: the command line, and the supervisor of the one-machine stack.
SECTION_READERS: Mapping[str, tuple[type[Section], ...]] = {
    "command line": (
        KafkaSettings,
        RedisSettings,
        ObjectSettings,
        AnalyticsSection,
        IntakeLimits,
        WorkerLimits,
        RepairLimits,
        StackSettings,
        RegionSettings,
    ),
    "supervisor": (StackSettings,),
}

Readers = dict[str, type[BaseSettings]]


def readers_by_prefix() -> dict[str, Readers]:
    """For each prefix of the environment: who reads it, and the class by which it does."""
    found: dict[str, Readers] = {}
    for name, classes in classes_by_reader().items():
        for one in classes:
            found.setdefault(prefix_of(one), {})[name] = one
    return found


def classes_by_reader() -> dict[str, tuple[type[BaseSettings], ...]]:
    """For each process: all that it builds from the environment."""
    processes: dict[str, tuple[type[BaseSettings], ...]] = {
        name: (ProcessSettings, *sections_of(settings)) for name, settings in PROCESSES.items()
    }
    return {**processes, **SECTION_READERS}


def sections_of(settings: type[ProcessSettings]) -> list[type[Section]]:
    """The sections that a process's class is composed of."""
    kinds = [field.annotation for field in settings.model_fields.values()]
    return [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, Section)]


def prefix_of(settings: type[BaseSettings]) -> str:
    """`DRAGOMAN_KAFKA_`."""
    return settings.model_config["env_prefix"]
