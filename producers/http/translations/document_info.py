"""What callers see of a file: its name, its size, its pages, its words."""

from pydantic import BaseModel, Field

from connectors.redis.job_view import JobView
from schemas.states import RequestKind


class DocumentInfo(BaseModel):
    """What is known of a file."""

    file_name: str
    content_type: str = Field(description="As said; once it is taken apart, what it is.")
    content_bytes: int = Field(description="Its size; 0 where that is not known yet.")
    pages: int | None = Field(description="Pages or slides, once it is taken apart; null for formats without any.")
    word_count: int | None = Field(description="Source words, once it is taken apart; null before.")


def document_info(view: JobView) -> DocumentInfo | None:
    """Return what is known of the file of a job; None for a text."""
    if view.kind != RequestKind.DOCUMENT:
        return None
    return DocumentInfo(
        file_name=view.file_name,
        content_type=view.content_type,
        content_bytes=view.content_bytes,
        pages=view.pages,
        word_count=view.words or None,
    )
