"""`dragoman replay` without a Kafka: moments, choice of the model, comparison, and the run on fakes."""

from collections import Counter
from pathlib import Path

import pytest

from connectors.kafka.settings import KafkaSettings
from connectors.memory import InMemoryTranslationMemory
from inference_workers.model_store import ModelInfo
from inference_workers.translating import SegmentTranslator
from producers.cli.errors import CommandError, UsageError
from producers.cli.replay import check_topic, chosen, lines_of_report, moment_ms
from schemas.codec import Codec
from schemas.errors import PermanentError
from schemas.messages import TranslationRequest, TranslationResult
from schemas.priorities import Priority
from schemas.records import InboundRecord
from schemas.topics import RESULTS, requests_topic
from stream_apps.pipeline.batching import BatchLimits
from stream_apps.replay.comparison import Comparison, TextPair, similarity
from stream_apps.replay.replay import Replay, Replayer, ReplayOutput
from stream_apps.replay.traffic import Traffic

CODEC = Codec()
NOW = 1_700_000_000_000
USUAL = BatchLimits()


@pytest.mark.parametrize(
    ("typed", "milliseconds"),
    [
        ("2h", NOW - 7_200_000),
        ("7d", NOW - 604_800_000),
        ("0s", NOW),
        ("2023-11-14T22:13:20", NOW),
        ("2023-11-14T23:13:20+01:00", NOW),
        ("2023-11-14T22:13:20Z", NOW),
    ],
)
def test_a_moment_is_iso_8601_or_counts_back_from_now(typed, milliseconds):
    assert moment_ms(typed, NOW, "--since") == milliseconds


@pytest.mark.parametrize("typed", ["", "yesterday", "2 hours", "99999999d", "2023-13-01"])
def test_anything_else_is_wrong_usage_that_names_the_option(typed):
    with pytest.raises(UsageError, match="--since"):
        moment_ms(typed, NOW, "--since")


def info(name, pair, version="v1", folder="/models"):
    return ModelInfo(name, "firefox", *pair, Path(folder) / name, 1, version)


def test_a_model_is_chosen_with_all_its_pairs_by_name_version_or_folder():
    found = [info("big", ("en", "pt")), info("big", ("en", "es")), info("small", ("en", "pt"), "v2")]
    assert chosen("big", found) == found[:2]
    assert chosen("v2", found) == found[2:]
    assert chosen("/models/small", found) == found[2:]


def test_an_unknown_model_and_one_name_for_two_folders_are_refused():
    with pytest.raises(CommandError, match="found: v1"):
        chosen("huge", [info("big", ("en", "pt"))])
    with pytest.raises(UsageError, match="several"):
        chosen("big", [info("big", ("en", "pt")), info("big", ("en", "pt"), folder="/others")])


@pytest.mark.parametrize("name", ["translation.results", "translation.requests.high"])
def test_the_platforms_own_topics_are_refused(name):
    with pytest.raises(UsageError, match=name):
        check_topic(name, KafkaSettings())
    check_topic("translation.replay", KafkaSettings())


def test_similarity_is_one_for_equal_texts_only():
    assert similarity("a b c", "a b c") == 1.0
    assert similarity("a b c", "a b  c") < 1.0
    assert similarity("a b c d", "a b x y") == 0.5
    assert similarity("a", "b") == 0.0


def test_the_report_counts_every_pair_once_and_keeps_texts_to_itself():
    pairs = [
        TextPair("r1", "a b", "a b", 1, 2),
        TextPair("r2", "a b", "a c", 1, 2),
        TextPair("r3", None, "x", 1, 1),
        TextPair("r4", "x", None, 1, 1),
        TextPair("r5", None, None, 1, 4),
    ]
    comparison = Comparison(pairs, Counter({"pair en-xx not served": 2}), seconds=2.0)
    report = comparison.report(5, with_texts=False)
    names = ("equal", "different", "only_past_failed", "only_replay_failed", "both_failed")
    assert [report[name] for name in names] == [1, 1, 1, 1, 1]
    assert (report["requests"], report["words"], report["words_per_second"]) == (5, 10, 5.0)
    assert report["mean_similarity"] == 0.75
    assert report["most_different"] == [{"request_id": "r2", "similarity": 0.5}]
    assert comparison.report(5, with_texts=True)["most_different"][0]["replayed"] == "a c"
    assert "skipped: pair en-xx not served" in lines_of_report(report)


