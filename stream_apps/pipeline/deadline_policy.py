"""Decides what a passed deadline means: the request is ended, or it is served all the same. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum

from schemas.errors import PermanentError
from schemas.messages import TranslationRequest
from schemas.priorities import Priority

OPTION = "late"


class DeadlinePolicy(StrEnum):
    """EXPIRE: the request ends as EXPIRED and its work is skipped. SERVE: it is translated all the same."""

    EXPIRE = "expire"
    SERVE = "serve"


def with_deadline_policy(
    request: TranslationRequest, priority: Priority, policies: Mapping[Priority, DeadlinePolicy]
) -> TranslationRequest:
    """Return the request as later stages see it: with a deadline only if it ends the request, without `late`.

    The request's own option `late` wins over the policy of its priority. Raises PermanentError for another value.
    """
    chosen = request.options.get(OPTION)
    policy = policies.get(priority, DeadlinePolicy.EXPIRE) if chosen is None else _policy(chosen)
    return replace(
        request,
        deadline=request.deadline if policy is DeadlinePolicy.EXPIRE else None,
        options={name: value for name, value in request.options.items() if name != OPTION},
    )


def _policy(value: str) -> DeadlinePolicy:
    try:
        return DeadlinePolicy(value)
    except ValueError:
        known = ", ".join(DeadlinePolicy)
        raise PermanentError(
            "bad_options",
            f"option late is {value[:40]!r}, which is none of {known}",
            field="options",
            limit=known,
            cure=f"send one of {known}, or leave it out",
        ) from None
