"""The JSON body of a submission: its fields, their shapes and their documentation."""

from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StrictInt
from pydantic_core import PydanticCustomError

from schemas.languages import AUTO
from schemas.priorities import Priority


def _encodable(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise PydanticCustomError("string_unicode", "should be Unicode without lone surrogates") from None
    return value


Text = Annotated[str, AfterValidator(_encodable)]
RequestId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:~-]{0,127}$")]
Tenant = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Glossary = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}$")]


class Submission(BaseModel):
    """A text to be translated, and how."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"text": "Good morning.", "source_language": "en", "target_language": "pt"}]
        },
    )

    text: Text = Field(description="What to translate.")
    source_language: str = Field(default=AUTO, description="BCP-47, or auto to have it detected.")
    target_language: str = Field(description="BCP-47.")
    priority: str | StrictInt = Field(
        default=Priority.STANDARD.value,
        description="critical, high or standard; or a score: 90-100 critical, 70-89 high, 0-69 standard.",
    )
    request_id: RequestId | None = Field(
        default=None, description="Chosen by the caller, unique; sending the same request again is harmless."
    )
    tenant: Tenant | None = Field(default=None, description="Tenant that asks and pays.")
    glossary: Glossary | None = Field(default=None, description="Glossary and version to apply.")
    options: dict[Text, Text] = Field(default_factory=dict, description="Engine options.")
    deadline: AwareDatetime | None = Field(
        default=None, description="After this moment a result is useless; RFC 3339 with an offset."
    )
    metadata: dict[Text, Text] = Field(default_factory=dict, description="Echoed in the result.")
    content_type: str = Field(default="text/plain", description="Media type of the text.")
