"""Post one webhook: to an address that was checked, without redirects, within a fixed time.

A name may lead to a public address when it is checked and to a private one a moment later (DNS rebinding). So it
is resolved once, all its addresses are checked, and the connection goes to one of them; the name is used for the
certificate (SNI) and the header Host only.
"""

import asyncio
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

import httpx

from schemas.addresses import Address, is_public, parse_address

Resolve = Callable[[str, int], Awaitable[Sequence[Address]]]
"""Returns the addresses of a host. Raises OSError where it has none."""

_PORTS = {"https": 443, "http": 80}
_MOST_RETRY_AFTER_DIGITS = 6


@dataclass(frozen=True)
class Answer:
    """What one POST came to. `status_code` 0: no answer, and `error` names why. `retry_after_seconds` as asked."""

    status_code: int
    seconds: float
    error: str = ""
    retry_after_seconds: int = 0


class PrivateAddressError(Exception):
    """The host leads to an address that webhooks must not reach."""


@dataclass(frozen=True)
class WebhookClient:
    """Posts with no connection kept between two calls, as an address counts for one call. For one event loop."""

    timeout_seconds: float = 10.0
    allows_private: bool = False
    resolve: Resolve | None = None
    tls: ssl.SSLContext = field(default_factory=httpx.create_ssl_context)

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Post, and return what came of it; failures of the network are answers, too. No body is read."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(self.timeout_seconds):
                status, retry_after = await self._posted(urlsplit(url), headers, body)
        except TimeoutError:
            return Answer(0, time.monotonic() - began, "timeout")
        except PrivateAddressError:
            return Answer(0, time.monotonic() - began, "private_address")
        except socket.gaierror:
            return Answer(0, time.monotonic() - began, "unknown_host")
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            return Answer(0, time.monotonic() - began, type(error).__name__)
        return Answer(status, time.monotonic() - began, retry_after_seconds=retry_after)

    async def _posted(self, url: SplitResult, headers: Mapping[str, str], body: bytes) -> tuple[int, int]:
        host, port = url.hostname or "", url.port or _PORTS[url.scheme]
        address = await self._checked_address(host, port)
        shown = f"[{address}]" if address.version == 6 else str(address)
        pinned = url._replace(netloc=f"{shown}:{port}", fragment="").geturl()
        # Proxies of the environment would connect by themselves, to what they resolve.
        async with (
            httpx.AsyncClient(verify=self.tls, trust_env=False, timeout=self.timeout_seconds) as client,
            client.stream(
                "POST",
                pinned,
                content=body,
                headers={**headers, "Host": url.netloc},
                extensions={"sni_hostname": host},
                follow_redirects=False,
            ) as response,
        ):
            return response.status_code, _seconds(response.headers.get("retry-after", ""))

    async def _checked_address(self, host: str, port: int) -> Address:
        """Return an address of the host; of several, one that is private is enough to refuse."""
        literal = parse_address(host)
        found = [literal] if literal else await (self.resolve or resolved)(host, port)
        if not self.allows_private and not all(map(is_public, found)):
            raise PrivateAddressError(host)
        return found[0]


async def resolved(host: str, port: int) -> list[Address]:
    """Return the addresses that the system's resolver knows. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [parse_address(str(one[4][0])) for one in found]
    known = [one for one in addresses if one]
    if not known:
        raise OSError("no address")
    return known


def _seconds(retry_after: str) -> int:
    """Read the header Retry-After (RFC 9110) in seconds; a date or nonsense counts as none."""
    is_number = retry_after.isascii() and retry_after.isdigit() and len(retry_after) <= _MOST_RETRY_AFTER_DIGITS
    return int(retry_after) if is_number else 0
