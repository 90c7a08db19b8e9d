"""Which pool translates a request, and with which model. Pure, but for the registry that is asked."""

from collections.abc import Sequence

from connectors.redis.model_registry import ModelVersions
from schemas.errors import PermanentError
from schemas.languages import Language
from schemas.priorities import Priority
from stream_apps.intake.settings import IntakeLimits, Route


def pair_names(source: Language, target: Language) -> list[str]:
    """The names under which a model may serve the pair, the most specific first: en-pt-BR, en-pt."""
    exact, plain = f"{source}-{target}", f"{source.language}-{target.language}"
    half = f"{source.language}-{target}"
    return list(dict.fromkeys((exact, half, plain)))


def pool_of(routes: Sequence[Route], default: str, priority: Priority, pairs: Sequence[str], words: int) -> str:
    """The pool of the first rule that fits, else the default."""
    return next((route.pool for route in routes if _fits(route, priority, pairs, words)), default)


async def model_version(
    models: ModelVersions, pool: str, pairs: Sequence[str], limits: IntakeLimits
) -> str | None:
    """The version that the pool's workers serve; None while none is ready and the pair is configured.

    Raises PermanentError for a pair that nobody serves, TransientError when the registry is away.
    """
    served = await models.read(pool)
    known = [pair for pair in pairs if pair in (served or limits.pairs)]
    if not known:
        raise _unsupported(pairs[0], sorted(served or limits.pairs))
    return served.get(known[0])


def _fits(route: Route, priority: Priority, pairs: Sequence[str], words: int) -> bool:
    return (
        (not route.priorities or priority in route.priorities)
        and (not route.pairs or any(pair in route.pairs for pair in pairs))
        and route.min_words <= words
        and (route.max_words is None or words <= route.max_words)
    )


def _unsupported(pair: str, served: Sequence[str]) -> PermanentError:
    return PermanentError(
        "unsupported_pair",
        f"no model translates {pair}",
        field="target_language",
        limit=", ".join(served),
        cure="send one of these pairs, or deploy a model for this one",
    )
