"""What a redrive sends for a dead letter, when it refuses to, and how plans share transactions."""

import dataclasses

import pytest

from schemas.errors import PermanentError
from schemas.message_parts import Hole
from schemas.messages import SegmentBatch, TranslatedBatch
from schemas.records import OutboundRecord
from schemas.states import ResultStatus
from schemas.topics import TRANSLATED_DOCUMENTS
from stream_apps.pipeline.output_records import early_answer
from stream_apps.pipeline.pieces import BatchLimits
from stream_apps.redrive.correction import correction_of, repetition_of
from stream_apps.redrive.plans import RedrivePlan, groups_of, tombstone_of
from stream_apps.redrive.redrive import carry_out
from tests.failed_records import (
    BATCHES,
    CODEC,
    KEY,
    NOW,
    PARTIAL,
    REQUESTS,
    TEXT,
    batch,
    inbound,
)
from tests.keys import key


def batches_in(plan):
    return [CODEC.decode(out.value, SegmentBatch) for out in plan.outputs]


def test_a_refused_request_is_sent_again_as_it_was_and_asks_for_the_version_after_the_newest(failures):
    dead_letter = failures.add(inbound(b"bytes", attempt=b"2", redrive=b"2", other=b"x"))
    failures.results[KEY] = dataclasses.replace(PARTIAL, version=2, status=ResultStatus.FAILED)
    (plan,) = failures.plan_all()
    (out,) = plan.outputs
    assert (out.topic, out.partition, out.key, out.value) == (REQUESTS, 2, b"acme/r1", b"bytes")
    assert out.headers == {"traceparent": b"00-1-2-01", "other": b"x", "redrive": b"3", "attempt": b"3"}
    assert plan.version == 3
    assert plan.records[1:] == [tombstone_of(dead_letter)]


def test_a_document_that_could_not_be_read_is_sent_to_extraction_again(failures):
    failures.add(dataclasses.replace(inbound(b"bytes"), topic="translation.documents.high"), stage="extraction")
    (plan,) = failures.plan_all()
    (out,) = plan.outputs
    assert (out.topic, out.value, out.headers["redrive"]) == ("translation.documents.high", b"bytes", b"1")


def test_a_file_that_could_not_be_put_together_is_merged_again_from_what_was_translated(failures):
    done = early_answer(dataclasses.replace(batch(), translations=["x"] * len(batch().texts)), "m1", NOW)
    done = dataclasses.replace(done, job=dataclasses.replace(done.job, kind="document"))
    letter = failures.add(inbound(CODEC.encode(done), TRANSLATED_DOCUMENTS), stage="merging")
    failed = dataclasses.replace(PARTIAL, status=ResultStatus.FAILED, text=None, source_words=0, holes=())
    failures.results[KEY], failures.unmerged_results[KEY, PARTIAL.version] = failed, PARTIAL
    (plan,) = failures.plan_all()
    (out,) = plan.outputs
    again = CODEC.decode(out.value, TranslatedBatch)
    assert (out.topic, out.headers["attempt"], plan.version) == (TRANSLATED_DOCUMENTS, b"2", 2)
    assert (again.lead, list(again.translations), list(again.causes)) == (
        "Olá. ",
        ["My lemons."],
        ["repetition_loop"],
    )
    assert (list(again.gaps), list(again.numbers)) == ([" Adeus."], [1])
    assert (again.job.revision, again.job.billed_words, again.job.words, again.job.segments) == (2, 0, 6, 3)
    assert plan.records[1:] == [tombstone_of(letter)]


def test_a_file_that_was_put_together_since_closes_its_dead_letter(failures):
    failures.add(inbound(b"bytes"), stage="merging", cause="broken_codes")
    failures.results[KEY] = dataclasses.replace(PARTIAL, version=2, status=ResultStatus.COMPLETED)
    (plan,) = failures.plan_all()
    assert (plan.outputs, plan.version) == ((), 2)


def test_a_merge_without_an_answer_waits_for_it(failures):
    failures.add(inbound(b"bytes"), stage="merging", cause="broken_codes")
    with pytest.raises(PermanentError, match="no answer yet"):
        failures.plan_all()


