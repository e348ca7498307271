"""The time loop of a layer: the equations of a cell, or the same ones in place.

`Steps` runs the equations of `cells.py` and is the reference. The GRU and the LSTM
have a form of their own that gives the same to 1e-5: one tanh serves all gates, the
constants are in the weights, and nothing is allocated for a step.

    sigmoid(x) = tanh(x / 2) / 2 + 1/2

so the weights and biases of a sigmoid gate are halved once, before the loop.

Shape letters: B batch, T time, I inputs, H hidden, G gates.
"""

from collections.abc import Iterable, Mapping
from typing import ClassVar

import numpy as np

from charrnn.cells import CELLS, NUMPY
from charrnn.models.base import Floats, State

HALF = np.float32(0.5)


class Steps:
    """Runs one layer by the equations of its cell."""

    def __init__(self, cell: str, weights: Mapping[str, Floats]) -> None:
        self._cell = CELLS[cell]
        self._weights = weights
        self.weight_ih: Floats = weights["weight_ih"].T  #: (I, G*H)
        self.bias: Floats = weights["bias_ih"]  #: (G*H,)

    def run(self, inputs: Iterable[Floats], state: State, outputs: Floats) -> State:
        """Fill the outputs (T, B, H) and return the last state.

        inputs: for each step x_t @ weight_ih + bias, (B, G*H).
        """
        for t, projected in enumerate(inputs):
            state = self._cell.step(NUMPY, projected, state, self._weights)
            outputs[t] = state[0]
        return state


class FastSteps(Steps):
    """What the faster forms share: weights with the constants in them.

    As (H, G*H), the order in which a row times the matrix reads memory in one go:
    with one row 41 microseconds for 512 units of a GRU, the other way 45 to 90.
    """

    factors: ClassVar[tuple[float, ...]]  #: of each gate: 1/2 for a sigmoid

    def __init__(self, cell: str, weights: Mapping[str, Floats]) -> None:
        super().__init__(cell, weights)
        hidden = weights["weight_hh"].shape[1]
        factor = np.repeat(np.array(self.factors, np.float32), hidden)
        self._factor = factor
        self.weight_ih = self.weight_ih * factor
        self.bias = self.bias * factor
        self._weight_hh = np.ascontiguousarray(weights["weight_hh"].T * factor)
        self._bias_hh = weights["bias_hh"] * factor


class GRUSteps(FastSteps):
    """The GRU in place: 1.9 times as many steps a second with one row of 512 units."""

    factors = (0.5, 0.5, 1)

    def __init__(self, cell: str, weights: Mapping[str, Floats]) -> None:
        super().__init__(cell, weights)
        both = 2 * weights["weight_hh"].shape[1]
        self.bias[:both] += self._bias_hh[:both]
        self._bias_n = self._bias_hh[both:]

    def run(self, inputs: Iterable[Floats], state: State, outputs: Floats) -> State:
        """Fill the outputs (T, B, H) and return the last state, as `Steps.run`."""
        (h,) = state
        B, H = h.shape
        gates = np.empty((B, 3 * H), np.float32)
        rz, n = gates[:, : 2 * H], gates[:, 2 * H :]
        r, z = gates[:, :H], gates[:, H : 2 * H]
        for x, out in zip(inputs, outputs, strict=True):
            np.matmul(h, self._weight_hh, out=gates)
            rz += x[:, : 2 * H]
            np.tanh(rz, out=rz)
            rz *= HALF
            rz += HALF
            n += self._bias_n
            n *= r
            n += x[:, 2 * H :]
            np.tanh(n, out=n)
            # (1 - z) n + z h, as n + z (h - n)
            np.subtract(h, n, out=out)
            out *= z
            out += n
            h = out
        return (h.copy(),)


class LSTMSteps(FastSteps):
    """The LSTM in place."""

    factors = (0.5, 0.5, 1, 0.5)

    def __init__(self, cell: str, weights: Mapping[str, Floats]) -> None:
        super().__init__(cell, weights)
        self.bias += self._bias_hh
        self._shift = 1 - self._factor  # 1/2 for a sigmoid, 0 for a tanh

    def run(self, inputs: Iterable[Floats], state: State, outputs: Floats) -> State:
        """Fill the outputs (T, B, H) and return the last state, as `Steps.run`."""
        h, c = state[0], state[1].copy()
        B, H = h.shape
        gates = np.empty((B, 4 * H), np.float32)
        i, f, g, o = (gates[:, k * H : (k + 1) * H] for k in range(4))
        for x, out in zip(inputs, outputs, strict=True):
            np.matmul(h, self._weight_hh, out=gates)
            gates += x
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
    """Return the fastest form of a layer."""
    return FAST.get(cell, Steps)(cell, weights)
