"""The routes of the probes, for supervisors, load balancers and Prometheus."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel

from connectors.telemetry.health import Health, answer_of

router = APIRouter()

# The same probes that the health port of every process answers.
_PROBES: dict[str, Any] = {"tags": ["operations"]}


class Alive(BaseModel):
    """Whether the event loop runs, and how long it has been silent."""

    alive: bool
    silent_seconds: float


class Ready(BaseModel):
    """Whether requests can be accepted, and the reason if they cannot."""

    ready: bool
    reason: str


@router.get(
    "/health",
    operation_id="read_health",
    description="Tell whether the event loop runs. 503: restart the process.",
    response_model=Alive,
    responses={503: {"model": Alive}},
    **_PROBES,
)
@router.get(
    "/ready",
    operation_id="read_ready",
    description="Tell whether requests can be accepted. 503: send them elsewhere, for now.",
    response_model=Ready,
    responses={503: {"model": Ready}},
    **_PROBES,
)
@router.get(
    "/metrics",
    operation_id="read_metrics",
    description="Show the metrics of this process, in the text format of Prometheus.",
    response_class=PlainTextResponse,
    **_PROBES,
)
async def answer_probe(request: Request) -> Response:
    """Answer a probe as every process of the platform does."""
    health: Health = request.app.state.health
    status, content_type, body = answer_of(health, request.url.path, request.headers.get("accept", ""))
    return Response(body, status, media_type=content_type)
