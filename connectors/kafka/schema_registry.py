"""Choose how records are framed, and talk to a Confluent-compatible schema registry over HTTP.

`dragoman topics create` registers our schemas. Processes only read: they look up the ids of what they write, and
the schemas of other writers, each once, as a registry never changes an answer. What it does not know is asked for
again after a while only, so that a flood of records with an unknown id costs one question.
"""

import json
import threading
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topic_check import CREATE, Difference
from schemas.avro_schemas import NAMES, Schema, WireSchema, current, foreign, written
from schemas.codec import Codec, SchemaReference
from schemas.errors import DecodeError, FatalError, TransientError
from schemas.topics import TopicPlan, catalogue

_TIMEOUT_SECONDS = 5.0
_NOT_FOUND = 404
# About whoever asks or when, not about what was asked: 401 and 407 (a wrong password must not turn requests into
# dead letters), 408, 425 and 429.
_ABOUT_THE_ASKER = (401, 407, 408, 425, 429)
# Confluent's ids are Java ints.
_HIGHEST_ID = 2**31 - 1
_MOST_REMEMBERED = 10_000


def open_codec(settings: KafkaSettings) -> Codec:
    """Return a codec with Confluent framing if a registry is configured, else with single-object encoding."""
    registry = HttpSchemaRegistry(settings) if settings.schema_registry_url else None
    return Codec(registry, settings.write_release)


def subjects_of(name: str, settings: KafkaSettings) -> list[str]:
    """List the subjects under which the message of that name is registered; never empty."""
    topics = _topics_of(name, settings.plan) if settings.schema_registry_subjects == "topic" else []
    return [f"{topic}-value" for topic in topics] or [f"dragoman.{name}"]


def register_schemas(settings: KafkaSettings) -> list[str]:
    """Register our schemas under all subjects, and return the subjects that lacked one. No registry: none.

    With `write_release`, the schemas of that release too. Raises TransientError while the registry is away, and
    FatalError where it refuses a schema.
    """
    if not settings.schema_registry_url:
        return []
    with closing(HttpSchemaRegistry(settings)) as registry:
        return [
            subject
            for name in NAMES
            for subject in subjects_of(name, settings)
            if registry.register(name, subject)
        ]


def compare_subjects(settings: KafkaSettings) -> list[Difference]:
    """Return a difference for every subject that lacks a schema that we write; none without a registry.

    Raises as `register_schemas` does.
    """
    if not settings.schema_registry_url:
        return []
    with closing(HttpSchemaRegistry(settings)) as registry:
        return [
            Difference(subject, "schema", "not registered", f"the current {name}", CREATE)
            for name in NAMES
            for subject in subjects_of(name, settings)
            if registry.missing(name, subject)
        ]


