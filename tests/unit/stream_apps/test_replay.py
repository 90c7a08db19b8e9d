"""A replay without a Kafka: choice of the model and the topic, comparison, and the run on fakes."""

from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import pytest
from obstore.store import MemoryStore

from connectors.kafka.settings import KafkaSettings
from connectors.memory import InMemoryTranslationMemory
from connectors.object_store import UrlObjectStore
from inference_workers.fidelity import Outcome
from inference_workers.model_store import ModelInfo, choose_model
from inference_workers.translating import SegmentTranslator
from schemas.catalogue import LanguageSet
from schemas.codec import Codec
from schemas.errors import PermanentError
from schemas.glossaries import Glossary
from schemas.languages import Language
from schemas.messages import TranslationRequest, TranslationResult
from schemas.priorities import Priority
from schemas.records import InboundRecord
from schemas.topics import RESULTS, requests_topic
from stream_apps.glossaries.changes import Writing
from stream_apps.pipeline.cutting_limits import CuttingLimits
from stream_apps.pipeline.language_detection import Detection
from stream_apps.pipeline.segmentation import SEGMENTATION_VERSION
from stream_apps.replay import replay
from stream_apps.replay.comparison import Comparison, TextPair, similarity
from stream_apps.replay.replay import Replay, Replayer
from stream_apps.replay.traffic import ReplayOutput, Selection, Traffic, check_output_topic
from tests.translators import PlainTranslator

CODEC = Codec()
NOW = 1_700_000_000_000
USUAL = CuttingLimits()


def info(name, pair, version="v1", folder="/models"):
    source, target = pair
    languages = LanguageSet(frozenset({source}), frozenset({target}), version)
    return ModelInfo(name, "bergamot", (languages,), Path(folder) / name, 1, version)


def test_a_model_is_chosen_with_all_its_pairs_by_name_version_or_folder():
    found = [info("big", ("en", "pt")), info("big", ("en", "es")), info("small", ("en", "pt"), "v2")]
    assert choose_model("big", found) == found[:2]
    assert choose_model("v2", found) == found[2:]
    assert choose_model("/models/small", found) == found[2:]


def test_an_unknown_model_and_one_name_for_two_folders_are_refused():
    with pytest.raises(PermanentError, match="found: v1"):
        choose_model("huge", [info("big", ("en", "pt"))])
    with pytest.raises(PermanentError, match="several"):
        choose_model("big", [info("big", ("en", "pt")), info("big", ("en", "pt"), folder="/others")])


@pytest.mark.parametrize("name", ["translation.results", "translation.requests.high"])
def test_the_platforms_own_topics_are_refused(name):
    with pytest.raises(PermanentError, match=name):
        check_output_topic(name, KafkaSettings())
    check_output_topic("translation.replay", KafkaSettings())


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
    assert report["most_different"] == [{"key": "r2", "similarity": 0.5}]
    assert comparison.report(5, with_texts=True)["most_different"][0]["replayed"] == "a c"
    assert report["skipped"] == {"pair en-xx not served": 2}


def test_a_report_of_nothing_has_no_means():
    report = Comparison().report(5, with_texts=False)
    assert (report["mean_similarity"], report["words_per_second"], report["most_different"]) == (None, None, [])


class Log:
    """Records by topic."""

    def __init__(self, **records):
        self.by_topic = records

    def records(self, topic, since_ms, until_ms):
        return (one for one in self.by_topic.get(topic, []) if since_ms <= one.timestamp_ms < until_ms)


class Shouting(PlainTranslator):
    def version_of(self, source, target):
        if target != "pt":
            raise PermanentError("unsupported_pair", "no model")
        return "shout-2"

    def translate(self, texts):
        return [Outcome(text.upper(), None) for text in texts]


class Kafka:
    def __init__(self):
        self.sent = []

    def send(self, records, timeout_seconds=30.0):
        self.sent += records


def asked(request_id, at=NOW, **fields):
    usual = {"source_language": "en", "target_language": "pt", "text": "It rains. It snows."}
    request = TranslationRequest(request_id=request_id, **{**usual, **fields})
    return InboundRecord("", 0, at, b"k", CODEC.encode(request), timestamp_ms=at)


