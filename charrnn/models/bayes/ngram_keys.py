"""The character and word n-grams of texts, each as a 64-bit key.

A kind is a unit and a length. A key consists of the kind (3 bits), a hash of the n-gram
(45 bits) and room for a label (16 bits, all 0 here). Sorting keys therefore sorts them
by kind. The probability that a new n-gram shares its key with one of a million others
is 3e-8.

Characters keep their case; words are lowercased, and punctuation marks are words. Each
text has a boundary at both ends, which is part of its n-grams.

Letters: N texts, M n-grams.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from charrnn.models.ngram.counts import ranges
from charrnn.tokenizers.base import Ids

Keys = npt.NDArray[np.uint64]

#: maximum length of n-grams, for each unit
CHARACTERS: Final = 4
WORDS: Final = 2
KINDS: Final = CHARACTERS + WORDS
LABEL_BITS: Final = 16
KIND_SHIFT: Final = 61

_HASH_MASK: Final = (1 << KIND_SHIFT) - 1
_BOUNDARY: Final = 0x110000  #: higher than all code points
_WORD: Final = re.compile(r"\w+|[^\w\s]")


def ngram_keys(texts: Sequence[str]) -> Iterator[tuple[Ids, Keys]]:
    """For each kind, yield the text and the key of every n-gram, (M,) each."""
    yield from _keys_of_kinds(_characters(texts), range(CHARACTERS))
    yield from _keys_of_kinds(_words(texts), range(CHARACTERS, KINDS))


def kind_of(keys: Keys) -> Ids:
    """Return the kind of each key, from 0 to KINDS - 1."""
    return (keys >> np.uint64(KIND_SHIFT)).astype(np.int64)


def _characters(texts: Sequence[str]) -> tuple[Ids, Keys]:
    """Return the number of each character's text, and its code point."""
    data = [text.encode("utf-32-le", "surrogatepass") for text in texts]
    lengths = np.array([len(one) // 4 for one in data], np.int64)
    codes = np.frombuffer(b"".join(data), np.uint32).astype(np.uint64)
    return _with_boundaries(codes, lengths)


def _words(texts: Sequence[str]) -> tuple[Ids, Keys]:
    """Return the number of each word's text, and its hash."""
    hashes: dict[str, int] = {}
    codes: list[int] = []
    lengths = []
    for text in texts:
        words = _WORD.findall(text.lower())
        lengths.append(len(words))
        for word in words:
            if (code := hashes.get(word)) is None:
                data = word.encode("utf-8", "surrogatepass")
                digest = hashlib.blake2b(data, digest_size=8).digest()
                code = hashes[word] = int.from_bytes(digest, "little")
            codes.append(code)
    return _with_boundaries(np.array(codes, np.uint64), np.array(lengths, np.int64))


def _with_boundaries(codes: Keys, lengths: Ids) -> tuple[Ids, Keys]:
    owners = np.repeat(np.arange(len(lengths)), lengths + 2)
    starts = np.cumsum(lengths + 2) - lengths - 1
    extended = np.full(len(owners), _BOUNDARY, np.uint64)
    extended[ranges(starts, lengths)] = codes
    return owners, extended


def _keys_of_kinds(
    sequence: tuple[Ids, Keys], kinds: range
) -> Iterator[tuple[Ids, Keys]]:
    """Yield the keys of n-grams of 1, 2, ... codes, one kind for each length."""
    owners, codes = sequence
    hashes = np.zeros(len(codes), np.uint64)
    for n, kind in enumerate(kinds):
        # each hash extends the hash of the n-gram without its last code
        hashes = _mixed(hashes[: len(codes) - n] + codes[n:])
        is_whole = owners[: len(hashes)] == owners[n:]
        keys = hashes[is_whole] << np.uint64(LABEL_BITS) & np.uint64(_HASH_MASK)
        yield owners[n:][is_whole], keys | np.uint64(kind << KIND_SHIFT)


def _mixed(values: Keys) -> Keys:
    """Return hashes of 64-bit integers (the finalizer of splitmix64)."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
