"""The n-gram language model: the next token by what followed the last N - 1 before.

The counts of `ngram_counts.py` make a tree whose nodes are n-grams, the root the empty
one; a context is a node and what followed it are its children. At every context h

    p(w | h) = weight(h w) + backoff(h) p(w | h')       h' is h without its first token

where h' of the empty context is uniform over V, and a context that was never seen says
nothing of its own: p(w | h) = p(w | h'). With c the count of a node, c(h) the sum over
the children of h:

    kneser-ney   weight(h w) = (c(h w) - D(c(h w))) / c(h)
                 backoff(h) = sum of D(c(h w)) over the children / c(h)
    addk         p(w | h) = (c(h w) + k) / (c(h) + k V), of the whole context only
    mle          the same with k = 0; uniform where c(h) = 0, as 0 / 0 says nothing

Kneser-Ney is interpolated and modified, as in Chen and Goodman 1999, section 3. A
token that mle never saw in a context has a probability of 0 there: its logit is -inf
and a text that has it costs infinitely many nats.

Letters: B batch, T time, V vocabulary, N order, R rows, M nodes, C contexts.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from charrnn.models.base import ConfiguredModel, Floats, Reals, State, Tokens
from charrnn.models.ngram.config import NgramConfig
from charrnn.models.ngram.counts import check_levels, count_ngrams, discounts
from charrnn.models.ngram.tree import UNKNOWN, NgramTree
from charrnn.tokenizers.base import AnyIds, Ids

# numbers in the table of whole distributions: those after short contexts, which have
# most children, need not be summed at every place
TABLE_SIZE = 1 << 20


class NgramModel(ConfiguredModel):
    """Counts, and the probabilities that follow from them.

    tensors: the levels of `ngram_counts.py`, and of Kneser-Ney discounts (N, 3).
    """

    family = "ngram"
    config_type = NgramConfig
    config: NgramConfig

    def __init__(
        self, config: NgramConfig, tensors: Mapping[str, npt.NDArray[Any]]
    ) -> None:
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
        cls, config: NgramConfig, tokens: AnyIds, starts: Ids, lengths: Ids
    ) -> Self:
        """Count the n-grams of documents, given as in `count_ngrams`."""
        orders = cls.fit_orders(config, tokens, starts, lengths, least=config.order)
        return next(orders)

    @classmethod
    def fit_orders(
        cls,
        config: NgramConfig,
        tokens: AnyIds,
        starts: Ids,
        lengths: Ids,
        *,
        least: int = 1,
    ) -> Iterator[Self]:
        """Yield models of the least order, one more, and so on; all count once."""
        is_interpolated = config.smoothing == "kneser-ney"
        counted = count_ngrams(
            tokens,
            starts,
            lengths,
            vocab_size=config.vocab_size,
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
        """How long its n-grams are and how they are smoothed; of no text, uniform."""
        return self.config.title if self.parameters else "uniform"

    @property
    def parameters(self) -> int:
        """How many different n-grams it has seen, of all lengths."""
        levels = range(1, self.config.order + 1)
        return sum(int(np.count_nonzero(self._tensors[f"counts.{k}"])) for k in levels)

    @property
    def step_work(self) -> int:
        """Next to nothing: a step looks at few of the numbers."""
        return self.vocab_size

    def initial_state(self, batch: int) -> State:
        """Return the paths before any token, (B, N) in one array: all the root."""
        return (np.zeros((batch, self.config.order), np.int64),)

    def forward(self, tokens: Tokens, state: State) -> tuple[Floats, State]:
        """Return the logits (B, T, V) after each token of (B, T), and the state."""
        probabilities, after = self.probabilities(tokens, state)
        with np.errstate(divide="ignore"):  # mle: the logarithm of 0 is -inf
            return np.log(probabilities.astype(np.float32)), after

    def probabilities(self, tokens: Tokens, state: State) -> tuple[Reals, State]:
        """Return p(. | all before) (B, T, V) after each token, and the state."""
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
        """Return the weight of every node (M,), the backoff of every context (C + 1,).

        The last backoff is that of UNKNOWN, which leaves all to the shorter context.
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
        """Make the distributions after short contexts, a row (V,) for each node."""
        tree = self._tree
        first, last = 0, 1  # the nodes of a level
        self._table = tree.mix(np.zeros((1, 1), np.int64), self._table)
        shorter = np.zeros(1, np.int64)  # each of them without its first token
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
        """Return p(. | h) (R, V) after each of the paths (R, N)."""
        if not self._is_interpolated:
            return self._tree.mix(paths[:, -1:], self._table)
        edge = self._depth + 1
        # nodes rise with their length, and UNKNOWN is below all
        base = self._table[paths[:, :edge].max(axis=1)]
        # soon after an opening boundary several entries are one node: count it once
        is_again = paths[:, edge:] == paths[:, edge - 1 : -1]
        return self._tree.mix(np.where(is_again, UNKNOWN, paths[:, edge:]), base)

    def _one_distribution(self, path: list[int]) -> Reals:
        """Return p(. | h) (V,) after a path of N nodes: `_distributions` of one."""
        if not self._is_interpolated:
            return self._tree.mix_one(path[-1:], self._table[0])
        edge = self._depth + 1
        base = max(path[:edge])
        longer = sorted(node for node in set(path[edge:]) if node > base)
        return self._tree.mix_one(longer, self._table[base])
