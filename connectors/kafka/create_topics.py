"""Creates every topic of the catalogue: `python -m connectors.kafka.create_topics`."""

import structlog
from pydantic import Field
from pydantic_settings import SettingsConfigDict

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.settings import KafkaSettings
from connectors.settings import ProcessSettings
from connectors.telemetry.logging import configure_logging


class TopicsSettings(ProcessSettings):
    """What the one-shot process is told."""

    model_config = SettingsConfigDict(frozen=True)

    kafka: KafkaSettings = Field(default_factory=KafkaSettings)


def main() -> None:
    """Create, check, say what was done."""
    settings = TopicsSettings()
    configure_logging("create_topics", settings.instance, settings.log_level)
    admin = KafkaAdmin(settings.kafka)
    created = admin.create_topics()
    structlog.get_logger().info("topics_created", created=created, problems=admin.check_topics())


if __name__ == "__main__":
    main()
