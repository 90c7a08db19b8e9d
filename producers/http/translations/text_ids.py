"""The ids that a caller gives to the texts of an array: they travel in the metadata, so results have them, too."""

import json
from collections.abc import Mapping, Sequence

from producers.http.translations.submission import TextItem
from schemas.errors import PermanentError

# The entry of the metadata: a JSON array, parallel to the texts, null for a text without an id.
TEXT_IDS = "text_ids"


def with_text_ids(metadata: Mapping[str, str], items: Sequence[TextItem]) -> Mapping[str, str]:
    """Return the metadata with the ids of the texts, where there are any.

    Raises PermanentError for an id that two texts have, or metadata that already has such an entry.
    """
    ids = [item.id for item in items]
    if not any(ids):
        return metadata
    _check_distinct(ids)
    if TEXT_IDS in metadata:
        raise PermanentError(
            "reserved_metadata",
            f"metadata has the entry {TEXT_IDS}, where the ids of the texts travel",
            field="metadata",
            limit=f"any key but {TEXT_IDS}",
            cure="choose another key, or send the texts without ids",
        )
    return {**metadata, TEXT_IDS: json.dumps(ids, ensure_ascii=False, separators=(",", ":"))}


def text_ids_of(metadata: Mapping[str, str], texts: int) -> list[str | None]:
    """Return an id or None for each text of a result; whoever asked by Kafka may have written anything."""
    try:
        ids = json.loads(metadata.get(TEXT_IDS, "null"))
    except (ValueError, RecursionError):
        ids = None
    is_sound = isinstance(ids, list) and len(ids) == texts
    return [one if isinstance(one, str) else None for one in ids] if is_sound else [None] * texts


def _check_distinct(ids: Sequence[str | None]) -> None:
    seen: dict[str, int] = {}
    for index, one in enumerate(ids):
        if one is None:
            continue
        first = seen.setdefault(one, index)
        if first != index:
            raise PermanentError(
                "text_id_reused",
                f"texts[{first}] and texts[{index}] have the same id",
                field=f"texts[{index}].id",
                limit="each id once",
                cure="give every text an id of its own, or none",
            )
