"""Tell who calls: by a header of ours or of the original's, or by a parameter."""

from fastapi import Request

from producers.http.admission.caller import Caller, caller_showing, check_scope
from producers.http.compatible.reading import Parameters
from stream_apps.accounts.roles import Scope


def submitter_of(
    request: Request, given: Parameters, key_name: str, scope: Scope = Scope.WRITE_TRANSLATIONS
) -> Caller:
    """Return the caller of a translation, who needs the scope for it; it is counted by what it asks for.

    Raises UnauthenticatedError, ForbiddenError, or TransientError.
    """
    caller = caller_showing(request, given.text(key_name) or request.headers.get("x-api-key") or "")
    check_scope(caller, scope)
    return caller


def reader_of(
    request: Request, given: Parameters, key_name: str, scope: Scope = Scope.READ_TRANSLATIONS
) -> Caller:
    """Return the caller of anything else. Raises TooManyRequestsError, too."""
    caller = caller_showing(request, given.text(key_name) or request.headers.get("x-api-key") or "")
    check_scope(caller, scope)
    request.app.state.ports.accounts.count_read(caller.account)
    return caller
