"""Drawing tokens from a language model: temperature, filters, and the loop.

Shape letters: B batch (texts that are written side by side), V vocabulary.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from charrnn.inference.config import SampleConfig
from charrnn.inference.threads import in_threads
from charrnn.models.base import Floats, LanguageModel, log_softmax
from charrnn.tokenizers.base import BOUNDARY, Ids

LIMITS = np.finfo(np.float32)
NOISE_STEPS = 64  # steps of noise drawn at a time
NOISE_VALUES = 1 << 20  # but no more numbers than that, unless one step has more


class Drawn(NamedTuple):
    """One token for each of B texts, (B,), and the logits (B, V) they come from.

    The logits are the model's own, before temperature and filters, so that the nats
    of the tokens are those that scoring the text gives.
    """

    tokens: Ids
    logits: Floats


def generate(
    model: LanguageModel,
    prompt: Ids,
    config: SampleConfig,
    *,
    rngs: Sequence[np.random.Generator],
    never: Sequence[int] = (),
) -> Iterator[Drawn]:
    """Yield one token at a time for as many texts as there are generators, for ever.

    Each text begins after the boundary and the prompt, (n,). A text has a generator
    of its own, so that what it says does not depend on its company. `never` is never
    drawn.
    """
    B = len(rngs)
    context = np.concatenate([[BOUNDARY], prompt])[None, :]
    state = model.initial_state(1)
    for at in range(0, context.shape[1], 1024):
        logits, state = model.forward(context[:, at : at + 1024], state)
    latest = np.repeat(logits[:, -1], B, axis=0)  # (B, V)
    state = tuple(np.repeat(array, B, axis=0) for array in state)
    with in_threads(model.forward, model, B) as forward:
        for noise in scaled_noise(rngs, model.vocab_size, config.temperature, never):
            tokens = draw(latest, config, noise)
            yield Drawn(tokens, latest)
            logits, state = forward(tokens[:, None], state)
            latest = logits[:, 0]


def draw(logits: Floats, config: SampleConfig, noise: Floats) -> Ids:
    """Return one token a row, (B,), from logits (B, V) and scaled noise (B, V).

    The largest of logit / temperature + Gumbel noise is a draw from the softmax,
    exactly (Gumbel 1954); so is that of logit + temperature * noise, and with a
    temperature of 0 it is the likeliest token. Filters apply in this order:
    temperature, top-k, top-p, min-p. Where every token that may be drawn is impossible,
    token 0, the boundary, ends the text.
    """
    if config.temperature and (config.top_k or config.top_p < 1 or config.min_p):
        banned = noise == -np.inf
        # without a possible token 0 / 0 and its NaN, which is not above -inf
        with np.errstate(invalid="ignore", divide="ignore"):
            kept = filtered(np.where(banned, -np.inf, logits), config) > -np.inf
        logits = np.where(kept, logits, np.float32(-np.inf))
    return np.asarray((logits + noise).argmax(axis=-1))


def filtered(logits: Floats, config: SampleConfig) -> Floats:
    """Return the logits after the temperature, those filtered out as -inf."""
    logits = heat(logits, config.temperature)
    if config.top_k:
        logits = top_k(logits, config.top_k)
    if config.top_p < 1:
        logits = top_p(logits, config.top_p)
    if config.min_p:
        logits = min_p(logits, config.min_p)
    return logits


def heat(logits: Floats, temperature: float) -> Floats:
    """Divide by the temperature, after a shift that makes the largest logit 0."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    # within float32, so that neither 0 / 0 nor inf / inf can arise
    divisor = np.clip(temperature, LIMITS.tiny, LIMITS.max)
    with np.errstate(over="ignore"):
        return np.asarray(shifted / np.float32(divisor))


def top_k(logits: Floats, k: int) -> Floats:
    """Keep the k largest logits of each row; the others become -inf."""
    if k >= logits.shape[-1]:
        return logits
    # a stable sort keeps exactly k where several are equal, the first ones
    order = np.argsort(-logits, axis=-1, kind="stable")[..., :k]
    return _only(logits, order, np.ones(order.shape, bool))


def top_p(logits: Floats, p: float) -> Floats:
    """Keep the smallest set of largest tokens whose probability reaches p."""
    order = np.argsort(-logits, axis=-1, kind="stable")
    probabilities = np.exp(log_softmax(np.take_along_axis(logits, order, -1)))
    before = np.cumsum(probabilities, axis=-1) - probabilities
    return _only(logits, order, before < p)


def min_p(logits: Floats, p: float) -> Floats:
    """Keep tokens that are at least p times as likely as the likeliest one."""
    floor = logits.max(axis=-1, keepdims=True) + np.float32(np.log(p))
    return np.where(logits >= floor, logits, np.float32(-np.inf))


def scaled_noise(
    rngs: Sequence[np.random.Generator],
    vocab_size: int,
    temperature: float,
    never: Sequence[int] = (),
) -> Iterator[Floats]:
    """Yield temperature * Gumbel noise (B, V), -inf for what is never drawn."""
    # no noise is above 17, and what is scaled must stay finite
    factor = np.float32(min(temperature, float(LIMITS.max) / 32))
    for block in gumbel_noise(rngs, vocab_size):
        block *= factor
        block[:, :, list(never)] = -np.inf
        yield from block


def gumbel_noise(
    rngs: Sequence[np.random.Generator], vocab_size: int
) -> Iterator[Floats]:
    """Yield blocks of Gumbel noise (steps, B, V), each row from its own generator."""
    # a generator gives the same numbers whatever the size of a block is
    steps = max(1, min(NOISE_STEPS, NOISE_VALUES // (len(rngs) * vocab_size)))
    shape = (steps, vocab_size)
    while True:
        block = np.stack([rng.random(shape, np.float32) for rng in rngs], axis=1)
        # random() may give 0, whose logarithm is not finite
        np.maximum(block, LIMITS.tiny, out=block)
        np.negative(np.log(block, out=block), out=block)
        yield np.negative(np.log(block, out=block), out=block)


def _only(logits: Floats, order: Ids, kept: npt.NDArray[np.bool_]) -> Floats:
    """Return the logits at the kept places of an order, -inf elsewhere."""
    values = np.where(kept, np.take_along_axis(logits, order, -1), np.float32(-np.inf))
    result = np.full_like(logits, -np.inf)
    np.put_along_axis(result, order, values, -1)
    return result
