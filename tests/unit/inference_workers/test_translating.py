"""Memory first, engine once, holes named."""

from dataclasses import replace

import pytest

from connectors.memory import InMemoryTranslationMemory
from inference_workers.engines.protocol import OutOfMemoryError
from inference_workers.fidelity import Dialogue, Outcome
from inference_workers.fidelity.dialogue import Question
from inference_workers.fitting import FittingTranslator, SafeSize
from inference_workers.translating import SegmentTranslator
from schemas.errors import PermanentError, TransientError
from schemas.messages import Job, SegmentBatch
from schemas.segments import Remembered, TranslationContext, context_of
from tests.translators import PlainTranslator


def upper(text, cause=None, warning=None):
    return Outcome(text.upper(), 0.5, cause, warning=warning)


class ShoutingTranslator(PlainTranslator):
    """Translates by shouting; texts with `bad` in them fail; only en-pt is served."""

    def __init__(self, clock):
        self.clock = clock
        self.calls: list[list[str]] = []
        self.begun: list[TranslationContext] = []

    def version_of(self, source, target):
        if (source, target) != ("en", "pt"):
            raise PermanentError("unsupported_pair", f"no model for {source}-{target}")
        return "shout-1"

    def begin(self, texts, context):
        self.version_of(context.source, context.target)
        self.begun.append(context)
        return super().begin(texts, context)

    def translate(self, texts):
        self.calls.append(list(texts))
        self.clock.seconds += len(texts)
        return [upper(text, "engine_failed" if "bad" in text else None) for text in texts]


class Clock:
    seconds = 0.0

    def __call__(self):
        return self.seconds


def batch(texts, translations=None, target="pt", tenant="acme"):
    return SegmentBatch(
        tenant=tenant,
        request_id="r",
        batch_number=0,
        job=Job(source_language="en", target_language=target),
        texts=texts,
        translations=translations or [None] * len(texts),
        scores=[None] * len(texts),
    )


@pytest.fixture
def parts():
    clock = Clock()
    translator = ShoutingTranslator(clock)
    memory = InMemoryTranslationMemory()
    return SegmentTranslator(translator, memory, clock), translator, memory


def key_of(normalised):
    context = TranslationContext(scope="tenant:acme", source="en", target="pt")
    (key,) = context.memory_keys("shout-1", [normalised])
    return key


def texts(answers):
    return [answer.text for answer in answers]


def test_every_segment_of_every_batch_is_answered(parts):
    segments, _, _ = parts
    done = segments.translate([batch(["a", "b"]), batch(["c"])])
    assert [texts(answers) for answers in done.answers] == [["A", "B"], ["C"]]


def test_a_segment_that_stands_in_two_batches_is_translated_once_and_paid_by_the_first(parts):
    segments, translator, _ = parts
    done = segments.translate([batch(["same"]), batch(["same"])])
    assert translator.calls == [["same"]]
    assert [answers[0].cached for answers in done.answers] == [False, True]
    assert done.busy_seconds == [1.0, 0.0]


def test_what_another_worker_translated_meanwhile_is_not_translated_again(parts):
    segments, translator, memory = parts
    memory.put_many({key_of("a b"): Remembered("lembrado", 0.9)})
    done = segments.translate([batch(["a\n   b", "c"])])
    assert texts(done.answers[0]) == ["lembrado", "C"]
    assert translator.calls == [["c"]]


def test_what_was_learnt_has_the_key_that_intake_looks_up(parts):
    segments, _, memory = parts
    segments.translate([batch(["a\n b"])])
    assert memory.get_many([key_of("a b")]) == [None]
    segments.remember()
    assert memory.get_many([key_of("a b")]) == [Remembered("A B", 0.5)]


def test_what_was_learnt_is_known_before_it_is_remembered(parts):
    segments, translator, _ = parts
    segments.translate([batch(["a"])])
    (answers,) = segments.translate([batch(["a"])]).answers
    assert (texts(answers), answers[0].cached, translator.calls) == (["A"], True, [["a"]])


