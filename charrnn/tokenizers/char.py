"""Characters as tokens: boundary, unknown, then the characters by code point."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, Self

import numpy as np

from charrnn.errors import TextError, UsageError
from charrnn.text.characters import CHUNK_CHARACTERS, code_points, count_characters
from charrnn.tokenizers.base import (
    BOUNDARY,
    REPLACEMENT,
    AnyIds,
    Ids,
    Tokenizer,
    boundary_places,
)
from charrnn.tokenizers.config import TokenizerConfig

UNKNOWN: Final = 1
FIRST: Final = 2  # the id of the first character


class CharTokenizer(Tokenizer):
    """One token per character (code point); rare characters are unknown."""

    level = "char"
    unknown = UNKNOWN

    def __init__(self, characters: Sequence[str]) -> None:
        points = [ord(character) for character in characters]
        if points != sorted(set(points)) or not points:
            raise ValueError("the characters are missing, repeated or out of order")
        self.characters = tuple(characters)
        self._bytes = [b"", REPLACEMENT, *map(_bytes_of, characters)]
        # The last place stands for every code point above the vocabulary's. The
        # smallest integers: the table has to stay in the cache.
        smallest = np.min_scalar_type(len(self._bytes) - 1)
        self._ids: AnyIds = np.full(points[-1] + 2, UNKNOWN, smallest)
        self._ids[points] = np.arange(FIRST, FIRST + len(points))

    @classmethod
    def fit(cls, texts: Iterable[str], config: TokenizerConfig) -> Self:
        """Learn the characters that occur at least `min_count` times.

        All of them where that leaves none, and of these the most frequent where
        `vocab_size` has no room for all. Raises TextError for texts without any.
        """
        counts = count_characters(texts)
        room = room_for_pieces(config, at_least=1)
        points = keep_frequent(counts, min_count=config.min_count, limit=room)
        if not len(points):
            raise TextError(
                "the training text has no characters", hint="give a text to learn from"
            )
        return cls([chr(point) for point in np.sort(points)])

    @property
    def vocab_size(self) -> int:
        """Number of characters, and two."""
        return len(self._bytes)

    def encode(self, text: str) -> Ids:
        """Return one id per character, (n,) int64."""
        return self._look_up(text).astype(np.int64)

    def encode_closed(self, texts: Sequence[str]) -> tuple[AnyIds, Ids]:
        """Return the ids of many texts, a boundary after each, and where these are."""
        lengths = np.fromiter(map(len, texts), np.int64, len(texts))
        # any character keeps the place of a boundary
        ids = self._look_up("\0".join([*texts, ""]))
        places = boundary_places(lengths)
        ids[places] = BOUNDARY
        return ids, places

    def encode_with_ends(self, text: str) -> tuple[Ids, Ids]:
        """Return the ids and 1, 2, 3, ...: every token is one character."""
        return self.encode(text), np.arange(1, len(text) + 1)

    def token_bytes(self, token: int) -> bytes:
        """Return the character as UTF-8; an escaped byte is that byte."""
        return self._bytes[token]

    def to_json(self) -> dict[str, Any]:
        """Return the characters as a list, in order."""
        return {"level": self.level, "characters": list(self.characters)}

    def _look_up(self, text: str) -> AnyIds:
        """Return one id per character, in the smallest integers that hold them."""
        ids = np.empty(len(text), self._ids.dtype)
        for start in range(0, len(text), CHUNK_CHARACTERS):
            part = slice(start, start + CHUNK_CHARACTERS)
            self._ids.take(code_points(text[part]), mode="clip", out=ids[part])
        return ids

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Rebuild from the list. Raises ValueError."""
        characters = values.get("characters")
        if not isinstance(characters, list) or not all(
            isinstance(item, str) and len(item) == 1 for item in characters
        ):
            raise ValueError("a char tokenizer needs a list of characters")
        return cls(characters)


def keep_frequent(counts: Ids, *, min_count: int, limit: int | None) -> Ids:
    """Return the places of `counts` to keep, the largest first, ties in order.

    Those of at least `min_count`, or all above 0 where that would leave none; the
    first `limit` of them where there is a limit.
    """
    frequent = np.flatnonzero(counts >= min_count)
    places = frequent if len(frequent) else np.flatnonzero(counts)
    falling = np.argsort(-counts[places], kind="stable")
    return places[falling][:limit]


def room_for_pieces(config: TokenizerConfig, *, at_least: int) -> int | None:
    """Return how many pieces fit beside boundary and unknown; None: no limit."""
    if not config.vocab_size:
        return None
    room = config.vocab_size - FIRST
    if room < at_least:
        raise UsageError(
            f"`vocab_size` is {config.vocab_size}; boundary and unknown take {FIRST}",
            hint=f"give {FIRST + at_least} or more, or 0 for the default",
        )
    return room


def _bytes_of(character: str) -> bytes:
    return character.encode("utf-8", "surrogateescape")
