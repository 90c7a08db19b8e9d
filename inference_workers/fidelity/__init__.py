"""Keep unchanged what must not change, refuse what is no translation, and mark what is a doubtful one."""

from inference_workers.fidelity.dialogue import Dialogue, ShouldStop
from inference_workers.fidelity.outcomes import Outcome
from inference_workers.fidelity.translation import Fidelity

__all__ = ["Dialogue", "Fidelity", "Outcome", "ShouldStop"]
