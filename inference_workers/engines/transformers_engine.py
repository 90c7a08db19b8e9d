"""Run Hugging Face models that CTranslate2 does not support, spread over all devices by accelerate."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from inference_workers.engines.protocol import OutOfMemoryError, Traits, Translation
from schemas.errors import FatalError

# Tokens beyond twice the source; a longer output is no translation.
_SLACK_TOKENS = 20


class TransformersEngine:
    """An encoder-decoder model folder. `device_map="auto"` places models larger than one device."""

    def __init__(self, directory: Path, version: str, batch_sentences: int = 16) -> None:
        # torch takes seconds to import and gigabytes to install.
        from transformers import AutoModelForSeq2SeqLM, AutoTokenizer  # noqa: PLC0415  # only this engine needs it

        self.version = version
        self.traits = Traits(gives_scores=True)
        self._batch_sentences = batch_sentences
        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(directory, local_files_only=True)
            self._model: Any = AutoModelForSeq2SeqLM.from_pretrained(
                directory, local_files_only=True, device_map="auto"
            ).eval()
        except (OSError, ValueError) as error:
            raise FatalError(f"{directory} cannot be loaded by transformers: {error}") from error

    def translate(self, sentences: Sequence[str], options: Mapping[str, str]) -> list[Translation]:
        """Translate batch by batch. A score is exp of the mean log probability of the chosen tokens."""
        found: list[Translation] = []
        for start in range(0, len(sentences), self._batch_sentences):
            found += self._batch(list(sentences[start : start + self._batch_sentences]), options)
        return found

    def close(self) -> None:
        del self._model

    def _batch(self, sentences: list[str], options: Mapping[str, str]) -> list[Translation]:
        import torch  # noqa: PLC0415  # as above

        inputs = self._tokenizer(sentences, return_tensors="pt", padding=True).to(self._model.device)
        # Each sentence has its own limit, so that its translation does not depend on its neighbours in the batch.
        limits = 2 * inputs["attention_mask"].sum(1) + _SLACK_TOKENS
        try:
            with torch.inference_mode():
                output = self._model.generate(
                    **inputs,
                    num_beams=int(options.get("beam_size", "1")),
                    max_new_tokens=int(limits.max()),
                    return_dict_in_generate=True,
                    output_scores=True,
                )
        except torch.OutOfMemoryError as error:
            raise OutOfMemoryError from error
        # The first token is the decoder's start; the last one within the limit may be a forced end.
        sequences = [tokens[:limit] for tokens, limit in zip(output.sequences, limits, strict=True)]
        texts = self._tokenizer.batch_decode(sequences, skip_special_tokens=True)
        return [Translation(text, score) for text, score in zip(texts, self._scores(output, limits), strict=True)]

    def _scores(self, output: Any, limits: Any) -> list[float]:
        import torch  # noqa: PLC0415  # as above

        log_probabilities = self._model.compute_transition_scores(
            output.sequences, output.scores, getattr(output, "beam_indices", None), normalize_logits=True
        )
        positions = torch.arange(log_probabilities.shape[1], device=log_probabilities.device)
        within = positions < limits.to(log_probabilities.device)[:, None] - 1
        real = torch.isfinite(log_probabilities) & within
        means = torch.where(real, log_probabilities, 0.0).sum(1) / real.sum(1).clamp(min=1)
        return [min(float(score), 1.0) for score in means.exp()]
