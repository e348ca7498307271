"""The best outputs for inputs, and the probabilities of given outputs.

Shape letters: B batch, S source time, T time.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from charrnn.data.batches import IGNORE, Batch
from charrnn.data.example_batches import validation_examples
from charrnn.data.store import Part
from charrnn.inference.prediction.beam import SearchConfig, search, search_inputs
from charrnn.inference.scoring import Nats, part_nats
from charrnn.inference.threads import in_groups
from charrnn.models.base import (
    ConditionalModel,
    Floats,
    LanguageModel,
    padded,
    token_nats,
)
from charrnn.models.labeller.chains import LabelModel
from charrnn.tokenizers.base import BOUNDARY, Ids, Tokenizer, Tokenizers

ROWS: Final = 128  #: maximum number of inputs in a batch
BATCH_TOKENS: Final = 1 << 14  #: maximum number of tokens in a batch, with padding


@dataclass(frozen=True)
class Prediction:
    """An output and -ln of its probability, including its end."""

    output: str
    nats: float

    @property
    def p(self) -> float:
        """The probability of the output."""
        return math.exp(-self.nats)


def predict(
    model: ConditionalModel,
    tokenizers: Tokenizers,
    inputs: Sequence[str],
    *,
    num: int = 1,
    beam: int = 5,
) -> list[list[Prediction]]:
    """Return the best outputs for each input, best first; all are different texts.

    Inputs do not affect each other, and their order does not matter. beam: the number
    of prefixes to keep, if the model needs a search.
    """
    assert tokenizers.source
    sources = [tokenizers.source.encode(text) for text in inputs]
    output = tokenizers.output
    found: Sequence[Sequence[tuple[Any, ...]]]
    if isinstance(model, LabelModel):
        found = in_groups(
            lambda group: model.best(*padded([sources[i] for i in group]), num),
            [len(source) + 1 for source in sources],
            most_rows=ROWS,
            most_tokens=BATCH_TOKENS,
        )
    else:
        config = SearchConfig(
            beam=max(beam, num), alpha=1.0, num=num, never=output.never_generated
        )
        # outputs of a sensible translator are never longer
        lengths = [50 + 4 * len(source) for source in sources]
        found = search_inputs(model, sources, lengths, config, key=output.decode)
    return [
        [Prediction(output.decode(ids), nats) for ids, nats, *_ in row] for row in found
    ]


def continue_texts(
    model: LanguageModel,
    tokenizer: Tokenizer,
    prompts: Sequence[str],
    *,
    length: int,
    num: int = 1,
    beam: int = 5,
    learned_end: bool = True,
) -> list[list[Prediction]]:
    """Return the most likely continuations of each prompt, of up to `length` tokens."""
    never = (*tokenizer.never_generated, *[BOUNDARY] * (not learned_end))
    config = SearchConfig(beam=max(beam, num), num=num, never=never)
    results = []
    for prompt in prompts:
        state, before = model.initial_state(1), tokenizer.encode(prompt)
        if len(before):
            read = np.concatenate([[BOUNDARY], before[:-1]])[None]
            _, state = model.forward(read, state)
        first = int(before[-1]) if len(before) else BOUNDARY
        lengths = np.array([length])
        (row,) = search(
            model, state, lengths, config, key=tokenizer.decode, first=first
        )
        results.append([Prediction(tokenizer.decode(one.ids), one.nats) for one in row])
    return results


def output_nats(
    model: ConditionalModel,
    sources: Sequence[Ids],
    targets: Sequence[Ids],
    *,
    end: bool,
) -> list[Nats]:
    """Return -ln p of each token of outputs, given their inputs.

    sources, targets: arrays (n,) of ids without boundaries. end: also score the end of
    an output.
    """
    closed = [np.append(target, BOUNDARY) if end else target for target in targets]

    def score(group: list[int]) -> list[Nats]:
        state = model.read(*padded([sources[i] for i in group]))
        rows, _ = padded([closed[i] for i in group])
        before = np.column_stack([np.full(len(rows), BOUNDARY), rows[:, :-1]])
        logits, _ = model.forward(before, state)
        nats = token_nats(logits, rows).astype(np.float64)
        return [row[: len(closed[i])] for row, i in zip(nats, group, strict=True)]

    pairs = zip(sources, closed, strict=True)
    sizes = [len(source) + len(target) + 1 for source, target in pairs]
    return in_groups(score, sizes, most_rows=ROWS, most_tokens=BATCH_TOKENS)


def part_predictions(model: LanguageModel, part: Part) -> tuple[Nats, Ids | None]:
    """Return -ln p of every target of a part, and the most likely token in each place.

    Both are (N,), in the order of the validation batches. The most likely tokens are
    None unless the model reads inputs.
    """
    if isinstance(model, ConditionalModel):
        return example_predictions(model, part)
    return part_nats(model, part), None


def example_predictions(model: ConditionalModel, part: Part) -> tuple[Nats, Ids]:
    """Return the same as `part_predictions`, for a part of labelled data."""
    found, likeliest = [np.empty(0)], [np.empty(0, np.int64)]
    for batch, logits in example_logits(model, part):
        nats = token_nats(logits, np.maximum(batch.targets.T, 0)).T
        is_target = batch.targets != IGNORE
        found.append(nats[is_target].astype(np.float64))
        likeliest.append(logits.argmax(axis=-1).T[is_target])
    return np.concatenate(found), np.concatenate(likeliest)


def example_logits(
    model: ConditionalModel, part: Part
) -> Iterator[tuple[Batch, Floats]]:
    """Yield the validation batches of labelled data with their logits (B, T, V)."""
    for (batch,) in validation_examples(part):
        source, lengths = batch.inputs_read
        yield batch, model.forward(batch.inputs.T, model.read(source.T, lengths))[0]
