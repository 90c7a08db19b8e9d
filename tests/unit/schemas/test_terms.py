"""Terms are found as whole words, the longest first, and are written as their source is."""

import pytest

from schemas.terms import TermIndex

TERMS = TermIndex(
    {"release": "liberação", "release notes": "notas de versão", "Blue Bird": "Pássaro Azul", "C++": "C mais mais"}
)


@pytest.mark.parametrize(
    ("text", "targets"),
    [
        ("a release, the release.", ["liberação", "liberação"]),
        ("the release notes", ["notas de versão"]),
        ("Release it", ["Liberação"]),
        ("RELEASE NOTES", ["NOTAS DE VERSÃO"]),
        ("releases, prerelease, release_1", []),
        ("Blue Bird and blue bird", ["Pássaro Azul"]),
        ("C++ or C", ["C mais mais"]),
        ("", []),
    ],
)
def test_what_of_a_text_is_a_term(text, targets):
    assert [one.target for one in TERMS.find(text)] == targets


def test_in_scripts_without_spaces_a_term_needs_none_around_it():
    assert [one.target for one in TermIndex({"发布": "release"}).find("新发布说明")] == ["release"]


def test_a_term_that_the_glossary_writes_itself_goes_before_a_capital_that_follows():
    index = TermIndex({"china": "porcelana", "China": "China"})
    assert [one.target for one in index.find("China and china")] == ["China", "porcelana"]