def test_a_report_of_nothing_has_no_means():
    report = Comparison().report(5, with_texts=False)
    assert (report["mean_similarity"], report["words_per_second"], report["most_different"]) == (None, None, [])


class Log:
    """Records by topic."""

    def __init__(self, **records):
        self.by_topic = records

    def records(self, topic, since_ms, until_ms):
        return (one for one in self.by_topic.get(topic, []) if since_ms <= one.timestamp_ms < until_ms)


class NoObjects:
    def read_text(self, ref, limit_bytes):
        raise PermanentError("content_missing", "no such text")


class Shouting:
    def version_of(self, source, target):
        if target != "pt":
            raise PermanentError("unsupported_pair", "no model")
        return "shout-2"

    def translate(self, texts, source, target, options):
        return [TranslatedText(text.upper()) for text in texts]


class TranslatedText:
    score, cause = None, None

    def __init__(self, text):
        self.text = text


class Kafka:
    def __init__(self):
        self.sent = []

    def send(self, records):
        self.sent += records


def asked(request_id, at=NOW, **fields):
    usual = {"source_language": "en", "target_language": "pt", "text": "It rains. It snows."}
    request = TranslationRequest(request_id=request_id, **{**usual, **fields})
    return InboundRecord("", 0, at, b"k", CODEC.encode(request), timestamp_ms=at)


def answered(request_id, text, **fields):
    result = TranslationResult(request_id=request_id, text=text, **fields)
    return InboundRecord(RESULTS, 0, 0, request_id.encode(), CODEC.encode(result), timestamp_ms=NOW)


def replayed(requests, answers, limit=None, limits=USUAL):
    traffic = Traffic(Log(**{requests_topic(Priority.HIGH): requests, RESULTS: answers}), CODEC, NoObjects())
    exchanges = traffic.exchanges(NOW, NOW + 1000, list(Priority), limit)
    memory, kafka = InMemoryTranslationMemory(), Kafka()
    replayer = Replayer(SegmentTranslator(Shouting(), memory, lambda: 0.0), memory, lambda: NOW)
    output = ReplayOutput(kafka, CODEC, "elsewhere", 100_000)
    replay = Replay(traffic, Shouting(), replayer, output, lambda _text: "en", lambda: None, limits)
    report = replay.run(exchanges).report(5, with_texts=False)
    return report, [CODEC.decode(record.value, TranslationResult) for record in kafka.sent]


def test_a_text_is_cut_by_the_limits_that_intake_has():
    report, written = replayed([asked("r1")], [], limits=BatchLimits(text_bytes=5))
    assert (report["skipped"], written) == ({"segment_too_large": 1}, [])


def test_past_requests_are_translated_anew_and_held_against_their_newest_answers():
    requests = [asked("r1"), asked("r2", NOW + 1), asked("r1", NOW + 2), asked("late", NOW + 5000)]
    answers = [answered("r1", "wrong", version=1), answered("r1", "IT RAINS. IT SNOWS.", version=2)]
    report, written = replayed(requests, answers)
    assert (report["requests"], report["equal"], report["only_past_failed"]) == (2, 1, 1)
    assert [result.text for result in written] == ["IT RAINS. IT SNOWS."] * 2
    assert {(result.pipeline_version, result.model) for result in written} == {
        ("replay-segmentation-1", "shout-2")
    }


def test_what_cannot_be_replayed_is_counted_by_reason():
    broken = InboundRecord("", 0, 9, None, b"garbage", timestamp_ms=NOW)
    requests = [
        broken,
        asked("r1", target_language="de"),
        asked("r2", text=" "),
        asked("r3", text=None, content_ref="gone"),
        asked("r4", target_language="?"),
        asked("r5", source_language="auto"),
    ]
    report, written = replayed(requests, [])
    assert report["skipped"] == {
        "unreadable": 1,
        "pair en-de not served": 1,
        "empty_text": 1,
        "content_missing": 1,
        "malformed_language": 1,
    }
    assert [result.request_id for result in written] == ["r5"]


def test_the_limit_takes_the_oldest():
    _, written = replayed([asked("r2", NOW + 5), asked("r1", NOW)], [], limit=1)
    assert [result.request_id for result in written] == ["r1"]
