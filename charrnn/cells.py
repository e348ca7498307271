"""The recurrent cells, each as its textbook equations, written once.

NumPy inference runs these equations as they stand. Training runs torch's fused kernel
where torch has one and these equations where it has none, so `xp` is either library's
functions and every array is either library's. Tests hold all of them equal.

Shape letters: B batch, I inputs, H hidden, G gates.

A cell is given `projected` = W x_t + b, (B, G*H), because the input's share of every
gate can be computed for all time steps at once. It returns the next state, a tuple of
arrays (B, H), of which the first is the cell's output h_t. Gate order and parameter
names are those of torch.nn, so that one set of tensors serves both:

    weight_ih (G*H, I)    bias_ih (G*H,)    the input's share
    weight_hh (G*H, H)    bias_hh (G*H,)    the previous state's share
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Protocol

import numpy as np

Array = Any  # a numpy array or a torch tensor
CellState = tuple[Array, ...]
Weights = Mapping[str, Array]


class Functions(Protocol):
    """The elementwise functions that the equations need, of either library."""

    def sigmoid(self, x: Array, /) -> Array:
        """Return 1 / (1 + exp(-x))."""

    def tanh(self, x: Array, /) -> Array:
        """Return the hyperbolic tangent of x."""

    def relu(self, x: Array, /) -> Array:
        """Return max(0, x)."""


class NumPyFunctions:
    """The elementwise functions for NumPy arrays."""

    def sigmoid(self, x: Array, /) -> Array:
        """Return 1 / (1 + exp(-x)), by a formula that does not overflow."""
        return 0.5 * np.tanh(0.5 * x) + 0.5

    def tanh(self, x: Array, /) -> Array:
        """Return the hyperbolic tangent of x."""
        return np.tanh(x)

    def relu(self, x: Array, /) -> Array:
        """Return max(0, x)."""
        return np.maximum(x, 0)


NUMPY = NumPyFunctions()


class Cell(ABC):
    """One recurrence. Subclasses hold no data: weights and state are arguments."""

    gates: ClassVar[int]
    states: ClassVar[int] = 1  #: arrays in the state; the first is the output
    kernel: ClassVar[str] = ""  #: torch's fused kernel, where there is one

    @classmethod
    @abstractmethod
    def step(
        cls, xp: Functions, projected: Array, state: CellState, w: Weights
    ) -> CellState:
        """Return the state after one token; `projected` is W x_t + b, (B, G*H)."""

    @classmethod
    def shapes(cls, inputs: int, hidden: int) -> dict[str, tuple[int, ...]]:
        """Return the shape of every parameter by name."""
        rows = cls.gates * hidden
        return {
            "weight_ih": (rows, inputs),
            "weight_hh": (rows, hidden),
            "bias_ih": (rows,),
            "bias_hh": (rows,),
        }


class Elman(Cell):
    """Simple recurrent network (Elman 1990): h_t = tanh(U h_{t-1} + W x_t + b)."""

    gates = 1
    kernel = "rnn_tanh"

    @classmethod
    def step(
        cls, xp: Functions, projected: Array, state: CellState, w: Weights
    ) -> CellState:
        """Return (h_t,)."""
        (h,) = state
        return (xp.tanh(projected + h @ w["weight_hh"].T + w["bias_hh"]),)


class ElmanReLU(Cell):
    """Elman's network with max(0, x) for tanh (Le, Jaitly & Hinton 2015)."""

    gates = 1
    kernel = "rnn_relu"

    @classmethod
    def step(
        cls, xp: Functions, projected: Array, state: CellState, w: Weights
    ) -> CellState:
        """Return (h_t,)."""
        (h,) = state
        return (xp.relu(projected + h @ w["weight_hh"].T + w["bias_hh"]),)


class LSTM(Cell):
    """Long short-term memory (Hochreiter & Schmidhuber 1997).

    With the forget gate f of Gers, Schmidhuber & Cummins (2000).

        i, f, o = sigmoid(...)    g = tanh(...)    each of W x_t + U h_{t-1} + b
        c_t = f c_{t-1} + i g     h_t = o tanh(c_t)
    """

    gates = 4
    states = 2
    kernel = "lstm"

    @classmethod
    def step(
        cls, xp: Functions, projected: Array, state: CellState, w: Weights
    ) -> CellState:
        """Return (h_t, c_t)."""
        h, c = state
        i, f, g, o = split(projected + h @ w["weight_hh"].T + w["bias_hh"], 4)
        c = xp.sigmoid(f) * c + xp.sigmoid(i) * xp.tanh(g)
        h = xp.sigmoid(o) * xp.tanh(c)
        return h, c


