"""The encoder: a stack of recurrent layers that read an input in both directions.

    x_1      x_2      x_3         inputs
     |        |        |
    h_1 ---> h_2 ---> h_3         h_t = cell(x_t, h_{t-1})      forward
     |        |        |
    g_1 <--- g_2 <--- g_3         g_t = cell'(x_t, g_{t+1})     backward
     |        |        |
    y_1      y_2      y_3         y_t = [h_t; g_t]              outputs

The inputs of a layer are the outputs of the layer below it:

    y_0  = the inputs
    y_l  = norm_l([cell_l(y_{l-1}); cell'_l(y_{l-1})]) + y_{l-1}

The norm is optional, the first layer adds no y_{l-1}, and an encoder that reads in only
one direction has no g. The summary of an input of n tokens consists of the last state
of each direction: [h_n; g_1].

Rows of a batch are padded at the end. The backward direction reads each row reversed
within its length, so it starts at the row's last token, not at the padding. A row has
the same result in a batch as alone, and its outputs at the padding are zero.

The parameters, where the size D of an output is 2H, or H with one direction:

    layers.K.weight_ih, ...                      forward, see cells.py
    reverse.K.weight_ih, ...                     backward
    norms.K.weight, norms.K.bias (D,)

Shape letters: S source time, B batch, I inputs, H hidden, G gates.
"""

import numpy as np
import numpy.typing as npt

from charrnn.models import CELLS
from charrnn.models.base import Floats, Tensors, Tokens, under
from charrnn.models.recurrent.steps import Steps, layer_norm, steps_of

Places = npt.NDArray[np.intp]


def encoder_shapes(
    prefix: str,
    cell: str,
    inputs: int,
    hidden: int,
    layers: int,
    one_way: bool,
    norm: bool,
) -> dict[str, tuple[int, ...]]:
    """Return the shape of every parameter of an encoder by name, in file order."""
    directions = ("layers",) if one_way else ("layers", "reverse")
    width = hidden * len(directions)
    shapes: dict[str, tuple[int, ...]] = {}
    for k in range(layers):
        for direction in directions:
            found = CELLS[cell].shapes(width if k else inputs, hidden)
            for name, shape in found.items():
                shapes[f"{prefix}.{direction}.{k}.{name}"] = shape
        if norm:
            for name in ("weight", "bias"):
                shapes[f"{prefix}.norms.{k}.{name}"] = (width,)
    return shapes


class Encoder:
    """Reads inputs with the weights whose names start with a prefix."""

    def __init__(self, prefix: str, cell: str, layers: int, tensors: Tensors) -> None:
        own = under(f"{prefix}.", tensors)
        self._states = CELLS[cell].states
        self._layers = [
            steps_of(cell, under(f"layers.{k}.", own)) for k in range(layers)
        ]
        backward = [under(f"reverse.{k}.", own) for k in range(layers)]
        self._reverse = [steps_of(cell, weights) for weights in backward if weights]
        self._norms = [under(f"norms.{k}.", own) for k in range(layers)]
        self._hidden = own["layers.0.weight_ih"].shape[0]
        self._hidden //= CELLS[cell].gates
        #: size of outputs and summaries, D
        self.width = self._hidden * (2 if self._reverse else 1)

    def read(self, inputs: Floats, lengths: Tokens) -> tuple[Floats, Floats]:
        """Return the outputs (S, B, D) and the summaries (B, D).

        inputs: (S, B, I). lengths: (B,), the number of inputs in each column, >= 1.
        """
        S, B, size = inputs.shape
        places = np.arange(S * B).reshape(S, B)
        return self.look_up(inputs.reshape(S * B, size), places, lengths)

    def look_up(
        self, vectors: Floats, index: Places, lengths: Tokens
    ) -> tuple[Floats, Floats]:
        """Return the same as `read` with the inputs vectors[index].

        vectors: (N, I); each is multiplied only once, even if it occurs often. index:
        (S, B).
        """
        S, B = index.shape
        H = self._hidden
        times, columns = np.arange(S)[:, None], np.arange(B)
        is_padding = times >= lengths
        # The places of each direction's inputs among the S*B outputs. A column is
        # reversed within its length, so the same places also undo the reversal.
        forward: Places = times * B + columns
        places = np.where(is_padding, times, lengths - 1 - times) * B + columns
        rows, first, last = vectors, index, index.reshape(-1)[places]
        outputs: Floats = np.empty(0, np.float32)
        for k, layer in enumerate(self._layers):
            hidden = np.empty((S, B, self.width), np.float32)
            hidden[..., :H] = self._run(layer, rows, first)
            if self._reverse:
                backward = self._run(self._reverse[k], rows, last)
                hidden[..., H:] = backward.reshape(S * B, H)[places]
            if self._norms[k]:
                layer_norm(hidden, self._norms[k])
            if k:
                hidden += outputs
            outputs = hidden
            rows, first, last = hidden.reshape(S * B, self.width), forward, places
        summary = outputs[lengths - 1, columns]
        summary[:, H:] = outputs[0, :, H:]
        outputs[is_padding] = 0
        return outputs, summary

    def _run(self, layer: Steps, rows: Floats, places: Places) -> Floats:
        """Return the outputs (S, B, H) of one direction for the inputs rows[places]."""
        S, B = places.shape
        state = tuple(
            np.zeros((B, self._hidden), np.float32) for _ in range(self._states)
        )
        projected = rows @ layer.weight_ih
        projected += layer.bias
        outputs = np.empty((S, B, self._hidden), np.float32)
        # a lazy map keeps the rows of one step in the cache
        layer.run(map(projected.__getitem__, places), state, outputs)
        return outputs
