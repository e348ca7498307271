"""Subwords as tokens: a SentencePiece model, learned here or elsewhere.

Our ids are SentencePiece's plus 1, because 0 is the boundary.
"""

import base64
import re
from collections.abc import Iterable
from typing import Any, Final, Self

import numpy as np
import sentencepiece

from charrnn.errors import ModelFileError
from charrnn.tokenizers.base import REPLACEMENT, Ids, Tokenizer
from charrnn.tokenizers.config import TokenizerConfig
from charrnn.tokenizers.subword_training import SPACE, sample, train

# SentencePiece writes a space as U+2581 and cannot tell the two apart. Lone surrogates
# (escaped bytes) cannot be encoded in UTF-8. We encode both as bytes ourselves.
_SPECIAL: Final = re.compile(f"([{SPACE}\ud800-\udfff]+)")

# A slice ends after a newline. Short slices encode twice as fast as long ones.
_SLICE: Final = re.compile(r"(?s:.{1,4000})[^\n]*\n?")

# Common normalizations would change this text; a lossless model does not change it.
_PROBE: Final = (
    " a  A \t\r\n\N{NO-BREAK SPACE}\N{LATIN SMALL LIGATURE FI}\N{CIRCLED DIGIT ONE}"
    "\N{FULLWIDTH LATIN CAPITAL LETTER A}\N{ANGSTROM SIGN}e\N{COMBINING ACUTE ACCENT}"
    "\N{IDEOGRAPHIC SPACE}\N{ZERO WIDTH JOINER}\N{SOFT HYPHEN}\0\ufeff "
)


class SubwordTokenizer(Tokenizer):
    """The pieces of a SentencePiece model, with bytes as a fallback.

    Models learned here are `lossless`: every text decodes to itself. Other models may
    normalize a text first, which a probe text reveals, and may have an unknown piece.
    """

    level = "subword"

    def __init__(self, model: bytes) -> None:
        """Load the bytes of a `.model` file. Raises ModelFileError for invalid ones."""
        self._model = model
        self._processor, self._bytes = processor, _ = _load(model)
        self._byte_ids = np.full(256, -1, np.int64)
        for i in filter(processor.is_byte, range(processor.vocab_size())):
            self._byte_ids[self._bytes[i + 1][0]] = i
        is_unknown_left = processor.unk_id() in processor.encode("\U0010ffff")
        if is_unknown_left or (self._byte_ids < 0).any():
            self.unknown = processor.unk_id() + 1
            self._bytes[self.unknown] = REPLACEMENT
        keeps_text = processor.normalize(_PROBE) == _PROBE.replace(" ", SPACE)
        # Without a piece of its own, a space would decode to U+2581.
        has_space = processor.piece_to_id(SPACE) != processor.unk_id()
        self.lossless = keeps_text and (has_space or self.unknown is not None)
        # Cutting after a newline is safe unless a longer piece contains a newline.
        has_longer = any(b"\n" in adds and len(adds) > 1 for adds in self._bytes)
        self._keeps_all = self.lossless and self.unknown is None
        self._can_cut_at_newlines = self._keeps_all and not has_longer

    @classmethod
    def fit(cls, texts: Iterable[str], config: TokenizerConfig) -> Self:
        """Learn at most `vocab_size` pieces (0 means 2,000) from a sample of the texts.

        Characters that are rarer than `min_count`, or do not fit, are encoded as bytes.
        Raises TextError if the texts are empty, or UsageError if the vocabulary is too
        small for all bytes.
        """
        return cls(train(sample(texts), config))

    def encode(self, text: str) -> Ids:
        """Return the ids of the pieces, or bytes where no piece fits."""
        ids = [
            self._spell(part) if place % 2 else self._encode_plain(part)
            for place, part in enumerate(self._split(text))
        ]
        return np.concatenate(ids) + 1

    def encode_with_ends(self, text: str) -> tuple[Ids, Ids]:
        """Return the ids, and the character offset where each piece ends."""
        if self._keeps_all:
            return super().encode_with_ends(text)
        ends: list[int] = []
        start = 0
        for place, part in enumerate(self._split(text)):
            if place % 2:
                ends.append(start + len(part))
            else:
                ends += [start + end for end in _ends(self._processor, part)]
            start += len(part)
        if ends:
            ends[-1] = len(text)  # normalization may have dropped the last characters
        return self.encode(text), np.array(ends, np.int64)

    def piece(self, token: int) -> str:
        """Return a token as shown in tables; pieces without text are shown by name."""
        if token and not self._bytes[token]:
            return str(self._processor.id_to_piece(token - 1))
        return super().piece(token)

    def to_json(self) -> dict[str, Any]:
        """Return the base64-encoded model."""
        return {"level": self.level, "model": base64.b64encode(self._model).decode()}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Rebuild from the base64-encoded model."""
        model = values.get("model")
        if not isinstance(model, str):
            raise ValueError("a subword tokenizer needs a base64-encoded model")
        try:
            return cls(base64.b64decode(model, validate=True))
        except ModelFileError as error:
            raise ValueError(error.message) from error

    def _split(self, text: str) -> list[str]:
        """Split a text into alternating parts: plain, special, plain, ..., plain."""
        if self.lossless:
            return _SPECIAL.split(text)
        # The text cannot be restored anyway, and SentencePiece rejects lone surrogates.
        return [text.encode("utf-8", "replace").decode()]

    def _spell(self, special: str) -> Ids:
        """Return the SentencePiece ids of special characters, without SentencePiece."""
        if self.unknown is not None:
            return np.array([self.unknown - 1])
        data = special.encode("utf-8", "surrogateescape")
        return self._byte_ids[np.frombuffer(data, np.uint8)]

    def _encode_plain(self, text: str) -> Ids:
        """Return the SentencePiece ids of a text without special characters."""
        is_long = len(text) >= 4000 and self._can_cut_at_newlines
        parts = _SLICE.findall(text) if is_long else [text]
        # encode one by one, because encoding a list starts threads, which takes 90 us
        ids = [np.array(self._processor.encode(part), np.int64) for part in parts]
        return np.concatenate(ids)


def _load(model: bytes) -> tuple[sentencepiece.SentencePieceProcessor, list[bytes]]:
    """Return the loaded model, and the bytes of each of our ids."""
    try:
        # to SentencePiece, empty bytes mean that no model was given
        processor = sentencepiece.SentencePieceProcessor(model_proto=model or b"?")
        ids = range(processor.vocab_size())
        return processor, [b"", *(_bytes_of(processor, i) for i in ids)]
    except (RuntimeError, ValueError) as error:
        raise ModelFileError(
            f"not a SentencePiece model: its {len(model):,} bytes cannot be loaded",
            hint="use a .model file written by SentencePiece",
        ) from error


def _bytes_of(processor: sentencepiece.SentencePieceProcessor, i: int) -> bytes:
    """Return the bytes of a piece: none if it is unknown, control or unused."""
    if processor.is_unknown(i) or processor.is_control(i) or processor.is_unused(i):
        return b""
    piece: str = processor.id_to_piece(i)
    if processor.is_byte(i):  # <0x0A>
        return bytes.fromhex(piece[3:5])
    return piece.replace(SPACE, " ").encode()


def _ends(processor: Any, text: str) -> list[int]:
    """Return the character offset where each piece of a text ends."""
    if hasattr(processor, "encode_as_offset_mapping"):
        found = processor.encode(text, out_type="offset_mapping")
        return [end for _, end in found["offsets"]]
    # SentencePiece 0.2.1 needs this name, which later versions reject
    found = processor.encode(text, out_type="immutable_proto")
    return [piece.end for piece in found.pieces]
