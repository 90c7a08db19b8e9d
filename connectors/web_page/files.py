"""Serve the files of a page to browsers, under a policy that lets nothing foreign in."""

from collections.abc import Collection, Mapping
from os import PathLike
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

# A page needs its own files and its own server; styles are set by its scripts, which this policy lets through. No
# form is ever sent by the browser itself: if a script failed, a password would go into an address.
_POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
    "require-trusted-types-for": "'script'",
    "trusted-types": "'none'",
}
_OTHERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    # A browser asks each time, and mostly hears 304: after an upgrade no old script meets a new page.
    "Cache-Control": "no-cache",
}


def headers_of(changed: Mapping[str, str], without: Collection[str] = ()) -> dict[str, str]:
    """Return the headers of a page whose policy differs in these directives, or lacks them."""
    policy = {name: value for name, value in {**_POLICY, **changed}.items() if name not in without}
    return {"Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()), **_OTHERS}


PAGE_HEADERS = headers_of({})
# What every page is made of: a file that a page has not itself is one of these.
PARTS = Path(__file__).parent / "parts"


class PageFiles(StaticFiles):
    """Files of a page, and the shared parts beside them, with the headers of a page."""

    def __init__(
        self, directory: Path, headers: Mapping[str, str] = PAGE_HEADERS, *, check_dir: bool = True
    ) -> None:
        super().__init__(directory=directory, check_dir=check_dir)
        self._headers = headers

    def get_directories(
        self,
        directory: str | PathLike[str] | None = None,
        packages: list[str | tuple[str, str]] | None = None,
    ) -> list[str | PathLike[str]]:
        return [*super().get_directories(directory, packages), PARTS]

    async def get_response(self, path: str, scope: Scope) -> Response:
        answer = await super().get_response(path, scope)
        answer.headers.update(self._headers)
        return answer
