"""Translate sentences with pairs of inline codes: without them, and put them around the right words afterwards.

1. Translate each sentence without its pairs, and the words of each pair alone. Find these in the sentence.
2. Where a pair has no place so, translate the sentence with masks for its codes, and look for what stands between
   the masks then.
3. Where that finds no place either, or the sentence alone has no sound translation, the one with masks is taken.

Masks cost a sentence its fluency (decision 45), so they go last.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from inference_workers.fidelity.outcomes import Outcome
from inference_workers.fidelity.placing import PairedText, Placing, paired, words_between

Translate = Callable[[Sequence[str]], list[Outcome]]


def projected(texts: Sequence[str], translate: Translate) -> list[Outcome]:
    """Return one outcome per text, in order. `translate` keeps codes behind masks, or marks what lost one."""
    with_pairs = {at: found for at, text in enumerate(texts) if (found := paired(text))}
    if not with_pairs:
        return translate(texts)
    asked = [with_pairs[at].plain if at in with_pairs else text for at, text in enumerate(texts)]
    words = [one.words_of(pair) for one in with_pairs.values() for pair in one.pairs]
    done = translate([*asked, *words])
    outcomes, alone = done[: len(texts)], iter(done[len(texts) :])
    placings = {at: _placed(one, outcomes[at], alone) for at, one in with_pairs.items()}
    open_ones = {at: one for at, one in placings.items() if not outcomes[at].is_sound or one.projected() is None}
    masked = dict(zip(open_ones, translate([texts[at] for at in open_ones]) if open_ones else (), strict=True))
    for at, one in placings.items():
        outcomes[at] = _better(one, outcomes[at], masked.get(at))
    return outcomes


def _placed(text: PairedText, outcome: Outcome, alone: Iterator[Outcome]) -> Placing:
    """Place the pairs of one text, each by what its words are alone; names and figures stay as they are."""
    placing = Placing(text, outcome.text)
    placing.place({pair.number: (next(alone).text, text.words_of(pair)) for pair in text.pairs})
    return placing


def _better(placing: Placing, plain: Outcome, masked: Outcome | None) -> Outcome:
    """Return the translation without masks if all pairs have a place in it and nothing speaks for the other."""
    if masked is None:
        return _with(placing, plain) or plain
    if not plain.is_sound and masked.is_sound:
        return masked
    placing.place({number: (words,) for number, words in words_between(masked.text).items()})
    return (_with(placing, plain) if plain.cause is None else None) or masked


def _with(placing: Placing, plain: Outcome) -> Outcome | None:
    text = placing.projected()
    return None if text is None else replace(plain, text=text)
