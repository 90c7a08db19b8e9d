"""The errors of documents: each with its cause, the field, the limit and the cure."""

from schemas.errors import PermanentError

FIELD = "content_ref"


def malformed(what: str) -> PermanentError:
    """Make the error of a file that is not what its format says."""
    return PermanentError(
        "malformed_document",
        what,
        field=FIELD,
        cure="open the file in the program that wrote it and save it again",
    )


def no_text() -> PermanentError:
    """Make the error of a file without anything to translate."""
    return PermanentError(
        "no_text", "the document has no text to translate", field=FIELD, cure="send a document with text"
    )


def no_text_layer() -> PermanentError:
    """Make the error of a PDF of pictures."""
    return PermanentError(
        "no_text_layer", "the PDF has no text, only pictures of it", field=FIELD, cure="run OCR first"
    )


def encrypted() -> PermanentError:
    """Make the error of a file that needs a password."""
    return PermanentError(
        "encrypted_document", "the document is encrypted", field=FIELD, cure="save it without a password"
    )


def macros() -> PermanentError:
    """Make the error of a file that carries programs."""
    return PermanentError(
        "macros_refused",
        "the document has macros",
        field=FIELD,
        cure="save it without macros (as .docx, .xlsx or .pptx)",
    )


def archive_too_large(what: str, limit: str) -> PermanentError:
    """Make the error of an archive that unpacks to more than it may."""
    return PermanentError(
        "archive_too_large", what, field=FIELD, limit=limit, cure="split the document into smaller ones"
    )


def unknown_encoding(what: str) -> PermanentError:
    """Make the error of text in no encoding that we can read."""
    return PermanentError("unknown_encoding", what, field=FIELD, cure="save the file as UTF-8")


def broken_codes(what: str, place: str) -> PermanentError:
    """Make the error of a translation whose inline codes are not those of its source."""
    return PermanentError(
        "broken_codes", f"{what} at {place}", field="units", cure="put every code of the source there once"
    )


def unknown_format(what: str, known: str) -> PermanentError:
    """Make the error of a file that is of no format that we know."""
    return PermanentError(
        "unknown_format", what, field=FIELD, limit=known, cure="send a document of one of these formats"
    )


def mismatch(named: str, found: str) -> PermanentError:
    """Make the error of a file that is not of the format that its name or media type says."""
    return PermanentError(
        "content_type_mismatch",
        f"the document is named {named} and its content is {found}",
        field="content_type",
        cure="send the media type and the name of what the file is, or application/octet-stream",
    )


def too_costly(what: str, limit: str) -> PermanentError:
    """Make the error of a file that takes more time or memory than it may."""
    return PermanentError(
        "document_too_costly", what, field=FIELD, limit=limit, cure="split the document into smaller ones"
    )
