"""Route a request: the pool that translates it, and the model it meets there."""

from collections.abc import Sequence
from functools import lru_cache

from pydantic import BaseModel, ConfigDict, Field

from schemas.catalogue import Catalogue, catalogue_of, unsupported_pair
from schemas.languages import Language
from schemas.priorities import Priority
from stream_apps.pipeline.stores import ModelVersions


class Route(BaseModel):
    """A rule that sends requests to a pool. All its conditions must hold; one that is left empty always does."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pool: str = Field(description="One of DRAGOMAN_KAFKA_POOLS.")
    priorities: tuple[Priority, ...] = Field(default=(), description="One of them.")
    pairs: tuple[str, ...] = Field(default=(), description="One of them, such as en-pt.")
    min_words: int = Field(default=0, ge=0, description="Of the text, this number included.")
    max_words: int | None = Field(default=None, ge=0, description="Of the text, this number included.")

    def fits(self, priority: Priority, pairs: Sequence[str], words: int) -> bool:
        """Tell whether a request with one of these pair names and this number of words meets every condition."""
        return (
            (not self.priorities or priority in self.priorities)
            and (not self.pairs or any(pair in self.pairs for pair in pairs))
            and self.min_words <= words
            and (self.max_words is None or words <= self.max_words)
        )


def pool_of(routes: Sequence[Route], default: str, priority: Priority, pairs: Sequence[str], words: int) -> str:
    """Return the pool of the first route that fits, else the default."""
    return next((route.pool for route in routes if route.fits(priority, pairs, words)), default)


async def model_version(
    models: ModelVersions, pool: str, source: Language, target: Language, configured: tuple[str, ...]
) -> str | None:
    """Return the version of the pool's most specific model for the pair.

    None while no worker is ready and the pair is configured. Raises PermanentError for a pair that nobody
    serves, TransientError when the registry cannot be asked.
    """
    served = await models.read(pool)
    known = served or _assumed(configured)
    version = known.version_of(source, target)
    if version is None:
        raise unsupported_pair(str(source), str(target), known)
    return version if served else None


@lru_cache
def _assumed(pairs: tuple[str, ...]) -> Catalogue:
    return catalogue_of(dict.fromkeys(pairs, ""))
