"""Decide what becomes of a delivery after an attempt. Pure."""

from dataclasses import dataclass

from connectors.webhooks.client import Answer
from schemas.deliveries import Attempt, Delivery, DeliveryState
from stream_apps.webhooks.settings import WebhookLimits

# The receiver says that it wants no more of this (RFC 9110).
_GONE = 410


@dataclass(frozen=True)
class Moment:
    """When an attempt began, in milliseconds since the epoch, and a random number from 0 to 1."""

    now_ms: int
    chance: float


def after(delivery: Delivery, answer: Answer, at: Moment, limits: WebhookLimits) -> Delivery:
    """Return the delivery as it stands after the attempt: delivered by any 2xx, given up, or due again."""
    attempt = Attempt(at.now_ms, answer.status_code, round(answer.seconds, 3), answer.error)
    if 200 <= answer.status_code < 300:
        return delivery.attempted(attempt, DeliveryState.DELIVERED, 0)
    due_at = at.now_ms + round(answer.seconds * 1000) + _pause_ms(delivery, answer, at.chance, limits)
    if answer.status_code == _GONE or due_at > delivery.started_at + limits.give_up_ms:
        return delivery.attempted(attempt, DeliveryState.GIVEN_UP, 0)
    return delivery.attempted(attempt, DeliveryState.PENDING, due_at)


def _pause_ms(delivery: Delivery, answer: Answer, chance: float, limits: WebhookLimits) -> int:
    """Return the pause: doubled with each failure since the start, or longer where the receiver asks for it."""
    failures = sum(one.at >= delivery.started_at for one in delivery.attempts) + 1
    seconds = limits.retry.pause_seconds(failures, chance)
    asked = min(answer.retry_after_seconds, limits.longest_retry_seconds)
    return round(max(seconds, asked) * 1000)
