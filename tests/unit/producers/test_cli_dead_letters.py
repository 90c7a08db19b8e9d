"""Which letters are meant, what a redrive sends for them, and what is shown of them."""

import dataclasses
import json
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from producers.cli.dead_letters.correction import correction_of, repetition_of
from producers.cli.dead_letters.filters import Filter, moment_ms
from producers.cli.dead_letters.open_letters import OpenLetters
from producers.cli.dead_letters.plans import Plan, Planner, groups_of, tombstone_of
from producers.cli.dead_letters.run import carry_out
from producers.cli.dead_letters.shown import letter_json, lines_of_letter, refusals_of, table_of, value_of
from producers.cli.dead_letters.summary import summary_of
from producers.cli.failures import UsageError
from producers.cli.main import app
from schemas.codec import Codec
from schemas.dead_letters import about_request, about_segments, dead_letter_of
from schemas.errors import PermanentError
from schemas.messages import Hole, Job, SegmentBatch, TranslationRequest, TranslationResult
from schemas.records import InboundRecord
from schemas.topics import DEAD_LETTERS, TopicPlan
from stream_apps.intake.batching import BatchLimits
from stream_apps.intake.outputs import Wire

CODEC = Codec()
NOW = 1_700_000_000_000
PAIR = {"source_language": "en", "target_language": "pt"}
JOB = Job(tenant="acme", priority="high", batches=1, words=6, deadline=9, **PAIR)
REQUESTS, BATCHES = "translation.requests.high", "translation.batches.default.high"
TEXT = "Olá. My lemons. Adeus."
PARTIAL = TranslationResult(
    request_id="r1",
    version=1,
    status="PARTIAL",
    text=TEXT,
    holes=(Hole(segment=1, cause="repetition_loop", start=5, length=10),),
    segments=3,
    source_words=6,
    target_words=4,
    target_characters=len(TEXT),
    model="m1",
)


def batch(number=0, texts=("Hi.", "My lemons.", "Bye."), **job):
    return SegmentBatch(
        request_id="r1",
        batch_number=number,
        job=dataclasses.replace(JOB, **job),
        texts=texts,
        gaps=[" "] * len(texts),
        translations=[None] * len(texts),
        scores=[None] * len(texts),
        options={"beam": "2"},
    )


def inbound(value, topic=REQUESTS, offset=7, **headers):
    return InboundRecord(topic, 2, offset, b"r1", value, {"traceparent": b"00-1-2-01", **headers}, NOW - 5)


class World:
    """Letters and what a redrive may read."""

    def __init__(self):
        self.originals = {}
        self.letters = []
        self.results = {}

    def fails(self, record, *, cause="empty_text", stage="intake", request_id="r1", segments=(), at=NOW):
        """One letter for the record, or one for each of its segments."""
        letter = dead_letter_of(record, PermanentError(cause, "no"), stage=stage, now_ms=at)
        letter = about_request(letter, request_id, "acme") if request_id else letter
        number = CODEC.decode(record.value, SegmentBatch).batch_number if segments else 0
        for one in about_segments(letter, number, segments) if segments else [letter]:
            lies = InboundRecord(DEAD_LETTERS, 4, len(self.letters), one.dead_letter_id.encode(), b"")
            self.letters.append(summary_of(one, lies))
            self.originals[one.dead_letter_id] = record
        return self.letters[-1]

    def original(self, letter):
        return self.originals[letter.dead_letter_id]

    def newest(self, request_id):
        return self.results.get(request_id)

    def text_of(self, result):
        return result.text

    def planner(self):
        return Planner(self, CODEC, Wire(CODEC), BatchLimits(), NOW)

    def plan_all(self):
        return [self.planner().plan(group) for group in groups_of(self.letters, self.letters)]


@pytest.fixture
def world():
    return World()


def batches_in(plan):
    return [CODEC.decode(out.value, SegmentBatch) for out in plan.outputs]