def test_what_was_learnt_with_options_and_glossaries_is_found_with_them_only(parts):
    segments, _, memory = parts
    asked = batch(["a"])
    wished = replace(asked, engine_options={"tone": "soft"}, job=replace(asked.job, glossaries=["terms-1"]))
    segments.translate([wished])
    segments.remember()
    assert segments.translate([wished]).answers[0][0].cached
    assert not segments.translate([asked]).answers[0][0].cached
    (known,) = context_of(wished.tenant, wished.job, (), {"tone": "soft"}).memory_keys("shout-1", ["a"])
    assert memory.get_many([known]) == [Remembered("A", 0.5)]


def test_a_tenant_is_never_answered_from_anothers_memory(parts):
    segments, _, _ = parts
    segments.translate([batch(["a"], tenant="globex")])
    segments.remember()
    assert not segments.translate([batch(["a"])]).answers[0][0].cached


def test_a_failed_segment_keeps_its_source_and_names_its_cause_and_is_not_learnt(parts):
    segments, _, memory = parts
    done = segments.translate([batch(["a bad\n one", "good"])])
    segments.remember()
    hole, good = done.answers[0]
    assert (hole.text, hole.cause, hole.score) == ("a bad\n one", "engine_failed", None)
    assert good.cause is None
    assert memory.get_many([key_of("a bad one"), key_of("good")]) == [None, Remembered("GOOD", 0.5)]


def test_a_translation_with_a_warning_is_learnt_with_it(parts):
    segments, translator, memory = parts
    translator.translate = lambda texts: [upper(text, warning="figures_differ") for text in texts]
    (answers,) = segments.translate([batch(["a", "a"])]).answers
    segments.remember()
    assert [(answer.text, answer.warning) for answer in answers] == [("A", "figures_differ")] * 2
    assert memory.get_many([key_of("a")]) == [Remembered("A", 0.5, "figures_differ")]

    (again,) = segments.translate([batch(["a"])]).answers[0]
    assert (again.cached, again.warning) == (True, "figures_differ")


def test_a_warning_that_intake_found_in_the_memory_is_in_the_answer(parts):
    segments, _, _ = parts
    filled = replace(batch(["a", "b"]), translations=["A", None], scores=[0.5, None], warnings=["length", None])
    first, second = segments.translate([filled]).answers[0]
    assert (first.warning, first.cached, second.warning) == ("length", True, None)


def test_the_terms_of_a_request_reach_the_translator(parts):
    segments, translator, _ = parts
    wishes = {"do_not_translate": ["Acme"], "engine_options": {"beam_size": "1"}, "terms": {"house": "casa"}}
    segments.translate([replace(batch(["a"]), **wishes)])
    (asked,) = translator.begun
    assert (asked.source, asked.target, asked.do_not_translate) == ("en", "pt", ("Acme",))
    assert (asked.engine_options, asked.terms) == ((("beam_size", "1"),), (("house", "casa"),))


def test_a_pair_without_a_model_makes_holes_and_spares_the_other_batches(parts):
    segments, _, _ = parts
    done = segments.translate([batch(["a"], target="xx"), batch(["b"])])
    assert done.answers[0][0].cause == "unsupported_pair"
    assert texts(done.answers[1]) == ["B"]
    assert done.models == ["", "shout-1"]


def test_slots_filled_by_intake_pass_through(parts):
    segments, translator, _ = parts
    done = segments.translate([batch(["a", "b"], translations=["á", None])])
    assert texts(done.answers[0]) == ["á", "B"]
    assert [answer.cached for answer in done.answers[0]] == [True, False]
    assert translator.calls == [["b"]]


def test_a_failure_of_the_device_undoes_the_whole_cycle(parts):
    segments, translator, _ = parts
    translator.translate = lambda *_: (_ for _ in ()).throw(TransientError("the device is away"))
    with pytest.raises(TransientError):
        segments.translate([batch(["a"])])


def test_a_segment_that_does_not_fit_alone_is_a_hole_with_its_source_and_the_rest_is_translated(parts):
    _, translator, memory = parts
    loud = translator.translate

    def small_device(texts):
        if len(texts) * max(map(len, texts)) > 10:
            raise OutOfMemoryError
        return loud(texts)

    translator.translate = small_device
    clock = translator.clock
    segments = SegmentTranslator(FittingTranslator(translator, SafeSize(60), clock), memory, clock)
    (answers,) = segments.translate([batch(["much too long", "a", "b", "c"])]).answers
    assert texts(answers) == ["much too long", "A", "B", "C"]
    assert [answer.cause for answer in answers] == ["out_of_memory", None, None, None]


