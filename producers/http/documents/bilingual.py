"""Put source and translation of a finished job side by side, from the units or the source that it keeps."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from connectors.formats.bilingual.pairs import Bilingual, Pair
from producers.http.documents.text_pairs import text_pairs
from producers.http.ports import Documents
from producers.http.translations.kept_source import kept_source
from schemas.documents import source_units_name
from schemas.messages import TranslationResult
from schemas.states import RequestKind
from schemas.units import units_of


async def bilingual_of(result: TranslationResult, documents: Documents) -> Bilingual:
    """Read the units of a document, or the kept source of texts, with their translations.

    Raises PermanentError for a source that is not kept, or no longer; TransientError.
    """
    if result.kind == RequestKind.DOCUMENT and result.units_ref is not None:
        name = source_units_name(result.key, result.pipeline_version)
        kept = json.loads(await _read(name, documents))
        translated = (await _read(result.units_ref, documents)).decode()
        pairs = list(_pairs(kept, translated, result))
    else:
        pairs = text_pairs(await kept_source(result, documents), result)
    return Bilingual(_source_file(result), result.source_language, result.target_language, pairs)


async def _read(name: str, documents: Documents) -> bytes:
    _, chunks = await documents.open(name)
    return await asyncio.to_thread(b"".join, chunks)


def _source_file(result: TranslationResult) -> str:
    """Return the name that the file had: `report.pt-BR.docx` was `report.docx`."""
    path = PurePosixPath(result.file_name or result.request_id)
    return path.stem.removesuffix(f".{result.target_language}") + path.suffix


def _pairs(kept: list[dict[str, Any]], translated: str, result: TranslationResult) -> Iterator[Pair]:
    wanted = [unit for unit in kept if unit["translate"]]
    holes = {hole.unit for hole in result.holes}
    texts = units_of(translated, RequestKind.DOCUMENT)
    for number, (unit, text) in enumerate(zip(wanted, texts, strict=True)):
        yield Pair(unit["place"], unit["text"], text, number not in holes)