def test_a_refused_request_is_sent_again_as_it_was_and_asks_for_the_version_after_the_newest(world):
    letter = world.fails(inbound(b"bytes", attempt=b"2", redrive=b"2", other=b"x"))
    world.results["r1"] = dataclasses.replace(PARTIAL, version=2, status="FAILED")
    (plan,) = world.plan_all()
    (out,) = plan.outputs
    assert (out.topic, out.partition, out.key, out.value) == (REQUESTS, 2, b"r1", b"bytes")
    assert out.headers == {"traceparent": b"00-1-2-01", "other": b"x", "redrive": b"3", "attempt": b"3"}
    assert plan.version == 3
    assert plan.records[1:] == [tombstone_of(letter)]


def test_a_request_without_an_answer_asks_for_its_first(world):
    world.fails(inbound(b"bytes"))
    (plan,) = world.plan_all()
    assert plan.outputs[0].headers["redrive"] == b"1"


def test_two_letters_of_one_request_never_ask_for_the_same_version(world):
    world.fails(inbound(b"one", offset=1))
    world.fails(inbound(b"two", offset=2))
    planner = world.planner()
    assert [planner.plan([letter]).version for letter in world.letters] == [1, 2]


def test_another_request_under_a_used_id_is_not_sent_again(world):
    world.fails(inbound(b"bytes"), cause="id_reused")
    with pytest.raises(PermanentError, match="must stand") as caught:
        world.plan_all()
    assert "id of its own" in caught.value.cure


@pytest.mark.parametrize(
    ("topic", "stage"),
    [
        (REQUESTS, "intake"),
        (BATCHES, "inference"),
        ("translation.translated", "assembly"),
        ("translation.control", "assembly"),
        ("translation.usage", "usage_sink"),
        ("translation.status", "status"),
    ],
)
def test_what_no_request_is_known_of_goes_to_its_place_again_as_it_was(world, topic, stage):
    letter = world.fails(inbound(b"\xffrubbish", topic), stage=stage, request_id=None)
    (plan,) = world.plan_all()
    (out,) = plan.outputs
    assert (out.topic, out.partition, out.key, out.value) == (topic, 2, b"r1", b"\xffrubbish")
    assert out.headers == {"traceparent": b"00-1-2-01", "attempt": b"2"}
    assert plan.records[1:] == [tombstone_of(letter)]


def test_a_failed_sentence_becomes_a_correction_that_costs_nothing(world):
    letter = world.fails(inbound(CODEC.encode(batch()), BATCHES), stage="inference", segments=[1])
    world.results["r1"] = PARTIAL
    (plan,) = world.plan_all()
    (one,) = batches_in(plan)
    assert (one.lead, list(one.texts), list(one.gaps), list(one.numbers)) == (
        "Olá. ",
        ["My lemons."],
        [" Adeus."],
        [1],
    )
    assert (one.job.revision, one.job.billed_words, one.job.words, one.job.segments) == (2, 6, 6, 3)
    assert (one.job.accepted_at, one.job.deadline, one.job.tenant) == (NOW, None, "acme")
    assert (one.options, list(one.translations)) == ({"beam": "2"}, [None])
    assert one.job.kept is not None
    assert (one.job.kept.segments, one.job.kept.target_words, list(one.job.kept.models)) == (2, 2, ["m1"])
    (out,) = plan.outputs
    assert (out.topic, out.headers["attempt"], out.headers["traceparent"]) == (BATCHES, b"2", b"00-1-2-01")
    assert plan.records[1:] == [tombstone_of(letter)]


def test_one_correction_closes_every_sentence_of_its_request_though_one_was_chosen(world):
    world.fails(inbound(CODEC.encode(batch()), BATCHES), stage="inference", segments=[0, 1])
    world.fails(inbound(CODEC.encode(batch()), BATCHES, offset=8), stage="inference", segments=[1])
    other = world.fails(
        inbound(CODEC.encode(batch()), BATCHES, offset=9), stage="inference", request_id="r2", segments=[1]
    )
    groups = groups_of(world.letters[:1], world.letters)
    assert [[letter.dead_letter_id for letter in group] for group in groups] == [
        [letter.dead_letter_id for letter in world.letters if letter is not other]
    ]


def test_sentences_of_a_request_that_is_whole_by_now_are_closed_without_work(world):
    world.fails(inbound(CODEC.encode(batch()), BATCHES), stage="inference", segments=[1])
    world.results["r1"] = dataclasses.replace(PARTIAL, status="COMPLETED", holes=())
    (plan,) = world.plan_all()
    assert (plan.outputs, len(plan.records)) == ((), 1)


