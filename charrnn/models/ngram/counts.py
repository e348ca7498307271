"""N-gram counts as sorted arrays. An n-gram model consists of these arrays.

The n-grams of one length form a level, sorted by their tokens, so n-grams that share a
context are adjacent. The levels form a tree: the children of an n-gram extend it by
one token. A level of n_k n-grams has three arrays:

    tokens.k (n_k,)     last token of each n-gram; absent at level 1, where n_1 = V
    counts.k (n_k,)     count of each n-gram
    children.k (n_k,)   number of its children; absent at the last level

No n-gram spans two documents. Each document begins with the boundary, and also ends
with it if the model learns where documents end.

Letters: N order, V vocabulary, D documents, n_k n-grams of length k.
"""

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from charrnn.models.base import Tensors, check_names
from charrnn.tokenizers.base import BOUNDARY, AnyIds, Ids

# KenLM's (D1, D2, D3+) for levels that are too small or unusual to estimate them
FALLBACK_DISCOUNTS = (0.5, 1.0, 1.5)

Arrays = dict[str, AnyIds]


def count_ngrams(
    tokens: AnyIds, starts: Ids, lengths: Ids, *, vocab_size: int, continuations: bool
) -> Iterator[Arrays]:
    """Yield the arrays of levels 1 to N by name, for N = 1, 2, ... indefinitely.

    tokens: (n,), all documents. starts: (D,), the index of each document's opening
    boundary. lengths: (D,), the number of tokens to predict in each document.

    Counts are numbers of occurrences. With `continuations`, each count below level N is
    the number of distinct tokens before the n-gram (Kneser and Ney 1995). No token
    precedes an opening boundary, so n-grams that begin with one still count
    occurrences. Time and memory are proportional to n times N.
    """
    begins = ranges(starts, lengths)
    lasts = np.repeat(starts + lengths, lengths)
    #: for each token, the index in its level of the n-gram that begins there
    index: Ids = tokens.astype(np.int64)
    size = vocab_size
    counts: Ids = np.bincount(tokens[begins + 1], minlength=size)
    opens = np.zeros(size, bool)  # at level 1, a boundary only closes a document
    levels: Arrays = {}
    for k in itertools.count(2):
        yield levels | {f"counts.{k - 1}": _smallest(counts)}
        fits = begins + k - 1 <= lasts
        begins, lasts = begins[fits], lasts[fits]
        keys = index[begins] * vocab_size + tokens[begins + k - 1]
        by_key = np.argsort(keys)
        keys = keys[by_key]
        is_first = np.ones(len(keys), bool)
        is_first[1:] = keys[1:] != keys[:-1]
        firsts = np.flatnonzero(is_first)
        examples = begins[by_key[firsts]]  # one occurrence of each n-gram
        if continuations:
            before = np.bincount(index[examples + 1], minlength=size)
            counts = np.where(opens, counts, before)
        contexts, last_tokens = np.divmod(keys[firsts], vocab_size)
        levels[f"counts.{k - 1}"] = _smallest(counts)
        levels[f"children.{k - 1}"] = _smallest(np.bincount(contexts, minlength=size))
        levels[f"tokens.{k}"] = _smallest(last_tokens)
        index[begins[by_key]] = np.cumsum(is_first) - 1
        size = len(firsts)
        counts = np.diff(firsts, append=len(keys))
        opens = tokens[examples] == BOUNDARY


def discounts(counts: AnyIds) -> tuple[float, float, float]:
    """Return the discounts D1, D2, D3+ for the counts 1, 2, and 3 or more in a level.

    They follow equation 26 of Chen and Goodman (1999), where n_i n-grams have count i:

        Y = n1 / (n1 + 2 n2)        D_i = i - (i + 1) Y n_(i+1) / n_i

    The result is FALLBACK_DISCOUNTS if n1, n2 or n3 is 0 or a discount is not positive.
    """
    n = np.bincount(np.minimum(counts, 5).astype(np.int64), minlength=6).tolist()
    if not (n[1] and n[2] and n[3]):
        return FALLBACK_DISCOUNTS
    y = n[1] / (n[1] + 2 * n[2])
    one, two, three = (i - (i + 1) * y * n[i + 1] / n[i] for i in (1, 2, 3))
    if min(one, two, three) <= 0:
        return FALLBACK_DISCOUNTS
    return one, two, three


def check_levels(
    tensors: Tensors, vocab_size: int, order: int, *, has_discounts: bool
) -> None:
    """Raise ValueError unless the tensors are valid levels 1 to N."""
    if order > len(tensors):
        # checked first, because a file could claim a billion levels
        raise ValueError(f"order {order:,} needs more than {len(tensors)} tensors")
    names = {f"counts.{k}" for k in range(1, order + 1)}
    names |= {f"children.{k}" for k in range(1, order)}
    names |= {f"tokens.{k}" for k in range(2, order + 1)}
    check_names(tensors, names | ({"discounts"} if has_discounts else set()))
    for name in names:
        array = tensors[name]
        if array.ndim != 1 or array.dtype.kind != "u":
            found = f"{array.dtype} {array.shape}"
            raise ValueError(f"{name} is {found}, not a vector of unsigned integers")
    size = vocab_size
    for k in range(1, order + 1):
        if tensors[f"counts.{k}"].shape != (size,):
            raise ValueError(f"counts.{k} does not have {size:,} entries")
        if k < order:
            _check_children(k, tensors, size, vocab_size)
            size = len(tensors[f"tokens.{k + 1}"])
            if not tensors[f"counts.{k + 1}"].all():
                raise ValueError(f"counts.{k + 1} contains a count of 0")
    if has_discounts:
        _check_discounts(tensors["discounts"], order)


def _check_children(k: int, tensors: Tensors, size: int, vocab_size: int) -> None:
    """Raise ValueError unless level k + 1 has the sorted children of level k."""
    children, tokens = tensors[f"children.{k}"], tensors[f"tokens.{k + 1}"]
    # each entry is bounded first, so that the sum cannot overflow
    is_whole = len(children) == size and not (children > len(tokens)).any()
    if not is_whole or int(children.sum(dtype=np.uint64)) != len(tokens):
        raise ValueError(
            f"children.{k} does not match {size:,} and {len(tokens):,} n-grams"
        )
    if (tokens >= vocab_size).any():
        raise ValueError(f"tokens.{k + 1} has tokens above {vocab_size - 1:,}")
    parents = np.repeat(np.arange(size), children.astype(np.int64))
    if (np.diff(parents * vocab_size + tokens.astype(np.int64)) <= 0).any():
        raise ValueError(f"tokens.{k + 1} is not in order")


def _check_discounts(values: npt.NDArray[Any], order: int) -> None:
    if values.shape != (order, 3) or values.dtype.kind != "f":
        found = f"{values.dtype} {values.shape}"
        raise ValueError(f"the discounts are {found}, not 3 per level")
    # written so that NaN fails
    if not ((values >= 0) & (values <= (1, 2, 3))).all():
        raise ValueError("the discounts are not between 0 and their counts")


def ranges(firsts: Ids, lengths: Ids) -> Ids:
    """Concatenate the ranges: firsts [5, 9], lengths [2, 3] -> [5, 6, 9, 10, 11]."""
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total) + np.repeat(firsts - ends + lengths, lengths)


def _smallest(array: AnyIds) -> npt.NDArray[np.unsignedinteger[Any]]:
    """Return the array in the smallest unsigned integer type that holds it."""
    return array.astype(np.min_scalar_type(int(array.max(initial=0))))