def test_texts_that_take_an_engine_too_long_become_holes_and_spare_the_cycle(parts):
    _, translator, memory = parts

    def slow(texts):
        translator.clock.seconds += 20 * len(texts)
        return [upper(text) for text in texts]

    translator.translate = slow
    slow_texts = [f"{number} " + "x" * 990 for number in range(10)]
    segments = SegmentTranslator(translator, memory, translator.clock, longest_seconds=45.0)
    done = segments.translate([batch(slow_texts)])
    causes = [answer.cause for answer in done.answers[0]]
    # Two in the first part of 2,000 characters, one in the second, which is smaller after 40 s.
    assert causes.count(None) == 3
    assert causes.count("out_of_time") == 7
    assert texts(done.answers[0])[-1] == slow_texts[-1]
    assert sum(done.busy_seconds) == 60


def test_an_engine_that_is_quick_gets_more_and_more_at_once():
    many = [f"{number:04d}" + "x" * 96 for number in range(400)]
    quick = ShoutingTranslator(Clock())
    SegmentTranslator(quick, InMemoryTranslationMemory(), lambda: 0.0).translate([batch(many)])
    assert [len(call) for call in quick.calls] == [20, 80, 300]


class OneByOne(ShoutingTranslator):
    """Goes text by text, as an engine without device batches does."""

    def is_one_by_one(self, source, target):
        return True


def walked(segments, batches, is_urgent=None):
    """Return what is finished after each part."""
    workload, steps = segments.open(batches), []
    while part := segments.next_part(workload):
        segments.note(workload, part, segments.run(part, is_urgent))
        steps.append(list(workload.finished()))
    return steps


@pytest.fixture
def one_by_one():
    clock = Clock()
    translator = OneByOne(clock)
    return SegmentTranslator(translator, InMemoryTranslationMemory(), clock, part_seconds=2.5), translator


def test_an_engine_that_goes_text_by_text_keeps_the_order_of_arrival_and_finishes_batch_by_batch(one_by_one):
    segments, translator = one_by_one
    steps = walked(segments, [batch(["aaa", "b", "cc"]), batch(["d"]), batch(["e" * 600])])
    assert translator.calls == [["aaa"], ["b"], ["cc"], ["d"], ["e" * 600]]
    assert steps == [[0], [1], [2]]


def test_a_part_of_such_an_engine_ends_after_its_time_and_what_is_left_keeps_its_place(one_by_one):
    segments, _ = one_by_one
    workload = segments.open([batch(["a", "b", "c", "d", "e"]), batch(["f"])])
    part = segments.next_part(workload)
    result = segments.run(part)
    assert (result.seconds, [one.text for one in result.left]) == (3.0, ["d", "e"])
    segments.note(workload, part, result)
    assert workload.batches[0].busy_seconds == 3.0
    assert [one.text for one in segments.next_part(workload).texts] == ["d", "e"]


def test_it_stops_for_urgent_work_after_the_text_in_hand(one_by_one):
    segments, translator = one_by_one
    steps = walked(segments, [batch(["a", "b", "c"])], lambda: True)
    assert (translator.calls, steps) == ([["a"], ["b"], ["c"]], [[], [], [0]])
    # Nobody is asked before the first text, which is translated in any case.
    walked(segments, [batch(["d"])], pytest.fail)


def test_who_has_urgent_work_is_not_asked_after_each_text_where_texts_take_a_moment():
    clock, asked = Clock(), []

    def quick(texts):
        clock.seconds += 0.004
        return [upper(text) for text in texts]

    def is_urgent():
        asked.append(clock.seconds)
        return False

    translator = OneByOne(clock)
    translator.translate = quick  # type: ignore[method-assign]  # another speed
    segments = SegmentTranslator(translator, InMemoryTranslationMemory(), clock)
    walked(segments, [batch([f"a{number}" for number in range(13)])], is_urgent)
    assert asked == pytest.approx([0.012, 0.024, 0.036, 0.048])


def test_an_engine_with_device_batches_gets_the_longest_of_a_part_first():
    clock = Clock()
    translator = ShoutingTranslator(clock)
    segments = SegmentTranslator(translator, InMemoryTranslationMemory(), clock)
    assert walked(segments, [batch(["aa", "b"]), batch(["cccc"])]) == [[0, 1]]
    assert translator.calls == [["cccc", "aa", "b"]]


