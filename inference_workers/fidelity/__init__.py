"""Nothing that must not change is changed: placeholders, URLs, tags, code, symbols the model cannot see."""

from inference_workers.fidelity.translation import Fidelity, Outcome

__all__ = ["Fidelity", "Outcome"]
