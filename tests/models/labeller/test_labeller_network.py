"""The trainable labeller: equal to its NumPy twin, and to the loss of a chain."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from support.labellers import (
    LABELLERS,
    LENGTHS,
    SOURCE,
    TAGGERS,
    WORDS,
    V,
    nats_of_all,
    random_labeller,
)
from torch import Tensor
from torch.nn import functional as F

from charrnn.data.parts import part_of
from charrnn.models.labeller.config import LabellerConfig
from charrnn.models.labeller.network import LabellerNetwork
from charrnn.models.labeller.words import known_words
from charrnn.tokenizers.config import TokenizerConfig
from charrnn.tokenizers.loading import fit

every_labeller = pytest.mark.parametrize(
    "config", LABELLERS.values(), ids=LABELLERS.keys()
)


def twin(config: LabellerConfig) -> LabellerNetwork:
    network = LabellerNetwork(config)
    network.load(random_labeller(config).tensors())
    return network


def targets(config: LabellerConfig) -> tuple[Tensor, Tensor]:
    """Return the labels before each word, and legal targets (T, B), -1 at padding."""
    time = int(WORDS.max()) if config.per_word else 1
    counts = WORDS if config.per_word else np.ones(4, int)
    labels = np.full((time, 4), -1)
    for number, size in enumerate(counts):
        labels[:size, number] = [3, 4, 2, 2][:size]
    before = np.concatenate([np.zeros((1, 4), int), labels[:-1]])
    return torch.from_numpy(np.maximum(before, 0)), torch.from_numpy(labels)


def loss(network: LabellerNetwork, masks: list[Tensor] | None = None) -> Tensor:
    before, labels = targets(network.config)
    logits, _ = network(before, network.read(SOURCE.T, LENGTHS, masks), masks)
    return F.cross_entropy(
        logits.flatten(0, 1), labels.flatten(), ignore_index=-1, reduction="sum"
    )


@every_labeller
def test_logits_and_state_are_those_of_the_numpy_model(config: LabellerConfig) -> None:
    model = random_labeller(config)
    tokens = np.random.default_rng(1).integers(0, V, (4, 6))

    logits, state = twin(config)(
        torch.from_numpy(tokens.T), twin(config).read(SOURCE.T, LENGTHS)
    )

    expected, after = model.forward(tokens, model.read(SOURCE, LENGTHS))
    # atol, rtol 1e-5: the same float32 operations in another order
    np.testing.assert_allclose(
        logits.detach().numpy().swapaxes(0, 1), expected, rtol=1e-5, atol=1e-5
    )
    for ours, theirs in zip(state, after, strict=True):
        np.testing.assert_allclose(ours.detach().numpy(), theirs, rtol=1e-5, atol=1e-5)


@every_labeller
def test_pieces_with_carried_state_give_what_the_whole_gives(
    config: LabellerConfig,
) -> None:
    network = twin(config)
    tokens = torch.from_numpy(np.random.default_rng(1).integers(0, V, (6, 4)))
    whole, _ = network(tokens, network.read(SOURCE.T, LENGTHS))

    state, pieces = network.read(SOURCE.T, LENGTHS), []
    for first, last in itertools.pairwise([0, 1, 4, 6]):
        logits, state = network(tokens[first:last], state)
        pieces.append(logits)

    assert torch.equal(torch.cat(pieces), whole)


@every_labeller
def test_cross_entropy_is_minus_the_log_probability_of_the_outputs(
    config: LabellerConfig,
) -> None:
    found = loss(twin(config)).item()

    model = random_labeller(config)
    _, labels = targets(config)
    expected = sum(
        nats_of_all(model, number)[tuple(row[row >= 0].tolist())]
        for number, row in enumerate(labels.T)
    )
    assert found == pytest.approx(expected, abs=1e-4)


@every_labeller
def test_every_parameter_gets_a_gradient(config: LabellerConfig) -> None:
    network = twin(config)

    loss(network).backward()  # type: ignore[no-untyped-call]

    weights = network.weights().items()
    assert [name for name, x in weights if x.grad is None or not x.grad.any()] == []


@every_labeller
def test_decisions_are_the_best_outputs_of_the_numpy_model(
    config: LabellerConfig,
) -> None:
    network = twin(config)
    before, labels = targets(config)
    state = network.read(SOURCE.T, LENGTHS)

    found = network.decisions(network(before, state)[0], state)

    best = random_labeller(config).best(SOURCE, LENGTHS)
    assert found.shape == labels.shape
    for number, ((ids, _),) in enumerate(best):
        column = found[:, number]
        assert column[: len(ids)].tolist() == ids.tolist()
        assert not column[len(ids) :].any()


# --- dropout masks


@every_labeller
def test_masks_of_ones_change_nothing(config: LabellerConfig) -> None:
    network = twin(config)

    masked = loss(network, [torch.ones(4, width) for width in network.masked])

    assert torch.equal(masked, loss(network))


@every_labeller
def test_every_mask_matters(config: LabellerConfig) -> None:
    network = twin(config)

    for k in range(len(network.masked)):
        masks = [torch.ones(4, width) for width in network.masked]
        masks[k][2, 0] = 0
        assert loss(network, masks) != loss(network)


# --- the model file, and what is not learned by gradient descent


@every_labeller
def test_loaded_tensors_come_back_bit_for_bit(config: LabellerConfig) -> None:
    tensors = random_labeller(config).tensors()

    found = twin(config).tensors()

    assert found.keys() == tensors.keys()
    assert all(np.array_equal(found[name], tensors[name]) for name in tensors)


def test_known_words_are_those_of_the_training_inputs() -> None:
    texts = ["the cat sat", "the cat", "mat"]
    tokenizer = fit(texts, TokenizerConfig("char", min_count=1))
    source = part_of(texts, tokenizer, learns_end=False)
    part = replace(source, source=source)
    blank = int(tokenizer.encode(" ")[0])
    config = replace(TAGGERS["words"], blank=blank, words=2)
    network = LabellerNetwork(config)

    network.learn(part)

    hashes = network.tensors()["words.hashes"]
    assert hashes.tolist() == known_words(source, blank).tolist()
    with pytest.raises(ValueError, match="2 words, not 3"):
        LabellerNetwork(replace(config, words=3)).learn(part)


def test_words_and_transitions_begin_at_zero() -> None:
    network = LabellerNetwork(TAGGERS["crf"])

    network.initialize(torch.Generator().manual_seed(0))

    weights = network.weights()
    assert not weights["words.weight"].any()
    assert not weights["transitions.weight"].any()
    assert weights["letters.layers.0.weight_hh"].all()
