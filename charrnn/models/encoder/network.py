"""The encoder of `model.py` in torch, with the same parameters and with gradients.

Shape letters: S source time, B batch, I inputs, H hidden.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from charrnn.models import CELLS
from charrnn.models.cells import Cell
from charrnn.models.layers import Layer, Masks
from charrnn.models.recurrent.steps import NORM_EPSILON


class Encoder(nn.Module):
    """A stack of recurrent layers that read an input, by default in both directions.

    It runs fused kernels on padded batches, without packed sequences.
    """

    def __init__(
        self,
        cell: str,
        inputs: int,
        hidden: int,
        layers: int,
        one_way: bool,
        norm: bool,
    ) -> None:
        super().__init__()
        kind: type[Cell] = CELLS[cell]
        self._shape = (kind.states, hidden)
        #: size of outputs and summaries, D
        self.width = hidden if one_way else 2 * hidden
        widths = [inputs] + [self.width] * (layers - 1)

        def stack(count: int) -> nn.ModuleList:
            return nn.ModuleList(Layer(kind, width, hidden) for width in widths[:count])

        self.layers = stack(layers)
        self.reverse = stack(0 if one_way else layers)
        count = layers if norm else 0
        norms = (nn.LayerNorm(self.width, NORM_EPSILON) for _ in range(count))
        self.norms = nn.ModuleList(norms)

    @property
    def masked(self) -> list[int]:
        """The width of each layer's outputs; dropout masks them all."""
        return [self.width] * len(self.layers)

    @torch.no_grad()
    def start_as(self, tensors: Mapping[str, npt.NDArray[Any]]) -> None:
        """Copy the layers of a recurrent language model into the forward direction.

        tensors: the tensors of its model file. Layers above the first also read the
        backward direction; the weights for it keep their values.
        """
        hidden = self._shape[1]
        for k, layer in enumerate(self.layers):
            for name, weight in layer.named_parameters():
                found = torch.from_numpy(np.array(tensors[f"layers.{k}.{name}"]))
                own = weight[:, : found.shape[1]] if found.dim() == 2 else weight
                own.copy_(found)
        for k, norm in enumerate(self.norms):
            for name, weight in norm.named_parameters():
                found = torch.from_numpy(np.array(tensors[f"norms.{k}.{name}"]))
                weight[:hidden].copy_(found)

    def forward(
        self, inputs: Tensor, lengths: Tensor, masks: Masks = None
    ) -> tuple[Tensor, Tensor]:
        """Return the outputs (S, B, D) and the summaries (B, D).

        inputs: (S, B, I). lengths: (B,), the number of inputs in each column, >= 1, on
        the same device. masks: a dropout mask (B, D) for the output of each layer.
        """
        S, B, _ = inputs.shape
        times = torch.arange(S, device=inputs.device)[:, None]
        is_padding = times >= lengths
        columns = torch.arange(B, device=inputs.device)
        places = torch.where(is_padding, times, lengths - 1 - times) * B + columns
        states, hidden = self._shape
        state = (next(self.parameters()).new_zeros(B, hidden),) * states
        outputs = inputs
        for k, layer in enumerate(self.layers):
            now, _ = layer(outputs, state)
            if self.reverse:
                back, _ = self.reverse[k](_reversed(outputs, places), state)
                now = torch.cat([now, _reversed(back, places)], dim=-1)
            if self.norms:
                now = self.norms[k](now.float())
            if masks is not None:
                now = now * masks[k]
            outputs = now + outputs if k else now
        ends = outputs.flatten(0, 1).index_select(0, (lengths - 1) * B + columns)
        summary = torch.cat([ends[:, :hidden], outputs[0, :, hidden:]], dim=-1)
        return outputs.masked_fill(is_padding[..., None], 0), summary


def _reversed(x: Tensor, places: Tensor) -> Tensor:
    """Return (S, B, I) with each column reversed within its length."""
    result: Tensor = _Reversed.apply(x, places)  # type: ignore[no-untyped-call]
    return result


class _Reversed(torch.autograd.Function):
    """A permutation that is its own inverse and therefore also its own gradient.

    torch would compute the gradient as a sum over places. This takes longer, and the
    order of the sum is not fixed on a GPU.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, places: Tensor) -> Tensor:
        ctx.save_for_backward(places)
        return x.flatten(0, 1).index_select(0, places.flatten()).view_as(x)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        (places,) = ctx.saved_tensors
        x = grads[0]
        return x.flatten(0, 1).index_select(0, places.flatten()).view_as(x), None
