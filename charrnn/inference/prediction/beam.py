"""Beam search: the most likely outputs of a model, from a given state.

The search maximizes this score of an output y of n tokens, including its end:

    score(y) = ln P(y) / n^alpha

With alpha = 0, the score is the log-probability, which favours short outputs. With
alpha = 1, it is the mean log-probability per token.

Each row of a batch has its own beam: its most likely prefixes, all of the same length.
An output that ends leaves the beam, which then shrinks by one (Bahdanau et al. 2015).
The prefix that greedy search (a beam of 1) would choose is always kept, so the result
is never worse than with greedy search. If the beam has room for every output and every
prefix, the search is exhaustive.

A row is finished once it has the requested number of outputs and no prefix can lead to
a better score than theirs. Requesting more outputs does not change the first ones.

Shape letters: R rows, K prefixes in all beams, V vocabulary.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from charrnn.fields import check, option
from charrnn.inference.threads import in_groups
from charrnn.models.base import (
    ConditionalModel,
    LanguageModel,
    Reals,
    State,
    log_softmax,
    padded,
)
from charrnn.tokenizers.base import BOUNDARY, Ids

Bools = npt.NDArray[np.bool_]
Key = Callable[[Ids], Hashable]

ROWS: Final = 64  #: maximum number of inputs that are searched together
ROW_TOKENS: Final = 1 << 15  #: maximum of their tokens times the beam


@dataclass(frozen=True)
class SearchConfig:
    """Options of a search.

    num: the maximum number of outputs. never: tokens that are not generated. If the
    boundary is one of them, outputs have no end, and n does not count it.
    """

    beam: int = option(
        5,
        at_least=1,
        at_most=1000,
        help="Beam width: number of prefixes that the search keeps; 1 is greedy.",
    )
    alpha: float = 0.0
    num: int = 1
    never: Sequence[int] = ()

    def __post_init__(self) -> None:
        check(self)


class Hypothesis(NamedTuple):
    """An output: its tokens without the end, -ln P with the end, and its score."""

    ids: Ids
    nats: float
    score: float


class Prefixes(NamedTuple):
    """All prefixes of n tokens, ids (K, n), of rows (K,) in ascending order."""

    rows: Ids
    nats: Reals
    is_greedy: Bools
    ids: Ids


class Extensions(NamedTuple):
    """Prefixes (given by index), each extended by one token; all arrays are (K,).

    nats: the nats of each extended prefix.
    """

    parents: Ids
    tokens: Ids
    nats: Reals
    is_greedy: Bools


@dataclass
class Outputs:
    """The outputs of a row by key, in the order in which they were found."""

    config: SearchConfig
    longest: int  #: maximum number of tokens, including the end
    found: dict[Hashable, Hypothesis] = field(default_factory=dict)

    def add(self, key: Hashable, ids: Ids, nats: float, tokens: int) -> None:
        """Add an output of `tokens` tokens, unless a better one has the same key."""
        new = Hypothesis(ids, nats, -nats / tokens**self.config.alpha)
        old = self.found.get(key)
        if old is None or new.score > old.score:
            self.found[key] = new

    def are_final(self, nats: float) -> bool:
        """Return whether no prefix with at least `nats` can lead to a better output."""
        bound = -nats / self.longest**self.config.alpha
        final = sum(output.score >= bound for output in self.found.values())
        return bool(final >= self.config.num)

    def best(self) -> list[Hypothesis]:
        """Return the best outputs, best first."""
        ordered = sorted(self.found.values(), key=lambda output: -output.score)
        return ordered[: self.config.num]


def search(
    model: LanguageModel,
    state: State,
    lengths: Ids,
    config: SearchConfig,
    *,
    key: Key = tuple,
    first: int = BOUNDARY,
) -> list[list[Hypothesis]]:
    """Return the best outputs of each row, best first. No row affects another.

    state: the state of R rows before the first token. lengths: the maximum number of
    tokens in an output without its end, (R,), at least 1; after that many tokens, only
    the end is possible. key: if several outputs have the same key, such as the same
    text, only the best one is returned. first: the token before the outputs.
    """
    R = len(lengths)
    outputs = [Outputs(config, int(length) + 1) for length in lengths]
    free = np.full(R, config.beam)  # free places in each row's beam
    beams = Prefixes(
        np.arange(R), np.zeros(R), np.ones(R, bool), np.empty((R, 0), np.int64)
    )
    latest = np.full(R, first)
    while len(latest):
        logits, after = model.forward(latest[:, None], state)
        log_p = np.asarray(log_softmax(logits[:, 0]), np.float64)
        tokens_read = beams.ids.shape[1]
        _forbid(log_p, tokens_read >= lengths[beams.rows], config.never)
        new = _extended(beams, log_p, free)
        rows, ids = beams.rows[new.parents], beams.ids[new.parents]
        extended = np.column_stack([ids, new.tokens])
        has_ended = new.tokens == BOUNDARY
        free -= np.bincount(rows[has_ended], minlength=R)
        if BOUNDARY in config.never:
            ids, has_ended = extended, tokens_read + 1 >= lengths[rows]
        for i in np.flatnonzero(has_ended).tolist():
            nats = float(new.nats[i])
            outputs[rows[i]].add(key(ids[i]), ids[i], nats, tokens_read + 1)
        best = np.full(R, np.inf)
        np.minimum.at(best, rows, np.where(has_ended, np.inf, new.nats))
        final = np.array(
            [row.are_final(float(n)) for row, n in zip(outputs, best, strict=True)]
        )
        live = np.flatnonzero(~has_ended & ~final[rows])
        parents = new.parents[live]
        state = _selected(state, after, parents, beams.rows)
        beams = Prefixes(
            rows[live], new.nats[live], new.is_greedy[live], extended[live]
        )
        latest = new.tokens[live]
    return [row.best() for row in outputs]


def search_inputs(
    model: ConditionalModel,
    sources: Sequence[Ids],
    lengths: Sequence[int],
    config: SearchConfig,
    *,
    key: Key = tuple,
) -> list[list[Hypothesis]]:
    """Return the best outputs for each input, as `search` does. Threads share the work.

    sources: arrays (n,) of ids without boundaries. lengths: see `search`. Inputs of
    similar length are searched together, in batches of limited size.
    """

    def searched(group: list[int]) -> list[list[Hypothesis]]:
        state = model.read(*padded([sources[i] for i in group]))
        longest = np.array([lengths[i] for i in group])
        return search(model, state, longest, config, key=key)

    sizes = [config.beam * (len(source) + 1) for source in sources]
    return in_groups(searched, sizes, most_rows=ROWS, most_tokens=ROW_TOKENS)


def _forbid(log_p: Reals, is_longest: Bools, never: Sequence[int]) -> None:
    """Set the log-probabilities (K, V) of tokens that must not follow to -inf."""
    log_p[:, list(never)] = -np.inf
    if BOUNDARY not in never:
        log_p[is_longest, BOUNDARY + 1 :] = -np.inf


def _extended(beams: Prefixes, log_p: Reals, free: Ids) -> Extensions:
    """Return the best extensions of the prefixes, up to `free` (R,) in each row."""
    nats = beams.nats[:, None] - log_p  # (K, V)
    K, V = nats.shape
    each = np.arange(K)
    rank = nats.copy()
    greedy = nats.argmin(axis=1)
    rank[each, greedy] = -np.inf  # ranks it first, even in a tie
    count = min(V, int(free.max()))
    tokens = np.argpartition(rank, count - 1, axis=1)[:, :count].ravel()
    parents = np.repeat(each, count)
    is_greedy = beams.is_greedy[parents] & (tokens == greedy[parents])
    costs, rows = nats[parents, tokens], beams.rows[parents]
    order = np.lexsort((tokens, parents, np.where(is_greedy, -np.inf, costs), rows))
    ordered = rows[order]
    place = np.arange(len(order)) - np.searchsorted(ordered, ordered)
    kept = order[(place < free[ordered]) & (costs[order] < np.inf)]
    return Extensions(parents[kept], tokens[kept], costs[kept], is_greedy[kept])


def _selected(before: State, after: State, parents: Ids, rows: Ids) -> State:
    """Return the state after the last token of each parent.

    An array that the model returned unchanged, such as the memory of a translator, is
    the same for all prefixes of a row. It is copied only when the rows change.
    """
    is_same = np.array_equal(rows[parents], rows)
    return tuple(
        new if is_same and new is old else new[parents]
        for old, new in zip(before, after, strict=True)
    )
