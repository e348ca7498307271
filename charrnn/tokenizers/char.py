"""Characters as tokens, with ids in code point order after boundary and unknown."""

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
from charrnn.tokenizers.config import DEFAULT_MIN_COUNT, TokenizerConfig

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
        # The last entry is used for all higher code points. Small integers keep the
        # table in the cache.
        smallest = np.min_scalar_type(len(self._bytes) - 1)
        self._ids: AnyIds = np.full(points[-1] + 2, UNKNOWN, smallest)
        self._ids[points] = np.arange(FIRST, FIRST + len(points))

    @classmethod
    def fit(cls, texts: Iterable[str], config: TokenizerConfig) -> Self:
        """Learn the characters that occur at least `min_count` times.

        If there are none, learn all. A set `vocab_size` keeps the most frequent.
        Raises TextError if the texts are empty.
        """
        counts, room = count_characters(texts), room_for_pieces(config)
        least = config.min_count or DEFAULT_MIN_COUNT
        points = keep_frequent(counts, min_count=least, limit=room)
        if not len(points):
            raise TextError("the training text has no characters", hint="add some text")
        return cls([chr(point) for point in np.sort(points)])

    def encode(self, text: str) -> Ids:
        """Return one id per character."""
        return self._look_up(text).astype(np.int64)

    def encode_closed(self, texts: Sequence[str]) -> tuple[AnyIds, Ids]:
        """Look up all texts at once."""
        lengths = np.fromiter(map(len, texts), np.int64, len(texts))
        # the NULs are placeholders for the boundaries
        ids = self._look_up("\0".join([*texts, ""]))
        places = boundary_places(lengths)
        ids[places] = BOUNDARY
        return ids, places

    def encode_with_ends(self, text: str) -> tuple[Ids, Ids]:
        """Return the ids, and the ends 1, 2, 3, ...: every token is one character."""
        return self.encode(text), np.arange(1, len(text) + 1)

    def to_json(self) -> dict[str, Any]:
        """Return the characters as a list."""
        return {"level": self.level, "characters": list(self.characters)}

    def _look_up(self, text: str) -> AnyIds:
        """Return one id per character, in the integer type of the table."""
        ids = np.empty(len(text), self._ids.dtype)
        for start in range(0, len(text), CHUNK_CHARACTERS):
            part = slice(start, start + CHUNK_CHARACTERS)
            self._ids.take(code_points(text[part]), mode="clip", out=ids[part])
        return ids

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Rebuild from the list of characters."""
        characters = values.get("characters")
        if not isinstance(characters, list) or not all(
            isinstance(item, str) and len(item) == 1 for item in characters
        ):
            raise ValueError("a char tokenizer needs a list of characters")
        return cls(characters)


def keep_frequent(counts: Ids, *, min_count: int, limit: int | None) -> Ids:
    """Return the indices of counts of at least `min_count`, largest count first.

    If there are none, return the indices of all positive counts. Ties keep their order.
    """
    frequent = np.flatnonzero(counts >= min_count)
    places = frequent if len(frequent) else np.flatnonzero(counts)
    falling = np.argsort(-counts[places], kind="stable")
    return places[falling][:limit]


def room_for_pieces(config: TokenizerConfig) -> int | None:
    """Return how many pieces fit besides boundary and unknown, or None for no limit."""
    if not config.vocab_size:
        return None
    room = config.vocab_size - FIRST
    if room < 1:
        raise UsageError(
            f"`vocab_size` is {config.vocab_size}; boundary and unknown take {FIRST}",
            hint=f"set it to {FIRST + 1} or more, or to 0 for the default",
        )
    return room


def _bytes_of(character: str) -> bytes:
    return character.encode("utf-8", "surrogateescape")
