"""The trainable translator: equal to its NumPy twin, with gradients everywhere."""

import numpy as np
import pytest
import torch
from support.networks import new_network
from support.translators import (
    V,
    random_translator,
    some_inputs,
    translator_config,
    translator_configs,
    translator_label,
)

from charrnn.models import ATTENTIONS
from charrnn.models.translator.config import TranslatorConfig
from charrnn.models.translator.network import TranslatorNetwork

every_config = pytest.mark.parametrize(
    "config", list(translator_configs()), ids=translator_label
)
LENGTHS = (5, 1, 3)


def twin_of(config: TranslatorConfig) -> TranslatorNetwork:
    network: TranslatorNetwork = new_network(config, "translator")
    network.load(random_translator(config).tensors())
    return network


def some_tokens() -> np.ndarray:
    return np.random.default_rng(1).integers(0, V, (6, len(LENGTHS)))


@every_config
def test_logits_and_state_are_those_of_the_numpy_model(
    config: TranslatorConfig,
) -> None:
    network, model, tokens = twin_of(config), random_translator(config), some_tokens()
    source, lengths = some_inputs(*LENGTHS)

    before = network.read(source.T, lengths)
    logits, after = network(torch.from_numpy(tokens), before)

    start = model.read(source, lengths)
    expected, end = model.forward(tokens.T, start)
    # atol, rtol 1e-5: the same float32 operations in another order
    found = logits.detach().numpy().swapaxes(0, 1)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    for ours, theirs in zip((*before, *after), (*start, *end), strict=True):
        np.testing.assert_allclose(ours.detach().numpy(), theirs, rtol=1e-5, atol=1e-5)


@every_config
def test_empty_input_is_read_as_a_boundary(config: TranslatorConfig) -> None:
    ours = twin_of(config).initial_state(2)

    theirs = random_translator(config).initial_state(2)
    for mine, expected in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine.detach().numpy(), expected, atol=1e-5)


@every_config
def test_parameters_have_exactly_the_names_and_shapes_of_the_model_file(
    config: TranslatorConfig,
) -> None:
    network = twin_of(config)

    found = {name: tuple(x.shape) for name, x in network.weights().items()}

    model = random_translator(config)
    assert found == {name: x.shape for name, x in model.tensors().items()}
    assert len(list(network.parameters())) == len(found)
    loaded = network.tensors()
    assert all(np.array_equal(loaded[n], x) for n, x in model.tensors().items())


def gradients_of(network: TranslatorNetwork) -> dict[str, torch.Tensor]:
    source, lengths = some_inputs(*LENGTHS)
    targets = torch.from_numpy(some_tokens())
    logits, _ = network(targets, network.read(source.T, lengths))
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
    loss.backward()  # type: ignore[no-untyped-call]
    return {name: weight.grad for name, weight in network.weights().items()}


@every_config
def test_every_parameter_gets_a_finite_gradient(config: TranslatorConfig) -> None:
    gradients = gradients_of(twin_of(config))

    assert all(g is not None and g.isfinite().all() for g in gradients.values())
    assert [name for name, g in gradients.items() if not g.any()] == []


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_attention_computed_step_by_step_has_the_same_gradient(
    attention: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = translator_config(attention=attention)
    whole = gradients_of(twin_of(config))
    monkeypatch.setattr("charrnn.models.translator.network.MOST_SCORED", 1)

    steps = gradients_of(twin_of(config))

    for name, gradient in whole.items():
        torch.testing.assert_close(steps[name], gradient, rtol=1e-5, atol=1e-6)


def test_copying_what_is_certain_has_a_finite_gradient() -> None:
    network = new_network(translator_config(copy=True), "translator")
    with torch.no_grad():
        network.gate.bias.fill_(-1000)  # g = 0 in float32
        network.head.bias[1:] = -1000
    source, lengths = some_inputs(*LENGTHS)
    tokens = torch.from_numpy(some_tokens())

    logits, _ = network(tokens, network.read(source.T, lengths))
    torch.nn.functional.cross_entropy(logits.flatten(0, 1), tokens.flatten()).backward()

    assert all(weight.grad.isfinite().all() for weight in network.parameters())


@every_config
def test_masks_of_ones_change_nothing_and_every_mask_is_used(
    config: TranslatorConfig,
) -> None:
    network = twin_of(config)
    source, lengths = some_inputs(*LENGTHS)
    tokens = torch.from_numpy(some_tokens())

    def logits_of(masks: list[torch.Tensor] | None) -> torch.Tensor:
        logits: torch.Tensor
        logits, _ = network(tokens, network.read(source.T, lengths, masks), masks)
        return logits

    expected = logits_of(None)
    ones = [torch.ones(len(LENGTHS), width) for width in network.masked]
    torch.testing.assert_close(logits_of(ones), expected, rtol=0, atol=0)
    for k in range(len(ones)):
        zeroed = [mask * (i != k) for i, mask in enumerate(ones)]
        assert not torch.allclose(logits_of(zeroed), expected, atol=1e-4)


@every_config
def test_fresh_network_finds_every_output_token_about_equally_likely(
    config: TranslatorConfig,
) -> None:
    network = new_network(config, "translator")
    source, lengths = some_inputs(*LENGTHS)
    targets = torch.from_numpy(some_tokens())

    logits, _ = network(targets, network.read(source.T, lengths))

    nats = torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
    assert abs(nats.item() - np.log(V)) < 0.7
