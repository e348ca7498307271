"""Batches of labelled examples: each row is an output with its whole input.

Rows are grouped by length, so that batches contain little padding.

Shape letters: B batch, T time, S source time.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import pairwise

import numpy as np

from charrnn.data.batches import IGNORE, Batch, Rows, assemble
from charrnn.data.segments import group, noisy_order
from charrnn.data.store import Part
from charrnn.tokenizers.base import BOUNDARY, Ids, Tokenizer

VALIDATION_TOKENS = 16_384  #: input and output tokens in a validation batch
VALIDATION_LOGITS = 1 << 25  #: with many labels, their number in a batch


class ExampleBatches:
    """Training batches with similar numbers of tokens, as a function of the step.

    batch: the number of rows in a batch of rows of average length; batches of longer
    rows have fewer rows.
    """

    def __init__(self, part: Part, *, batch: int, seed: int) -> None:
        self._part = part
        self._seed = seed
        self._lengths = row_lengths(part)
        budget = round(batch * float(self._lengths.mean()))
        # sorted by length, the examples of batch j are always cuts[j]:cuts[j+1]
        self._cuts = group(np.bincount(self._lengths), budget)
        self.steps_per_epoch = len(self._cuts) - 1

    def batch(self, step: int) -> Batch:
        """Return the batch of a step, counted from 0 over all epochs."""
        epoch, k = divmod(step, self.steps_per_epoch)
        by_length, order = self._epoch(epoch)
        chosen = by_length[self._cuts[order[k]] : self._cuts[order[k] + 1]]
        return batch_of(self._part, chosen.astype(np.int64))

    @lru_cache(maxsize=1)  # noqa: B019 - one object per run
    def _epoch(self, epoch: int) -> tuple[Ids, Ids]:
        rng = np.random.default_rng([self._seed, epoch])
        by_length = noisy_order(self._lengths.astype(np.uint32), rng)
        return by_length, rng.permutation(self.steps_per_epoch)


def validation_order(part: Part) -> list[Ids]:
    """Return the numbers of the examples in each validation batch, shortest first."""
    lengths = row_lengths(part)
    order = np.argsort(lengths, kind="stable")
    labels = int(part.tokens.max(initial=0)) + 1
    budget = min(VALIDATION_TOKENS, VALIDATION_LOGITS // labels)
    cuts = group(np.bincount(lengths), budget)
    return [order[first:last] for first, last in pairwise(cuts)]


def validation_examples(part: Part) -> Iterator[list[Batch]]:
    """Yield groups of one batch each; together they contain every output once."""
    for chosen in validation_order(part):
        yield [batch_of(part, chosen)]


def batch_of(part: Part, chosen: Ids) -> Batch:
    """Return the examples with these numbers, (B,), as the rows of one batch."""
    source = inputs_of(part)
    rows = Rows(
        part.starts[chosen],
        part.lengths[chosen],
        np.ones(len(chosen), bool),
        np.zeros(len(chosen), np.int64),
    )
    outputs = assemble(part, rows, ~rows.fresh)
    lengths = np.asarray(source.lengths[chosen], np.int64)
    s = np.arange(int(lengths.max()))[:, None]
    places = np.minimum(source.starts[chosen] + 1 + s, len(source.tokens) - 1)
    tokens = source.tokens[places].astype(np.int64)
    inputs = np.where(s < lengths, tokens, BOUNDARY)
    return Batch(outputs.inputs, outputs.targets, outputs.carried, inputs, lengths)


def inputs_of(part: Part) -> Part:
    """Return the inputs of a part of labelled data."""
    assert part.source is not None
    return part.source


def row_lengths(part: Part) -> Ids:
    """Return the number of input and output tokens of each example."""
    return np.asarray(part.lengths + inputs_of(part).lengths, np.int64)


def targets_of(part: Part) -> tuple[Ids, Ids]:
    """Return the targets (N,) and the number of each target's example (N,).

    Both are in the order of the validation batches.
    """
    targets, examples = [], []
    for chosen in validation_order(part):
        batch = batch_of(part, chosen)
        is_target = batch.targets != IGNORE
        targets.append(batch.targets[is_target])
        examples.append(np.broadcast_to(chosen, is_target.shape)[is_target])
    return np.concatenate(targets), np.concatenate(examples)


def aligned(outputs: Iterable[Ids], part: Part) -> Ids:
    """Return the token (N,) that the outputs have at the position of each target.

    outputs: ids (n,) for each example of the part, without boundaries. If an output is
    right, its tokens equal the targets.
    """
    listed, found = list(outputs), []
    for chosen in validation_order(part):
        targets = batch_of(part, chosen).targets
        tokens = np.full_like(targets, IGNORE)
        for row, number in enumerate(chosen.tolist()):
            ids = np.append(listed[number], BOUNDARY)[: len(targets)]
            tokens[: len(ids), row] = ids
        found.append(tokens[targets != IGNORE])
    return np.concatenate(found)


def texts_of(
    part: Part, tokenizer: Tokenizer, chosen: Iterable[int] | None = None
) -> list[str]:
    """Return documents of a part as texts: all, or those with the chosen numbers."""
    numbers = range(len(part.lengths)) if chosen is None else chosen
    return [tokenizer.decode(ids) for ids in ids_of(part, numbers)]


def ids_of(part: Part, chosen: Iterable[int]) -> list[Ids]:
    """Return the documents with the chosen numbers, as ids without boundaries."""
    found = []
    for number in chosen:
        first = int(part.starts[number]) + 1
        ids = part.tokens[first : first + int(part.lengths[number])]
        found.append(ids[ids != BOUNDARY].astype(np.int64))
    return found
