"""One valid message for every topic that a process or a command of ours reads, to be spoiled."""

from typing import Any

from schemas.priorities import Priority
from schemas.topics import (
    CONTROL,
    DEAD_LETTERS,
    OPERATIONS,
    RESULTS,
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
    USAGE: "UsageBatch",
}
INPUTS = tuple(_INPUT_MESSAGES)
# These are read again by rebuilds, repair and commands, which pass over what is spoiled.
MESSAGE_OF = {
    **_INPUT_MESSAGES,
    RESULTS: "TranslationResult",
    DEAD_LETTERS: "DeadLetter",
    OPERATIONS: "OperationEvent",
}


def sample(topic: str, name: str, now_ms: int) -> dict[str, Any]:
    """A valid datum; `name` tells it from others. It is about a request that nobody has sent."""
    kind = MESSAGE_OF[topic]
    priority = topic.rpartition(".")[2] if kind in ("TranslationRequest", "SegmentBatch") else "high"
    return {
        "TranslationRequest": _request(name, priority, now_ms),
        "SegmentBatch": _batch(name, priority, now_ms),
        "TranslatedBatch": _translated(name, now_ms),
        "JobControl": {**_key(name), "action": "CANCEL", "job": _job("high", now_ms), "at": now_ms},
        "UsageBatch": _usage(name, now_ms),
        "TranslationResult": _result(name, now_ms),
        "DeadLetter": _dead_letter(name, now_ms),
        "OperationEvent": _operation(name, now_ms),
    }[kind]


def _key(name: str) -> dict[str, Any]:
    return {"tenant": "poison", "request_id": name}


def _job(priority: str, now_ms: int) -> dict[str, Any]:
    return {
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
        **_key(name),
        "source_language": "en",
        "target_language": "pt",
        "text": "It rains. It snows.",
        "priority": priority,
        "engine_options": {"formality": "less"},
        "metadata": {"ticket": "7"},
        "submitted_at": now_ms,
    }


def _batch(name: str, priority: str, now_ms: int) -> dict[str, Any]:
    return {
        **_key(name),
        "batch_number": 0,
        "job": _job(priority, now_ms),
        "texts": ["It rains.", "It snows."],
        "gaps": [" ", ""],
        "translations": [None, "Neva."],
        "scores": [None, 0.5],
        "source_words": 4,
        "engine_options": {"formality": "less"},
    }


def _translated(name: str, now_ms: int) -> dict[str, Any]:
    return {
        **_key(name),
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


def _usage(name: str, now_ms: int) -> dict[str, Any]:
    row = {
        **_key(""),
        "event_id": name,
        "kind": "compute",
        "submitted_by": "",
        "labels": {},
        "request_kind": "text",
        "content_type": "text/plain",
        "priority": "high",
        "source_language": "en",
        "target_language": "pt",
        "model": "m1",
        "pool": "default",
        "worker": "w1",
        "device": "cpu",
        "market": "on_demand",
        "status": "",
        "batches": 1,
        "units": 0,
        "segments": 2,
        "cached_segments": 0,
        "failed_segments": 0,
        "source_words": 4,
        "target_words": 2,
        "cached_words": 0,
        "source_characters": 21,
        "target_characters": 12,
        "busy_ms": 1.5,
        "queue_ms": 0.0,
        "latency_ms": 0.0,
        "sla_ms": 0,
        "at": now_ms,
    }
    return {column: [value, value] for column, value in row.items()}


def _result(name: str, now_ms: int) -> dict[str, Any]:
    return {
        **_key(name),
        "version": 1,
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
        "completed_at": now_ms,
    }


def _dead_letter(name: str, now_ms: int) -> dict[str, Any]:
    return {
        "dead_letter_id": name,
        "stage": "intake",
        "cause": "undecodable",
        "message": "the record is cut short",
        "batch_number": 0,
        **_key(name),
        "topic": requests_topic(Priority.HIGH),
        "offset": 7,
        "failed_at": now_ms,
    }


def _operation(name: str, now_ms: int) -> dict[str, Any]:
    return {
        "event_id": name,
        "kind": "worker",
        "actor": "w1",
        "device": "cpu",
        "market": "spot",
        "state": "ready",
        "since": now_ms - 60_000,
        "at": now_ms,
        "figures": {"replicas": 2.0},
        "priorities": ["high"],
    }
