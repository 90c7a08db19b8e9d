"""One call that asks for translations: prepared as a whole, sent, and waited for."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import Request

from producers.http.admission.caller import Caller
from producers.http.middleware import submission_is_stored
from producers.http.ports import JobSnapshot, Ports
from producers.http.settings import HttpLimits
from producers.http.translations.jobs import translated
from producers.http.translations.submission import Envelope, Submission
from producers.http.translations.submit import ValidSubmission, prepare, send
from producers.http.translations.targets import all_sent, of_each_target
from schemas.shares import Decision


@dataclass(frozen=True)
class Call:
    """The requests of a call, as they may go to Kafka. `call_id` names one for several target languages."""

    valid: Sequence[ValidSubmission]
    envelope: Envelope
    call_id: str | None = None

    @property
    def rate(self) -> Decision | None:
        """Tell how many requests may follow it, where that is limited."""
        return self.valid[-1].rate


async def prepared_call(submission: Submission, envelope: Envelope, caller: Caller, request: Request) -> Call:
    """Check the call and take its shares: all that it needs, or nothing. Raises as submit.py's `prepare` does."""
    state = request.app.state
    call_id, asked = None, [submission]
    if submission.targets is not None:
        call_id, asked = of_each_target(submission, envelope, caller, state.limits.max_targets)
        envelope = envelope.model_copy(update={"idempotency_key": None})
    valid = await prepare(asked, envelope, caller, state.ports, state.request_limits)
    return Call(valid, envelope, call_id)


async def sent_call(call: Call, request: Request, wait_seconds: float) -> list[JobSnapshot]:
    """Send the call, and return its jobs as they are when all are answered or the time is up; none for no wait.

    Raises TransientError when nothing is promised.
    """
    ports: Ports = request.app.state.ports
    limits: HttpLimits = request.app.state.limits

    async def sent() -> None:
        await all_sent(call.valid, lambda one: send(one, call.envelope, ports), call.call_id)
        submission_is_stored(request)

    if wait_seconds:
        return await translated(call.valid, sent, ports, limits, min(wait_seconds, limits.max_wait_seconds))
    await sent()
    return []