@pytest.mark.parametrize("stage", ["intake", "merging", "inference"])
def test_nothing_of_an_erased_request_is_sent_again(failures, stage):
    failures.add(inbound(b"bytes"), stage=stage)
    failures.results[KEY] = dataclasses.replace(PARTIAL, text=None, erased_at=NOW)
    with pytest.raises(PermanentError, match="erased") as caught:
        failures.plan_all()
    assert caught.value.cause == "erased"


def test_a_request_without_an_answer_asks_for_its_first(failures):
    failures.add(inbound(b"bytes"))
    (plan,) = failures.plan_all()
    assert plan.outputs[0].headers["redrive"] == b"1"


def test_two_dead_letters_of_one_request_never_ask_for_the_same_version(failures):
    failures.add(inbound(b"one", offset=1))
    failures.add(inbound(b"two", offset=2))
    planner = failures.planner()
    assert [planner.plan([dead_letter]).version for dead_letter in failures.dead_letters] == [1, 2]


def test_another_request_under_a_used_id_is_not_sent_again(failures):
    failures.add(inbound(b"bytes"), cause="id_reused")
    with pytest.raises(PermanentError, match="must stand") as caught:
        failures.plan_all()
    assert "id of its own" in str(caught.value.cure)


@pytest.mark.parametrize(
    ("topic", "stage"),
    [
        (REQUESTS, "intake"),
        (BATCHES, "inference"),
        ("translation.translated", "assembly"),
        ("translation.control", "assembly"),
        ("translation.requests.acme.high", "intake"),
        ("translation.control.acme", "assembly"),
        ("translation.usage", "usage_sink"),
    ],
)
def test_what_no_request_is_known_of_goes_to_its_place_again_as_it_was(failures, topic, stage):
    dead_letter = failures.add(inbound(b"\xffrubbish", topic), stage=stage, about=None)
    (plan,) = failures.plan_all()
    (out,) = plan.outputs
    assert (out.topic, out.partition, out.key, out.value) == (topic, 2, b"acme/r1", b"\xffrubbish")
    assert out.headers == {"traceparent": b"00-1-2-01", "attempt": b"2"}
    assert plan.records[1:] == [tombstone_of(dead_letter)]


def test_a_failed_sentence_becomes_a_correction_that_costs_nothing(failures):
    dead_letter = failures.add(inbound(CODEC.encode(batch()), BATCHES), stage="inference", segments=[1])
    failures.results[KEY] = PARTIAL
    (plan,) = failures.plan_all()
    (one,) = batches_in(plan)
    assert (one.lead, list(one.texts), list(one.gaps), list(one.numbers)) == (
        "Olá. ",
        ["My lemons."],
        [" Adeus."],
        [1],
    )
    assert (one.job.revision, one.job.billed_words, one.job.words, one.job.segments) == (2, 6, 6, 3)
    assert (one.job.accepted_at, one.job.deadline, one.tenant) == (NOW, None, "acme")
    assert (one.engine_options, list(one.translations)) == ({"beam": "2"}, [None])
    assert one.job.kept is not None
    assert (one.job.kept.segments, one.job.kept.target_words, list(one.job.kept.models)) == (2, 2, ["m1"])
    (out,) = plan.outputs
    assert (out.topic, out.headers["attempt"], out.headers["traceparent"]) == (BATCHES, b"2", b"00-1-2-01")
    assert plan.records[1:] == [tombstone_of(dead_letter)]


def test_one_correction_closes_every_sentence_of_its_request_though_one_was_chosen(failures):
    failures.add(inbound(CODEC.encode(batch()), BATCHES), stage="inference", segments=[0, 1])
    failures.add(inbound(CODEC.encode(batch()), BATCHES, offset=8), stage="inference", segments=[1])
    other = failures.add(
        inbound(CODEC.encode(batch()), BATCHES, offset=9), stage="inference", about=key("r2", "acme"), segments=[1]
    )
    groups = groups_of(failures.dead_letters[:1], failures.dead_letters)
    assert [[dead_letter.dead_letter_id for dead_letter in group] for group in groups] == [
        [dead_letter.dead_letter_id for dead_letter in failures.dead_letters if dead_letter is not other]
    ]


