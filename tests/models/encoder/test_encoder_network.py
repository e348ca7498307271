"""Training the encoder: exact gradients in padded batches, and dropout masks."""

import pytest
import torch
from torch import Tensor

from charrnn.models import CELLS
from charrnn.models.encoder.network import Encoder

LENGTHS = torch.tensor([5, 2, 4])
S, B, E, H = 5, 3, 4, 3


def fresh(cell: str = "lstm", *, layers: int = 2, one_way: bool = False) -> Encoder:
    encoder = Encoder(cell, E, H, layers, one_way, norm=True)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in encoder.parameters():
            weight.normal_(0, 0.5, generator=generator)
    return encoder


def inputs() -> Tensor:
    return torch.randn(S, B, E, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("one_way", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_gradients_of_a_padded_batch_are_those_of_its_rows(
    cell: str, one_way: bool
) -> None:
    def gradients(*batches: tuple[Tensor, Tensor]) -> list[Tensor]:
        encoder = fresh(cell, one_way=one_way)
        for x, lengths in batches:
            outputs, summary = encoder(x, lengths)
            (outputs.square().sum() + summary.exp().sum()).backward()
        return [
            weight.grad for weight in encoder.parameters() if weight.grad is not None
        ]

    together = gradients((inputs(), LENGTHS))

    rows = [
        (inputs()[:n, b : b + 1], LENGTHS[b : b + 1]) for b, n in enumerate(LENGTHS)
    ]
    alone = gradients(*rows)
    assert len(together) == len(list(fresh(cell, one_way=one_way).parameters()))
    for ours, theirs in zip(together, alone, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


def test_masks_of_ones_change_nothing() -> None:
    encoder = fresh()

    masked, _ = encoder(inputs(), LENGTHS, [torch.ones(B, n) for n in encoder.masked])

    assert torch.equal(masked, encoder(inputs(), LENGTHS)[0])


def test_unit_that_dropout_masks_is_zero_in_every_output_and_in_the_summary() -> None:
    encoder = fresh(layers=1)
    mask = torch.ones(B, 2 * H)
    mask[1, 4] = 0

    outputs, summary = encoder(inputs(), LENGTHS, [mask])

    assert not outputs[:, 1, 4].any()
    assert summary[1, 4] == 0
    assert summary[0].all()


@pytest.mark.parametrize("one_way", [False, True])
def test_each_layer_has_one_mask_as_wide_as_its_output(one_way: bool) -> None:
    encoder = fresh(layers=3, one_way=one_way)

    assert encoder.masked == [encoder(inputs(), LENGTHS)[0].shape[-1]] * 3
