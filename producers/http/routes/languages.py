"""Which language pairs are served right now."""

from fastapi import APIRouter, Request

from producers.http.ports import Ports
from producers.http.problems import responses
from producers.http.views import LanguagesResponse

router = APIRouter(tags=["languages"])


@router.get("/api/v1/languages", responses=responses(503))
async def list_languages(request: Request) -> LanguagesResponse:
    """The pairs that ready workers have announced."""
    ports: Ports = request.app.state.ports
    return LanguagesResponse(pairs=sorted(await ports.models.pairs()))