class HttpSchemaRegistry:
    """Asks for ids and schemas, and remembers the answers. Thread-safe. `clock` counts seconds."""

    def __init__(self, settings: KafkaSettings, clock: Callable[[], float] = time.monotonic) -> None:
        import httpx  # noqa: PLC0415  # 0.04 s at every start, only needed with a registry

        self._settings = settings
        self._httpx = httpx
        name, password = settings.schema_registry_username, settings.schema_registry_password.get_secret_value()
        self._http = httpx.Client(
            base_url=settings.schema_registry_url,
            timeout=_TIMEOUT_SECONDS,
            auth=(name, password) if name else None,
        )
        self._ids: dict[bytes, int] = {}
        self._schemas: dict[SchemaReference, Schema] = {}
        self._refusals = _Refusals(settings.schema_registry_unknown_seconds, clock)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def id_of(self, schema: WireSchema) -> int:
        """Return the id of a schema of ours. Blocks once. Raises TransientError until it is registered."""
        if schema.fingerprint not in self._ids:
            subject = subjects_of(schema.name, self._settings)[0]
            number = self._find(schema, subject)
            if number is None:
                raise TransientError(f"the schema registry lacks {schema.name} under {subject}; cure: {CREATE}")
            self._schemas[number] = schema.parsed
            self._ids[schema.fingerprint] = number
        return self._ids[schema.fingerprint]

    def is_at_hand(self, reference: SchemaReference) -> bool:
        """Tell whether `schema_of` answers, or refuses, without asking. Never blocks."""
        return reference in self._schemas or self._refusals.of(reference) is not None

    def schema_of(self, reference: SchemaReference) -> Schema:
        """Return the schema of that id or GUID. Blocks once.

        Raises DecodeError where the registry does not give one, without asking for a while; TransientError while
        it does not answer.
        """
        if (known := self._schemas.get(reference)) is not None:
            return known
        if refusal := self._refusals.of(reference):
            raise DecodeError(refusal.message, cure=refusal.cure or "")
        try:
            found = self._fetch(reference)
        except DecodeError as error:
            self._refusals.add(reference, error)
            raise
        self._schemas[reference] = found
        return found

    def register(self, name: str, subject: str) -> bool:
        """Register what we write under the subject, and return whether it was new there."""
        missing = self.missing(name, subject)
        for schema in missing:
            answer = self._ask("POST", f"/subjects/{subject}/versions", json=_body(schema))
            if not answer.is_success:
                raise _refused(schema.name, subject, answer)
        return bool(missing)

    def missing(self, name: str, subject: str) -> list[WireSchema]:
        """Return what the subject lacks of ours: the current schema, and with `write_release` that one too."""
        wanted = [written(name, self._settings.write_release), current(name)]
        if wanted[0].published == wanted[1].published:
            wanted.pop()
        return [schema for schema in wanted if self._find(schema, subject) is None]

    def _find(self, schema: WireSchema, subject: str) -> int | None:
        answer = self._ask("POST", f"/subjects/{subject}", json=_body(schema))
        if answer.status_code == _NOT_FOUND:
            return None
        if not answer.is_success:
            raise _refused(schema.name, subject, answer)
        return int(answer.json()["id"])

    def _fetch(self, reference: SchemaReference) -> Schema:
        is_guid = isinstance(reference, str)
        named = f"{'GUID' if is_guid else 'id'} {reference}"
        if isinstance(reference, int) and reference > _HIGHEST_ID:
            raise _unknown(named)
        answer = self._ask("GET", f"/schemas/{'guids' if is_guid else 'ids'}/{reference}")
        if answer.status_code == _NOT_FOUND:
            raise _unknown(named)
        if not answer.is_success:
            raise DecodeError(f"the schema registry refuses {named}: {answer.status_code}", cure=_REGISTER)
        found = answer.json()
        if found.get("schemaType", "AVRO") != "AVRO":
            raise DecodeError(f"{named} is no Avro schema, but {found['schemaType']}")
        if found.get("references"):
            raise DecodeError(f"{named} has references to other schemas", cure="register it as one schema")
        return foreign(found["schema"])

    def _ask(self, method: str, path: str, **body: Any) -> Any:
        try:
            answer = self._http.request(method, path, **body)
        except self._httpx.TransportError as error:
            raise TransientError(f"the schema registry does not answer: {error}") from error
        if answer.is_server_error or answer.status_code in _ABOUT_THE_ASKER:
            raise TransientError(f"the schema registry answers {answer.status_code}")
        return answer


class _Refusals:
    """What the registry did not give, for `seconds` each; the oldest are forgotten above a number. Thread-safe."""

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[SchemaReference, tuple[float, DecodeError]] = {}

    def of(self, reference: SchemaReference) -> DecodeError | None:
        """Return why it is refused; None where it has to be asked for (again)."""
        until, error = self._known.get(reference, (0.0, None))
        return error if error is not None and self._clock() < until else None

    def add(self, reference: SchemaReference, error: DecodeError) -> None:
        """Remember that the reference is refused."""
        with self._lock:
            self._known.pop(reference, None)
            # A new one: the old one's traceback holds what the question was about.
            kept = DecodeError(error.message, cure=error.cure or "")
            self._known[reference] = (self._clock() + self._seconds, kept)
            if len(self._known) > _MOST_REMEMBERED:
                del self._known[next(iter(self._known))]


_REGISTER = "register the writer's schema, then redrive"


def _unknown(named: str) -> DecodeError:
    return DecodeError(f"the schema registry does not know {named}", cure=_REGISTER)


def _refused(name: str, subject: str, answer: Any) -> FatalError:
    return FatalError(
        f"the schema registry refuses {name} under {subject}: {answer.status_code} {answer.text[:200]}"
    )


def _body(schema: WireSchema) -> dict[str, str]:
    return {"schema": json.dumps(schema.published)}


def _topics_of(name: str, plan: TopicPlan) -> list[str]:
    return [topic.name for topic in catalogue(plan) if topic.message == name]
