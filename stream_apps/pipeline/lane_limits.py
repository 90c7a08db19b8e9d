"""From how many words on a request is long, and how long one of critical priority may be."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from connectors.settings import Section
from schemas.errors import PermanentError
from schemas.lanes import DEFAULT_BULK_WORDS, Lane, lane_of
from schemas.messages import TranslationRequest
from schemas.priorities import Priority
from schemas.segments import count_words


class LaneLimits(Section):
    """DRAGOMAN_INTAKE_*: which requests are long. The same everywhere: HTTP estimates waits by it."""

    model_config = SettingsConfigDict(env_prefix="DRAGOMAN_INTAKE_", frozen=True, extra="forbid")

    bulk_words: int = Field(
        default=DEFAULT_BULK_WORDS,
        ge=0,
        description="A request of high or standard priority with more words waits in the bulk lane of its "
        "priority, which short ones pass. 0: there are no bulk lanes.",
    )
    critical_most_words: int = Field(
        default=10_000,
        ge=0,
        description="Most words of a critical request; a longer one is refused. 0: no limit.",
    )

    def expected_lane(self, request: TranslationRequest, priority: Priority) -> Lane:
        """Return where a request that is not cut yet will probably wait.

        A file, or a text that has been put into the object store because of its size, counts as long.
        """
        texts = (*request.texts, *([] if request.text is None else [request.text]))
        # A word has a character at least: most texts need not be counted.
        if texts and sum(map(len, texts)) <= self.bulk_words:
            return lane_of(priority, 0, self.bulk_words)
        words = sum(map(count_words, texts)) if texts else self.bulk_words + 1
        return lane_of(priority, words, self.bulk_words)


def check_critical_words(priority: Priority, words: int, most: int) -> None:
    """Refuse a critical request that would keep all others waiting. Raises PermanentError."""
    if most and priority is Priority.CRITICAL and words > most:
        raise PermanentError(
            "too_long_for_critical",
            f"a critical request has {words} words",
            field="priority",
            limit=f"{most} words",
            cure="send it as high: it is then translated as fast as short requests leave room",
        )
