"""Where texts go that are too large for a Kafka record; nowhere, where only this process could read them."""

from dataclasses import dataclass

from connectors.object_store import open_objects
from schemas.errors import PermanentError
from stream_apps.assembly.settings import AssemblySettings
from stream_apps.pipeline.stores import ObjectStore

# For the fields beside the text, and for Kafka's own headers.
_ENVELOPE_BYTES = 64_000


def open_texts(settings: AssemblySettings) -> tuple[ObjectStore, int]:
    """The store, and the bytes up to which a result stays in its Kafka record."""
    if not settings.objects.url.startswith("memory:"):
        return open_objects(settings.objects), settings.assembly.inline_limit_bytes
    limit_bytes = settings.kafka.max_message_bytes - _ENVELOPE_BYTES
    return NoTexts(limit_bytes), limit_bytes


@dataclass(frozen=True)
class NoTexts:
    """Where no object store is configured that others could read too."""

    limit_bytes: int

    def read_text(self, ref: str, limit_bytes: int) -> str:
        """There is nothing to read."""
        raise PermanentError(
            "content_missing",
            f"{ref} (up to {limit_bytes} bytes): no object store",
            field="content_ref",
            cure="set DRAGOMAN_OBJECTS_URL, then redrive",
        )

    def write_text(self, name: str, text: str) -> str:
        """Refused: the text would be lost."""
        raise PermanentError(
            "result_too_large",
            f"the translation has {len(text)} characters, {name} needs an object store",
            limit=f"{self.limit_bytes} bytes in one Kafka record",
            cure="set DRAGOMAN_OBJECTS_URL, or send the text in smaller requests",
        )
