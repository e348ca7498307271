"""Choose validation documents by their hashes, and count leaks."""

import hashlib
import zlib
from array import array
from collections import Counter
from itertools import chain, repeat

import numpy as np
import numpy.typing as npt

from charrnn.data.store import MANY_DOCUMENTS
from charrnn.errors import TextError


class SplitHashes:
    """A 16-bit hash of each document, which decides which part it belongs to.

    A document takes only two bytes, because 5 GB of text may have 100 million lines.
    """

    def __init__(self, seed: int) -> None:
        self._seed = self._open = zlib.crc32(str(seed).encode())
        self._hashes = array("H")
        self._histogram = np.zeros(1 << 16, np.int64)

    def add(self, texts: list[str], is_open: bool) -> None:
        """Hash the next block of documents."""
        data = [text.encode("utf-8", "surrogateescape") for text in texts]
        seeds = chain([self._open], repeat(self._seed))
        crcs = list(map(zlib.crc32, data, seeds))
        self._open = crcs.pop() if is_open else self._seed
        # multiply, because a text's CRCs under two seeds differ by a constant
        mixed = (np.array(crcs, np.uint32) * np.uint32(0x9E3779B1)) >> np.uint32(16)
        self._hashes.frombytes(mixed.astype(np.uint16).tobytes())
        self._histogram += np.bincount(mixed, minlength=1 << 16)

    @property
    def can_split(self) -> bool:
        """Whether there are enough distinct documents."""
        return int(np.count_nonzero(self._histogram)) >= MANY_DOCUMENTS

    def limit(self, share: float) -> int:
        """Return the highest hash of a validation document, given their share.

        Neither part is ever empty.
        """
        values = np.flatnonzero(self._histogram)[:-1]
        counts = np.cumsum(self._histogram[values])
        wanted = share * len(self._hashes)
        return int(values[np.argmin(np.abs(counts - wanted))])

    def are_within(self, limit: int, first: int, count: int) -> npt.NDArray[np.bool_]:
        """Return which of `count` documents from `first` on are for validation."""
        hashes = np.frombuffer(self._hashes, np.uint16)[first : first + count]
        if len(hashes) < count:
            raise corpus_changed_error()
        return hashes <= limit


class Leaks:
    """Counts the validation documents whose text also occurs in the training part."""

    def __init__(self, *, is_valid_first: bool) -> None:
        self._is_valid_first = is_valid_first
        self._valid: Counter[bytes] = Counter()
        self._train: set[bytes] = set()
        self._open = {True: hashlib.blake2b(), False: hashlib.blake2b()}

    def add(self, is_valid: bool, texts: list[str], is_open: bool) -> None:
        """Hash the next block of one part's documents."""
        digests = []
        digest = self._open[is_valid]
        for number, text in enumerate(texts, 1):
            digest.update(text.encode("utf-8", "surrogateescape"))
            if number < len(texts) or not is_open:
                digests.append(digest.digest()[:16])
                digest = hashlib.blake2b()
        self._open[is_valid] = digest
        if is_valid:
            self._valid.update(digests)
        elif self._is_valid_first:
            self._train |= self._valid.keys() & digests
        else:
            self._train.update(digests)

    def count(self) -> int:
        """Return how many validation documents leaked."""
        return sum(self._valid[digest] for digest in self._train)


def corpus_changed_error() -> TextError:
    """Return the error for a corpus that changed between two passes."""
    return TextError(
        "the corpus changed while it was read", hint="start again once it is complete"
    )
