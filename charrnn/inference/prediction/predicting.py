"""The best outputs for inputs, and how likely given outputs are.

Shape letters: B batch, S source time, T time.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np

from charrnn.data.batches import IGNORE, Batch
from charrnn.data.example_batches import validation_examples
from charrnn.data.store import Part
from charrnn.inference.prediction.beam import SearchConfig, search, search_inputs
from charrnn.inference.scoring import Nats, part_nats
from charrnn.inference.threads import free_cores
from charrnn.models.base import (
    ConditionalModel,
    Floats,
    LanguageModel,
    State,
    Tokens,
    token_nats,
)
from charrnn.tokenizers.base import BOUNDARY, Ids, Tokenizer, Tokenizers

ROWS: Final = 128  #: maximum number of inputs in a batch
BATCH_TOKENS: Final = 1 << 14  #: maximum number of tokens in a batch, with padding


@dataclass(frozen=True)
class Prediction:
    """An output, and -ln of its probability, with its end."""

    output: str
    nats: float

    @property
    def p(self) -> float:
        """The probability of the output."""
        return math.exp(-self.nats)


class GivenInput(LanguageModel):
    """The language model of outputs that a conditional model is after an input.

    source: token ids (n,).
    """

    family = "conditional"

    def __init__(self, model: ConditionalModel, source: Ids) -> None:
        self._model = model
        self._source = padded([source])

    @property
    def vocab_size(self) -> int:
        """The vocabulary size of the outputs."""
        return self._model.vocab_size

    @property
    def step_work(self) -> int:
        """Multiplications per token."""
        return self._model.step_work

    def initial_state(self, batch: int) -> State:
        """Return the state after the input, for each row."""
        state = self._model.read(*self._source)
        return tuple(np.repeat(array, batch, axis=0) for array in state)

    def forward(self, tokens: Tokens, state: State) -> tuple[Floats, State]:
        """Return the logits (B, T, V) and the new state."""
        return self._model.forward(tokens, state)

    def config_json(self) -> dict[str, object]:
        """Return the configuration of the model."""
        return self._model.config_json()

    def tensors(self) -> dict[str, np.ndarray]:
        """Return the tensors of the model."""
        return self._model.tensors()

    @classmethod
    def build(cls, config: object, tensors: object) -> "GivenInput":
        """Raise ValueError: the input is not part of a model file."""
        raise ValueError("the input is unknown")


def padded(sources: Sequence[Ids]) -> tuple[Ids, Ids]:
    """Return inputs as rows (B, S), and their lengths; an empty one is a boundary."""
    lengths = np.array([max(1, len(source)) for source in sources])
    rows = np.full((len(sources), lengths.max()), BOUNDARY)
    for row, source in zip(rows, sources, strict=True):
        row[: len(source)] = source
    return rows, lengths


def predict(
    model: ConditionalModel,
    tokenizers: Tokenizers,
    inputs: Sequence[str],
    *,
    num: int = 1,
    beam: int = 5,
) -> list[list[Prediction]]:
    """Return the best outputs of each input, best first, as different texts.

    No input affects another, and their order does not matter. beam: how many beginnings
    a search keeps, if the model needs one.
    """
    assert tokenizers.source
    sources = [tokenizers.source.encode(text) for text in inputs]
    output = tokenizers.output
    if best := getattr(model, "best", None):
        found: list[list[Prediction]] = [[]] * len(sources)
        for group, rows in _in_threads(partial(_labelled, best, num), sources):
            for i, outputs in zip(group, rows, strict=True):
                found[i] = [Prediction(output.decode(ids), n) for ids, n in outputs]
        return found
    config = SearchConfig(
        beam=max(beam, num), alpha=1.0, num=num, never=output.never_generated
    )
    # no output of a sensible translator is longer
    lengths = [50 + 4 * len(source) for source in sources]
    found_ids = search_inputs(model, sources, lengths, config, key=output.decode)
    return [
        [Prediction(output.decode(one.ids), one.nats) for one in row]
        for row in found_ids
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
    """Return the likeliest continuations of each prompt, of at most `length` tokens."""
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
    results: list[Nats] = [np.empty(0)] * len(sources)
    score = partial(_scored, model)
    for group, rows in _in_threads(score, sources, closed):
        for i, nats in zip(group, rows, strict=True):
            results[i] = nats
    return results


def part_predictions(model: LanguageModel, part: Part) -> tuple[Nats, Ids | None]:
    """Return -ln p of every target of a part, and the likeliest token in its place.

    Both are (N,), in the order of the validation batches. Only models that read an
    input name likeliest tokens; otherwise None is returned.
    """
    if isinstance(model, ConditionalModel):
        return example_predictions(model, part)
    return part_nats(model, part), None


def example_predictions(model: ConditionalModel, part: Part) -> tuple[Nats, Ids]:
    """Return what `part_predictions` does, for a part of labelled data."""
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


def _labelled(
    best: Callable[[Ids, Ids, int], list[list[tuple[Ids, float]]]],
    num: int,
    sources: list[Ids],
) -> list[list[tuple[Ids, float]]]:
    return best(*padded(sources), num)


def _scored(
    model: ConditionalModel, sources: list[Ids], targets: list[Ids]
) -> list[Nats]:
    state = model.read(*padded(sources))
    rows, lengths = padded(targets)
    before = np.column_stack([np.full(len(rows), BOUNDARY), rows[:, :-1]])
    logits, _ = model.forward(before, state)
    nats = token_nats(logits, rows).astype(np.float64)
    return [row[: len(target)] for row, target in zip(nats, targets, strict=True)]


def _in_threads(
    function: Callable[..., list[Any]], *columns: Sequence[Ids]
) -> Iterator[tuple[list[int], list[Any]]]:
    """Call a function on groups of rows of similar length; yield indices and results.

    Threads share the groups.
    """
    groups = list(_groups(*columns))
    calls = [[[column[i] for i in group] for column in columns] for group in groups]
    with ThreadPoolExecutor(free_cores()) as pool:
        results = pool.map(lambda call: function(*call), calls)
        yield from zip(groups, results, strict=True)


def _groups(*columns: Sequence[Ids]) -> Iterator[list[int]]:
    sizes = [sum(map(len, row)) + 1 for row in zip(*columns, strict=True)]
    order = sorted(range(len(sizes)), key=sizes.__getitem__)
    while order:
        # the longest rows first, so that no thread has to wait for them at the end
        size = min(ROWS, max(1, BATCH_TOKENS // sizes[order[-1]]))
        yield order[-size:]
        del order[-size:]
