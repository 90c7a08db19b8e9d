"""Tell documents from texts, and name the objects that are kept of a document. Pure.

Everything of one document lies in its folder, `tenants/TENANT/jobs/HASH OF ITS KEY/`, and is deleted with it.
"""

import re
from pathlib import PurePosixPath

from schemas.ids import JobKey, inbox_folder, job_folder
from schemas.messages import TranslationRequest

# What an object's name may hold (connectors/object_store.py).
_UNFIT = re.compile(r"[^A-Za-z0-9._=-]+")
_LONGEST_NAME = 100


def is_document(request: TranslationRequest) -> bool:
    """Tell whether a request is for a file, which is taken apart before it is translated.

    What stands behind a content_ref elsewhere is the text of a request that HTTP found too large for Kafka.
    """
    return request.content_ref is not None and request.content_ref.startswith(inbox_folder(request.tenant))


def source_name(key: JobKey) -> str:
    """Name the copy of the file as it came."""
    return f"{job_folder(key)}source"


def kept_texts_name(key: JobKey) -> str:
    """Name the source of a request for texts, which HTTP keeps where its caller asks for it."""
    return f"{job_folder(key)}source-texts"


def skeleton_name(key: JobKey, version: str) -> str:
    """Name what is left of a file without its units, taken apart by that version of its filter."""
    return f"{job_folder(key)}skeleton-{_fitted(version)}"


def units_name(key: JobKey, version: str) -> str:
    """Name the units of a file, with their places, taken apart by that version of its filter."""
    return f"{job_folder(key)}units-{_fitted(version)}"


def version_with_filter(pipeline_version: str, filter_name: str, filter_version: str) -> str:
    """Name how a document was cut: units that two versions of a filter found must not be mixed."""
    return f"{pipeline_version}-{filter_name}-{filter_version}"


def source_units_name(key: JobKey, pipeline_version: str) -> str:
    """Name the units of an answered document by the version of the pipeline that its result names."""
    return units_name(key, "-".join(pipeline_version.rsplit("-", 2)[1:]))


def translated_units_name(key: JobKey, revision: int) -> str:
    """Name the translated units of one version of the answer."""
    return f"{job_folder(key)}v{revision}/units"


def unmerged_name(key: JobKey, revision: int) -> str:
    """Name the answer whose file could not be put together, as it was before, with its text."""
    return f"{job_folder(key)}v{revision}/unmerged"


def translated_object(key: JobKey, revision: int, file_name: str) -> str:
    """Name the translated file of one version of the answer."""
    return f"{job_folder(key)}v{revision}/file{_fitted(PurePosixPath(file_name).suffix.lower())}"


def translated_file_name(file_name: str, target_language: str) -> str:
    """Return the name under which callers save a translation: `report.docx` becomes `report.pt-BR.docx`."""
    path = PurePosixPath(file_name)
    return f"{path.stem or 'document'}.{target_language}{path.suffix}"


def _fitted(part: str) -> str:
    return _UNFIT.sub("-", part)[:_LONGEST_NAME]
