"""What is asked of long requests: where they will wait, and that none of them is critical. Pure."""

from schemas.errors import PermanentError
from schemas.lanes import Lane, lane_of
from schemas.messages import TranslationRequest
from schemas.priorities import Priority
from schemas.segments import count_words


def expected_lane(request: TranslationRequest, priority: Priority, bulk_words: int) -> Lane:
    """Return where a request that is not cut yet will probably wait.

    A file, or a text that was put into the object store because of its size, counts as long.
    """
    texts = [*request.texts, *([] if request.text is None else [request.text])]
    if not texts:
        return lane_of(priority, bulk_words + 1, bulk_words)
    # A word has a character at least: most texts need not be counted.
    is_short = sum(map(len, texts)) <= bulk_words
    return lane_of(priority, 0 if is_short else sum(map(count_words, texts)), bulk_words)


def check_critical_words(priority: Priority, words: int, most: int) -> None:
    """Refuse a critical request that would keep all others waiting; `most` 0: none. Raises PermanentError."""
    if most and priority is Priority.CRITICAL and words > most:
        raise PermanentError(
            "too_long_for_critical",
            f"a critical request has {words} words",
            field="priority",
            limit=f"{most} words",
            cure="send it as high: it is then translated as fast as short requests leave room",
        )
