"""How likely a text is: -ln p of each token, given all tokens before it.

Every token is predicted exactly once, and the first one is predicted from the boundary.
P(text) is the product of the probabilities of its tokens, so a `Score` is a sum of
nats.
"""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt

from charrnn.data.batches import IGNORE
from charrnn.data.store import Part
from charrnn.data.validation import validation_batches
from charrnn.inference.score import Score
from charrnn.inference.threads import in_threads
from charrnn.models.base import Floats, LanguageModel, State, log_softmax, token_nats
from charrnn.tokenizers.base import BOUNDARY, Ids

Nats = npt.NDArray[np.float64]

ROWS = 512  # texts per batch: matrix products are fastest at 256 rows per thread
SHORT = 32  # padding a text with up to this many tokens takes almost no time
BLOCK_TOKENS = 8192  # maximum number of tokens scored at once
BLOCK_LOGITS = 1 << 22  # maximum number of logits at once, to limit memory use


def next_token_scores(
    model: LanguageModel, ids: Ids, *, context: Ids | None = None
) -> Iterator[Floats]:
    """Yield the log-probabilities of all tokens at each position, in blocks (k, V).

    ids: (n,), without boundaries. In total, the blocks have n rows. Row i contains
    ln p(. | context, ids[:i]).
    """
    before = _prefix(context)
    inputs = np.concatenate([before, ids])[None, :-1]
    skipped = len(before) - 1
    state = model.initial_state(1)
    step = _steps(model, 1)
    for at in range(0, inputs.shape[1], step):
        logits, state = model.forward(inputs[:, at : at + step], state)
        yield log_softmax(logits[0, max(0, skipped - at) :])


def batch_nats(
    model: LanguageModel,
    texts: Sequence[Ids],
    *,
    context: Ids | None = None,
    end: bool = False,
) -> list[Nats]:
    """Return -ln p of each token of each text.

    texts: arrays (n,) of ids without boundaries. The results have shape (n,), or (n+1,)
    with `end`, which also scores the end of the text. For each text, the model starts
    from a new state and reads the context. Texts of similar length share a batch, which
    saves padding.
    """
    results: list[Nats] = [np.empty(0)] * len(texts)
    before = _prefix(context)
    for group in _groups_of_similar_length(texts):
        scored = _group_nats(model, before, [texts[i] for i in group], end)
        for i, nats in zip(group, scored, strict=True):
            results[i] = nats
    return results


def part_nats(model: LanguageModel, part: Part) -> Nats:
    """Return -ln p of every target of a part, (N,), in the order of its batches.

    These are the batches (T, B) of `validation_batches`, read row by row.
    """
    found: list[Nats] = []
    for group in validation_batches(part):
        rows = len(group[0].carried)
        state, step = model.initial_state(rows), _steps(model, rows)
        with in_threads(partial(_target_nats, model), model, rows) as target_nats:
            for batch in group:
                for at in range(0, len(batch.targets), step):
                    inputs = batch.inputs[at : at + step].T
                    targets = batch.targets[at : at + step].T
                    # ignored targets are scored as token 0, then dropped
                    nats, state = target_nats(inputs, np.maximum(targets, 0), state)
                    found.append(nats.T[targets.T != IGNORE].astype(np.float64))
    return np.concatenate([np.empty(0), *found])


def part_score(model: LanguageModel, part: Part) -> Score:
    """Return the score of a part. The state is kept within each document."""
    return score_of(part_nats(model, part), part)


def score_of(nats: Nats, part: Part) -> Score:
    """Return the score of a part from the nats of its targets, (N,)."""
    return Score.of(float(nats.sum()), len(nats), part.size, part.unknown)


def _target_nats(
    model: LanguageModel, inputs: Ids, targets: Ids, state: State
) -> tuple[Floats, State]:
    logits, state = model.forward(inputs, state)
    return token_nats(logits, targets), state


def _groups_of_similar_length(texts: Sequence[Ids]) -> Iterator[list[int]]:
    """Yield groups of text indices. In each, lengths differ by little more than 2x."""
    group: list[int] = []
    for i in sorted(range(len(texts)), key=lambda i: len(texts[i])):
        limit = 2 * len(texts[group[0]]) + SHORT if group else 0
        if group and (len(group) == ROWS or len(texts[i]) > limit):
            yield group
            group = []
        group.append(i)
    if group:
        yield group


def _group_nats(
    model: LanguageModel, before: Ids, texts: Sequence[Ids], end: bool
) -> list[Nats]:
    """Score texts of similar length as the rows of one batch."""
    lengths = [len(before) + len(text) - 1 + end for text in texts]
    T = max(lengths)
    sequence = np.full((len(texts), T + 1), BOUNDARY, np.int64)
    for row, text in zip(sequence, texts, strict=True):
        row[: len(before)] = before
        row[len(before) : len(before) + len(text)] = text
    nats = np.empty((len(texts), T))
    state = model.initial_state(len(texts))
    step = _steps(model, len(texts))
    with in_threads(partial(_target_nats, model), model, len(texts)) as target_nats:
        for at in range(0, T, step):
            inputs = sequence[:, at : min(at + step, T)]
            targets = sequence[:, at + 1 : min(at + step, T) + 1]
            nats[:, at : at + step], state = target_nats(inputs, targets, state)
    skipped = len(before) - 1
    return [row[skipped:n] for row, n in zip(nats, lengths, strict=True)]


def _steps(model: LanguageModel, rows: int) -> int:
    """Return how many tokens of each row to score in one call."""
    tokens = min(BLOCK_TOKENS, BLOCK_LOGITS // model.vocab_size)
    return max(1, tokens // rows)


def _prefix(context: Ids | None) -> Ids:
    """Return the tokens that precede a text: the boundary, then the context."""
    return np.concatenate([[BOUNDARY], () if context is None else context]).astype(int)