def test_sentences_wait_for_the_answer_of_their_request(world):
    world.fails(inbound(CODEC.encode(batch()), BATCHES), stage="inference", segments=[1])
    with pytest.raises(PermanentError, match="no answer yet"):
        world.plan_all()


@pytest.mark.parametrize("status", ["CANCELLED", "EXPIRED", "FAILED"])
def test_sentences_of_a_request_that_ended_otherwise_stay_open(world, status):
    world.fails(inbound(CODEC.encode(batch()), BATCHES), stage="inference", segments=[1])
    world.results["r1"] = dataclasses.replace(PARTIAL, status=status, holes=(), text=None)
    with pytest.raises(PermanentError, match=status):
        world.plan_all()


def test_a_request_of_which_every_sentence_failed_is_translated_again_as_a_whole(world):
    for number in (1, 0):
        record = inbound(CODEC.encode(batch(number, ("A b.",), batches=2)), BATCHES, offset=number)
        world.fails(record, stage="inference", segments=[0])
    holes = tuple(Hole(segment=number, cause="x") for number in range(2))
    failed = dataclasses.replace(PARTIAL, status="FAILED", text=None, holes=holes, segments=2, source_words=0)
    world.results["r1"] = failed
    (plan,) = world.plan_all()
    assert [(one.batch_number, one.job.revision, one.job.kept) for one in batches_in(plan)] == [
        (0, 2, None),
        (1, 2, None),
    ]
    assert {one.job.billed_words for one in batches_in(plan)} == {0}
    assert len(plan.letters) == 2


def test_a_repetition_needs_every_batch():
    with pytest.raises(PermanentError, match="1 of 2 batches"):
        repetition_of(PARTIAL, {1: batch(1, batches=2)}, NOW)
    with pytest.raises(PermanentError, match="1 of 1"):
        repetition_of(PARTIAL, {}, NOW)


@pytest.mark.parametrize(
    "holes", [(Hole(segment=1, cause="x"),), (Hole(segment=1, cause="x", start=5, length=99),)]
)
def test_a_result_that_does_not_say_where_its_holes_are_cannot_be_corrected(holes):
    with pytest.raises(PermanentError, match="does not say where"):
        correction_of(dataclasses.replace(PARTIAL, holes=holes), TEXT, batch(), BatchLimits(), NOW)


def test_text_between_two_holes_that_is_too_long_for_one_batch_is_spread_over_several():
    text = "a" + "é" * 1000 + "b"
    holes = (Hole(segment=0, cause="x", start=0, length=1), Hole(segment=2, cause="x", start=1001, length=1))
    result = dataclasses.replace(PARTIAL, holes=holes, text=text)
    batches = correction_of(result, text, batch(), BatchLimits(32, 400), NOW)
    joined = "".join(
        one.lead + "".join(t + gap for t, gap in zip(one.texts, one.gaps, strict=True)) for one in batches
    )
    assert joined == text
    assert len(batches) > 4
    assert max(len("".join((one.lead, *one.texts, *one.gaps)).encode()) for one in batches) <= 400


def test_filters_narrow_and_the_limit_takes_the_oldest(world):
    for at, cause in enumerate(("a", "b", "a")):
        world.fails(inbound(b"x", offset=at), cause=cause, at=at)
    assert [letter.failed_at for letter in Filter(cause="a").chosen(world.letters)] == [0, 2]
    assert [letter.failed_at for letter in Filter(limit=1).chosen(world.letters)] == [0]
    assert [letter.failed_at for letter in Filter(since_ms=1, until_ms=2).chosen(world.letters)] == [1]
    assert Filter(tenant="other").chosen(world.letters) == Filter(stage="status").chosen(world.letters) == []
    assert len(Filter(tenant="acme", request="r1", topic=REQUESTS, stage="intake").chosen(world.letters)) == 3
    assert Filter(ids=(world.letters[1].dead_letter_id,)).chosen(world.letters) == [world.letters[1]]


