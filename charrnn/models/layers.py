"""Run one recurrent layer over time, in torch, with gradients.

A cell uses torch's fused kernel if there is one. The others run the equations of
`cells.py` step by step; minGRU, whose recurrence is linear, needs no matrix product in
the loop. Tests check that every cell agrees with its equations.

Shape letters: B batch, T time, I inputs, H hidden, G gates.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import torch
from torch import Tensor, nn

from charrnn.models.cells import Cell, Functions, split

LayerState = tuple[Tensor, ...]
Masks = Sequence[Tensor] | None  #: dropout masks (B, width)

TORCH_KERNELS: Final = ("rnn_tanh", "rnn_relu", "lstm", "gru")


TORCH: Final = Functions(torch.sigmoid, torch.tanh, torch.relu)


class Layer(nn.Module):
    """One recurrent layer, whose parameters have the names in cells.py."""

    def __init__(self, cell: type[Cell], inputs: int, hidden: int) -> None:
        super().__init__()
        self._cell = cell
        for name, shape in cell.shapes(inputs, hidden).items():
            self.register_parameter(name, nn.Parameter(torch.empty(shape)))

    def forward(self, inputs: Tensor, state: LayerState) -> tuple[Tensor, LayerState]:
        """Return the outputs (T, B, H) for inputs (T, B, I), and the new state."""
        weights = dict(self.named_parameters())
        return run_layer(self._cell, inputs, state, weights)


def run_layer(
    cell: type[Cell], inputs: Tensor, state: LayerState, weights: Mapping[str, Tensor]
) -> tuple[Tensor, LayerState]:
    """Return the outputs (T, B, H) for inputs (T, B, I), and the final state."""
    if cell.kernel in TORCH_KERNELS:
        return _fused(cell.kernel, inputs, state, weights)
    # Under autocast, the product is bfloat16, which is too coarse to sum over time.
    projected = (inputs @ weights["weight_ih"].T + weights["bias_ih"]).float()
    if cell.kernel == "linear":
        return _linear(projected, state)
    return run_equations(cell, projected, state, weights)


def run_equations(
    cell: type[Cell], projected: Tensor, state: LayerState, weights: Mapping[str, Any]
) -> tuple[Tensor, LayerState]:
    """Run the equations of a cell over `projected` (T, B, G*H)."""
    outputs = []
    for now in projected.unbind(0):
        state = cell.step(TORCH, now, state, weights)
        outputs.append(state[0])
    return torch.stack(outputs), state


def _fused(
    kernel: str, inputs: Tensor, state: LayerState, weights: Mapping[str, Tensor]
) -> tuple[Tensor, LayerState]:
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    parameters = [weights[name] for name in names]
    before = [array[None] for array in state]  # torch's (layers, B, H)
    # has_biases, num_layers, dropout, train, bidirectional, batch_first
    options = (True, 1, 0.0, torch.is_grad_enabled(), False, False)
    run = getattr(torch, kernel)
    first = before if kernel == "lstm" else before[0]
    outputs, *after = run(inputs, first, parameters, *options)
    return outputs, tuple(array[0] for array in after)


def _linear(projected: Tensor, state: LayerState) -> tuple[Tensor, LayerState]:
    """Run minGRU, whose coefficients do not depend on the state."""
    z, n = split(projected, 2)
    z = z.sigmoid()
    outputs = linear_recurrence(1 - z, z * n, state[0])
    return outputs, (outputs[-1],)


def linear_recurrence(a: Tensor, b: Tensor, h: Tensor) -> Tensor:
    """Return h_t = a_t h_{t-1} + b_t, elementwise, for all t: (T, B, H).

    a, b: (T, B, H). h: h_0, (B, H). The gradient is the same recurrence, backward in
    time, so both loops take one multiply-add per step.
    """
    outputs: Tensor = _LinearRecurrence.apply(a, b, h)  # type: ignore[no-untyped-call]
    return outputs


class _LinearRecurrence(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, h: Tensor) -> Tensor:
        outputs = torch.empty_like(b)
        before = h
        for a_t, b_t, out in zip(a, b, outputs, strict=True):
            before = torch.addcmul(b_t, a_t, before, out=out)
        ctx.save_for_backward(a, outputs, h)
        return outputs

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        a, outputs, h = ctx.saved_tensors
        # dL/db_t = dL/dh_t, including the effect of h_t on later steps
        grad_b = grads[0].clone()
        for t in range(len(a) - 1, 0, -1):
            grad_b[t - 1].addcmul_(grad_b[t], a[t])
        before = torch.cat([h[None], outputs[:-1]])
        return grad_b * before, grad_b, grad_b[0] * a[0]
