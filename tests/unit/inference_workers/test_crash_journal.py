"""A text that ends the process: it is found and refused after a few crashes, and costs the others nothing."""

import multiprocessing
import os

import pytest

from inference_workers.crash_journal import MOST_CRASHES, CrashJournal
from inference_workers.engines.protocol import EngineError
from inference_workers.fidelity import Outcome
from inference_workers.fitting import FittingTranslator, SafeSize
from tests.translators import PlainTranslator, translated

TEXTS = ["a", "b", "poison", "c", "d"]


class Segfaulting(PlainTranslator):
    """Ends the process as a library does that crashes."""

    def translate(self, texts):
        if "poison" in texts:
            os._exit(139)
        return [Outcome(text.upper(), 0.5) for text in texts]


def work(file, answers):
    translator = FittingTranslator(Segfaulting(), SafeSize(60), lambda: 0.0, CrashJournal(file))
    answers.put([(one.text, one.cause) for one in translated(translator, TEXTS)])


def test_a_text_that_ends_the_process_does_so_a_few_times_and_is_a_hole_then(tmp_path):
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()
    crashes = 0
    while True:
        process = context.Process(target=work, args=(tmp_path / "journal", answers))
        process.start()
        process.join()
        if process.exitcode == 0:
            break
        crashes += 1
        assert crashes <= MOST_CRASHES + 1
    assert crashes == MOST_CRASHES + 1  # once with the others, then alone
    assert answers.get() == [
        (text, "engine_error") if text == "poison" else (text.upper(), None) for text in TEXTS
    ]


def test_texts_that_were_in_hand_by_chance_are_tried_alone_and_then_forgotten(tmp_path):
    CrashJournal(tmp_path / "journal").take(["a", "b"])
    journal = CrashJournal(tmp_path / "journal")
    with pytest.raises(EngineError, match="tried alone"):
        journal.check(["a", "c"])
    journal.check(["c", "d"])
    for text in ("a", "b"):
        journal.check([text])
        journal.take([text])
        journal.done([text])
    journal.check(["a", "b", "c"])
    CrashJournal(tmp_path / "journal").check(["a", "b", "c"])


@pytest.mark.parametrize("torn", [b"", b"[[", b"\xff", b"{}"])
def test_a_torn_note_is_no_note(tmp_path, torn):
    (tmp_path / "journal").write_bytes(torn)
    CrashJournal(tmp_path / "journal").check(["a", "b"])


def test_where_no_file_can_be_nothing_is_noted(tmp_path):
    (tmp_path / "file").write_text("")
    journal = CrashJournal(tmp_path / "file" / "journal")
    journal.take(["a"])
    journal.check(["a", "b"])
    journal.done(["a"])


@pytest.mark.parametrize("note", ["1", "null", '[["a"], 5]', "[5, {}]", '[["a"], {"a": "x"}]', '[[["b"]], {}]'])
def test_a_note_that_a_disk_has_damaged_is_none(tmp_path, note):
    file = tmp_path / "journal"
    file.write_text(f"{note}\n")
    CrashJournal(file).check(["a"])
    assert file.read_text().startswith("\n")
