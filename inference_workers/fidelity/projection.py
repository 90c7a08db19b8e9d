"""Translate a sentence with pairs of inline codes: without them, and put them around the right words afterwards.

1. Translate the sentence without its pairs, and the words of each pair alone. Find these in the sentence.
2. Where a pair has no place so, translate the sentence with masks for its codes, and look for what stands between
   the masks then.
3. Where that finds no place either, or the sentence alone has no sound translation, the one with masks is taken.

Masks cost a sentence its fluency (decision 45), so they go last.
"""

from collections.abc import Callable

from inference_workers.fidelity.dialogue import Steps, side_by_side
from inference_workers.fidelity.outcomes import Outcome
from inference_workers.fidelity.placing import Placing, paired, words_between


def projected(coded: str, steps: Callable[[str], Steps[Outcome]]) -> Steps[Outcome]:
    """Lead a text through `steps`, which keep codes behind masks; once, where it has no pairs."""
    text = paired(coded)
    if text is None:
        return (yield from steps(coded))
    asked = [text.plain, *map(text.words_of, text.pairs)]
    plain, *alone = yield from side_by_side([(one, steps(one)) for one in asked])
    placing = Placing(text, plain.text)
    # Names and figures stay as they are.
    wordings = [(said.text, words) for said, words in zip(alone, asked[1:], strict=True)]
    placing.place({pair.number: some for pair, some in zip(text.pairs, wordings, strict=True)})
    if plain.is_sound and (found := placing.projected()):
        return plain._replace(text=found)
    masked = yield from steps(coded)
    return _better(placing, plain, masked)


def _better(placing: Placing, plain: Outcome, masked: Outcome) -> Outcome:
    """Return the translation without masks if all pairs have a place in it and nothing speaks for the other."""
    masked = masked._replace(attempts=plain.attempts + masked.attempts)
    if plain.cause or (masked.is_sound and not plain.is_sound):
        return masked
    placing.place({number: (words,) for number, words in words_between(masked.text).items()})
    found = placing.projected()
    return masked if found is None else plain._replace(text=found, attempts=masked.attempts)
