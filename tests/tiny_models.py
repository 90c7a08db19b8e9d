"""Model folders small enough to be made by a test. Their words mean nothing; their formats are the real ones."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SENTENCES = ("The house is big.", "A casa é grande.", "Good morning, my friend.", "Bom dia, meu amigo.")
# In the vocabulary, so that each is a token of its own.
IDEOGRAPHS = "漢 字"
POSITIONS = 512
_DEPTH, _HIDDEN = 16, 32
_SPECIAL = ("<blank>", "<unk>", "<s>", "</s>")


def make_ctranslate2_model(folder: Path, seed: int = 1) -> Path:
    """A Transformer of one layer with random weights, and its SentencePiece model."""
    from ctranslate2.specs import TransformerSpec

    pieces = _train_pieces(folder)
    vocabulary = [*_SPECIAL, *(piece for piece in pieces if piece not in _SPECIAL)]
    spec = TransformerSpec.from_config((1, 1), num_heads=2)
    _fill(spec, len(vocabulary), seed)
    _limit_positions(spec, seed)
    _end_soon(spec, vocabulary)
    spec.register_source_vocabulary(vocabulary)
    spec.register_target_vocabulary(vocabulary)
    spec.validate()
    spec.save(str(folder))
    return folder


def make_transformers_model(folder: Path) -> Path:
    """A Marian model of one layer with random weights, as `save_pretrained` writes it."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import MarianConfig, MarianMTModel, PreTrainedTokenizerFast

    torch.manual_seed(1)
    words = sorted(
        {word for sentence in SENTENCES for word in sentence.replace(".", " .").replace(",", " ,").split()}
    )
    vocabulary = {token: number for number, token in enumerate(("<pad>", "</s>", "<unk>", *words))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    )
    config = MarianConfig(
        vocab_size=len(vocabulary), d_model=_DEPTH, encoder_layers=1, decoder_layers=1,
        encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=_HIDDEN, decoder_ffn_dim=_HIDDEN,
        max_position_embeddings=128, pad_token_id=0, eos_token_id=1, forced_eos_token_id=1,
        decoder_start_token_id=0,
    )  # fmt: skip
    model = MarianMTModel(config)
    model.final_logits_bias[0, vocabulary["</s>"]] = 0.5
    model.save_pretrained(folder)
    fast.save_pretrained(folder)
    return folder


def _train_pieces(folder: Path) -> list[str]:
    import sentencepiece

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([*SENTENCES, IDEOGRAPHS] * 20), model_writer=model, vocab_size=60,
        hard_vocab_limit=False, minloglevel=2,
    )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("source.spm", "target.spm"):
        (folder / name).write_bytes(model.getvalue())
    pieces = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    return [pieces.id_to_piece(number) for number in range(pieces.get_piece_size())]


def _fill(spec: Any, vocabulary_size: int, seed: int) -> None:
    """Give every weight that the specification leaves open a value of the right shape."""
    import numpy

    random = numpy.random.default_rng(seed)
    for layer, name, path in _open_weights(spec, ""):
        shape = _shape(path, vocabulary_size)
        value = numpy.ones(shape) if path.endswith("gamma") else random.normal(0, 0.3, shape)
        setattr(layer, name, value.astype(numpy.float32))


def _limit_positions(spec: Any, seed: int) -> None:
    """Give the model as many positions as Marian's have; more tokens raise in CTranslate2."""
    import numpy

    random = numpy.random.default_rng(seed)
    for side in (spec.encoder, spec.decoder):
        side.position_encodings.encodings = random.normal(0, 1, (POSITIONS, _DEPTH)).astype(numpy.float32)


def _end_soon(spec: Any, vocabulary: list[str]) -> None:
    """Make the end likely, as random weights alone go on for ever."""
    import numpy

    bias = numpy.zeros(len(vocabulary), dtype=numpy.float32)
    bias[vocabulary.index("</s>")] = 2.0
    spec.decoder.projection.bias = bias


def _shape(path: str, vocabulary_size: int) -> tuple[int, ...]:
    shapes = {
        "embeddings": (vocabulary_size, _DEPTH), "projection": (vocabulary_size, _DEPTH), "layer_norm": (_DEPTH,),
        "/attention/linear_1": (2 * _DEPTH, _DEPTH), "self_attention/linear_0": (3 * _DEPTH, _DEPTH),
        "attention/linear": (_DEPTH, _DEPTH), "ffn/linear_0": (_HIDDEN, _DEPTH), "ffn/linear_1": (_DEPTH, _HIDDEN),
    }  # fmt: skip
    return next(shape for part, shape in shapes.items() if part in path)


def _open_weights(layer: Any, path: str) -> Iterator[tuple[Any, str, str]]:
    for name, value in list(vars(layer).items()):
        inner = f"{path}/{name}"
        if isinstance(value, list):
            for number, one in enumerate(value):
                yield from _open_weights(one, f"{inner}_{number}")
        elif hasattr(value, "variables") and not name.startswith("_"):
            yield from _open_weights(value, inner)
        elif value is None and name in ("weight", "gamma", "beta"):
            yield layer, name, inner
