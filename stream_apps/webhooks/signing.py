"""Sign webhooks as Standard Webhooks 1.0 says (symmetric signatures, `v1`). Pure."""

import base64
import hashlib
import hmac
from collections.abc import Sequence

from stream_apps.accounts.webhook_secrets import PREFIX


def signed_headers(webhook_id: str, at_seconds: int, body: bytes, secrets: Sequence[str]) -> dict[str, str]:
    """Return the three headers. Each secret gives a signature, so that receivers may know any one of them."""
    signatures = [_signature(webhook_id, at_seconds, body, secret) for secret in secrets]
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(at_seconds),
        "webhook-signature": " ".join(signatures),
    }


def _signature(webhook_id: str, at_seconds: int, body: bytes, secret: str) -> str:
    content = f"{webhook_id}.{at_seconds}.".encode() + body
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
