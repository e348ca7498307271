"""Counts of n-grams as sorted arrays: all that an n-gram model learns.

The n-grams of one length are a level, in the order of their tokens, so that those with
one context stand side by side and levels form a tree: the children of an n-gram are
the n-grams that are one token longer. A level of n_k n-grams is three arrays:

    tokens.k (n_k,)     the last token of each; level 1 has all V and no such array
    counts.k (n_k,)     how often each was seen
    children.k (n_k,)   how many children each has; not at the last level

Texts don't run into each other: an n-gram lies within a document, which opens with the
boundary, and closes with it where the end is learned.

Letters: N order, V vocabulary, D documents, n_k n-grams of length k.
"""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from charrnn.models.base import check_names
from charrnn.tokenizers.base import BOUNDARY, AnyIds, Ids

# (D1, D2, D3+) where a level is too small or odd to tell, as KenLM chooses them
FALLBACK_DISCOUNTS = (0.5, 1.0, 1.5)

Arrays = dict[str, AnyIds]


def count_ngrams(
    tokens: AnyIds,
    starts: Ids,
    lengths: Ids,
    *,
    vocab_size: int,
    continuations: bool,
) -> Iterator[Arrays]:
    """Yield the levels 1 to N of the n-grams of documents, for N = 1, 2, ... endlessly.

    Each array has its name; those of level N - 1 and below serve longer orders, too.
    tokens: (n,), the documents. starts, lengths: (D,), where the opening boundary of
    each is, and its tokens to predict after that.

    Counts are of how often an n-gram occurs; with `continuations`, below the last
    level, of how many different tokens come before it (Kneser and Ney 1995). Nothing
    comes before an opening boundary, so n-grams that begin with it keep their own.
    Time and memory grow with the tokens times N: no n-gram is an object.
    """
    begins = ranges(starts, lengths)
    lasts = np.repeat(starts + lengths, lengths)
    #: of the n-gram that begins at each place, its index in the level
    index: Ids = tokens.astype(np.int64)
    size = vocab_size
    counts: Ids = np.bincount(tokens[begins + 1], minlength=size)
    opens = np.zeros(size, bool)  # a boundary to predict is an end
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
        examples = begins[by_key[firsts]]  # where one of each n-gram begins
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
    """Return D1, D2 and D3+ of a level: what to take off counts of 1, 2, 3 and more.

    Chen and Goodman 1999, equation 26, where n_i n-grams have the count i:

        Y = n1 / (n1 + 2 n2)        D_i = i - (i + 1) Y n_(i+1) / n_i

    Nothing can be said if one of n1, n2, n3 is 0, and nothing of use if a discount is
    not in (0, i]: then all three are the fallback.
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
    tensors: Mapping[str, npt.NDArray[Any]],
    vocab_size: int,
    order: int,
    *,
    has_discounts: bool,
) -> None:
    """Raise ValueError unless the tensors are levels 1 to N that can be searched."""
    if order > len(tensors):
        # first, so that a file that claims a billion levels costs no time
        raise ValueError(f"order {order:,}, but {len(tensors)} tensors")
    names = {f"counts.{k}" for k in range(1, order + 1)}
    names |= {f"children.{k}" for k in range(1, order)}
    names |= {f"tokens.{k}" for k in range(2, order + 1)}
    check_names(tensors, names | ({"discounts"} if has_discounts else set()))
    for name in names:
        array = tensors[name]
        if array.ndim != 1 or array.dtype.kind != "u":
            raise ValueError(
                f"{name} is {array.dtype} {array.shape}, not a row of counts"
            )
    size = vocab_size
    for k in range(1, order + 1):
        if tensors[f"counts.{k}"].shape != (size,):
            raise ValueError(f"counts.{k} is not of {size:,} n-grams")
        if k < order:
            _check_children(k, tensors, size, vocab_size)
            size = len(tensors[f"tokens.{k + 1}"])
            if not tensors[f"counts.{k + 1}"].all():
                raise ValueError(f"counts.{k + 1} has n-grams that were never seen")
    if has_discounts:
        _check_discounts(tensors["discounts"], order)


def _check_children(
    k: int, tensors: Mapping[str, npt.NDArray[Any]], size: int, vocab_size: int
) -> None:
    """Raise ValueError unless level k + 1 is the children of level k, in order."""
    children, tokens = tensors[f"children.{k}"], tensors[f"tokens.{k + 1}"]
    # one by one first, so that the sum is within its integers
    is_whole = len(children) == size and not (children > len(tokens)).any()
    if not is_whole or int(children.sum(dtype=np.uint64)) != len(tokens):
        raise ValueError(f"children.{k} is not of {size:,} and {len(tokens):,} n-grams")
    if (tokens >= vocab_size).any():
        raise ValueError(f"tokens.{k + 1} has tokens above {vocab_size - 1:,}")
    parents = np.repeat(np.arange(size), children.astype(np.int64))
    if (np.diff(parents * vocab_size + tokens.astype(np.int64)) <= 0).any():
        raise ValueError(f"tokens.{k + 1} is not in order")


def _check_discounts(values: npt.NDArray[Any], order: int) -> None:
    if values.shape != (order, 3) or values.dtype.kind != "f":
        raise ValueError(f"discounts are {values.dtype} {values.shape}, not 3 a level")
    # NaN is in no range
    if not ((values >= 0) & (values <= (1, 2, 3))).all():
        raise ValueError("discounts are not all between 0 and the count they are for")


def ranges(firsts: Ids, lengths: Ids) -> Ids:
    """Return first, first + 1, ... for each range, end to end: (sum of lengths,)."""
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total) + np.repeat(firsts - ends + lengths, lengths)


def _smallest(array: AnyIds) -> npt.NDArray[np.unsignedinteger[Any]]:
    """Return the array in the smallest unsigned integers that hold it."""
    return array.astype(np.min_scalar_type(int(array.max(initial=0))))
