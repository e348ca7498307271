"""Layers over time: kernels, the linear recurrence, and the equations agree."""

import pytest
import torch
from torch import Tensor

from charrnn.models import CELLS
from charrnn.models.cells import Cell
from charrnn.models.layers import (
    TORCH_KERNELS,
    linear_recurrence,
    run_equations,
    run_layer,
)

FUSED = [name for name, cell in CELLS.items() if cell.kernel in TORCH_KERNELS]
I, H, B, T = 3, 4, 2, 7  # inputs, hidden, batch, time  # noqa: E741


def tensors_for(cell: type[Cell], *, seed: int = 0) -> dict[str, Tensor]:
    """Return float64 inputs (T, B, I), states (B, H), weights, all with gradients."""
    generator = torch.Generator().manual_seed(seed)
    shapes: dict[str, tuple[int, ...]] = {"inputs": (T, B, I)}
    shapes |= {f"state.{k}": (B, H) for k in range(cell.states)}
    shapes |= cell.shapes(I, H)
    return {
        name: (0.6 * torch.randn(shape, generator=generator, dtype=torch.float64))
        .detach()
        .requires_grad_()
        for name, shape in shapes.items()
    }


def state_in(tensors: dict[str, Tensor], cell: type[Cell]) -> tuple[Tensor, ...]:
    return tuple(tensors[f"state.{k}"] for k in range(cell.states))


def run_both(
    name: str,
) -> tuple[dict[str, Tensor], list[Tensor], list[Tensor]]:
    """Return the tensors, then outputs and last state of run_layer and of equations."""
    cell = CELLS[name]
    tensors = tensors_for(cell)
    state = state_in(tensors, cell)
    outputs, last = run_layer(cell, tensors["inputs"], state, tensors)
    projected = tensors["inputs"] @ tensors["weight_ih"].T + tensors["bias_ih"]
    expected, expected_last = run_equations(cell, projected, state, tensors)
    return tensors, [outputs, *last], [expected, *expected_last]


def weighted_sum(arrays: list[Tensor]) -> Tensor:
    """Return a scalar that every element has its own share in."""
    flat = torch.cat([array.double().flatten() for array in arrays])
    return (flat * torch.linspace(-1, 1, len(flat), dtype=torch.float64)).sum()


@pytest.mark.parametrize("name", FUSED)
def test_fused_kernel_gives_what_the_equations_give(name: str) -> None:
    _, found, expected = run_both(name)

    # float64, the same operations in another order
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", FUSED)
def test_gradients_of_the_fused_kernel_are_those_of_the_equations(name: str) -> None:
    tensors, found, expected = run_both(name)
    leaves = list(tensors.values())

    ours = torch.autograd.grad(weighted_sum(found), leaves)

    theirs = torch.autograd.grad(weighted_sum(expected), leaves)
    for left, right in zip(ours, theirs, strict=True):
        torch.testing.assert_close(left, right, rtol=0, atol=1e-11)


def test_min_gru_gives_the_values_and_gradients_of_its_equations() -> None:
    tensors, found, expected = run_both("mingru")
    leaves = list(tensors.values())

    ours = torch.autograd.grad(weighted_sum(found), leaves)

    theirs = torch.autograd.grad(weighted_sum(expected), leaves)
    # 1e-5: the layer computes in float32, the equations here in float64
    for left, right in zip([*found, *ours], [*expected, *theirs], strict=True):
        torch.testing.assert_close(left.double(), right, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("time", [1, 2, 9])
def test_linear_recurrence_is_the_plain_loop(time: int) -> None:
    generator = torch.Generator().manual_seed(0)
    a, b = torch.randn(2, time, B, H, generator=generator, dtype=torch.float64)
    h = torch.randn(B, H, generator=generator, dtype=torch.float64)

    found = linear_recurrence(a, b, h)

    for t in range(time):
        h = a[t] * h + b[t]
        torch.testing.assert_close(found[t], h, rtol=0, atol=1e-13)


@pytest.mark.parametrize("time", [1, 2, 5])
def test_gradient_of_the_linear_recurrence_is_that_of_finite_differences(
    time: int,
) -> None:
    generator = torch.Generator().manual_seed(0)
    shapes = [(time, B, H), (time, B, H), (B, H)]
    arguments = [
        torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_()
        for shape in shapes
    ]

    assert torch.autograd.gradcheck(linear_recurrence, arguments)
