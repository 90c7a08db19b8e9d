"""The pure parts of the benchmarks: rates, goals, files, the page and its picture."""

import json
from xml.etree import ElementTree

import pytest

from stream_apps.pipeline.segmentation import Segmenter
from tests.bench import door, figures, report
from tests.bench.driver import rate
from tests.bench.figures import Figure, Findings, Leg, nearest_rank, registry_figure
from tests.bench.harness import used
from tests.bench.in_turn import Turns, parts_of
from tests.bench.paired import Interval, difference
from tests.bench.plot import Bar, plot
from tests.bench.texts import document, sentences

FOUND = Findings(
    [Figure("share", 0.7, "", at_least=0.88), Figure("wait", 30.0, "ms", at_most=40), Figure("told", 1.0, "/s")],
    [Leg("platform", 1_000, 10.0, 100.0, 20.0, 30.0, {"intake": 400.0, "kafka": 900.0})],
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(figures, "FOLDER", tmp_path)
    return tmp_path


def test_a_figure_passes_from_its_goal_on():
    assert Figure("", 2000, "/s", at_least=2000).passed
    assert not Figure("", 1999.9, "/s", at_least=2000).passed
    assert Figure("", 40, "ms", at_most=40).passed
    assert not Figure("", 40.1, "ms", at_most=40).passed


def test_the_missed_figures_are_named_and_the_file_says_so(folder):
    assert [figure.name for figure in FOUND.missed] == ["share"]
    written = json.loads(FOUND.write("singles", {"seconds": 16}).read_text())
    assert not written["passed"]
    assert [figure["passed"] for figure in written["figures"]] == [False, True, True]
    assert "MISSED" in FOUND.lines()


def test_each_leg_is_compared_with_the_engine_before_and_after_it():
    bare = [Leg("engine", 1, 1.0, rate) for rate in (8.0, 12.0, 6.0, 6.0)]
    ours = [Leg("platform", 1, 1.0, rate) for rate in (9.0, 7.0, 3.0)]
    turns = Turns(bare, ours, ([80, 120, 60, 60], [90, 72, 30]))
    assert turns.share == pytest.approx(0.8)  # of 0.9, 0.8 and 0.5
    assert turns.middle is ours[1]
    assert [leg.per_second for leg in turns.legs] == [8, 9, 12, 7, 6, 3, 6]


def test_parts_are_of_one_length_and_have_no_text_in_common():
    assert parts_of(list("abcdefg"), 3) == [["a", "b"], ["c", "d"], ["e", "f"]]


def test_processor_time_is_told_per_answer_the_dearest_first():
    assert list(FOUND.legs[0].cpu_us_per_answer.items()) == [("kafka", 900.0), ("intake", 400.0)]


def test_processes_of_a_kind_are_added_up():
    before = {"worker-1": 100.0, "worker-2": 50.0, "redis-state": 7.0}
    after = {"worker-1": 150.0, "worker-2": 80.0, "redis-state": 9.0, "http": 4.0}
    assert used(before, after) == {"worker": 80.0, "redis-state": 2.0, "http": 4.0}


def test_a_rate_leaves_out_the_slow_beginning_and_end():
    # 100 answers a second for 10 s, the first one late and the last one very late.
    arrived = [5.0 + number / 100 for number in range(1000)]
    assert rate([4.0, *arrived, 60.0], 60.0) == pytest.approx(100)
    assert rate([1.0, 2.0, 4.0], 4.0) == 0.75


def test_percentiles_are_nearest_ranks():
    assert nearest_rank(range(1, 101), 0.95) == 95
    assert nearest_rank([1.0, 2.0, 9.0], 0.5) == 2.0
    assert nearest_rank([3.0], 0.95) == 3.0


def test_a_registry_may_cost_a_tenth():
    without = Leg("", 1, 1.0, 100.0)
    assert registry_figure(Leg("", 1, 1.0, 90.0), without).passed
    assert not registry_figure(Leg("", 1, 1.0, 89.0), without).passed


def test_no_sentence_comes_twice_however_many_are_wanted():
    wanted = sentences(5_000)
    assert len(set(wanted)) == 5_000
    assert sentences(10, start=4_990) == wanted[-10:]


def test_a_document_is_cut_into_its_sentences():
    parts = sentences(1_000, start=3_000)
    assert len(Segmenter().split(document(parts), "en").texts) == pytest.approx(1_000, rel=0.02)


def test_the_page_holds_the_figures_and_keeps_its_text(folder, monkeypatch):
    page = folder / "performance.md"
    rows = [("door", "of another day"), ("singles", "stale")]
    figures = [(word, "639 /s", "at least 1,000", "", f"`make bench-{name}`", "abc") for name, word in rows]
    legs = [(name, word, "1", "2", "3", "http 9") for name, word in rows]
    page.write_text(f"before\n{report.BEGIN}\n{report.content(figures, legs)}\n{report.END}\nafter\n")
    monkeypatch.setattr(report, "FOLDER", folder)
    monkeypatch.setattr(report, "IDLE", folder / "idle-of-its-own.json")
    monkeypatch.setattr(report, "PAGE", page)
    monkeypatch.setattr(report, "PICTURE", folder / "performance.svg")
    assert report.main() == 1
    FOUND.write("singles", {})
    report.IDLE.write_text(json.dumps({"total_ms_per_second": 250.0, "goal_ms_per_second": 60.0}))
    assert report.main() == 0
    text = page.read_text()
    assert "stale" not in text
    assert "| of another day | 639 /s | at least 1,000 |  | `make bench-door` | abc |" in text
    assert "| door | of another day | 1 | 2 | 3 | http 9 |" in text
    assert report.PICTURE.read_text().count("of another day") == 1
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "| share | 0.70 | at least 0.88 | **missed** | `make bench-singles` |" in text
    assert "| idle stack, processor | 250 ms/s | at most 60 | **missed** | `make bench-idle` |" in text
    assert "kafka 900, intake 400" in text


def test_the_picture_is_xml_whose_bars_grow_with_the_reach():
    bars = [Bar("a < b", "1", "2", 0.5), Bar("c", "2", "2", 1.0), Bar("d", "9", "2", 4.5)]
    root = ElementTree.fromstring(plot(bars))
    widths = [float(found.get("width") or 0) for found in root.iter("{http://www.w3.org/2000/svg}rect")][1:]
    assert widths == [90, 180, 360]


def test_the_door_compares_each_caller_with_the_bare_handler_before_and_after():
    rates = {"bare FastAPI handler": 800.0, "key": 500.0, door.GOAL_CALLER: 300.0}
    legs = [Leg(name, 1, 1.0, rate) for name, rate in rates.items()]
    shares = {one.name: one for one in door.compared([*legs, Leg("bare FastAPI handler", 1, 1.0, 400.0)])}
    limited = shares[f"accepted POSTs, {door.GOAL_CALLER} / bare FastAPI handler"]
    assert (limited.value, limited.at_least, limited.passed) == (0.5, 0.6, False)
    assert shares["accepted POSTs, key / bare FastAPI handler"].at_least is None


def test_translations_that_are_the_same_differ_by_nothing():
    texts = ["one house", "two dogs"]
    assert difference(texts, texts, texts) == Interval(0, 0)


def test_a_better_translation_leads_in_all_of_the_interval_and_chance_in_a_part_of_it():
    references = [f"the answer to number {number} is long" for number in range(20)]
    worse = [text.replace("long", "gone") for text in references]
    assert difference(references, worse, references).least > 0
    turns = [
        (one, other) if at % 2 else (other, one)
        for at, (one, other) in enumerate(zip(references, worse, strict=True))
    ]
    least, most = difference([one for one, _ in turns], [other for _, other in turns], references)
    assert least < 0 < most
