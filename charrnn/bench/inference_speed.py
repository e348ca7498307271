"""Measure how fast a model starts, samples and scores, in NumPy."""

import math
import string
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from typing import Any, Final

import numpy as np

from charrnn.bench.measurement import Reading, Run, compare, matrices, rates
from charrnn.inference.config import SampleConfig
from charrnn.inference.text_model import TextModel
from charrnn.inference.threads import in_threads
from charrnn.models.recurrent.config import RecurrentConfig
from charrnn.models.recurrent.model import RecurrentModel, parameter_shapes
from charrnn.tokenizers.base import BOUNDARY
from charrnn.tokenizers.config import TokenizerConfig
from charrnn.tokenizers.loading import fit

ALPHABET: Final = string.ascii_letters + " \n.,;:!?'-\""
VOCABULARY: Final = len(ALPHABET) + 2  #: includes the boundary and unknown tokens
PRODUCT_STEPS: Final = 20  #: time steps per run of the matrix products
SAMPLE_IMPORTS: Final = "import charrnn.cli.app, charrnn.inference.checkpoint"


def inference_speed(config: RecurrentConfig, *, seconds: float) -> Iterator[Reading]:
    """Yield the start-up time, then the speeds of sampling and scoring."""
    model = random_model(config)
    rng = np.random.default_rng(1)
    texts = ["".join(row) for row in rng.choice(list(ALPHABET), (256, 100))]

    def start() -> float:
        subprocess.run([sys.executable, "-c", SAMPLE_IMPORTS], check=True)
        return 1.0

    def sample(num: int, length: int) -> float:
        samples = model.sample(num=num, seed=1, config=SampleConfig(length=length))
        return sum(len(one.text) for one in samples)

    def score() -> float:
        return sum(one.tokens for one in model.score_all(texts))

    (starts_per_s,) = rates(start, seconds=seconds)
    yield Reading("start charrnn sample", 1 / starts_per_s, "s")
    shapes = matrices(config)
    # the first layer looks up its input products in a table
    del shapes["layers.0.weight_ih"]
    flop = 2 * sum(map(math.prod, shapes.values()))
    for name, unit, run, rows in (
        ("sample 1 text", "characters/s", partial(sample, 1, 200), 1),
        ("sample 64 texts", "characters/s", partial(sample, 64, 20), 64),
        ("score 256 texts", "tokens/s", score, 256),
    ):
        runs = run, _products(model, list(shapes.values()), rows)
        yield compare(name, unit, runs, flop, seconds)


def random_model(config: RecurrentConfig) -> TextModel:
    """Return a model with random weights that never ends a text."""
    rng = np.random.default_rng(1)
    shapes = parameter_shapes(config).items()
    tensors = {name: rng.normal(0, 0.05, shape).astype("f4") for name, shape in shapes}
    tensors["head.bias"][BOUNDARY] = -1e4
    tokenizer = fit([ALPHABET], TokenizerConfig(min_count=1))
    return TextModel(RecurrentModel(config, tensors), tokenizer)


def _products(model: TextModel, shapes: list[tuple[int, int]], rows: int) -> Run:
    """Return a function that does only the matrix products, with the same threads."""
    rng = np.random.default_rng(1)
    arrays = tuple(rng.random((rows, size), np.float32) for _, size in shapes)
    weights = [rng.random(shape[::-1], np.float32) for shape in shapes]

    def multiply(arrays: tuple[Any, ...], state: tuple[Any, ...]) -> tuple[Any, Any]:
        # allocated only once, because allocating memory takes time
        products = [(x, w, x @ w) for x, w in zip(arrays, weights, strict=True)]
        for _ in range(PRODUCT_STEPS - 1):
            for x, w, out in products:
                np.matmul(x, w, out=out)
        return arrays[0], state

    def run() -> float:
        with in_threads(multiply, model.model, rows) as shared:
            shared(arrays, ())
        return rows * PRODUCT_STEPS

    return run
