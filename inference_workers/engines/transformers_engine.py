"""Run Hugging Face models that CTranslate2 does not support, spread over all devices by accelerate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inference_workers.engines.protocol import (
    Device,
    Traits,
    Translation,
    engine_errors,
    language_tokens,
    longest_translation,
    manifest_of,
    most_source_tokens,
    score_of,
)
from schemas.errors import FatalError
from schemas.validity import beam_size_of

# On several GPUs or none, accelerate places the parts of a model that is larger than one device.
_PLACES = {Device.AUTO: "auto", Device.CPU: "cpu", Device.CUDA: "auto"}


class TransformersModel:
    """An encoder-decoder model folder, loaded once. On `cuda` it is spread over all GPUs that the process sees."""

    def __init__(self, directory: Path, version: str, device: Device, batch_sentences: int = 16) -> None:
        # torch takes seconds to import and gigabytes to install.
        import torch  # noqa: PLC0415  # only this engine needs it
        from transformers import AutoModelForSeq2SeqLM, AutoTokenizer  # noqa: PLC0415  # as above

        if device is Device.CUDA and not torch.cuda.is_available():
            raise FatalError("DRAGOMAN_WORKER_DEVICE is cuda, but torch finds no GPU")
        manifest = manifest_of(directory)
        self.version = version
        self.batch_sentences = batch_sentences
        self.names = language_tokens(manifest)
        try:
            self.tokenizer: Any = AutoTokenizer.from_pretrained(directory, local_files_only=True)
            self.network: Any = AutoModelForSeq2SeqLM.from_pretrained(
                directory, local_files_only=True, device_map=_PLACES[device]
            ).eval()
        except (OSError, ValueError) as error:
            raise FatalError(f"{directory} cannot be loaded by transformers: {error}") from error
        self.positions: int | None = getattr(self.network.config, "max_position_embeddings", None)
        self.most_tokens = most_source_tokens(manifest, self.positions)

    def engine(self, source: str, target: str) -> "TransformersEngine":
        return TransformersEngine(self, self.names.get(source), self.names.get(target))

    def close(self) -> None:
        del self.network


@dataclass(frozen=True)
class TransformersEngine:
    """A model for one pair. The names are its language tokens, where the model has some."""

    model: TransformersModel
    source_name: str | None
    target_name: str | None

    @property
    def version(self) -> str:
        return self.model.version

    @property
    def traits(self) -> Traits:
        return Traits(gives_scores=True)

    def translate(self, sentences: Sequence[str], options: Mapping[str, str]) -> list[Translation]:
        """Translate batch by batch. A score is exp of the mean log probability of the chosen tokens.

        `options["beam_size"]` is 1 by default. Raises PermanentError unless it is from 1 to 16.
        """
        beam_size = beam_size_of(options) or 1
        if self.source_name:
            self.model.tokenizer.src_lang = self.source_name
        found = [Translation("", is_cut=True)] * len(sentences)
        with engine_errors("transformers"):
            fitting = self._fitting(sentences)
            for start in range(0, len(fitting), self.model.batch_sentences):
                some = fitting[start : start + self.model.batch_sentences]
                translations = self._batch([sentences[at] for at in some], beam_size)
                for at, translation in zip(some, translations, strict=True):
                    found[at] = translation
        return found

    def _fitting(self, sentences: Sequence[str]) -> list[int]:
        lengths = map(len, self.model.tokenizer(list(sentences))["input_ids"]) if sentences else ()
        return [at for at, length in enumerate(lengths) if length <= self.model.most_tokens]

    def _batch(self, sentences: list[str], beam_size: int) -> list[Translation]:
        import torch  # noqa: PLC0415  # as above

        model = self.model
        inputs = model.tokenizer(sentences, return_tensors="pt", padding=True).to(model.network.device)
        # Each sentence has its own limit, so that its translation does not depend on its neighbours in the batch.
        limits = [self._most_written(int(length)) for length in inputs["attention_mask"].sum(1)]
        forced = {"forced_bos_token_id": self._token(self.target_name)} if self.target_name else {}
        with torch.inference_mode():
            output = model.network.generate(
                **inputs,
                **forced,
                num_beams=beam_size,
                max_new_tokens=max(limits),
                return_dict_in_generate=True,
                output_scores=True,
            )
        # The first token is the decoder's start; the last one within the limit may be a forced end.
        sequences = [tokens[:limit] for tokens, limit in zip(output.sequences, limits, strict=True)]
        texts = model.tokenizer.batch_decode(sequences, skip_special_tokens=True)
        scores = self._scores(output, torch.tensor(limits))
        is_cut = [model.tokenizer.eos_token_id not in tokens[1:] for tokens in sequences]
        return list(map(Translation, texts, scores, is_cut))

    def _most_written(self, source_tokens: int) -> int:
        wanted, positions = longest_translation(source_tokens), self.model.positions
        return wanted if positions is None else min(wanted, positions - 1)

    def _token(self, name: str) -> int:
        return int(self.model.tokenizer.convert_tokens_to_ids(name))

    def _scores(self, output: Any, limits: Any) -> list[float]:
        import torch  # noqa: PLC0415  # as above

        log_probabilities = self.model.network.compute_transition_scores(
            output.sequences, output.scores, getattr(output, "beam_indices", None), normalize_logits=True
        )
        positions = torch.arange(log_probabilities.shape[1], device=log_probabilities.device)
        within = positions < limits.to(log_probabilities.device)[:, None] - 1
        real = torch.isfinite(log_probabilities) & within
        # Without a single real one the mean is no number.
        means = torch.where(real, log_probabilities, 0.0).sum(1) / real.sum(1)
        return [score_of(float(mean)) for mean in means]
