"""The n-gram language model, which predicts a token from the last N - 1 tokens.

The counts of `counts.py` form a tree of n-grams with the empty n-gram as its root. The
children of a context are the n-grams that extend it by one token. For each context h:

    p(w | h) = weight(h w) + backoff(h) p(w | h')       h' is h without its first token

The empty context backs off to the uniform distribution over V. An unseen context backs
off completely: p(w | h) = p(w | h'). Let c(h w) be the count of a node, and c(h) the
sum of the counts of the children of h:

    kneser-ney   weight(h w) = (c(h w) - D(c(h w))) / c(h)
                 backoff(h) = sum of D(c(h w)) over the children / c(h)
    addk         p(w | h) = (c(h w) + k) / (c(h) + k V), for the longest context only
    mle          the same with k = 0; uniform if c(h) = 0

Kneser-Ney is interpolated and modified (Chen and Goodman 1999, section 3). With mle, a
token never seen in a context has probability 0 there, and its logit is -inf.

Letters: B batch, T time, V vocabulary, N order, R rows, M nodes, C contexts.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from charrnn.data.store import Part
from charrnn.models.base import ConfiguredModel, Floats, Reals, State, Tensors, Tokens
from charrnn.models.ngram.config import NgramConfig
from charrnn.models.ngram.counts import check_levels, count_ngrams, discounts
from charrnn.models.ngram.tree import UNKNOWN, NgramTree
from charrnn.tokenizers.base import Ids, Tokenizers

# Maximum size of the table of distributions. It contains those after short contexts,
# because short contexts have the most children and take the most time to compute.
TABLE_SIZE = 1 << 20


class NgramModel(ConfiguredModel):
    """N-gram counts and the probabilities derived from them.

    tensors: the levels of `counts.py`, and for Kneser-Ney the discounts (N, 3).
    """

    family = "ngram"
    config_type = NgramConfig
    config: NgramConfig

    def __init__(self, config: NgramConfig, tensors: Tensors) -> None:
        V, N = config.vocab_size, config.order
        super().__init__(config, tensors)
        self._is_interpolated = config.smoothing == "kneser-ney"
        check_levels(tensors, V, N, has_discounts=self._is_interpolated)
        tokens = [tensors[f"tokens.{k}"] for k in range(2, N + 1)]
        children = [tensors[f"children.{k}"] for k in range(1, N)]
        self._tree = NgramTree(V, tokens, children)
        self._tree.weigh(*self._smooth())
        self._table, self._depth = np.full((1, V), 1 / V), 0
        if self._is_interpolated:
            self._fill_table()

    @classmethod
    def fit(
        cls, config: NgramConfig, part: Part, tokenizers: Tokenizers | None = None
    ) -> Self:
        """Count the n-grams of the documents of a part; the ids suffice for that."""
        return next(cls.fit_orders(config, part, least=config.order))

    @classmethod
    def fit_orders(
        cls, config: NgramConfig, part: Part, *, least: int = 1
    ) -> Iterator[Self]:
        """Yield models of order `least`, least + 1, ... but count only once."""
        is_interpolated = config.smoothing == "kneser-ney"
        V = config.vocab_size
        counted = count_ngrams(
            part.tokens,
            part.starts,
            part.lengths,
            vocab_size=V,
            continuations=is_interpolated,
        )
        for order, levels in enumerate(counted, 1):
            if order < least:
                continue
            tensors: dict[str, npt.NDArray[Any]] = dict(levels)
            if is_interpolated:
                counts = (levels[f"counts.{k}"] for k in range(1, order + 1))
                tensors["discounts"] = np.array([discounts(level) for level in counts])
            yield cls(replace(config, order=order), tensors)

    @property
    def title(self) -> str:
        """Order and smoothing, or "uniform" if the model has seen no text."""
        return self.config.title if self.parameters else "uniform"

    @property
    def parameters(self) -> int:
        """Number of distinct n-grams of all lengths."""
        levels = range(1, self.config.order + 1)
        return sum(int(np.count_nonzero(self._tensors[f"counts.{k}"])) for k in levels)

    @property
    def step_work(self) -> int:
        """The vocabulary size: each probability takes one multiplication."""
        return self.vocab_size

    def initial_state(self, batch: int) -> State:
        """Return the paths (B, N) before any token; all their nodes are the root."""
        return (np.zeros((batch, self.config.order), np.int64),)

    def forward(self, tokens: Tokens, state: State) -> tuple[Floats, State]:
        """Return the log-probabilities (B, T, V) and the new state."""
        probabilities, after = self.probabilities(tokens, state)
        with np.errstate(divide="ignore"):  # mle: ln 0 is -inf
            return np.log(probabilities.astype(np.float32)), after

    def probabilities(self, tokens: Tokens, state: State) -> tuple[Reals, State]:
        """Return the probabilities (B, T, V) and the new state."""
        B, T = tokens.shape
        if B == T == 1:
            path = self._tree.step(int(tokens[0, 0]), state[0][0].tolist())
            found, last = self._one_distribution(path), np.array([path])
        else:
            paths = self._tree.walk(np.asarray(tokens, np.int64), state[0])
            contexts = paths[:, 1:].reshape(B * T, self.config.order)
            found, last = self._distributions(contexts), paths[:, -1].copy()
        return found.reshape(B, T, self.vocab_size), (last,)

    def _smooth(self) -> tuple[Reals, Reals]:
        """Return the weights of nodes (M,) and the backoffs of contexts (C + 1,).

        The last backoff is for UNKNOWN. It is 1, so only the shorter context counts.
        """
        parents, contexts = self._tree.parents, len(self._tree.lengths)
        levels = [self._tensors[f"counts.{k + 1}"] for k in range(self.config.order)]
        counts = np.concatenate(levels).astype(np.float64)
        sums = np.bincount(parents, counts, minlength=contexts)
        if self._is_interpolated:
            by_count = np.insert(self._tensors["discounts"], 0, 0, axis=1)  # (N, 4)
            pairs = zip(by_count, levels, strict=True)
            taken = np.concatenate([row[np.minimum(level, 3)] for row, level in pairs])
            left = np.bincount(parents, taken, minlength=contexts)
            counts -= taken
        else:
            k = self.config.k if self.config.smoothing == "addk" else 0.0
            left = np.full(contexts, k * self.vocab_size)
            sums += left
        is_known = sums > 0
        sums[~is_known] = 1
        weights = np.append(0, counts / sums[parents])
        return weights, np.where(is_known, left / sums, 1)

    def _fill_table(self) -> None:
        """Precompute the distributions of short contexts, one row (V,) per node."""
        tree = self._tree
        first, last = 0, 1  # range of the level's nodes
        self._table = tree.mix(np.zeros((1, 1), np.int64), self._table)
        shorter = np.zeros(1, np.int64)  # each node without its first token
        for depth in range(1, self.config.order):
            children = tree.lengths[first:last]
            first, last = last, last + int(children.sum())
            if last * self.vocab_size > TABLE_SIZE:
                return
            shorter = np.repeat(shorter, children)
            if depth > 1:
                shorter = tree.child(shorter, tree.tokens[first:last])
            rows = tree.mix(np.arange(first, last)[:, None], self._table[shorter])
            self._table = np.concatenate([self._table, rows])
            self._depth = depth

    def _distributions(self, paths: Ids) -> Reals:
        """Return p(. | h) for each path: (R, N) -> (R, V)."""
        if not self._is_interpolated:
            return self._tree.mix(paths[:, -1:], self._table)
        edge = self._depth + 1
        # longer n-grams have larger node numbers, and UNKNOWN has the smallest
        base = self._table[paths[:, :edge].max(axis=1)]
        # Just after an opening boundary, a path repeats a node that must count once.
        is_again = paths[:, edge:] == paths[:, edge - 1 : -1]
        return self._tree.mix(np.where(is_again, UNKNOWN, paths[:, edge:]), base)

    def _one_distribution(self, path: list[int]) -> Reals:
        """Return p(. | h), (V,), for one path, faster than `_distributions`."""
        if not self._is_interpolated:
            return self._tree.mix_one(path[-1:], self._table[0])
        edge = self._depth + 1
        base = max(path[:edge])
        longer = sorted(node for node in set(path[edge:]) if node > base)
        return self._tree.mix_one(longer, self._table[base])
