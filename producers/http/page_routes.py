"""Serve the page at `/`: files of this package, which a browser may run, and nothing from anywhere else."""

from pathlib import Path

from fastapi import APIRouter, FastAPI, Request, Response

from connectors.web_page.files import PageFiles

PAGE = Path(__file__).parent / "page"

router = APIRouter(include_in_schema=False)
_page = PageFiles(directory=PAGE, check_dir=False)


@router.api_route("/", methods=["GET", "HEAD"])
async def show_page(request: Request) -> Response:
    """Show the page. It asks the API for everything else."""
    return await _page.get_response("index.html", request.scope)


def mount_page(app: FastAPI) -> None:
    """Serve the page and its files."""
    app.include_router(router)
    app.mount("/assets", PageFiles(directory=PAGE / "assets", check_dir=False), name="assets")