class PeepholeLSTM(Cell):
    """LSTM whose gates see the memory too (Gers & Schmidhuber 2000).

    The input and forget gates look at c_{t-1}, the output gate at c_t, each through
    a weight a unit: weight_ci, weight_cf, weight_co (H,).
    """

    gates = 4
    states = 2

    @classmethod
    def step(
        cls, xp: Functions, projected: Array, state: CellState, w: Weights
    ) -> CellState:
        """Return (h_t, c_t)."""
        h, c = state
        i, f, g, o = split(projected + h @ w["weight_hh"].T + w["bias_hh"], 4)
        i = xp.sigmoid(i + w["weight_ci"] * c)
        f = xp.sigmoid(f + w["weight_cf"] * c)
        c = f * c + i * xp.tanh(g)
        o = xp.sigmoid(o + w["weight_co"] * c)
        return o * xp.tanh(c), c

    @classmethod
    def shapes(cls, inputs: int, hidden: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the LSTM, and of its peepholes."""
        peepholes = {f"weight_c{gate}": (hidden,) for gate in "ifo"}
        return super().shapes(inputs, hidden) | peepholes


class GRU(Cell):
    """Gated recurrent unit (Cho et al. 2014), as torch.nn.GRU has it.

    The reset gate r is applied after the matrix product; the paper applies it before.

        r, z = sigmoid(W x_t + U h_{t-1} + b)
        n = tanh(W x_t + b + r (U h_{t-1} + b'))
        h_t = (1 - z) n + z h_{t-1}
    """

    gates = 3
    kernel = "gru"

    @classmethod
    def step(
        cls, xp: Functions, projected: Array, state: CellState, w: Weights
    ) -> CellState:
        """Return (h_t,)."""
        (h,) = state
        x_r, x_z, x_n = split(projected, 3)
        h_r, h_z, h_n = split(h @ w["weight_hh"].T + w["bias_hh"], 3)
        r = xp.sigmoid(x_r + h_r)
        z = xp.sigmoid(x_z + h_z)
        n = xp.tanh(x_n + r * h_n)
        return ((1 - z) * n + z * h,)


class SimpleGRU(Cell):
    """The GRU of introductory lectures: an update gate u, no relevance gate.

        u = sigmoid(W x_t + U h_{t-1} + b)    n = tanh(W x_t + U h_{t-1} + b)
        h_t = u n + (1 - u) h_{t-1}

    An update gate of 0 keeps the state as it is; the GRU's z is the other way round.
    """

    gates = 2

    @classmethod
    def step(
        cls, xp: Functions, projected: Array, state: CellState, w: Weights
    ) -> CellState:
        """Return (h_t,)."""
        (h,) = state
        u, n = split(projected + h @ w["weight_hh"].T + w["bias_hh"], 2)
        u = xp.sigmoid(u)
        return (u * xp.tanh(n) + (1 - u) * h,)


class MinGRU(Cell):
    """Minimal GRU (Feng et al. 2024, arXiv 2410.01201, section 3.1).

        z = sigmoid(W x_t + b)    n = W x_t + b    h_t = (1 - z) h_{t-1} + z n

    Gate and candidate don't see h_{t-1}: the recurrence is linear in h, so that it
    can be run for all time steps in parallel.
    """

    gates = 2

    @classmethod
    def step(
        cls, xp: Functions, projected: Array, state: CellState, w: Weights
    ) -> CellState:
        """Return (h_t,)."""
        (h,) = state
        z, n = split(projected, 2)
        z = xp.sigmoid(z)
        return ((1 - z) * h + z * n,)

    @classmethod
    def shapes(cls, inputs: int, hidden: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the input\'s share: there is no other."""
        shapes = super().shapes(inputs, hidden)
        return {name: shapes[name] for name in ("weight_ih", "bias_ih")}


def split(x: Array, parts: int) -> list[Array]:
    """Return views of the last axis of (..., parts*H) as `parts` arrays (..., H)."""
    width = x.shape[-1] // parts
    return [x[..., k * width : (k + 1) * width] for k in range(parts)]


CELLS: dict[str, type[Cell]] = {
    "elman": Elman,
    "elman-relu": ElmanReLU,
    "lstm": LSTM,
    "lstm-peephole": PeepholeLSTM,
    "gru": GRU,
    "gru-simple": SimpleGRU,
    "mingru": MinGRU,
}
