"""Keep unchanged what must not change: placeholders, URLs, tags, code, characters the model cannot represent."""

from inference_workers.fidelity.translation import Fidelity, Outcome

__all__ = ["Fidelity", "Outcome"]
