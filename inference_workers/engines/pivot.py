"""Two engines in a row where no model translates directly: through English, usually."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from inference_workers.engines.protocol import Engine, Traits, Translation


@dataclass(frozen=True)
class PivotEngine:
    """`first` into the pivot language, `second` out of it. A score is the product of both."""

    first: Engine
    second: Engine

    @property
    def version(self) -> str:
        """Both versions: either one changes the result."""
        return f"{self.first.version}+{self.second.version}"

    @property
    def traits(self) -> Traits:
        """Those of the first; what both lack would have to be masked for both, and masks pass through."""
        gives_scores = self.first.traits.gives_scores and self.second.traits.gives_scores
        theirs = self.first.traits
        return Traits(gives_scores, theirs.mask_styles, theirs.unseen, theirs.spellings)

    def translate(self, sentences: Sequence[str], options: Mapping[str, str]) -> list[Translation]:
        between = self.first.translate(sentences, options)
        final = self.second.translate([one.text for one in between], options)
        return [
            Translation(last.text, _product(one.score, last.score))
            for one, last in zip(between, final, strict=True)
        ]

    def close(self) -> None:
        """The engines belong to the catalogue, which closes them."""


def _product(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one * other
