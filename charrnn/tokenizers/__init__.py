"""Tokenizers: characters, bytes, words or sentencepiece subwords to ids and back."""

import json
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

from charrnn.config import TokenizerConfig
from charrnn.errors import ModelFileError, NotFoundError
from charrnn.tokenizers.base import BOUNDARY, Ids, StreamDecoder, Tokenizer

__all__ = [
    "BOUNDARY",
    "REGISTRY",
    "Ids",
    "StreamDecoder",
    "Tokenizer",
    "fit",
    "from_json",
    "load",
    "tokenizer_class",
]

# level -> module:class, imported when used: sentencepiece is only for subwords
REGISTRY = {
    "char": "charrnn.tokenizers.char:CharTokenizer",
    "byte": "charrnn.tokenizers.byte:ByteTokenizer",
    "word": "charrnn.tokenizers.word:WordTokenizer",
    "subword": "charrnn.tokenizers.subword:SubwordTokenizer",
}


def tokenizer_class(level: str) -> type[Tokenizer]:
    """Return the class for a level. Raises ValueError for an unknown level."""
    if level not in REGISTRY:
        raise ValueError(f"no tokenizer {level!r}; there are {', '.join(REGISTRY)}")
    module, name = REGISTRY[level].split(":")
    found: type[Tokenizer] = getattr(import_module(module), name)
    return found


def fit(texts: Iterable[str], config: TokenizerConfig) -> Tokenizer:
    """Learn the tokenizer that the config describes from the training texts."""
    return tokenizer_class(config.level).fit(texts, config)


def from_json(values: dict[str, Any]) -> Tokenizer:
    """Rebuild a tokenizer from `{"level": ..., ...}`. Raises ValueError."""
    level = values.get("level")
    if not isinstance(level, str):
        raise ValueError("a tokenizer needs a level")
    return tokenizer_class(level).from_json(values)


def load(path: Path) -> Tokenizer:
    """Read the tokenizer of a file: ours in JSON, or a SentencePiece .model.

    Raises NotFoundError, or ModelFileError if it is neither.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise NotFoundError(f"cannot read {path}: {error.strerror}") from error
    try:
        if data.lstrip().startswith(b"{"):
            return from_json(json.loads(data))
        from charrnn.tokenizers.subword import SubwordTokenizer

        return SubwordTokenizer.from_model_bytes(data)
    except (ValueError, RecursionError, ModelFileError) as error:
        raise ModelFileError(
            f"{path} is not a tokenizer: {error}",
            hint="make one: charrnn tokenize corpus.txt -o tokenizer.json",
        ) from error
