"""Make a delivery of a result: what is posted, and where. Pure."""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from schemas.deliveries import Delivery, DeliveryKey
from schemas.messages import TranslationResult
from schemas.states import RequestKind
from schemas.units import has_units
from stream_apps.webhooks.settings import WebhookLimits


def delivery_of(result: TranslationResult, limits: WebhookLimits, now_ms: int) -> Delivery | None:
    """Return the delivery of a result; None without a callback, or so late that it would be given up at once."""
    if not result.callback or result.completed_at + limits.give_up_ms <= now_ms:
        return None
    return Delivery(
        key=DeliveryKey(result.key, result.version),
        url=result.callback,
        body=json.dumps(_body(result, limits), ensure_ascii=False, separators=(",", ":")),
        started_at=result.completed_at,
        due_at=now_ms,
    )


def _body(result: TranslationResult, limits: WebhookLimits) -> dict[str, Any]:
    """Return type, timestamp and data, as Standard Webhooks recommends."""
    moment = datetime.fromtimestamp(result.completed_at / 1000, UTC)
    return {
        "type": f"translation.{(result.status or 'unknown').lower()}",
        "timestamp": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "data": {
            "job_id": result.request_id,
            "tenant": result.tenant,
            "version": result.version,
            "status": result.status,
            "error_cause": result.error_cause,
            "source_language": result.source_language,
            "detected_language": result.detected_language,
            "target_language": result.target_language,
            "words": result.source_words,
            "url": _url(result, limits),
            **_text(result, limits.inline_text_bytes),
        },
    }


def _url(result: TranslationResult, limits: WebhookLimits) -> str:
    collection = "documents" if result.kind == RequestKind.DOCUMENT else "translations"
    path = f"/api/v1/{collection}/{quote(result.request_id, safe='')}"
    return limits.public_url.rstrip("/") + path


def _text(result: TranslationResult, most_bytes: int) -> dict[str, str]:
    """Return the translation where it fits; several texts and files are fetched."""
    text = result.text
    fits = text is not None and not has_units(result.kind) and len(text.encode()) <= most_bytes
    return {"text": text or ""} if fits and most_bytes else {}
