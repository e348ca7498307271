"""The trainable network: equal to its NumPy twin, to the equations, and well begun."""

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from support.models import NetworkConfig, label, network_configs, random_network
from torch import Tensor

from charrnn.models import CELLS
from charrnn.models.families import FAMILIES
from charrnn.models.network import Network
from charrnn.models.recurrent.config import RecurrentConfig
from charrnn.models.recurrent.network import RecurrentNetwork

every_config = pytest.mark.parametrize("config", list(network_configs()), ids=label)


def network_of(config: NetworkConfig) -> Network:
    kind = FAMILIES[random_network(config).family].network_type
    network: Network = kind(config)
    network.initialize(torch.Generator().manual_seed(0))
    return network


def twin_of(config: NetworkConfig) -> Network:
    network = network_of(config)
    network.load(random_network(config).tensors())
    return network


def fresh_network(*, seed: int = 0, **shape: Any) -> RecurrentNetwork:
    sizes = {"vocab_size": 9, "hidden": 6, "embed": 4} | shape
    config = RecurrentConfig(**sizes)
    network = RecurrentNetwork(config)
    network.initialize(torch.Generator().manual_seed(seed))
    return network


def random_tokens(batch: int, time: int, *, seed: int = 0) -> Tensor:
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.integers(0, 9, (time, batch)))


def weighted_sum(arrays: list[Tensor]) -> Tensor:
    """Return a scalar that every element has its own share in."""
    flat = torch.cat([array.double().flatten() for array in arrays])
    return (flat * torch.linspace(-1, 1, len(flat), dtype=torch.float64)).sum()


# --- equal to the NumPy twin


@every_config
def test_logits_and_state_are_those_of_the_numpy_model(config: NetworkConfig) -> None:
    model = random_network(config)
    tokens = random_tokens(3, 6)

    logits, state = twin_of(config)(tokens, twin_of(config).initial_state(3))

    expected, after = model.forward(tokens.numpy().T, model.initial_state(3))
    # atol, rtol 1e-5: the same float32 operations in another order
    np.testing.assert_allclose(
        logits.detach().numpy().swapaxes(0, 1), expected, rtol=1e-5, atol=1e-5
    )
    for ours, theirs in zip(state, after, strict=True):
        np.testing.assert_allclose(ours.detach().numpy(), theirs, rtol=1e-5, atol=1e-5)


@every_config
def test_parameters_have_exactly_the_names_and_shapes_of_the_model_file(
    config: NetworkConfig,
) -> None:
    network = network_of(config)

    found = {name: tuple(x.shape) for name, x in network.weights().items()}
    model = random_network(config)
    assert found == {name: x.shape for name, x in model.tensors().items()}
    assert len(list(network.parameters())) == len(found)


@every_config
def test_every_parameter_gets_a_gradient(config: NetworkConfig) -> None:
    network = twin_of(config)

    logits, state = network(random_tokens(2, 5), network.initial_state(2))
    (weighted_sum([logits, *state])).backward()  # type: ignore[no-untyped-call]

    without = [
        n for n, p in network.weights().items() if p.grad is None or not any_of(p)
    ]
    assert without == []


def any_of(parameter: torch.nn.Parameter) -> bool:
    return parameter.grad is not None and bool(parameter.grad.any())


@every_config
def test_loaded_tensors_come_back_bit_for_bit(config: NetworkConfig) -> None:
    tensors = random_network(config).tensors()
    network = network_of(config)

    network.load(tensors)

    found = network.tensors()
    assert all(np.array_equal(found[name], tensors[name]) for name in tensors)


def test_loading_a_tensor_of_another_shape_is_refused() -> None:
    network = fresh_network(hidden=6)

    with pytest.raises(ValueError, match="size mismatch for head.weight"):
        network.load(fresh_network(hidden=5).tensors())


# --- carried state


@every_config
@pytest.mark.parametrize("cuts", [(3,), (1, 2, 5), tuple(range(1, 8))], ids=str)
def test_pieces_with_carried_state_give_what_the_whole_gives(
    config: NetworkConfig, cuts: tuple[int, ...]
) -> None:
    network = network_of(config)
    tokens = random_tokens(2, 8)
    whole, last = network(tokens, network.initial_state(2))

    state, pieces = network.initial_state(2), []
    for start, end in itertools.pairwise([0, *cuts, 8]):
        logits, state = network(tokens[start:end], state)
        pieces.append(logits)

    torch.testing.assert_close(torch.cat(pieces), whole, rtol=0, atol=1e-5)
    for ours, theirs in zip(state, last, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)


