"""The route of formats: which files are taken as documents, and how large they may be."""

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from connectors.formats.pdf.pdf import OUTPUTS as PDF_OUTPUTS
from connectors.formats.registry import FORMATS, Format
from producers.http.admission.caller import DocumentReader
from producers.http.settings import HttpLimits

router = APIRouter(tags=["documents"])


class FormatResponse(BaseModel):
    """A format of documents."""

    name: str = Field(description="Short name, as in the documentation.")
    media_types: list[str] = Field(description="The usual one first.")
    extensions: list[str] = Field(description="Of file names, without the dot.")
    outputs: list[str] = Field(description="Formats that a translation may be written in; the usual one first.")
    options: list[str] = Field(description="Names of filter_options that the format knows.")


class FormatsResponse(BaseModel):
    """What is taken as a document."""

    formats: list[FormatResponse]
    max_document_bytes: int = Field(description="Of one file, as it is sent.")


@router.get("/api/v1/formats")
async def list_formats(request: Request, _caller: DocumentReader) -> FormatsResponse:
    """List the formats of documents, and how large a file may be."""
    limits: HttpLimits = request.app.state.limits
    return FormatsResponse(
        formats=[_format_response(one) for one in FORMATS.values()], max_document_bytes=limits.max_document_bytes
    )


def _format_response(one: Format) -> FormatResponse:
    return FormatResponse(
        name=one.name,
        media_types=sorted(one.filter.media_types, key=lambda kind: (kind != one.media_type, kind)),
        extensions=sorted(one.extensions, key=lambda extension: (extension != one.name, extension)),
        outputs=list(PDF_OUTPUTS) if one.name == "pdf" else [one.name],
        options=sorted(one.settings),
    )
