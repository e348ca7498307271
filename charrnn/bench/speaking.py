"""Readings of sampling and scoring, each in a process of its own without torch."""

from collections.abc import Callable, Iterator
from itertools import count
from typing import TYPE_CHECKING, Final

from charrnn.bench.flops import reading_flop
from charrnn.bench.measurement import Reading, rate
from charrnn.bench.plan import SQUARE, Plan
from charrnn.bench.texts import random_sentences
from charrnn.inference.config import SampleConfig
from charrnn.models.recurrent.config import RecurrentConfig

if TYPE_CHECKING:
    from charrnn.inference.text_model import TextModel

#: texts written side by side, and how many characters of each at a time
STREAMS: Final = {1: 500, 64: 50}
TEMPERATURE: Final = 0.8
SENTENCES: Final = 256
SENTENCE_CHARACTERS: Final = 100
NUMPY_PRODUCT: Final = f"NumPy product of {SQUARE}, fp32, all cores"
#: the modules of torch.nn by the cells that they compute
MODULES: Final = {"gru": "GRU", "lstm": "LSTM", "elman": "RNN"}


def loop_module(network: RecurrentConfig) -> str:
    """Return the module of torch.nn to compare a network with: its own, or the GRU."""
    return MODULES.get(network.cell, "GRU")


def loop_name(network: RecurrentConfig, streams: int) -> str:
    """Return the name of the loop that a network is compared with."""
    return f"torch loop, nn.{loop_module(network)}, {_streams(streams)}"


def sample(plan: Plan, model: "TextModel") -> Iterator[Reading]:
    """Yield how fast a model writes one text, and many side by side."""
    seeds = count()

    def writing(streams: int, length: int) -> Callable[[], float]:
        config = SampleConfig(temperature=TEMPERATURE, length=length)

        def write() -> float:
            written = model.sample(num=streams, seed=next(seeds) * 64, config=config)
            return sum(len(one.text) for one in written)

        return write

    writers = {streams: writing(streams, n) for streams, n in STREAMS.items()}
    for write in writers.values():
        write()
    for _ in range(plan.rounds):
        for streams, write in writers.items():
            name = f"{plan.network.title}, {_streams(streams)}"
            against = (loop_name(plan.network, streams),)
            yield Reading(name, "characters/s", rate(write, plan.least_s), against)


def score(plan: Plan, model: "TextModel") -> Iterator[Reading]:
    """Yield how fast a model scores many short texts.

    FLOP: of the forward pass as `flops.py` counts it, also where a table of the whole
    vocabulary spares a product.
    """
    texts = random_sentences(SENTENCES, SENTENCE_CHARACTERS)

    def read() -> float:
        return len(model.score_all(texts))

    read()
    for _ in range(plan.rounds):
        name = f"{plan.network.title}, {SENTENCE_CHARACTERS} characters each"
        sentences_s = rate(read, plan.least_s)
        characters_s = sentences_s * SENTENCE_CHARACTERS
        gflops = characters_s * reading_flop(plan.network) / 1e9
        yield Reading(name, "sentences/s", sentences_s)
        yield Reading(name, "characters/s", characters_s)
        yield Reading(name, "GFLOP/s", gflops, (NUMPY_PRODUCT,))


def product(plan: Plan) -> Iterator[Reading]:
    """Yield how fast NumPy multiplies large matrices with the threads it starts with.

    In a process that loaded no model, for a command may leave NumPy fewer threads.
    """
    import numpy as np

    left, right = np.random.default_rng(1).random((2, SQUARE, SQUARE), np.float32)
    result = np.empty_like(left)

    def multiply() -> float:
        np.matmul(left, right, out=result)
        return 2 * SQUARE**3 / 1e9

    multiply()
    for _ in range(plan.rounds):
        yield Reading(NUMPY_PRODUCT, "GFLOP/s", rate(multiply, plan.least_s))


def _streams(count: int) -> str:
    return "1 text" if count == 1 else f"{count} texts"
