"""What is hidden from an engine, and how it comes back."""

import pytest

from inference_workers.engines.bergamot import TRAITS
from inference_workers.fidelity.masking import Masker, masked, unmasked

PLAIN, BERGAMOT = Masker(None), Masker(TRAITS.unseen)


@pytest.mark.parametrize(
    "piece",
    [
        "https://example.org/a?b=c#d",
        "www.example.org/index.html",
        "joe.smith@example.com",
        "<b>", "</b>", '<a href="x.html">', "<br/>",
        "&nbsp;", "&#8212;",
        "`git commit`",
        "{name}", "{{count}}", "${HOME_DIR}", "{0}",
        "%s", "%d", "%(user)s", "%1$s", "%5.2f", "%ld",
        "/usr/share/doc", "~/notes.txt", "C:\\Users\\joe",
        "os.path.join()", "__init__", "snake_case", "obj.attr.name",
        "QZ0",
    ],
)  # fmt: skip
def test_what_must_not_change_is_set_aside_whole(piece):
    parts = PLAIN.take_apart(f"Please open {piece} now.")
    assert parts.hidden == (piece,)
    assert parts.plain == ("Please open ", " now.")


@pytest.mark.parametrize(
    "text", ["50% of it", "He said: no.", "3 < 4 and 5 > 2", "a/b testing", "price: 5 $ each"]
)
def test_ordinary_text_is_left_to_the_engine(text):
    assert PLAIN.take_apart(text).hidden == ()


@pytest.mark.parametrize("sign", ["©", "→", "🙂", "日本", "#", "§"])
def test_signs_that_the_model_cannot_see_are_set_aside_for_that_model_only(sign):
    text = f"The sign {sign} here"
    assert BERGAMOT.take_apart(text).hidden == (sign,)
    assert PLAIN.take_apart(text).hidden == ()


def test_a_full_stop_behind_an_address_belongs_to_the_sentence():
    assert PLAIN.take_apart("See https://example.org/x.").plain == ("See ", ".")


def test_neighbours_are_set_aside_as_one():
    assert PLAIN.take_apart("Say <b><i>{name}</i></b> twice").hidden == ("<b><i>{name}</i></b>",)


@pytest.mark.parametrize("style", TRAITS.mask_styles)
def test_masks_come_back_wherever_the_engine_put_them(style):
    parts = PLAIN.take_apart("Send {a} to {b} now")
    assert masked(parts, style) == f"Send {style.format(0)} to {style.format(1)} now"
    swapped = f"Para {style.format(1)} envie {style.format(0)} agora"
    assert unmasked(swapped, parts.hidden, style) == "Para {b} envie {a} agora"


@pytest.mark.parametrize("translated", ["Envie agora", "QZ0 QZ0 QZ1", "QZ0 QZ2", "QZ0"])
def test_a_mask_that_is_missing_doubled_or_made_up_is_noticed(translated):
    assert unmasked(translated, ("{a}", "{b}"), "QZ{}") is None


def test_a_text_of_masks_alone_has_no_words():
    assert not PLAIN.take_apart("{a} - https://example.org 42").has_words


@pytest.mark.parametrize(
    ("text", "shouted"),
    [
        ("DO NOT ENTER {x}", True),
        ("DO NOT {x} ENTER a", True),
        ("NATO is big", False),
        ("DO NOT {x} enter", False),
        ("STOP", False),
        ("家 は 大きい", False),
    ],
)
def test_a_text_in_capitals_is_recognised(text, shouted):
    assert PLAIN.take_apart(text).is_shouted is shouted


@pytest.mark.parametrize("text", ["The house is big.", "“Ele disse: não!” (e foi-se; às 5 horas).", "A\nB\tC", ""])
def test_plain_prose_is_known_at_a_glance(text):
    assert PLAIN.is_plain(text)
    assert BERGAMOT.is_plain(text)


@pytest.mark.parametrize("text", ["see www.-x", "f() is", "a.b", "QZ 5", "50 %", "a_b", "日本"])
def test_what_may_hide_something_is_searched(text):
    assert not BERGAMOT.is_plain(text)
