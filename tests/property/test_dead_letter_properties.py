"""Rate limits, open dead letters and corrections, whatever comes."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import Codec
from schemas.events import DeadLetter
from schemas.messages import Job, SegmentBatch, TranslatedBatch, TranslationResult
from schemas.records import InboundRecord
from schemas.segments import count_words
from stream_apps.pipeline.join import check_batch, join
from stream_apps.pipeline.pieces import BatchLimits
from stream_apps.pipeline.result_events import billed_usage
from stream_apps.redrive.correction import correction_of
from stream_apps.redrive.open_dead_letters import OpenDeadLetters
from stream_apps.runtime.dead_letters import TokenBucket

CODEC = Codec()
NOW = 1_000_000
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=9)
GAPS = st.text(" \n\t", max_size=3)


@given(
    rate=st.integers(0, 1000),
    burst=st.integers(0, 5000),
    asked=st.lists(st.tuples(st.integers(0, 20), st.integers(0, 3000)), max_size=60),
)
def test_no_span_of_time_grants_more_than_the_burst_and_the_rate(rate, burst, asked):
    now = [0]
    token_bucket = TokenBucket(rate, burst, lambda: float(now[0]))
    granted = []
    for pause, size in asked:
        now[0] += pause
        if token_bucket.grants(size):
            granted.append((now[0], size))
    for at, (start, _) in enumerate(granted):
        total = 0
        for end, size in granted[at:]:
            total += size
            assert total <= burst + rate * (end - start) + 1e-6


@given(rate=st.integers(1, 1000), burst=st.integers(1, 5000), spent=st.lists(st.integers(0, 5000), max_size=20))
def test_after_a_quiet_time_whatever_fits_into_the_burst_is_granted(rate, burst, spent):
    now = [0.0]
    token_bucket = TokenBucket(rate, burst, lambda: now[0])
    for size in spent:
        token_bucket.grants(size)
    now[0] += burst / rate + 1
    assert token_bucket.grants(burst)


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=40))
def test_a_dead_letter_is_open_exactly_when_no_tombstone_follows_it(history):
    dead_letters = OpenDeadLetters(CODEC, lambda _: True)
    expected: set[str] = set()
    for offset, (number, is_tombstone) in enumerate(history):
        name = f"dead-letter-{number}"
        dead_letter = DeadLetter(dead_letter_id=name, stage="intake", cause="x", message="y", failed_at=offset)
        value = None if is_tombstone else CODEC.encode(dead_letter)
        dead_letters.add(InboundRecord("translation.dead_letters", number % 2, offset, name.encode(), value))
        expected = expected - {name} if is_tombstone else expected | {name}
    found = dead_letters.oldest_first()
    assert {dead_letter.dead_letter_id for dead_letter in found} == expected
    assert [dead_letter.failed_at for dead_letter in found] == sorted(
        dead_letter.failed_at for dead_letter in found
    )


@st.composite
def answered(draw: st.DrawFn) -> tuple[list[SegmentBatch], TranslationResult]:
    """The batches of a request, and its answer with holes: PARTIAL."""
    sizes = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    number_of = sum(sizes)
    sources = [draw(TEXTS) for _ in range(number_of)]
    failed = draw(st.lists(st.booleans(), min_size=number_of, max_size=number_of))
    failed[draw(st.integers(0, number_of - 1))] = True
    if number_of > 1 and all(failed):
        failed[draw(st.integers(0, number_of - 1))] = False
    words = sum(map(count_words, sources))
    job = Job(
        batches=len(sizes),
        segments=number_of,
        words=words,
        characters=sum(map(len, sources)),
        pipeline_version="v1",
    )
    batches, done, start = [], [], 0
    for number, size in enumerate(sizes):
        texts, holes = sources[start : start + size], failed[start : start + size]
        start += size
        batch = SegmentBatch(
            tenant="acme",
            request_id="r1",
            batch_number=number,
            job=job,
            lead=draw(GAPS) if number == 0 else "",
            texts=texts,
            gaps=[draw(GAPS) for _ in texts],
            translations=[None] * size,
            scores=[None] * size,
            source_words=sum(map(count_words, texts)),
        )
        batches.append(batch)
        done.append(worked(batch, holes, draw(st.booleans())))
    return batches, join(done, NOW)


def worked(batch: SegmentBatch, holes: list[bool], has_scores: bool = True) -> TranslatedBatch:
    """What a worker makes of a batch when these segments fail. It translates by putting <> around a text."""
    said = [text if hole else f"<{text}>" for text, hole in zip(batch.texts, holes, strict=True)]
    return TranslatedBatch(
        **batch.key._asdict(),
        batch_number=batch.batch_number,
        job=batch.job,
        lead=batch.lead,
        gaps=batch.gaps,
        translations=said,
        causes=["lost" if hole else None for hole in holes],
        scores=[0.5 if has_scores and not hole else None for hole in holes],
        cached=[False] * len(said),
        source_words=batch.source_words,
        target_words=sum(map(count_words, said)),
        model="m1",
        numbers=batch.numbers,
    )


LIMITS = st.builds(BatchLimits, segments=st.integers(1, 3), text_bytes=st.integers(40, 120))


def is_partial(case) -> bool:
    return case[1].status == "PARTIAL"


@given(answered().filter(is_partial), LIMITS)
def test_a_correction_that_fails_everywhere_gives_the_same_answer_again(case, limits):
    (batches, before) = case
    corrections = correction_of(before, before.text, batches[0], limits, NOW)
    after = join([worked(batch, [True] * len(batch.texts)) for batch in corrections], NOW)
    assert after.confidence == pytest.approx(before.confidence)
    ignored = {"version": 2, "timings": before.timings}
    assert replace(after, confidence=before.confidence, **ignored) == replace(before, **ignored)


@given(answered().filter(is_partial), LIMITS, st.data())
def test_a_correction_changes_the_holes_it_fills_and_nothing_else(case, limits, data):
    (batches, before) = case
    corrections = correction_of(before, before.text, batches[0], limits, NOW)
    fails = {hole.segment: data.draw(st.booleans()) for hole in before.holes}
    done = [worked(batch, [fails[number] for number in batch.numbers]) for batch in corrections]
    for batch in done:
        check_batch(batch)
    after = join(done, NOW)
    sources = [text for batch in batches for text in batch.texts]
    expected = "".join(
        batch.lead + "".join(text + gap for text, gap in zip(said, batch.gaps, strict=True))
        for batch, said in zip(batches, said_after(batches, before, fails), strict=True)
    )
    assert after.text == expected
    assert {hole.segment for hole in after.holes} == {number for number, failed in fails.items() if failed}
    for hole in after.holes:
        assert after.text[hole.start : hole.start + hole.length] == sources[hole.segment]
    assert after.status == ("PARTIAL" if after.holes else "COMPLETED")
    assert (after.version, after.segments, after.source_words) == (2, before.segments, before.source_words)
    assert after.target_words == sum(
        count_words(text) for said in said_after(batches, before, fails) for text in said
    )
    billed = billed_usage(after, corrections[0].job)
    assert (billed.source_words, billed.source_characters) == (0, 0)


def said_after(batches, before, fails) -> list[list[str]]:
    """Every segment as it should stand in the corrected text, batch by batch."""
    was_hole = {hole.segment for hole in before.holes}
    said, number = [], 0
    for batch in batches:
        own = []
        for text in batch.texts:
            is_hole = number in was_hole and fails[number]
            own.append(text if is_hole else f"<{text}>")
            number += 1
        said.append(own)
    return said


@given(answered().filter(is_partial), LIMITS)
def test_the_batches_of_a_correction_keep_their_limits_and_travel_whole(case, limits):
    (batches, before) = case
    corrections = correction_of(before, before.text, batches[0], limits, NOW)
    assert [batch.batch_number for batch in corrections] == list(range(len(corrections)))
    assert {batch.job.batches for batch in corrections} == {len(corrections)}
    for batch in corrections:
        stretches = [*batch.texts, *(gap for gap in batch.gaps if gap), *([batch.lead] if batch.lead else [])]
        size = len("".join((batch.lead, *batch.texts, *batch.gaps)).encode())
        assert len(batch.texts) <= limits.segments
        assert size <= limits.text_bytes or len(stretches) == 1
        assert CODEC.encode(CODEC.decode(CODEC.encode(batch), SegmentBatch)) == CODEC.encode(batch)