def test_a_part_takes_no_longer_than_it_may_once_the_speed_is_known():
    clock = Clock()
    translator = ShoutingTranslator(clock)
    speed = 1000.0

    def steady(texts):
        clock.seconds += sum(map(len, texts)) / speed
        return [upper(text) for text in texts]

    translator.translate = steady  # type: ignore[method-assign]  # another speed
    segments = SegmentTranslator(translator, InMemoryTranslationMemory(), clock, part_seconds=0.25)
    workload, took = segments.open([batch([f"{number:04}" + "x" * 46 for number in range(200)])]), []
    while part := segments.next_part(workload):
        result = segments.run(part)
        segments.note(workload, part, result)
        took.append(result.seconds)
    assert took[0] == 2.0
    assert max(took[3:]) <= 0.25


def test_texts_of_two_tenants_share_a_device_batch_and_not_the_memory():
    clock = Clock()
    translator, memory = ShoutingTranslator(clock), InMemoryTranslationMemory()
    segments = SegmentTranslator(translator, memory, clock)
    done = segments.translate([batch(["same", "x"]), batch(["same"], tenant="zeta")])
    assert translator.calls == [["same", "same", "x"]]
    assert [answers[0].cached for answers in done.answers] == [False, False]


def test_texts_that_only_dropped_batches_want_are_not_translated(parts):
    segments, translator, _ = parts
    workload = segments.open([batch(["a", "b"]), batch(["b"])])
    workload.batches[0].is_wanted = False
    while part := segments.next_part(workload):
        segments.note(workload, part, segments.run(part))
    assert (translator.calls, list(workload.finished())) == ([["b"]], [1])


def test_one_look_up_serves_all_batches(parts):
    segments, _, memory = parts
    asked = []

    def get_many(keys):
        asked.append(len(keys))
        return [None] * len(keys)

    memory.get_many = get_many
    segments.open([batch(["a"]), batch(["b"], tenant="zeta"), batch(["c"], target="es")])
    # The third pair has no model, so nothing can be remembered for it.
    assert asked == [2]
    segments.open([batch(["a"], translations=["á"])])
    assert asked == [2]


class Doubting(OneByOne):
    """Asks three times about a text with `hard` in it, each time under another name."""

    def begin(self, texts, context):
        return [Dialogue(text, self._steps(text)) for text in texts]

    def _steps(self, text):
        for attempt in range(3 if "hard" in text else 1):
            (outcome,) = yield Question([f"{text}{attempt}"], {})
        return outcome


def test_a_text_that_needs_several_calls_gives_way_between_them_and_keeps_its_place():
    clock = Clock()
    translator = Doubting(clock)
    segments = SegmentTranslator(translator, InMemoryTranslationMemory(), clock)
    steps = walked(segments, [batch(["easy", "hard", "x" * 400, "end"])])
    assert translator.calls == [["easy0"], ["hard0"], ["hard1"], ["hard2"], ["x" * 400 + "0"], ["end0"]]
    assert steps == [[], [], [], [], [], [0]]


class AskingTwice(OneByOne):
    """Asks for two texts at once for each."""

    def begin(self, texts, context):
        return [Dialogue(text, self._steps()) for text in texts]

    def _steps(self):
        first, second = yield Question(["one", "two"], {})
        return upper(first.text + second.text)


def test_a_text_that_asks_for_several_at_once_is_led_on_in_any_case():
    clock = Clock()
    translator = AskingTwice(clock)
    segments = SegmentTranslator(translator, InMemoryTranslationMemory(), clock, part_seconds=0.1)
    assert walked(segments, [batch(["a", "b"])], lambda: True) == [[], [0]]
    assert translator.calls == [["one", "two"], ["one", "two"]]


def test_a_line_that_had_ended_begins_again_for_a_text_that_needs_another_call():
    clock = Clock()
    segments = SegmentTranslator(Doubting(clock), InMemoryTranslationMemory(), clock)
    workload = segments.open([batch(["hard"])])
    part = segments.next_part(workload)
    assert part is not None
    assert not workload.lines
    segments.note(workload, part, segments.run(part))
    again = segments.next_part(workload)
    assert again is not None
    assert again.texts == part.texts
