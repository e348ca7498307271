"""Learning a SentencePiece model: which text is shown, and the process that learns."""

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
from charrnn.tokenizers.config import TokenizerConfig

DEFAULT_VOCAB_SIZE: Final = 2000
#: how SentencePiece writes a space
SPACE: Final = "\N{LOWER ONE EIGHTH BLOCK}"

# SentencePiece drops every training line with U+2585 in it, and NUL by itself.
_UNTRAINABLE: Final = [0, ord(SPACE), 0x2585, *range(0xD800, 0xE000)]

# 1,000 characters are at most 4,000 bytes; from 4,192 on a line is dropped unsaid.
_CHUNK_CHARACTERS: Final = 1000
# 10 MB take a unigram model 6 s (plays) to 35 s (source code) on one core.
_SAMPLE_BYTES: Final = 10_000_000


def _chunks(texts: Iterable[str]) -> Iterator[str]:
    """Yield the texts in chunks, cut at line ends, else before words, else anywhere."""
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
    """Return chunks of the texts, evenly drawn, of 10 MB together at most.

    In one pass: when there are too many, every other one goes, and from then on
    half as many are taken.
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
    """Return the `.model` file of a lossless model with byte fallback."""
    counts = count_characters(chunks)
    found = np.flatnonzero(counts)
    if not len(found):
        raise TextError(
            "the training text has no characters", hint="give a text to learn from"
        )
    symbols = ["\n", *(mark for mark in "\t\r" if counts[ord(mark)])]
    size = (config.vocab_size or DEFAULT_VOCAB_SIZE) - 1
    room = size - 1 - 256 - len(symbols) - 1  # unknown, bytes, symbols, space
    if room < 2:
        raise UsageError(
            f"`vocab_size` is {config.vocab_size}, too small for subwords",
            hint=f"give {config.vocab_size + 2 - room} or more, or 0 for the default",
        )
    # Characters get half of the room at most: without longer pieces these would
    # not be subwords. Which ones is decided here, so all that is left is covered.
    apart = [ord(symbol) for symbol in (*symbols, " ")]
    counts[_UNTRAINABLE] = 0
    counts[apart] = 0
    kept = keep_frequent(counts, min_count=config.min_count, limit=room // 2)
    # A newline is a piece by itself, so it cuts without teaching anything.
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
        "num_threads": 1,  # sums round otherwise with 2, and it is another model
        "minloglevel": 3,
    }
    # The space first, for it must be a piece, in the text or not.
    return _run([options, " ", *(chunk.translate(cut) for chunk in chunks)])


def _run(lines: Iterable[Any]) -> bytes:
    """Return what SentencePiece's trainer writes. Raises TextError if it fails.

    In a process of its own, for it is written in C++: it may crash.
    """
    data = "".join(f"{json.dumps(line)}\n" for line in lines).encode()
    # -P: our modules are not to be found as if they were of the standard library
    command = [sys.executable, "-P", sentencepiece_process.__file__]
    ended = subprocess.run(command, input=data, capture_output=True)
    if ended.returncode:
        said = ended.stderr.decode("utf-8", "replace").strip().splitlines()
        why = said[-1] if said else f"it ended with code {ended.returncode}"
        raise TextError(
            f"sentencepiece cannot learn from this text: {why}",
            hint="use another `level`: byte or char",
        )
    return ended.stdout
