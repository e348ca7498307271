"""The loop of a layer over time, and the products and norms around it, in NumPy.

`Steps` is the reference: it runs the equations of `cells.py`. The GRU and the LSTM have
faster versions, equal to within 1e-5, that allocate nothing inside the loop. They use
tanh for all gates. Because sigmoid(x) = tanh(x / 2) / 2 + 1/2, they halve the weights
and biases of sigmoid gates once, before the loop.

Shape letters: B batch, T time, I inputs, H hidden, G gates.
"""

from collections.abc import Iterable, Mapping
from typing import ClassVar, Final

import numpy as np

from charrnn.models import CELLS
from charrnn.models.base import Floats, State
from charrnn.models.cells import NUMPY

HALF = np.float32(0.5)
NORM_EPSILON: Final = 1e-5


class Steps:
    """Runs a layer using the equations of its cell."""

    def __init__(self, cell: str, weights: Mapping[str, Floats]) -> None:
        self._cell = CELLS[cell]
        self._weights = weights
        self.weight_ih: Floats = weights["weight_ih"].T  #: (I, G*H)
        self.bias: Floats = weights["bias_ih"]  #: (G*H,)

    def run(self, inputs: Iterable[Floats], state: State, outputs: Floats) -> State:
        """Fill the outputs (T, B, H) and return the last state.

        inputs: x_t @ weight_ih + bias for each step, (B, G*H).
        """
        for t, projected in enumerate(inputs):
            state = self._cell.step(NUMPY, projected, state, self._weights)
            outputs[t] = state[0]
        return state


class FastSteps(Steps):
    """The base class of the faster versions. It scales the weights of each gate.

    Gates have shape (G, B, H), so that each gate is contiguous. With 64 rows or more, a
    step takes 0.88 times as long as with shape (B, G*H).
    """

    factors: ClassVar[tuple[float, ...]]  #: scale of each gate, 1/2 for a sigmoid

    def __init__(self, cell: str, weights: Mapping[str, Floats]) -> None:
        super().__init__(cell, weights)
        G, H = len(self.factors), weights["weight_hh"].shape[1]
        factor = np.array(self.factors, np.float32)[:, None, None]  # (G, 1, 1)
        of_row = np.repeat(factor, H)  # (G*H,)
        self.weight_ih = self.weight_ih * of_row
        self.bias = self.bias * of_row
        by_gate = weights["weight_hh"].reshape(G, H, H).swapaxes(1, 2)
        self._weight_hh = np.multiply(by_gate, factor, order="C")  # (G, H, H)
        self._bias_hh = weights["bias_hh"] * of_row
        self._factor = factor


class GRUSteps(FastSteps):
    """The GRU, computed in place."""

    factors = (0.5, 0.5, 1)

    def __init__(self, cell: str, weights: Mapping[str, Floats]) -> None:
        super().__init__(cell, weights)
        both = 2 * weights["weight_hh"].shape[1]
        self.bias[:both] += self._bias_hh[:both]
        self._bias_n = self._bias_hh[both:]

    def run(self, inputs: Iterable[Floats], state: State, outputs: Floats) -> State:
        """Fill the outputs and return the last state."""
        (h,) = state
        B, H = h.shape
        gates = np.empty((3, B, H), np.float32)
        rz = gates[:2]
        r, z, n = gates
        for projected, out in zip(inputs, outputs, strict=True):
            x = projected.reshape(B, 3, H).swapaxes(0, 1)
            np.matmul(h, self._weight_hh, out=gates)
            rz += x[:2]
            np.tanh(rz, out=rz)
            rz *= HALF
            rz += HALF
            n += self._bias_n
            n *= r
            n += x[2]
            np.tanh(n, out=n)
            # (1 - z) n + z h, computed as n + z (h - n)
            np.subtract(h, n, out=out)
            out *= z
            out += n
            h = out
        return (h.copy(),)


class LSTMSteps(FastSteps):
    """The LSTM, computed in place."""

    factors = (0.5, 0.5, 1, 0.5)

    def __init__(self, cell: str, weights: Mapping[str, Floats]) -> None:
        super().__init__(cell, weights)
        self.bias += self._bias_hh
        self._shift = 1 - self._factor  # 1/2 for a sigmoid, 0 for a tanh

    def run(self, inputs: Iterable[Floats], state: State, outputs: Floats) -> State:
        """Fill the outputs and return the last state."""
        h, c = state[0], state[1].copy()
        B, H = h.shape
        gates = np.empty((4, B, H), np.float32)
        i, f, g, o = gates
        for projected, out in zip(inputs, outputs, strict=True):
            np.matmul(h, self._weight_hh, out=gates)
            gates += projected.reshape(B, 4, H).swapaxes(0, 1)
            np.tanh(gates, out=gates)
            gates *= self._factor
            gates += self._shift
            c *= f
            i *= g
            c += i
            np.tanh(c, out=g)
            np.multiply(o, g, out=out)
            h = out
        return h.copy(), c


FAST = {"gru": GRUSteps, "lstm": LSTMSteps}


def steps_of(cell: str, weights: Mapping[str, Floats]) -> Steps:
    """Return the fastest implementation of a cell's loop."""
    return FAST.get(cell, Steps)(cell, weights)


def product(x: Floats, weight: Floats) -> Floats:
    """Return x @ weight for x (T, B, I) and weight (I, O), as a single product."""
    T, B, inputs = x.shape
    # given three axes, NumPy would compute T products
    flat = x.reshape(T * B, inputs) @ weight
    return np.asarray(flat).reshape(T, B, weight.shape[1])


def affine(x: Floats, weight: Floats, bias: Floats) -> Floats:
    """Return x @ weight + bias for x (T, B, I)."""
    result = product(x, weight)
    result += bias
    return result


def layer_norm(x: Floats, weights: Mapping[str, Floats]) -> None:
    """Normalize the last axis of (T, B, H) in place."""
    size = np.float32(x.shape[-1])
    x -= np.add.reduce(x, axis=-1, keepdims=True) / size
    variance = np.add.reduce(x * x, axis=-1, keepdims=True) / size
    x /= np.sqrt(variance + np.float32(NORM_EPSILON))
    x *= weights["weight"]
    x += weights["bias"]
