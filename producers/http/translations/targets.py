"""One submission for several target languages: a job for each, and one answer that lists them.

All of them are checked, and take their shares, before the first is sent. Kafka stores them one by one: where it
does not acknowledge them all, the answer is 503, and the same call again stores the rest and repeats nothing,
because each job has an id of its own: that of the call, and its language.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from producers.http.admission.caller import Caller
from producers.http.translations.submission import Envelope, Submission
from producers.http.translations.submit import ValidSubmission, request_id_of
from schemas.errors import PermanentError, TransientError
from schemas.languages import parse_language


def of_each_target(
    submission: Submission, envelope: Envelope, caller: Caller, most: int
) -> tuple[str, list[Submission]]:
    """Return the id of the call, and a submission for each target. Raises PermanentError."""
    targets = _canonical_targets(submission, most)
    tenant = caller.tenant_for(submission.tenant)
    call_id = request_id_of(submission.request_id, envelope.idempotency_key, tenant)
    return call_id, [
        submission.model_copy(
            update={"targets": None, "target_language": target, "request_id": f"{call_id}.{target}"}
        )
        for target in targets
    ]


async def all_sent(
    jobs: Sequence[ValidSubmission], send: Callable[[ValidSubmission], Awaitable[None]], call_id: str | None
) -> None:
    """Return once Kafka has stored all of them. Raises TransientError, which says how to complete the call."""
    if len(jobs) == 1 and not call_id:
        # Most calls: no task for it.
        await send(jobs[0])
        return
    outcomes = await asyncio.gather(*map(send, jobs), return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, TransientError) and call_id:
            missing = sum(isinstance(one, BaseException) for one in outcomes)
            raise TransientError(
                f"{missing} of {len(jobs)} jobs may not be stored; the same call with request_id {call_id}, or "
                f"with your Idempotency-Key, stores the rest and repeats nothing: {outcome}",
                outcome.retry_after_seconds,
            ) from outcome
        if isinstance(outcome, BaseException):
            raise outcome


def _canonical_targets(submission: Submission, most: int) -> list[str]:
    """Return the canonical target languages. Raises PermanentError for too many, or one that is named twice."""
    targets = submission.targets or []
    if submission.target_language is not None:
        raise _bad_targets("target_language is set, and targets too", "one of them", "leave one of them out")
    if len(targets) > most:
        raise _bad_targets(f"there are {len(targets)} targets", f"{most} targets", "send several requests")
    named = [str(parse_language(one, f"targets[{at}]")) for at, one in enumerate(targets)]
    for at, one in enumerate(named):
        if one in named[:at]:
            raise _bad_targets(f"targets[{at}] names {one} again", "each language once", "leave it out")
    return named


def _bad_targets(message: str, limit: str, cure: str) -> PermanentError:
    return PermanentError("bad_targets", message, field="targets", limit=limit, cure=cure)
