"""Which figures are the same."""

import pytest

from inference_workers.fidelity.figures import same_figures


@pytest.mark.parametrize(
    ("source", "translated"),
    [
        ("3 of 4", "4 de 3"),
        ("1,234.50 units", "1.234,50 unidades"),
        ("3.5", "3,5"),
        ("1,000,000", "1.000.000"),
        ("1,234", "1.234"),
        ("1,234", "1234"),
        ("10\u00a0000", "10.000"),
        ("at 10:30", "às 10:30"),
        ("8.12% of it", "8,12 % disso"),
        ("no figure", "nenhum"),
        ("٣ كتب", "3 livros"),
        ("1,234 and 1.234", "1.234 e 1,234"),
    ],
)
def test_the_same_values_in_another_locale_are_the_same(source, translated):
    assert same_figures([source], [translated])


@pytest.mark.parametrize(
    ("source", "translated"),
    [
        ("3 of 4", "3 de 5"),
        ("3", "três"),
        ("three", "3"),
        ("3.5", "35"),
        ("3.50", "350"),
        ("1,234.5", "12.345"),
        ("2 of 2", "2 de"),
        ("1000", "100"),
        ("8.12% twice", "8,12 vezes"),
    ],
)
def test_other_values_are_not(source, translated):
    assert not same_figures([source], [translated])


def test_stretches_on_both_sides_of_a_mask_do_not_run_together():
    assert same_figures(["1", "2"], ["2", "1"])
    assert not same_figures(["1", "2"], ["12"])
