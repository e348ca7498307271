"""The recurrent cells, each written once as its textbook equations.

NumPy inference runs these equations unchanged. Training runs torch's fused kernel if
there is one, and otherwise these equations. The argument `xp` provides the functions of
NumPy or torch, and all arrays belong to that library. Tests compare all the results.

Shape letters: B batch, I inputs, H hidden, G gates.

In the equations, W is `weight_ih` (G*H, I), U is `weight_hh` (G*H, H), and b is
`bias_ih` + `bias_hh`, (G*H,) each. The rows of each are grouped by gate, in the order
in which `step` splits them: W_i, W_f, W_g, W_o for an LSTM. The order and the names are
those of torch.nn, so both libraries use the same tensors.

A cell receives `projected` = W x_t + b_ih, (B, G*H), because W x_t can be computed for
all time steps at once. It returns the next state, a tuple of arrays (B, H), the first
of which is the cell's output h_t.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

Array = Any  # a numpy array or a torch tensor
State = tuple[Array, ...]
Weights = Mapping[str, Array]


@dataclass(frozen=True)
class Functions:
    """The elementwise functions that the equations need, from NumPy or torch."""

    sigmoid: Callable[[Array], Array]
    tanh: Callable[[Array], Array]
    relu: Callable[[Array], Array]


NUMPY = Functions(
    sigmoid=lambda x: 0.5 * np.tanh(0.5 * x) + 0.5,  # does not overflow
    tanh=np.tanh,
    relu=lambda x: np.maximum(x, 0),
)


class Cell(ABC):
    """A recurrent cell. Cells hold no data: weights and state are arguments."""

    gates: ClassVar[int]
    states: ClassVar[int] = 1  #: arrays in the state; the first is the output
    #: initial bias by gate index; other gates start at 0
    initial_bias: ClassVar[Mapping[int, float]] = {}
    kernel: ClassVar[str] = ""  #: name of a faster implementation in torch, if any

    @classmethod
    @abstractmethod
    def step(cls, xp: Functions, projected: Array, state: State, w: Weights) -> State:
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
    """Simple recurrent network (Elman 1990), with tanh instead of the sigmoid.

    h_t = tanh(U h_{t-1} + W x_t + b)
    """

    gates = 1
    kernel = "rnn_tanh"

    @classmethod
    def step(cls, xp: Functions, projected: Array, state: State, w: Weights) -> State:
        """Return (h_t,)."""
        (h,) = state
        return (xp.tanh(projected + recurrent(h, w)),)


class ElmanReLU(Cell):
    """Elman's network with max(0, x) instead of tanh.

    h_t = max(0, U h_{t-1} + W x_t + b)

    Le, Jaitly & Hinton (2015) initialize U to the identity. Here U is initialized to an
    orthogonal matrix, as in every cell, because training then diverges less often.
    """

    gates = 1
    kernel = "rnn_relu"

    @classmethod
    def step(cls, xp: Functions, projected: Array, state: State, w: Weights) -> State:
        """Return (h_t,)."""
        (h,) = state
        return (xp.relu(projected + recurrent(h, w)),)


class LSTM(Cell):
    """Long short-term memory (Hochreiter & Schmidhuber 1997), with a forget gate.

    The forget gate f was introduced by Gers, Schmidhuber & Cummins (2000).

        i_t = sigmoid(W_i x_t + U_i h_{t-1} + b_i)      input gate
        f_t = sigmoid(W_f x_t + U_f h_{t-1} + b_f)      forget gate
        g_t = tanh(W_g x_t + U_g h_{t-1} + b_g)         candidate
        o_t = sigmoid(W_o x_t + U_o h_{t-1} + b_o)      output gate
        c_t = f_t c_{t-1} + i_t g_t                     memory
        h_t = o_t tanh(c_t)                             output
    """

    gates = 4
    states = 2
    initial_bias: ClassVar = {1: 1.0}  # f starts open (Jozefowicz et al. 2015)
    kernel = "lstm"

    @classmethod
    def step(cls, xp: Functions, projected: Array, state: State, w: Weights) -> State:
        """Return (h_t, c_t)."""
        h, c = state
        i, f, g, o = split(projected + recurrent(h, w), 4)
        i, f, g, o = xp.sigmoid(i), xp.sigmoid(f), xp.tanh(g), xp.sigmoid(o)
        c = f * c + i * g
        h = o * xp.tanh(c)
        return h, c


class PeepholeLSTM(Cell):
    """LSTM whose gates also see the memory (Gers & Schmidhuber 2000).

    The weights p_i and p_f (H,) let the input and forget gates see c_{t-1}, and p_o
    lets the output gate see c_t. The rest is the same as in the LSTM. The tensors are
    named weight_ci, weight_cf and weight_co.

        i_t = sigmoid(W_i x_t + U_i h_{t-1} + p_i c_{t-1} + b_i)
        f_t = sigmoid(W_f x_t + U_f h_{t-1} + p_f c_{t-1} + b_f)
        o_t = sigmoid(W_o x_t + U_o h_{t-1} + p_o c_t + b_o)
    """

    gates = 4
    states = 2
    initial_bias: ClassVar = LSTM.initial_bias

    @classmethod
    def step(cls, xp: Functions, projected: Array, state: State, w: Weights) -> State:
        """Return (h_t, c_t)."""
        h, c = state
        i, f, g, o = split(projected + recurrent(h, w), 4)
        i = xp.sigmoid(i + w["weight_ci"] * c)
        f = xp.sigmoid(f + w["weight_cf"] * c)
        g = xp.tanh(g)
        c = f * c + i * g
        o = xp.sigmoid(o + w["weight_co"] * c)
        h = o * xp.tanh(c)
        return h, c

    @classmethod
    def shapes(cls, inputs: int, hidden: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the LSTM's parameters and of the peephole weights."""
        peepholes = {f"weight_c{gate}": (hidden,) for gate in "ifo"}
        return super().shapes(inputs, hidden) | peepholes


