"""Sampling: drawing a token, the noise, and the loop."""

import itertools
import math

import numpy as np
import numpy.typing as npt
import pytest
from support.models import TableModel, random_model
from support.sampling import SMALL, draws, generators, tokens_of

from charrnn.inference import sampling
from charrnn.inference.config import SampleConfig
from charrnn.inference.sampling import generate, gumbel_noise, scaled_noise
from charrnn.models.base import log_softmax, token_nats

# --- the draw


def test_draws_follow_the_softmax() -> None:
    expected = np.array([0.5, 0.25, 0.15, 0.08, 0.02])
    n = 40_000

    counts = np.bincount(draws(SampleConfig(), *expected, n=n), minlength=5)

    # chi-square, 4 degrees of freedom: above 33.4 with probability 1e-6
    assert ((counts - n * expected) ** 2 / (n * expected)).sum() < 33.4


def test_sampled_tokens_follow_the_probabilities_of_the_model() -> None:
    table = np.array([[0.0, 0.75, 0.25], [0.0, 0.5, 0.5], [0.0, 0.9, 0.1]])
    drawn = generate(
        TableModel(table), np.array([], int), SampleConfig(), rngs=generators(7)
    )

    tokens = [0, *(int(one.tokens[0]) for one in itertools.islice(drawn, 20_000))]

    for before in (1, 2):
        after = [b for a, b in itertools.pairwise(tokens) if a == before]
        share = after.count(1) / len(after)
        spread = math.sqrt(table[before, 1] * table[before, 2] / len(after))
        assert abs(share - table[before, 1]) < 5 * spread  # false alarm 6e-7


def test_noise_is_gumbel_distributed() -> None:
    noise = next(gumbel_noise(generators(3), 1000))  # 64 steps

    # The mean of 64,000 values is 0.5772 +- 0.005, their variance pi^2 / 6 +- 0.014
    # (the kurtosis is 5.4). The limit is 6 of these: false alarm below 1e-8.
    assert np.isfinite(noise).all()
    assert noise.mean() == pytest.approx(0.5772, abs=0.03)
    assert noise.var() == pytest.approx(math.pi**2 / 6, abs=0.084)


def test_noise_does_not_depend_on_the_size_of_its_blocks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def first(n: int) -> npt.NDArray[np.float32]:
        steps = scaled_noise(generators(1, 2), 7, 1.0)
        return np.stack(list(itertools.islice(steps, n)))

    expected = first(100)

    for values in (1, 30, 1000):
        monkeypatch.setattr(sampling, "NOISE_VALUES", values)
        np.testing.assert_array_equal(first(100), expected)


def test_noise_for_a_large_vocabulary_is_drawn_step_by_step() -> None:
    noise = next(gumbel_noise(generators(*range(8)), 200_000))

    assert noise.shape == (1, 8, 200_000)


# --- generate


def test_same_seed_draws_the_same_tokens() -> None:
    np.testing.assert_array_equal(tokens_of(200), tokens_of(200))


def test_different_seeds_draw_different_tokens() -> None:
    first, second = tokens_of(200, seeds=(1, 2)).T

    assert (first != second).any()


def test_tokens_do_not_depend_on_the_rest_of_the_batch() -> None:
    together = tokens_of(150, seeds=(4, 1, 9))

    for column, seed in zip(together.T, (4, 1, 9), strict=True):
        np.testing.assert_array_equal(column, tokens_of(150, seeds=(seed,))[:, 0])


def test_long_prompts_are_read_in_pieces_with_the_same_result() -> None:
    model = random_model(SMALL)
    prompt = np.random.default_rng(0).integers(1, 11, 2500)

    drawn = next(
        generate(model, prompt, SampleConfig(temperature=0), rngs=generators(1))
    )

    inputs = np.append(0, prompt)[None]
    logits, _ = model.forward(inputs, model.initial_state(1))
    token = int(logits[0, -1].argmax())
    assert drawn.tokens.tolist() == [token]
    nats = token_nats(drawn.logits, drawn.tokens)
    assert nats[0] == pytest.approx(-log_softmax(logits[0, -1])[token], abs=1e-5)


@pytest.mark.parametrize(
    "config",
    [SampleConfig(), SampleConfig(temperature=0), SampleConfig(temperature=math.inf)],
    ids=["plain", "greedy", "hot"],
)
def test_banned_tokens_are_never_drawn(config: SampleConfig) -> None:
    table = np.tile([0.01, 0.9, 0.04, 0.05], (4, 1))
    drawn = generate(
        TableModel(table), np.array([], int), config, rngs=generators(1, 2), never=(1,)
    )

    tokens = {
        int(token) for one in itertools.islice(drawn, 300) for token in one.tokens
    }

    assert 1 not in tokens


def test_nats_do_not_depend_on_the_filters() -> None:
    table = np.tile([0.1, 0.6, 0.1, 0.2], (4, 1))
    config = SampleConfig(temperature=0.3, top_k=3, top_p=0.9, min_p=0.01)
    drawn = generate(
        TableModel(table), np.array([], int), config, rngs=generators(1), never=(1,)
    )

    for one in itertools.islice(drawn, 50):
        expected = -math.log(table[0, one.tokens[0]])
        nats = token_nats(one.logits, one.tokens)
        assert nats[0] == pytest.approx(expected, abs=1e-6)
