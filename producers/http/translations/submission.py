"""The JSON body of a submission, and the HTTP headers that matter for it."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictInt, model_validator
from pydantic_core import PydanticCustomError

from producers.http.moments import Moment
from schemas.languages import AUTO
from schemas.markup import MEDIA_TYPES, PLAIN
from schemas.priorities import Priority
from stream_apps.pipeline.deadline_policy import DeadlinePolicy


def _encodable(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise PydanticCustomError("string_unicode", "should be Unicode without lone surrogates") from None
    return value


Text = Annotated[str, AfterValidator(_encodable)]
RequestId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:~-]{0,127}$")]
TextId = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_encodable)]
Tenant = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
Glossary = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}$")]


def _or_plain(schema: dict[str, Any]) -> None:
    item = dict(schema)
    schema.clear()
    schema["anyOf"] = [{"type": "string"}, item]


class TextItem(BaseModel):
    """One of several texts: a string, or an object with an id of the caller's, which the answer repeats."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=_or_plain)

    id: TextId | None = Field(default=None, description="Chosen by the caller, unique in its request.")
    text: Text

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, value: object) -> object:
        return {"text": value} if isinstance(value, str) else value


class Submission(BaseModel):
    """A text or several texts to be translated, into one language or several, and how."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"text": "Good morning.", "source_language": "en", "target_language": "pt"},
                {"texts": [{"id": "a", "text": "Save"}, "Open"], "source_language": "en", "targets": ["pt", "es"]},
            ]
        },
    )

    text: Text | None = Field(default=None, description="What to translate; else texts.")
    texts: list[TextItem] | None = Field(
        default=None, description="Several texts in place of text; their translations come in the same order."
    )
    source_language: str = Field(default=AUTO, description="BCP-47, or auto to have it detected.")
    target_language: str | None = Field(default=None, description="BCP-47; else targets.")
    targets: list[str] | None = Field(
        default=None, min_length=1, description="Several target languages, each of which is a job of its own."
    )
    priority: str | StrictInt = Field(
        default=Priority.STANDARD.value,
        description="critical, high or standard, in any case; or a score: 90-100 critical, 70-89 high, 0-69 "
        "standard.",
    )
    request_id: RequestId | None = Field(
        default=None, description="Chosen by the caller, unique; sending the same request again is harmless."
    )
    tenant: Tenant | None = Field(default=None, description="Tenant that asks and pays.")
    glossaries: list[Glossary] = Field(default_factory=list, description="Glossaries, each with its version.")
    do_not_translate: list[Text] = Field(
        default_factory=list, description="Words and names that stay as they are."
    )
    engine_options: dict[Text, Text] = Field(default_factory=dict, description="Options of the engine.")
    deadline: Moment | None = Field(
        default=None, description="After this moment a result is useless; RFC 3339 with an offset."
    )
    late_policy: DeadlinePolicy | None = Field(
        default=None, description="When the deadline has passed: expire or serve; else as the deployment says."
    )
    metadata: dict[Text, Text] = Field(default_factory=dict, description="Echoed in the result.")
    labels: dict[Text, Text] = Field(
        default_factory=dict, description="For the reports of usage and cost; echoed in the result."
    )
    callback: Text | None = Field(
        default=None, description="URL that is told by a signed POST when the job is finished (Standard Webhooks)."
    )
    keep_source: bool = Field(
        default=False, description="Keep the source beside the job, so that ?bilingual= can show both languages."
    )
    format: Literal["text", "html", "xml"] | None = Field(
        default=None, description="Short for content_type: text/plain, text/html or application/xml."
    )
    content_type: str = Field(
        default=PLAIN, description="Media type of the text; of HTML and XML the tags come back as they were."
    )
    filter_options: dict[Text, Text] = Field(
        default_factory=dict,
        description="Of a text with tags: ignore_tags, splitting_tags and non_splitting_tags, names of elements "
        "separated by commas; outline_detection, 0 or 1.",
    )

    @model_validator(mode="after")
    def _of_one_type(self) -> "Submission":
        wanted = MEDIA_TYPES[self.format] if self.format else self.content_type
        if self.content_type not in (PLAIN, wanted):
            raise PydanticCustomError("two_formats", "should not contradict content_type: send one of them")
        self.content_type = wanted
        return self


class Envelope(BaseModel):
    """The HTTP headers that matter for a submission."""

    idempotency_key: str | None = Field(default=None, description="The same key gives the same job.")
    prefer: str | None = Field(default=None, description="RFC 7240; `wait=30` waits so many seconds.")
    traceparent: str | None = Field(default=None, description="W3C trace context, carried on through Kafka.")
