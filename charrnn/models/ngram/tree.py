"""The tree of n-grams, as arrays: which context is known, and what follows it.

A node is an n-gram and its children are the n-grams that are one token longer. Nodes
are numbered level by level: 0 is the root, 1 + w the token w, then longer ones, in the
order of their tokens, so that the children of a node are neighbours. What was read is
known by a row of N nodes, the *path*: its k-th is the last k tokens, or all since the
boundary that opened the text where these are fewer, or UNKNOWN.

A text is written token by token, and for so little Python's own numbers are faster
than arrays: `step` and `mix_one` are `walk` and `mix` for one token of one text.

Letters: B batch, T time, V vocabulary, N order, L levels, R rows, M nodes,
C contexts: nodes that may have children.
"""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

import numpy as np

from charrnn.models.base import Reals
from charrnn.models.ngram.counts import ranges
from charrnn.tokenizers.base import BOUNDARY, AnyIds, Ids

OPENING = 1 + BOUNDARY  # the node of a document's beginning
UNKNOWN = -1  # instead of a node: there is none
FEW_CHILDREN = 16  # up to so many one by one are faster than as an array


class NgramTree:
    """What follows every context: with which weight, and what is left for others."""

    def __init__(
        self, vocab_size: int, tokens: Sequence[AnyIds], children: Sequence[AnyIds]
    ) -> None:
        """Join the levels, as in `ngram_counts`: the tokens from 2, children from 1.

        What `mix` needs is set by `weigh`.
        """
        V = vocab_size
        self.vocab_size = V
        self.order = len(tokens) + 1
        # of every node that may have children, then of UNKNOWN, which has none
        self.lengths: Ids = np.concatenate([[V], *children, [0]]).astype(np.int64)
        self.firsts: Ids = 1 + np.cumsum(self.lengths) - self.lengths
        # of every node; the root has none of its own
        self.tokens: Ids = np.concatenate([[0], np.arange(V), *tokens]).astype(np.int64)
        #: (M - 1,), of every node but the root
        self.parents = np.repeat(np.arange(len(self.lengths)), self.lengths)
        inner = len(self.lengths) - 1
        keys = self.parents[: inner - 1] * V + self.tokens[1:inner]
        # a key beyond the last, so that every search lands on one
        self._keys = np.append(keys, np.iinfo(np.int64).max)
        self._firsts = self.firsts.data
        self._lengths = self.lengths.data
        self._tokens = self.tokens.data

    def weigh(self, weights: Reals, backoffs: Reals) -> None:
        """Set the weight of every node (M,), the backoff of every context (C + 1,).

        The last backoff is that of UNKNOWN.
        """
        self._weights, self._backoffs = weights, backoffs
        self._one_weight, self._one_backoff = weights.data, backoffs.data

    def child(self, nodes: Ids, tokens: Ids) -> Ids:
        """Return the child of each node that a token leads to, or UNKNOWN.

        Only children that may have children themselves are found.
        """
        wanted = nodes * self.vocab_size + tokens
        at = self._keys.searchsorted(wanted)
        return np.where(self._keys[at] == wanted, at + 1, UNKNOWN)

    def walk(self, tokens: Ids, path: Ids) -> Ids:
        """Return the paths (B, T + 1, N) before and after each token of (B, T).

        path: (B, N), before the first. The last k tokens are a child of the k - 1
        before the last.
        """
        B, T = tokens.shape
        paths = np.zeros((B, T + 1, self.order), np.int64)
        paths[:, 0] = path
        opens = tokens == BOUNDARY
        if T == 1:  # all levels at once: for 8 rows a third of the time
            found = self.child(path[:, :-1], tokens)
            paths[:, 1, 1:] = np.where(opens, OPENING, found)
            return paths
        for k in range(1, self.order):
            found = self.child(paths[:, :-1, k - 1], tokens)
            paths[:, 1:, k] = np.where(opens, OPENING, found)
        return paths

    def mix(self, nodes: Ids, base: Reals) -> Reals:
        """Return p(. | h) (R, V) for contexts of nodes (R, L), the longest last.

        base: p(. | h') of the context below the shortest, (R, V) or (1, V). With h_L
        the longest, and s_l the product of backoff(h_m) over m > l:

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
        """Return p(. | h) (V,) for a context of nodes, the longest last.

        base: p(. | h') of the context below the shortest, (V,).
        """
        share, found = 1.0, []
        for node in reversed(nodes):
            if node != UNKNOWN:
                first = self._firsts[node]
                last = first + self._lengths[node]
                found.append((first, last, share))
                share *= self._one_backoff[node]
        mixed = share * base
        cells: Any = mixed.data  # of Python's own numbers
        for first, last, share in found:
            if last - first > FEW_CHILDREN:
                tokens = self.tokens[first:last]
                mixed[tokens] += share * self._weights[first:last]
                continue
            for child in range(first, last):
                cells[self._tokens[child]] += share * self._one_weight[child]
        return mixed