def answered(request_id, text, **fields):
    result = TranslationResult(request_id=request_id, text=text, **fields)
    return InboundRecord(RESULTS, 0, 0, result.key.encode(), CODEC.encode(result), timestamp_ms=NOW)


def replayed(requests, answers, limit=None, limits=USUAL, glossaries=()):
    traffic = Traffic(
        Log(**{requests_topic(Priority.HIGH): requests, RESULTS: answers}), CODEC, UrlObjectStore(MemoryStore())
    )
    traffic.glossaries.change(lambda _found: Writing(glossaries))
    exchanges = traffic.exchanges(Selection(NOW, NOW + 1000, limit=limit))
    memory, kafka = InMemoryTranslationMemory(), Kafka()
    replayer = Replayer(SegmentTranslator(Shouting(), memory, lambda: 0.0), memory, lambda: NOW)
    output = ReplayOutput(kafka, CODEC, "elsewhere", 100_000)
    progress: list[tuple[int, int]] = []
    run = Replay(
        traffic,
        Shouting(),
        replayer,
        output,
        detect=lambda _text: Detection(Language("en"), 1.0),
        on_progress=lambda done, total: progress.append((done, total)),
        limits=limits,
    )
    report = run.run(exchanges).report(5, with_texts=False)
    assert progress == [(number, len(exchanges)) for number in range(1, len(exchanges) + 1)]
    return report, [CODEC.decode(record.value, TranslationResult) for record in kafka.sent]


def test_a_text_is_cut_by_the_limits_that_intake_has():
    report, written = replayed([asked("r1")], [], limits=CuttingLimits(max_batch_bytes=5))
    assert (report["skipped"], written) == ({"segment_too_large": 1}, [])


def test_past_requests_are_translated_anew_and_held_against_their_newest_answers():
    requests = [asked("r1"), asked("r2", NOW + 1), asked("r1", NOW + 2), asked("late", NOW + 5000)]
    answers = [answered("r1", "wrong", version=1), answered("r1", "IT RAINS. IT SNOWS.", version=2)]
    report, written = replayed(requests, answers)
    assert (report["requests"], report["equal"], report["only_past_failed"]) == (2, 1, 1)
    assert [result.text for result in written] == ["IT RAINS. IT SNOWS."] * 2
    assert {(result.pipeline_version, result.model) for result in written} == {
        (f"replay-segmentation-{SEGMENTATION_VERSION}", "shout-2")
    }


def test_an_erased_request_is_not_replayed():
    report, written = replayed([asked("r1"), asked("r2")], [answered("r1", None, erased_at=NOW)])
    assert report["requests"] == 1
    assert [result.request_id for result in written] == ["r2"]


def test_a_record_that_is_no_answer_leaves_the_others():
    spoiled = InboundRecord(RESULTS, 0, 0, answered("r1", "").key, b"garbage", timestamp_ms=NOW)
    emptied = InboundRecord(RESULTS, 0, 0, answered("r2", "").key, None, timestamp_ms=NOW)
    answers = [answered("r1", "IT RAINS. IT SNOWS."), spoiled, emptied]
    report, _ = replayed([asked("r1"), asked("r2")], answers)
    assert (report["equal"], report["requests"], report["skipped"]) == (1, 2, {"unreadable": 2})


def test_an_array_is_replayed_text_by_text():
    texts = ["It rains and", "", "it snows."]
    answers = [answered("r1", None, kind="texts", texts=["IT RAINS AND", "", "IT SNOWS."])]
    report, (written,) = replayed([asked("r1", text=None, texts=texts)], answers)
    assert (report["equal"], report["different"]) == (1, 0)
    assert (written.kind, written.texts) == ("texts", ["IT RAINS AND", "", "IT SNOWS."])


def test_a_text_with_tags_is_replayed_between_them():
    html, shouted = (
        "<p class='a'>It <b>rains</b> &amp; snows.</p>",
        "<p class='a'>IT <b>RAINS</b> &amp; SNOWS.</p>",
    )
    asked_again = [asked("r1", text=html, content_type="text/html")]
    report, (written,) = replayed(asked_again, [answered("r1", shouted)])
    assert (report["equal"], written.text) == (1, shouted)


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


