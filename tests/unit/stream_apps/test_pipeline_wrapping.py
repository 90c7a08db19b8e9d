"""Wrapped prose is translated by the sentence and wrapped again."""

from dataclasses import replace

import pytest

from schemas.messages import Job
from schemas.segments import count_words, normalise
from stream_apps.pipeline.batching import Wishes, batches_of
from stream_apps.pipeline.output_records import early_answer
from stream_apps.pipeline.pieces import BatchLimits, cut
from stream_apps.pipeline.segmentation import Segmenter
from stream_apps.pipeline.wrapping import columns_of, wrapped_again
from tests.keys import key

MAIL = (
    "Hi Ann,\r\n\r\nOn Monday Joe wrote:\r\n"
    "> The order of the day is written in the great book of the\r\n"
    "> house. Nobody may read it before noon, and nobody does.\r\n"
    ">\r\n"
    "> Yours, Joe\r\n\r\nFine.\r\n"
)


def batch_of(text, segments=32):
    split = Segmenter().split(text, "en")
    pieces = cut(split, BatchLimits(segments))
    job = Job(segments=len(split.texts), batches=len(pieces))
    return batches_of(key("r1"), job, pieces, [None] * len(split.texts), Wishes())


def translated(text, translations):
    (batch,) = batch_of(text)
    texts, gaps = wrapped_again(batch, translations)
    return batch.lead + "".join(map(str.__add__, texts, gaps))


def test_a_quotation_is_translated_without_its_marks_and_quoted_again():
    (batch,) = batch_of(MAIL)
    assert [normalise(text) for text in batch.texts] == [
        "Hi Ann,",
        "On Monday Joe wrote:",
        "The order of the day is written in the great book of the house.",
        "Nobody may read it before noon, and nobody does.",
        "Yours, Joe",
        "Fine.",
    ]
    first = "A ordem do dia está escrita no grande livro da casa, como se sabe."
    second = "Ninguém o pode ler antes do meio-dia."
    found = translated(MAIL, ["Olá", "O Joe escreveu:", first, second, "Joe", "Bem."])
    assert found == (
        "Olá\r\n\r\nO Joe escreveu:\r\n"
        "> A ordem do dia está escrita no grande livro da casa,\r\n"
        "> como se sabe. Ninguém o pode ler antes do meio-dia.\r\n"
        ">\r\n"
        "> Joe\r\n\r\nBem.\r\n"
    )


def test_marks_of_quotation_are_no_words():
    (batch,) = batch_of(MAIL)
    assert batch.source_words == sum(len(normalise(text).split()) for text in batch.texts)
    assert count_words("one two\n> three") == 3


WRAPPED = (
    "When a target is part of a mutable object, the object\n"
    "must perform the assignment. It may raise an error, too.\n"
)


def test_a_hole_keeps_the_lines_of_its_source():
    (batch,) = batch_of(WRAPPED)
    texts, gaps = wrapped_again(batch, [batch.texts[0], "Pode."])
    assert list(texts) == [batch.texts[0], "Pode."]
    assert list(gaps) == [" ", "\n"]


def test_a_line_breaks_between_two_characters_of_a_script_without_spaces():
    lines = ["目標が可変オブジェクトの一部である場合、オブジェクトは代", "入を行わなければならない。"]
    assert translated(WRAPPED, ["".join(lines), "できる。"]) == "\n".join(lines) + " できる。\n"
    assert max(map(columns_of, lines)) == 56


def test_no_line_begins_with_what_would_be_a_bullet():
    words = "um dois três quatro cinco seis sete oito nove dez onze - doze"
    assert "\n-" not in translated(WRAPPED, [words, "- # > 1. fim"])


def test_what_the_memory_knew_is_wrapped_like_what_a_worker_translates():
    (batch,) = batch_of(WRAPPED)
    known = ["Uma frase bastante longa que não cabe numa linha só, pois é longa.", "Fim."]
    done = early_answer(replace(batch, translations=known), "m1", 1)
    assert "".join(map(str.__add__, done.translations, done.gaps)) == translated(WRAPPED, known)
    assert "\n" in done.translations[0]


def test_what_nobody_wrapped_is_not_touched():
    (batch,) = batch_of("Save\nOpen the file\n\nClose.")
    translations = ["a" * 200, "b", "c"]
    assert wrapped_again(batch, translations) == (translations, batch.gaps)


@pytest.mark.parametrize("segments", [1, 2])
def test_a_paragraph_that_is_cut_into_batches_goes_on_on_a_new_line(segments):
    batches = batch_of(WRAPPED * 2, segments)
    done = [wrapped_again(batch, [normalise(text) for text in batch.texts]) for batch in batches]
    text = "".join("".join(map(str.__add__, *one)) for one in done)
    assert text.split() == (WRAPPED * 2).split()
    assert max(map(len, text.splitlines())) <= max(map(len, WRAPPED.splitlines()))
