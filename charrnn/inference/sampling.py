"""The sampling loop, with temperature and filters.

Shape letters: B is the number of texts sampled together, V the vocabulary size.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from charrnn.inference.config import SampleConfig
from charrnn.inference.threads import in_threads
from charrnn.models.base import Floats, LanguageModel, State, log_softmax
from charrnn.tokenizers.base import BOUNDARY, Ids

LIMITS = np.finfo(np.float32)
NOISE_STEPS = 64  # maximum number of steps for which noise is drawn at once
NOISE_VALUES = 1 << 20  # maximum number of values drawn at once (at least one step's)


class Drawn(NamedTuple):
    """One token for each of B texts, (B,), and the model's logits, (B, V).

    The logits are not changed by temperature or filters, so the nats of the tokens are
    the same as when the text is scored.
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
    state: State | None = None,
) -> Iterator[Drawn]:
    """Yield the next token of each text, indefinitely.

    prompt: token ids, (n,), without the boundary. rngs: one generator per text, so that
    a text does not depend on the others. never: tokens that are never drawn. state:
    that of one row before the prompt, such as after an input; by default the initial
    state.
    """
    B = len(rngs)
    context = np.concatenate([[BOUNDARY], prompt])[None, :]
    state = model.initial_state(1) if state is None else state
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
    """Draw one token per row, (B,), from logits (B, V) and scaled noise (B, V).

    The argmax of logit / temperature + Gumbel noise is an exact draw from the softmax
    (Gumbel 1954). The argmax of logit + temperature * noise is the same, and also gives
    the most likely token at temperature 0. Temperature is applied first, then top-k,
    top-p and min-p. If every token is excluded or impossible, the result is token 0,
    the boundary.
    """
    if config.temperature and (config.top_k or config.top_p < 1 or config.min_p):
        banned = noise == -np.inf
        # a row with no possible token gives NaN, and NaN > -inf is false
        with np.errstate(invalid="ignore", divide="ignore"):
            kept = filtered(np.where(banned, -np.inf, logits), config) > -np.inf
        logits = np.where(kept, logits, np.float32(-np.inf))
    return np.asarray((logits + noise).argmax(axis=-1))


def filtered(logits: Floats, config: SampleConfig) -> Floats:
    """Return logits / temperature, with -inf for the tokens that filters exclude."""
    logits = heat(logits, config.temperature)
    if config.top_k:
        logits = top_k(logits, config.top_k)
    if config.top_p < 1:
        logits = top_p(logits, config.top_p)
    if config.min_p:
        logits = min_p(logits, config.min_p)
    return logits


def heat(logits: Floats, temperature: float) -> Floats:
    """Shift logits so that the largest is 0, then divide by the temperature."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    # the float32 range rules out 0 / 0 and inf / inf
    divisor = np.clip(temperature, LIMITS.tiny, LIMITS.max)
    with np.errstate(over="ignore"):
        return np.asarray(shifted / np.float32(divisor))


def top_k(logits: Floats, k: int) -> Floats:
    """Keep the k largest logits of each row; set the others to -inf."""
    if k >= logits.shape[-1]:
        return logits
    # stable sort: exactly k are kept, the first ones among equal logits
    order = np.argsort(-logits, axis=-1, kind="stable")[..., :k]
    return _only(logits, order, np.ones(order.shape, bool))


def top_p(logits: Floats, p: float) -> Floats:
    """Keep the fewest most likely tokens whose total probability is at least p."""
    order = np.argsort(-logits, axis=-1, kind="stable")
    probabilities = np.exp(log_softmax(np.take_along_axis(logits, order, -1)))
    before = np.cumsum(probabilities, axis=-1) - probabilities
    return _only(logits, order, before < p)


def min_p(logits: Floats, p: float) -> Floats:
    """Keep tokens at least p times as likely as the most likely one."""
    floor = logits.max(axis=-1, keepdims=True) + np.float32(np.log(p))
    return np.where(logits >= floor, logits, np.float32(-np.inf))


def scaled_noise(
    rngs: Sequence[np.random.Generator],
    vocab_size: int,
    temperature: float,
    never: Sequence[int] = (),
) -> Iterator[Floats]:
    """Yield temperature * Gumbel noise, (B, V), with -inf for `never` tokens."""
    # noise is at most 17, and the product must stay finite
    factor = np.float32(min(temperature, float(LIMITS.max) / 32))
    for block in gumbel_noise(rngs, vocab_size):
        block *= factor
        block[:, :, list(never)] = -np.inf
        yield from block


def gumbel_noise(
    rngs: Sequence[np.random.Generator], vocab_size: int
) -> Iterator[Floats]:
    """Yield blocks of Gumbel noise, (steps, B, V), with one generator per text."""
    # the numbers from a generator do not depend on the block size
    steps = max(1, min(NOISE_STEPS, NOISE_VALUES // (len(rngs) * vocab_size)))
    shape = (steps, vocab_size)
    while True:
        block = np.stack([rng.random(shape, np.float32) for rng in rngs], axis=1)
        # random() can return 0, whose logarithm is -inf
        np.maximum(block, LIMITS.tiny, out=block)
        np.negative(np.log(block, out=block), out=block)
        yield np.negative(np.log(block, out=block), out=block)


def _only(logits: Floats, order: Ids, kept: npt.NDArray[np.bool_]) -> Floats:
    """Set the logits of all tokens except order[kept] to -inf, in each row."""
    values = np.where(kept, np.take_along_axis(logits, order, -1), np.float32(-np.inf))
    result = np.full_like(logits, -np.inf)
    np.put_along_axis(result, order, values, -1)
    return result
