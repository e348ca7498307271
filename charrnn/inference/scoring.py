"""How likely a text is: sums that add up, whatever the tokenizer.

P(text) is the product of its tokens' probabilities. Every token is predicted exactly
once, the first from the boundary. A `Score` keeps sums (nats, and how much text they
are for), so that scores of texts add, and each unit is one division at the end.
"""

from collections.abc import Iterator, Sequence

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

ROWS = 512  # texts side by side: with 256 rows a thread a product is at its fastest

SHORT = 32  # below it a difference in length costs next to nothing

BLOCK_TOKENS = 8192  # tokens scored at once

BLOCK_LOGITS = 1 << 22  # but no more logits than that: they are the memory needed


def next_token_scores(
    model: LanguageModel, ids: Ids, *, context: Ids | None = None
) -> Iterator[Floats]:
    """Yield the log-probabilities of every token at each place of a text, in blocks.

    ids: (n,), without boundaries. The blocks (k, V) add up to n rows, in nats; row i
    is ln p(. | context, ids[:i]).
    """
    before = _opening(context)
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
    """Return -ln p of each token of each text given all before it, in nats.

    texts: arrays (n,) of ids without boundaries; results (n,), or (n+1,) with `end`,
    where the text's end is one more event. Each text is read from a fresh state. The
    context is read first and not counted. Texts run side by side in order of length,
    so that little is padding.
    """
    results: list[Nats] = [np.empty(0)] * len(texts)
    before = _opening(context)
    for group in _of_like_length(texts):
        scored = _side_by_side(model, before, [texts[i] for i in group], end)
        for i, nats in zip(group, scored, strict=True):
            results[i] = nats
    return results


def part_nats(model: LanguageModel, part: Part) -> Nats:
    """Return -ln p of every target of a part, (N,), as `validation_batches` has them.

    The order of the targets is that of the batches, each (T, B) row by row.
    """

    def score(inputs: Ids, targets: Ids, state: State) -> tuple[Floats, State]:
        logits, state = model.forward(inputs, state)
        return token_nats(logits, targets), state

    found: list[Nats] = []
    for group in validation_batches(part):
        rows = len(group[0].carried)
        state, step = model.initial_state(rows), _steps(model, rows)
        with in_threads(score, model, rows) as scored:
            for batch in group:
                for at in range(0, len(batch.targets), step):
                    inputs = batch.inputs[at : at + step].T
                    targets = batch.targets[at : at + step].T
                    # what is not predicted has some nats too, which are not counted
                    nats, state = scored(inputs, np.maximum(targets, 0), state)
                    found.append(nats.T[targets.T != IGNORE].astype(np.float64))
    return np.concatenate([np.empty(0), *found])


def part_score(model: LanguageModel, part: Part) -> Score:
    """Return the score of a part: each target once, state carried inside a document."""
    return score_of(part_nats(model, part), part)


def score_of(nats: Nats, part: Part) -> Score:
    """Return the score of a part whose targets cost so many nats, (N,)."""
    sizes = part.characters, part.bytes, part.words
    return Score(float(nats.sum()), len(nats), *sizes, part.unknown)


def _of_like_length(texts: Sequence[Ids]) -> Iterator[list[int]]:
    """Yield the indices of texts in groups, within which none is twice as long."""
    group: list[int] = []
    for i in sorted(range(len(texts)), key=lambda i: len(texts[i])):
        limit = 2 * len(texts[group[0]]) + SHORT if group else 0
        if group and (len(group) == ROWS or len(texts[i]) > limit):
            yield group
            group = []
        group.append(i)
    if group:
        yield group


def _side_by_side(
    model: LanguageModel, before: Ids, texts: Sequence[Ids], end: bool
) -> list[Nats]:
    """Score texts of like length as the rows of one batch."""
    lengths = [len(before) + len(text) - 1 + end for text in texts]
    T = max(lengths)
    sequence = np.full((len(texts), T + 1), BOUNDARY, np.int64)
    for row, text in zip(sequence, texts, strict=True):
        row[: len(before)] = before
        row[len(before) : len(before) + len(text)] = text
    nats = np.empty((len(texts), T))
    state = model.initial_state(len(texts))
    step = _steps(model, len(texts))

    def score(inputs: Ids, targets: Ids, state: State) -> tuple[Floats, State]:
        logits, state = model.forward(inputs, state)
        return token_nats(logits, targets), state

    with in_threads(score, model, len(texts)) as scored:
        for at in range(0, T, step):
            inputs = sequence[:, at : min(at + step, T)]
            targets = sequence[:, at + 1 : min(at + step, T) + 1]
            nats[:, at : at + step], state = scored(inputs, targets, state)
    skipped = len(before) - 1
    return [row[skipped:n] for row, n in zip(nats, lengths, strict=True)]


def _steps(model: LanguageModel, rows: int) -> int:
    """Return how many tokens of so many texts are scored at once."""
    tokens = min(BLOCK_TOKENS, BLOCK_LOGITS // model.vocab_size)
    return max(1, tokens // rows)


def _opening(context: Ids | None) -> Ids:
    """Return what is read before a text: the boundary, then the context."""
    return np.concatenate([[BOUNDARY], () if context is None else context]).astype(int)
