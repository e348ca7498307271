"""Learn a tokenizer from texts, or rebuild one that was saved."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from charrnn.errors import ModelFileError, NotFoundError
from charrnn.tokenizers import TOKENIZERS
from charrnn.tokenizers.base import Tokenizer
from charrnn.tokenizers.config import TokenizerConfig


def fit(texts: Iterable[str], config: TokenizerConfig) -> Tokenizer:
    """Learn the tokenizer that the config describes from the training texts."""
    kind: type[Tokenizer] = TOKENIZERS[config.level]
    return kind.fit(texts, config)


def from_json(values: dict[str, Any]) -> Tokenizer:
    """Rebuild a tokenizer from JSON values. Raises ValueError if they are invalid."""
    kind: type[Tokenizer] = TOKENIZERS.checked(values.get("level"))
    return kind.from_json(values)


def load(path: Path) -> Tokenizer:
    """Read a tokenizer from a file: our JSON format, or a SentencePiece .model.

    Raises NotFoundError if it cannot be read, or ModelFileError if it is neither.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise NotFoundError(f"cannot read {path}: {error.strerror}") from error
    try:
        if data.lstrip().startswith(b"{"):
            return from_json(json.loads(data))
        from charrnn.tokenizers.subword import SubwordTokenizer

        return SubwordTokenizer(data)
    except (ValueError, RecursionError, ModelFileError) as error:
        raise ModelFileError(
            f"{path} is not a tokenizer: {error}",
            hint="create one with: charrnn tokenize corpus.txt -o tokenizer.json",
        ) from error
