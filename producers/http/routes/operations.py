"""What a supervisor, a load balancer and Prometheus ask; the health port answers the same."""

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from connectors.telemetry.health import Health, answer_of

router = APIRouter(tags=["operations"])


class Alive(BaseModel):
    """The event loop turns."""

    alive: bool
    silent_seconds: float


class Ready(BaseModel):
    """Whether requests can be accepted, and what keeps them from it."""

    ready: bool
    reason: str


@router.get("/health", response_model=Alive, responses={503: {"model": Alive}})
@router.get("/ready", response_model=Ready, responses={503: {"model": Ready}})
@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def answer_probe(request: Request) -> Response:
    """As every process of the platform answers it."""
    health: Health = request.app.state.health
    status, content_type, body = answer_of(health, request.url.path)
    return Response(body, status, media_type=content_type)
