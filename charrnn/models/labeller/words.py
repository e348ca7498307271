"""Split inputs into words, and recognize known words by a hash of their letters.

Each distinct word of a batch is read only once, even if it occurs often:

    "the cat the"    letters  t h e      index  0
                              c a t             1
                                                0

The hash of a word with the ids x_0 ... x_n is the sum of (x_i + 1) M^i, modulo 2^64.
Among a million words, the probability that any two share a hash is about 10^-7.

Shape letters: S source time, B batch, T words, N distinct words, L letters.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from charrnn.data.store import Part
from charrnn.tokenizers.base import BOUNDARY, Ids

Hashes = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.integer[Any]]

MULTIPLIER: Final = 0x9E3779B97F4A7C15  # odd, with evenly mixed bits
#: in longer words, only the first and the last letters are read
MAX_LETTERS: Final = 32
#: A group of words is padded to its longest word. These limits keep padding short.
GROUPS: Final = (5, 8, 12, MAX_LETTERS)
#: rarer words are not known, so that the vector for unknown words is trained too
LEAST_COUNT: Final = 2
CHUNK_TOKENS: Final = 1 << 20


@dataclass(frozen=True)
class Words:
    """The words of a batch of inputs.

    letters: (L, N), the letters of the distinct words, shortest first, padded with 0.
    lengths, hashes: (N,). index: (T, B), the distinct word at each place. counts: (B,),
    the number of words in each row.
    """

    letters: Ids
    lengths: Ids
    hashes: Hashes
    index: Ids
    counts: Ids

    @property
    def groups(self) -> list[slice]:
        """Ranges of distinct words with similar lengths."""
        ends = np.searchsorted(self.lengths, GROUPS, side="right")
        bounds = np.unique(np.concatenate([[0], ends])).tolist()
        return [slice(first, last) for first, last in pairwise(bounds)]


def split_words(source: Numbers, lengths: Numbers, blank: int) -> Words:
    """Split rows (B, S), which have `lengths` (B,) tokens, at their blanks.

    A row of only blanks counts as one word, so every row has a word.
    """
    B, S = source.shape
    # an added column of boundaries keeps words from continuing in the next row
    closed = np.zeros((B, S + 1), np.int64)
    closed[:, :S] = source
    is_letter = (closed != blank) & (np.arange(S + 1) < np.reshape(lengths, (B, 1)))
    is_letter[:, 0] |= ~is_letter.any(axis=1)
    starts, sizes, hashes = _runs(closed.reshape(-1), is_letter.reshape(-1))
    found, first, places = np.unique(hashes, return_index=True, return_inverse=True)
    order = np.argsort(sizes[first], kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    first = first[order]
    row = starts // (S + 1)
    counts = np.bincount(row, minlength=B)
    index = np.zeros((counts.max(), B), np.int64)
    index[np.arange(len(row)) - (np.cumsum(counts) - counts)[row], row] = rank[places]
    letters = _letters(closed.reshape(-1), starts[first], sizes[first])
    shown = np.minimum(sizes[first], MAX_LETTERS)
    return Words(letters, shown, found[order], index, counts)


def known_words(source: Part, blank: int) -> Hashes:
    """Return the hashes of words that occur at least LEAST_COUNT times, sorted."""
    found: list[Hashes] = [np.empty(0, np.int64)]
    numbers: list[Ids] = [np.empty(0, np.int64)]
    ends = np.cumsum(source.lengths)
    chunks = np.searchsorted(ends, np.arange(0, source.targets, CHUNK_TOKENS), "right")
    bounds = np.unique(np.concatenate([[0], chunks, [len(ends)]])).tolist()
    for first, last in pairwise(bounds):
        tokens = joined(source, first, last)
        is_letter = (tokens != blank) & (tokens != BOUNDARY)
        _, _, hashes = _runs(tokens, is_letter)
        distinct, counts = np.unique(hashes, return_counts=True)
        found.append(distinct)
        numbers.append(counts)
    distinct, places = np.unique(np.concatenate(found), return_inverse=True)
    totals = np.bincount(places, np.concatenate(numbers))
    return distinct[totals >= LEAST_COUNT]


def vector_rows(hashes: Hashes, known: Hashes) -> Ids:
    """Return the row of each word's vector, (N,), which is 0 for unknown words."""
    places = np.searchsorted(known, hashes)
    is_known = known[np.minimum(places, len(known) - 1)] == hashes
    return np.where(is_known, places + 1, 0)


def _runs(tokens: Ids, is_letter: npt.NDArray[np.bool_]) -> tuple[Ids, Ids, Hashes]:
    """Return the start, the size and the hash of each run of letters."""
    edges = np.diff(is_letter, prepend=False, append=False)
    borders = np.flatnonzero(edges)
    starts, sizes = borders[::2], borders[1::2] - borders[::2]
    if not len(starts):
        return starts, sizes, np.empty(0, np.int64)
    powers = np.full(sizes.max(), MULTIPLIER, np.uint64)
    powers[0] = 1
    powers = np.cumprod(powers, dtype=np.uint64)  # modulo 2^64
    letters = np.flatnonzero(is_letter)
    firsts = np.cumsum(sizes) - sizes
    offsets = np.arange(len(letters)) - np.repeat(firsts, sizes)
    terms = (tokens[letters].astype(np.uint64) + np.uint64(1)) * powers[offsets]
    return starts, sizes, np.add.reduceat(terms, firsts).view(np.int64)


def _letters(tokens: Ids, starts: Ids, sizes: Ids) -> Ids:
    """Return the letters (L, N) of the words at `starts`; shorten long words."""
    shown = np.minimum(sizes, MAX_LETTERS)
    places = np.arange(shown.max())[:, None]
    from_end = sizes - shown + places
    offsets = np.where(places < MAX_LETTERS // 2, places, from_end)
    is_letter = places < shown
    return np.where(is_letter, tokens[np.where(is_letter, starts + offsets, 0)], 0)


def joined(part: Part, first: int = 0, last: int | None = None) -> Ids:
    """Return the tokens of a range of documents, with a boundary before each."""
    sizes = part.lengths[first:last] + 1
    before = np.cumsum(sizes) - sizes
    offsets = np.arange(sizes.sum()) - np.repeat(before, sizes)
    tokens = part.tokens[np.repeat(part.starts[first:last], sizes) + offsets]
    tokens[before] = BOUNDARY
    return np.asarray(tokens, np.int64)