@every_config
def test_row_of_a_batch_gives_what_the_row_alone_gives(config: NetworkConfig) -> None:
    network = network_of(config)
    tokens = random_tokens(3, 6)

    together, _ = network(tokens, network.initial_state(3))

    alone, _ = network(tokens[:, 1:2], network.initial_state(1))
    torch.testing.assert_close(together[:, 1:2], alone, rtol=0, atol=1e-5)


# --- dropout masks


def test_masks_of_ones_change_nothing() -> None:
    network = fresh_network(layers=2)
    tokens, state = random_tokens(2, 5), network.initial_state(2)

    masked, _ = network(tokens, state, [torch.ones(2, 6)] * 2)

    assert torch.equal(masked, network(tokens, state)[0])


def test_masks_of_zeros_leave_only_the_bias_of_the_head() -> None:
    network = fresh_network(layers=2)
    with torch.no_grad():
        network.weights()["head.bias"].copy_(torch.arange(9.0))

    logits, _ = network(
        random_tokens(2, 5), network.initial_state(2), [torch.zeros(2, 6)] * 2
    )

    assert torch.equal(logits, torch.arange(9.0).expand(5, 2, 9))


def test_mask_leaves_the_recurrence_alone() -> None:
    network = fresh_network(layers=1)
    tokens, state = random_tokens(2, 5), network.initial_state(2)

    _, masked = network(tokens, state, [torch.zeros(2, 6)])

    assert torch.equal(masked[0], network(tokens, state)[1][0])


# --- initial values


@pytest.mark.parametrize("name", ["lstm", "lstm-peephole"])
def test_only_the_forget_gate_begins_with_a_bias_and_it_is_one(name: str) -> None:
    network = fresh_network(cell=name, hidden=2)

    bias = network.weights()["layers.0.bias_ih"] + network.weights()["layers.0.bias_hh"]

    # gates i, f, g, o of two units each
    assert bias.tolist() == [0, 0, 1, 1, 0, 0, 0, 0]


@pytest.mark.parametrize("name", [name for name in CELLS if name != "mingru"])
def test_recurrent_matrix_of_each_gate_begins_orthogonal(name: str) -> None:
    cell = CELLS[name]
    network = fresh_network(cell=name)

    weight = network.weights()["layers.0.weight_hh"].detach()

    gates = weight.reshape(cell.gates, 6, 6)
    identity = torch.eye(6).expand(cell.gates, 6, 6)
    torch.testing.assert_close(
        gates @ gates.transpose(1, 2), identity, rtol=0, atol=1e-5
    )


def test_norms_begin_with_weight_one_and_bias_zero() -> None:
    network = fresh_network(layers=2)

    assert network.weights()["norms.1.weight"].tolist() == [1] * 6
    assert network.weights()["norms.1.bias"].tolist() == [0] * 6


def test_untrained_network_is_nearly_uniform() -> None:
    network = fresh_network(vocab_size=50, hidden=64, embed=32)
    tokens = random_tokens(4, 20)

    logits, _ = network(tokens, network.initial_state(4))

    # outputs are normed, rows of the head have length 1/sqrt(3): logits spread by 0.6
    nats = torch.nn.functional.cross_entropy(
        logits[:-1].flatten(0, 1), tokens[1:].flatten()
    )
    assert abs(nats.item() - np.log(50)) < 0.5


def test_same_generator_gives_the_same_values_and_another_seed_does_not() -> None:
    first, second, third = (fresh_network(seed=seed) for seed in (0, 0, 1))

    left, right, other = (network.tensors() for network in (first, second, third))
    assert all(np.array_equal(left[name], right[name]) for name in left)
    assert not np.array_equal(left["head.weight"], other["head.weight"])


def test_tied_embedding_begins_with_rows_of_length_one() -> None:
    config = RecurrentConfig(vocab_size=200, embed=64, tie=True)

    weight = RecurrentNetwork(config).initial_values(
        "embedding.weight", (200, 64), torch.Generator().manual_seed(0)
    )

    # sum of 64 squares of spread 1/8: mean 1, standard error 0.18/sqrt(200) = 0.013
    assert weight.square().sum(1).mean().item() == pytest.approx(1, abs=0.06)
