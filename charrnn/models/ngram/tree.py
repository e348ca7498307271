"""The tree of n-grams as arrays, to look up contexts and their next tokens.

A node is an n-gram, and its children extend it by one token. Nodes are numbered level
by level, sorted by their tokens: 0 is the root, 1 + w is the token w, and longer
n-grams follow. So the children of a node are consecutive.

The state of a text is its *path*, N nodes. Node k is the n-gram of the last k tokens,
truncated at the opening boundary, or UNKNOWN if it was never seen.

For a single token, as in sampling, `step` and `mix_one` replace `walk` and `mix`. They
use Python numbers, which are faster than arrays of one element.

Letters: B batch, T time, V vocabulary, N order, L levels, R rows, M nodes, C contexts
(nodes that may have children).
"""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

import numpy as np

from charrnn.models.base import Reals
from charrnn.models.ngram.counts import ranges
from charrnn.tokenizers.base import BOUNDARY, AnyIds, Ids

OPENING = 1 + BOUNDARY  # node of the boundary that opens a document
UNKNOWN = -1  # represents an n-gram that was never seen
FEW_CHILDREN = 16  # up to this many, a loop is faster than array operations


class NgramTree:
    """The children of every context, with their weights and the context's backoff."""

    def __init__(
        self, vocab_size: int, tokens: Sequence[AnyIds], children: Sequence[AnyIds]
    ) -> None:
        """Join the levels of `counts.py`: tokens from level 2, children from level 1.

        Call `weigh` before `mix`.
        """
        V = vocab_size
        self.vocab_size = V
        self.order = len(tokens) + 1
        # number of children of each context, then 0 for UNKNOWN
        self.lengths: Ids = np.concatenate([[V], *children, [0]]).astype(np.int64)
        self.firsts: Ids = 1 + np.cumsum(self.lengths) - self.lengths
        # last token of every node; 0 is a placeholder for the root
        self.tokens: Ids = np.concatenate([[0], np.arange(V), *tokens]).astype(np.int64)
        #: parent of every node except the root, (M - 1,)
        self.parents = np.repeat(np.arange(len(self.lengths)), self.lengths)
        inner = len(self.lengths) - 1
        keys = self.parents[: inner - 1] * V + self.tokens[1:inner]
        # the last key is a sentinel, so that every search returns a valid index
        self._keys = np.append(keys, np.iinfo(np.int64).max)
        self._firsts = self.firsts.data
        self._lengths = self.lengths.data
        self._tokens = self.tokens.data

    def weigh(self, weights: Reals, backoffs: Reals) -> None:
        """Set the weights of nodes, and the backoffs of contexts and of UNKNOWN."""
        self._weights, self._backoffs = weights, backoffs
        self._one_weight, self._one_backoff = weights.data, backoffs.data

    def child(self, nodes: Ids, tokens: Ids) -> Ids:
        """Return the child of each node for its token, or UNKNOWN.

        A child in the last level is never found.
        """
        wanted = nodes * self.vocab_size + tokens
        at = self._keys.searchsorted(wanted)
        return np.where(self._keys[at] == wanted, at + 1, UNKNOWN)

    def walk(self, tokens: Ids, path: Ids) -> Ids:
        """Return the paths (B, T + 1, N) before and after each token of (B, T).

        path: (B, N), the path before the first token. Node k of a path is a child of
        node k - 1 of the previous path.
        """
        B, T = tokens.shape
        paths = np.zeros((B, T + 1, self.order), np.int64)
        paths[:, 0] = path
        opens = tokens == BOUNDARY
        if T == 1:  # for 8 rows, this is three times as fast as the loop
            found = self.child(path[:, :-1], tokens)
            paths[:, 1, 1:] = np.where(opens, OPENING, found)
            return paths
        for k in range(1, self.order):
            found = self.child(paths[:, :-1, k - 1], tokens)
            paths[:, 1:, k] = np.where(opens, OPENING, found)
        return paths

    def mix(self, nodes: Ids, base: Reals) -> Reals:
        """Return p(. | h) (R, V), given the nodes of contexts (R, L), longest last.

        base: p(. | h') of the next shorter context, (R, V) or (1, V). Let h_L be the
        longest context, and s_l the product of backoff(h_m) over m > l:

            p(w | h_L) = sum over l of s_l weight(h_l w)  +  s_0 base(w)
        """
        R, L = nodes.shape
        V = self.vocab_size
        shares = np.ones((R, L + 1))
        np.cumprod(self._backoffs[nodes[:, ::-1]], axis=1, out=shares[:, 1:])
        lengths = self.lengths[nodes]
        children = ranges(self.firsts[nodes].ravel(), lengths.ravel())
        weights = self._weights[children]
        weights *= np.repeat(shares[:, -2::-1].ravel(), lengths.ravel())
        rows = np.repeat(np.arange(0, R * V, V), lengths.sum(axis=1))
        cells = rows + self.tokens[children]
        own = np.bincount(cells, weights, minlength=R * V).reshape(R, V)
        return own + shares[:, -1:] * base

    def step(self, token: int, path: list[int]) -> list[int]:
        """Return the path after a token."""
        if token == BOUNDARY:
            return [0] + [OPENING] * (self.order - 1)
        firsts, lengths, tokens = self._firsts, self._lengths, self._tokens
        after = [0]
        for node in path[:-1]:
            first = firsts[node]
            end = first + lengths[node]
            at = bisect_left(tokens, token, first, end)
            after.append(at if at < end and tokens[at] == token else UNKNOWN)
        return after

    def mix_one(self, nodes: list[int], base: Reals) -> Reals:
        """Return p(. | h) (V,), given the nodes of one context, longest last.

        base: p(. | h') of the next shorter context, (V,).
        """
        share, found = 1.0, []
        for node in reversed(nodes):
            if node != UNKNOWN:
                first = self._firsts[node]
                last = first + self._lengths[node]
                found.append((first, last, share))
                share *= self._one_backoff[node]
        mixed = share * base
        cells: Any = mixed.data  # indexing this view gives Python numbers
        for first, last, share in found:
            if last - first > FEW_CHILDREN:
                tokens = self.tokens[first:last]
                mixed[tokens] += share * self._weights[first:last]
                continue
            for child in range(first, last):
                cells[self._tokens[child]] += share * self._one_weight[child]
        return mixed
