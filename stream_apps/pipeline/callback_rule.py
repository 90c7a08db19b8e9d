"""The rule for the callback of a request: where a webhook may be sent. Pure.

A name may lead to a private address all the same, so the process that posts checks each address again when it
connects (connectors/webhooks).
"""

from urllib.parse import SplitResult, urlsplit

from schemas.addresses import is_public, parse_address
from schemas.errors import PermanentError
from stream_apps.pipeline.request_limits import RequestLimits

_FIELD = "callback"
# RFC 6761, RFC 6762 and RFC 8375, and what clouds and clusters call their insides.
_LOCAL_ENDINGS = (".localhost", ".local", ".internal", ".home.arpa", ".lan", ".intranet", ".corp", ".home")


def check_callback(url: str | None, limits: RequestLimits) -> None:
    """Check the URL of a callback. Raises PermanentError for the first thing wrong; None is no callback."""
    if url is None:
        return
    if not limits.callback_schemes:
        raise _bad("not_supported", "callback is set, and no process delivers webhooks", "none", "leave it out")
    parts = _parsed(url, limits.max_callback_characters)
    if parts.scheme not in limits.callback_schemes:
        schemes = ", ".join(limits.callback_schemes)
        raise _bad("bad_callback", "the scheme of the URL is not allowed", schemes, "send a URL of such a scheme")
    if "@" in parts.netloc:
        raise _bad("bad_callback", "the URL holds a user or a password", "none", "check our signature instead")
    if not limits.callback_private_hosts and _is_inside(parts.hostname or ""):
        raise _bad(
            "private_callback",
            "the host of the URL is local or private by its name or address",
            "public hosts",
            "name a host that the internet reaches (docs/webhooks.md)",
        )


def _parsed(url: str, longest: int) -> SplitResult:
    if len(url) > longest or not url.isascii() or not url.isprintable() or " " in url:
        limit = f"{longest} printable ASCII characters without spaces"
        raise _bad("bad_callback", f"the URL has {len(url)} characters, or others than it may", limit, "encode it")
    try:
        parts = urlsplit(url)
        # Reading the port checks it.
        is_url = parts.port != 0 and parts.hostname and not parts.fragment and "\\" not in url
    except ValueError:
        is_url = False
    if not is_url:
        limit = "https://host[:port]/path?query"
        raise _bad("bad_callback", "this is no URL that can be posted to", limit, "send an absolute URL")
    return parts


def _is_inside(host: str) -> bool:
    if address := parse_address(host):
        return not is_public(address)
    name = host.rstrip(".").lower()
    return "." not in name or name.endswith(_LOCAL_ENDINGS)


def _bad(cause: str, message: str, limit: str, cure: str) -> PermanentError:
    return PermanentError(cause, message, field=_FIELD, limit=limit, cure=cure)
