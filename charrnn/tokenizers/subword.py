"""Subwords as tokens: a SentencePiece model, learned here or brought along.

Our id is SentencePiece's id + 1, because 0 is the boundary.
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

# SentencePiece writes a space as U+2581 and cannot tell the two apart; lone
# surrogates (escaped bytes) have no UTF-8. Both are spelled in bytes around it.
_SPECIAL: Final = re.compile(f"([{SPACE}\ud800-\udfff]+)")

# A slice ends after a newline. Short ones encode at twice the speed of long ones.
_SLICE: Final = re.compile(r"(?s:.{1,4000})[^\n]*\n?")

# What a model has to leave as it is to give back any text.
_PROBE: Final = (
    " a  A \t\r\n\N{NO-BREAK SPACE}\N{LATIN SMALL LIGATURE FI}\N{CIRCLED DIGIT ONE}"
    "\N{FULLWIDTH LATIN CAPITAL LETTER A}\N{ANGSTROM SIGN}e\N{COMBINING ACUTE ACCENT}"
    "\N{IDEOGRAPHIC SPACE}\N{ZERO WIDTH JOINER}\N{SOFT HYPHEN}\0\ufeff "
)


class SubwordTokenizer(Tokenizer):
    """The pieces of a SentencePiece model, and bytes for what they lack.

    Models learned here are `lossless`: any text comes back. A model from elsewhere
    may change a text before it cuts it (as far as a probe of what such models do can
    tell), and may have an unknown piece, which is not learned but comes with it.
    """

    level = "subword"

    def __init__(self, model: bytes) -> None:
        self._model = model
        self._processor, self._bytes = processor, _ = _load(model)
        self._byte_ids = np.full(256, -1, np.int64)
        for i in filter(processor.is_byte, range(processor.vocab_size())):
            self._byte_ids[self._bytes[i + 1][0]] = i
        is_unknown_left = processor.unk_id() in processor.encode("\U0010ffff")
        if is_unknown_left or (self._byte_ids < 0).any():
            self.unknown = processor.unk_id() + 1
            self._bytes[self.unknown] = REPLACEMENT
        self._never_generated = tuple(
            token
            for token, adds in enumerate(self._bytes[1:], start=1)
            if token == self.unknown or not adds
        )
        keeps_text = processor.normalize(_PROBE) == _PROBE.replace(" ", SPACE)
        # Without a piece for the space, its bytes would be those of U+2581.
        has_space = processor.piece_to_id(SPACE) != processor.unk_id()
        self.lossless = keeps_text and (has_space or self.unknown is not None)
        # A newline that is in no longer piece is a place to cut without effect.
        has_longer = any(b"\n" in adds and len(adds) > 1 for adds in self._bytes)
        can_cut = self.lossless and self.unknown is None and not has_longer
        self._can_cut_at_newlines = can_cut

    @classmethod
    def fit(cls, texts: Iterable[str], config: TokenizerConfig) -> Self:
        """Learn about `vocab_size` pieces, 2,000 where it is 0, from a sample.

        A small text gives fewer pieces. Characters that occur less than `min_count`
        times, or for which there is no room, are spelled in bytes.
        Raises TextError for texts to learn nothing from, UsageError for a vocabulary
        that has no room for the bytes.
        """
        return cls(train(sample(texts), config))

    @classmethod
    def from_model_bytes(cls, data: bytes) -> Self:
        """Take the content of a `.model` file. Raises ModelFileError."""
        return cls(data)

    @property
    def vocab_size(self) -> int:
        """Number of pieces of the model, and one."""
        return len(self._bytes)

    @property
    def never_generated(self) -> tuple[int, ...]:
        """The unknown piece, control pieces and unused ones."""
        return self._never_generated

    def encode(self, text: str) -> Ids:
        """Return the ids of the pieces, (n,) int64, bytes where no piece fits."""
        ids = [
            self._spell(part) if place % 2 else self._encode_plain(part)
            for place, part in enumerate(self._split(text))
        ]
        return np.concatenate(ids) + 1

    def encode_with_ends(self, text: str) -> tuple[Ids, Ids]:
        """Return the ids and, for each, the character offset where it ends."""
        if self.lossless and self.unknown is None:
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
            ends[-1] = len(text)  # a normalisation may have dropped what was last
        return self.encode(text), np.array(ends, np.int64)

    def token_bytes(self, token: int) -> bytes:
        """Return the piece as UTF-8, or one byte."""
        return self._bytes[token]

    def piece(self, token: int) -> str:
        """Return a token as people read it; silent pieces by their own name."""
        if token and not self._bytes[token]:
            return str(self._processor.id_to_piece(token - 1))
        return super().piece(token)

    def to_json(self) -> dict[str, Any]:
        """Return the `.model` file in base64."""
        return {"level": self.level, "model": base64.b64encode(self._model).decode()}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Rebuild from the model. Raises ValueError."""
        model = values.get("model")
        if not isinstance(model, str):
            raise ValueError("a subword tokenizer needs a model in base64")
        try:
            return cls(base64.b64decode(model, validate=True))
        except ModelFileError as error:
            raise ValueError(error.message) from error

    def _split(self, text: str) -> list[str]:
        """Return parts of a text: plain, special, plain, special, ..., plain."""
        if self.lossless:
            return _SPECIAL.split(text)
        # What comes back is not the text anyway, and a lone surrogate would not go in.
        return [text.encode("utf-8", "replace").decode()]

    def _spell(self, special: str) -> Ids:
        """Return SentencePiece's ids of characters that it is not shown."""
        if self.unknown is not None:
            return np.array([self.unknown - 1])
        data = special.encode("utf-8", "surrogateescape")
        return self._byte_ids[np.frombuffer(data, np.uint8)]

    def _encode_plain(self, text: str) -> Ids:
        """Return SentencePiece's ids of characters that it can be shown."""
        encode = self._processor.encode  # not of a list: that starts threads, 90 us
        if len(text) < 4000 or not self._can_cut_at_newlines:
            return np.array(encode(text), np.int64)
        return np.concatenate(
            [np.array(encode(part), np.int64) for part in _SLICE.findall(text)]
        )


def _load(model: bytes) -> tuple[sentencepiece.SentencePieceProcessor, list[bytes]]:
    """Return the model ready for use, and the bytes of each of our ids."""
    try:
        # No bytes at all would be taken for "load nothing yet".
        processor = sentencepiece.SentencePieceProcessor(model_proto=model or b"?")
        ids = range(processor.vocab_size())
        return processor, [b"", *(_bytes_of(processor, i) for i in ids)]
    except (RuntimeError, ValueError) as error:
        raise ModelFileError(
            f"not a SentencePiece model: {len(model):,} bytes that do not load",
            hint="give the .model file that SentencePiece wrote",
        ) from error


def _bytes_of(processor: sentencepiece.SentencePieceProcessor, i: int) -> bytes:
    """Return what a piece adds to a text: nothing for unknown, control, unused."""
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
    # SentencePiece 0.2.1; later ones refuse this name
    found = processor.encode(text, out_type="immutable_proto")
    return [piece.end for piece in found.pieces]
