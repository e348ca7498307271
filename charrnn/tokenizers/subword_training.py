"""Train a SentencePiece model: choose its text and options, and run its process."""

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from typing import Any, Final

import numpy as np

from charrnn.errors import TextError, UsageError
from charrnn.text.characters import chunks, count_characters
from charrnn.tokenizers import sentencepiece_process
from charrnn.tokenizers.char import keep_frequent
from charrnn.tokenizers.config import DEFAULT_MIN_COUNT, TokenizerConfig

DEFAULT_VOCAB_SIZE: Final = 2000
SPACE: Final = "\N{LOWER ONE EIGHTH BLOCK}"  #: how SentencePiece writes a space

# SentencePiece drops NULs, and any training line that contains U+2585.
_UNTRAINABLE: Final = [0, ord(SPACE), 0x2585, *range(0xD800, 0xE000)]

# At most 4,000 bytes, because SentencePiece silently drops lines of 4,192 or more.
_CHUNK_CHARACTERS: Final = 1000
# Learning a unigram model from 10 MB takes a core 6 s (plays) to 35 s (source code).
_SAMPLE_BYTES: Final = 10_000_000


def _chunks(texts: Iterable[str]) -> Iterator[str]:
    """Yield chunks of the texts, cut after a newline, before a space, or anywhere."""
    for text in chunks(texts, separator="\n"):
        start = 0
        while start < len(text):
            end = start + _CHUNK_CHARACTERS
            if end < len(text):
                newline = text.rfind("\n", start, end) + 1
                space = text.rfind(" ", start + 1, end)
                end = newline or (space if space > 0 else end)
            yield text[start:end]
            start = end


def sample(texts: Iterable[str]) -> list[str]:
    """Return evenly spaced chunks of the texts, at most 10 MB, in a single pass.

    Whenever the sample grows too large, every other chunk in it is dropped, and from
    then on only half as many chunks are added.
    """
    kept: list[str] = []
    size_bytes, stride = 0, 1
    for index, chunk in enumerate(_chunks(texts)):
        if index % stride:
            continue
        kept.append(chunk)
        size_bytes += len(chunk.encode("utf-8", "surrogatepass"))
        if size_bytes > _SAMPLE_BYTES:
            kept, stride = kept[::2], stride * 2
            size_bytes = sum(len(one.encode("utf-8", "surrogatepass")) for one in kept)
    return kept


def train(chunks: list[str], config: TokenizerConfig) -> bytes:
    """Train a lossless model with byte fallback. Returns its `.model` file."""
    counts = count_characters(chunks)
    found = np.flatnonzero(counts)
    if not len(found):
        raise TextError("the training text has no characters", hint="add some text")
    symbols = ["\n", *(mark for mark in "\t\r" if counts[ord(mark)])]
    size = (config.vocab_size or DEFAULT_VOCAB_SIZE) - 1
    room = size - 1 - 256 - len(symbols) - 1  # unknown, bytes, symbols, space
    if room < 2:
        raise UsageError(
            f"`vocab_size` is {config.vocab_size}, which is too small for subwords",
            hint=f"use {config.vocab_size + 2 - room} or more, or 0 for the default",
        )
    # Single characters get at most half of the room, to leave some for longer pieces.
    # We choose the characters, so SentencePiece must cover every one that it sees.
    apart = [ord(symbol) for symbol in (*symbols, " ")]
    counts[[*_UNTRAINABLE, *apart]] = 0
    least = config.min_count or DEFAULT_MIN_COUNT
    kept = keep_frequent(counts, min_count=least, limit=room // 2)
    # Replace the rest by newlines, which separate text because each is its own piece.
    cut = dict.fromkeys(np.setdiff1d(found, [*kept, *apart]).tolist(), "\n")
    options = {
        "model_type": config.subword,
        "vocab_size": size,
        "hard_vocab_limit": False,
        "character_coverage": 1.0,
        "byte_fallback": True,
        "normalization_rule_name": "identity",
        "add_dummy_prefix": False,
        "remove_extra_whitespaces": False,
        "user_defined_symbols": symbols,
        "unk_id": 0,
        "bos_id": -1,
        "eos_id": -1,
        "pad_id": -1,
        "num_threads": 1,  # with 2, rounding differs, so the model changes
        "minloglevel": 3,
    }
    # add a space, because it must be a piece even if the text has none
    return _run([options, " ", *(chunk.translate(cut) for chunk in chunks)])


def _run(lines: Iterable[Any]) -> bytes:
    """Return the output of SentencePiece's trainer. Raises TextError if it fails.

    The trainer runs in its own process, because C++ code can crash.
    """
    data = "".join(f"{json.dumps(line)}\n" for line in lines).encode()
    # -P: our modules must not shadow those of the standard library
    command = [sys.executable, "-P", sentencepiece_process.__file__]
    ended = subprocess.run(command, input=data, capture_output=True)
    if ended.returncode:
        errors = ended.stderr.decode("utf-8", "replace").strip().splitlines()
        why = errors[-1] if errors else f"exit code {ended.returncode}"
        raise TextError(
            f"sentencepiece cannot learn from this text: {why}",
            hint="set `level` to byte or char",
        )
    return ended.stdout