class GRU(Cell):
    """Gated recurrent unit (Cho et al. 2014), as in torch.nn.GRU.

    The reset gate r is applied after the matrix product; the paper applies it before.
    b_n is part of bias_ih and b'_n is part of bias_hh, because r applies only to b'_n.

        r_t = sigmoid(W_r x_t + U_r h_{t-1} + b_r)             reset gate
        z_t = sigmoid(W_z x_t + U_z h_{t-1} + b_z)             update gate
        n_t = tanh(W_n x_t + b_n + r_t (U_n h_{t-1} + b'_n))   candidate
        h_t = (1 - z_t) n_t + z_t h_{t-1}
    """

    gates = 3
    kernel = "gru"

    @classmethod
    def step(cls, xp: Functions, projected: Array, state: State, w: Weights) -> State:
        """Return (h_t,)."""
        (h,) = state
        x_r, x_z, x_n = split(projected, 3)
        h_r, h_z, h_n = split(recurrent(h, w), 3)
        r = xp.sigmoid(x_r + h_r)
        z = xp.sigmoid(x_z + h_z)
        n = xp.tanh(x_n + r * h_n)
        return ((1 - z) * n + z * h,)


class SimpleGRU(Cell):
    """The GRU of introductory lectures, with an update gate but no reset gate.

        u_t = sigmoid(W_u x_t + U_u h_{t-1} + b_u)      update gate
        n_t = tanh(W_n x_t + U_n h_{t-1} + b_n)         candidate
        h_t = u_t n_t + (1 - u_t) h_{t-1}

    Here, an update gate of 0 keeps the state. In the GRU, an update gate of 1 does.
    """

    gates = 2

    @classmethod
    def step(cls, xp: Functions, projected: Array, state: State, w: Weights) -> State:
        """Return (h_t,)."""
        (h,) = state
        u, n = split(projected + recurrent(h, w), 2)
        u, n = xp.sigmoid(u), xp.tanh(n)
        return (u * n + (1 - u) * h,)


class MinGRU(Cell):
    """Minimal GRU (Feng et al. 2024, arXiv 2410.01201, section 3.1).

        z_t = sigmoid(W_z x_t + b_z)                    update gate
        n_t = W_n x_t + b_n                             candidate
        h_t = (1 - z_t) h_{t-1} + z_t n_t

    The gate and the candidate do not see h_{t-1}, so the recurrence is linear in h, and
    only the last line must run step by step. As in `SimpleGRU`, an update gate of 0
    keeps the state.
    """

    gates = 2
    kernel = "linear"

    @classmethod
    def step(cls, xp: Functions, projected: Array, state: State, w: Weights) -> State:
        """Return (h_t,)."""
        (h,) = state
        z, n = split(projected, 2)
        z = xp.sigmoid(z)
        return ((1 - z) * h + z * n,)

    @classmethod
    def shapes(cls, inputs: int, hidden: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes of W and b_ih; minGRU has no U and no b_hh."""
        shapes = super().shapes(inputs, hidden)
        return {name: shapes[name] for name in ("weight_ih", "bias_ih")}


def recurrent(h: Array, w: Weights) -> Array:
    """Return U h_{t-1} + b_hh for every gate, (B, G*H)."""
    return h @ w["weight_hh"].T + w["bias_hh"]


def split(x: Array, parts: int) -> list[Array]:
    """Split the last axis of (..., parts*H) into `parts` views (..., H)."""
    width = x.shape[-1] // parts
    return [x[..., k * width : (k + 1) * width] for k in range(parts)]
