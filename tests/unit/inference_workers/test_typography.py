"""Dashes, dots and quotes that a model does not know."""

import pytest

from inference_workers.fidelity.typography import typeset

_SPELLINGS = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "–": "-", "—": " - ", "…": "..."})


def set_like(source: str, translated: str) -> str:
    return typeset([source], [source.translate(_SPELLINGS)], translated)


@pytest.mark.parametrize(
    ("source", "translated", "wanted"),
    [
        ("one – two", "um - dois", "um – dois"),
        ("one — two — three", "um - dois - três", "um — dois — três"),
        ("wait…", "espere...", "espere…"),
        ("“yes” or “no”", '"sim" ou "não"', "“sim” ou “não”"),
        ("a ‘nice’ day", "um dia 'bonito'", "um dia ‘bonito’"),
        ("the 24–70mm lens", "a lente 24-70mm", "a lente 24–70mm"),
        ("from Paris–Dakar by O’Brien", "de Paris-Dakar por O'Brien", "de Paris–Dakar por O’Brien"),
    ],
)
def test_signs_of_the_source_come_back(source, translated, wanted):
    assert set_like(source, translated) == wanted


@pytest.mark.parametrize(
    ("source", "translated"),
    [
        ("don’t say “no”", 'não diga "não'),
        ("one – two - three", "um - dois - três"),
        ('“one” and "two"', '"um" e "dois"'),
        ("one – two", "um, dois - três - quatro"),
        ("the cat’s", "'do gato"),
        ("”one“", '"um"'),
    ],
)
def test_what_could_be_mistaken_stays_plain(source, translated):
    assert set_like(source, translated) == translated
