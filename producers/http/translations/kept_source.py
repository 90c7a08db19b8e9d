"""Keep the source of texts beside their job where a caller asks for it, so that both languages can be shown."""

import asyncio
import io
import json
from collections.abc import Sequence

from producers.http.ports import Documents, Upload
from schemas.documents import kept_texts_name
from schemas.errors import PermanentError
from schemas.messages import TranslationRequest, TranslationResult

_EXPIRED = "file_expired"


async def keep_source(request: TranslationRequest, documents: Documents) -> None:
    """Store the texts of a request. What is kept already stays: a repeat changes nothing that was accepted.

    Raises PermanentError where there is no object store, TransientError.
    """
    name = kept_texts_name(request.key)
    try:
        await documents.open(name)
    except PermanentError as error:
        if error.cause != _EXPIRED:
            raise
        texts = list(request.texts) if request.text is None else [request.text]
        content = io.BytesIO(json.dumps(texts).encode())
        await documents.keep(name, Upload(content, "source.json", "application/json"))


async def kept_source(result: TranslationResult, documents: Documents) -> Sequence[str]:
    """Return the texts that a result translates.

    Raises PermanentError: `no_source` where they were not kept, are deleted, or are those of a request that never
    was accepted; TransientError.
    """
    try:
        _, chunks = await documents.open(kept_texts_name(result.key))
    except PermanentError as error:
        raise (_not_kept() if error.cause == _EXPIRED else error) from None
    texts: list[str] = json.loads(await asyncio.to_thread(b"".join, chunks))
    if (sum(map(len, texts)), len(texts)) != (result.source_characters, len(result.texts) or 1):
        raise _not_kept()
    return texts


def _not_kept() -> PermanentError:
    return PermanentError(
        "no_source",
        "the source of the text is not kept",
        field="bilingual",
        limit="a document, or a text that was sent with keep_source",
        cure="send the text with keep_source, or leave bilingual out",
    )
