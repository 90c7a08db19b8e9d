"""Choose how records are framed, and talk to a Confluent-compatible schema registry over HTTP."""

import json
from functools import cache
from typing import Any

from connectors.kafka.settings import KafkaSettings
from schemas.avro_schemas import Schema, current, foreign
from schemas.codec import Codec
from schemas.errors import DecodeError, FatalError, TransientError

_TIMEOUT_SECONDS = 10.0
_NOT_FOUND = 404


def open_codec(settings: KafkaSettings) -> Codec:
    """Return a codec with Confluent framing if a registry is configured, else with single-object encoding."""
    if not settings.schema_registry_url:
        return Codec()
    return Codec(HttpSchemaRegistry(settings.schema_registry_url))


class HttpSchemaRegistry:
    """Registers our schemas and fetches other writers', each once: the registry never changes an answer."""

    def __init__(self, url: str) -> None:
        import httpx  # noqa: PLC0415  # 0.04 s at every start, only needed with a registry

        self._httpx = httpx
        self._http = httpx.Client(base_url=url, timeout=_TIMEOUT_SECONDS)
        self.id_of = cache(self._register)
        self.schema_of = cache(self._fetch)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _register(self, name: str) -> int:
        # RecordNameStrategy: several topics carry the same message.
        body = {"schema": json.dumps(current(name).published)}
        answer = self._ask("POST", f"/subjects/dragoman.{name}/versions", json=body)
        if answer.is_error:
            raise FatalError(f"the schema registry refuses {name}: {answer.status_code} {answer.text[:200]}")
        return int(answer.json()["id"])

    def _fetch(self, schema_id: int) -> Schema:
        answer = self._ask("GET", f"/schemas/ids/{schema_id}")
        if answer.status_code == _NOT_FOUND:
            raise DecodeError(
                f"the schema registry does not know id {schema_id}",
                cure="register the writer's schema, then redrive",
            )
        if answer.is_error:
            raise FatalError(f"the schema registry refuses id {schema_id}: {answer.status_code}")
        return foreign(answer.json()["schema"])

    def _ask(self, method: str, path: str, **body: Any) -> Any:
        try:
            answer = self._http.request(method, path, **body)
        except self._httpx.TransportError as error:
            raise TransientError(f"the schema registry does not answer: {error}") from error
        if answer.is_server_error:
            raise TransientError(f"the schema registry answers {answer.status_code}")
        return answer
