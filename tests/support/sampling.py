"""Distributions made by hand, and tokens drawn from them."""

import itertools

import numpy as np
import numpy.typing as npt

from charrnn.inference.config import SampleConfig
from charrnn.inference.sampling import draw, generate, scaled_noise
from charrnn.models.base import log_softmax
from charrnn.models.recurrent.config import RecurrentConfig
from support.models import random_model

NOTHING = -np.inf
SMALL = RecurrentConfig(vocab_size=11, cell="gru", hidden=8, embed=4)


def logits_of(*probabilities: float) -> npt.NDArray[np.float32]:
    """Return one row of logits (1, V) with these probabilities."""
    with np.errstate(divide="ignore"):
        return np.log(np.array([probabilities])).astype(np.float32)


def probabilities_of(logits: npt.NDArray[np.float32]) -> list[float]:
    return [round(float(p), 6) for p in np.exp(log_softmax(logits))[0]]


def draws(config: SampleConfig, *probabilities: float, n: int = 4000) -> list[int]:
    """Return n tokens drawn from one distribution."""
    logits = np.repeat(logits_of(*probabilities), n, axis=0)
    rngs = [np.random.default_rng(5)]
    noise = next(scaled_noise(rngs, n * len(probabilities), config.temperature))
    return draw(logits, config, noise.reshape(n, -1)).tolist()


def generators(*seeds: int) -> list[np.random.Generator]:
    return [np.random.default_rng(seed) for seed in seeds]


def tokens_of(
    n: int, *, config: SampleConfig | None = None, seeds: tuple[int, ...] = (1,)
) -> npt.NDArray[np.int64]:
    """Return n tokens for each seed, (n, B), that a random network writes."""
    model, prompt = random_model(SMALL), np.array([3, 4])
    config = config or SampleConfig()
    drawn = generate(model, prompt, config, rngs=generators(*seeds))
    return np.stack([one.tokens for one in itertools.islice(drawn, n)])
