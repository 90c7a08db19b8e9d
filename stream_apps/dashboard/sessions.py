"""Decide who is signed in: by the token of the query interface, by a link that counts once, a cookie. Pure.

The token never stands in an address. `dragoman dashboard` shows it in a header and gets a link; the link counts
once, for a minute, and is exchanged for a cookie. The cookie is signed with the token (HMAC-SHA256) and nothing is
kept of it: it outlives a restart of the process, and another token ends every session.
"""

import hashlib
import hmac
import secrets

from schemas.errors import PermanentError

# Somebody who asks for links and never uses them holds no memory.
_MOST_LINKS = 1000
SIGN_IN_CURE = "run 'dragoman dashboard', or sign in with the token of the query interface"


class Sessions:
    """The links and the cookies of one token. Times are seconds since 1970."""

    def __init__(self, token: str, session_seconds: float, link_seconds: float) -> None:
        self._token = token
        self._session_seconds = session_seconds
        self._link_seconds = link_seconds
        self._links: dict[str, float] = {}

    def new_link(self, now: float) -> str:
        """Return the ticket of a new link."""
        self._links = {ticket: end for ticket, end in self._links.items() if end > now}
        while len(self._links) >= _MOST_LINKS:
            del self._links[next(iter(self._links))]
        ticket = secrets.token_urlsafe(32)
        self._links[ticket] = now + self._link_seconds
        return ticket

    def redeem(self, ticket: str, now: float) -> str:
        """Return a cookie for a ticket, once. Raises PermanentError (unauthorised)."""
        if self._links.pop(ticket, 0.0) <= now:
            raise PermanentError("unauthorised", "this link was used or is too old", cure=SIGN_IN_CURE)
        return self.new_cookie(now)

    def new_cookie(self, now: float) -> str:
        """Return the cookie of a new session."""
        claim = f"{round(now + self._session_seconds)}.{secrets.token_hex(16)}"
        return f"{claim}.{self._signature(claim)}"

    def check_cookie(self, cookie: str, now: float) -> None:
        """Raise PermanentError (unauthorised) unless this is the cookie of a session that lasts."""
        claim, _, signature = cookie.rpartition(".")
        is_ours = hmac.compare_digest(signature.encode(), self._signature(claim).encode())
        # Only what we signed is read.
        if not self._token or not is_ours or float(claim.partition(".")[0]) <= now:
            raise PermanentError("unauthorised", "nobody is signed in here", cure=SIGN_IN_CURE)

    def _signature(self, claim: str) -> str:
        return hmac.new(self._token.encode(), f"dashboard {claim}".encode(), hashlib.sha256).hexdigest()