def test_glossaries_are_those_of_the_past_answer_and_one_that_is_gone_is_a_reason():
    terms = [Glossary(tenant="default", name="terms", version=number) for number in (1, 2)]
    requests = [asked("r1", glossaries=["terms"]), asked("r2", glossaries=["gone"])]
    answers = [answered("r1", "IT RAINS. IT SNOWS.", glossaries=["terms@1"])]
    report, (written,) = replayed(requests, answers, glossaries=terms)
    assert (report["equal"], report["skipped"]) == (1, {"unknown_glossary": 1})
    assert written.glossaries == ["terms@1"]


def test_a_request_is_held_against_the_answer_of_its_own_tenant():
    requests = [asked("r1", tenant=tenant) for tenant in ("acme", "globex")]
    report, written = replayed(requests, [answered("r1", "IT RAINS. IT SNOWS.", tenant="globex")])
    assert (report["requests"], report["equal"], report["only_past_failed"]) == (2, 1, 1)
    assert [result.tenant for result in written] == ["acme", "globex"]


def test_the_limit_takes_the_oldest():
    _, written = replayed([asked("r2", NOW + 5), asked("r1", NOW)], [], limit=1)
    assert [result.request_id for result in written] == ["r1"]


def test_a_whole_replay_reads_the_selection_and_writes_to_the_topic_it_was_given(monkeypatch):
    kafka = Kafka()

    @contextmanager
    def open_output(_settings, codec, topic):
        yield ReplayOutput(kafka, codec, topic, 100_000)

    past = Log(**{requests_topic(Priority.HIGH): [asked("r1")], RESULTS: [answered("r1", "IT RAINS. IT SNOWS.")]})
    monkeypatch.setattr(replay, "KafkaAdmin", lambda _settings: None)
    monkeypatch.setattr(replay, "KafkaPastRecords", lambda _settings, _admin: past)
    monkeypatch.setattr(replay, "open_output", open_output)
    progress: list[tuple[int, ...]] = []
    whole = replay.KafkaReplay(KafkaSettings(), CODEC, UrlObjectStore(MemoryStore()), USUAL)
    selection = Selection(NOW, NOW + 1000)
    found = whole.run(selection, Shouting(), "elsewhere", lambda *done: progress.append(done))
    assert (found.report(1, with_texts=False)["equal"], progress) == (1, [(1, 1)])
    assert [record.topic for record in kafka.sent] == ["elsewhere"]
    with pytest.raises(PermanentError, match=RESULTS):
        whole.run(selection, Shouting(), RESULTS, lambda *_: None)


def test_an_answer_that_cannot_be_read_is_counted_and_the_others_are_compared():
    requests = [asked("r1"), asked("r2", NOW + 1)]
    broken = InboundRecord(RESULTS, 0, 0, b"default/r1", b"garbage", timestamp_ms=NOW)
    report, written = replayed(requests, [broken, answered("r2", "IT RAINS. IT SNOWS.")])
    assert (report["requests"], report["equal"], report["skipped"]) == (2, 1, {"unreadable": 1})
    assert [result.request_id for result in written] == ["r1", "r2"]


def test_a_document_is_no_text_and_is_skipped_by_name():
    document = asked("r1", text=None, content_ref="tenants/default/inbox/a", file_name="a.txt")
    report, written = replayed([document, asked("r2")], [])
    assert (report["skipped"], [result.request_id for result in written]) == ({"document": 1}, ["r2"])


@pytest.mark.parametrize("name", ["", ".", "..", "a b", "a/b", "ü", "a" * 250, "__consumer_offsets"])
def test_what_no_topic_can_be_called_is_refused_before_anything_is_read(name):
    with pytest.raises(PermanentError, match="no name of a topic"):
        check_output_topic(name, KafkaSettings())


@pytest.mark.parametrize(
    "name",
    [
        "translation.batches.gpu.high",
        "translation.requests.acme.high",
        "translation.control.acme",
        "translation.usage",
    ],
)
def test_topics_of_pools_and_tenants_that_this_environment_does_not_name_are_refused(name):
    with pytest.raises(PermanentError, match="topic of the platform's own"):
        check_output_topic(name, KafkaSettings())