def test_sentences_of_a_request_that_is_whole_by_now_are_closed_without_work(failures):
    failures.add(inbound(CODEC.encode(batch()), BATCHES), stage="inference", segments=[1])
    failures.results[KEY] = dataclasses.replace(PARTIAL, status=ResultStatus.COMPLETED, holes=())
    (plan,) = failures.plan_all()
    assert (plan.outputs, len(plan.records)) == ((), 1)


def test_sentences_wait_for_the_answer_of_their_request(failures):
    failures.add(inbound(CODEC.encode(batch()), BATCHES), stage="inference", segments=[1])
    with pytest.raises(PermanentError, match="no answer yet"):
        failures.plan_all()


@pytest.mark.parametrize("status", ["CANCELLED", "EXPIRED", "FAILED"])
def test_sentences_of_a_request_that_ended_otherwise_stay_open(failures, status):
    failures.add(inbound(CODEC.encode(batch()), BATCHES), stage="inference", segments=[1])
    failures.results[KEY] = dataclasses.replace(PARTIAL, status=status, holes=(), text=None)
    with pytest.raises(PermanentError, match=status):
        failures.plan_all()


def test_a_request_of_which_every_sentence_failed_is_translated_again_as_a_whole(failures):
    for number in (1, 0):
        record = inbound(CODEC.encode(batch(number, ("A b.",), batches=2)), BATCHES, offset=number)
        failures.add(record, stage="inference", segments=[0])
    holes = tuple(Hole(segment=number, cause="x") for number in range(2))
    ended = dataclasses.replace(
        PARTIAL, status=ResultStatus.FAILED, text=None, holes=holes, segments=2, source_words=0
    )
    failures.results[KEY] = ended
    (plan,) = failures.plan_all()
    assert [(one.batch_number, one.job.revision, one.job.kept) for one in batches_in(plan)] == [
        (0, 2, None),
        (1, 2, None),
    ]
    assert {one.job.billed_words for one in batches_in(plan)} == {0}
    assert len(plan.dead_letters) == 2


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


def test_plans_share_transactions_but_none_is_divided(failures):
    for offset in range(900):
        failures.add(inbound(b"x", offset=offset), about=None)
    commits: list[list[OutboundRecord]] = []
    groups = [[one] for one in failures.dead_letters]
    report = carry_out(groups, failures.planner().plan, lambda out: commits.append(list(out)))
    assert [len(records) for records in commits] == [500, 500, 500, 300]
    for records in commits:
        assert sum(record.value is None for record in records) * 2 == len(records)
    assert (report.sent, len(report.closed)) == (900, 900)


def test_what_cannot_be_sent_again_stays_open_and_the_others_go(failures):
    failures.add(inbound(b"x", offset=1), cause="id_reused")
    failures.add(inbound(b"x", offset=2))
    commits: list[list[OutboundRecord]] = []
    groups = groups_of(failures.dead_letters, failures.dead_letters)
    report = carry_out(groups, failures.planner().plan, lambda out: commits.append(list(out)))
    assert (len(report.closed), len(commits)) == (1, 1)
    ((dead_letter, error),) = report.refused
    assert dead_letter == failures.dead_letters[0]
    assert str(error.cure).endswith("drop the dead letter")


def test_nothing_to_do_opens_no_transaction():
    assert carry_out([], RedrivePlan, lambda _: pytest.fail("a transaction")).closed == []


def test_a_correction_has_the_terms_of_its_own_holes_whichever_batch_failed():
    origin = dataclasses.replace(batch(), terms={"gone": "ido"})
    holes = (Hole(segment=0, cause="x", start=0, length=12),)
    result = dataclasses.replace(PARTIAL, holes=holes, text="the red door")
    (again,) = correction_of(result, "the red door", origin, BatchLimits(), NOW, {"gone": "ido", "door": "porta"})
    assert again.terms == {"door": "porta"}
