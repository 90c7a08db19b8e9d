"""One valid message for every topic that a process or a command of ours reads, to be spoiled."""

from typing import Any

from schemas.priorities import Priority
from schemas.topics import (
    CONTROL,
    DEAD_LETTERS,
    RESULTS,
    STATUS,
    TRANSLATED,
    USAGE,
    batches_topic,
    requests_topic,
)

# What becomes of a spoiled record here is a dead letter.
_INPUT_MESSAGES = {
    **{requests_topic(priority): "TranslationRequest" for priority in Priority},
    **{batches_topic("default", priority): "SegmentBatch" for priority in Priority},
    TRANSLATED: "TranslatedBatch",
    CONTROL: "JobControl",
    STATUS: "JobEvent",
    USAGE: "UsageEvent",
}
INPUTS = tuple(_INPUT_MESSAGES)
# These are read again by rebuilds, repair and commands, which pass over what is spoiled.
MESSAGE_OF = {**_INPUT_MESSAGES, RESULTS: "TranslationResult", DEAD_LETTERS: "DeadLetter"}


def sample(topic: str, name: str, now_ms: int) -> dict[str, Any]:
    """A valid datum; `name` tells it from others. It is about a request that nobody has sent."""
    kind = MESSAGE_OF[topic]
    priority = topic.rpartition(".")[2] if kind in ("TranslationRequest", "SegmentBatch") else "high"
    return {
        "TranslationRequest": _request(name, priority, now_ms),
        "SegmentBatch": _batch(name, priority, now_ms),
        "TranslatedBatch": _translated(name, now_ms),
        "JobControl": {"request_id": name, "action": "CANCEL", "job": _job("high", now_ms), "at": now_ms},
        "JobEvent": _event(name, now_ms),
        "UsageEvent": _usage(name, now_ms),
        "TranslationResult": _result(name, now_ms),
        "DeadLetter": _dead_letter(name, now_ms),
    }[kind]


def _job(priority: str, now_ms: int) -> dict[str, Any]:
    return {
        "tenant": "poison",
        "priority": priority,
        "source_language": "en",
        "target_language": "pt",
        "pipeline_version": "p1",
        "segments": 2,
        "batches": 1,
        "words": 4,
        "characters": 21,
        "submitted_at": now_ms,
        "accepted_at": now_ms,
        "metadata": {"ticket": "7"},
    }


def _request(name: str, priority: str, now_ms: int) -> dict[str, Any]:
    return {
        "request_id": name,
        "tenant": "poison",
        "source_language": "en",
        "target_language": "pt",
        "text": "It rains. It snows.",
        "priority": priority,
        "options": {"formality": "less"},
        "metadata": {"ticket": "7"},
        "submitted_at": now_ms,
    }


def _batch(name: str, priority: str, now_ms: int) -> dict[str, Any]:
    return {
        "request_id": name,
        "batch_number": 0,
        "job": _job(priority, now_ms),
        "texts": ["It rains.", "It snows."],
        "gaps": [" ", ""],
        "translations": [None, "Neva."],
        "scores": [None, 0.5],
        "source_words": 4,
        "options": {"formality": "less"},
    }


def _translated(name: str, now_ms: int) -> dict[str, Any]:
    return {
        "request_id": name,
        "batch_number": 0,
        "job": _job("high", now_ms),
        "gaps": [" ", ""],
        "translations": ["Chove.", "Neva."],
        "causes": [None, None],
        "scores": [0.5, None],
        "cached": [False, True],
        "source_words": 4,
        "target_words": 2,
        "model": "m1",
        "timings": {"translate": 0.1},
        "translated_at": now_ms,
    }


def _event(name: str, now_ms: int) -> dict[str, Any]:
    return {
        "request_id": name,
        "tenant": "poison",
        "stage": "TRANSLATED",
        "priority": "high",
        "batch_number": 0,
        "batches": 1,
        "segments": 2,
        "words": 4,
        "detail": {"model": "m1"},
        "submitted_at": now_ms,
        "at": now_ms,
    }


def _usage(name: str, now_ms: int) -> dict[str, Any]:
    return {
        "event_id": name,
        "kind": "compute",
        "request_id": name,
        "batch_number": 0,
        "tenant": "poison",
        "priority": "high",
        "source_language": "en",
        "target_language": "pt",
        "model": "m1",
        "worker": "w1",
        "source_words": 4,
        "target_words": 2,
        "segments": 2,
        "busy_ms": 1.5,
        "at": now_ms,
    }


def _result(name: str, now_ms: int) -> dict[str, Any]:
    return {
        "request_id": name,
        "version": 1,
        "tenant": "poison",
        "status": "PARTIAL",
        "priority": "high",
        "text": "Chove. It snows.",
        "holes": [{"segment": 1, "cause": "untranslatable", "start": 7, "length": 9}],
        "source_language": "en",
        "target_language": "pt",
        "segments": 2,
        "source_words": 4,
        "timings": {"translate": 0.1},
        "submitted_at": now_ms,
    }


def _dead_letter(name: str, now_ms: int) -> dict[str, Any]:
    return {
        "dead_letter_id": name,
        "stage": "intake",
        "cause": "undecodable",
        "message": "the record is cut short",
        "batch_number": 0,
        "request_id": name,
        "topic": requests_topic(Priority.HIGH),
        "offset": 7,
        "failed_at": now_ms,
    }