def test_a_filter_that_asks_nothing_is_open():
    assert Filter().is_open
    assert not Filter(limit=3).is_open
    assert not Filter(since_ms=1).is_open


@pytest.mark.parametrize(
    ("text", "seconds_before"),
    [("90s", 90), ("2m", 120), ("1h", 3600), ("7d", 7 * 86400), ("2026-01-31T11:59", 60)],
)
def test_a_moment_is_so_long_ago_or_a_date(text, seconds_before):
    now = datetime(2026, 1, 31, 12, tzinfo=UTC)
    assert moment_ms(text, now) == round((now.timestamp() - seconds_before) * 1000)


def test_what_is_no_moment_says_what_would_be_one():
    with pytest.raises(UsageError, match="12h"):
        moment_ms("yesterday", datetime.now(UTC))


def test_what_is_no_letter_is_counted_and_holds_nothing_up():
    letters = OpenLetters(CODEC, lambda _: True)
    letters.add(InboundRecord(DEAD_LETTERS, 0, 0, b"k", b"rubbish"))
    letters.add(InboundRecord(DEAD_LETTERS, 0, 1, None, None))
    assert (letters.unreadable, letters.oldest_first()) == (1, [])


def test_plans_share_transactions_but_none_is_divided(world):
    for offset in range(900):
        world.fails(inbound(b"x", offset=offset), request_id=None)
    commits = []
    report = carry_out(
        [[one] for one in world.letters], world.planner().plan, lambda out: commits.append(list(out))
    )
    assert [len(records) for records in commits] == [500, 500, 500, 300]
    for records in commits:
        assert sum(record.value is None for record in records) * 2 == len(records)
    assert (report.sent, len(report.closed)) == (900, 900)


def test_what_cannot_be_sent_again_stays_open_and_the_others_go(world):
    world.fails(inbound(b"x", offset=1), cause="id_reused")
    world.fails(inbound(b"x", offset=2))
    commits = []
    report = carry_out(groups_of(world.letters, world.letters), world.planner().plan, commits.append)
    assert (len(report.closed), len(report.refused), len(commits)) == (1, 1, 1)
    (line,) = refusals_of(report)
    assert line.startswith(world.letters[0].dead_letter_id)
    assert line.endswith("drop the letter")


def test_nothing_to_do_opens_no_transaction():
    assert carry_out([], Plan, pytest.fail).closed == []


def test_a_letter_is_shown_without_what_was_sent_unless_that_is_asked_for():
    request = TranslationRequest(request_id="r1", target_language="pt", text="A secret.")
    record = inbound(CODEC.encode(request), attempt=b"\xff")
    letter = dead_letter_of(record, PermanentError("x", "no", cure="mend it"), stage="intake", now_ms=NOW)
    hidden = letter_json(letter, None)
    assert "secret" not in json.dumps(hidden) + lines_of_letter(hidden)
    assert (hidden["value_bytes"], hidden["cure"], hidden["headers"]["attempt"]) == (
        len(record.value),
        "mend it",
        "\\xff",
    )
    shown = letter_json(letter, value_of(record, CODEC, TopicPlan()))
    assert shown["value"]["text"] == "A secret."
    assert value_of(inbound(b"\xff\x00"), CODEC, TopicPlan()) == "ff00"
    assert value_of(inbound(b"\xff", "elsewhere"), CODEC, TopicPlan()) == "ff"


def test_a_list_says_what_failed_where_and_nothing_of_the_text(world):
    world.fails(inbound(CODEC.encode(batch()), BATCHES), stage="inference", segments=[1])
    header, line = table_of(world.letters).splitlines()
    assert header.split() == [
        "id",
        "failed",
        "at",
        "stage",
        "cause",
        "tenant",
        "request",
        "sentence",
        "attempt",
        "record",
    ]
    assert line.split()[2:] == ["inference", "empty_text", "acme", "r1", "0/1", "1", f"{BATCHES}-2-7"]


@pytest.mark.parametrize("command", ["redrive", "drop"])
def test_without_a_filter_every_letter_is_meant_only_if_that_is_said(command):
    ran = CliRunner().invoke(app, ["dead-letters", command])
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert ran.stderr == "dragoman: no letters are named; name their ids, give a filter, or say --all\n"
